#!/bin/sh
# Print the folder of a git of version 2.54 or newer, building one where there is none. The suite tries with it what an
# older git has not: reftable, hooks in the configuration.
#
#   scripts/newer_git.sh           the git on PATH, one that was built before, or a new build from Debian's source
#   scripts/newer_git.sh --find    the same without building; exit code 1 where there is none
#
# A build takes some two minutes of CPU and stays in ~/.cache/git-pivot/git, outside the clone. Needs a C compiler,
# make, xz and zlib's header, and apt-get for the source; no root. Where any of that is missing, it says so and exits 1:
# the tests that need the newer git are skipped then.
set -eu

cache=${HOME:-/root}/.cache/git-pivot/git

is_new_enough() {
    version=$("$1" version 2>/dev/null) || return 1
    version=${version#git version }
    major=${version%%.*}
    minor=${version#*.}
    minor=${minor%%.*}
    [ "$major" -gt 2 ] || { [ "$major" -eq 2 ] && [ "$minor" -ge 54 ]; }
}

find_git() {
    for candidate in "$(command -v git)" "$cache"/*/bin/git; do
        is_new_enough "$candidate" && { dirname "$candidate"; return; }
    done
    return 1
}

fail() {
    echo "no newer git: $1" >&2
    exit 1
}

# Lists of its own, so that nothing of the machine's packages changes.
apt() {
    "$@" -q -o Dir::Etc::SourceList="$work/debian.sources" -o Dir::Etc::SourceParts=/nonexistent \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/archives" -o APT::Sandbox::User=
}

download() {
    apt=/etc/apt/sources.list.d/debian.sources
    [ -r "$apt" ] || fail "$apt does not say where Debian's packages are"
    # The first archive of this machine, and of it the sources of the suite that has the newest packages.
    sed -n '/^URIs:/{p;q}' "$apt" >"$work/uris"
    signed=$(sed -n '/^Signed-By:/{p;q}' "$apt")
    printf 'Types: deb-src\n%s\nSuites: sid\nComponents: main\n%s\n' "$(cat "$work/uris")" "$signed" \
        >"$work/debian.sources"
    mkdir -p "$work/lists/partial" "$work/archives/archives/partial"
    apt apt-get update >"$work/log" 2>&1 || fail "Debian's list of sources cannot be read"
    (cd "$work" && apt apt-get source --download-only --only-source git) >"$work/log" 2>&1 ||
        fail "its source cannot be had: $(tail -n 1 "$work/log")"
}

build() {
    mkdir "$work/source"
    tar -xf "$work"/git_*.orig.tar.xz -C "$work/source" --strip-components=1
    version=$(basename "$work"/git_*.orig.tar.xz .orig.tar.xz)
    prefix=$cache/${version#git_}
    # Local and SSH transports are all that the tests use; programs of git's own tests are left out.
    nice make -s -C "$work/source" -j"$(nproc)" CFLAGS=-O1 prefix="$prefix" DESTDIR="$work/made" \
        NO_CURL=1 NO_EXPAT=1 NO_GETTEXT=1 NO_OPENSSL=1 NO_PERL=1 NO_PYTHON=1 NO_RUST=1 NO_TCLTK=1 \
        INSTALL_SYMLINKS=1 NO_INSTALL_HARDLINKS=1 SKIP_DASHED_BUILT_INS=1 \
        TEST_PROGRAMS= UNIT_TEST_PROGS= CLAR_TEST_PROG= install >"$work/log" 2>&1 ||
        { tail -n 5 "$work/log" >&2; fail "its build failed"; }
    mkdir -p "$cache"
    # Whoever built at the same time and was first has made the same.
    mv -T "$work/made$prefix" "$prefix" 2>/dev/null || true
}

find_git && exit 0
[ "${1:-}" != --find ] || exit 1
for program in apt-get cc make xz; do
    command -v "$program" >/dev/null || fail "$program is missing"
done
echo '#include <zlib.h>' | cc -E - >/dev/null 2>&1 || fail "zlib.h is missing (Debian: zlib1g-dev)"

work=$(mktemp -d "${TMPDIR:-/tmp}/newer-git.XXXXXX")
trap 'rm -rf "$work"' EXIT
download
build
find_git || fail "what was built is not new enough"
