"""Encode a live value by its structure: no address, no pickle, no order where there is none."""

from __future__ import annotations

import contextlib
import contextvars
import datetime
import enum
import functools
import threading
import types
import weakref
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from pivot.code.encode.containers import Resists, write_known
from pivot.code.encode.instances import Instances
from pivot.code.encode.library_objects import write_service
from pivot.code.lookup.definitions import closure_of
from pivot.code.syntax.references import constant_token

_SCALARS = (type(None), bool, int, float, complex, bytes, type(Ellipsis))
# What an argument may be that a function of a library has kept.
_GIVEN = (str, int, float, tuple, list, dict, set, frozenset)
_VIEWS = tuple(type(getattr({}, view)()) for view in ("keys", "values", "items"))
_LRU = type(functools.lru_cache(lambda: None))
# Objects that hold no value of their own: what they are is told by their type.
_STATELESS = {
    "_thread.lock",
    "_thread.RLock",
    "threading.RLock",
    "threading.Condition",
    "builtins.object",
    "abc._abc_data",
    "_abc._abc_data",
}


class Encoder(Instances):
    """Writes one value as tokens and edges of a node."""

    def encode(self, value: Any) -> None:
        """Append `value`.

        Raises:
            Resists: something in it cannot be read.
        """
        if isinstance(value, _SCALARS) and type(value) in _SCALARS:
            self.node.text("'" + constant_token(value))
            return
        if type(value) is str:
            self.node.text("'s" + self.walker.relative_text(value))
            return
        known = self._seen.get(id(value))
        if known is not None:
            self.node.text(f"^{known}")
            return
        if not issubclass(type(value), type | types.FunctionType | types.BuiltinFunctionType | enum.Enum):
            self._seen[id(value)] = len(self._seen)
            self._kept.append(value)
        self._object(value)

    def _object(self, value: Any) -> None:
        exact = _EXACT.get(type(value))
        if exact is not None:
            exact(self, value)
            return
        for kinds, write in _WRITERS:
            if issubclass(type(value), kinds):  # an object may say that it is of another class
                write(self, value)
                return
        if write_known(self, value) or write_service(self, value):
            return
        self._instance(value)

    # --- code

    def function(self, value: types.FunctionType) -> None:
        target = self.walker.code_of(value)
        if not isinstance(target, str):
            self.node.edge(target)
            return
        self.node.text(target)
        self._wrapped(value)

    def _wrapped(self, value: Any) -> None:
        """What an external wrapper holds of the project: registries of dispatch, closures, the wrapped function."""
        registry = getattr(value, "registry", None)
        if callable(getattr(value, "dispatch", None)) and isinstance(registry, types.MappingProxyType):
            for kind in sorted(registry, key=lambda kind: str(kind.__qualname__)):
                self.encode(kind)
                self.encode(registry[kind])
            return
        for held in closure_of(value).values():
            if callable(held) or isinstance(held, _GIVEN) or self.walker.owns_class(type(held)):
                self.attempt("held", held)
        for held in (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()):
            if type(held) is types.FunctionType or self.walker.owns_class(type(held)):
                self.attempt("default", held)
        if "__wrapped__" in vars(value):
            self.encode(vars(value)["__wrapped__"])

    def cached(self, value: Any) -> None:
        self.node.text("lru_cache")
        parameters = value.cache_parameters()
        self.encode((parameters["maxsize"], parameters["typed"]))
        self.encode(value.__wrapped__)

    def partial(self, value: Any) -> None:
        self.node.text("partial")
        self.encode(value.func)
        self.encode(value.args)
        self.mapping(value.keywords)

    def builtin(self, value: Any) -> None:
        owner = value.__self__
        if owner is None or isinstance(owner, types.ModuleType):
            self.node.text("X:" + self.walker.public_name(value))
            return
        self.encode(owner)
        self.node.text("." + value.__name__)

    def method(self, value: types.MethodType) -> None:
        self.encode(value.__self__)
        self.node.text("." + getattr(value.__func__, "__name__", "?"))
        self.encode(value.__func__)

    def property(self, value: property) -> None:
        self.items("property", (value.fget, value.fset, value.fdel))

    def kind(self, value: type) -> None:
        target = self.walker.class_of(value)
        if isinstance(target, str):
            self.node.text(target)
        else:
            self.node.edge(target)

    def module(self, value: types.ModuleType) -> None:
        target = self.walker.module_of(value)
        if isinstance(target, str):
            self.node.text(target)
        else:
            self.node.edge(target)

    def member(self, value: enum.Enum) -> None:
        self.encode(type(value))
        self.node.text(f"member {value.name}")
        if value.name is None:
            self.encode(value.value)

    # --- instances

    def _instance(self, value: Any) -> None:
        kind = type(value)
        name = self.walker.public_name(kind)
        if name in _STATELESS or self.walker.is_opaque(value):
            self.node.text("X:" + name)
            return
        if callable(value) and not self.walker.owns_class(kind) and type(getattr(value, "__qualname__", None)) is str:
            held = getattr(value, "__dict__", {})
            if "__wrapped__" not in held:
                self.node.text("X:" + self.walker.public_name(value))  # a function of an extension module
                if callable(wrapped := getattr(value, "__wrapped__", None)):
                    self.encode(wrapped)
                return
        self.encode(kind)
        project = any(self.walker.owns_class(parent) for parent in kind.__mro__)
        if project or (kind.__module__ == "types" and kind is types.SimpleNamespace):
            self.content(value)
            self.state(value)
            return
        if issubclass(kind, dict | list | tuple | set | frozenset | str | int | float | bytes):
            self.content(value)
            self.state(value)
            return
        fields = getattr(kind, "__dataclass_fields__", None)
        if fields is not None:
            self.items("fields", [getattr(value, name, None) for name in fields])
            return
        self.reduced(value)


def _variable(encoder: Encoder, value: contextvars.ContextVar[Any]) -> None:
    """A context variable: its default, and what the import has set in it, which the stages inherit."""
    encoder.node.text("ContextVar")
    reads: tuple[Callable[[], Any], ...] = (lambda: contextvars.Context().run(value.get), value.get)
    for read in reads:
        encoder.node.text("value")
        with contextlib.suppress(LookupError):
            encoder.encode(read())


def _local(encoder: Encoder, value: threading.local) -> None:
    """Data of this thread: the stages run in it."""
    if type(value) is threading.local:
        encoder.node.text("local")
    else:
        encoder.encode(type(value))
    encoder.mapping(dict(threading.local.__getattribute__(value, "__dict__")), ordered=False)


def _reference(encoder: Encoder, value: weakref.ref[Any]) -> None:
    encoder.items("reference", (value(),))


def _weak(encoder: Encoder, value: Any) -> None:
    """A weak dict or set by what it holds now."""
    encoder.encode(type(value)) if not type(value).__module__.startswith("weakref") else None
    encoder.node.text(type(value).__name__)
    encoder.unordered(list(value.items()) if hasattr(type(value), "items") else list(value))


def _unreadable(encoder: Encoder, value: Any) -> None:
    raise Resists(f"a {type(value).__name__} object cannot be read")


_WRITERS: tuple[tuple[Any, Any], ...] = (
    (enum.Enum, Encoder.member),
    (types.FunctionType, Encoder.function),
    (types.GenericAlias | types.UnionType, Encoder.alias),
    (type, Encoder.kind),
    (types.MethodType, Encoder.method),
    (types.BuiltinFunctionType, Encoder.builtin),
    (types.ModuleType, Encoder.module),
    (_LRU, Encoder.cached),
    (functools.partial, Encoder.partial),
    (functools.partialmethod, Encoder.partial),
    (functools.cached_property, lambda encoder, value: encoder.items("cached_property", (value.func,))),
    (functools.singledispatchmethod, lambda encoder, value: encoder.items("dispatch", (value.dispatcher, value.func))),
    (staticmethod | classmethod, lambda encoder, value: encoder.items(type(value).__name__, (value.__func__,))),
    (property, Encoder.property),
    (PurePath, Encoder.path),
    (datetime.date | datetime.time | datetime.datetime, Encoder.moment),
    (
        types.GeneratorType | types.CoroutineType | types.AsyncGeneratorType | types.FrameType | types.TracebackType,
        _unreadable,
    ),
    (types.WrapperDescriptorType | types.MethodDescriptorType | types.ClassMethodDescriptorType, Encoder.text_of),
    (types.MethodWrapperType, lambda encoder, value: encoder.items("wrapper " + value.__name__, (value.__self__,))),
    (types.MappingProxyType, Encoder.mapping),
    (_VIEWS, lambda encoder, value: encoder.items(type(value).__name__, value)),
    (contextvars.ContextVar, _variable),
    (threading.local, _local),
    (weakref.ref, _reference),
    (weakref.WeakValueDictionary | weakref.WeakKeyDictionary | weakref.WeakSet, _weak),
)
_EXACT: dict[type, Any] = {
    dict: Encoder.mapping,
    list: lambda encoder, value: encoder.items("list", value),
    tuple: lambda encoder, value: encoder.items("tuple", value),
    set: Encoder.unordered,
    frozenset: Encoder.unordered,
    bytearray: lambda encoder, value: encoder.node.text(f"bytearray {bytes(value)!r}"),
    range: Encoder.text_of,
    slice: lambda encoder, value: encoder.items("slice", (value.start, value.stop, value.step)),
}
