"""Virtual environments of the tools, one each, made once and kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.compare.peer import Peer

LIBRARY = "pandas"  # what the pipelines with a heavy import use: it stands in every environment
ROOT = Path(__file__).parents[2]

_VERSION = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"


class NotInstalled(Exception):
    """pip said no; its last words."""


def environments() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = ".".join(map(str, sys.version_info[:2]))
    return cache / "git-pivot" / "peers" / version


def install(name: str, packages: tuple[str, ...]) -> Path:
    """The folder of an environment's programs, made if it is not there; this work tree is installed if it has changed.

    Raises:
        NotInstalled: a package does not install.
    """
    folder = environments() / name
    wanted = "\n".join([*packages, LIBRARY, _tree() if "." in packages else ""])
    stamp = folder / "installed"
    programs = folder / "bin"
    if stamp.exists() and stamp.read_text() == wanted:
        return programs
    if not (programs / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    _pip(programs, *packages, LIBRARY)
    if "." in packages:
        _pip(programs, "--force-reinstall", "--no-deps", ".")
    stamp.write_text(wanted)
    return programs


def _pip(programs: Path, *arguments: str) -> None:
    command = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled(done.stderr.strip().rpartition("\n")[2])


def _tree() -> str:
    """The id of the package as it stands in the work tree."""
    files = sorted((ROOT / "pivot").rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def version(peer: Peer, programs: Path) -> str:
    """What is measured, for the page."""
    if not peer.distribution:
        said = subprocess.run([peer.run[0], "--version"], capture_output=True, text=True, check=True).stdout
        return said.splitlines()[0].split()[-1]
    command = [str(programs / "python"), "-c", _VERSION, peer.distribution]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
