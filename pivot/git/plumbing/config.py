"""Settings: `pivot.*` and `pivot-remote.<name>.*` from Git's own scopes, over the team's committed `.pivotconfig`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct, field

from pivot.errors import SettingError
from pivot.git.plumbing.command import run_git
from pivot.git.plumbing.locate import RepositoryLocation

SHARED_FILE = ".pivotconfig"

# Keys that name programs or hooks, or let pushed code run: a clone must not bring them along.
PROGRAM_KEYS = (
    "pivot.ci*",
    "pivot.editor",
    "pivot.hook*",
    "pivot.pager",
    "pivot.python*",
    "pivot.trust*",
    "pivot.*command",
    "pivot.*program",
    "pivot.*.hook*",
    "pivot-remote.*command",
    "pivot-remote.*hook*",
    "pivot-remote.*program",
    "pivot-remote.*identityfile",
    "pivot-remote.*configfile",
)

# Keys that say where outputs are kept or sent. A value in `.pivotconfig` counts once this clone has agreed to it.
_ADDRESS_KEYS = ("pivot.store", "pivot.remote", "pivot-remote.*")
_NO_ADDRESS = ("pivot-remote.*.required", "pivot-remote.*.timeout")
TRUSTED = "pivot.trusted"  # a `key=value` that this clone has agreed to; there may be several

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0", "")
_NUMBER = re.compile(r"([+-]?\d+)([kmg]?)", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class ConfigValue(Struct, frozen=True):
    """One value of a key (None: the key stands without `=`, which means true) and where it stands, as Git says it."""

    text: str | None
    origin: str

    def __str__(self) -> str:
        return "true" if self.text is None else self.text


class SharedAddress(Struct, frozen=True):
    """An address of `.pivotconfig`; not `usable`: a path of `pivot.store` outside the Git directory."""

    key: str
    value: str
    usable: bool = True

    def __str__(self) -> str:
        return f"{_quoted(self.key)} = {_quoted(self.value)}"


class Settings(Struct, frozen=True):
    """All Git configuration that holds here. Keys are as Git prints them: section and name in lower case.

    `refused` are keys of `.pivotconfig` that it may not set, `unconfirmed` addresses in it that this clone has not
    agreed to: they do not count.
    """

    values: Mapping[str, Sequence[ConfigValue]] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    unconfirmed: tuple[SharedAddress, ...] = ()

    def unconfirmed_notice(self) -> str:
        """A sentence about the addresses that do not count, or an empty string."""
        if not self.unconfirmed:
            return ""
        keys = ", ".join(_quoted(one.key) for one in self.unconfirmed[:3])
        more = f" and {len(self.unconfirmed) - 3} more" if len(self.unconfirmed) > 3 else ""
        return f"this clone does not use {keys}{more} from {SHARED_FILE}: run `git pivot trust` to see and allow it"

    def files(self) -> set[str]:
        """The files that give these values, as Git names them: some relative to the work tree."""
        return {value.origin for held in self.values.values() for value in held}

    def get_all(self, key: str) -> list[str]:
        """Every value of a key, the weakest first."""
        return [str(value) for value in self.values.get(canonical_key(key), ())]

    def get(self, key: str, default: str | None = None) -> str | None:
        held = self._last(key)
        return default if held is None else str(held)

    def get_bool(self, key: str, default: bool) -> bool:
        """Raises `SettingError` for what Git would not call a boolean."""
        held = self._last(key)
        if held is None or held.text is None:
            return default if held is None else True
        text = held.text.lower()
        if text not in (*_TRUE, *_FALSE):
            raise _meaningless(key, held, "true or false")
        return text in _TRUE

    def get_int(self, key: str, default: int) -> int:
        """A whole number, with Git's suffixes `k`, `m`, `g`; raises `SettingError`."""
        held = self._last(key)
        if held is None:
            return default
        number = _NUMBER.fullmatch(str(held).strip())
        if number is None:
            raise _meaningless(key, held, "a whole number")
        return int(number[1]) * _UNITS[number[2].lower()]

    def get_choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of `choices`; raises `SettingError`."""
        held = self._last(key)
        if held is None:
            return default
        if str(held) not in choices:
            raise _meaningless(key, held, f"one of {', '.join(choices)}")
        return str(held)

    def subsections(self, section: str) -> list[str]:
        """The `<name>` of every `<section>.<name>.<key>`, sorted: `subsections("pivot-remote")` lists the remotes."""
        parts = (key.split(".", 1)[1].rpartition(".")[0] for key in self.values if key.startswith(f"{section}."))
        return sorted({name for name in parts if name})

    def _last(self, key: str) -> ConfigValue | None:
        held = self.values.get(canonical_key(key))
        return held[-1] if held else None


def canonical_key(key: str) -> str:
    """A key as Git prints it: section and name do not mind case, a subsection does."""
    section, _, rest = key.partition(".")
    subsection, dot, name = rest.rpartition(".")
    return f"{section.lower()}.{subsection}{dot}{name.lower()}"


def read_settings(location: RepositoryLocation) -> Settings:
    """Read every scope of Git configuration, and `.pivotconfig` below them; one process, two where the file is there.

    Raises:
        GitError: a configuration file is damaged; the sentence is Git's own, with file and line.
    """
    listed = run_git(["config", "--list", "--show-origin", "-z"], location.folder, env=location.environment())
    own, (shared, refused) = _parse(listed), _read_shared(location)
    agreed = {str(value) for value in own.get(TRUSTED, ())}
    addresses = [_address(location, key, shared[key]) for key in sorted(shared) if _is_address(key)]
    kept_back = [one for one in addresses if not one.usable or f"{one.key}={one.value}" not in agreed]
    for one in kept_back:
        del shared[one.key]
    values = {key: [*shared.get(key, ()), *own.get(key, ())] for key in {**shared, **own}}
    return Settings(values, tuple(refused), tuple(one for one in kept_back if one.key not in own))


def trust_address(location: RepositoryLocation, settings: Settings, key: str, value: str) -> None:
    """Let a value of `.pivotconfig` count in this clone."""
    agreed = f"{canonical_key(key)}={value}"
    if agreed not in settings.get_all(TRUSTED):
        add_setting(location, TRUSTED, agreed)


def write_setting(location: RepositoryLocation, key: str, value: str, *, scope: str = "local") -> None:
    """Set one value; `scope` is `local`, `worktree` or `global` as Git knows them, or `shared` for `.pivotconfig`."""
    run_git(
        ["config", *_target(location, scope), canonical_key(key), value], location.folder, env=location.environment()
    )


def add_setting(location: RepositoryLocation, key: str, value: str, *, scope: str = "local") -> None:
    """Add a value to a key that may have several."""
    args = ["config", *_target(location, scope), "--add", canonical_key(key), value]
    run_git(args, location.folder, env=location.environment())


def unset_setting(location: RepositoryLocation, key: str, *, scope: str = "local") -> None:
    """Remove all values of a key; nothing happens where it has none."""
    args = ["config", *_target(location, scope), "--unset-all", canonical_key(key)]
    run_git(args, location.folder, env=location.environment(), check=False)


def is_program_key(key: str) -> bool:
    """Whether a key names a program or a hook, so that `.pivotconfig` may not set it."""
    return any(fnmatchcase(key.lower(), pattern) for pattern in PROGRAM_KEYS)


def _is_address(key: str) -> bool:
    folded = key.lower()
    return any(fnmatchcase(folded, pattern) for pattern in _ADDRESS_KEYS) and not any(
        fnmatchcase(folded, pattern) for pattern in _NO_ADDRESS
    )


def _address(location: RepositoryLocation, key: str, values: Sequence[ConfigValue]) -> SharedAddress:
    """The value that counts is the last; a shared store must be in the Git directory, where nobody else keeps files."""
    value = str(values[-1])
    if key != "pivot.store":
        return SharedAddress(key, value)
    inside, path = location.common_dir.resolve(), (location.folder / Path(value)).resolve()
    return SharedAddress(key, value, path != inside and path.is_relative_to(inside))


def _quoted(text: str) -> str:
    """Without control characters, which could hide what is shown."""
    return text if text.isprintable() else json.dumps(text)


def _target(location: RepositoryLocation, scope: str) -> list[str]:
    return ["--file", str(location.folder / SHARED_FILE)] if scope == "shared" else [f"--{scope}"]


def _read_shared(location: RepositoryLocation) -> tuple[dict[str, list[ConfigValue]], list[str]]:
    file = location.root / SHARED_FILE if location.root else None
    if file is None or not file.is_file():
        return {}, []
    # An include could bring in any file of the machine: it is not followed in a committed file.
    args = ["config", "--file", str(file), "--no-includes", "--list", "--show-origin", "-z"]
    listed = _parse(run_git(args, location.folder, env=location.environment()))
    ours = {key: values for key, values in listed.items() if key.startswith(("pivot.", "pivot-remote."))}
    refused = sorted(key for key in listed if key not in ours or is_program_key(key))
    return {key: values for key, values in ours.items() if key not in refused}, refused


def _parse(listed: bytes) -> dict[str, list[ConfigValue]]:
    """The output of `git config --list --show-origin -z`: origin NUL key LF value NUL."""
    fields = os.fsdecode(listed).split("\0")
    values: dict[str, list[ConfigValue]] = {}
    for origin, item in zip(fields[0::2], fields[1::2], strict=False):
        key, newline, text = item.partition("\n")
        values.setdefault(key, []).append(ConfigValue(text if newline else None, origin.removeprefix("file:")))
    return values


def _meaningless(key: str, held: ConfigValue, wanted: str) -> SettingError:
    shared = Path(held.origin).name == SHARED_FILE
    mend = f"Edit {SHARED_FILE}." if shared else f"git config {key} <value>"
    return SettingError(f"the setting {key} is {str(held)!r}; it must be {wanted}", where=held.origin, hint=mend)
