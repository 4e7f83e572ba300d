"""Tokens of a tree whose names are filled in when their scope ends: only then is it known which are local."""

from __future__ import annotations

import ast

from pivot.code.syntax.references import Doubt, Import, Ref, Syntax, Use, chain_of, is_globals

_ASKED = {
    ".__name__": "names",
    ".__qualname__": "names",
    ".__annotations__": "annotations",
    ".__signature__": "annotations",
    ".annotation": "annotation",
    ".return_annotation": "annotation",
    ".parameters": "parameters",
    ".__doc__": "docs",
    ".__subclasses__": "subclasses",
}

_SILENT = {"annotation", "import", "import-used"}
_NOTHING = str(b"nothing", "ascii")  # told by its identity from what a source may hold


class Scope:
    """One function, class or comprehension while it is read."""

    __slots__ = ("bound", "globals", "imports", "kind", "loads", "nonlocals", "statements")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.bound: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.imports: dict[str, list[Import]] = {}
        self.loads: list[tuple[int, Ref]] = []
        self.statements: list[tuple[int, str, Import]] = []


class Scopes:
    """A stream of tokens and the scopes around the place that is being written."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.scopes = [Scope("root")]
        self.outer: list[tuple[int, Ref]] = []
        self.notes: list[Ref] = []
        self.doubts: list[Doubt] = []
        self.annotating = False
        self.reads: set[str] = set()

    # --- the end of a scope

    def finish(self, *, bound_is_local: bool = True) -> Syntax:
        root, out = self.scopes[0], self.out
        if not bound_is_local:
            root.bound.clear()
        self._close(root, None)
        numbers: dict[Ref, int] = {}
        # those without a token last: one that is added must not move the numbers of the others
        for at, ref in sorted(self.outer, key=lambda pair: (pair[1].use in _SILENT, pair[0])):
            number = numbers.setdefault(ref, len(numbers))
            if at >= 0:
                out[at] = f"@{number}" if ref.use not in _SILENT else _NOTHING
        return Syntax(
            tuple([token for token in out if token is not _NOTHING]),
            tuple(numbers),
            tuple(self.doubts),
            frozenset(self.reads),
        )

    def _close(self, scope: Scope, parent: Scope | None) -> None:
        imported = scope.imports.keys() - scope.globals if scope.imports else ()
        loaded = {ref.name for _, ref in scope.loads} if scope.statements else set()
        for at, ref in scope.loads:
            name = ref.name
            if ref.origins or name in scope.globals:
                self.outer.append((at, ref))
            elif name in imported and name not in scope.bound:
                self.outer.append((at, Ref(name, ref.chain, tuple(scope.imports[name]), ref.use)))
            elif (name in scope.bound and name not in scope.nonlocals) or name in imported:
                if at >= 0:
                    self.out[at] = "n" + name + "".join(ref.chain)
                self._asks(*ref.chain)
            elif parent is None:
                self.outer.append((at, ref))
            else:
                parent.loads.append((at, ref))
        for at, name, origin in scope.statements:
            use: Use = "import-used" if name in loaded else "import"
            if name in scope.bound or name in scope.globals or scope.kind == "class":
                use = "import-value"
            self.outer.append((at, Ref(name, (), (origin,), use)))

    def enter(self, kind: str) -> Scope:
        scope = Scope(kind)
        self.scopes.append(scope)
        return scope

    def leave(self) -> None:
        scope = self.scopes.pop()
        parent = self.scopes[-1]
        if parent.kind == "class" and len(self.scopes) > 1:
            # a function does not see the names of the class around it
            parent = next(outer for outer in reversed(self.scopes) if outer.kind != "class")
        self._close(scope, parent)

    def _asks(self, *parts: str) -> None:
        self.reads.update(_ASKED[part] for part in parts if part in _ASKED)

    # --- names

    def load(self, ref: Ref) -> None:
        at = -1 if self.annotating else len(self.out)
        if self.annotating:
            ref = Ref(ref.name, ref.chain, ref.origins, "annotation")
        else:
            self.out.append("")
        self.scopes[-1].loads.append((at, ref))

    def bind(self, name: str) -> None:
        self.scopes[-1].bound.add(name)

    def name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.load(Ref(node.id))
            return
        scope = self.scopes[-1]
        if node.id in scope.globals:
            self.out.append("g" + node.id)
            return
        self.bind(node.id)
        self.out.append(("b" if isinstance(node.ctx, ast.Store) else "d") + node.id)

    def chained(self, node: ast.expr) -> None:
        ref = chain_of(node)
        is_set = isinstance(getattr(node, "ctx", None), ast.Store)
        if is_set and isinstance(node, ast.Subscript) and is_globals(node.value):
            # `globals()[name] = x` sets one name: it does not lead to all the others
            self.out.append("globals[")
            self.visit(node.slice)
        elif ref is None or not isinstance(getattr(node, "ctx", None), ast.Load | None):
            self._asks("." + getattr(node, "attr", ""))
            self.generic(node)
        else:
            self.load(ref)

    def visit(self, node: ast.AST) -> None:
        """Write a node, by its handler or by its fields."""
        raise NotImplementedError

    def generic(self, node: ast.AST) -> None:
        """Write a node by its fields."""
        raise NotImplementedError
