"""Where pushed code runs: the setting `pivot.ciSandbox`, and the command that puts a program into it.

In a sandbox a stage sees the system's programs and libraries, the Python that Pivot runs in, the checkout and what the
owner of the server names in `pivot.ciRead`. It writes into the checkout, an own HOME and an own /tmp, and nowhere else.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from pivot.errors import SettingError
from pivot.git.plumbing.config import Settings

NONE = "none"
# Of /etc only what programs need to find libraries, names and certificates: it may hold secrets too.
_ETC = (
    "alternatives",
    "ca-certificates",
    "group",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "passwd",
    "pki",
    "ssl",
)
_ETC_OF_NETWORK = ("hosts", "resolv.conf", "services")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "TZ")  # of the account's environment
_PROBE_LIMIT = 30.0  # seconds


class SandboxFolders(Struct, frozen=True):
    """The folders of one run: `root` is the checkout, `home` and `temp` are empty. `readable` must be seen too."""

    root: Path
    home: Path
    temp: Path
    readable: tuple[Path, ...] = ()


def empty_room(folder: Path) -> SandboxFolders:
    """Empty folders for a probe."""
    room = SandboxFolders(folder / "project", folder / "home", folder / "tmp")
    for one in (room.root, room.home, room.temp):
        one.mkdir(parents=True)
    return room


class Sandbox(Struct, frozen=True):
    """How pushed code is kept apart; `words` are those of a command that the owner wrote."""

    kind: str = NONE
    network: bool = False
    readable: tuple[str, ...] = ()
    image: str = ""
    words: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.kind != NONE

    def wrap(
        self, module: Sequence[str], room: SandboxFolders, settings: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str]]:
        """The command that runs `python -m MODULE ARGUMENTS` in the checkout, and its environment.

        `settings` are variables that it must see.
        """
        if self.kind == NONE:
            return _python(module), {**os.environ, **settings}
        clean = {**_clean_environment(room), **settings}
        if self.kind == "bwrap":
            return [*self._bwrap(room), *_as_options("--setenv", clean), "--", *_python(module)], dict(os.environ)
        if self.kind == "podman":
            return [*self._podman(room, clean), self.image, "python3", "-P", "-m", *module], dict(os.environ)
        places = {"{root}": str(room.root), "{home}": str(room.home), "{temp}": str(room.temp)}
        words = [_filled(word, places) for word in self.words]
        return [*words, *_python(module)], {**clean, "GIT_PIVOT_CHECKOUT": str(room.root)}

    def missing(self) -> str:
        """Why it cannot be used at all; empty where its program is there."""
        program = {"bwrap": "bwrap", "podman": "podman"}.get(self.kind) or (self.words or ("",))[0]
        if not self or shutil.which(program):
            return ""
        return f"pivot.ciSandbox is {self.kind!r}, and there is no program {program}"

    def _bwrap(self, room: SandboxFolders) -> list[str]:
        apart = ["--unshare-all", *(["--share-net"] if self.network else [])]
        found = ["bwrap", *apart, "--cap-drop", "ALL", "--die-with-parent", "--new-session", "--clearenv"]
        found += ["--proc", "/proc", "--dev", "/dev", "--bind", str(room.temp), "/tmp"]
        for path in self._visible(room):
            is_link = Path(path).is_symlink()
            found += ["--symlink", str(Path(path).readlink()), path] if is_link else ["--ro-bind", path, path]
        for folder in (room.home, room.root):
            found += ["--bind", str(folder), str(folder)]
        return [*found, "--chdir", str(room.root)]

    def _podman(self, room: SandboxFolders, environment: Mapping[str, str]) -> list[str]:
        found = ["podman", "run", "--rm", "--init", "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"]
        found += [] if self.network else ["--network=none"]
        for path in (*map(str, room.readable), *self.readable):
            found += ["--volume", f"{path}:{path}:ro"]
        for folder in (room.home, room.root):
            found += ["--volume", f"{folder}:{folder}"]
        found += ["--volume", f"{room.temp}:/tmp", "--workdir", str(room.root)]
        return [*found, *(f"--env={name}={value}" for name, value in environment.items())]

    def _visible(self, room: SandboxFolders) -> Iterator[str]:
        """What may be read, each path once and no path below another one."""
        etc = (*_ETC, *(_ETC_OF_NETWORK if self.network else ()))
        wanted = [*_SYSTEM, *(f"/etc/{name}" for name in etc), *_python_folders(), *map(str, room.readable)]
        seen: list[str] = []
        for path in (*wanted, *self.readable):
            if os.path.lexists(path) and not any(path == one or path.startswith(f"{one}/") for one in seen):
                seen.append(path)
                yield path


def read_sandbox(settings: Settings) -> Sandbox:
    """Raises `SettingError` for a value that means nothing."""
    text = settings.get("pivot.ciSandbox", NONE) or ""
    try:
        words = tuple(shlex.split(text))
    except ValueError:
        words = ()
    if not words:
        raise SettingError(
            f"the setting pivot.ciSandbox is {text!r}; it must be none, bwrap, podman or a command",
            hint="git config pivot.ciSandbox bwrap",
        )
    readable = tuple(settings.get_all("pivot.ciRead"))
    for path in readable:
        if not path.startswith("/"):
            raise SettingError(f"the setting pivot.ciRead is {path!r}; it must be an absolute path")
    found = Sandbox(
        kind=words[0] if words in ((NONE,), ("bwrap",), ("podman",)) else "command",
        network=settings.get_bool("pivot.ciNetwork", False),
        readable=readable,
        image=settings.get("pivot.ciImage", "") or "",
        words=words,
    )
    if found.kind == "podman" and not found.image:
        raise SettingError(
            "pivot.ciSandbox is podman, and pivot.ciImage names no image with git-pivot in it",
            hint="git config pivot.ciImage registry.example.com/project:1",
        )
    return found


def probe(sandbox: Sandbox, room: SandboxFolders) -> str:
    """Start Python in the sandbox and see whether that works; empty where it does, else the reason."""
    if missing := sandbox.missing():
        return missing
    command, environment = sandbox.wrap(["pivot", "--version"], room, {})
    try:
        done = subprocess.run(
            command,
            cwd=room.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"pivot.ciSandbox is {sandbox.kind!r}, which does not start: {error}"
    said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return "" if done.returncode == 0 else f"pivot.ciSandbox is {sandbox.kind!r}, which does not work here: {said}"


def _python(module: Sequence[str]) -> list[str]:
    return [sys.executable, "-P", "-m", *module]


def _python_folders() -> Iterator[str]:
    """This Python, its libraries, and Pivot itself, wherever they are installed."""
    yield from dict.fromkeys((sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix))
    yield str(Path(sys.executable).resolve().parent)
    yield from (path for path in sys.path if Path(path).is_dir())
    yield str(Path(__file__).resolve().parents[2] / "pivot")


def _clean_environment(room: SandboxFolders) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    folders = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
    return {"LANG": "C.UTF-8", **kept, "HOME": str(room.home), "PATH": folders, "TMPDIR": "/tmp", "USER": "pivot"}


def _as_options(option: str, values: Mapping[str, str]) -> Iterable[str]:
    return (word for name, value in values.items() for word in (option, name, value))


def _filled(word: str, places: Mapping[str, str]) -> str:
    for name, place in places.items():
        word = word.replace(name, place)
    return word
