"""Sizes and habits that keep the package readable."""

from __future__ import annotations

import ast
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.imports import read_package

PACKAGE = Path(__file__).parent.parent / "pivot"
MODULE_LINES = 400
FUNCTION_LINES = 60
FUNCTION_LINES_MEDIAN = 10
NESTING = 3

# Names that say nothing about what a module is for.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "base", "manager", "types", "misc"}

# Nouns of the field, of Git or of a command, though they look like participles.
NOUNS = {
    "accepted",
    "importing",
    "pinning",
    "plumbing",
    "polling",
    "quoting",
    "saved",
    "sharing",
    "structured",
    "wording",
}
PARTICIPLE = re.compile(r"[a-z]+(?:ed|ing)|kept|held|told|given|found|met|written|shown|left|gone|made|sent")

SOURCES, _FOLDERS = read_package(PACKAGE)
TREES = {module: ast.parse(text, module) for module, text in SOURCES.items()}

Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)
CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
CONTAINER_CALLS = {"list", "dict", "set", "bytearray", "deque", "defaultdict", "OrderedDict", "Counter"}


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def depth(node: ast.AST) -> int:
    """How many blocks stand in each other, at most; `elif` is as deep as its `if`, an inner function starts anew."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (Function, ast.Lambda, ast.ClassDef)):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, depth(child) + (isinstance(child, BLOCKS) and not is_elif))
    return deepest


def module_state(tree: ast.Module) -> Iterator[str]:
    """Names bound at module level to a container that code may change.

    A container in capitals with something in it is a constant; an empty one is filled later whatever its name.
    """
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not _is_container(node.value):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for name in (ast.unparse(target) for target in targets):
            is_constant = name.isupper() and not _is_empty(node.value)
            if not is_constant and name != "__all__":
                yield f"{name} (line {node.lineno})"


def _is_container(value: ast.expr | None) -> bool:
    is_call = isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] in CONTAINER_CALLS
    return is_call or isinstance(value, CONTAINERS)


def _is_empty(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        return not value.args and not value.keywords
    return ast.unparse(value) in ("[]", "{}") if value else False


def global_statements(tree: ast.Module) -> list[int]:
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Global)]


def prints(tree: ast.Module) -> list[int]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


def test_modules_have_at_most_400_lines() -> None:
    lines = {module: text.count("\n") for module, text in SOURCES.items()}
    assert not {module: count for module, count in lines.items() if count > MODULE_LINES}


def test_functions_have_at_most_60_lines() -> None:
    long = [(module, f.name, length(f)) for module, tree in TREES.items() for f in functions(tree)]
    assert not [found for found in long if found[2] > FUNCTION_LINES]


def test_the_median_function_has_at_most_10_lines() -> None:
    assert statistics.median(length(f) for tree in TREES.values() for f in functions(tree)) <= FUNCTION_LINES_MEDIAN


def test_blocks_stand_at_most_three_deep() -> None:
    deep = [(module, f.name, depth(f)) for module, tree in TREES.items() for f in functions(tree)]
    assert not [found for found in deep if found[2] > NESTING]


def test_modules_are_named_for_what_they_hold() -> None:
    assert not [module for module in SOURCES if EMPTY_NAMES & set(module.split("."))]


def test_no_module_is_named_by_a_bare_participle() -> None:
    names = {module.rpartition(".")[2] for module in SOURCES}
    assert not {name for name in names - NOUNS if PARTICIPLE.fullmatch(name)}


def test_no_class_name_stands_for_two_classes() -> None:
    classes = [node.name for tree in TREES.values() for node in tree.body if isinstance(node, ast.ClassDef)]
    assert not {name for name, count in Counter(classes).items() if count > 1 and not name.startswith("_")}


def test_only_the_command_line_prints() -> None:
    assert not {m: found for m, tree in TREES.items() if not m.startswith("pivot.cli") and (found := prints(tree))}


def test_no_module_holds_state() -> None:
    assert not {module: names for module, tree in TREES.items() if (names := list(module_state(tree)))}
    assert not {module: lines for module, tree in TREES.items() if (lines := global_statements(tree))}


@pytest.mark.parametrize(
    "source",
    [
        "cache = {}",
        "CACHE = {}",
        "seen: set[str] = set()",
        "a = b = [1]",
        "_QUEUE = collections.deque()",
        "names = [1]",
    ],
)
def test_state_at_module_level_is_seen(source: str) -> None:
    assert list(module_state(ast.parse(source)))


@pytest.mark.parametrize("source", ["LIMITS = {'a': 1}", "__all__ = ['a']", "ONE = 1", "NAMES = ('a', 'b')"])
def test_a_constant_is_not_taken_for_state(source: str) -> None:
    assert not list(module_state(ast.parse(source)))


@pytest.mark.parametrize(
    "body, expected",
    [("x = 1", 0), ("if a:\n  if b:\n    x = 1", 2), ("if a:\n  x = 1\nelif b:\n  x = 2\nelif c:\n  x = 3", 1)],
)
def test_nesting_is_counted_as_a_reader_sees_it(body: str, expected: int) -> None:
    assert depth(ast.parse(body)) == expected
