"""Frames survive any cut, and nothing that comes from a stage is believed unseen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.worker.protocol import (
    Exited,
    FrameReader,
    FromServer,
    FromStage,
    Kill,
    ProtocolError,
    Put,
    StageDone,
    StageFailed,
    Started,
    ToServer,
    encode,
)

DONE = StageDone({"a": Put("0" * 40, 0o100644, 3)}, 0.5, ["m.py"], [], {"HOME": None}, b"\x00", [], {})
MESSAGES = [DONE, StageFailed("raised", "no", "trace", ["x: int = 1"], 1.0), DONE]


@given(st.lists(st.integers(1, 40), max_size=60))
def test_messages_come_out_however_the_bytes_are_cut(sizes: list[int]) -> None:
    data, reader, found = b"".join(map(encode, MESSAGES)), FrameReader(FromStage, 1 << 20), []
    for size in sizes:
        found += reader.feed(data[:size])
        data = data[size:]
    assert found + reader.feed(data) == MESSAGES


LETTERS = st.one_of(st.characters(), st.characters(categories=["Cs"]), st.sampled_from("\\u0dce9"))
TEXTS = st.text(LETTERS, max_size=20)


@given(TEXTS, st.dictionaries(TEXTS, st.none() | TEXTS, max_size=3))
def test_texts_that_are_not_unicode_arrive_as_they_were(text: str, environment: dict[str, str | None]) -> None:
    done = StageDone({text: Put("0" * 40, 0o100644, 3)}, 0.5, [text], [], environment, b"\xff\0", [], {})
    assert FrameReader(FromStage, 1 << 20).feed(encode(done) + encode(DONE)) == [done, DONE]


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x01x",
        b"\x00\x00\x00\x00",
        b"\x80\x00\x00\x01x",
        b"\x80\x00\x10\x00" + b"\x91" * 4096,
        encode(Kill(1, 9)),
        encode(StageFailed("unheard of", "", "", [], 0.0)),  # type: ignore[arg-type]
    ],
    ids=[
        "too long",
        "no msgpack",
        "empty",
        "no escaped msgpack",
        "too deep",
        "a message of another kind",
        "an unknown failure",
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        FrameReader(FromStage, 1 << 20).feed(data)


@given(st.binary(max_size=200))
def test_noise_is_refused_or_waited_for(data: bytes) -> None:
    try:
        messages = FrameReader(FromStage, 1 << 20).feed(data)
    except ProtocolError:
        return
    assert all(isinstance(message, StageDone | StageFailed) for message in messages)


def test_each_way_has_its_kinds() -> None:
    started, exited = Started(1, 2), Exited(1, 0, 0.1, 100)
    assert FrameReader(FromServer, 1 << 20).feed(encode(started) + encode(exited)) == [started, exited]
    assert FrameReader(ToServer, 1 << 20).feed(encode(Kill(3, 15))) == [Kill(3, 15)]
