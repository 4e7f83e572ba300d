"""Random projects: modules whose functions reach each other in every way that the generator knows."""

from __future__ import annotations

import random
import re

from tests.code.catalogue.row import FOOT, HEAD

MODULES = ["m0", "m1", "pkg/inner", "pkg/deep/leaf"]
_NUMBER = re.compile(r"(?<![\w'])\d+(?!\w)")


def project(seed: int) -> dict[str, str]:
    """Files of a project, the same for the same seed; functions call only those of later modules: no endless loops."""
    chance = random.Random(seed)
    files = {"pkg/__init__.py": "", "pkg/deep/__init__.py": ""}
    known: list[tuple[str, str]] = []
    for path in reversed(MODULES):
        module = path.replace("/", ".")
        text, made = _module(chance, module, list(known))
        files[path + ".py"] = text
        known += [(module, name) for name in made]
    lines: list[str] = []
    calls: list[str] = []
    for stage in "ab":
        picked = [_use(chance, "pipeline", one, lines) for one in chance.sample(known, min(2, len(known)))]
        calls.append(f"def {stage}() -> {stage.upper()}: return {' + '.join(picked)} + {chance.randint(2, 9)}")
    files["pipeline.py"] = HEAD + "\n".join([*lines, *calls]) + FOOT
    return files


def edit(files: dict[str, str], seed: int) -> dict[str, str]:
    """The project with one number changed somewhere."""
    chance = random.Random(seed)
    while True:
        path = chance.choice(sorted(files))
        start = len(HEAD) if path == "pipeline.py" else 0
        spots = [spot for spot in _NUMBER.finditer(files[path]) if spot.start() >= start]
        if spots:
            break
    spot = chance.choice(spots)
    text = files[path]
    return {**files, path: text[: spot.start()] + str(int(spot.group()) + chance.randint(1, 5)) + text[spot.end() :]}


def _module(chance: random.Random, module: str, known: list[tuple[str, str]]) -> tuple[str, list[str]]:
    head: list[str] = ["import functools"]
    body: list[str] = []
    made: list[str] = []
    for number in range(chance.randint(2, 4)):
        name = f"{module.rpartition('.')[2]}_{number}"
        uses = [_use(chance, module, one, head) for one in chance.sample(known, min(len(known), chance.randint(0, 2)))]
        uses += [f"{one}()" for one in chance.sample(made, min(len(made), chance.randint(0, 1)))]
        value = " + ".join([str(chance.randint(10, 99)), *uses])
        body += chance.choice(_SHAPES)(name, value, chance)
        made.append(name)
    return "\n".join([*head, *body]) + "\n", made


def _use(chance: random.Random, module: str, target: tuple[str, str], head: list[str]) -> str:
    """A call of a function of another module, with the import that it needs."""
    home, name = target
    alias = f"{name}_x{len(head)}"
    ways = [
        (f"from {home} import {name}", f"{name}()"),
        (f"from {home} import {name} as {alias}", f"{alias}()"),
        (f"import {home}", f"{home}.{name}()"),
        (f"import {home} as {alias}", f"{alias}.{name}()"),
        (f"import {home} as {alias}", f'getattr({alias}, "{name}")()'),
        ("import importlib", f'importlib.import_module("{home}").{name}()'),
        (f"def {alias}():\n    from {home} import {name}\n    return {name}()", f"{alias}()"),
        (f"def {alias}():\n    import {home} as inner\n    return inner.{name}()", f"{alias}()"),
        (f"from {home} import {name}\n{alias} = {{'k': {name}}}", f"{alias}['k']()"),
        (f"from {home} import {name}\n{alias} = [{name}, {name}]", f"sum(f() for f in {alias})"),
        (f"from {home} import {name}\n{alias} = lambda: {name}()", f"{alias}()"),
    ]
    statement, call = chance.choice(ways)
    head.append(statement)
    return call


def _plain(name: str, value: str, chance: random.Random) -> list[str]:
    return [f"def {name}(): return {value}"]


def _constant(name: str, value: str, chance: random.Random) -> list[str]:
    return [f"K_{name} = {chance.randint(10, 99)}", f"def {name}(): return K_{name} + {value}"]


def _default(name: str, value: str, chance: random.Random) -> list[str]:
    return [f"def {name}(x={chance.randint(10, 99)}): return x + {value}"]


def _method(name: str, value: str, chance: random.Random) -> list[str]:
    return [
        f"class Base_{name}:\n    k = {chance.randint(10, 99)}\n    def go(self): return {value} + self.k",
        f"class C_{name}(Base_{name}):\n    @property\n    def more(self): return super().go() + {chance.randint(10, 99)}",  # noqa: E501
        f"I_{name} = C_{name}()",
        f"def {name}(): return I_{name}.more",
    ]


def _closure(name: str, value: str, chance: random.Random) -> list[str]:
    return [
        f"def make_{name}(k):\n    def inner(): return {value} + k\n    return inner",
        f"{name} = make_{name}({chance.randint(10, 99)})",
    ]


def _decorated(name: str, value: str, chance: random.Random) -> list[str]:
    return [
        f"def deco_{name}(f):\n    @functools.wraps(f)\n    def wrap(): return f() + {chance.randint(10, 99)}\n    return wrap",  # noqa: E501
        f"@deco_{name}\ndef {name}(): return {value}",
    ]


def _cached(name: str, value: str, chance: random.Random) -> list[str]:
    return [f"@functools.lru_cache\ndef {name}(): return {value}"]


def _partial(name: str, value: str, chance: random.Random) -> list[str]:
    return [
        f"def raw_{name}(x): return x + {value}",
        f"{name} = functools.partial(raw_{name}, {chance.randint(10, 99)})",
    ]


def _registry(name: str, value: str, chance: random.Random) -> list[str]:
    return [
        f"REG_{name} = {{}}",
        f"def reg_{name}(f):\n    REG_{name}[f.__name__] = f\n    return f",
        f"@reg_{name}\ndef deep_{name}(): return {value}",
        f"def {name}(): return sum(f() for f in REG_{name}.values())",
    ]


def _generator(name: str, value: str, chance: random.Random) -> list[str]:
    return [f"def gen_{name}():\n    yield {value}", f"def {name}(): return sum(x for x in gen_{name}())"]


def _operator(name: str, value: str, chance: random.Random) -> list[str]:
    return [
        f"class O_{name}:\n    def __add__(self, other): return other + {value}",
        f"def {name}(): return O_{name}() + 10",
    ]


_SHAPES = [
    _plain, _constant, _default, _method, _closure, _decorated, _cached, _partial, _registry, _generator, _operator,
]  # fmt: skip
