"""`checkout`, `fsck`, `gc`, `du`: the store as a user sees it, and nothing lost."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.repository import PIVOT, Repo
from tests.support.stories import endings, ran


def two_versions(repo: Repo) -> tuple[str, str]:
    """Two commits, each with its results; the two versions of summary.json, the older first."""
    ran(repo)
    first = repo.read("summary.json")
    repo.replace("pipeline.py", "sum(values) / len(values)", "100 + sum(values) / len(values)")
    repo.commit("other")
    ran(repo)
    return first, repo.read("summary.json")


def test_checkout_brings_what_a_commit_had_and_back(front_page: Repo) -> None:
    first, second = two_versions(front_page)
    assert "1 output restored, 1 in place already" in front_page.pivot("checkout", "--rev", "HEAD~1").expect(0).out
    assert front_page.read("summary.json") == first
    front_page.pivot("checkout").expect(0)
    assert front_page.read("summary.json") == second != first
    assert ran(front_page) == []


def test_checkout_runs_nothing_and_names_what_has_no_result(front_page: Repo) -> None:
    ran(front_page)
    front_page.replace("pipeline.py", '"mean": sum', '"average": sum')
    before = front_page.read("summary.json")
    assert "no result is known for the present situation: summarize" in front_page.pivot("checkout").expect(0).err
    assert front_page.read("summary.json") == before


def test_checkout_takes_paths_from_the_folder_it_is_called_in(front_page: Repo) -> None:
    ran(front_page)
    front_page.pivot("clean").expect(0)
    (front_page.path / "sub").mkdir()
    front_page.pivot("checkout", "../clean.json", cwd="sub").expect(0)
    assert front_page.exists("clean.json")
    assert not front_page.exists("summary.json")


def test_checkout_keeps_an_edit_and_says_how_to_have_it_again(front_page: Repo) -> None:
    ran(front_page)
    front_page.write("summary.json", "mine")
    said = front_page.pivot("checkout").expect(0).err
    front_page.pivot(*said.split("git pivot ")[1].splitlines()[0].split()).expect(0)
    assert front_page.read("summary.json.saved") == "mine"
    assert front_page.read("summary.json") != "mine"


def test_checkout_leaves_a_tracked_file_alone(front_page: Repo) -> None:
    two_versions(front_page)
    front_page.git("switch", "-q", "-c", "tracks")
    front_page.write("summary.json", "Git's own")
    front_page.git("add", "-f", "summary.json")
    front_page.git("rm", "-q", "--cached", "pipeline.py")
    front_page.commit("tracked", "summary.json")
    assert "Git tracks it" in front_page.pivot("checkout", "--rev", "main", "summary.json").expect(0).err
    assert front_page.read("summary.json") == "Git's own"


def test_checkout_writes_nothing_through_a_symlinked_folder(repo: Repo) -> None:
    in_folder(repo)
    ran(repo)
    outside = repo.path.parent / "outside"
    repo.pivot("clean").expect(0)
    (repo.path / "out").rmdir()
    outside.mkdir()
    (repo.path / "out").symlink_to(outside)
    said = repo.pivot("checkout", "--rev", "HEAD").expect(2).err
    assert "would be written through the symlink out" in said
    assert list(outside.iterdir()) == []


def test_checkout_takes_one_file_of_a_directory_output(repo: Repo) -> None:
    in_folder(repo)
    ran(repo)
    repo.pivot("clean").expect(0)
    repo.pivot("checkout", "out/parts/b.txt").expect(0)
    assert repo.read("out/parts/b.txt") == "2"
    assert not repo.exists("out/parts/a.txt")


def test_checkout_of_a_path_that_is_no_output_says_so(front_page: Repo) -> None:
    ran(front_page)
    assert (
        "no output with a known result matches nothing.txt" in front_page.pivot("checkout", "nothing.txt").expect(2).err
    )


def in_folder(repo: Repo) -> None:
    """A directory output below a folder."""
    repo.write(
        "pipeline.py",
        """
        from typing import Annotated

        import pivot

        def parts() -> Annotated[dict, pivot.DirectoryOut("out/parts/", pivot.loaders.Text())]:
            return {"a.txt": "1", "b.txt": "2"}

        pipeline = pivot.Pipeline("folders")
        pipeline.register(parts)
        """,
    )
    repo.commit("a folder")


def test_fsck_of_a_sound_store_finds_nothing(front_page: Repo) -> None:
    two_versions(front_page)
    assert "checked 3 results with 3 objects: none" in front_page.pivot("fsck").expect(0).out


def test_fsck_names_what_a_result_lost_and_repro_makes_it_again(front_page: Repo) -> None:
    ran(front_page)
    lose(front_page, "summary.json")
    (loss,) = front_page.pivot("fsck", "--json").expect(1).json()["losses"]
    assert (loss["stage"], loss["path"], loss["again"]) == ("summarize", "summary.json", "git pivot repro summarize")
    (front_page.path / "summary.json").unlink()
    assert ran(front_page) == ["summarize"]
    front_page.pivot("fsck").expect(0)


def test_fsck_finds_a_flipped_bit_in_a_small_object(front_page: Repo) -> None:
    ran(front_page)
    file = object_file(front_page, "summary.json")
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-3] + b"xyz")
    assert "damaged: summary.json" in front_page.pivot("fsck").expect(1).out
    front_page.pivot("repro").expect(0)
    front_page.pivot("fsck").expect(0)


def test_fsck_finds_a_flipped_bit_in_a_large_file_and_it_is_never_given_out(repo: Repo) -> None:
    large_output(repo)
    ran(repo)
    repo.pivot("clean").expect(0)
    flip_a_bit(repo)
    assert "damaged: big.bin" in repo.pivot("fsck").expect(1).out
    assert ran(repo) == ["big"]
    assert repo.read("big.bin") == "x" * (2 << 20)
    repo.pivot("fsck").expect(0)


def flip_a_bit(repo: Repo) -> None:
    """In the one large file of the store, as a disk does that forgets: it leaves no trace in the times."""
    (file,) = (repo.path / ".git/pivot/store.git/large").glob("*/*")
    before = file.stat()
    file.chmod(0o644)
    file.write_bytes(b"y" + file.read_bytes()[1:])
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_damage_that_shows_while_its_output_is_restored_is_run_again_at_once(repo: Repo) -> None:
    large_output(repo)
    repo.git("config", "pivot.link", "copy")
    ran(repo)
    repo.pivot("clean").expect(0)
    flip_a_bit(repo)
    assert ran(repo) == ["big"]
    assert repo.read("big.bin") == "x" * (2 << 20)


def test_fsck_writes_a_damaged_list_of_outputs_again(front_page: Repo) -> None:
    ran(front_page)
    kinds = front_page.git(
        "--git-dir",
        ".git/pivot/store.git",
        "cat-file",
        "--batch-all-objects",
        "--batch-check=%(objecttype) %(objectname)",
    )
    oid = next(line.split()[1] for line in kinds.splitlines() if line.startswith("tree"))
    file = front_page.path / ".git/pivot/store.git/objects" / oid[:2] / oid[2:]
    file.chmod(0o644)
    file.write_bytes(b"rubbish")
    assert "written again from their records: 1 damaged list of outputs" in front_page.pivot("fsck").expect(1).out
    front_page.pivot("fsck").expect(0)


WITHOUT_ROOTS_RIGHTS = ("setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search")


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root reads whatever it likes")
@pytest.mark.parametrize("part", ["", "large"])
def test_a_store_that_may_not_be_read_is_a_sentence(repo: Repo, part: str) -> None:
    large_output(repo)
    ran(repo)
    place = repo.path / ".git/pivot/store.git" / part
    place.chmod(0)
    try:
        command = (*(WITHOUT_ROOTS_RIGHTS if os.geteuid() == 0 else ()), *PIVOT)
        for verb in ("status", "repro", "fsck", "gc"):
            said = repo.run(*command, verb).expect(2).err
            assert "Permission denied" in said
            assert "store.git" in said
    finally:
        place.chmod(0o755)
    assert ran(repo) == []


def test_a_store_that_is_gone_is_a_loss_of_what_this_work_tree_made(front_page: Repo) -> None:
    ran(front_page)
    shutil.rmtree(front_page.path / ".git/pivot/store.git")
    assert "2 of them lost something" in front_page.pivot("fsck").expect(1).out
    front_page.pivot("repro").expect(0)
    front_page.pivot("fsck").expect(0)


def test_checkout_says_which_bytes_are_not_here_and_restores_the_rest(front_page: Repo) -> None:
    ran(front_page)
    lose(front_page, "summary.json")
    front_page.pivot("clean", "clean.json").expect(0)
    (front_page.path / "summary.json").unlink()
    said = front_page.pivot("checkout", "--rev", "HEAD").expect(1).err
    assert "the store does not have the bytes of summary.json" in said
    assert front_page.exists("clean.json")


def test_what_was_only_fetched_is_no_damage(front_page: Repo, tmp_path: Path) -> None:
    ran(front_page)
    other = front_page.clone(tmp_path / "clone")
    other.pivot("pull", "origin").expect(0)
    found = other.pivot("fsck", "--json").expect(0).json()
    assert (found["absent"], found["losses"]) == (2, [])


def test_du_counts_bytes_by_stage_and_what_is_in_use(front_page: Repo) -> None:
    first, second = two_versions(front_page)
    stages = {row["stage"]: row for row in front_page.pivot("du", "--json").expect(0).json()["stages"]}
    assert stages["summarize"] == {
        "stage": "summarize",
        "results": 2,
        "bytes": len(first) + len(second),
        "live": len(first) + len(second),
    }
    assert stages["preprocess"]["results"] == 1


def test_du_says_what_a_clean_up_would_free(front_page: Repo) -> None:
    ran(front_page)
    said = front_page.pivot("du").expect(0).out
    assert "summarize" in said
    assert "`git pivot gc` would free 0 B" in said


def object_file(repo: Repo, path: str) -> Path:
    """The loose object of an output's bytes."""
    oid = repo.git("hash-object", path)
    return repo.path / ".git/pivot/store.git/objects" / oid[:2] / oid[2:]


def lose(repo: Repo, path: str) -> None:
    object_file(repo, path).unlink()


def large_output(repo: Repo) -> None:
    """An output that the store keeps as a large file."""
    repo.write(
        "pipeline.py",
        """
        import pathlib
        from typing import Annotated

        import pivot

        def big() -> Annotated[pathlib.Path, pivot.Out("big.bin", pivot.loaders.PathOnly())]:
            path = pathlib.Path("big.bin")
            path.write_bytes(b"x" * (2 << 20))
            return path

        pipeline = pivot.Pipeline("large")
        pipeline.register(big)
        """,
    )
    repo.commit("large")


def test_discard_edits_replaces_them_without_keeping_them(front_page: Repo) -> None:
    ran(front_page)
    front_page.write("summary.json", "mine")
    assert endings(front_page, "--discard-edits")["summarize"] == "restored"
    assert front_page.read("summary.json") != "mine"
    assert front_page.pivot("saved").expect(0).out == ""
    assert not has_object(front_page, "mine")


def test_discard_edits_of_a_stage_that_runs_and_not_of_one_that_fails(front_page: Repo) -> None:
    ran(front_page)
    front_page.write("summary.json", "mine")
    front_page.replace("pipeline.py", '"mean": sum', '"mean": 1 / 0 + sum')
    endings(front_page, "--discard-edits", code=1)
    assert front_page.read("summary.json") == "mine"
    front_page.replace("pipeline.py", "1 / 0", "1")
    assert ran(front_page, "--discard-edits") == ["summarize"]
    assert not has_object(front_page, "mine")


def has_object(repo: Repo, text: str) -> bool:
    oid = repo.git("hash-object", "--stdin", stdin=text)
    return (repo.path / ".git/pivot/store.git/objects" / oid[:2] / oid[2:]).exists()
