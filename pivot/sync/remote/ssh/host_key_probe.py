"""Getting to know a host before the first connection: the key that it shows."""

from __future__ import annotations

from pivot.sync.remote.address import Address
from pivot.sync.remote.ssh.host_keys import HostKey, look_at
from pivot.sync.remote.ssh.paramiko_connection import open_transport
from pivot.sync.remote.ssh.settings import SshSettings
from pivot.sync.remote.ssh.target import SshTarget, as_program_reads, find_target


def see_host_key(address: Address, settings: SshSettings, *, program: bool) -> tuple[HostKey, SshTarget] | None:
    """The key that a host shows, without logging in; None for one behind others, whose keys come first.

    With `program` it is the `ssh` program that must know the key later.

    Raises:
        ConnectionLost: it cannot be reached.
    """
    target = find_target(address, settings)
    if target.jumps:
        return None
    if program:
        target = as_program_reads(target, address, settings)
    transport = open_transport(target, settings.timeout)
    try:
        return look_at(target, transport.get_remote_server_key()), target
    finally:
        transport.close()
