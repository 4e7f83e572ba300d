"""The look after a switch of branches that costs next to nothing: is every output that the note names in place already?

It may say so only where the full look (`hooks.post_checkout`) would find nothing to do and nothing to say; at any doubt
it says no. It asks `git cat-file` for the note, and the stat cache for the files; the formats of both are read here in
their plainest form, since the modules that know all of them take several times as long to import as this takes to run.
"""

from __future__ import annotations

import marshal
import os
import subprocess
import zlib

from pivot.git.plumbing.ownership import owned_by_me

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

_STAT_CACHE = b"pivot stat cache 1\n"  # as in pivot.store.odb.stat_cache
_NOTES = "refs/notes/pivot"
MOST_NOTE = 8 << 20  # bytes, as in pivot.state.notes
_MOST_QUESTION = 60_000  # bytes: more may fill the pipe while Git waits for its answers to be read


def nothing_to_do(commit: str) -> bool:
    """Whether all outputs of `commit` stand in the work tree of the current folder, and no others of Pivot's."""
    git_dir = _git_dir()
    if git_dir is None:
        return False
    if commit.encode() in _read(f"{git_dir}/pivot/saved"):
        return False  # edits may have to come back
    listed = _listed(f"{git_dir}/pivot/outputs")
    refs = _note_refs(_common_dir(git_dir))
    if listed is None or refs is None:
        return False
    asked = _ask(commit, refs)
    if asked is None:
        return False
    tree, texts = asked
    if not texts and not listed:
        return True
    wanted = _outputs(tree[:12].encode(), texts)
    return wanted is not None and wanted.keys() == listed and _in_place(f"{git_dir}/pivot/cache/stat", wanted)


def _git_dir() -> str | None:
    """The Git folder, absolute, in the two ordinary cases: Git said so, or it is in the work tree.

    None for another user's, of which nothing may be read before Git has agreed.
    """
    if "GIT_WORK_TREE" in os.environ:
        return None
    found = os.path.abspath(os.environ.get("GIT_DIR", ".git"))
    if not owned_by_me(".", found):
        return None
    if os.path.isfile(found):
        told = _read(found).decode("utf-8", "surrogateescape")
        found = os.path.abspath(told.removeprefix("gitdir: ").rstrip("\n"))
    return found if owned_by_me(found) and os.path.exists(f"{found}/HEAD") else None


def _common_dir(git_dir: str) -> str:
    told = _read(f"{git_dir}/commondir").decode("utf-8", "surrogateescape").rstrip("\n")
    return os.path.abspath(os.path.join(git_dir, told)) if told else git_dir


def _note_refs(common_dir: str) -> list[str] | None:
    """The local ref of notes and the fetched ones; None where finding them takes more than listing a folder."""
    packed = _read(f"{common_dir}/packed-refs")
    if os.path.isdir(f"{common_dir}/reftable") or b" refs/pivot-remotes/" in packed:
        return None
    start = f"{common_dir}/refs/pivot-remotes"
    remotes = sorted(os.listdir(start)) if os.path.isdir(start) else []
    return [_NOTES, *(f"refs/pivot-remotes/{name}/notes" for name in remotes)]


def _listed(path: str) -> set[bytes] | None:
    """The outputs that Pivot put here last: a JSON list of strings, if it is one without escapes."""
    data = _read(path)
    if not data or data == b"[]":
        return set()
    if data[:2] != b'["' or data[-2:] != b'"]' or b"\\" in data:
        return None
    return set(data[2:-2].split(b'", "'))


def _ask(commit: str, refs: list[str]) -> tuple[str, list[bytes]] | None:
    """The tree of a commit, and the notes that it has; None where one is too large to be a note."""
    paths = [path for ref in refs for path in (f"{ref}:{commit[:2]}/{commit[2:]}", f"{ref}:{commit}")]
    environment = {**os.environ, "GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1"}
    question = "".join(f"{name}\n" for name in [commit, *paths]).encode()
    if len(question) > _MOST_QUESTION:
        return None
    # Over the threshold Git streams a blob, and does not hold it in memory either.
    with subprocess.Popen(
        ["git", "-c", f"core.bigFileThreshold={MOST_NOTE}", "cat-file", "--batch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as git:
        assert git.stdin is not None and git.stdout is not None
        git.stdin.write(question)
        git.stdin.close()
        answers = _parse(git.stdout)
        if answers is None:
            git.kill()
            return None
    told = answers[0] if answers and answers[0] else b""
    tree = told[5 : told.find(b"\n")].decode() if told.startswith(b"tree ") else ""
    return tree, [text for text in answers[1:] if text]


def _parse(out: IO[bytes]) -> list[bytes | None] | None:
    """The answers of `git cat-file --batch`, an object that is not there as None; None for one that is too large."""
    answers: list[bytes | None] = []
    while header := out.readline():
        size = header.rstrip(b"\n").rpartition(b" ")[2]
        if not size.isdigit():
            answers.append(None)
            continue
        if int(size) > MOST_NOTE:
            return None
        answers.append(out.read(int(size)))
        out.read(1)
    return answers


def _outputs(tree12: bytes, texts: list[bytes]) -> dict[bytes, str] | None:
    """Path -> id, where the note has one result for each stage and nothing that calls for a second look."""
    wanted: dict[bytes, str] = {}
    stages: set[bytes] = set()
    for line in {line for text in texts for line in text.split(b"\n") if line}:
        stage, *fields = line.split(b" ")
        if b"%" in line or stage in stages or len(fields) < 3 or fields[2] != tree12 or len(fields[0]) != 32:
            return None
        stages.add(stage)
        for field in fields[3:]:
            path, _, oid = field.partition(b"=")
            wanted[path] = oid.decode("ascii", "replace")
    return wanted if stages else None


def _in_place(cache: str, wanted: dict[bytes, str]) -> bool:
    files = _files_of(cache)
    root = os.path.realpath(".")
    return all(_stands(f"{root}/{os.fsdecode(path)}", oid, files) for path, oid in wanted.items())


def _files_of(cache: str) -> dict[str, Any]:
    data = _read(cache)
    start = len(_STAT_CACHE) + 4
    if data[: start - 4] != _STAT_CACHE or zlib.crc32(data[start:]).to_bytes(4, "big") != data[start - 4 : start]:
        return {}
    files: dict[str, Any] = marshal.loads(data[start:])[0]
    return files


def _stands(path: str, oid: str, files: dict[str, Any]) -> bool:
    row = files.get(path)
    try:
        now = os.lstat(path)
    except OSError:
        return False
    return row == (now.st_mtime_ns, now.st_ctime_ns, now.st_size, now.st_ino, oid)


def _read(path: str) -> bytes:
    try:
        file: IO[bytes]
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
