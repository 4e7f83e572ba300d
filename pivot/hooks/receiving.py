"""Before a server takes a push: whether what the pushed commits claim holds (`pivot.ci = verify`). Nothing is run."""

from __future__ import annotations

from collections.abc import Sequence

from pivot.errors import PivotError
from pivot.git.locate import Location
from pivot.git.received import ReceivingBackend
from pivot.hooks.received import ReceivedRef, Rules, commits_of, is_code, parse_received, read_rules
from pivot.plan.attest import attest
from pivot.project import Project

MOST = 20  # lines about one push


def before_receive(location: Location, lines: Sequence[str]) -> tuple[bool, list[str]]:
    """Whether the push is refused, and lines for who pushes.

    Raises:
        GitError: the repository cannot be read.
        SettingError: a setting means nothing.
    """
    refs = parse_received(lines)
    if not any(map(is_code, refs)):
        return False, []  # results come by themselves, before the commits that they belong to
    moved = {ref.name: ref.value for ref in refs}
    with Project(location, ReceivingBackend(location.git_dir, location.common_dir, moved)) as project:
        rules = read_rules(project.settings)
        problems = _problems(project, refs, rules) if rules.mode == "verify" else []
    if not problems:
        return False, []
    more = [f"and {len(problems) - MOST} more"] if len(problems) > MOST else []
    advice = "the push is refused: `git pivot repro`, commit, `git pivot push`, and push again"
    return True, [*problems[:MOST], *more, advice]


def _problems(project: Project, refs: Sequence[ReceivedRef], rules: Rules) -> list[str]:
    """What does not hold. What was pushed may be made so that the check itself fails: that is refused too."""
    try:
        commits = commits_of(project.location, project.backend, refs, rules)
        return [
            f"{name} ({commit[:8]}): {problem}"
            for commit, name in commits.items()
            for problem in attest(project, commit, stored=rules.stored).problems
        ]
    except Exception as error:
        return [f"it cannot be checked: {error.what if isinstance(error, PivotError) else error!r}"]
