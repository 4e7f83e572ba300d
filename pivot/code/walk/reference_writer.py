"""What the references of a piece of syntax mean, written into the node that holds it."""

from __future__ import annotations

import ast
import types
import typing
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any

from pivot.code.graph.nodes import Node, SourcePlace
from pivot.code.lookup.definitions import closure_of, find_function
from pivot.code.lookup.modules import Module, Modules
from pivot.code.lookup.resolver import Scope
from pivot.code.lookup.targets import Binary, External, Found, LiveObject, Missing, SourceOnly, WholeModule
from pivot.code.syntax.normalise import function_syntax
from pivot.code.syntax.references import Import, Ref, Syntax
from pivot.code.walk.entry_names import Places
from pivot.code.walk.scripts import scripts_named

_TOLD = {".__name__", ".__qualname__", ".__doc__"}
_ANNOTATIONS, _SOURCE = frozenset({"annotations"}), frozenset({"annotations", "source"})
REFLECTION = {
    **dict.fromkeys(("typing.get_type_hints", "inspect.get_annotations"), _ANNOTATIONS),
    "inspect.signature": frozenset({"signature"}),
    **dict.fromkeys(("inspect.getfullargspec", "inspect.Signature.from_callable"), _ANNOTATIONS),
    **dict.fromkeys(("annotationlib.get_annotations", "typing_extensions.get_type_hints"), _ANNOTATIONS),
    **dict.fromkeys(("importlib.import_module", "builtins.__import__"), frozenset({"imports"})),
    **dict.fromkeys((f"inspect.{name}" for name in ("getsource", "getsourcelines", "getcomments", "getdoc")), _SOURCE),
}
_IGNORE = "# pivot: ignore"
PLAIN = (type(None), bool, int, float, complex, bytes, str)


class References(Places, ABC):
    """Makes each node once, whatever number of stages reach it; `drain` fills those that are waiting."""

    def __init__(self, modules: Modules) -> None:
        super().__init__(modules)
        self._nodes: dict[tuple[Any, ...], Node] = {}
        self._waiting: deque[Callable[[], None]] = deque()
        self._kept: list[Any] = []
        self._syntax: dict[tuple[ast.AST, bool], Syntax] = {}
        self._classes: list[tuple[Node, type]] = []
        self.subclasses_asked = False

    @abstractmethod
    def target(self, found: LiveObject, at: SourcePlace) -> Node | str: ...

    @abstractmethod
    def code_of(self, function: types.FunctionType) -> Node | str: ...

    @abstractmethod
    def module_of(self, module: types.ModuleType) -> Node | str: ...

    @abstractmethod
    def class_of(self, kind: type, valued: bool = False) -> Node | str: ...

    @abstractmethod
    def function_node(self, function: types.FunctionType, module: Module, tree: ast.AST) -> Node: ...

    @abstractmethod
    def whole(self, module: Module) -> Node: ...

    @abstractmethod
    def binary(self, path: str) -> Node: ...

    @abstractmethod
    def whole_digest(self, file: str) -> str: ...

    @abstractmethod
    def script(self, path: str) -> Node: ...

    @abstractmethod
    def body(self, module: Module) -> Node: ...

    @abstractmethod
    def passing(self, module: Module) -> frozenset[str]: ...

    @abstractmethod
    def refer_left_behind(self, node: Node, path: str, rest: tuple[str, ...]) -> None: ...

    @abstractmethod
    def written(self, module: Module, name: str) -> Node: ...

    def drain(self) -> None:
        """Fill every node that has been referred to, without recursion: chains of calls may be thousands long."""
        while self._waiting:
            self._waiting.popleft()()
            if not self._waiting and self.subclasses_asked:
                # Code asks a class that only the run knows: every class is followed by those made from it.
                known, self._classes = self._classes, []
                for node, kind in known:
                    self.refer_subclasses(node, kind)

    def _node(self, key: tuple[Any, ...], make: Callable[[], Node], fill: Callable[[Node], None]) -> Node:
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = make()
            made = node
            if _IGNORE in made.place.source.partition("\n")[0]:
                made.text("ignored")
            else:
                self._waiting.append(lambda: self._fill(made, fill))
        return node

    def _fill(self, node: Node, fill: Callable[[Node], None]) -> None:
        try:
            fill(node)
        except Exception as error:  # whatever an object of the user does when it is looked at, nobody is refused
            self.fall_back(node, error)

    def fall_back(self, node: Node, error: Exception) -> None:
        """Where an entry cannot be made, all modules of the project count in its place."""
        node.clear()
        said = sorted({self.whole_digest(self.file(module)) for module in self.modules.all()})
        node.text("all " + " ".join(said))
        why = f"a look at it gives {type(error).__name__}, so every module of the project counts"
        self.remark(node, "coarse", why, "keep plain data and functions at module level")

    def syntax_of(self, tree: ast.AST, *, defaults: bool) -> Syntax:
        key = (tree, defaults)
        known = self._syntax.get(key)
        if known is None:
            known = self._syntax[key] = function_syntax(tree, defaults=defaults)
        return known

    def write(self, node: Node, syntax: Syntax, scope: Scope, *, shallow: bool = False) -> None:
        """Append a piece of syntax and what each of its references means."""
        node.tokens.extend(syntax.tokens)
        if not shallow:  # what a decorator asked a function for, the import has answered
            node.reads |= syntax.reads
        self.subclasses_asked |= "subclasses" in syntax.reads
        for number, ref in enumerate(syntax.refs):
            for found, rest in self.resolver.resolve(ref, scope):
                if ref.use == "annotation":
                    self._annotation(node, found)
                elif self._imports_and_reads(node, ref, scope[0]):
                    node.text(f"={number}")
                    (self._refer_shallow if shallow else self.refer_found)(node, found, rest)
                    self._refer_all_names(node, (found, rest), scope[0], shallow)
        for path in scripts_named(syntax.tokens, scope[0], self.modules):
            node.edge(self.script(path))
        for doubt in syntax.doubts:
            why = f"`{doubt.what}` runs text that only the run knows"
            self.remark(node, "untracked", why, "name the code with pivot.depends_on(...)", line=doubt.line)

    def _imports_and_reads(self, node: Node, ref: Ref, module: Module) -> bool:
        """Write what an import inside a function runs; whether the reference is more than that import."""
        if ref.use.startswith("import") or (ref.origins and not ref.name):
            self._write_import(node, ref, module)
        return ref.use not in ("import", "import-used")

    def _refer_all_names(self, node: Node, to: tuple[Found, tuple[str, ...]], module: Module, shallow: bool) -> None:
        """`globals()` may lead to any name of the module, `sys.modules` with a computed name to any module."""
        found, rest = to
        if shallow or not isinstance(found, External):
            return
        if found.path == "builtins.globals" or (found.path == "sys.modules" and rest[:1] == ("[__name__",)):
            node.edge(self.whole(module))
        elif found.path == "sys.modules" and not rest:
            for other in sorted(self.modules.all(), key=lambda one: one.path):
                if other.live is not None:
                    node.edge(self.whole(other))

    def refer_found(self, node: Node, found: Found, rest: tuple[str, ...]) -> None:
        """Append what a reference was found to be, and the part of its chain that stays text."""
        if isinstance(found, LiveObject):
            self.refer(node, self.target(found, node.place))
            if ".__annotations__" in rest or ".__signature__" in rest:
                node.reads |= {"annotations"}
            if ".__subclasses__" in rest and issubclass(type(found.value), type):
                self.refer_subclasses(node, found.value)
            if (
                rest
                and rest[0] in _TOLD
                and issubclass(type(found.value), type | types.FunctionType | types.ModuleType)
            ):
                node.text(f"{getattr(found.value, rest[0][1:], None)}")
        elif isinstance(found, SourceOnly):
            node.edge(self.written(found.module, found.name))
        elif isinstance(found, WholeModule):
            node.edge(self.whole(found.module))
        elif isinstance(found, Binary):
            node.edge(self.binary(found.path))
        elif isinstance(found, External):
            node.text("X:" + found.path)
            node.reads |= REFLECTION.get(found.path, frozenset())
            self.subclasses_asked |= found.path == "builtins.type.__subclasses__"
            self.refer_left_behind(node, found.path, rest)
        else:
            node.text(("U:" if isinstance(found, Missing) else "F:") + found.name)
        if rest:
            node.text("".join(rest))

    def refer_subclasses(self, node: Node, kind: type) -> None:
        """`__subclasses__` reaches every class that has been made from this one, in the order of their names."""
        made: list[type] = type.__subclasses__(kind)
        for inner in sorted(made, key=lambda one: one.__qualname__):
            self.refer(node, self.class_of(inner))
            self.refer_subclasses(node, inner)

    def refer(self, node: Node, target: Node | str) -> None:
        if isinstance(target, str):
            node.text(target)
        else:
            node.edge(target)

    def _write_import(self, node: Node, ref: Ref, module: Module) -> None:
        """An import inside a function runs the module, unless the import of the pipeline has done so."""
        for origin in ref.origins:
            self.import_runs(node, origin, module)
            full = self.modules.absolute(origin, module)
            if self.modules.by_name(full.partition(".")[0]) is None and ref.use == "import":
                node.text("I:" + full)

    def import_runs(self, node: Node, origin: Import, module: Module) -> None:
        """Refer to what an import statement runs of the modules that the import of the pipeline has not run."""
        for inner in self.unrun(origin, module):
            passing = self.passing(inner)
            if passing:
                node.passing |= passing
            else:
                node.edge(self.body(inner))

    def unrun(self, origin: Import, module: Module) -> list[Module]:
        """The modules that an import statement runs and the import of the pipeline has not run."""
        full = self.modules.absolute(origin, module)
        parts = full.split(".")
        names = [".".join(parts[: end + 1]) for end in range(len(parts))]
        if origin.attr and origin.attr != "*":
            names.append(f"{full}.{origin.attr}")
        found = (self.modules.by_name(name) for name in names)
        return [inner for inner in found if inner is not None and inner.live is None]

    def _annotation(self, node: Node, found: Found) -> None:
        """Of an annotation only the project classes count: methods are called on what it describes."""
        if isinstance(found, SourceOnly) and any(
            isinstance(b.node, ast.ClassDef) for b in found.module.bindings[found.name]
        ):
            node.hints.append(self.written(found.module, found.name))
        if not isinstance(found, LiveObject):
            return
        todo = [found.value]
        while todo:
            value = todo.pop()
            if issubclass(type(value), type) and self.owns_class(value):
                hint = self.class_of(value)
                node.hints.extend([hint] if isinstance(hint, Node) else [])
            elif typing.get_origin(value) is not None:
                todo.extend(reversed(typing.get_args(value)))

    def _refer_shallow(self, node: Node, found: Found, rest: tuple[str, ...]) -> None:
        """A reference that only the import used: code counts, what it collects (registries) does not."""
        node.text("".join(rest))
        if isinstance(found, External | SourceOnly):
            self.refer_found(node, found, ())
        if not isinstance(found, LiveObject):
            return
        value = found.value
        inside: dict[str, Any] = (
            dict(vars(value)) if issubclass(type(value), type) and self.owns_class(value) else {"": value}
        )
        for function in (one for one in inside.values() if type(one) is types.FunctionType):
            self.refer(node, self._shallow(function))
        if issubclass(type(value), PLAIN):
            self.refer(node, self.target(found, node.place))

    def _shallow(self, function: types.FunctionType) -> Node | str:
        module = self.modules.of_function(function)
        tree = find_function(function, module) if module else None
        if module is None or tree is None:
            return "X:" + self.public_name(function)
        self._kept.append(function)
        home = module
        syntax = self.syntax_of(tree, defaults=True)
        return self._node(
            ("s", function),
            lambda: self.function_node(function, home, tree),
            lambda node: self.write(node, syntax, (home, closure_of(function, home)), shallow=True),
        )
