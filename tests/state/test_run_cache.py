"""The run cache, alone and among other clones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pivot.errors import GitError, RefMoved, UnknownVersion
from pivot.git.odb.backend import Author, Backend
from pivot.git.odb.libgit_backend import LibgitBackend
from pivot.git.odb.trees import Content, Trees, add_files
from pivot.state import shared_ref
from pivot.state.run_cache import REF, Found, RunCache
from tests.support.backends import AUTHOR
from tests.support.repository import Repo
from tests.support.samples import digest, finished, record

WRITER = """
import sys
from pathlib import Path
from pivot.state.run_cache import RunCache
from tests.support.backends import AUTHOR, WAYS
from tests.support.samples import finished
way, git_dir, start, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
cache = RunCache(WAYS[way][1](git_dir, git_dir))
for number in range(start, start + count):
    cache.flush([finished(number)], f"repro: stage{number}", AUTHOR)
"""


@pytest.fixture
def runs(backend: Backend) -> RunCache:
    return RunCache(backend)


@pytest.fixture
def local(repo: Repo) -> Iterator[LibgitBackend]:
    backend = LibgitBackend(repo.path / ".git", repo.path / ".git")
    yield backend
    backend.close()


def found(number: int, result: str = "a") -> Found:
    made = record(number, result)
    return Found(made, made.fingerprint, made.result)


def lookup(runs: RunCache, number: int) -> list[Found]:
    return runs.lookup(record(number).fingerprint)


def reach(runs: RunCache, number: int) -> list[str]:
    return runs.reach(record(number).static_fingerprint)


def plant(backend: Backend, ref: str, files: dict[str, Content]) -> str:
    """A tip as a stranger might push it."""
    trees = Trees(backend)
    tip = backend.ref_get(ref)
    tree = add_files(trees, backend.read_commit(tip).tree if tip else None, files)
    trees.save()
    assert tree is not None
    commit = backend.write_commit(tree, [tip] if tip else [], "planted", Author("x", "y@z", 1))
    backend.ref_cas(ref, commit, tip, "planted")
    return commit


def folder_of(number: int, result: str = "a") -> str:
    made = record(number, result)
    return f"runs/{made.fingerprint[:2]}/{made.fingerprint[2:]}.{made.result}"


def test_a_finished_stage_is_found_by_its_fingerprint(runs: RunCache, made: Repo) -> None:
    assert lookup(runs, 1) == []
    runs.flush([finished(1, modules=("m.b", "m.a")), finished(2)], "repro: stage1, stage2", AUTHOR)
    assert lookup(runs, 1) == [found(1)]
    assert lookup(runs, 3) == []
    assert [info.stage for info in runs.infos(record(1).fingerprint, record(1).result)] == ["stage1"]
    assert runs.source(digest(2)) == "def f(): return 2\n"
    assert runs.source(digest(3)) is None
    assert (reach(runs, 1), reach(runs, 2)) == (["m.a", "m.b"], [])
    made.git("fsck", "--strict")


def test_the_history_can_be_read_with_git(runs: RunCache, made: Repo) -> None:
    for number in range(3):
        runs.flush([finished(number)], f"repro: stage{number}\n\nmore", AUTHOR)
    told = made.git("log", "--format=%an %s", REF).splitlines()
    assert told == [f"Ada Tester repro: stage{number}" for number in (2, 1, 0)]
    assert made.git("cat-file", "blob", f"{REF}:{folder_of(1)}/record") + "\n" == record(1).to_bytes().decode()


def test_what_is_known_already_makes_no_commit(runs: RunCache) -> None:
    tip = runs.flush([finished(1)], "one", AUTHOR)
    assert runs.flush([finished(1)], "again", AUTHOR) == runs.flush([], "nothing", AUTHOR) == tip


def test_two_results_stand_side_by_side(runs: RunCache) -> None:
    runs.flush([finished(1, "b")], "one", AUTHOR)
    runs.flush([finished(1, "a")], "two", AUTHOR)
    assert lookup(runs, 1) == [found(1, "a"), found(1, "b")]
    assert list(runs.fingerprints()) == sorted((record(1, x).fingerprint, record(1, x).result) for x in "ab")


def test_the_newest_five_runs_are_told_about(runs: RunCache) -> None:
    for second in (3, 8, 1):
        runs.flush([finished(1, second=second)], "one", AUTHOR)
    runs.flush([finished(1, second=second) for second in (5, 6, 7, 2)], "more", AUTHOR)
    told = runs.infos(record(1).fingerprint, record(1).result)
    assert [info.finished[-2:] for info in told] == ["08", "07", "06", "05", "03"]


def test_reach_lists_grow(runs: RunCache) -> None:
    runs.flush([finished(1, modules=("b",)), finished(1, "b", modules=("a",))], "one", AUTHOR)
    runs.flush([finished(1, modules=("c",))], "two", AUTHOR)
    assert reach(runs, 1) == ["a", "b", "c"]


def test_what_was_fetched_is_found_and_taken_in_by_the_next_write(runs: RunCache, backend: Backend) -> None:
    runs.flush([finished(1)], "here", AUTHOR)
    ours = backend.ref_get(REF)
    backend.ref_cas(REF, None, ours, "start anew")
    runs.refresh()
    runs.flush([finished(2)], "there", AUTHOR)
    backend.ref_cas("refs/pivot-remotes/origin/runs", ours, None, "fetched")
    runs.refresh()
    assert lookup(runs, 1) == [found(1)]
    runs.flush([finished(3)], "next", AUTHOR)
    backend.ref_cas("refs/pivot-remotes/origin/runs", None, ours, "gone")
    runs.refresh()
    assert [lookup(runs, number) for number in (1, 2, 3)] == [[found(number)] for number in (1, 2, 3)]


def test_history_stays_linear_and_tells_what_was_run_on_both_sides(
    runs: RunCache, backend: Backend, made: Repo
) -> None:
    start = runs.flush([finished(0)], "start", AUTHOR)
    runs.flush([finished(1)], "ours", AUTHOR)
    theirs = plant(backend, "refs/pivot-remotes/origin/runs", {"code/ab/x": b"1"})
    runs.absorb(theirs, AUTHOR)
    assert start is not None
    assert made.git("rev-list", "--min-parents=2", REF) == ""
    assert made.git("merge-base", "--is-ancestor", theirs, REF) == ""
    assert "ours" in made.git("log", "--format=%B", REF)
    assert lookup(runs, 1) == [found(1)]


def test_a_tip_that_is_ahead_is_taken_as_it_is(runs: RunCache, backend: Backend) -> None:
    runs.flush([finished(1)], "one", AUTHOR)
    old = backend.ref_get(REF)
    ahead = runs.flush([finished(2)], "two", AUTHOR)
    backend.ref_cas(REF, old, ahead, "back")
    assert ahead is not None
    assert runs.absorb(ahead, AUTHOR) == ahead
    assert old is not None
    assert runs.absorb(old, AUTHOR) == ahead


def test_two_remotes_that_differ_do_not_make_every_write_a_union(runs: RunCache, backend: Backend, made: Repo) -> None:
    for remote in "ab":
        plant(backend, f"refs/pivot-remotes/{remote}/runs", {f"code/{remote}{remote}/x": b"1"})
    runs.flush([finished(1)], "one", AUTHOR)
    before = int(made.git("rev-list", "--count", REF))
    for number in range(2, 6):
        runs.flush([finished(number)], f"run {number}", AUTHOR)
    assert int(made.git("rev-list", "--count", REF)) == before + 4


def test_a_dropped_record_stays_away_though_a_remote_still_has_it(runs: RunCache, backend: Backend) -> None:
    tip = runs.flush([finished(1), finished(2)], "one", AUTHOR)
    backend.ref_cas("refs/pivot-remotes/origin/runs", tip, None, "fetched")
    runs.drop([(record(1).fingerprint, record(1).result)], "gc", AUTHOR)
    runs.flush([finished(3)], "next", AUTHOR)
    backend.ref_cas("refs/pivot-remotes/origin/runs", None, tip, "gone")
    runs.refresh()
    assert lookup(runs, 1) == []
    assert lookup(runs, 2) == [found(2)]


def test_what_only_a_dropped_record_needed_goes_with_it(runs: RunCache) -> None:
    runs.flush([finished(1, modules=("m",)), finished(1, "b"), finished(2, modules=("n",))], "one", AUTHOR)
    runs.drop([(record(2).fingerprint, record(2).result)], "gc", AUTHOR)
    runs.drop([(record(1).fingerprint, record(1).result)], "gc", AUTHOR)
    assert (runs.source(digest(1)), reach(runs, 1)) == ("def f(): return 1\n", ["m"])
    assert (runs.source(digest(2)), reach(runs, 2)) == (None, [])


def test_what_others_removed_is_taken_in_by_a_pull_and_not_by_a_run(runs: RunCache, backend: Backend) -> None:
    before = runs.flush([finished(1), finished(2)], "one", AUTHOR)
    after = runs.drop([(record(1).fingerprint, record(1).result)], "gc", AUTHOR)
    assert after is not None
    backend.ref_cas(REF, before, after, "back")
    backend.ref_cas("refs/pivot-remotes/origin/runs", after, None, "fetched")
    runs.flush([finished(3)], "two", AUTHOR)
    assert lookup(runs, 1) == [found(1)]
    runs.absorb(after, AUTHOR)
    assert [lookup(runs, number) for number in (1, 2, 3)] == [[], [found(2)], [found(3)]]


def test_while_a_record_cannot_be_read_nothing_beside_it_goes(runs: RunCache, backend: Backend) -> None:
    runs.flush([finished(1), finished(2)], "one", AUTHOR)
    newer = record(3).to_bytes().replace(b'"version":1', b'"version":2')
    plant(backend, REF, {f"{folder_of(3)}/record": newer})
    runs.drop([(record(1).fingerprint, record(1).result)], "gc", AUTHOR)
    assert runs.source(digest(1)) == "def f(): return 1\n"


def test_a_record_under_a_name_that_is_not_its_own_is_refused(runs: RunCache, backend: Backend) -> None:
    plant(backend, "refs/pivot-remotes/evil/runs", {f"{folder_of(1)}/record": record(2).to_bytes()})
    assert lookup(runs, 1) == []
    assert "is refused: its content gives another fingerprint" in runs.refused[0]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe"])
def test_garbage_from_a_remote_harms_nobody(runs: RunCache, backend: Backend, content: bytes) -> None:
    evil: dict[str, Content] = {f"{folder_of(1)}/record": content, "runs/zz": b"file", "reach/x": b"\xff"}
    plant(backend, "refs/pivot-remotes/evil/runs", {**evil, f"{folder_of(2)}/info/x": content})
    runs.flush([finished(1), finished(2)], "one", AUTHOR)
    assert lookup(runs, 2) == [found(2)]
    assert runs.infos(record(2).fingerprint, record(2).result) != []
    assert len(list(runs.fingerprints())) == 2


@pytest.mark.parametrize("garbage", [b"%d" % number for number in range(6)])
def test_garbage_does_not_take_the_place_of_a_good_record(runs: RunCache, backend: Backend, garbage: bytes) -> None:
    plant(backend, REF, {f"{folder_of(3)}/record": garbage})
    runs.flush([finished(1), finished(3)], "one", AUTHOR)
    assert lookup(runs, 3) == [found(3)]
    plant(backend, "refs/pivot-remotes/evil/runs", {f"{folder_of(1)}/record": garbage})
    runs.refresh()
    assert lookup(runs, 1) == [found(1)]
    runs.flush([finished(2)], "two", AUTHOR)
    assert lookup(runs, 1) == [found(1)]


def test_a_record_of_a_newer_pivot_is_a_sentence(runs: RunCache, backend: Backend) -> None:
    newer = record(1).to_bytes().replace(b'"version":1', b'"version":2')
    plant(backend, REF, {f"{folder_of(1)}/record": newer})
    with pytest.raises(UnknownVersion):
        lookup(runs, 1)


def test_a_lock_left_behind_is_named_after_some_patience(
    repo: Repo, local: LibgitBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_ref, "_PATIENCE", 0.1)
    cache = RunCache(local)
    cache.flush([finished(1)], "one", AUTHOR)
    repo.write(".git/refs/pivot/runs.lock", "")
    with pytest.raises(RefMoved, match=r"runs\.lock") as raised:
        cache.flush([finished(2)], "two", AUTHOR)
    assert "remove the .lock file" in str(raised.value.hint)


def test_a_shallow_clone_reads_and_adds(repo: Repo, local: LibgitBackend, tmp_path: Path) -> None:
    cache = RunCache(local)
    for number in range(4):
        cache.flush([finished(number)], f"run {number}", AUTHOR)
    other = Repo.init(tmp_path / "other")
    refspec = "+refs/pivot/runs*:refs/pivot-remotes/origin/runs*"
    other.git("fetch", "-q", "--depth=1", f"file://{repo.path}", refspec)
    backend = LibgitBackend(other.path / ".git", other.path / ".git")
    there = RunCache(backend)
    there.flush([finished(10)], "in the clone", AUTHOR)
    assert [lookup(there, number) for number in (0, 3, 10)] == [[found(0)], [found(3)], [found(10)]]
    other.git("push", "-q", str(repo.path), REF)
    cache.refresh()
    assert lookup(cache, 10) == [found(10)]
    assert repo.git("rev-list", "--count", REF) == "5"
    backend.close()


@pytest.mark.parametrize("kind", ["blob:none", "tree:0"])
def test_a_filtered_fetch_is_said_to_be_one_and_stops_nobody(
    repo: Repo, local: LibgitBackend, tmp_path: Path, kind: str
) -> None:
    RunCache(local).flush([finished(1, modules=("m",))], "one", AUTHOR)
    repo.git("config", "uploadpack.allowFilter", "true")
    other = Repo.init(tmp_path / "other")
    other.git("remote", "add", "origin", f"file://{repo.path}")
    refspec = "+refs/pivot/*:refs/pivot-remotes/origin/*"
    other.git("fetch", "-q", f"--filter={kind}", "origin", refspec)
    backend = LibgitBackend(other.path / ".git", other.path / ".git")
    there = RunCache(backend)
    assert lookup(there, 1) == []
    assert there.infos(record(1).fingerprint, record(1).result) == []
    assert (reach(there, 1), there.source(digest(1))) == ([], None)
    assert "`git pivot fetch` brings it" in there.refused[0]
    there.flush([finished(2)], "in the clone", AUTHOR)
    assert lookup(there, 2) == [found(2)]
    other.git("fetch", "-q", "--no-filter", "--refetch", "origin", refspec)
    whole = RunCache(LibgitBackend(other.path / ".git", other.path / ".git"))
    whole.flush([finished(3)], "next", AUTHOR)
    assert [lookup(whole, number) for number in (1, 2, 3)] == [[found(1)], [found(2)], [found(3)]]
    backend.close()


def test_the_last_record_can_be_dropped_too(runs: RunCache, made: Repo) -> None:
    runs.flush([replace(finished(1), sources={})], "one", AUTHOR)
    runs.drop([(record(1).fingerprint, record(1).result)], "gc", AUTHOR)
    assert lookup(runs, 1) == []
    assert made.git("ls-tree", REF) == ""
    runs.flush([finished(2)], "two", AUTHOR)
    assert lookup(runs, 2) == [found(2)]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_repository_that_cannot_be_written_is_an_error_at_once(repo: Repo, local: LibgitBackend) -> None:
    cache = RunCache(local)
    cache.flush([finished(1)], "one", AUTHOR)
    folders = [folder for folder in (repo.path / ".git").rglob("*") if folder.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        with pytest.raises(GitError) as raised:
            cache.flush([finished(2)], "two", AUTHOR)
        assert not isinstance(raised.value, RefMoved)
        assert lookup(cache, 1) == [found(1)]
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_unrelated_histories_unite(repo: Repo, local: LibgitBackend) -> None:
    plant(local, REF, {"code/ab/x": b"1"})
    theirs = plant(local, "refs/pivot-remotes/origin/runs", {"code/ab/y": b"2"})
    RunCache(local).absorb(theirs, AUTHOR)
    assert repo.git("ls-tree", "-r", "--name-only", REF).split() == ["code/ab/x", "code/ab/y"]


def test_a_tree_that_cannot_be_read_is_an_error(repo: Repo, local: LibgitBackend) -> None:
    tip = RunCache(local).flush([finished(1)], "one", AUTHOR)
    tree = repo.git("rev-parse", f"{tip}^{{tree}}")
    (repo.path / f".git/objects/{tree[:2]}/{tree[2:]}").write_bytes(b"damaged")
    with pytest.raises(GitError):
        lookup(RunCache(LibgitBackend(repo.path / ".git", repo.path / ".git")), 1)


def test_six_processes_lose_no_record(way: str, made: Repo, runs: RunCache) -> None:
    starts, count = range(0, 600, 100), 4
    git_dir, here = str(made.path / ".git"), Path(__file__).parents[2]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, way, git_dir, str(start), str(count)], cwd=here)
        for start in starts
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0] * len(starts)
    expected = {record(start + number).fingerprint for start in starts for number in range(count)}
    assert {fingerprint for fingerprint, _ in runs.fingerprints()} == expected
    assert made.git("rev-list", "--count", REF) == str(len(expected))


class Clones(RuleBasedStateMachine):
    """Three clones run, fetch, unite and push in any order; in the end all have every record, in one tree."""

    @initialize(folder=st.just(None))
    def make(self, folder: None) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        base = Path(self.folder.name)
        self.server = Repo.init(base / "server.git", "--bare")
        self.clones = [Repo.init(base / name) for name in "abc"]
        git_dirs = [clone.path / ".git" for clone in self.clones]
        self.caches = [RunCache(LibgitBackend(git_dir, git_dir)) for git_dir in git_dirs]
        self.known: set[str] = set()

    @rule(clone=st.integers(0, 2), number=st.integers(0, 9), result=st.sampled_from("ab"), second=st.integers(0, 9))
    def run(self, clone: int, number: int, result: str, second: int) -> None:
        self.caches[clone].flush([finished(number, result, second, ("m",))], f"run {number}", AUTHOR)
        self.known.add(f"{record(number).fingerprint}.{record(number, result).result}")

    @rule(clone=st.integers(0, 2))
    def fetch(self, clone: int) -> None:
        refspec = "+refs/pivot/runs*:refs/pivot-remotes/origin/runs*"
        self.clones[clone].git("fetch", "-q", str(self.server.path), refspec)
        self.caches[clone].refresh()

    @rule(clone=st.integers(0, 2))
    def synchronise(self, clone: int) -> None:
        self.fetch(clone)
        git, cache = self.clones[clone].git, self.caches[clone]
        theirs = git("for-each-ref", "--format=%(objectname)", "refs/pivot-remotes/origin/runs")
        if theirs:
            cache.absorb(theirs, AUTHOR)
        if git("for-each-ref", REF):
            git("push", "-q", str(self.server.path), REF)

    @precondition(lambda self: hasattr(self, "known"))
    @invariant()
    def history_is_linear(self) -> None:
        for repo in (self.server, *self.clones):
            if repo.git("for-each-ref", REF):
                assert repo.git("rev-list", "--min-parents=2", REF) == ""

    def teardown(self) -> None:
        if not hasattr(self, "known"):
            return
        for clone in (0, 1, 2, 0, 1, 2):
            self.synchronise(clone)
        for cache in self.caches:
            assert {f"{fingerprint}.{result}" for fingerprint, result in cache.fingerprints()} == self.known
        trees = {
            repo.git("rev-parse", "-q", "--verify", f"{REF}^{{tree}}", code=0 if self.known else 1)
            for repo in self.clones
        }
        assert len(trees) == 1
        self.folder.cleanup()


TestClones = Clones.TestCase
TestClones.pytestmark = [pytest.mark.slow]  # type: ignore[attr-defined]
TestClones.settings = settings(max_examples=6, stateful_step_count=14, deadline=None)
