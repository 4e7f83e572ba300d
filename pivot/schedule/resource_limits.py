"""What there is to share among stages: `pivot.resources.<name>`, and what a stage takes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pivot.errors import SettingError
from pivot.git.plumbing.config import Settings
from pivot.pipeline.run_policy import resource_name
from pivot.pipeline.spec import Policy
from pivot.schedule.scheduler import Limits, Needs

_PREFIX = "pivot.resources."


def read_limits(settings: Settings, jobs: int) -> Limits:
    """The limits of the settings; a name is written with `-` for `_` there, since Git takes no underscores.

    Raises:
        SettingError: an amount is no number.
    """
    keys = [key for key in settings.values if key.startswith(_PREFIX)]
    return Limits(jobs, {resource_name(key.removeprefix(_PREFIX)): _amount(settings, key) for key in keys})


def needs_of(policy: Policy) -> Needs:
    return Needs(policy.resources, frozenset(policy.mutex), policy.priority)


def check_needs(limits: Limits, needs: Mapping[str, Needs], stages: Sequence[str]) -> None:
    """See that each of these stages could start.

    Raises:
        PipelineError: one needs more of a resource than there is.
    """
    for name in stages:
        limits.check(name, needs[name])


def _amount(settings: Settings, key: str) -> float:
    text = settings.get(key) or ""
    try:
        amount = float(text)
    except ValueError:
        amount = -1.0
    if not amount >= 0:
        origin = settings.values[key][-1].origin
        raise SettingError(
            f"the setting {key} is {text!r}; it must be a number", where=origin, hint=f"git config {key} 1"
        )
    return amount
