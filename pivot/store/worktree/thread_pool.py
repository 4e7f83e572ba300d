"""Work on many files in a few threads: system calls, zlib and hashing let the others run meanwhile."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

CROWD = 128  # files; below it threads cost more than they save
CHUNK = 64  # files that one thread takes at a time

Item = TypeVar("Item")
Result = TypeVar("Result")


def for_each(items: Sequence[Item], work: Callable[[Item], object]) -> None:
    """Do `work` for every item, in threads when there are many."""
    if len(items) < CROWD:
        for item in items:
            work(item)
        return

    def take(chunk: Sequence[Item]) -> None:
        for item in chunk:
            work(item)

    for _ in in_threads((items[at : at + CHUNK] for at in range(0, len(items), CHUNK)), take):
        pass


def in_threads(chunks: Iterable[Item], work: Callable[[Item], Result]) -> Iterator[Result]:
    """Results in order, with a few chunks in flight at most, so that memory does not grow with the number of files."""
    from concurrent.futures import Future, ThreadPoolExecutor

    workers = min(8, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(workers)
    flying: deque[Future[Result]] = deque()
    try:
        for chunk in chunks:
            flying.append(pool.submit(work, chunk))
            if len(flying) > 2 * workers:
                yield flying.popleft().result()
        while flying:
            yield flying.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
