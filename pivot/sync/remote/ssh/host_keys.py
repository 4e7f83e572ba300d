"""Host keys: known or refused.

Only `git pivot remote add` and `git pivot remote trust` make one known, after the user has seen its fingerprint.
"""

from __future__ import annotations

import os
from pathlib import Path

import paramiko
from msgspec import Struct

from pivot.sync.remote.ssh.errors import changed_key, unknown_key
from pivot.sync.remote.ssh.target import SshTarget


class HostKey(Struct, frozen=True):
    """The key that a host showed; `state` is known, unknown or changed."""

    known_as: str
    kind: str
    fingerprint: str
    state: str
    key: paramiko.PKey

    def remember(self, file: str) -> None:
        """Write it into a `known_hosts` file."""
        path = Path(file)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as opened:
            opened.write(f"{self.known_as} {self.kind} {self.key.get_base64()}\n")


def known_keys(target: SshTarget) -> dict[str, paramiko.PKey]:
    """The keys of a host that are known, by kind."""
    found: dict[str, paramiko.PKey] = {}
    for file in target.known_hosts:
        if os.path.isfile(file):
            known = paramiko.HostKeys()
            known.load(file)
            found |= dict(known.lookup(target.known_as) or {})
    return found


def look_at(target: SshTarget, key: paramiko.PKey) -> HostKey:
    """What a host's key is to us."""
    known = known_keys(target)
    held = known.get(key.get_name())
    state = "known" if held == key else "changed" if known else "unknown"
    return HostKey(target.known_as, key.get_name(), key.fingerprint, state, key)


def refuse_stranger(target: SshTarget, key: paramiko.PKey) -> None:
    """Raises `RemoteError` unless the key is the one that is known."""
    seen = look_at(target, key)
    shown = f"it shows {seen.kind} {seen.fingerprint}"
    if seen.state == "changed":
        raise changed_key(target.known_as, shown, target.known_hosts[0], target.trusted_by)
    if seen.state == "unknown":
        raise unknown_key(target.known_as, shown, target.trusted_by)
