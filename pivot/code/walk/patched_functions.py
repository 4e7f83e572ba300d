"""Functions whose compiled code a project has replaced, so that their source does not say what they do."""

from __future__ import annotations

import types
from collections.abc import Iterator

from pivot.code.lookup.definitions import code_tokens
from pivot.code.lookup.modules import Module, Modules

_REPLACES = b"__code__"


class Rewritten:
    """Compares functions with what their source compiles to, in projects that speak of `__code__` at all."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._suspected: bool | None = None
        self._compiled: dict[str, dict[tuple[str, int], list[types.CodeType]]] = {}

    def tokens(self, function: types.FunctionType, module: Module) -> list[str]:
        """What the code of a function says, if it is not the code that its source gives; else nothing."""
        if self._suspected is None:
            self._suspected = any(_REPLACES in one.source.data for one in self._modules.all())
        if not self._suspected:
            return []
        code = function.__code__
        written = self._written(module).get((code.co_name, code.co_firstlineno), [])
        said = list(code_tokens(code))
        same = any(one.co_code == code.co_code and list(code_tokens(one)) == said for one in written)
        return [] if same else said

    def _written(self, module: Module) -> dict[tuple[str, int], list[types.CodeType]]:
        known = self._compiled.get(module.path)
        if known is None:
            known = self._compiled[module.path] = {}
            for code in _inside(compile(module.source.data, module.path, "exec", dont_inherit=True)):
                known.setdefault((code.co_name, code.co_firstlineno), []).append(code)
        return known


def _inside(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _inside(constant)
