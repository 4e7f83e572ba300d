"""Why a host is not talked to, in sentences with a way out."""

from __future__ import annotations

from pivot.errors import RemoteError


def changed_key(host: str, shown: str, file: str) -> RemoteError:
    told = f" ({shown})" if shown else ""
    mend = f"ssh-keygen -R '{host}', then `git pivot remote trust NAME`."
    return RemoteError(
        f"the host key of {host} is another than the one that is known{told}: somebody may stand in between",
        where=file,
        hint=f"Ask who runs the host. If the change is meant: {mend}",
    )


def unknown_key(host: str, shown: str) -> RemoteError:
    told = f": {shown}" if shown else ""
    hint = "git pivot remote trust NAME (shows the fingerprint, and asks)"
    return RemoteError(f"the host key of {host} is not known{told}", hint=hint)
