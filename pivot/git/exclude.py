"""Outputs kept out of `git status`: a managed block in `$GIT_COMMON_DIR/info/exclude`, which no commit carries.

Between its two marker lines the block is Pivot's; every other line of the file stays as the user left it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from pivot.errors import GitError
from pivot.git.odb.backend import Backend
from pivot.git.odb.trees import Trees
from pivot.git.plumbing.command import run_git
from pivot.git.plumbing.locate import RepositoryLocation

BEGIN = b"# git pivot: outputs, rewritten by git pivot\n"
END = b"# git pivot: end\n"

_BLOCK = re.compile(re.escape(BEGIN) + rb"((?:/[^\n]*\n)*)" + re.escape(END))
_GLOB = re.compile(rb"[\\*?\[]")
_TRAILING_BLANKS = re.compile(rb" +(?=/?\Z)")


def rewrite(common_dir: Path, paths: Iterable[str]) -> bool:
    """Make the block name exactly these repository-relative paths; a trailing slash says that it is a directory.

    Gives whether the file had to be written.

    Raises:
        GitError: it cannot be read or written.
    """
    file = common_dir / "info" / "exclude"
    try:
        old = _read(file)
        new = with_block(old, paths)
        if new != old:
            _replace(file, new)
    except OSError as error:
        raise GitError(f"the ignore list cannot be written: {error.strerror}", where=str(file)) from error
    return new != old


def with_block(text: bytes, paths: Iterable[str]) -> bytes:
    """The text of an ignore file with its block renewed; without paths, without a block."""
    patterns = b"".join(sorted({pattern(path) + b"\n" for path in paths}))
    block = BEGIN + patterns + END if patterns else b""
    found = _BLOCK.search(text)
    if found is None:
        gap = b"\n" if block and text and not text.endswith(b"\n") else b""
        return text + gap + block
    rest = _BLOCK.sub(b"", text[found.end() :])
    return text[: found.start()] + block + rest


def unlisted(common_dir: Path, paths: Iterable[str]) -> list[str]:
    """Those of these paths that the block does not name."""
    found = _BLOCK.search(_read(common_dir / "info" / "exclude"))
    named = set(found[1].splitlines() if found else ())
    return [path for path in paths if pattern(path) not in named]


def pattern(path: str) -> bytes:
    """The ignore rule that matches this path and nothing else, anchored at the top of the work tree.

    A line cannot hold a line feed: `?` stands for it, and so also matches a path that has another character there.
    """
    escaped = _GLOB.sub(rb"\\\g<0>", os.fsencode(path).lstrip(b"/"))
    escaped = _TRAILING_BLANKS.sub(lambda blanks: rb"\ " * len(blanks[0]), escaped)
    # Git takes a carriage return at the end of a line away; in brackets it is not at the end.
    return b"/" + escaped.replace(b"\n", b"?").replace(b"\r", b"[\r]")


def tracked_by_branches(backend: Backend, paths: Sequence[str]) -> dict[str, str]:
    """Path -> a local branch that tracks it or something in it: to ignore it would let a switch overwrite its bytes."""
    trees, found = Trees(backend), dict[str, str]()
    for ref, commit in sorted(backend.refs("refs/heads/").items()):
        tree = backend.read_commit(commit).tree
        for path in paths:
            if path not in found and trees.at(tree, path.rstrip("/")):
                found[path] = ref.removeprefix("refs/heads/")
    return found


def not_ignored(location: RepositoryLocation, paths: Sequence[str]) -> dict[str, str]:
    """Paths that Git does not ignore in spite of the block, with the rule that says so (`.gitignore:3: !*.csv`)."""
    if not paths or location.root is None:
        return {}
    asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
    # Exit code 1 says that nothing is ignored; a real failure gives no answer either, and then nothing is claimed.
    args = ["check-ignore", "--stdin", "-z", "--no-index", "--verbose", "--non-matching"]
    answered = run_git(args, location.root, stdin=asked, env=location.environment(), check=False)
    fields = os.fsdecode(answered).split("\0")
    rules = zip(fields[0::4], fields[1::4], fields[2::4], fields[3::4], strict=False)
    return {
        path: f"{source}:{line}: {rule}" if rule else ""
        for source, line, rule, path in rules
        if not rule or rule.startswith("!")
    }


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _replace(file: Path, text: bytes) -> None:
    file = file.resolve()  # some people link it to a list of their own
    file.parent.mkdir(parents=True, exist_ok=True)
    temp = file.with_name(f".pivot-tmp-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        temp.write_bytes(text)
        if file.exists():
            temp.chmod(file.stat().st_mode & 0o7777)
        temp.replace(file)
    finally:
        temp.unlink(missing_ok=True)
