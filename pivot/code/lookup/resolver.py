"""From a reference in the source to what it means, in the way Python would look it up."""

from __future__ import annotations

import builtins
import inspect
import sys
from collections.abc import Mapping
from enum import Enum, EnumType
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

from pivot.code.lookup.held_code import IsCode, code_test
from pivot.code.lookup.modules import EXTENSIONS, Module, Modules
from pivot.code.lookup.targets import (
    ABSENT,
    Binary,
    External,
    Found,
    LiveObject,
    Missing,
    NamespacePackage,
    SourceOnly,
    WholeModule,
    class_data,
    element,
    instance_data,
    member_data,
)
from pivot.code.syntax.references import Import, Ref

_BUILTINS = vars(builtins)


Scope = tuple[Module, Mapping[str, Any]]


class Resolver:
    """Looks references up; knows nothing of entries."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self._patches: dict[str, list[LiveObject]] | None = None
        self._members: dict[tuple[str, str], Found | None] = {}

    # --- one reference

    def resolve(self, ref: Ref, scope: Scope) -> list[tuple[Found, tuple[str, ...]]]:
        """What a reference means, and the part of its chain that was not followed; several for alternative imports."""
        module, closure = scope
        if ref.origins:
            starts = [self.imported(origin, module) for origin in ref.origins]
        elif ref.name in closure:
            starts = [self._closed(closure[ref.name], ref.name)]
        else:
            starts = [self.name(module, ref.name)]
        return [self._follow(start, ref.chain) for start in starts]

    def name(self, module: Module, name: str) -> Found:
        """A global or builtin name of `module`."""
        found = self.member(module, name)
        if found is not None:
            return found
        if name in _BUILTINS:
            value = _BUILTINS[name]
            return LiveObject(value, None, name) if self._is_ours(value) else External("builtins." + name)
        return Missing(name)

    def _closed(self, value: Any, name: str) -> Found:
        return self.module_object(value) if issubclass(type(value), ModuleType) else LiveObject(value, None, name)

    def _follow(self, found: Found, chain: tuple[str, ...]) -> tuple[Found, tuple[str, ...]]:
        for at, part in enumerate(chain):
            if part == ".__dict__" and isinstance(found, WholeModule):
                return found, chain[at:]  # it may lead to any name of the module
            following = self._step(found, part)
            if following is None:
                return found, chain[at:]
            found = following
        return found, ()

    def _step(self, found: Found, part: str) -> Found | None:
        name = part[1:]
        if isinstance(found, LiveObject):
            return self._inside(found, part)
        if part[0] != ".":
            return self.module(name[1:]) if found == External("sys.modules") and name[:1] == "s" else None
        if isinstance(found, WholeModule):
            return self.attribute(found.module, name) if self.class_of_module(found.module) is None else None
        if isinstance(found, NamespacePackage):
            return self.module(f"{found.name}.{name}")
        if isinstance(found, External):
            return self.external(f"{found.path}.{name}")
        return None

    # --- modules

    def attribute(self, module: Module, name: str) -> Found:
        """`module.name`: a member, a submodule, or what its `__getattr__` makes."""
        found = self.member(module, name)
        if found is not None:
            return found
        if module.is_package:
            inner = self.module(f"{module.name}.{name}")
            if not isinstance(inner, External):
                return inner
        return self.member(module, "__getattr__") or Missing(name)

    def member(self, module: Module, name: str) -> Found | None:
        """What `name` is bound to in `module`, followed to the module that defines it."""
        key = (module.path, name)
        if key not in self._members:
            self._members[key] = None  # a circle of imports ends here
            self._members[key] = self._member(module, name)
        return self._members[key]

    def _member(self, module: Module, name: str) -> Found | None:
        if module.live is not None:
            value = module.live.get(name, ABSENT)
            return None if value is ABSENT else self._provenance(module, name, value)
        bindings = module.bindings.get(name)
        if bindings:
            origins = [binding.origin for binding in bindings if binding.origin]
            if len(origins) < len(bindings):
                return SourceOnly(module, name)
            found = [self.imported(origin, module) for origin in origins]
            return next((one for one in found if not isinstance(one, External | Missing)), found[0])
        for star in module.stars:
            target = self.module(self.modules.absolute(star, module))
            inner = self.member(target.module, name) if isinstance(target, WholeModule) else None
            if inner is not None:
                return inner
        return None

    def _provenance(self, module: Module, name: str, value: Any) -> Found:
        """Where a live value comes from: an import is followed as the source writes it, if it gave this very object."""
        candidates = [binding.origin for binding in module.bindings.get(name, ()) if binding.origin]
        candidates += [Import(star.module, star.level, name) for star in module.stars]
        for origin in candidates:
            found = self.imported(origin, module)
            if isinstance(found, LiveObject) and found.value is value:
                return found
            if isinstance(found, External) and self.external_object(found.path) is value:
                return found
            if isinstance(found, WholeModule | NamespacePackage | Binary) and issubclass(type(value), ModuleType):
                return found
        if issubclass(type(value), ModuleType):
            return self.module_object(value)
        return LiveObject(value, module, name)

    def imported(self, origin: Import, module: Module) -> Found:
        """What an import statement in `module` names."""
        full = self.modules.absolute(origin, module)
        if origin.attr is None:
            return self.module(full.split(".")[0] if origin.top else full)
        home = self.module(full)
        if isinstance(home, WholeModule):
            return self.attribute(home.module, origin.attr)
        if isinstance(home, NamespacePackage):
            return self.module(f"{home.name}.{origin.attr}")
        if isinstance(home, LiveObject):
            return self._inside(home, "." + origin.attr) or home
        return self.external(f"{full}.{origin.attr}") if isinstance(home, External) else home

    def module(self, name: str) -> Found:
        """A module by its full name."""
        project = self.modules.by_name(name)
        if project is not None:
            return WholeModule(project)
        live = sys.modules.get(name)
        if live is not None and not issubclass(type(live), ModuleType) and self.is_project_class(type(live)):
            return LiveObject(live, None, name)  # a module that has put an instance in its own place
        path = self._live_path(live) if live is not None else self.modules.find_file(name)
        if path is None or not self.modules.files.owns(path):
            return External(name)
        return Binary(path) if path.endswith(EXTENSIONS) else NamespacePackage(name)

    def class_of_module(self, module: Module) -> type | None:
        """The project class that a module has given itself, and that may answer for any of its attributes."""
        kind = type(sys.modules.get(module.name))
        return kind if issubclass(kind, ModuleType) and self.is_project_class(kind) else None

    def module_object(self, module: ModuleType) -> Found:
        """A module object, which may have been loaded from a path without a place in `sys.modules`."""
        project = self.modules.of_live(module)
        return WholeModule(project) if project else self.module(module.__name__)

    @staticmethod
    def _live_path(module: ModuleType) -> str | None:
        path = getattr(module, "__file__", None)
        if isinstance(path, str):
            return path if path.endswith(EXTENSIONS) else None
        return next((str(entry) + "/." for entry in getattr(module, "__path__", ())), None)

    # --- outside the project

    def external(self, path: str) -> Found:
        """A name outside the project, unless the project has put an object of its own there."""
        value = self.external_object(path)
        return LiveObject(value, None, path) if self._is_ours(value) else External(path)

    def _is_ours(self, value: Any) -> bool:
        if type(value) in (list, dict, set, tuple):  # a registry that a library keeps
            return any(map(self.is_our_code, value.values() if type(value) is dict else value))
        return self.is_our_code(value)

    def is_our_code(self, value: Any) -> bool:
        """Whether a function or class is the project's."""
        if type(value) is FunctionType:
            return self.modules.of_function(value) is not None
        return issubclass(type(value), type) and self.is_project_class(value)

    def code_test(self) -> IsCode:
        """`is_our_code` for what thousands of library objects hold."""
        known = self.modules.all()
        return code_test({one.path for one in known}, {one.name for one in known})

    def patches(self, path: str) -> list[LiveObject]:
        """Project objects that an import has put into something outside the project, below `path`."""
        if self._patches is None:
            self._patches = {}
            set_at = ((module, ref) for module in self.modules.all() for ref in module.attributes_set())
            for module, ref in set_at:
                found, rest = self.resolve(ref, (module, {}))[0]
                if isinstance(found, LiveObject) and not rest and found.module is None:
                    self._patches.setdefault(found.name.rpartition(".")[0], []).append(found)
        return self._patches.get(path, [])

    @staticmethod
    def external_object(path: str) -> Any:
        """The live object of a dotted path whose beginning is an imported module."""
        parts = path.split(".")
        for end in range(len(parts), 0, -1):
            value: Any = sys.modules.get(".".join(parts[:end]))
            if value is None:
                continue
            for part in parts[end:]:
                try:
                    value = (
                        getattr(value, part) if isinstance(value, ModuleType) else inspect.getattr_static(value, part)
                    )
                except Exception:  # a lazy module may raise anything
                    return ABSENT
            return value
        return ABSENT

    def is_project_class(self, kind: type) -> bool:
        return self.modules.defining(str(vars(kind).get("__module__"))) is not None

    # --- inside objects

    def _inside(self, found: LiveObject, part: str) -> Found | None:
        """One step into an object, where that is plain data whose place no code computes."""
        value, label = found.value, found.name + part
        kind = type(value)
        inner: Any = ABSENT
        if part[0] == "[":
            if kind in (dict, list, tuple):
                inner = element(value, part[1:])
        elif issubclass(kind, ModuleType):
            return self._step(self.module_object(value), part)
        elif kind is type and self.is_project_class(value):
            inner = class_data(value, part[1:])
        elif issubclass(kind, EnumType | Enum):
            inner = member_data(value, part[1:])
        elif kind is SimpleNamespace or (kind not in (dict, list, tuple) and self.is_project_class(kind)):
            inner = instance_data(value, part[1:])
        if inner is ABSENT:
            return None
        return LiveObject(inner, found.module, label)
