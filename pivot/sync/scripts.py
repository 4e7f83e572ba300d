"""The shell commands that run where a remote's store stands: POSIX `sh`, `git`, and what is everywhere.

Each stands on one line, without `'` and `!`, so that whatever shell the user has there hands it on as it is. `$1` is
the store's folder.
"""

from __future__ import annotations

import shlex

from pivot.store.layout import CONFIG

ABSENT, NO_GIT, FOREIGN = 40, 41, 42  # exit codes of our own, out of the way of git's and ssh's
READY = b"pivot-remote ready"

_PATH = "LC_ALL=C; PATH=$PATH:/usr/local/bin:/opt/homebrew/bin; export LC_ALL PATH"
# A store that a group shares: its folder is writable by the group (`drwxrwx...`).
_ENTER = f'{_PATH}; cd "$1" || exit {ABSENT}; case $(ls -ld .) in ?????w*) umask 002;; esac'
_GIT = "git --git-dir=. -c core.fsync=committed,loose-object"
_FOLDERS = "objects/pack objects/info refs/heads large tmp recent"
# `objects` is made first: whoever looks in between sees a store that is being made, and not a stranger's folder.
_CREATE = (
    f'{{ mkdir -p "$1" && cd "$1"; }} || exit {ABSENT}; case $(ls -ld .) in ?????w*) umask 002;; esac; '
    f'[ -z "$(ls -A)" ] || [ -d objects ] || exit {FOREIGN}; '
    f"if [ -f config ] && [ -d recent ]; then :; else mkdir -p {_FOLDERS} || exit {ABSENT}; "
    f'[ -f HEAD ] || {{ echo "ref: refs/heads/main" > tmp/head.$$ && mv tmp/head.$$ HEAD; }} || exit {ABSENT}; '
    f'[ -f config ] || {{ printf "$2" > tmp/config.$$ && mv tmp/config.$$ config; }} || exit {ABSENT}; fi'
)
# Of the file `$p`, by name: through a pipe it takes twice as long.
_HASH = (
    'if command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 -r "$p"; '
    'elif command -v sha256sum >/dev/null 2>&1; then sha256sum "$p"; else shasum -a 256 "$p"; fi'
)
_PUBLISH = (
    'chmod 444 "$p" && { touch -d "$4" "$p" 2>/dev/null || :; } && mkdir -p "${2%/*}" && mv -f "$p" "$2" && echo stored'
)


def anchor(store: str, *, create: bool) -> str:
    """Says how things stand, then answers which objects are there until its input ends."""
    enter = _CREATE if create else f'cd "$1" 2>/dev/null && [ -d objects ] || exit {ABSENT}'
    check = f"command -v git >/dev/null 2>&1 || exit {NO_GIT}"
    answer = f'echo "{READY.decode()} $(git --version)"; exec git --git-dir=. cat-file --batch-check'
    return _shell(f"{_PATH}; {check}; {enter}; {answer}", store, CONFIG.replace("\n", "\\n").replace("\t", "\\t"))


def read_objects(store: str) -> str:
    return _shell(f"{_ENTER}; exec {_GIT} cat-file --batch", store)


def give_pack(store: str, *options: str) -> str:
    return _shell(f'{_ENTER}; shift; exec {_GIT} pack-objects -q --stdout --delta-base-offset "$@"', store, *options)


def take_pack(store: str, *, few: bool) -> str:
    """`few` objects become loose ones, as when Git itself receives a push."""
    verb = "unpack-objects -q --strict" if few else "index-pack --stdin --fix-thin --strict"
    return _shell(f"{_ENTER}; exec {_GIT} {verb}", store)


def sizes(store: str) -> str:
    """The sizes of files whose names come in; those that are not there are left out."""
    return _shell(f"{_ENTER}; xargs ls -lnd 2>/dev/null; exit 0", store)


def give_large(store: str, path: str, offset: int) -> str:
    how = f"tail -c +{offset + 1}" if offset else "cat"
    return _shell(f'{_ENTER}; exec {how} "$2"', store, path)


def take_large(store: str, part: str) -> str:
    """Append what comes in to a partial file, and say its SHA-256 and size when it ends."""
    return _shell(f'{_ENTER}; p=$2; cat >> "$p" && {_HASH} && wc -c < "$p"', store, part)


def take_whole(store: str, path: str, part: str, stamp: str, sha256: str) -> str:
    """The same for a file whose SHA-256 is known beforehand: it is put in its place at once if it is right."""
    check = f'case $({_HASH}) in "$5"*) {_PUBLISH};; *) rm "$p"; echo damaged;; esac'
    return _shell(f'{_ENTER}; p=$3; cat > "$p" || {{ rm -f "$p"; exit 1; }}; {check}', store, path, part, stamp, sha256)


def publish(store: str, path: str, part: str, stamp: str) -> str:
    return _shell(f'{_ENTER}; p=$3; {{ sync "$p" 2>/dev/null || :; }}; {_PUBLISH}', store, path, part, stamp)


def mark(store: str) -> str:
    return _shell(f"{_ENTER}; mkdir -p recent && cd recent && xargs touch", store)


def remove(store: str) -> str:
    return _shell(f"{_ENTER}; xargs rm -f", store)


def files(store: str, minutes: int) -> str:
    """All files of objects and large files, and below `old` those that nobody has written for some minutes."""
    find = "find objects large tmp -type f"
    return _shell(f'{_ENTER}; {find} -exec ls -ln {{}} + ; echo old; {find} -mmin "+$2"', store, str(minutes))


def list_objects(store: str) -> str:
    form = "%(objectname) %(objecttype) %(objectsize:disk)"
    return _shell(f'{_ENTER}; exec {_GIT} cat-file --batch-all-objects --batch-check="$2"', store, form)


def repack(store: str) -> str:
    return _shell(f"{_ENTER}; exec {_GIT} pack-objects -q --delta-base-offset objects/pack/pack", store)


def probe(store: str) -> str:
    probe = "f=tmp/.pivot-tmp-probe-$$; echo probe > $f && [ $(cat $f) = probe ] && rm $f"
    return _shell(f"{_ENTER}; {probe} && df -Pk . | tail -n 1", store)


def _shell(script: str, *arguments: str) -> str:
    return shlex.join(["sh", "-c", script, "pivot", *arguments])
