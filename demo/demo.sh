#!/bin/sh
# The whole idea in one throw-away repository. Every command is shown before it runs; the demo fails when a command
# fails, or when it does not say or leave behind what it should.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/pivot-demo.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# Your own Git settings (hooks, signing, a pager) are not what is shown here.
# shellcheck disable=SC2046 # one name a word
unset $(git rev-parse --local-env-vars)
export GIT_CONFIG_GLOBAL="$work/gitconfig" GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
git config --global user.name Demo
git config --global user.email demo@example.com
git config --global init.defaultBranch main

say() { printf '\n# %s\n' "$*"; }

fail() {
    printf '\ndemo: %s\n' "$*" >&2
    exit 1
}

run() {
    printf '$ %s\n' "$1"
    status=0
    eval "$1" >"$work/said" 2>&1 || status=$?
    cat "$work/said"
    [ -z "$(tail -c 1 "$work/said")" ] || echo # a file without a newline at its end
    [ "$status" = 0 ] || fail "exit $status from: $1"
}

# What the last command said must match a pattern.
said() { grep -Eq -- "$1" "$work/said" || fail "it did not say: $1"; }

# A file must hold a text.
holds() { grep -Fq -- "$2" "$1" || fail "$1 does not hold: $2"; }

command -v git-pivot >/dev/null || fail "git-pivot is not on PATH"
mkdir "$work/project"
cp "$here/pipeline.py" "$here/cleaning.py" "$here/data.json" "$work/project"
cd "$work/project"

say "A repository with two stages, a helper module and a data file"
run 'git init --quiet'
run 'git add .'
run 'git commit --quiet -m "Two stages"'

say "The first run: both stages run"
run 'git pivot repro'
said '(^|[^0-9])2 ran'
run 'cat summary.json'
said '"count": 2'

say "The second run: nothing to do"
run 'git pivot repro'
said '(^|[^0-9])0 ran'

say "The helper loses rows whose value is 0: mend it"
run 'sed "s/all(row.values())/all(value is not None for value in row.values())/" cleaning.py >new && mv new cleaning.py'
run 'git diff'
said '^\+ .*is not None'

say "What would run, and why"
run 'git pivot status --explain preprocess'
said 'Status: WILL RUN'
said 'func:complete'
said 'Old: [0-9a-f]{8}'
said 'New: [0-9a-f]{8}'
said 'File: cleaning\.py:1$'

say "Run what the change reaches"
run 'git pivot repro'
said '(^|[^0-9])2 ran'
holds summary.json '"count": 3'

say "Take the edit back: the old results come from the store, nothing runs"
run 'git checkout --quiet -- cleaning.py'
run 'git pivot repro'
said '(^|[^0-9])0 ran'
said '(^|[^0-9])2 restored'
holds summary.json '"count": 2'

say "What Pivot knows stands in Git: the runs, and what this commit stands on"
run 'git log --format="%h %an: %s" refs/pivot/runs'
said '.'
run 'git notes --ref=pivot show'
said '^preprocess .* clean\.json=[0-9a-f]{40}$'
said '^summarize .* summary\.json=[0-9a-f]{40}$'

say "And nothing else stands in the work tree"
run 'git pivot status'
said 'up to date'
run 'git status --porcelain'
[ ! -s "$work/said" ] || fail "the work tree is not clean"

printf '\ndemo: all of it held\n'
