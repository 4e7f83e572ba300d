"""Logging in with keys: those of the agent, then files. No passwords; a passphrase is asked for on a terminal only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import paramiko

from pivot.errors import ConnectionLost, RemoteError
from pivot.sync.remote.ssh.target import SshTarget


def log_in(transport: paramiko.Transport, target: SshTarget, timeout: int, ask: Callable[[str], str | None]) -> None:
    """Offer one key after the other.

    Raises:
        RemoteError: the host takes none of them.
    """
    transport.auth_timeout = timeout
    notes: list[str] = []
    offered = 0
    for key in _keys(target, ask, notes):
        offered += 1
        try:
            transport.auth_publickey(target.user, key)
            return
        except paramiko.AuthenticationException as error:
            notes.append(str(error).splitlines()[0])
            if not transport.is_active():
                break
        except (paramiko.SSHException, EOFError) as error:
            raise ConnectionLost(f"the connection to {target.host} broke while logging in: {error}") from error
    told = f" ({'; '.join(dict.fromkeys(notes))})" if notes else ""
    raise RemoteError(
        f"{target.host} does not let {target.user} in with any of {offered} keys{told}",
        hint="Add your key to ~/.ssh/authorized_keys there, or `git config pivot-remote.NAME.identityFile FILE`",
    )


def _keys(target: SshTarget, ask: Callable[[str], str | None], notes: list[str]) -> Iterator[paramiko.PKey]:
    if not target.only_identities:
        yield from paramiko.Agent().get_keys()
    for file in target.identity_files:
        if os.path.isfile(file):
            key = _load(file, ask, notes)
            if key is not None:
                yield key


def _load(file: str, ask: Callable[[str], str | None], notes: list[str]) -> paramiko.PKey | None:
    try:
        return paramiko.PKey.from_path(file)
    except TypeError:  # what `cryptography` says of a key that needs a passphrase
        pass
    except paramiko.PasswordRequiredException:
        pass
    except (paramiko.SSHException, ValueError, OSError) as error:
        notes.append(f"{file} cannot be read: {error}")
        return None
    passphrase = ask(file)
    if passphrase is None:
        notes.append(f"{file} has a passphrase, and there is no terminal to ask on: ssh-add {file}")
        return None
    try:
        return paramiko.PKey.from_path(file, passphrase.encode())
    except (paramiko.SSHException, ValueError, OSError) as error:
        notes.append(f"{file}: {error}")
        return None
