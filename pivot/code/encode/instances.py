"""How the instances of classes are written: by what they hold, never by what they would say of themselves."""

from __future__ import annotations

import contextlib
import copyreg
import functools
import sys
import types
from collections.abc import Iterator
from typing import Any

from pivot.code.encode.containers import Encoding, Resists

_SLOT_SKIPPED = {"__weakref__", "__dict__"}
# What `functools.update_wrapper` copies: how a function is called, and where it stands.
_TOLD = frozenset({"__module__", "__name__", "__qualname__", "__doc__", "__annotations__", "__type_params__"})


def _slots(kind: type) -> Iterator[tuple[str, types.MemberDescriptorType]]:
    for parent in kind.__mro__:
        slots = vars(parent).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            descriptor = vars(parent).get(name)
            if name not in _SLOT_SKIPPED and isinstance(descriptor, types.MemberDescriptorType):
                yield name, descriptor


class Instances(Encoding):
    """Writes the content and the state of instances."""

    def content(self, value: Any) -> None:
        """What a subclass of a builtin container or number holds."""
        kind = type(value)  # an object may say that it is of another class
        if issubclass(kind, dict):
            self.mapping(dict(dict.items(value)))
            self.encode(getattr(value, "default_factory", None))
        elif issubclass(kind, list | tuple):
            self.items("items", list.__iter__(value) if issubclass(kind, list) else tuple.__iter__(value))
        elif issubclass(kind, set | frozenset):
            self.unordered(set(value))
        elif issubclass(kind, str):
            self.encode(str.__str__(value))
        elif issubclass(kind, bytes | bytearray):
            self.node.text(f"y{bytes(value)!r}")
        elif issubclass(kind, int | float):
            self.encode(int.__add__(value, 0) if issubclass(kind, int) else float.__add__(value, 0))
        elif issubclass(kind, BaseException):
            self.encode(value.args)
        elif "numpy" in sys.modules and issubclass(kind, sys.modules["numpy"].ndarray):
            self.array(value)

    def state(self, value: Any) -> None:
        """Attributes and slots, whatever the order in which they were set."""
        try:
            held = dict(object.__getattribute__(value, "__dict__"))
        except AttributeError:
            held = {}
        for name, descriptor in _slots(type(value)):
            with contextlib.suppress(AttributeError):  # declared, not set
                held[name] = descriptor.__get__(value)
        self._forget_caches(value, held)
        self.node.text("state(")
        for name in sorted(held):
            self.node.text(name)
            self.attempt(name, held[name])
        self.node.text(")")

    def attempt(self, name: str, value: Any) -> None:
        """One attribute of an instance; one that resists does not take the others with it."""
        tokens, edges = len(self.node.tokens), len(self.node.edges)
        try:
            self.encode(value)
        except Resists as error:
            del self.node.tokens[tokens:], self.node.edges[edges:]
            self.node.text(f"unread {self.walker.public_name(type(value))}")
            self.walker.unreadable(self.node, name, str(error))

    @staticmethod
    def _forget_caches(value: Any, held: dict[str, Any]) -> None:
        for name in list(held):
            if isinstance(vars(type(value)).get(name), functools.cached_property):
                del held[name]

    def reduced(self, value: Any) -> None:
        """An instance of a class outside the project, by what it would tell pickle."""
        reducer = copyreg.dispatch_table.get(type(value))  # as pickle does: compiled regexes stand there
        try:
            reduced = reducer(value) if reducer is not None else value.__reduce_ex__(4)
        except Exception as error:
            raise Resists(f"{self.walker.public_name(type(value))} cannot be read ({error})") from error
        if isinstance(reduced, str):
            self.node.text("global " + reduced)
            return
        maker, arguments, *rest = reduced
        if maker not in (copyreg.__newobj__, copyreg._reconstructor):  # type: ignore[attr-defined]
            self.encode(maker)
        self.encode(arguments)
        for number, part in enumerate(rest):
            if part is None:
                continue
            if number in (1, 2):
                self.encode(list(part))
            elif isinstance(part, dict):
                told = _TOLD if "__wrapped__" in part else {"__doc__"}
                self.mapping({name: item for name, item in part.items() if name not in told}, ordered=False)
            else:
                self.encode(part)
