"""Folders that are no store of outputs, and those that may become one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from pivot.store.odb.layout import create
from pivot.store.odb.store_format import FILE


def run(folder: Path, *args: str) -> None:
    subprocess.run(["git", "-C", folder, *args], check=True, capture_output=True)


def bare(folder: Path, *options: str) -> Path:
    """An empty bare repository."""
    folder.mkdir(parents=True)
    run(folder, "init", "--quiet", "--bare", *options)
    return folder


def code(folder: Path, *options: str) -> Path:
    """A bare repository with a commit on `main`."""
    bare(folder, *options)
    commit = ["commit-tree", "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "-m", "theirs"]
    run(folder, "hash-object", "-t", "tree", "-w", "/dev/null")
    oid = subprocess.run(["git", "-C", folder, *commit], check=True, capture_output=True, text=True).stdout.strip()
    run(folder, "update-ref", "refs/heads/main", oid)
    return folder


def old_store(folder: Path) -> Path:
    """A store from before there was a mark."""
    create(str(folder))
    (folder / FILE).unlink()
    (folder / "recent").mkdir()
    return folder


def _with_tag(folder: Path) -> None:
    code(folder)
    run(folder, "tag", "v1")
    run(folder, "update-ref", "-d", "refs/heads/main")


def _packed(folder: Path) -> None:
    code(folder)
    run(folder, "pack-refs", "--all")
    assert not [path for path in (folder / "refs").rglob("*") if path.is_file()]


def _detached(folder: Path) -> None:
    code(folder)
    run(folder, "update-ref", "--no-deref", "HEAD", "main")
    run(folder, "update-ref", "-d", "refs/heads/main")
    assert not (folder / "HEAD").read_text().startswith("ref:")


def _used_as_store(folder: Path) -> None:
    """What an earlier version of Pivot left in a code repository that it took for a store."""
    code(folder)
    for name in ("large", "tmp", "recent"):
        (folder / name).mkdir()


def _marked_by_hand(folder: Path) -> None:
    code(folder)
    store = folder.parent / "own"
    create(str(store))
    shutil.copy(store / FILE, folder)


def _objects_alone(folder: Path) -> None:
    """Objects that others borrow by `objects/info/alternates`; no ref says what they are for."""
    code(folder)
    run(folder, "update-ref", "-d", "refs/heads/main")


def _git_folder(folder: Path) -> None:
    folder.mkdir()
    run(folder, "init", "--quiet", "--separate-git-dir", str(folder / "git"))
    for path in [*(folder / "git").iterdir()]:
        path.rename(folder / path.name)
    (folder / "git").rmdir()
    (folder / ".git").unlink()


def _with(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("precious\n")

    return make


def _later(folder: Path) -> None:
    create(str(folder))
    (folder / FILE).chmod(0o644)
    (folder / FILE).write_text(f"{FILE} 99\n")


FOREIGN: dict[str, Callable[[Path], object]] = {
    "a bare repository with a branch": code,
    "one whose only ref is a tag": _with_tag,
    "one with packed refs": _packed,
    "one with a detached HEAD": _detached,
    "one with objects and no refs": _objects_alone,
    "one that was used as a store": _used_as_store,
    "one with our mark": _marked_by_hand,
    "an empty repository with a work tree": _git_folder,
    "an empty repository of SHA-256": lambda folder: bare(folder, "--object-format=sha256"),
    "a folder of documents": _with("thesis.tex"),
    "a folder with a file in a folder of our names": _with("recent/notes.txt"),
    "a folder with large files of its own": _with("large/ab/film.mp4"),
    "a store of a later version": _later,
}
