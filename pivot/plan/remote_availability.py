"""Results whose bytes are not here, and may be had from a remote: planning counts on them, a run asks."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from pivot.git.plumbing.config import Settings
from pivot.store.odb.objects import Object

CHOICES = ("auto", "never", "all")


class RemoteAvailability(Struct):
    """What is taken for granted of the remote: that it has the bytes of every result, until it was asked and had not.

    `remote` is False where there is none, or none may be asked. With `everything` all outputs are wanted here, and not
    only those that a user asks for or a stage that runs needs. `configured` is False if no remote is named at all.
    """

    remote: bool = False
    everything: bool = False
    configured: bool = True
    _lacking: set[str] = field(default_factory=set)

    def may_have(self, wanted: Object) -> bool:
        return self.remote and wanted.id not in self._lacking

    def lack(self, ids: Iterable[str]) -> None:
        """The remote was asked for these, and does not have them."""
        self._lacking.update(ids)


def read_elsewhere(
    settings: Settings, *, remote: bool, configured: bool, pull: bool | None = None
) -> RemoteAvailability:
    """By `pivot.pull` (auto, never, all); `pull` is what the command line says, where it says something.

    Raises:
        SettingError: `pivot.pull` is none of these.
    """
    policy = settings.get_choice("pivot.pull", CHOICES, "auto")
    wanted = policy != "never" if pull is None else pull
    return RemoteAvailability(remote and wanted, policy == "all", configured)
