"""Results reach other clones and come from there, whatever kind of clone it is and whoever pushes meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pivot.errors import GitError
from pivot.git.plumbing.config import read_settings
from pivot.git.plumbing.locate import locate
from pivot.state.accepted import Acceptance, Accepted
from pivot.state.notes import NoteLine, Notes
from pivot.state.ref_sync import choose_remote, takes_state
from tests.support.backends import AUTHOR
from tests.support.repository import Repo
from tests.support.samples import record
from tests.sync.conftest import Clone, name_of

MakeClone = Callable[..., Clone]

PUSHER = """
import sys
from pathlib import Path
from tests.support.repository import Repo
from tests.sync.conftest import Clone, name_of
clone, own, rounds = Clone(Repo(Path(sys.argv[1]))), int(sys.argv[2]), int(sys.argv[3])
for number in range(rounds):
    clone.run(number, "abcdef"[own])     # the same stage, another result
    clone.run(1000 * own + 100 + number)  # another stage
    clone.state.push("origin")
"""


def test_what_one_clone_pushes_another_finds(clone: MakeClone) -> None:
    one, two = clone("one"), clone("two")
    one.run(1)
    assert one.state.push("origin").taken == ("runs",)
    assert two.state.fetch("origin") == ["runs"]
    assert two.knows(record(1))
    assert two.tree() is None
    assert two.state.pull("origin") == ["runs"]
    assert two.tree() == one.tree()


def test_a_second_push_has_nothing_to_do(clone: MakeClone) -> None:
    one = clone("one")
    assert one.state.push("origin").taken == ()
    one.run(1)
    one.state.push("origin")
    assert one.state.push("origin").taken == ()
    assert one.state.pull("origin") == []


def test_notes_and_accepted_changes_travel_too(clone: MakeClone) -> None:
    one, two = clone("one"), clone("two")
    head = one.repo.head()
    line = NoteLine("train", "stale", one.repo.git("rev-parse", "HEAD^{tree}")[:12])
    Notes(one.backend).write({head: [line]}, "noted", AUTHOR)
    accepted = Acceptance("a" * 32, "train", "b" * 32, "c" * 12, "Ada", "2026-01-01T00:00:00+00:00", "harmless")
    Accepted(two.backend).add(accepted, AUTHOR)
    one.state.push("origin")
    assert set(two.state.push("origin").taken) == {"accepted"}
    one.state.pull("origin")
    assert Accepted(one.backend).all() == [accepted]
    assert Notes(two.backend).read(head) == {"train": (line,)}


def test_who_pushes_later_takes_in_what_was_there(clone: MakeClone, server: Repo) -> None:
    one, two = clone("one"), clone("two")
    one.run(1)
    two.run(2)
    one.state.push("origin")
    two.state.push("origin")
    assert two.knows(record(1))
    assert server.git("rev-list", "--merges", "--count", "refs/pivot/runs") == "0"
    one.state.pull("origin")
    assert one.tree() == two.tree()


def test_twenty_rounds_of_two_clones_at_once_lose_nothing(clone: MakeClone, server: Repo) -> None:
    rounds = 20
    one, two = clone("one"), clone("two")
    pushers = [
        subprocess.Popen(
            [sys.executable, "-c", PUSHER, str(each.repo.path), str(number), str(rounds)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        for number, each in enumerate((one, two))
    ]
    assert [pusher.wait(120) for pusher in pushers] == [0, 0]
    wanted = [record(number, result) for number in range(rounds) for result in "ab"]
    wanted += [record(1000 * own + 100 + number) for own in range(2) for number in range(rounds)]
    reader = clone("reader")
    reader.state.pull("origin")
    assert [one_record for one_record in wanted if not reader.knows(one_record)] == []
    server.git("fsck", "--strict")


@pytest.mark.parametrize("option", ["--depth=1", "--filter=blob:none", "--filter=tree:0", "--single-branch"])
def test_any_kind_of_clone_reads_and_pushes(clone: MakeClone, server: Repo, option: str) -> None:
    server.git("config", "uploadpack.allowFilter", "true")
    one, other = clone("one"), clone("other", option)
    one.run(1)
    one.state.push("origin")
    other.state.pull("origin")
    assert other.knows(record(1))
    other.run(2)
    other.state.push("origin")
    one.state.pull("origin")
    assert one.knows(record(2))
    assert one.tree() == other.tree()


def test_repositories_that_only_the_git_program_opens_read_and_push(tmp_path: Path) -> None:
    first = Repo.init(tmp_path / "first", "--object-format=sha256")
    first.commit("first")
    server = first.clone(tmp_path / "server.git", "--bare")
    one, two = (Clone(server.clone(tmp_path / name)) for name in ("one", "two"))
    assert one.backend.algorithm == "sha256"
    for number, each in enumerate((one, two)):
        each.run(number)
        each.state.push("origin")
    one.state.pull("origin")
    assert one.tree() == two.tree()
    assert all(each.knows(record(number)) for each in (one, two) for number in (0, 1))


def test_a_repository_with_the_extension_of_partial_clones_reads_and_pushes(clone: MakeClone, server: Repo) -> None:
    server.git("config", "uploadpack.allowFilter", "true")
    one, two = clone("one"), clone("two", "--filter=tree:0")
    two.repo.git("config", "core.repositoryFormatVersion", "1")
    two.repo.git("config", "extensions.partialClone", "origin")
    one.run(1)
    one.state.push("origin")
    refused = Clone(two.repo)
    refused.state.pull("origin")
    refused.run(2)
    refused.state.push("origin")
    one.state.pull("origin")
    assert refused.knows(record(1))
    assert one.knows(record(2))


@pytest.mark.parametrize("filtered", ["blob:none", "tree:0"])
def test_what_a_plain_fetch_left_out_is_brought(clone: MakeClone, server: Repo, filtered: str) -> None:
    server.git("config", "uploadpack.allowFilter", "true")
    one, other = clone("one"), clone("other", f"--filter={filtered}")
    one.run(1)
    one.state.push("origin")
    other.repo.git("fetch", "--quiet", "origin", "+refs/pivot/*:refs/pivot-remotes/origin/*")
    assert not other.knows(record(1))
    other.state.pull("origin")
    assert other.knows(record(1))


def test_a_remote_named_by_its_address_works(clone: MakeClone, server: Repo) -> None:
    one, two = clone("one"), clone("two")
    one.run(1)
    assert one.state.push(str(server.path)).taken == ("runs",)
    two.state.pull(f"file://{server.path}")
    assert two.knows(record(1))


def test_a_server_that_hides_the_refs_is_remembered_until_it_takes_them(clone: MakeClone, server: Repo) -> None:
    one = clone("one")
    one.run(1)
    server.git("config", "transfer.hideRefs", "refs/pivot")
    refused = one.state.push("origin").refused or {}
    assert "hidden" in refused["runs"]
    assert not takes_state(read_settings(locate(one.repo.path)), "origin")
    server.git("config", "--unset", "transfer.hideRefs")
    assert one.state.push("origin").taken == ("runs",)
    assert takes_state(read_settings(locate(one.repo.path)), "origin")


def test_a_remote_that_is_not_there_gives_gits_sentence(clone: MakeClone, server: Repo) -> None:
    one = clone("one")
    one.run(1)
    server.path.rename(server.path.with_name("gone"))
    with pytest.raises(GitError, match="git fetch from origin failed: "):
        one.state.push("origin")
    assert one.knows(record(1))


def test_hooks_of_the_user_do_not_run_for_a_push_of_results(clone: MakeClone) -> None:
    one = clone("one")
    hook = one.repo.write(".git/hooks/pre-push", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    one.run(1)
    assert one.state.push("origin").taken == ("runs",)


def test_the_remote_is_the_one_that_git_would_choose(clone: MakeClone) -> None:
    repo = clone("one").repo
    repo.git("remote", "add", "fork", "nowhere")
    assert _chosen(repo) == "origin"
    repo.git("config", "remote.pushDefault", "fork")
    assert (_chosen(repo), _chosen(repo, pushing=True)) == ("origin", "fork")
    repo.git("config", "branch.main.remote", "fork")
    repo.git("config", "branch.main.pushRemote", "origin")
    assert (_chosen(repo), _chosen(repo, pushing=True)) == ("fork", "origin")


def _chosen(repo: Repo, *, pushing: bool = False) -> str:
    location = locate(repo.path)
    return choose_remote(location, read_settings(location), pushing=pushing)


def test_two_pulls_at_once_in_one_clone_wait_for_each_other(clone: MakeClone) -> None:
    one, two = clone("one"), clone("two")
    for number in range(3):
        one.run(number)
        one.state.push("origin")
        pulls = [two.repo.start_pivot("pull") for _ in range(3)]
        said = [pull.communicate(timeout=60) for pull in pulls]
        assert [pull.returncode for pull in pulls] == [0, 0, 0], said
        assert two.knows(record(number))


def length(repo: Repo) -> int:
    return int(repo.git("rev-list", "--count", "refs/pivot/runs"))


def test_a_shortened_history_is_followed_without_losing_what_was_not_pushed(clone: MakeClone, server: Repo) -> None:
    one, two, late = clone("one"), clone("two"), clone("late")
    for number in range(3):
        one.run(number)
    one.state.push("origin")
    two.state.pull("origin")
    late.state.pull("origin")
    one.clean_up()
    one.run(3)
    two.run(4)
    assert one.state.shorten("origin", "gc").taken == ("runs",)
    assert length(server) == length(one.repo) == 1
    two.state.push("origin")
    late.state.pull("origin")
    one.state.pull("origin")
    expected = {name_of(record(number)) for number in (3, 4)}
    assert one.names() == two.names() == late.names() == expected
    assert length(server) == length(late.repo) == 2


def test_of_a_push_and_a_shortening_at_once_nothing_is_lost(clone: MakeClone, server: Repo) -> None:
    one, two = clone("one"), clone("two")
    one.run(0)
    one.state.push("origin")
    two.state.pull("origin")
    for number in range(1, 6):
        two.run(number)
        with ThreadPoolExecutor() as pool:
            both = pool.submit(two.state.push, "origin"), pool.submit(one.state.shorten, "origin", "gc")
            assert not any(one_of.result().refused for one_of in both)
    for each in (two, one):
        each.state.pull("origin")
    assert one.names() == two.names() == {name_of(record(number)) for number in range(6)}


def test_another_remote_with_the_old_history_takes_the_shortened_one(
    clone: MakeClone, server: Repo, tmp_path: Path
) -> None:
    one = clone("one")
    mirror = server.clone(tmp_path / "mirror.git", "--bare")
    one.repo.git("remote", "add", "mirror", str(mirror.path))
    one.run(1)
    one.state.push("origin")
    one.state.push("mirror")
    there = Clone(mirror.clone(tmp_path / "there"))
    there.run(2)
    there.state.push("origin")
    one.state.shorten("origin", "gc")
    one.run(3)
    assert one.state.push("mirror").taken == ("runs",)
    there.state.pull("origin")
    assert one.names() == there.names() == {name_of(record(number)) for number in (1, 2, 3)}
    assert length(mirror) == length(one.repo) <= 3


def test_a_server_that_refuses_a_shortened_history_keeps_its_own(clone: MakeClone, server: Repo) -> None:
    one = clone("one")
    one.run(1)
    one.run(2)
    one.state.push("origin")
    server.write("hooks/update", "#!/bin/sh\nexit 1\n").chmod(0o755)
    assert "hook declined" in (one.state.shorten("origin", "gc").refused or {})["runs"]
    assert length(server) == length(one.repo) == 2
