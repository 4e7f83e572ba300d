"""The shell commands that run where a remote's store stands: POSIX `sh`, `git`, and what is everywhere.

Each stands on one line, without `'` and `!`, so that whatever shell the user has there hands it on as it is. `$1` is
the store's folder.
"""

from __future__ import annotations

import shlex

from pivot.store.odb.layout import CONFIG
from pivot.store.odb.store_format import AS_REMOTE, FILE, LINE, NO_STORE, OF_GIT, OWN
from pivot.store.worktree.saved_edits import KEPT_DAYS

# Exit codes of our own, out of the way of git's and ssh's.
ABSENT, NO_GIT, FOREIGN, CLEANING, TAKEN_OVER, LATER = range(40, 46)
READY = b"pivot-remote ready"

_PATH = "LC_ALL=C; PATH=$PATH:/usr/local/bin:/opt/homebrew/bin; export LC_ALL PATH"
# A store that a group shares: its folder is writable by the group (`drwxrwx...`).
_ENTER = f'{_PATH}; cd "$1" || exit {ABSENT}; case $(ls -ld .) in ?????w*) umask 002;; esac'
_GIT = "git --git-dir=. -c core.fsync=committed,loose-object"
_FOLDERS = "objects/pack objects/info refs/heads large tmp recent"
# What `store.odb.store_format` says of a folder here, said of the current folder there: `$k` is `marked`, `older` or
# `empty`; anything else ends the program.
_NAMES = "|".join([FILE, *OWN, *AS_REMOTE, *OF_GIT]).replace("+", ".")
_STRANGE = f'$(ls -A | grep -vxE "{_NAMES}|[.]pivot-tmp-.*" | head -n 1)'
_OF_GIT = " -o ".join(f'-path "./{name}"' for name in ("HEAD", "config", "lock", *OF_GIT))
_FILES = f'$(find . \\( {_OF_GIT} -o -name ".pivot-tmp-*" \\) -prune -o -type f -print 2>/dev/null | head -n 1)'
_REFS = "$(git --git-dir=. show-ref --head 2>/dev/null | head -n 1)"
_PRECIOUS = "grep -qi preciousobjects config 2>/dev/null"
_OLDER = f"[ -d objects ] && [ -d large ] && [ -d tmp ] && {{ [ -d recent ] || {_PRECIOUS}; }}"
_GUESS = (
    f'[ -z "{_STRANGE}" ] || exit {FOREIGN}; grep -qiE "{NO_STORE}" config 2>/dev/null && exit {FOREIGN}; '
    f'if [ -z "{_FILES}" ]; then k=empty; elif {_OLDER}; then k=older; else exit {FOREIGN}; fi'
)
_RECOGNISE = (
    f'case $(cat {FILE} 2>/dev/null) in "{LINE}") k=marked;; "{FILE} "*) exit {LATER};; *) {_GUESS};; esac; '
    f'[ -z "{_REFS}" ] || exit {FOREIGN}'
)
_MARK = f'{{ mkdir -p tmp && echo "{LINE}" > tmp/.pivot-tmp-store-$$ && mv -f tmp/.pivot-tmp-store-$$ {FILE}; }}'
_ENTER_MARKED = f'{_ENTER}; [ -f {FILE} ] && [ -z "{_REFS}" ] || exit {FOREIGN}'
# The mark is written first: whoever looks in between sees a store that is being made, and not a stranger's folder.
_CREATE = (
    f'{{ mkdir -p "$1" && cd "$1"; }} || exit {ABSENT}; case $(ls -ld .) in ?????w*) umask 002;; esac; {_RECOGNISE}; '
    f"[ $k = marked ] || {_MARK} || exit {ABSENT}; "
    f"if [ -f config ] && [ -d recent ]; then :; else mkdir -p {_FOLDERS} || exit {ABSENT}; "
    f'[ -f HEAD ] || {{ echo "ref: refs/heads/main" > tmp/head.$$ && mv tmp/head.$$ HEAD; }} || exit {ABSENT}; '
    f'[ -f config ] || {{ printf "$2" > tmp/config.$$ && mv tmp/config.$$ config; }} || exit {ABSENT}; fi; '
    f'[ $k = marked ] || {_PRECIOUS} || printf "$2" >> config || exit {ABSENT}'
)
# A store that is older than the mark gets it now; one that may only be read does not need it.
_OPEN = (
    f'cd "$1" 2>/dev/null || exit {ABSENT}; {_RECOGNISE}; '
    f"[ $k = empty ] && exit {ABSENT}; [ -d objects ] || exit {ABSENT}; "
    f"[ $k = marked ] || (case $(ls -ld .) in ?????w*) umask 002;; esac; {_MARK}) 2>/dev/null"
)
# Of the file `$p`, by name: through a pipe it takes twice as long.
_HASH = (
    'if command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 -r "$p"; '
    'elif command -v sha256sum >/dev/null 2>&1; then sha256sum "$p"; else shasum -a 256 "$p"; fi'
)
_PUBLISH = (
    'chmod 444 "$p" && { touch -d "$4" "$p" 2>/dev/null || :; } && mkdir -p "${2%/*}" && mv -f "$p" "$2" && echo stored'
)

# Text of the announcement of a clean-up; a clean-up that has not said a word for ten minutes is dead.
_STANDING = "cat collecting 2>/dev/null"
_INTERRUPT = "echo interrupted > tmp/.pivot-tmp-end-$$ && mv -f tmp/.pivot-tmp-end-$$ collecting"
_GIVE_UP_THE_DEAD = f'[ -z "$(find collecting -mmin +10 2>/dev/null)" ] || {{ {_INTERRUPT}; }}'

# A list of marks, which comes in, to the file `$l`; then the files of origins, two words for each.
_KEEP = 't=tmp/.pivot-tmp-mark-$$; mkdir -p recent origins && cat > $t && mv -f $t "$l" || exit 1'
_KNOWN = (
    't=tmp/.pivot-tmp-mark-$$; [ -f "origins/$1" ] || { echo "$2" > $t && mv -f $t "origins/$1"; } || exit 1; shift 2'
)
_REGISTER = f"while [ $# -gt 0 ]; do {_KNOWN}; done"

# What `cat` and a hash after it do, at once; for any Python 3. What a connection that broke has still on its way is
# written to the same places by an older one of these: no harm is done.
_APPEND = """
import fcntl, hashlib, os, sys, threading, time
part = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o666)
seen, size, start, room = hashlib.sha256(), 0, int(sys.argv[2]), memoryview(bytearray(1 << 18))
def write_out():
    while True:
        time.sleep(0.2)
        os.fsync(part)
try:
    fcntl.fcntl(0, 1031, 1 << 20)
except OSError:
    pass
while size < start:
    block = os.pread(part, min(1 << 18, start - size), size)
    if not block:
        break
    seen.update(block)
    size += len(block)
threading.Thread(target=write_out, daemon=True).start()
while True:
    count = os.readv(0, [room])
    if not count:
        break
    done = 0
    while done < count:
        done += os.pwrite(part, room[done:count], size + done)
    seen.update(room[:count])
    size += count
print(seen.hexdigest(), size)
"""


def anchor(store: str, *, create: bool, marks: tuple[str, str, dict[str, str]] | None = None) -> str:
    """Says how things stand, then answers which objects are there until its input ends.

    `marks` (a name, marks with blanks between them, origins by file) are left before: `[...]` says how it stands then.
    """
    enter = _CREATE if create else _OPEN
    check = f"command -v git >/dev/null 2>&1 || exit {NO_GIT}"
    answer = f'echo "{READY.decode()} [$s] $(git --version)"; exec git --git-dir=. cat-file --batch-check'
    config = CONFIG.replace("\n", "\\n").replace("\t", "\\t")
    if marks is None:
        return _shell(f"{_PATH}; {check}; {enter}; s=unmarked; {answer}", store, config)
    name, names, origins = marks
    give = f'l="recent/list-$3"; echo "$4" | tr " " "\\n" | {{ {_KEEP}; }}'
    leave = f"(case $(ls -ld .) in ?????w*) umask 002;; esac; {give} && {{ shift 4; {_REGISTER}; }}) 2>/dev/null"
    stand = f"if {leave}; then {_GIVE_UP_THE_DEAD}; s=$({_STANDING}); else s=unmarked; fi"
    words = [word for pair in origins.items() for word in pair]
    return _shell(f"{_PATH}; {check}; {enter}; {stand}; {answer}", store, config, name, names, *words)


def read_objects(store: str) -> str:
    return _shell(f"{_ENTER}; exec {_GIT} cat-file --batch", store)


def fetch_pack(store: str, *options: str) -> str:
    return _shell(f'{_ENTER}; shift; exec {_GIT} pack-objects -q --stdout --delta-base-offset "$@"', store, *options)


def send_pack(store: str, *, few: bool) -> str:
    """`few` objects become loose ones, as when Git itself receives a push."""
    verb = "unpack-objects -q --strict" if few else "index-pack --stdin --fix-thin --strict"
    return _shell(f"{_ENTER}; exec {_GIT} {verb}", store)


def sizes(store: str) -> str:
    """The sizes of files whose names come in; those that are not there are left out."""
    return _shell(f"{_ENTER}; xargs ls -lnd 2>/dev/null; exit 0", store)


def fetch_large(store: str, path: str, offset: int) -> str:
    how = f"tail -c +{offset + 1}" if offset else "cat"
    return _shell(f'{_ENTER}; exec {how} "$2"', store, path)


def send_large(store: str, part: str, offset: int, *, is_big: bool) -> str:
    """Append what comes in to a partial file, and say its SHA-256 and size when it ends.

    Where a big file comes to a host with Python, it is hashed and written to the disk while it comes.
    """
    plain = f'cat >> "$p" && {_HASH} && wc -c < "$p"'
    if not is_big:
        return _shell(f"{_ENTER}; p=$2; {plain}", store, part)
    python = 'python3 -I -S -c "import fcntl, hashlib, threading" 2>/dev/null'
    quick = 'exec python3 -I -S -c "$4" "$p" "$3"'
    script = f"{_ENTER}; p=$2; if {python}; then {quick}; else {plain}; fi"
    return _shell(script, store, part, str(offset), _on_one_line(_APPEND))


def take_whole(store: str, path: str, part: str, stamp: str, sha256: str) -> str:
    """The same for a file whose SHA-256 is known beforehand: it is put in its place at once if it is right."""
    check = f'case $({_HASH}) in "$5"*) {_PUBLISH};; *) rm "$p"; echo damaged;; esac'
    return _shell(f'{_ENTER}; p=$3; cat > "$p" || {{ rm -f "$p"; exit 1; }}; {check}', store, path, part, stamp, sha256)


def publish(store: str, path: str, part: str, stamp: str) -> str:
    return _shell(f'{_ENTER}; p=$3; {{ sync "$p" 2>/dev/null || :; }}; {_PUBLISH}', store, path, part, stamp)


def mark(store: str, name: str, origins: dict[str, str]) -> str:
    """Keep a list of what is relied on and let the store know whose it is; then say whether a clean-up is under way,
    and which of the objects are there. It is a program that has opened no pack before the list stood there.
    """
    words = [word for pair in origins.items() for word in pair]
    check = 'git --git-dir=. cat-file --batch-check="%(objectname)"'
    tell = f'{_GIVE_UP_THE_DEAD}; echo "$({_STANDING})"; cut -d- -f2 "$l" | {check}'
    return _shell(f'{_ENTER}; l="recent/list-$2"; {_KEEP}; shift 2; {_REGISTER}; {tell}', store, name, *words)


def remove(store: str) -> str:
    return _shell(f"{_ENTER}; xargs rm -f", store)


def begin(store: str, token: str) -> str:
    """Announce a clean-up; says what stood there before."""
    busy = f'case $before in ""|interrupted|"$2") ;; *) exit {CLEANING};; esac'
    announce = 't=tmp/.pivot-tmp-clean-$$; echo "$2" > $t && mv -f $t collecting && echo "$before"'
    return _shell(f"{_ENTER_MARKED}; {_GIVE_UP_THE_DEAD}; before=$({_STANDING}); {busy}; {announce}", store, token)


def remove_as(store: str, token: str) -> str:
    """Remove files while the announcement stands."""
    return _shell(
        f'{_ENTER_MARKED}; [ "$({_STANDING})" = "$2" ] || exit {TAKEN_OVER}; touch collecting; xargs rm -f',
        store,
        token,
    )


def end(store: str, token: str, *, is_whole: bool) -> str:
    how = "rm -f collecting" if is_whole else _INTERRUPT
    return _shell(f'{_ENTER}; [ "$({_STANDING})" = "$2" ] || exit 0; {how}', store, token)


def origins(store: str) -> str:
    """Who has pushed there; and repositories of that machine whose own store it is."""
    pushers = "[ ! -d origins ] || find origins -type f -exec cat {} + || exit 1"
    at = 'echo "file://$(uname -n)'
    users = f'for f in users/*; do [ ! -f "$f" ] || {at}$(cat "$f")"; done'
    owner = f'case $PWD in */pivot/*) [ ! -f ../../HEAD ] || {at}$(cd ../.. && pwd -P)";; esac'
    return _shell(f"{_ENTER}; {pushers}; {users}; {owner}", store)


def marks(store: str, minutes: int) -> str:
    """Names of marks, and what stands in lists of them; those for saved edits stand 90 days."""
    find = 'find recent -type f -mmin "-$2"'
    recent = f'{{ {find} ! -name "list-*" && {find} -name "list-*" -exec cat {{}} +; }}'
    kept = f"find kept -type f -mmin -{KEPT_DAYS * 1440}"
    return _shell(
        f"{_ENTER}; {{ [ ! -d recent ] || {recent}; }} && {{ [ ! -d kept ] || {kept}; }}", store, str(minutes)
    )


def files(store: str, minutes: int) -> str:
    """All files of objects and large files, and below `old` those that came some minutes ago.

    It is the time of the change that tells: what a large file shows as its time is made from its content.
    """
    find = "find objects large -type f"
    told = f'{find} -exec ls -ln {{}} + 2>/dev/null; echo old; {find} -cmin "+$2" 2>/dev/null; exit 0'
    return _shell(f"{_ENTER}; find config -cmin +0 > /dev/null || exit 1; {told}", store, str(minutes))


def leftovers(store: str, minutes: int) -> str:
    names = '-name ".pivot-tmp-*" -o -name "tmp_*" -o -path "recent/*"'
    find = f'find objects tmp $(ls -d recent 2>/dev/null) -type f \\( {names} \\) -mmin "+$2" -cmin "+$3"'
    return _shell(f"{_ENTER}; {find} -exec ls -ln {{}} + 2>/dev/null; exit 0", store, str(minutes), str(minutes))


def list_objects(store: str) -> str:
    form = "%(objectname) %(objecttype) %(objectsize) %(objectsize:disk)"
    return _shell(f'{_ENTER}; exec {_GIT} cat-file --batch-all-objects --batch-check="$2"', store, form)


def packed(store: str) -> str:
    """For each pack index whose path comes in: the path, then a line for each object."""
    return _shell(f'{_ENTER}; while read -r p; do echo "$p"; git show-index < "$p" || exit 1; done', store)


def repack(store: str) -> str:
    return _shell(f"{_ENTER}; exec {_GIT} pack-objects -q --delta-base-offset objects/pack/pack", store)


def probe(store: str) -> str:
    probe = "f=tmp/.pivot-tmp-probe-$$; echo probe > $f && [ $(cat $f) = probe ] && rm $f"
    return _shell(f"{_ENTER}; {probe} && df -Pk . | tail -n 1", store)


def _on_one_line(program: str) -> str:
    lines = program.strip().replace("\n", "\\n")
    return f'exec("{lines}")'


def _shell(script: str, *arguments: str) -> str:
    return shlex.join(["sh", "-c", script, "pivot", *arguments])
