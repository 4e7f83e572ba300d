"""Before a server takes a push: whether what the pushed commits claim holds (`pivot.ci = verify`). No stage is run.

The push is let through only where the check has come to its end and found nothing: whatever goes wrong refuses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pivot.errors import PivotError
from pivot.git.odb.quarantine_backend import ReceivingBackend
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.git.plumbing.quoting import one_line
from pivot.history.attestation import attest
from pivot.hooks.check_limits import OutOfTime, limited
from pivot.hooks.server_push import (
    ReceivedRef,
    Rules,
    commits_of,
    is_code,
    parse_received,
    read_rules,
    server_name,
    unmatched,
)
from pivot.hooks.state_push import state_problems
from pivot.operations.commit_analysis import analyser
from pivot.project import Project

MOST = 20  # lines about one push
REPRODUCE = "the push is refused: `git pivot repro`, commit, `git pivot push`, and push again"
REFUSED = "the push is refused"


def before_receive(location: RepositoryLocation, lines: Sequence[str]) -> tuple[bool, list[str]]:
    """Whether the push is refused, and lines for who pushes.

    Raises:
        GitError: the repository cannot be read.
        SettingError: a setting means nothing.
    """
    refs = parse_received(lines)
    moved = {ref.name: ref.value for ref in refs}
    with Project(location, ReceivingBackend(location.git_dir, location.common_dir, moved)) as project:
        rules = read_rules(project.settings)
        try:
            with limited(rules.check_limit, rules.memory):
                return _check(project, refs, rules)
        except OutOfTime:
            problem = f"the check took longer than {rules.check_limit:g} s (pivot.ciCheckTimeout)"
        except MemoryError:
            problem = f"the check needed more than {rules.memory >> 20} MiB of memory (pivot.ciMemory)"
        # What was pushed may be made so that the check itself fails.
        except Exception as error:
            problem = f"the push cannot be checked: {_reason(error)}"
        return True, [problem, REFUSED]


def _check(project: Project, refs: Sequence[ReceivedRef], rules: Rules) -> tuple[bool, list[str]]:
    if problems := state_problems(project.location, project.backend, refs, server_name(project.settings)):
        return True, _cut(problems, REFUSED)
    if rules.mode == "off" or not any(map(is_code, refs)):
        return False, []  # results come by themselves, before the commits that they belong to
    if missing := rules.sandbox.missing():
        return True, [missing, REFUSED]
    problems, unproven = _attest(project, refs, rules) if rules.mode == "verify" else ([], [])
    if problems:
        return True, _cut(problems, REPRODUCE)
    return False, [*_remarks(project, refs, rules), *unproven[:MOST]]


def _attest(project: Project, refs: Sequence[ReceivedRef], rules: Rules) -> tuple[list[str], list[str]]:
    """What does not hold of the pushed commits, and what was not shown to hold."""
    commits = commits_of(project.location, project.backend, refs, rules)
    analyse = analyser(rules.sandbox, rules.check_limit) if rules.analyse else None
    problems: list[str] = []
    unproven: list[str] = []
    for commit, name in commits.items():
        checked = attest(project, commit, stored=rules.stored, analyse=analyse)
        problems += [f"{name} ({commit[:8]}): {problem}" for problem in checked.problems]
        unproven += [f"{name} ({commit[:8]}): not proven: {what}" for what in checked.unproven]
    return problems, unproven


def _remarks(project: Project, refs: Iterable[ReceivedRef], rules: Rules) -> Iterator[str]:
    names = {ref.name for ref in refs if is_code(ref)} | project.backend.refs("refs/heads/").keys()
    names |= project.backend.refs("refs/tags/").keys()
    for pattern in unmatched(rules.refs, names):
        yield f"pivot.ciRefs {one_line(pattern)} matches no branch and no tag, so nothing is checked for it"


def _cut(problems: list[str], advice: str) -> list[str]:
    more = [f"and {len(problems) - MOST} more"] if len(problems) > MOST else []
    return [*problems[:MOST], *more, advice]


def _reason(error: Exception) -> str:
    return error.what if isinstance(error, PivotError) else f"{type(error).__name__}: {error}"
