"""How containers and data of well-known libraries are written as tokens."""

from __future__ import annotations

import contextlib
import os
import sys
import types
import typing
from abc import ABC, abstractmethod
from pathlib import PurePath
from typing import Any, Protocol

import xxhash

from pivot.code.environment import is_evidence
from pivot.code.graph.nodes import Node, SourcePlace


class Resists(Exception):
    """A value whose content cannot be read; the argument says why."""


def _is_of_session(name: Any, value: Any) -> bool:
    """Whether it is a variable of the shell's session in a copy of the environment."""
    text = type(name) is str and type(value) is str
    return text and not is_evidence(name) and os.environ.get(name) == value


class EncoderContext(Protocol):
    """What an encoder asks about the code around a value; a string stands for something outside the project."""

    def code_of(self, function: types.FunctionType) -> Node | str: ...
    def class_of(self, kind: type) -> Node | str: ...
    def module_of(self, module: types.ModuleType) -> Node | str: ...
    def owns_class(self, kind: type) -> bool: ...
    def public_name(self, value: Any) -> str: ...
    def binary_of(self, path: str) -> Node | None: ...
    def is_opaque(self, value: Any) -> bool: ...
    def relative_text(self, text: str) -> str: ...
    def unreadable(self, node: Node, name: str, why: str) -> None: ...


class Encoding(ABC):
    """Writes values as tokens and edges of a node."""

    def __init__(self, walker: EncoderContext, node: Node) -> None:
        self.walker = walker
        self.node = node
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []

    @abstractmethod
    def encode(self, value: Any) -> None: ...

    def items(self, tag: str, values: Any) -> None:
        self.node.text(tag + "(")
        for value in values:
            self.encode(value)
        self.node.text(")")

    # --- containers

    def mapping(self, value: Any, *, ordered: bool = True) -> None:
        pairs = [pair for pair in value.items() if not _is_of_session(*pair)]
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
            part = Node("", "", SourcePlace("", 0))
            type(self)(self.walker, part).encode(item)
            parts.append((part.tokens, [(target.name, target.place.line) for _, target in part.edges], part.edges))
        parts.sort(key=lambda part: part[:2])
        self.node.text("frozenset(" if isinstance(value, frozenset) else "set(")
        for tokens, _, edges in parts:
            for token in tokens:
                if token.startswith("@"):
                    self.node.edge(edges[int(token[1:])][1])
                else:
                    self.node.text(token)
        self.node.text(")")

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
        if value.flags.f_contiguous and not value.flags.c_contiguous:
            self.node.text("by columns")
        if value.dtype.hasobject:
            self.encode(value.tolist())
        else:
            self.node.text(xxhash.xxh3_128_hexdigest(value.tobytes()))

    def frame(self, value: Any) -> None:
        """A pandas DataFrame, Series or Index."""
        self.node.text(type(value).__name__)
        self.encode(getattr(value, "name", None))
        if getattr(value, "attrs", None):
            self.mapping(value.attrs)
        if hasattr(value, "columns"):
            self.encode(value.columns)
            self.encode(value.index)
            for column in range(len(value.columns)):
                self._column(value.iloc[:, column])
        elif hasattr(value, "levels"):
            for level in range(value.nlevels):
                self.encode(value.get_level_values(level))
        else:
            if hasattr(value, "index"):
                self.encode(value.index)
            self._column(value)

    def _column(self, value: Any) -> None:
        self.node.text(str(value.dtype))
        if hasattr(value.dtype, "categories"):  # also those that no value is of
            self.encode(value.dtype.categories)
            self.node.text(f"ordered {value.dtype.ordered}")
        array = value.to_numpy()
        self.encode(array.tolist() if array.dtype.hasobject else array)

    def settings(self, value: Any) -> None:
        """A ConfigParser by what it has read: how else it holds itself changes from Python to Python."""
        held = vars(value)
        self.node.text(f"{type(value).__name__} {type(held.get('_interpolation')).__name__}")
        for name in ("_defaults", "_sections", "default_section", "optionxform"):
            self.node.text(name)
            self.encode(held.get(name))

    def library(self, value: Any) -> None:
        """What `ctypes` has loaded: a library of the project by its bytes, another by its name."""
        name = str(value._name)
        self.encode(type(value))
        target = self.walker.binary_of(name)
        if target is None:
            self.node.text(name)
        else:
            self.node.edge(target)

    def alias(self, value: Any) -> None:
        """`list[Row]`, `A | B`, `Annotated[...]`."""
        self.node.text("alias")
        origin = typing.get_origin(value)
        if origin is typing.Annotated:
            self.node.text("Annotated")  # a class on 3.11, another kind of object later
        elif origin is not None:
            self.encode(origin)
        self.items("args", typing.get_args(value))


def write_known(encoder: Encoding, value: Any) -> bool:
    """Arrays and frames of libraries that the user has imported; they are never imported here."""
    top = type(value).__module__.partition(".")[0]
    if top == "typing":
        if typing.get_origin(value) is not None:
            encoder.alias(value)
        elif type(value).__name__ == "TypeAliasType":  # new in 3.12; what it names may be there for type checkers only
            encoder.node.text("type")
            with contextlib.suppress(NameError, AttributeError):
                encoder.encode(value.__value__)
        else:
            encoder.node.text(f"typing {value!r}")
        return True
    if top == "ctypes" and isinstance(value, sys.modules["ctypes"].CDLL):
        encoder.library(value)
        return True
    if top == "configparser" and type(value).__name__.endswith("Parser"):
        encoder.settings(value)
        return True
    if top not in ("numpy", "pandas") or top not in sys.modules:
        return False
    library = sys.modules[top]
    if top == "numpy" and isinstance(value, library.ufunc) and value.__name__.endswith("(vectorized)"):
        raise Resists("a ufunc does not tell of which function it was made")
    if top == "numpy" and isinstance(value, library.ndarray | library.generic):
        encoder.array(value)
        return True
    if top == "pandas" and isinstance(value, library.DataFrame | library.Series | library.Index):
        encoder.frame(value)
        return True
    return False
