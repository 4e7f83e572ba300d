"""The stages of a commit by its own code, which is imported in a checkout of its own, and in the sandbox of the owner.

What is asked, the modules that records name, and the answer are files in the Git folder of the checkout. The code that
is imported could write the answer itself: it shows a note that was edited, and not a pipeline that was made to lie.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from pivot.code.analysis.model import AnalysedStage
from pivot.code.walk.late_imports import extend
from pivot.errors import PivotError
from pivot.git.plumbing.quoting import one_line
from pivot.history.attestation import Analysis, StageCode
from pivot.operations.clean_checkout import ReproProcess, own_tree
from pivot.operations.sandbox import Sandbox
from pivot.plan.situation import artifacts
from pivot.pool.pool import WorkerPool
from pivot.project import Project
from pivot.run.session import Session
from pivot.run.worker_settings import worker_settings
from pivot.state.records import IMPORTED, Record, digest_of

VERB = "__analyse"
_QUESTION, _ANSWER = "pivot-modules.json", "pivot-stages.json"
_MOST = 32 << 20  # bytes of an answer
_LAST = 5  # lines of what it printed


class _Answer(msgspec.Struct, frozen=True):
    stages: dict[str, StageCode] = {}
    failures: tuple[str, ...] = ()


def analyser(sandbox: Sandbox, limit: float) -> Callable[[Project, str, Mapping[str, Sequence[Record]]], Analysis]:
    """What `attest` calls. It takes `limit` seconds at most."""

    def analyse(project: Project, commit: str, records: Mapping[str, Sequence[Record]]) -> Analysis:
        with own_tree(project.location, commit) as room:
            place = room.root / ".git"
            modules = {stage: [_imported(one) for one in held] for stage, held in records.items()}
            (place / _QUESTION).write_bytes(msgspec.json.encode(modules))
            settings = {"pivot.store": str(place / "pivot/store.git")}
            with ReproProcess(room, VERB, limit=limit, settings=settings, sandbox=sandbox) as run:
                said = list(run.lines())[-_LAST:]
            if run.code is None:
                return f"it took longer than {limit:g} s"
            answer = _read(place / _ANSWER) if run.code == 0 else None
            if answer is None:
                return f"the analysis ended with {run.code}: {' / '.join(said)}"
            return one_line("; ".join(answer.failures), 1000) or answer.stages

    return analyse


def answer_analysis() -> int:
    """Import the pipelines of the checkout in the current folder, and write what they are."""
    with Project.open(Path.cwd()) as project, WorkerPool(worker_settings(project)) as workers:
        place = project.location.git_dir
        modules = msgspec.json.decode((place / _QUESTION).read_bytes(), type=dict[str, list[list[str]]])
        try:
            model = Session(project, workers).model()
            stages = {one.name: _code(one, project.root, modules.get(one.name, ())) for one in model.stages()}
            failures = tuple(f"{one.file} cannot be imported: {_reason(one.message)}" for one in model.failures)
            answer = _Answer(stages, failures)
        except PivotError as error:
            answer = _Answer({}, (_reason(error.what),))
    (place / _ANSWER).write_bytes(msgspec.json.encode(answer))
    return 0


def _code(stage: AnalysedStage, root: Path, imported: Sequence[Sequence[str]]) -> StageCode:
    wider = [extend(stage.manifest, root, modules).digest() for modules in imported if modules]
    spec = stage.spec
    return StageCode((stage.code, *wider), digest_of(spec.params), digest_of(artifacts(spec)))


def _imported(record: Record) -> list[str]:
    """The project files that the record's run imported beyond the static code."""
    try:
        labels = [str(edge[0]) for edge in record.code["edges"][0]]
    except (KeyError, IndexError, TypeError):
        return []
    return [label.removeprefix(IMPORTED) for label in labels if label.startswith(IMPORTED)]


def _reason(message: str) -> str:
    """The last line of a traceback says what is wrong."""
    return message.strip().rpartition("\n")[2]


def _read(path: Path) -> _Answer | None:
    """The answer, which the imported code could have written: a small plain file of the right shape, or nothing."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(_MOST + 1)
        return msgspec.json.decode(data, type=_Answer) if len(data) <= _MOST else None
    return None
