"""What TAB offers in the shells that are installed: commands, options, stages, revisions, without the user's code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.examples import DATA, FRONT_PAGE
from tests.support.repository import Repo

TUNED = """
from dataclasses import dataclass, field
from typing import Annotated
import pivot

@dataclass
class Model:
    depth: int = 3

@dataclass
class Params:
    rate: float = 0.1
    rounds: int = 5
    model: Model = field(default_factory=Model)

def fit(params: Params, size: int) -> Annotated[int, pivot.Out("{variant}.json")]:
    return params.rounds * size

def tell() -> Annotated[int, pivot.Out("tell.json")]:
    return 1

pipeline = pivot.Pipeline("tuned")
pipeline.register(fit, variants={"big": {"size": 2}})
pipeline.register(tell)
"""
LOUD = "import pathlib\npathlib.Path('imported').touch()\n"
SCRIPTS = {
    "bash": """
        eval "$(git-pivot completion bash)"
        COMP_LINE="$1" COMP_POINT=${#1}
        _git_pivot
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    "zsh": """
        compdef() { }
        _describe() { print -l -- ${found%%:*} }
        _files() { }
        eval "$(git-pivot completion zsh)"
        words=(${(z)1} ${${1[-1]:#[^ ]}:+""})
        [[ ${words[1]} != git ]] || shift words
        CURRENT=$#words
        _git-pivot
    """,
    "fish": 'git-pivot completion fish | source; complete -C "$argv[1]" | string replace -r "\\t.*" ""',
}


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository that was looked at once; its pipeline leaves a file behind when it is imported."""
    made = Repo.init(tmp_path_factory.mktemp("completion") / "project")
    made.write("pipeline.py", LOUD + FRONT_PAGE)
    made.write("data.json", DATA)
    made.commit("the example")
    made.git("branch", "feature/deep")
    made.git("tag", "v1.0")
    made.git("config", "pivot-remote.disk.url", "../disk")
    made.write(".pivotconfig", '[pivot-remote "lab"]\n\turl = ssh://lab/srv\n[pivot-remote "disk"]\n\turl = ../d\n')
    made.git("remote", "add", "origin", "../origin")
    made.pivot("status").expect(0)
    (made.path / "imported").unlink()
    return made


def offered(repo: Repo, *words: str) -> list[str]:
    said = repo.pivot("__complete", *words).expect(0)
    assert said.err == ""
    return [line.partition("\t")[0] for line in said.out.splitlines()]


def test_a_command_is_completed_with_its_meaning(repo: Repo) -> None:
    assert repo.pivot("__complete", "repr").out == "repro\tRun what a change reaches, and nothing else.\n"


@pytest.mark.parametrize(
    "words, expected",
    [
        (["repro", ""], ["preprocess", "summarize"]),
        (["repro", "summarize", "pre"], ["preprocess"]),
        (["repro", "--jobs", "4", "su"], ["summarize"]),
        (["repro", "--jobs", ""], []),
        (["repro", "--set", ""], []),
        (["status", "--di"], ["--diff"]),
        (["params", ""], ["show", "diff"]),
        (["hooks", "uni"], ["uninstall"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["get", "v"], ["v1.0"]),
        (["get", "v1.0", ""], []),
        (["push", ""], ["origin", "disk", "lab", "preprocess", "summarize"]),
        (["params", "show", "su"], ["summarize"]),
        (["push", "lab", "su"], ["summarize"]),
        (["pull", "--remote", "l"], ["lab"]),
        (["pull", "--git=or"], ["--git=origin"]),
        (["gc", "--remote", ""], ["disk", "lab"]),
        (["remote", "check", ""], ["disk", "lab"]),
        (["remote", "add", ""], []),
        (["checkout", "--rev", ""], ["feature/deep", "main", "v1.0"]),
        (["checkout", "--rev=ma"], ["--rev=main"]),
        (["diff", "main..fea"], ["main..feature/deep"]),
        (["checkout", ""], []),
        (["nonsense", ""], []),
        (["fsck", ""], []),
    ],
)
def test_what_may_stand_next_is_offered(repo: Repo, words: list[str], expected: list[str]) -> None:
    assert offered(repo, *words) == expected


def test_parameters_are_offered_where_one_is_to_be_set(tmp_path: Path) -> None:
    made = Repo.init(tmp_path)
    made.write("pipeline.py", TUNED)
    made.pivot("status").expect(0)
    assert offered(made, "repro", "--set", "") == ["fit.", "fit@big."]  # all variants, and one
    assert offered(made, "repro", "--set", "fit.") == ["fit.rate=", "fit.rounds=", "fit.model.depth="]
    assert offered(made, "repro", "--set=fit@big.ra") == ["--set=fit@big.rate="]
    assert offered(made, "repro", "--set", "fit.rate=1") == []
    assert offered(made, "repro", "") == ["fit@big", "tell"]


def test_no_user_code_is_imported(repo: Repo) -> None:
    offered(repo, "repro", "")
    assert not repo.exists("imported")


def test_outside_a_repository_there_are_no_stages_and_no_complaint(tmp_path: Path) -> None:
    assert offered(Repo(tmp_path), "repro", "") == []
    assert offered(Repo(tmp_path), "checkout", "--rev", "") == []


def test_stages_of_a_pipeline_that_is_gone_are_not_offered(repo: Repo) -> None:
    (repo.path / "pipeline.py").rename(repo.path / "other.txt")
    assert offered(repo, "repro", "") == []
    (repo.path / "other.txt").rename(repo.path / "pipeline.py")


@pytest.mark.parametrize("shell", SCRIPTS)
@pytest.mark.parametrize("line", ["git pivot repro su", "git-pivot repro su", "pivot repro su"])
def test_the_shells_complete_a_stage(repo: Repo, shell: str, line: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    extra = ["--"] if shell == "fish" else [shell]
    done = subprocess.run(
        [shell, "-c", SCRIPTS[shell], *extra, line],
        cwd=repo.path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "summarize" in done.stdout.split(), done.stdout + done.stderr


@pytest.mark.parametrize("gone", ["", "s#/share/#/nowhere/#g"])
def test_bash_completes_git_pivot_where_nothing_has_loaded_the_completion_of_git(repo: Repo, gone: str) -> None:
    script = """
        eval "$(git-pivot completion bash | sed "$1")"
        COMP_WORDS=(git pivot repro su) COMP_CWORD=3 COMP_LINE='git pivot repro su' COMP_POINT=18
        function=$(complete -p git | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        "$function" git su repro
        echo "$function ${COMPREPLY[@]}"
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", gone],
        cwd=repo.path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    function, offered_word = done.stdout.split()
    assert offered_word == "summarize" and done.stderr == ""
    assert not gone or function == "_git_pivot_alone"


def test_what_is_printed_for_a_shell_is_what_the_wheel_installs(repo: Repo) -> None:
    text = repo.pivot("completion", "fish").expect(0).out
    assert text == (Path(__file__).parents[2] / "pivot/cli/completion_scripts/git-pivot.fish").read_text()
