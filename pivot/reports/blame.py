"""Where the bytes at a path come from, as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator

from pivot.history.provenance import Origin
from pivot.reports.show import info_document, run_text


def blame_lines(origin: Origin, subject: str) -> Iterator[str]:
    """`subject` is the first line of the commit's message."""
    yield f"commit       {f'{origin.commit[:12]} {subject}' if origin.commit else '(no note names these bytes yet)'}"
    yield f"stage        {origin.stage}"
    yield f"fingerprint  {origin.fingerprint}"
    yield f"run          {run_text(origin.info) if origin.info else '(nothing is known of it here)'}"
    yield f"output       {origin.path}"
    yield f"id           {origin.id}"


def blame_document(origin: Origin) -> dict[str, object]:
    """`blame --json`."""
    return {
        "version": 1,
        "path": origin.path,
        "id": origin.id,
        "commit": origin.commit,
        "stage": origin.stage,
        "fingerprint": origin.fingerprint,
        "result": origin.result,
        "run": info_document(origin.info) if origin.info else None,
    }
