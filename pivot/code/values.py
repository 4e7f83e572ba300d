"""Encode a live value by its structure: no address, no pickle, no order where there is none."""

from __future__ import annotations

import copyreg
import datetime
import enum
import functools
import sys
import types
import typing
from pathlib import PurePath
from typing import Any, Protocol

import xxhash

from pivot.code.nodes import Node, Place
from pivot.code.normalise import constant_token

_SCALARS = (type(None), bool, int, float, complex, bytes, type(Ellipsis))
_SLOT_SKIPPED = {"__weakref__", "__dict__"}
_LRU = type(functools.lru_cache(lambda: None))
# Objects that hold no value of their own: what they are is told by their type.
_STATELESS = {
    "_thread.lock",
    "_thread.RLock",
    "threading.RLock",
    "threading.Event",
    "threading.Condition",
    "threading.Semaphore",
    "_thread._local",
    "logging.Logger",
    "logging.RootLogger",
    "_contextvars.ContextVar",
    "contextvars.ContextVar",
    "builtins.object",
    "weakref.WeakKeyDictionary",
    "weakref.WeakValueDictionary",
    "abc._abc_data",
    "_abc._abc_data",
}


class Resists(Exception):
    """A value whose content cannot be read; the argument says why."""


class Surroundings(Protocol):
    """What an encoder asks about the code around a value; a string stands for something outside the project."""

    def code_of(self, function: types.FunctionType) -> Node | str: ...
    def class_of(self, kind: type) -> Node | str: ...
    def module_of(self, module: types.ModuleType) -> Node | str: ...
    def owns_class(self, kind: type) -> bool: ...
    def public_name(self, value: Any) -> str: ...
    def is_opaque(self, value: Any) -> bool: ...
    def relative_text(self, text: str) -> str: ...
    def unreadable(self, node: Node, name: str, why: str) -> None: ...


class Encoder:
    """Writes one value as tokens and edges of a node."""

    def __init__(self, walker: Surroundings, node: Node) -> None:
        self.walker = walker
        self.node = node
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []

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
        if not isinstance(value, type | types.FunctionType | types.BuiltinFunctionType | enum.Enum):
            self._seen[id(value)] = len(self._seen)
            self._kept.append(value)
        self._object(value)

    def _object(self, value: Any) -> None:
        exact = _EXACT.get(type(value))
        if exact is not None:
            exact(self, value)
            return
        for kinds, write in _WRITERS:
            if isinstance(value, kinds):
                write(self, value)
                return
        if _write_known(self, value):
            return
        self._instance(value)

    def items(self, tag: str, values: Any) -> None:
        self.node.text(tag + "(")
        for value in values:
            self.encode(value)
        self.node.text(")")

    # --- containers

    def mapping(self, value: Any, *, ordered: bool = True) -> None:
        pairs = list(value.items())
        if not ordered:
            pairs.sort(key=lambda pair: str(pair[0]))
        self.node.text("dict(")
        for key, item in pairs:
            self.encode(key)
            self.encode(item)
        self.node.text(")")

    def unordered(self, value: Any) -> None:
        """A set: each element is encoded apart, and they are put in order of their encodings."""
        parts = []
        for item in value:
            part = Node("", "", Place("", 0))
            Encoder(self.walker, part).encode(item)
            parts.append((part.tokens, [(target.name, target.place.line) for _, target in part.edges], part.edges))
        parts.sort(key=lambda part: part[:2])
        self.node.text("set(")
        for tokens, _, edges in parts:
            for token in tokens:
                if token.startswith("@"):
                    self.node.edge(edges[int(token[1:])][1])
                else:
                    self.node.text(token)
        self.node.text(")")

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
        for cell in value.__closure__ or ():
            try:
                held = cell.cell_contents
            except ValueError:
                continue
            if callable(held) or isinstance(held, str | int | float | tuple):
                self.encode(held)
        self._attributes(value)

    def _attributes(self, value: Any) -> None:
        wrapped = vars(value).get("__wrapped__") if hasattr(value, "__dict__") else None
        if wrapped is not None:
            self.encode(wrapped)

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

    # --- data

    def path(self, value: PurePath) -> None:
        self.node.text("path")
        self.encode(str(value))

    def text_of(self, value: Any) -> None:
        self.node.text(f"{type(value).__name__} {value!r}")

    def moment(self, value: Any) -> None:
        self.node.text(f"{type(value).__name__} {value.isoformat()} {getattr(value, 'fold', 0)}")
        zone = getattr(value, "tzinfo", None)
        if zone is not None:
            self.node.text(str(zone))

    def array(self, value: Any) -> None:
        self.node.text(f"array {value.dtype!s} {value.shape}")
        if value.dtype.hasobject:
            self.encode(value.tolist())
        else:
            self.node.text(xxhash.xxh3_128_hexdigest(value.tobytes()))

    def frame(self, value: Any) -> None:
        """A pandas DataFrame, Series or Index."""
        self.node.text(type(value).__name__)
        self.encode(getattr(value, "name", None))
        if hasattr(value, "columns"):
            self.encode(list(value.columns))
            self.encode(value.index)
            for column in range(len(value.columns)):
                self._column(value.iloc[:, column])
        else:
            if hasattr(value, "index"):
                self.encode(value.index)
            self._column(value)

    def _column(self, value: Any) -> None:
        self.node.text(str(value.dtype))
        array = value.to_numpy()
        self.encode(array.tolist() if array.dtype.hasobject else array)

    def alias(self, value: Any) -> None:
        """`list[Row]`, `A | B`, `Annotated[...]`."""
        self.node.text("alias")
        origin = typing.get_origin(value)
        if origin is typing.Annotated:  # type: ignore[comparison-overlap]
            self.node.text("Annotated")  # a class on 3.11, another kind of object later
        elif origin is not None:
            self.encode(origin)
        self.items("args", typing.get_args(value))

    # --- instances

    def _instance(self, value: Any) -> None:
        kind = type(value)
        name = self.walker.public_name(kind)
        if name in _STATELESS or self.walker.is_opaque(value):
            self.node.text("X:" + name)
            return
        if callable(value) and isinstance(getattr(value, "__qualname__", None), str) and not self.walker.owns_class(kind):
            self.node.text("X:" + self.walker.public_name(value))  # a function of an extension module
            return
        self.encode(kind)
        project = any(self.walker.owns_class(parent) for parent in kind.__mro__)
        if project or (kind.__module__ == "types" and kind is types.SimpleNamespace):
            self._content(value)
            self._state(value)
            return
        if isinstance(value, dict | list | tuple | set | frozenset | str | int | float | bytes):
            self._content(value)
            self._state(value)
            return
        fields = getattr(kind, "__dataclass_fields__", None)
        if fields is not None:
            self.items("fields", [getattr(value, name, None) for name in fields])
            return
        self._reduced(value)

    def _content(self, value: Any) -> None:
        """What a subclass of a builtin container or number holds."""
        if isinstance(value, dict):
            self.mapping(dict(dict.items(value)))
            self.encode(getattr(value, "default_factory", None))
        elif isinstance(value, list | tuple):
            self.items("items", [*(list if isinstance(value, list) else tuple).__iter__(value)])
        elif isinstance(value, set | frozenset):
            self.unordered(set(value))
        elif isinstance(value, str):
            self.encode(str.__str__(value))
        elif isinstance(value, bytes | bytearray):
            self.node.text(f"y{bytes(value)!r}")
        elif isinstance(value, int | float):
            self.encode((int if isinstance(value, int) else float).__add__(value, 0))
        elif isinstance(value, BaseException):
            self.encode(value.args)

    def _state(self, value: Any) -> None:
        try:
            held = dict(object.__getattribute__(value, "__dict__"))
        except AttributeError:
            held = {}
        for parent in type(value).__mro__:
            slots = vars(parent).get("__slots__", ())
            for slot in (slots,) if isinstance(slots, str) else tuple(slots):
                descriptor = vars(parent).get(slot)
                if slot not in _SLOT_SKIPPED and isinstance(descriptor, types.MemberDescriptorType):
                    try:
                        held[slot] = descriptor.__get__(value)
                    except AttributeError:
                        continue
        self._forget_caches(value, held)
        self.node.text("state(")
        for name in sorted(held):
            self.node.text(name)
            self._attribute(name, held[name])
        self.node.text(")")

    def _attribute(self, name: str, value: Any) -> None:
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

    def _reduced(self, value: Any) -> None:
        """An instance of a class outside the project, by what it would tell pickle."""
        try:
            reduced = value.__reduce_ex__(4)
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
                self.mapping(part, ordered=False)
            else:
                self.encode(part)


def _write_known(encoder: Encoder, value: Any) -> bool:
    """Arrays and frames of libraries that the user has imported; they are never imported here."""
    top = type(value).__module__.partition(".")[0]
    if top == "typing":
        if typing.get_origin(value) is not None:
            encoder.alias(value)
        else:
            encoder.node.text(f"typing {value!r}")
        return True
    if top not in ("numpy", "pandas") or top not in sys.modules:
        return False
    library = sys.modules[top]
    if top == "numpy" and isinstance(value, library.ndarray | library.generic):
        encoder.array(value)
        return True
    if top == "pandas" and isinstance(value, library.DataFrame | library.Series | library.Index):
        encoder.frame(value)
        return True
    return False


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
