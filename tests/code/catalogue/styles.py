"""Styles of real projects, and edits of them that change nothing."""

from tests.code.catalogue.row import Row


def _text(kind: str, text: str, edit: str, runs: str = "a", same: bool = False) -> Row:
    """The file of the pipeline, stage `a` in it; other files after it."""
    first, mark, others = text.partition("\n--- ")
    body = first if "def b()" in first else first + "\ndef b() -> B: return 5"
    return Row(kind, body + mark + others, edit, runs, same_result=same)


_ANNOTATED = """
class Model:
    rate = 2
    def fit(self, x, *args, scale=1):
        y = x * scale
        return y + self.rate
def use(m, fs=()): return m.fit(2) + len(fs)
def a() -> A: return use(Model())
"""
_LAZY = """
import lib
def a() -> A: return lib.alpha()
--- lib/__init__.py
def __getattr__(name):
    if name == "alpha":
        from .one import alpha
        globals()["alpha"] = alpha
        return alpha
    raise AttributeError(name)
--- lib/one.py
import json
K = 1
def alpha(): return K
"""
_ESTIMATORS = """
from models import Ridge, Scaler, pipe
def a() -> A: return pipe(Scaler(), Ridge(alpha=2)).fit(3)
def b() -> B: return Scaler().transform(1)
--- models.py
import inspect
class Estimator:
    def params(self): return {n: getattr(self, n) for n in inspect.signature(type(self).__init__).parameters if n != "self"}
class Transform:
    def fit_transform(self, x): return self.transform(x)
class Ridge(Estimator):
    def __init__(self, alpha=1): self.alpha = alpha
    def fit(self, x): return x + self.params()["alpha"]
class Scaler(Transform, Estimator):
    def __init__(self, by=2): self.by = by
    def transform(self, x): return x * self.by
class Pipe:
    def __init__(self, steps): self.steps = steps
    def fit(self, x):
        for step in self.steps[:-1]: x = step.fit_transform(x)
        return self.steps[-1].fit(x)
def pipe(*steps): return Pipe(steps)
"""
_SETTINGS = """
from conf import settings
def a() -> A: return settings.URL
def b() -> B: return settings.DEBUG
--- conf/__init__.py
import importlib, types
def load(*names):
    made = types.SimpleNamespace()
    for module in map(importlib.import_module, names):
        for key in filter(str.isupper, dir(module)): setattr(made, key, getattr(module, key))
    return made
settings = load("conf.base", "conf.local")
--- conf/base.py
HOST = "h"
URL = f"http://{HOST}"
DEBUG = False
--- conf/local.py
DEBUG = True
"""
_REGISTRY = """
from reg import REG
def a() -> A: return REG["inc"](1)
--- reg.py
REG = {}
def reg(f):
    REG[f.__name__] = f
    return f
def near(x): return x + 1
@reg
def inc(x): return near(x)
"""
_LATE = """
def a() -> A:
    from lib import f
    return f()
--- lib.py
def f(): return 1
"""
_CHECKED = "from typing import TYPE_CHECKING\\nif TYPE_CHECKING:\\n    from x import Y\\n"
_PLUGINS = """
import plugins
def a() -> A: return [str(one.run()) for one in plugins.ALL]
--- plugins/__init__.py
import importlib, pkgutil
ALL = [importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__)]
--- plugins/one.py
import math
def run(): return math.sqrt(4)
"""

ROWS = [
    _text(
        "a class that an annotation names and that is reached anyway",
        _ANNOTATED,
        "use(m, fs=() => use(m: Model, fs=()",
        "",
    ),
    _text("annotations that are added to a helper", _ANNOTATED, "fs=()): => fs: tuple = ()) -> int:", ""),
    _text(
        "annotations that are added to a method",
        _ANNOTATED,
        "x, *args, scale=1) => x: float, *args: int, scale: 'float' = 1) -> float",
        "",
    ),
    _text("an annotation that is added to a local name", _ANNOTATED, "y = x => y: float = x", ""),
    _text("a lazy attribute that is kept: what it gives", _LAZY, "K = 1 => K = 2"),
    _text("a lazy attribute that is kept: another name of its package", _LAZY, "+++ lib/more.py: X = 1", ""),
    _text("a lazy attribute that is kept: an unused import", _LAZY, "import json => import json, pickle", ""),
    _text("a lazy attribute that is kept: an unused function", _LAZY, "K = 1 => K = 1\\ndef other(): return 3", ""),
    _text(
        "an import moved out of the function",
        "def helper(x):\n    import math\n    from lib import half\n    return half(math.floor(x))\ndef a() -> A: return helper(3.5)\n--- lib.py\ndef half(x): return x / 2",
        "def helper(x):\\n    import math\\n    from lib import half => import math\\nfrom lib import half\\ndef helper(x):",
        "",
    ),
    _text("estimators: a step", _ESTIMATORS, "x * self.by => x * self.by + 1", "a b"),
    _text("estimators: a default", _ESTIMATORS, "by=2 => by=3", "a b"),
    _text(
        "estimators: a mixin", _ESTIMATORS, "return self.transform(x) => return self.transform(x) + 1", "a b", same=True
    ),
    _text(
        "estimators: annotations where only names of parameters are asked for",
        _ESTIMATORS,
        "by=2 => by: float = 2 ;; def fit_transform(self, x) => def fit_transform(self, x: float) -> float",
        "",
    ),
    _text("a lazy import: a block for the type checker", _LATE, f"def f => {_CHECKED}def f", ""),
    _text("a lazy import: a logger", _LATE, "def f => import logging\\nlog = logging.getLogger(__name__)\\ndef f", ""),
    _text(
        "a lazy import: a main block", _LATE, "return 1 => return 1\\nif __name__ == '__main__':\\n    print(f())", ""
    ),
    _text("plugins: an unused import", _PLUGINS, "def run => import json\\ndef run", ""),
    _text("plugins: an import that is used", _PLUGINS, "import math => import cmath as math"),
    _text("plugins: a block for the type checker", _PLUGINS, f"def run => {_CHECKED}def run", ""),
    _text(
        "plugins: future annotations", _PLUGINS, "import math => from __future__ import annotations\\nimport math", ""
    ),
    _text(
        "an instance that raises for every name: a comment",
        "class P:\n    def __getattribute__(self, name): raise RuntimeError(name)\n    def __len__(self): return 1\np = P()\ndef a() -> A: return len(p)",
        "p = P() => p = P()  # one",
        "",
    ),
    _text("estimators: the last step only", _ESTIMATORS, 'self.params()["alpha"] => self.params()["alpha"] * 2'),
    _text("settings collected from modules", _SETTINGS, 'HOST = "h" => HOST = "i"'),
    _text("settings collected from modules: one that another hides", _SETTINGS, "DEBUG = False => DEBUG = None", ""),
    _text("settings collected from modules: one that hides another", _SETTINGS, "DEBUG = True => DEBUG = 1", "b"),
    _text(
        "the name of a helper beside a registry of names",
        _REGISTRY,
        "def near => def close ;; return near => return close",
        "",
    ),
    _text(
        "the name under which a registry knows a function",
        _REGISTRY,
        'def inc => def dec ;; REG["inc"] => REG["dec"]',
        "",
    ),
    _text(
        "__match_args__ of the class itself",
        "class P:\n    __match_args__ = ('x', 'y')\n    x, y = 1, 2\ndef a() -> A:\n    match P():\n        case P(first): return first",
        "('x', 'y') => ('y', 'x')",
    ),
    _text("the keys of a dict", "T = {'x': 1, 'y': 2}\nKEYS = T.keys()\ndef a() -> A: return list(KEYS)", "'x' => 'z'"),
    _text(
        "a structure of C",
        "import ctypes\nclass S(ctypes.Structure):\n    _fields_ = [('x', ctypes.c_int32)]\ndef a() -> A: return ctypes.sizeof(S)",
        "c_int32 => c_int64",
    ),
    _text(
        "a module's name space by a key",
        "import rules\ndef a() -> A: return rules.__dict__['near'](3)\n--- rules.py\ndef near(x): return x + 1",
        "x + 1 => x + 2",
    ),
    _text(
        "getattr with a default: what is there",
        "import rules\ndef a() -> A: return getattr(rules, 'near', None)(3)\ndef b() -> B: return getattr(rules, 'far', abs)(3)\n--- rules.py\ndef near(x): return x + 1",
        "x + 1 => x + 2",
    ),
    _text(
        "getattr with a default: what is added",
        "import rules\ndef a() -> A: return getattr(rules, 'far', abs)(3)\ndef b() -> B: return getattr(rules, 'near', None)(3)\n--- rules.py\ndef near(x): return x + 1",
        "+++ rules.py: def near(x): return x + 1\\ndef far(x): return 7",
    ),
    _text(
        "hasattr of a literal: what is added",
        "import rules\ndef a() -> A: return hasattr(rules, 'far')\n--- rules.py\ndef near(x): return x + 1",
        "+++ rules.py: def near(x): return x + 1\\ndef far(x): return 7",
    ),
    _text(
        "hasattr of a literal: something else that is added",
        "import rules\ndef a() -> A: return hasattr(rules, 'far')\n--- rules.py\ndef near(x): return x + 1",
        "+++ rules.py: def near(x): return x + 1\\ndef other(x): return 7",
        "",
    ),
    _text(
        "numpy.frompyfunc",
        "import numpy as np\ndef plus(x): return x + 1\nmany = np.frompyfunc(plus, 1, 1)\ndef a() -> A: return int(many(np.array([1]))[0])",
        "x + 1 => x + 2",
    ),
    _text(
        "a module run by this Python",
        "import subprocess, sys\ndef a() -> A: return subprocess.run([sys.executable, '-m', 'tool.cli'], capture_output=True, text=True).stdout\n--- tool/cli.py\nfrom .impl import go\nprint(go())\n--- tool/impl.py\ndef go(): return 1",
        "return 1 => return 2",
    ),
    _text(
        "a script in a command",
        "import subprocess, sys\ndef a() -> A: return subprocess.run(f'{sys.executable} tool.py --x', shell=True, capture_output=True, text=True).stdout\n--- tool.py\nprint(1)",
        "print(1) => print(2)",
    ),
    _text(
        "a script that a message mentions",
        "def a() -> A: return 'see the notes in tool.py'\n--- tool.py\nprint(1)",
        "print(1) => print(2)",
        "",
    ),
    _text(
        "an object that cannot be read, by what is done to it",
        "import sqlite3\ndb = sqlite3.connect(':memory:')\ndb.execute('create table t(x)')\ndb.execute('insert into t values(1)')\ndef a() -> A: return db.execute('select x from t').fetchone()[0]",
        "values(1) => values(2)",
    ),
    _text(
        "an object that cannot be read, by a loop that fills it",
        "import sqlite3\ndb = sqlite3.connect(':memory:')\ndb.execute('create table t(x)')\nfor n in (1, 2): db.execute(f'insert into t values({n})')\ndef a() -> A: return db.execute('select sum(x) from t').fetchone()[0]",
        "(1, 2) => (1, 3)",
    ),
    # What a parser holds is the standard library's own affair, and differs from Python to Python.
    Row(
        "arguments of a parser",
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--x', default=1, type=int)\ndef a() -> A: return parser.parse_args([]).x\ndef b() -> B: return 5",
        "default=1 => default=2",
        "a",
        every_python=False,
    ),
    _text(
        "a set of literals in another order",
        "def a() -> A: return 3 if 'x' in {'x', 'y'} else 4",
        "{'x', 'y'} => {'y', 'x'}",
        "",
    ),
    _text(
        "a set of literals with another one",
        "def a() -> A: return 3 if 'z' in {'x', 'y'} else 4",
        "{'x', 'y'} => {'x', 'z'}",
    ),
    _text(
        "runpy.run_module of a literal",
        "import runpy\ndef a() -> A: return runpy.run_module('tool')['K']\n--- tool.py\nK = 1",
        "K = 1 => K = 2",
    ),
    _text(
        "a function with globals of its own",
        "import types\ndef plain(): return K\nK = 1\nother = types.FunctionType(plain.__code__, {'K': 5})\ndef a() -> A: return other()\ndef b() -> B: return plain()",
        "'K': 5 => 'K': 6",
    ),
    _text(
        "another member of an enum",
        "import enum\nclass Mode(enum.Enum):\n    FAST = 1\n    SLOW = 2\ndef a() -> A: return Mode.FAST.value\ndef b() -> B: return Mode.SLOW.value",
        "SLOW = 2 => SLOW = 3",
        "b",
    ),
    _text(
        "the value of a member that a property of the enum gives",
        "import enum\nclass Mode(enum.Enum):\n    FAST = 1\n    @property\n    def value(self): return 7\ndef a() -> A: return Mode.FAST.value",
        "return 7 => return 8",
    ),
    _text(
        "a module that is reached for one name and imported by a name that only the run knows",
        "import importlib, lib\nNAMES = ['lib']\ndef a() -> A: return lib.one() + sum(importlib.import_module(name).two() for name in NAMES)\ndef b() -> B: return lib.one()\n--- lib.py\ndef one(): return 1\ndef two(): return 2",
        "return 2 => return 3",
    ),
]
