#!/bin/sh
# What an installed wheel must hold, beside the code: typing marker, hook script, man pages, completion, and `git pivot`.
#
#   scripts/check_wheel.sh VENV
set -eu

venv=$(cd "$1" && pwd)
cd / # the source tree beside us must not stand in for what was installed

"$venv/bin/python" -I - "$venv" <<'PYTHON'
import pathlib, sys, pivot
package = pathlib.Path(pivot.__file__).parent
wanted = [package / "py.typed", package / "hook_scripts" / "git-pivot-hook"]
share = pathlib.Path(sys.argv[1]) / "share"
wanted += [share / "man" / "man1" / "git-pivot.1", share / "man" / "man1" / "git-pivot-repro.1"]
wanted += [share / "bash-completion" / "completions" / "git-pivot", share / "zsh" / "site-functions" / "_git-pivot"]
wanted += [share / "fish" / "vendor_completions.d" / "git-pivot.fish", package / "cli" / "completion_scripts" / "words.tsv"]
missing = [str(path) for path in wanted if not path.is_file()]
sys.exit(f"the wheel does not bring {missing}" if missing else 0)
PYTHON

PATH="$venv/bin:$PATH"
[ "$(command -v git-pivot)" = "$venv/bin/git-pivot" ]
git pivot --version
[ -n "$(git pivot completion bash)" ]
if man -w man >/dev/null 2>&1; then # a small container has the program, and no pages
    MANPAGER=cat git help pivot >/dev/null
    man -w git-pivot-repro >/dev/null
fi
