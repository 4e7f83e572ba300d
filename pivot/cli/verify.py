"""`git pivot verify`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from pivot.cli.display import say, to_json
from pivot.cli.session_setup import flush_if_possible
from pivot.errors import SettingError, TargetError
from pivot.history.attestation import Attested, attest, commits_in, resolve_commit
from pivot.history.run_log import RunHistory
from pivot.operations.commit_analysis import analyser
from pivot.operations.rerun import rerun
from pivot.operations.sandbox import Sandbox, read_sandbox
from pivot.pipeline.run_policy import read_duration
from pivot.project import Project
from pivot.reports.verify import Place, github_lines, junit_document, verify_document, verify_lines
from pivot.sync.remote.config import has_remote

FORMATS = ("text", "json", "github", "junit")


@click.command()
@click.argument("revisions", nargs=-1, metavar="[REV]...")
@click.option("--code", is_flag=True, help="Also import the commit's code, and compare its stages and their digests.")
@click.option("--rerun", "again", is_flag=True, help="Also run the stages again in a clean checkout, and compare.")
@click.option("--timeout", default="1h", metavar="TIME", help="With --code and --rerun: how long one may take.")
@click.option("--no-store", is_flag=True, help="Do not ask whether the bytes of the outputs are here.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="github: workflow annotations.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format=json: one document on standard output.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit XML to this file as well.")
def verify(revisions: tuple[str, ...], form: str, junit: Path | None, timeout: str, **options: bool) -> int:
    """Check that what commits claim to stand on is here and holds together; nothing is run.

    REV is a commit (HEAD, if none is named) or a range such as main..topic. For each stage: the note has a result, its
    record is consistent, the store has every byte, and what it read is what the commit holds. Ends with 1 where not.
    Whether the note lists every stage, and whether their code is the commit's, takes an import of that code: --code.
    That attests; --rerun proves. Both run code of the commit, in the sandbox of pivot.ciSandbox if that is set.
    """
    with Project.open(Path.cwd()) as project:
        flush_if_possible(project)
        commits = _commits(project, revisions or ("HEAD",))
        limit, sandbox = _limit(timeout), read_sandbox(project.settings)
        if (options["again"] or options["code"]) and (missing := sandbox.missing()):
            raise SettingError(missing, hint="Install it, or run `git config --unset pivot.ciSandbox`.")
        analyse = analyser(sandbox, limit) if options["code"] else None
        checked = [attest(project, commit, stored=not options["no_store"], analyse=analyse) for commit in commits]
        if options["again"]:
            checked = [_prove(project, one, limit, sandbox) for one in checked]
        if junit:
            junit.write_text(junit_document(checked), encoding="utf-8", errors="backslashreplace")
        for line in _report(project, checked, "json" if options["as_json"] else form):
            say(line)
    return 1 if any(one.problems for one in checked) else 0


def _limit(text: str) -> float:
    seconds = read_duration(text)
    if seconds is None:
        raise click.BadParameter(f"{text!r} is not a valid time, such as 30m or 2h", param_hint="--timeout")
    return seconds


def _prove(project: Project, checked: Attested, limit: float, sandbox: Sandbox) -> Attested:
    """Run it again; what the run says goes beside the report."""
    for said in rerun(project, checked, limit, sandbox):
        if isinstance(said, Attested):
            checked = said
        else:
            say(f"{checked.commit[:12]} | {said}", err=True)
    return checked


def _report(project: Project, checked: list[Attested], form: str) -> Iterator[str]:
    match form:
        case "json":
            yield to_json(verify_document(checked))
        case "junit":
            yield junit_document(checked)
        case "github":
            yield from github_lines(checked, lambda stage: _place(project, stage))
        case _:
            yield from verify_lines(checked, _download(project))


def _download(project: Project) -> str:
    if has_remote(project.settings):
        return "Run `git pivot pull` to download outputs."
    return "Not downloaded: no remote is configured. Run `git pivot remote add NAME URL`, then `git pivot pull`."


def _place(project: Project, stage: str) -> Place | None:
    """Where the stage's function stood when it ran last; the code is not imported to find out where it is now."""
    run = next(RunHistory(project.backend).runs(stage), None)
    if run is None or not run.info.entries:
        return None
    _, file, line = run.info.entries[0]
    return (file, line) if file else None


def _commits(project: Project, revisions: tuple[str, ...]) -> list[str]:
    found: dict[str, None] = {}
    for revision in revisions:
        if ".." in revision and not revision.startswith(("-", ":/")):
            listed = commits_in(project, revision)
        else:
            commit = resolve_commit(project, revision)
            listed = [commit] if commit else None
        if listed is None:
            raise TargetError(f"there is no commit {revision}", hint="git log")
        found.update(dict.fromkeys(listed))
    return list(found)
