"""Deps outside the repository: an id by content for a path, by what the server says for a URL; never moved."""

from __future__ import annotations

from pathlib import Path

from pivot.errors import InputError
from pivot.plan.inputs import Inputs
from pivot.state.records import digest_of

TIMEOUT_SECONDS = 20


def identify_external(address: str, inputs: Inputs) -> str | None:
    """The id of an absolute path (None: nothing there) or an http(s) URL.

    Raises:
        InputError: the URL cannot be reached, or its server names no version of it.
    """
    if address.startswith(("http://", "https://")):
        return _identify_url(address)
    found = inputs.at(str(Path(address)))
    return found.id if found else None


def _identify_url(url: str) -> str:
    import urllib.request  # 30 ms that only a URL pays

    request = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            headers = {name: answer.headers.get(name) for name in ("ETag", "Last-Modified", "Content-Length")}
    except OSError as error:
        raise InputError(f"cannot reach {url}: {error}", hint="Check the address and the network.") from error
    if not headers["ETag"] and not headers["Last-Modified"]:
        raise InputError(
            f"the server of {url} names no version of it (no ETag, no Last-Modified)",
            hint="Download the file in a stage of its own, and depend on that.",
        )
    return "url:" + digest_of(headers)
