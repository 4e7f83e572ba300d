"""The real programs that others manage hooks with; a test is skipped where one is not installed.

`scripts/hook_tools.sh` installs them: pre-commit from PyPI, husky and lefthook from npm, Git LFS from Debian.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

_BIN = Path(sys.executable).parent
_NODE = Path(sys.prefix) / "node/node_modules/.bin"


def _find(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([str(_BIN), str(_NODE), os.environ.get("PATH", "")]))


# Looked for while the tests are collected: within one, the home that may have them is sealed off.
PRE_COMMIT, HUSKY, LEFTHOOK, LFS = _find("pre-commit"), _find("husky"), _find("lefthook"), _find("git-lfs")

needs_pre_commit = pytest.mark.skipif(PRE_COMMIT is None, reason="needs pre-commit: scripts/hook_tools.sh")
needs_husky = pytest.mark.skipif(HUSKY is None, reason="needs husky: scripts/hook_tools.sh")
needs_lefthook = pytest.mark.skipif(LEFTHOOK is None, reason="needs lefthook: scripts/hook_tools.sh")
needs_lfs = pytest.mark.skipif(LFS is None, reason="needs git-lfs: scripts/hook_tools.sh")
