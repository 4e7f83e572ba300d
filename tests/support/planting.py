"""What somebody who may push results could plant: records and notes that name other outputs than the stage declares.

The attacker has a clone in which the stage was run, changes what its record and the note say, and pushes that; the
victim is another clone, whose store has all the bytes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from pivot.git.odb.backend import EXECUTABLE, SYMLINK, TREE, Author
from pivot.git.odb.open import open_backend
from pivot.git.output_tree import nest
from pivot.git.plumbing.command import run_git
from pivot.state.journal import Finished
from pivot.state.notes import NoteLine, Notes
from pivot.state.records import Output, Record
from pivot.state.run_cache import RunCache
from pivot.store import StatCache, Store
from tests.support.repository import Repo
from tests.support.samples import declares, info

EVIL = b"raise SystemExit('the attacker was here')\n"
PIPELINE = """
from typing import Annotated

import pivot

def make(raw: Annotated[dict, pivot.Dep("data.json", pivot.loaders.JSON())]) -> Annotated[
    dict, pivot.Out("out/one.json", pivot.loaders.JSON())
]:
    return {"rows": len(raw)}

pipeline = pivot.Pipeline("plain")
pipeline.register(make)
"""
AUTHOR = Author("Mallory", "mallory@example.org", 1_700_000_000)

Content = bytes | str | Mapping[str, "Content"]  # a str is the target of a symlink; of a file `#!` makes a program


class Stored:
    """The store of a clone, into which an attacker's bytes come as any others."""

    def __init__(self, repo: Repo) -> None:
        self._store = Store.open(repo.path / ".git/pivot/store.git")
        self._git_dir = repo.path / ".git/pivot/store.git"

    def put(self, content: Content, scratch: Path) -> Output:
        if isinstance(content, str):
            return self._put_link(content)
        place = scratch / os.urandom(4).hex()
        _write(place, content)
        held = self._store.put(place, StatCache.open(scratch / "no cache"))
        return Output(held.id, held.mode, held.size)

    def _put_link(self, target: str) -> Output:
        data = target.encode()
        oid = run_git(["--git-dir", self._git_dir, "hash-object", "-w", "--stdin"], self._git_dir, stdin=data)
        return Output(oid.decode().strip(), SYMLINK, len(data))


def _write(place: Path, content: Content) -> None:
    if isinstance(content, str):
        place.symlink_to(content)
    elif isinstance(content, bytes):
        place.write_bytes(content)
        if content.startswith(b"#!"):
            place.chmod(0o755)
    else:
        place.mkdir()
        for name, inner in content.items():
            _write(place / name, inner)


def two_clones(repo: Repo, tmp_path: Path) -> tuple[Repo, Repo]:
    """The attacker's clone, in which `make` was run and noted, and the victim's: code and store, no results yet."""
    repo.write("data.json", "{}\n")
    repo.write("pipeline.py", PIPELINE)
    repo.commit("the project")
    repo.pivot("repro").expect(0)
    victim = repo.clone(tmp_path / "victim")
    shutil.copytree(repo.path / ".git/pivot/store.git", victim.path / ".git/pivot/store.git")
    return repo, victim


def true_line(repo: Repo) -> NoteLine:
    backend = open_backend(repo.path / ".git", repo.path / ".git")
    return Notes(backend).read(repo.head())["make"][0]


def true_record(repo: Repo) -> Record:
    backend, line = open_backend(repo.path / ".git", repo.path / ".git"), true_line(repo)
    return RunCache(backend).lookup(line.fingerprint or "")[0].record


def amended(record: Record, outs: Mapping[str, Output]) -> Record:
    """The record of the true situation with these outputs: its fingerprint is the stage's own."""
    return replace(record, outs=dict(outs), tree=_tree(outs)).named(record.fingerprint)


def forged(record: Record, outs: Mapping[str, Output]) -> Record:
    """A record that is sound in itself: it declares what it holds, and has the fingerprint of that."""
    directories = [path for path, out in outs.items() if out.mode == TREE]
    spec = declares(*(path for path in outs if path not in directories))
    spec["outs"] += declares(*directories, kind="directory")["outs"] if directories else []
    return Record(record.code, record.params, spec, record.deps, dict(outs), _tree(outs))


def _tree(outs: Mapping[str, Output]) -> str:
    try:
        return nest(outs, lambda _oid, _data: None)
    except Exception:  # the attacker writes what our own code refuses to write
        return "e" * 40


def push(attacker: Repo, victim: Repo, record: Record, *, commit: str = "HEAD", stage: str = "make") -> None:
    """Replace what is known of the commit by this record alone, and bring that to the victim."""
    for ref in ("refs/pivot/runs", "refs/notes/pivot"):
        attacker.git("update-ref", "-d", ref)
    backend = open_backend(attacker.path / ".git", attacker.path / ".git")
    head = attacker.git("rev-parse", commit)
    tree = attacker.git("rev-parse", f"{commit}^{{tree}}")[:12]
    RunCache(backend).flush([Finished(stage, record, info(stage))], "planted", AUTHOR)
    outs = tuple((path, out.id) for path, out in record.outs.items())
    line = NoteLine(stage, "result", tree, record.fingerprint, record.result, outs)
    Notes(backend).write({head: [line]}, "planted", AUTHOR)
    backend.close()
    refs = ["+refs/pivot/runs:refs/pivot/runs", "+refs/notes/pivot:refs/notes/pivot"]
    victim.git("fetch", "--quiet", str(attacker.path), *refs)


def contents(repo: Repo, *allowed: str) -> dict[str, str]:
    """All that is in a work tree and in its Git folder beside what Git and Pivot keep there, without `allowed`."""
    found: dict[str, str] = {}
    for folder, names, files in os.walk(repo.path):
        inside = os.path.relpath(folder, repo.path)
        if inside == ".git":
            names[:] = [name for name in names if name in ("hooks", "info")]
        elif inside == ".":
            names[:] = [name for name in names if name != "__pycache__"]
        for name in (*files, *(name for name in names if Path(folder, name).is_symlink())):
            path = os.path.normpath(f"{inside}/{name}")
            if path.startswith(".git/") and not path.startswith((".git/hooks/", ".git/config")):
                continue
            found[path] = _content(repo.path / path)
    return {path: held for path, held in found.items() if path not in allowed}


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    mode = EXECUTABLE if path.stat().st_mode & 0o100 else 0
    return f"{mode} {hashlib.sha256(path.read_bytes()).hexdigest()}"
