"""`checkout`, `fsck`, `gc`, `du`: the store as a user sees it, and nothing lost."""

from __future__ import annotations

from tests.support.repository import Repo
from tests.support.stories import ran


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


def test_checkout_writes_nothing_through_a_symlinked_folder(repo: Repo, tmp_path: object) -> None:
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
