"""What the command, its code servers and the stages' processes say to each other, and how it is framed.

Three ways, each one-directional in its kinds of messages:
- command to server, over a Unix socket: `Setup` once, `Begin` if that asks for it, then `RunStage` (and two
  descriptors: result, output) and `Kill`;
- server to command, over the same socket: `Analysed` or `ImportFailed` once, then `Started` and `Exited` for each job;
- stage to command, over a pipe of its own: exactly one of `StageDone` and `StageFailed`.

A frame is four bytes of length, big-endian, and that many bytes of msgpack; the highest bit of the length says that all
texts are escaped, since MessagePack has no form for surrogates. Both ends are the same installation, so
there is no version. Whatever comes from a process that has run user code is checked and bounded when it is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from pivot.code.analysis.model import PipelineModel
from pivot.pipeline.overrides import Given

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


class Preload(msgspec.Struct, frozen=True):
    """Libraries that a server may import before it begins, and the project's folders on the import path then."""

    modules: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


class Setup(Message, frozen=True):
    """What a code server is for. `root` and `store` are absolute; `cache` is where the analysis is kept ("": not).

    `grace` is how many seconds threads may go on after the function has returned. `given` are parameters that the user
    gave for this command. Outputs of a stage that are no more than `carried` bytes together travel with its answer
    instead of going into the store. `outside` is `pivot.outsideCode`. Python programs that stages start report what
    they open in the folder `reports`, which belongs to this server alone ("": they do not). One that is `held` imports
    the libraries of `warm`, and waits for `Begin`.
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
    reports: str = ""
    warm: Preload = Preload()
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
    warmth: Preload


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

_ESCAPED = 1 << 31
"""In the length of a frame: its texts are escaped, since one of them has a surrogate."""
_ESCAPE = re.compile(r"\\\\|\\u([0-9a-f]{4})")

_encoder = msgspec.msgpack.Encoder()


def encode(message: Message) -> bytes:
    """One frame."""
    try:
        body, flag = _encoder.encode(message), 0
    except UnicodeEncodeError:  # a path or a variable whose bytes are not UTF-8: rare, and so it may be slow
        plain = msgspec.to_builtins(message, builtin_types=(bytes, bytearray, memoryview))
        body, flag = _encoder.encode(_with_texts(plain, _escape)), _ESCAPED
    return (len(body) | flag).to_bytes(_HEADER, "big") + body


def _with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Plain data with each text changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {_with_texts(key, change): _with_texts(item, change) for key, item in value.items()}
    return [_with_texts(item, change) for item in value] if isinstance(value, list | tuple) else value


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").encode("utf-8", "backslashreplace").decode()


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\\" if found[0] == "\\\\" else chr(int(found[1], 16)), text)


class FrameReader:
    """Takes bytes as they come and gives whole messages of one union of kinds."""

    def __init__(self, kinds: Any, limit: int) -> None:
        self._kinds = kinds
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
        while (frame := self._next_frame()) is not None:
            body, escaped = frame
            try:
                messages.append(self._decode(body, escaped=escaped))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError) as error:
                raise ProtocolError(f"a frame of {len(body)} bytes is no message: {error}") from error
        return messages

    def _decode(self, body: bytes, *, escaped: bool) -> Any:
        if not escaped:
            return self._decoder.decode(body)
        return msgspec.convert(_with_texts(msgspec.msgpack.decode(body), _unescape), self._kinds)

    def _next_frame(self) -> tuple[bytes, bool] | None:
        if len(self._held) < _HEADER:
            return None
        head = int.from_bytes(self._held[:_HEADER], "big")
        length, escaped = head & ~_ESCAPED, bool(head & _ESCAPED)
        if length > self._limit:
            raise ProtocolError(f"a frame of {length} bytes is longer than {self._limit}")
        end = _HEADER + length
        if len(self._held) < end:
            return None
        body = bytes(self._held[_HEADER:end])
        del self._held[:end]
        return body, escaped
