"""What a reference may turn out to be, and how to step into a live object."""

from __future__ import annotations

import enum
import inspect
from types import MemberDescriptorType, SimpleNamespace
from typing import Any

from msgspec import Struct

from pivot.code.lookup.modules import Module
from pivot.code.syntax.references import constant_token

ABSENT: Any = object()


class LiveObject(Struct, frozen=True, eq=False):
    """An object in memory; `module` and `name` tell where it is bound, if it is at module level."""

    value: Any
    module: Module | None
    name: str


class SourceOnly(Struct, frozen=True):
    """A name of a project module that the import did not load: only its source knows."""

    module: Module
    name: str


class WholeModule(Struct, frozen=True):
    """A project module itself."""

    module: Module


class NamespacePackage(Struct, frozen=True):
    """A namespace package of the project."""

    name: str


class Binary(Struct, frozen=True):
    """A compiled module in the project."""

    path: str


class External(Struct, frozen=True):
    """Something outside the project, as the source names it: import path and attributes."""

    path: str


class Missing(Struct, frozen=True):
    """A name that is bound nowhere now."""

    name: str


Found = LiveObject | SourceOnly | WholeModule | NamespacePackage | Binary | External | Missing


def element(value: Any, token: str) -> Any:
    """What a dict, list or tuple holds under a literal key; ABSENT if that is not plain."""
    if isinstance(value, dict):
        found = [
            item for key, item in value.items() if isinstance(key, str | int | bytes) and constant_token(key) == token
        ]
        return found[0] if len(found) == 1 else ABSENT
    if token[0] != "i":
        return ABSENT
    index = int(token[1:], 16)
    return value[index] if index < len(value) else ABSENT


def class_data(kind: type, name: str) -> Any:
    """A class attribute that is plain data; ABSENT for whatever code computes."""
    for parent in kind.__mro__:
        if name in vars(parent):
            value = vars(parent)[name]
            if isinstance(value, staticmethod):
                return value.__func__
            return ABSENT if hasattr(type(value), "__get__") else value
    return ABSENT


def instance_data(value: Any, name: str) -> Any:
    """An instance attribute that no descriptor stands before; ABSENT otherwise."""
    kind = type(value)
    looks_up: Any = kind.__getattribute__
    if kind is not SimpleNamespace and looks_up is not object.__getattribute__:
        return ABSENT
    on_class = inspect.getattr_static(kind, name, None)
    if hasattr(type(on_class), "__set__") and not isinstance(on_class, MemberDescriptorType):
        return ABSENT
    try:
        return object.__getattribute__(value, "__dict__").get(name, ABSENT)
    except AttributeError:
        return ABSENT


def member_data(value: Any, name: str) -> Any:
    """A member of an enum, or the value or the name of one; ABSENT where the enum has a word in it."""
    if type(value) is enum.EnumType:
        return value._member_map_.get(name, ABSENT)
    plain = inspect.getattr_static(type(value), name, None) is vars(enum.Enum).get(name)
    return getattr(value, f"_{name}_") if plain and name in ("value", "name") else ABSENT
