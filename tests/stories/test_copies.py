"""A repository that is copied as a folder: what is remembered of the original says nothing about the copy."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.repository import Repo
from tests.support.stories import ran


def test_an_edit_in_a_copy_is_seen(helper_page: Repo, tmp_path: Path) -> None:
    ran(helper_page)
    helper_page.pivot("repro").expect(0)
    shutil.copytree(helper_page.path, tmp_path / "copy", symlinks=True)
    copy = Repo(tmp_path / "copy")
    copy.replace("pipeline.py", "value / top", "2 * value / top")
    assert "1 to run" in copy.pivot("status").expect(0).out
    assert ran(copy) == ["process"]
    assert ran(helper_page) == []
