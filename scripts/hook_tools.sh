#!/bin/sh
# Install the programs that others manage Git's hooks with, for the tests of Pivot beside them: pre-commit, husky and
# lefthook into the virtual environment DIR, Git LFS from the system's packages where this user may do that.
#
#   scripts/hook_tools.sh DIR
#
# What cannot be had is said, and its tests are skipped. Scripts of the packages are not run: that of lefthook would set
# its hooks up in this very repository.
set -u

dir=$1

lacking() { echo "no $1: its tests are skipped" >&2; }

[ -x "$dir/bin/pre-commit" ] || "$dir/bin/python" -m pip install --quiet --disable-pip-version-check 'pre-commit>=4' ||
    lacking pre-commit

[ -d "$dir/node/node_modules/lefthook" ] ||
    { command -v npm >/dev/null && npm install --prefix "$dir/node" --ignore-scripts --silent --no-audit --no-fund husky lefthook; } ||
    lacking "husky, no lefthook"

if ! command -v git-lfs >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null &&
        { apt-get install -qq -y --no-install-recommends git-lfs ||
            { apt-get update -qq && apt-get install -qq -y --no-install-recommends git-lfs; }; } >/dev/null 2>&1; } ||
        lacking git-lfs
fi
exit 0
