"""The small profile: some hundred inputs for each format; `make fuzz` gives each 100,000."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.fuzz.formats import FORMATS

FEW = 300


@pytest.mark.parametrize("name", FORMATS)
def test_no_input_is_a_traceback_a_hang_or_a_full_memory(name: str) -> None:
    command = [sys.executable, "-m", "tests.fuzz.run", name, str(FEW)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
