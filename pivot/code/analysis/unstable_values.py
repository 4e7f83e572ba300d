"""Values that differ between two imports of the same sources, such as a time, a random number or a process id.

Such a value must not make every import a change: it is replaced by the statements that make it, and reported. A value
whose parts all stand in the sources cannot differ; for the others the pipeline is imported once more, in a fresh
process with another hash seed, and the digests are compared. What the clock gives by the day is known by its name.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from pivot.code.graph.nodes import Node, reachable
from pivot.code.importing.open_pipeline import Imported
from pivot.code.lookup.modules import Module
from pivot.code.lookup.targets import External, LiveObject
from pivot.code.syntax.references import constant_token
from pivot.code.walk.live_entries import Walker

_SURE = {
    "re.compile", "pathlib.Path", "pathlib.PurePath", "pathlib.PurePosixPath", "decimal.Decimal", "fractions.Fraction",
    "datetime.date", "datetime.datetime", "datetime.timedelta", "datetime.timezone", "datetime.time", "os.path.join",
    "os.path.dirname", "os.path.abspath", "os.path.realpath", "os.path.basename", "builtins.int", "builtins.float",
    "builtins.str", "builtins.len", "builtins.range", "builtins.min", "builtins.max", "builtins.sum", "builtins.round",
    "builtins.abs", "builtins.frozenset", "builtins.bytes", "builtins.bool", "builtins.complex", "typing.TypeVar",
    "uuid.UUID", "zoneinfo.ZoneInfo", "builtins.set", "builtins.sorted", "builtins.dict", "logging.getLogger",
    "collections.namedtuple", "numpy.array", "numpy.zeros", "numpy.ones", "numpy.arange", "numpy.linspace",
    "numpy.float32", "numpy.float64", "numpy.dtype", "functools.partial", "operator.itemgetter", "operator.attrgetter",
    "types.MappingProxyType", "types.SimpleNamespace", "collections.OrderedDict", "collections.defaultdict",
}  # fmt: skip
_METHODS = {
    "resolve",
    "joinpath",
    "with_suffix",
    "with_name",
    "absolute",
    "strip",
    "replace",
    "lower",
    "upper",
    "format",
}
_CLOCKS = (".today", ".now", ".utcnow", "time.time", "time.time_ns", "time.strftime", "time.localtime", "time.gmtime")
_SMALL = {"'cTrue", "'cFalse", "'cNone", "'cEllipsis", "'i0", "'i1", "'i-1", "'s"}
_FROM_SETS = (ast.Set, ast.SetComp, ast.ListComp, ast.DictComp, ast.GeneratorExp, ast.Starred)
_TIMEOUT = 600


class Literals:
    """Whether a constant stands in the project's sources: looked for in their text, else in their trees."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self._modules = list(modules)
        self._text = b"\n".join(module.source.data for module in self._modules)
        self._tokens: set[str] | None = None
        self._held = dict.fromkeys(_SMALL, True)

    def hold(self, token: str) -> bool:
        known = self._held.get(token)
        if known is None:
            known = self._held[token] = _as_written(token) in self._text or token in self._all()
        return known

    def _all(self) -> set[str]:
        """Constants that are written in another way than `repr` does: `0x10`, `"a\\n"`, adjacent strings."""
        if self._tokens is None:
            trees = (module.source.tree for module in self._modules)
            constants = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
            self._tokens = {"'" + constant_token(value) for value in constants}
        return self._tokens


def _as_written(token: str) -> bytes:
    kind, rest = token[1:2], token[2:]
    if kind == "i":
        # `str` of an int has a limit of digits
        return str(int(rest, 16)).encode() if len(rest) < 1000 else b"\0"
    if kind == "r":
        return repr(float.fromhex(rest)).encode()
    return rest.encode("utf-8", "surrogatepass")


def unstable_keys(walker: Walker, imported: Imported) -> set[str]:
    """The keys of values that another import of the same sources makes another way."""
    literals = Literals(walker.modules.all())
    suspects = {
        key
        for key, (node, found) in walker.values.items()
        if node not in walker.replaced and not _certain(walker, node, found, literals)
    }
    if not suspects:
        return set()
    told = _second_import(imported)
    differing = {key for key in suspects if key in told and told[key] != walker.values[key][0].digest}
    return differing | {key for key in suspects - differing if _reads_clock(walker, *walker.values[key])}


def _certain(walker: Walker, node: Node, found: LiveObject, literals: Literals) -> bool:
    scalars = [token for token in node.tokens if token.startswith("'")]
    bindings = found.module.bindings.get(found.name, ()) if found.module else ()
    values = [getattr(binding.node, "value", None) for binding in bindings]
    if found.module is not None and values and all(isinstance(value, ast.expr) for value in values):
        sure = all(_sure(walker, found.module, value) for value in values if value is not None)
        if sure and _immutable(found.value):
            return True
        if not sure and any(isinstance(part, ast.Call) for value in values if value for part in ast.walk(value)):
            return False
    if any(token.startswith(("array ", "date ", "datetime ", "time ")) for token in node.tokens):
        return False
    if not all(literals.hold(token) for token in scalars):
        return False
    return isinstance(found.value, set) or not any(
        isinstance(part, _FROM_SETS) for value in values if value for part in ast.walk(value)
    )


def _immutable(value: object) -> bool:
    return isinstance(value, int | float | complex | str | bytes | frozenset | Path | type(None)) or type(
        value
    ).__module__ in (
        "re",
        "datetime",
        "decimal",
        "fractions",
        "uuid",
    )


def _sure(walker: Walker, module: Module, value: ast.expr) -> bool:
    """Whether an expression can only give one value: literals, and calls that are known to be pure."""
    for part in ast.walk(value):
        if isinstance(part, ast.ListComp | ast.DictComp | ast.GeneratorExp | ast.Await | ast.SetComp):
            return False
        if isinstance(part, ast.Call) and not _sure_call(walker, module, part.func):
            return False
        if isinstance(part, ast.Name) and not _sure_name(walker, module, part.id):
            return False
    return True


def _sure_name(walker: Walker, module: Module, name: str) -> bool:
    found = walker.resolver.name(module, name)
    if not isinstance(found, LiveObject) or found.module is None:
        return True
    key = walker.key_of(found)
    if key in walker.certain:
        return walker.certain[key]
    walker.certain[key] = False  # a circle is not certain
    bindings = found.module.bindings.get(found.name, ())
    values = [getattr(binding.node, "value", None) for binding in bindings if not binding.origin]
    defined = all(isinstance(binding.node, ast.FunctionDef | ast.ClassDef) for binding in bindings)
    given = name in ("__file__", "__name__")
    sure = (
        given or defined or all(isinstance(value, ast.expr) and _sure(walker, found.module, value) for value in values)
    )
    walker.certain[key] = sure
    return sure


def _sure_call(walker: Walker, module: Module, function: ast.expr) -> bool:
    dotted: list[str] = []
    while isinstance(function, ast.Attribute):
        dotted.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name):
        return bool(dotted) and dotted[0] in _METHODS
    found = walker.resolver.name(module, function.id)
    for attr in reversed(dotted):
        if isinstance(found, External):
            found = External(f"{found.path}.{attr}")
    if isinstance(found, External):
        return found.path in _SURE or found.path.startswith("pivot.")
    return bool(dotted) and dotted[0] in _METHODS and isinstance(found, LiveObject) and _immutable(found.value)


def _reads_clock(walker: Walker, node: Node, found: LiveObject) -> bool:
    """Whether the statements behind a value ask for the time: two imports within a second see one day."""
    probe = Node(node.name, node.qualname, node.place)
    walker.write_statements(probe, found)
    walker.drain()
    tokens = (token for one in reachable(probe) for token in one.tokens)
    return any(token.startswith("X:") and token.endswith(_CLOCKS) for token in tokens)


def _second_import(imported: Imported) -> dict[str, str]:
    """Digest of each value as a fresh process with another hash seed sees it; empty if that process fails."""
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    environment = imported.environment
    own = json.dumps({name: environment[name] for name in ("PYTHONHASHSEED", "PYTHONPATH") if name in environment})
    command = [sys.executable, *flags, "-c", "from pivot.code.analysis.second_import_main import main; main()"]
    command += [str(imported.root), imported.file, imported.importer.files.outside, own]
    seed = "1" if environment.get("PYTHONHASHSEED") != "1" else "2"
    try:
        done = subprocess.run(
            command,
            env={**environment, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(_search_path(environment))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=True,
        )
        told = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    return {str(key): str(value) for key, value in told.items()}


def _search_path(environment: Mapping[str, str]) -> list[str]:
    home = str(Path(__file__).resolve().parents[3])
    return [home, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
