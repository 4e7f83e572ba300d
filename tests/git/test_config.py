from __future__ import annotations

import os

import pytest

from pivot.errors import GitError, SettingError
from pivot.git.identity import identify
from pivot.git.plumbing.config import Settings, add_setting, read_settings, trust_address, unset_setting, write_setting
from pivot.git.plumbing.locate import RepositoryLocation
from tests.support.repository import Repo


def settings(repo: Repo, location: RepositoryLocation, **values: str) -> Settings:
    for key, value in values.items():
        repo.git("config", f"pivot.{key}", value)
    return read_settings(location)


def test_a_setting_is_found_in_whatever_case_it_is_asked_for(repo: Repo, location: RepositoryLocation) -> None:
    found = settings(repo, location, storeLink="copy")
    assert found.get("pivot.storeLink") == found.get("PIVOT.storelink") == "copy"
    assert found.get("pivot.nothing") is None
    assert found.get("pivot.nothing", "else") == "else"


def test_the_narrower_scope_wins(repo: Repo, location: RepositoryLocation) -> None:
    repo.git("config", "--global", "pivot.env", "ignore")
    assert settings(repo, location, env="rerun").get("pivot.env") == "rerun"


def test_a_value_of_one_command_line_wins(
    repo: Repo, location: RepositoryLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'pivot.env'='error'")
    assert settings(repo, location, env="rerun").get("pivot.env") == "error"


def test_values_may_hold_newlines_and_equal_signs(repo: Repo, location: RepositoryLocation) -> None:
    assert settings(repo, location, text="a=b\nc = d").get("pivot.text") == "a=b\nc = d"


@pytest.mark.parametrize(("text", "value"), [("true", True), ("Yes", True), ("1", True), ("off", False), ("", False)])
def test_booleans_are_read_as_git_reads_them(repo: Repo, location: RepositoryLocation, text: str, value: bool) -> None:
    assert settings(repo, location, flag=text).get_bool("pivot.flag", not value) is value


def test_a_key_without_a_value_is_true(repo: Repo, location: RepositoryLocation) -> None:
    repo.write(".git/config", repo.read(".git/config") + "[pivot]\n\tflag\n")
    assert read_settings(location).get_bool("pivot.flag", False) is True


@pytest.mark.parametrize(("text", "value"), [("12", 12), ("-3", -3), ("2k", 2048), ("1G", 1 << 30)])
def test_numbers_take_gits_suffixes(repo: Repo, location: RepositoryLocation, text: str, value: int) -> None:
    assert settings(repo, location, size=text).get_int("pivot.size", 0) == value


def test_defaults_hold_where_nothing_is_set(location: RepositoryLocation) -> None:
    found = read_settings(location)
    asked = found.get_int("pivot.a", 7), found.get_bool("pivot.b", True), found.get_choice("pivot.c", ("x", "y"), "y")
    assert asked == (7, True, "y")


@pytest.mark.parametrize("method", ["get_int", "get_bool"])
def test_a_value_that_means_nothing_is_an_error_that_says_where(
    repo: Repo, location: RepositoryLocation, method: str
) -> None:
    found = settings(repo, location, jobs="many")
    with pytest.raises(SettingError, match=r"pivot\.jobs is 'many'") as raised:
        getattr(found, method)("pivot.jobs", 1)
    assert raised.value.where == ".git/config"
    assert raised.value.hint == "git config pivot.jobs <value>"


def test_a_choice_names_what_may_be_chosen(repo: Repo, location: RepositoryLocation) -> None:
    with pytest.raises(SettingError, match="one of ignore, warn, rerun"):
        settings(repo, location, env="loud").get_choice("pivot.env", ("ignore", "warn", "rerun"), "warn")


def test_what_the_team_shares_yields_to_the_users_own(repo: Repo, location: RepositoryLocation) -> None:
    repo.write(".pivotconfig", '[pivot]\n\tenv = rerun\n\tlink = copy\n[pivot-remote "Lab"]\n\turl = ssh://lab/x\n')
    found = settings(repo, location, env="ignore")
    assert (found.get("pivot.env"), found.get("pivot.link")) == ("ignore", "copy")
    assert found.subsections("pivot-remote") == []
    assert [str(one) for one in found.unconfirmed] == ["pivot-remote.Lab.url = ssh://lab/x"]
    trust_address(location, found, "pivot-remote.Lab.url", "ssh://lab/x")
    assert read_settings(location).get("pivot-remote.Lab.url") == "ssh://lab/x"
    assert read_settings(location).unconfirmed == ()


def test_a_committed_file_sets_no_program_and_nothing_of_gits(repo: Repo, location: RepositoryLocation) -> None:
    repo.write(
        ".pivotconfig",
        """
        [core]
            sshCommand = evil
        [pivot]
            ci = run
            hookCommand = evil
            env = warn
        [pivot-remote "x"]
            sshCommand = evil
        """,
    )
    found = read_settings(location)
    assert found.refused == ("core.sshcommand", "pivot-remote.x.sshcommand", "pivot.ci", "pivot.hookcommand")
    assert [found.get(key) for key in found.refused] == [None] * 4
    assert found.get("pivot.env") == "warn"


def test_a_committed_file_includes_nothing(repo: Repo, location: RepositoryLocation) -> None:
    repo.write("more", "[pivot]\n\tenv = rerun\n")
    repo.write(".pivotconfig", "[include]\n\tpath = more\n")
    assert read_settings(location).get("pivot.env") is None


def test_a_wrong_value_in_the_shared_file_is_mended_there(repo: Repo, location: RepositoryLocation) -> None:
    repo.write(".pivotconfig", "[pivot]\n\tjobs = many\n")
    with pytest.raises(SettingError) as raised:
        read_settings(location).get_int("pivot.jobs", 1)
    assert raised.value.hint == "Edit .pivotconfig."


def test_a_damaged_file_is_told_by_git_with_its_line(repo: Repo, location: RepositoryLocation) -> None:
    repo.write(".pivotconfig", "[pivot\n")
    with pytest.raises(GitError, match="bad config line 1 in file"):
        read_settings(location)


def test_settings_are_written_added_and_removed(repo: Repo, location: RepositoryLocation) -> None:
    write_setting(location, "pivot.env", "warn")
    add_setting(location, "pivot-remote.Lab.root", "a")
    add_setting(location, "pivot-remote.Lab.root", "b")
    write_setting(location, "pivot.link", "copy", scope="shared")
    found = read_settings(location)
    assert (found.get("pivot.env"), found.get_all("pivot-remote.Lab.root")) == ("warn", ["a", "b"])
    assert "link = copy" in repo.read(".pivotconfig")
    unset_setting(location, "pivot-remote.Lab.root")
    unset_setting(location, "pivot.nothing")
    assert read_settings(location).get_all("pivot-remote.Lab.root") == []


def test_the_author_is_the_one_that_git_names(repo: Repo, location: RepositoryLocation) -> None:
    told = repo.git("var", "GIT_AUTHOR_IDENT")
    author = identify(read_settings(location), os.environ)
    assert told.startswith(f"{author.name} <{author.email}> ")


@pytest.mark.parametrize("key", ["author", "user"])
def test_the_authors_own_setting_beats_the_users(repo: Repo, location: RepositoryLocation, key: str) -> None:
    repo.git("config", f"{key}.name", "Own Name")
    assert identify(read_settings(location), os.environ).name == "Own Name"


def test_the_environment_beats_every_setting(location: RepositoryLocation) -> None:
    env = {"GIT_AUTHOR_NAME": "Eve", "GIT_AUTHOR_EMAIL": "e@x", "GIT_AUTHOR_DATE": "1700000000 -0130"}
    author = identify(read_settings(location), env)
    assert (author.name, author.email, author.time, author.offset) == ("Eve", "e@x", 1_700_000_000, -90)


def test_someone_without_a_name_still_gets_one(nobody: None, location: RepositoryLocation) -> None:
    author = identify(read_settings(location), {"USER": "ada"})
    assert author.name == "ada"
    assert author.email.startswith("ada@")
    assert identify(Settings(), {}).name.startswith("user")
