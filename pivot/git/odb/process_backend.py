"""A repository through the `git` program: the second implementation of `Backend`, for what libgit2 refuses.

One `cat-file --batch` lives as long as the backend and answers every read in some tens of microseconds; it sees objects
and packs that appear later. Writes are one process each, however many objects there are.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from pivot.errors import GitError, MissingObject, RefMoved, UnreadableObject
from pivot.git.odb.backend import Backend
from pivot.git.odb.loose_reader import Damaged, LooseReader, TooLarge
from pivot.git.odb.objects import ObjectVerbs, missing, object_id, too_large, unreadable
from pivot.git.odb.pack_format import format_pack
from pivot.git.plumbing.command import Answer, ask_git, held_back, placeless_environment, quiet_environment, run_git
from pivot.git.plumbing.locate import refusal
from pivot.git.plumbing.refs import list_refs, read_ref

# From here on a pack is kept as it is; smaller ones are unpacked into loose objects, so that packs do not pile up.
_PACK_FROM = 64
_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHA256 = re.compile(rb"^\s*objectformat\s*=\s*\"?sha256\b", re.IGNORECASE | re.MULTILINE)
# Lock trouble that another try does not mend.
LASTING = (
    "Permission denied",
    "Read-only file system",
    "No space left",
    "cannot create",
    "not a valid",
    "nonexistent",
)


class ProgramBackend(ObjectVerbs):
    """Any repository that the `git` on PATH can open; nothing is started before the first question.

    Every verb raises `ProjectError` where Git refuses the repository; the sentence is Git's own.
    """

    def __init__(self, git_dir: Path, common_dir: Path) -> None:
        self.git_dir = git_dir
        self.common_dir = common_dir
        self.algorithm = read_algorithm(common_dir)
        self._loose = LooseReader(common_dir)
        self._reader: subprocess.Popen[bytes] | None = None

    def check(self) -> None:
        """Raises `ProjectError` where Git refuses the repository."""
        answer = self._ask("rev-parse", "--git-dir")
        if answer.code:
            raise refusal(self.git_dir, answer.complaint)

    def read(self, oid: str, most: int | None = None) -> tuple[str, bytes]:
        if not _OBJECT_ID.fullmatch(oid):
            raise GitError(f"{oid!r} is not an object id")
        # `cat-file --batch` waits for ever after a loose object that has fewer bytes than its header says (2.39.5).
        try:
            found = self._loose.read(oid, most)
        except TooLarge as error:
            raise too_large(oid, error.size, error.most) from error
        except Damaged as error:
            return read_packed(self.git_dir, self._loose.folders, oid, str(error))
        return found or self._read(oid, most)

    def _read(self, oid: str, most: int | None) -> tuple[str, bytes]:
        source, sink = self._pipes()
        try:
            sink.write(oid.encode() + b"\n")
            sink.flush()
        except BrokenPipeError as error:
            raise self._gone() from error
        header = source.readline().split()
        if not header:
            raise self._gone(oid)
        if len(header) != 3:
            raise self._lacking(oid, header)
        kind, size = header[1].decode(), int(header[2])
        if most is not None and size > most:
            self.close()  # the next question starts another one: cheaper than reading past these bytes
            raise too_large(oid, size, most)
        data = source.read(size + 1)
        if len(data) != size + 1:
            raise self._gone(oid)
        return kind, data[:-1]

    def write(self, objects: Sequence[tuple[str, bytes]]) -> list[str]:
        if not objects:
            return []
        if len(objects) >= _PACK_FROM:
            return write_pack(self, objects)
        pack = format_pack(list(dict.fromkeys(objects)), self.algorithm)
        self._run("unpack-objects", "-q", stdin=pack)
        return [object_id(kind, data, self.algorithm) for kind, data in objects]

    def has(self, oids: Iterable[str]) -> set[str]:
        asked = list(oids)
        if not asked:
            return set()
        answers = self._run("cat-file", "--batch-check", stdin="".join(f"{oid}\n" for oid in asked).encode())
        lines = answers.decode("utf-8", "surrogateescape").splitlines()
        return {oid for oid, line in zip(asked, lines, strict=True) if not line.endswith(" missing")}

    def ref_get(self, name: str) -> str | None:
        return read_ref(self.common_dir, self.git_dir, name)

    def ref_cas(self, name: str, new: str | None, old: str | None, why: str) -> None:
        move_ref(self.git_dir, name, (new, old), why)

    def refs(self, prefix: str) -> dict[str, str]:
        return list_refs(self.common_dir, self.git_dir, prefix)

    def resolve(self, revision: str) -> str | None:
        return resolve_by_git(self.git_dir, revision, "commit")

    def tree_of(self, revision: str) -> str | None:
        return resolve_by_git(self.git_dir, revision, "tree")

    def merge_base(self, one: str, two: str) -> str | None:
        return merge_base_by_git(self.git_dir, one, two)

    def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is None:
            return
        for pipe in (reader.stdin, reader.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        reader.wait()

    def _gone(self, oid: str = "") -> GitError:
        """Why `cat-file` ended; raises `ProjectError` where Git says that it refuses the repository.

        Asked for a damaged object (`oid`) it dies.
        """
        self.close()
        self.check()
        if oid:
            return unreadable(oid, "it is damaged", str(self.git_dir))
        return GitError("git cat-file ended early", where=str(self.git_dir), hint="Run the command again.")

    def _lacking(self, oid: str, header: list[bytes]) -> MissingObject | UnreadableObject:
        if header[-1:] == [b"missing"]:
            return missing(oid, str(self.git_dir))
        return unreadable(oid, "it is damaged", str(self.git_dir))

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._reader is None or self._reader.poll() is not None:
            with held_back():
                self._reader = subprocess.Popen(
                    ["git", "--git-dir", str(self.git_dir), "cat-file", "--batch"],
                    cwd=self.git_dir,
                    # libgit2 knows nothing of refs/replace; both implementations read what an id really names.
                    env=quiet_environment({**placeless_environment(), "GIT_NO_REPLACE_OBJECTS": "1"}),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    process_group=0,
                )
        reader = self._reader
        if reader.stdout is None or reader.stdin is None:
            raise GitError("git cat-file has no pipes")
        return reader.stdout, reader.stdin

    def _run(self, *args: str, stdin: bytes | None = None) -> bytes:
        return run_git(["--git-dir", str(self.git_dir), *args], self.git_dir, stdin=stdin, env=placeless_environment())

    def _ask(self, *args: str) -> Answer:
        return ask_git(["--git-dir", str(self.git_dir), *args], self.git_dir, env=placeless_environment())


def read_algorithm(common_dir: Path) -> str:
    """The object format, which Git keeps in the repository's own configuration and nowhere else."""
    try:
        return "sha256" if _SHA256.search((common_dir / "config").read_bytes()) else "sha1"
    except FileNotFoundError:
        return "sha1"


def write_pack(backend: Backend, objects: Sequence[tuple[str, bytes]]) -> list[str]:
    """Write many objects as one pack; ids in the order given.

    Objects that are here already are written again: an old one that no ref reaches may be pruned at any moment.
    """
    pack = format_pack(list(dict.fromkeys(objects)), backend.algorithm)
    args = ["--git-dir", str(backend.git_dir), "index-pack", "--stdin"]
    run_git(args, backend.git_dir, stdin=pack, env=placeless_environment())
    return [object_id(kind, data, backend.algorithm) for kind, data in objects]


def move_ref(git_dir: Path, name: str, values: tuple[str | None, str | None], why: str) -> None:
    """Compare-and-swap by `git update-ref`; `values` are new and old, None for a ref that does not exist.

    Raises:
        RefMoved: it is not at the old value, or its lock is held.
        GitError: it can never be moved.
    """
    new, old = values
    zero = "0" * len(new or old or "0" * 40)
    args = ["--git-dir", str(git_dir), "update-ref", "-m", " ".join(why.split()) or "pivot"]
    args += ["-d", name, old or zero] if new is None else [name, new, old or zero]
    answer = ask_git(args, git_dir, env=placeless_environment())
    if answer.code == 0:
        return
    if "lock ref" in answer.complaint and not any(sign in answer.complaint for sign in LASTING):
        raise RefMoved(f"the ref {name} moved or is locked: {answer.complaint}")
    raise GitError(f"the ref {name} cannot be moved: {answer.complaint}", where=str(git_dir))


def resolve_by_git(git_dir: Path, revision: str, kind: str) -> str | None:
    """The id of the commit or tree that a revision names, in any form that Git knows; None where it names none."""
    if not revision or revision.startswith("-") or "\0" in revision or "\n" in revision:
        return None
    ask = ["--git-dir", str(git_dir), "rev-parse", "--verify", "--quiet"]
    if revision.startswith(":/"):  # the rest is a pattern: a suffix would become part of it
        revision = ask_git([*ask, revision], git_dir, env=placeless_environment()).out.decode().strip()
    answer = ask_git([*ask, f"{revision}^{{{kind}}}"], git_dir, env=placeless_environment())
    return answer.out.decode().strip() or None if answer.code == 0 else None


def merge_base_by_git(git_dir: Path, one: str, two: str) -> str | None:
    """A best common ancestor; None where there is none, or where the histories lead out of a shallow clone."""
    answer = ask_git(["--git-dir", git_dir, "merge-base", one, two], git_dir, env=placeless_environment())
    return answer.out.decode().split("\n")[0] or None if answer.code == 0 else None


def read_packed(git_dir: Path, folders: Sequence[str], oid: str, why: str) -> tuple[str, bytes]:
    """An object whose loose file is damaged (`why`): it may be in a pack of one of the object `folders` as well.

    Raises:
        UnreadableObject: it is not.
    """
    with tempfile.TemporaryDirectory(prefix="git-pivot-packs.") as place:
        _show_packs(Path(place), folders)
        environment = {**placeless_environment(), "GIT_NO_REPLACE_OBJECTS": "1", "GIT_OBJECT_DIRECTORY": f"{place}/0"}
        args = ["--git-dir", str(git_dir), "cat-file", "--batch"]
        answer = ask_git(args, git_dir, stdin=f"{oid}\n".encode(), env=environment)
    header, _, data = answer.out.partition(b"\n")
    words = header.split()
    if len(words) != 3 or len(data) != int(words[2]) + 1:
        raise unreadable(oid, why, str(git_dir))
    return words[1].decode(), data[:-1]


def _show_packs(place: Path, folders: Sequence[str]) -> None:
    """Make object folders that have the packs of `folders` and nothing else, the first with the others as alternates.

    Git looks into packs first, yet Git 2.55 streams a blob from its loose file where there is one, damaged or not.
    """
    for number, folder in enumerate(folders):
        (place / str(number)).mkdir()
        (place / str(number) / "pack").symlink_to(f"{folder}/pack")
    (place / "0/info").mkdir()
    (place / "0/info/alternates").write_text("".join(f"{place}/{number}\n" for number in range(1, len(folders))))
