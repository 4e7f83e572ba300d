"""Every kind of artifact through the real command: directories, incremental outputs, external data, lists, options."""

from __future__ import annotations

from pathlib import Path

from tests.support.repository import Repo
from tests.support.stories import endings, ran

HEAD = """
import os
from pathlib import Path
from typing import Annotated, TypedDict
import pivot

pipeline = pivot.Pipeline("kinds")
"""


def pipeline(repo: Repo, text: str) -> Repo:
    repo.write("pipeline.py", HEAD.strip() + "\n" + text)
    repo.commit("pipeline")
    return repo


DIRECTORY = """
@pipeline.register
def split(
    raw: Annotated[str, pivot.Dep("raw.txt")],
) -> Annotated[dict, pivot.DirectoryOut("parts/", pivot.loaders.Text())]:
    return {f"{word}.txt": word for word in raw.split()}

@pipeline.register
def join(
    parts: Annotated[Path, pivot.Dep("parts/", pivot.loaders.PathOnly())],
) -> Annotated[str, pivot.Out("joined.txt")]:
    return " ".join(sorted(path.read_text() for path in Path(parts).iterdir()))

@pipeline.register
def one(part: Annotated[str, pivot.Dep("parts/b.txt")]) -> Annotated[str, pivot.Out("one.txt")]:
    return part.upper()
"""


def test_a_directory_output_follows_its_keys_and_feeds_deps_on_it_and_inside_it(repo: Repo) -> None:
    repo.write("raw.txt", "a b c")
    assert ran(pipeline(repo, DIRECTORY))[0] == "split"
    assert repo.read("joined.txt") == "a b c"
    repo.write("raw.txt", "b c d")
    assert sorted(ran(repo)) == ["join", "split"]
    assert not repo.exists("parts/a.txt")
    assert (repo.read("joined.txt"), repo.read("one.txt")) == ("b c d", "B")
    assert repo.status() == " M raw.txt"


def test_a_file_deleted_from_a_directory_output_comes_back(repo: Repo) -> None:
    repo.write("raw.txt", "a b c")
    ran(pipeline(repo, DIRECTORY))
    (repo.path / "parts/b.txt").unlink()
    assert endings(repo) == {"split": "restored", "join": "unchanged", "one": "unchanged"}
    assert repo.read("parts/b.txt") == "b"


INCREMENTAL = """
@pipeline.register
def grow(
    word: Annotated[str, pivot.Dep("word.txt")],
    seen: Annotated[list, pivot.IncrementalOut("seen.json", pivot.loaders.JSON())],
) -> Annotated[list, pivot.IncrementalOut("seen.json", pivot.loaders.JSON())]:
    return [*(seen or []), word]
"""


def test_an_incremental_output_grows_and_is_no_input_of_the_fingerprint(repo: Repo) -> None:
    repo.write("word.txt", "one")
    assert ran(pipeline(repo, INCREMENTAL)) == ["grow"]
    assert ran(repo) == []
    repo.write("word.txt", "two")
    assert ran(repo) == ["grow"]
    assert repo.read("seen.json").split() == ["[", '"one",', '"two"', "]"]
    assert ran(repo) == []


def test_external_data_is_an_input_and_never_moved(repo: Repo, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("first")
    pipeline(
        repo,
        f"""
@pipeline.register
def reads(
    text: Annotated[str, pivot.ExternalDep({str(outside)!r}, pivot.loaders.Text())],
) -> Annotated[str, pivot.Out("o.txt")]:
    return text
""",
    )
    assert ran(repo) == ["reads"]
    assert ran(repo) == []
    outside.write_text("second")
    assert ran(repo) == ["reads"]
    assert (repo.read("o.txt"), outside.read_text()) == ("second", "second")


def test_an_optional_output_may_be_left_out_and_its_leftover_goes(repo: Repo) -> None:
    repo.write("want.txt", "yes")
    pipeline(
        repo,
        """
class Outs(TypedDict):
    main: Annotated[str, pivot.Out("main.txt")]
    extra: Annotated[Path, pivot.Out("extra.txt", pivot.loaders.PathOnly(), optional=True)]

@pipeline.register
def maybe(want: Annotated[str, pivot.Dep("want.txt")]) -> Outs:
    if want == "yes":
        Path("extra.txt").write_text("extra")
    return {"main": want, "extra": Path("extra.txt")}
""",
    )
    ran(repo)
    assert repo.exists("extra.txt")
    repo.write("want.txt", "no")
    assert ran(repo) == ["maybe"]
    assert not repo.exists("extra.txt")
    repo.write("want.txt", "yes")
    assert endings(repo) == {"maybe": "restored"}
    assert repo.exists("extra.txt")
    repo.write("want.txt", "no")
    assert endings(repo) == {"maybe": "restored"}
    assert not repo.exists("extra.txt")


def test_lists_of_paths_are_lists_of_values(repo: Repo) -> None:
    repo.write("a.txt", "a")
    repo.write("b.txt", "b")
    pipeline(
        repo,
        """
@pipeline.register
def both(
    texts: Annotated[list[str], pivot.Dep(["a.txt", "b.txt"])],
) -> Annotated[list[str], pivot.Out(["x.txt", "y.txt"])]:
    return [text * 2 for text in texts]
""",
    )
    assert ran(repo) == ["both"]
    assert (repo.read("x.txt"), repo.read("y.txt")) == ("aa", "bb")


def test_an_output_left_to_git_is_not_ignored_by_it(repo: Repo) -> None:
    pipeline(
        repo,
        """
@pipeline.register
def report() -> Annotated[str, pivot.Out("report.txt", cache=False)]:
    return "for people"
""",
    )
    ran(repo)
    assert repo.status() == "?? report.txt"
    repo.commit("the report")
    assert ran(repo) == []


FROZEN = """
def cold(raw: Annotated[str, pivot.Dep("raw.txt")]) -> Annotated[str, pivot.Out("cold.txt")]:
    return raw

def hot(cold: Annotated[str, pivot.Dep("cold.txt")]) -> Annotated[str, pivot.Out("hot.txt")]:
    return cold

pipeline.register(cold, frozen=bool(os.environ.get("FREEZE")))
pipeline.register(hot, always=True)
"""


def test_a_frozen_stage_never_runs_and_one_that_always_does_runs_each_time(repo: Repo) -> None:
    repo.write("raw.txt", "1")
    pipeline(repo, FROZEN)
    assert ran(repo) == ["cold", "hot"]
    repo.write("raw.txt", "2")
    frozen = repo.pivot("repro", env={"FREEZE": "1"}).expect(0).out
    assert "1 ran, 0 restored, 1 unchanged" in frozen
    assert repo.read("hot.txt") == "1"


def test_what_reads_from_a_frozen_stage_without_a_result_says_so(repo: Repo) -> None:
    pipeline(repo, FROZEN)
    said = repo.pivot("repro", env={"FREEZE": "1"}).expect(1).out
    assert "Input missing: cold.txt (pipeline.py:11): cold is frozen and has no result" in said


def test_parameters_count_and_only_for_the_stage_that_has_them(repo: Repo) -> None:
    pipeline(
        repo,
        """
class Rate(pivot.StageParams):
    lr: float = 0.1

def train(params: Rate) -> Annotated[float, pivot.Out("train.json", pivot.loaders.JSON())]:
    return params.lr

def other() -> Annotated[int, pivot.Out("other.json", pivot.loaders.JSON())]:
    return 1

pipeline.register(train, params=Rate(lr=0.5))
pipeline.register(other)
""",
    )
    assert sorted(ran(repo)) == ["other", "train"]
    repo.replace("pipeline.py", "lr=0.5", "lr=0.25")
    said = repo.pivot("status", "--explain", "train").expect(0).out
    assert "Reason: Parameter changed" in said
    assert "    lr\n      Old: 0.5\n      New: 0.25" in said
    assert ran(repo) == ["train"]
    assert repo.read("train.json").strip() == "0.25"


def test_a_tracked_dep_behind_a_symlinked_folder_is_the_same_path(repo: Repo) -> None:
    repo.write("real/raw.txt", "raw")
    (repo.path / "link").symlink_to("real")
    pipeline(
        repo,
        """
@pipeline.register
def first(raw: Annotated[str, pivot.Dep("link/raw.txt")]) -> Annotated[str, pivot.Out("real/out.txt")]:
    return raw + "1"

@pipeline.register
def second(text: Annotated[str, pivot.Dep("link/out.txt")]) -> Annotated[str, pivot.Out("second.txt")]:
    return text + "2"
""",
    )
    assert ran(repo) == ["first", "second"]
    assert repo.read("second.txt") == "raw12"
    assert ran(repo) == []
