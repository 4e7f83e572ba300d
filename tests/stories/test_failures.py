"""A stage that fails: the user's traceback, nothing lost, nobody else blamed."""

from __future__ import annotations

import os
import shlex
import signal
import time
from pathlib import Path

import pytest

from tests.support.repository import PIVOT, Repo
from tests.support.stories import endings, ran, wait_for

PIPELINE = """
import pathlib
from typing import Annotated

import pivot

def first(raw: Annotated[str, pivot.Dep("raw.txt")]) -> Annotated[str, pivot.Out("first.txt")]:
    return raw + "1"

def breaks(text: Annotated[str, pivot.Dep("first.txt")]) -> Annotated[str, pivot.Out("breaks.txt")]:
    print("about to break")
    return helper(text)

def helper(text):
    if "bad" in text:
        raise ValueError(f"cannot take {text!r}")
    return text + "2"

def after(text: Annotated[str, pivot.Dep("breaks.txt")]) -> Annotated[str, pivot.Out("after.txt")]:
    return text + "3"

def beside(text: Annotated[str, pivot.Dep("first.txt")]) -> Annotated[str, pivot.Out("beside.txt")]:
    return text + "4"

pipeline = pivot.Pipeline("failing")
for stage in (first, breaks, after, beside):
    pipeline.register(stage)
"""


def start(repo: Repo, raw: str = "good") -> Repo:
    repo.write("raw.txt", raw)
    repo.write("pipeline.py", PIPELINE)
    repo.commit("start")
    return repo


def test_the_users_frames_and_inputs_are_shown_and_none_of_ours(repo: Repo) -> None:
    result = start(repo, "bad").pivot("repro").expect(1)
    assert "ValueError: cannot take 'bad1'" in result.out
    assert 'pipeline.py", line 15, in helper' in result.out
    assert "pivot/run" not in result.out
    assert "text: str" in result.out
    assert "breaks | about to break" in result.out


def test_the_log_that_the_failure_names_holds_what_the_stage_printed(repo: Repo) -> None:
    events = start(repo, "bad").pivot("repro", "--json").expect(1).events()
    log = next(event["log"] for event in events if event["event"] == "ended" and event["stage"] == "breaks")
    assert "about to break" in Path(repo.path / log).read_text()


def test_what_depends_on_the_failed_stage_is_blocked_and_nothing_else_is_blamed(repo: Repo) -> None:
    result = start(repo, "bad").pivot("repro", "--keep-going").expect(1)
    assert "failed: breaks\nblocked: after" in result.out
    assert repo.exists("beside.txt")


def test_a_failed_stage_leaves_its_previous_outputs_as_they_were(repo: Repo) -> None:
    ran(start(repo))
    before = repo.read("breaks.txt")
    repo.write("raw.txt", "bad")
    assert endings(repo, code=1)["breaks"] == "failed"
    assert repo.read("breaks.txt") == before


def test_mended_the_run_goes_on_where_it_stopped(repo: Repo) -> None:
    endings(start(repo, "bad"), code=1)
    repo.replace("pipeline.py", '"bad" in text', '"worse" in text')
    assert "first" not in ran(repo)
    assert repo.read("after.txt") == "bad123"


def test_failed_names_the_stages_of_the_last_run(repo: Repo) -> None:
    endings(start(repo, "bad"), "--keep-going", code=1)
    assert endings(repo, "--failed", code=1) == {"first": "unchanged", "breaks": "failed"}


def test_status_remembers_that_a_stage_failed_until_it_ends_well(repo: Repo) -> None:
    endings(start(repo, "bad"), code=1)
    assert "breaks  failed in its last run" in repo.pivot("status").expect(0).out
    repo.write("raw.txt", "good")
    ran(repo)
    assert repo.pivot("status").expect(0).out == "All 4 stages up to date.\n"


def test_a_ctrl_c_that_git_hands_on_is_one_ctrl_c(repo: Repo) -> None:
    start(repo)
    repo.replace("pipeline.py", 'print("about to break")', "import time; time.sleep(1)")
    process = repo.start_pivot("repro", "--json", "breaks")
    wait_for(process, '"event": "started", "stage": "breaks"')
    process.send_signal(signal.SIGINT)
    time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert '"stage": "breaks", "ending": "ran"' in out


def test_a_missing_output_names_stage_path_and_line(repo: Repo) -> None:
    repo.write(
        "pipeline.py",
        """
        from pathlib import Path
        from typing import Annotated
        import pivot

        def forgets() -> Annotated[Path, pivot.Out("out.txt", pivot.loaders.PathOnly())]:
            return Path("out.txt")

        pipeline = pivot.Pipeline("p")
        pipeline.register(forgets)
        """,
    )
    said = repo.pivot("repro").expect(1).out
    assert "forgets" in said
    assert "out.txt" in said
    assert "pipeline.py:5" in said


def test_a_missing_input_names_the_line_that_declares_it(repo: Repo) -> None:
    start(repo)
    (repo.path / "raw.txt").unlink()
    said = repo.pivot("repro").expect(1).out
    assert "raw.txt" in said
    assert "pipeline.py:6" in said


def test_killed_in_the_middle_the_next_run_is_right_and_keeps_what_was_finished(repo: Repo) -> None:
    start(repo)
    ran(repo)
    repo.write("raw.txt", "other")
    repo.replace("pipeline.py", 'print("about to break")', "import time; time.sleep(60)")
    process = repo.start_pivot("repro", "--jobs", "1", "--json", "breaks")
    wait_for(process, '"event": "started", "stage": "breaks"')
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not repo.exists("breaks.txt")
    repo.replace("pipeline.py", "time.sleep(60)", "time.sleep(0)")
    again = repo.pivot("repro", "--json").expect(0)
    assert "put back after an interrupted run: breaks.txt" in again.err
    ended = {event["stage"]: event["ending"] for event in again.events() if event["event"] == "ended"}
    assert ended == {"first": "unchanged", "breaks": "ran", "after": "ran", "beside": "ran"}
    assert repo.read("after.txt") == "other123"


def test_status_beside_a_run_leaves_its_journal_to_it(repo: Repo) -> None:
    start(repo)
    repo.replace("pipeline.py", 'print("about to break")', "import time; time.sleep(2)")
    process = repo.start_pivot("repro", "--jobs", "1", "--json", "breaks")
    wait_for(process, '"event": "started", "stage": "breaks"')
    repo.pivot("status").expect(0)
    process.communicate(timeout=30)
    assert "interrupted" not in repo.git("log", "--format=%s", "refs/pivot/runs")


def test_killed_no_stage_goes_on_running(repo: Repo) -> None:
    start(repo)
    repo.replace("pipeline.py", 'print("about to break")', "import os, time; print(os.getpid()); time.sleep(60)")
    process = repo.start_pivot("repro", "--json")
    line = wait_for(process, '"event": "printed", "stage": "breaks"')
    pid = int(line.split('"line": "')[1].split('"')[0])
    process.kill()
    process.wait()
    for _ in range(50):
        if not _alive(pid):
            return
        time.sleep(0.1)
    raise AssertionError(f"process {pid} is still alive")


def test_ctrl_c_waits_for_the_running_stage_and_keeps_it(repo: Repo) -> None:
    start(repo)
    repo.replace("pipeline.py", 'print("about to break")', "import time; time.sleep(1)")
    process = repo.start_pivot("repro", "--jobs", "1", "--json", "after")
    wait_for(process, '"event": "started", "stage": "breaks"')
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert '"stage": "breaks", "ending": "ran"' in out
    assert ran(repo, "after") == ["after"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_in_order(repo: Repo, number: int) -> None:
    start(repo)
    ran(repo)
    repo.replace("pipeline.py", 'print("about to break")', "import time; time.sleep(60)")
    process = repo.start_pivot("repro", "--jobs", "1", "--json", "breaks")
    wait_for(process, '"event": "started", "stage": "breaks"')
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert '"stage": "breaks", "ending": "skipped"' in out
    assert '"event": "run-ended"' in out
    assert repo.read("breaks.txt") == "good12"


def test_a_run_goes_on_where_a_hangup_is_ignored(repo: Repo) -> None:
    start(repo)
    repo.replace("pipeline.py", 'print("about to break")', "import os, signal; os.kill(os.getppid(), 0)")
    said = repo.run("sh", "-c", f"trap '' HUP; {shlex.join(PIVOT)} repro & kill -HUP $!; wait $!").expect(0)
    assert "4 ran" in said.out


def test_a_command_that_only_reads_is_ended_in_order_too(repo: Repo) -> None:
    repo.write("pipeline.py", "import time\nprint('imports', flush=True)\ntime.sleep(60)\n")
    process = repo.start_pivot("status")
    time.sleep(1)
    process.send_signal(signal.SIGHUP)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGHUP, out + err
    assert err.endswith("ended by SIGHUP\n")


def test_a_stage_that_removes_what_pivot_keeps_is_named_and_no_bug(repo: Repo) -> None:
    start(repo)
    repo.replace("pipeline.py", 'print("about to break")', "import shutil; shutil.rmtree('.git/pivot')")
    said = repo.pivot("repro", "--jobs", "1").expect(0)  # else a stage beside it writes there, and `rmtree` fails
    assert ".git/pivot was removed while stages ran" in said.out
    assert repo.pivot("repro").code == 0
    assert repo.read("after.txt") == "good123"


def test_an_import_error_is_the_users_own_and_leaves_all_as_it_was(repo: Repo) -> None:
    ran(start(repo))
    before = repo.git("for-each-ref")
    repo.replace("pipeline.py", "import pathlib\n", "import pathlib\nimport no_such_module\n")
    said = repo.pivot("repro").expect(2).err
    assert "ModuleNotFoundError: No module named 'no_such_module'" in said
    assert 'pipeline.py", line 2' in said
    assert "pivot/code" not in said
    assert repo.git("for-each-ref") == before


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
