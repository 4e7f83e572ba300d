"""What a commit stands on, as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator

from pivot.git.plumbing.quoting import one_line, quoted
from pivot.history.snapshot import CommittedState, Snapshot
from pivot.reports.units import seconds, size
from pivot.state.records import Info


def show_lines(snapshot: Snapshot) -> Iterator[str]:
    """Each stage with its fingerprint and its newest run, and its outputs with sizes and ids."""
    yield f"commit {snapshot.commit}"
    if snapshot.noted != snapshot.commit:
        yield f"noted at {snapshot.noted}, which has the same files"
    for stage, standings in snapshot.stages.items():
        yield ""
        if len(standings) > 1:
            yield f"{stage}: {len(standings)} different results are noted"
        for standing in standings:
            yield from _standing_lines(standing)


def _standing_lines(standing: CommittedState) -> Iterator[str]:
    line = standing.line
    if line.state != "result":
        yield f"{line.stage}  {line.state}"
        return
    told = f"  {run_text(standing.infos[0])}" if standing.infos else ""
    yield f"{line.stage}  {(line.fingerprint or '')[:8]}{told}"
    sizes = {path: size(out.size) for path, out in standing.record.outs.items()} if standing.record else {}
    width = max((len(quoted(path)) for path, _ in line.outs), default=0)
    for path, oid in line.outs:
        yield f"  {quoted(path):<{width}}  {sizes.get(path, 'unknown'):>10}  {oid[:12]}"


def run_text(info: Info) -> str:
    """When, who, how long."""
    text = f"{info.finished}  {seconds(info.seconds)}  {one_line(info.user)}  {one_line(info.host)}"
    return f"{text}  adopted: {one_line(info.adopted)}" if info.adopted else text


def show_document(snapshot: Snapshot) -> dict[str, object]:
    """`show --json`."""
    stages = [_standing_document(standing) for held in snapshot.stages.values() for standing in held]
    return {"version": 1, "commit": snapshot.commit, "noted": snapshot.noted, "stages": stages}


def _standing_document(standing: CommittedState) -> dict[str, object]:
    line, record = standing.line, standing.record
    held = record.outs if record else {}
    return {
        "stage": line.stage,
        "state": line.state,
        "fingerprint": line.fingerprint,
        "result": line.result,
        "outs": [
            {"path": path, "id": oid, "size": held[path].size if path in held else None} for path, oid in line.outs
        ],
        "runs": [info_document(info) for info in standing.infos],
    }


def info_document(info: Info) -> dict[str, object]:
    return {
        "stage": info.stage,
        "finished": info.finished,
        "seconds": info.seconds,
        "cpu": info.cpu,
        "memory": info.memory,
        "user": info.user,
        "host": info.host,
        "python": info.python,
        "adopted": info.adopted,
    }
