"""Why a host is not talked to, in sentences with a way out."""

from __future__ import annotations

import os
import shlex

from pivot.errors import RemoteError
from pivot.sync.remote.ssh.settings import KNOWN_HOSTS, own_home


def changed_key(host: str, shown: str, file: str, trusted_by: str) -> RemoteError:
    """`file` holds the key that was known; `trusted_by` is the command that makes one known."""
    told = f" ({shown})" if shown else ""
    usual = os.path.expanduser(file) == KNOWN_HOSTS.replace("~", own_home(), 1)  # which `ssh-keygen` edits
    forget = shlex.join(["ssh-keygen", "-R", host, *([] if usual else ["-f", file])])
    return RemoteError(
        f"the host key of {host} is another than the one that is known{told}: somebody may stand in between",
        where=file,
        hint=f"Ask who runs the host. If the change is meant: `{forget}`, then `{trusted_by}`.",
    )


def unknown_key(host: str, shown: str, trusted_by: str) -> RemoteError:
    """`trusted_by` is the command that makes a key known."""
    told = f": {shown}" if shown else ""
    return RemoteError(
        f"the host key of {host} is not known{told}", hint=f"{trusted_by} (shows the fingerprint, and asks)"
    )
