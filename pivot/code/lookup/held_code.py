"""Functions and classes of the project that an object holds, however deep: in closures, containers and attributes.

Library objects are entered through what the garbage collector knows of them, so a dispatcher written in C counts as
well. Shared objects end a walk: modules, ordinary classes of libraries, and what a library keeps at module level.
"""

from __future__ import annotations

import gc
import sys
import types
import weakref
from collections import deque
from collections.abc import Callable, Container, Iterable
from typing import Any

# Steps from one instance of a library class to another: wrappers are nested two deep, rarely three.
_HOPS = 4
_MOST = 5_000  # objects of one walk: a model may hold millions
_ENDS = frozenset((
    *(str, bytes, bytearray, int, float, complex, bool, type(None), type(Ellipsis), range, slice, types.ModuleType),
    *(types.CodeType, types.FrameType, types.TracebackType, types.GeneratorType, types.CoroutineType),
    *(types.MemberDescriptorType, types.GetSetDescriptorType, types.WrapperDescriptorType, types.MethodDescriptorType),
    *(types.BuiltinFunctionType, types.ClassMethodDescriptorType),
    # Caches: a result that has been kept is no part of the code.
    *(weakref.WeakValueDictionary, weakref.WeakKeyDictionary, weakref.WeakSet),
))  # fmt: skip
_PASSAGES = (type, types.FunctionType, types.MethodType, types.CellType, dict, list, tuple, set, frozenset, deque)

IsCode = Callable[[Any], bool]


def held_code(value: Any, is_ours: IsCode, shared: Container[int] = ()) -> list[Any]:
    """Project functions and classes that `value` holds, sorted by name and place; `shared` are ids not to enter."""
    found: dict[int, Any] = {}
    seen = {id(value)}
    todo = [(value, 0)]
    for one, above in todo:  # grows while it is read
        kind = type(one)
        passage = issubclass(kind, _PASSAGES)
        if passage and is_ours(one):
            found[id(one)] = one
            continue
        hops = above
        if not passage and is_ours(kind):
            found[id(kind)] = kind
        elif not passage:
            hops = above + 1
        if hops > _HOPS or len(todo) > _MOST:
            continue
        for inner in _parts(one, kind):
            if type(inner) not in _ENDS and id(inner) not in seen and id(inner) not in shared:
                seen.add(id(inner))
                todo.append((inner, hops))
    return sorted(found.values(), key=_order)


def _order(code: Any) -> tuple[str, str, int]:
    line = code.__code__.co_firstlineno if isinstance(code, types.FunctionType) else 0
    return (str(code.__module__), code.__qualname__, line)


def _parts(value: Any, kind: type) -> Iterable[Any]:
    """What one object holds."""
    if kind is types.FunctionType:  # never the globals, which lead to everything
        if not (value.__closure__ or value.__defaults__ or value.__kwdefaults__ or value.__dict__):
            return ()
        return (
            *(value.__closure__ or ()),
            *(value.__defaults__ or ()),
            *(value.__kwdefaults__ or {}).values(),
            *value.__dict__.values(),
        )
    if issubclass(kind, type):  # entered where a call has made it for its argument
        return list(vars(value).values()) if "<locals>" in value.__qualname__ else ()
    if issubclass(kind, weakref.ref):
        return (value(),)
    # A heap type is among what its instances refer to; it is not entered.
    return gc.get_referents(value)


def code_test(files: Container[str], modules: Container[str]) -> IsCode:
    """Whether something is a function compiled from one of these files, or a class of one of these modules."""

    def is_ours(value: Any) -> bool:
        kind = type(value)
        if kind is types.FunctionType:
            return value.__code__.co_filename in files
        return issubclass(kind, type) and value.__dict__.get("__module__") in modules

    return is_ours


def is_plain_data(value: Any, depth: int = 0) -> bool:
    """Whether a value is numbers and text, in builtin containers nested a few deep."""
    kind = type(value)
    if kind in (str, bytes, int, float, complex, bool, type(None)):
        return True
    if depth > _HOPS or kind not in (dict, list, tuple, set, frozenset):
        return False
    return all(is_plain_data(one, depth + 1) for one in (*value, *(value.values() if kind is dict else ())))


def shared_objects(is_library: Callable[[str], bool]) -> set[int]:
    """The ids of what libraries keep at module level."""
    modules = [module for name, module in list(sys.modules.items()) if is_library(name)]
    held = (vars(module).values() for module in modules if issubclass(type(module), types.ModuleType))
    return {id(value) for values in held for value in list(values)}
