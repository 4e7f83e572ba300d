"""What the command, its code servers and the stages' processes say to each other, and how it is framed.

Three ways, each one-directional in its kinds of messages:
- command to server, over a Unix socket: `Setup` once, `Begin` if that asks for it, then `RunStage` (and two
  descriptors: result, output) and `Kill`;
- server to command, over the same socket: `Analysed` or `ImportFailed` once, then `Started` and `Exited` for each job;
- stage to command, over a pipe of its own: exactly one of `StageDone` and `StageFailed`.

A frame is four bytes of length, big-endian, and that many bytes of msgpack. Both ends are the same installation, so
there is no version. Whatever comes from a process that has run user code is checked and bounded when it is decoded.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from pivot.code.model import PipelineModel
from pivot.pipeline.given import Given

MODEL_LIMIT = 1 << 30
RESULT_LIMIT = 64 << 20
LOST_ANSWER = 121
"""Exit code of a stage's process that could not send its answer."""
STUCK_AT_END = 122
"""Exit code of one whose pools of threads could not be closed."""
_HEADER = 4

FailureKind = Literal[
    "raised",  # the stage's function, or a loader of the project, raised
    "declared",  # an input, output or return value is not what the stage declares
    "store",  # an output could not be put into the store
    "moved",  # the stage's code is no longer what the command decided on
    "import",  # the pipeline file cannot be imported
    "threads",  # threads were still at work when the function had returned
    "exit",  # the process ended before it had answered
    "signal",
    "timeout",
    "cancelled",
    "protocol",  # the answer could not be read or sent
]


class ProtocolError(Exception):
    """The other end sent something that is no message."""


class Message(msgspec.Struct, frozen=True, tag=True):
    """Base of all messages; the tag is the name of the class."""


class Warmth(msgspec.Struct, frozen=True):
    """Libraries that a server may import before it begins, and the project's folders on the import path then."""

    modules: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


class Setup(Message, frozen=True):
    """What a code server is for. `root` and `store` are absolute; `cache` is where the analysis is kept ("": not).

    `grace` is how many seconds threads may go on after the function has returned. `given` are parameters that the user
    gave for this command. Outputs of a stage that are no more than `carried` bytes together travel with its answer
    instead of going into the store. `outside` is `pivot.outsideCode`. One that is `held` imports the libraries of
    `warm`, and waits for `Begin`.
    """

    root: str
    file: str
    store: str
    link: str
    cache: str
    grace: float
    start: Literal["auto", "fork", "spawn"]
    given: tuple[Given, ...] = ()
    carried: int = 0
    outside: str = "count"
    warm: Warmth = Warmth()
    held: bool = False


class Begin(Message, frozen=True):
    """The code is there: import it."""


class RunStage(Message, frozen=True):
    """Run one stage; its two descriptors (result, output) travel with this message.

    `code` is the digest the command decided on ("": any). `memory` limits the address space, in bytes (0: no limit).
    With `terminal`, a path, the debugger opens there when the stage's function raises.
    """

    job: int
    stage: str
    code: str
    memory: int
    terminal: str = ""


class Kill(Message, frozen=True):
    job: int
    signal: int


class Analysed(Message, frozen=True):
    """`start` says how stages of this server start, `why` what spoke against fork; `warmth` is for the next server."""

    model: PipelineModel
    start: Literal["fork", "spawn"]
    why: str
    warmth: Warmth


class ImportFailed(Message, frozen=True):
    message: str


class Started(Message, frozen=True):
    job: int
    pid: int


class Exited(Message, frozen=True):
    """`status` is a wait status; `cpu` in seconds and `memory` in bytes include waited-for children."""

    job: int
    status: int
    cpu: float
    memory: int


class Put(msgspec.Struct, frozen=True):
    """An output in the store: see `pivot.store` for the fields."""

    id: str
    mode: int
    size: int


class StageDone(Message, frozen=True):
    """The stage's result. All paths are repository-relative; `seconds` is wall time of load, call, save and put.

    `modules` are project files imported while it ran, `undeclared` says which others it read or wrote without
    declaring them, `environment` the variables that it read, with their values, `stats` what the store's stat cache
    learnt, `carried` the bytes of those outputs that are not in the store yet, by id.
    """

    outs: dict[str, Put]
    seconds: float
    modules: list[str]
    undeclared: list[str]
    environment: dict[str, str | None]
    stats: bytes
    warnings: list[str]
    carried: dict[str, bytes]


class StageFailed(Message, frozen=True):
    """`message` is one sentence, `traceback` the user's frames only, `inputs` a line for each input."""

    kind: FailureKind
    message: str
    traceback: str
    inputs: list[str]
    seconds: float


ToServer = Setup | RunStage | Kill
FromServer = Analysed | ImportFailed | Started | Exited
FromStage = StageDone | StageFailed

_encoder = msgspec.msgpack.Encoder()


def encode(message: Message) -> bytes:
    """One frame."""
    body = _encoder.encode(message)
    return len(body).to_bytes(_HEADER, "big") + body


class FrameReader:
    """Takes bytes as they come and gives whole messages of one union of kinds."""

    def __init__(self, kinds: Any, limit: int) -> None:
        self._decoder = msgspec.msgpack.Decoder(kinds)
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """The messages that `data` completes.

        Raises:
            ProtocolError: a frame is longer than the limit, or is no message of these kinds.
        """
        self._held += data
        messages = []
        while (body := self._next_body()) is not None:
            try:
                messages.append(self._decoder.decode(body))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise ProtocolError(f"a frame of {len(body)} bytes is no message: {error}") from error
        return messages

    def _next_body(self) -> bytes | None:
        if len(self._held) < _HEADER:
            return None
        length = int.from_bytes(self._held[:_HEADER], "big")
        if length > self._limit:
            raise ProtocolError(f"a frame of {length} bytes is longer than {self._limit}")
        end = _HEADER + length
        if len(self._held) < end:
            return None
        body = bytes(self._held[_HEADER:end])
        del self._held[:end]
        return body
