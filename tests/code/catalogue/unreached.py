"""Edits that no stage reaches: nothing may run."""

from tests.code.catalogue.row import Row

CODE = """
import math
import os
from typing import TYPE_CHECKING
from utils import helper, LIMIT
if TYPE_CHECKING:
    from models import Model

'''A string that stands alone.'''

def near(x: int, y: "Model | None" = None) -> int:
    '''What it does.'''
    total: int = x + 1  # why
    return total

class Thing:
    '''A thing.'''
    rate = 2
    def get(self): return self.rate
    def more(self): return self.rate + 1

def unused(): return 3

def a() -> A:
    '''The stage.'''
    return helper(near(1)) + Thing().get() + LIMIT

def b() -> B: return 5
--- utils.py
# coding: utf-8
import json
LIMIT = 3
OTHER = 4
WORDS = {"one", "two", "three", "four", "five"}
def helper(x): return x + deep(x)
def deep(x): return len(WORDS) + x
def other(): return OTHER
--- models.py
class Model:
    def fit(self): return 1
"""

_SCRIPT = """
import random
LIMIT = 1
def a() -> A: return random.Random(3).random()
def b() -> B: return 5
if __name__ == "__main__" {}:
    random.seed(1)
"""


def _row(kind: str, edit: str, text: str = CODE, *, every: bool = False) -> Row:
    return Row(kind, text, edit, "", every=every)


ROWS = [
    _row("a comment", "  # why =>   # because"),
    _row("a comment that is added", "def deep(x): => # deeper\\ndef deep(x):"),
    _row("a comment inside a function", "    return total =>     # done\\n    return total"),
    _row("a docstring of a helper", "What it does. => What it does, really."),
    _row("a docstring that is taken away", "    '''What it does.'''\\n => "),
    _row("a docstring of a class", "A thing. => Another thing."),
    _row("a docstring of a stage", "The stage. => The first stage."),
    _row("a docstring that is added", "def deep(x): return => def deep(x):\\n    'Deeper.'\\n    return"),
    _row("a string that stands alone", "A string that stands alone. => Another."),
    _row("blank lines", "def near => \\n\\n\\ndef near"),
    _row("spaces", "x + deep(x) => x  +  deep( x )"),
    _row("brackets", "return x + deep(x) => return (x + (deep(x)))"),
    _row("a line that is broken", "return x + deep(x) => return (\\n        x\\n        + deep(x)\\n    )"),
    _row("quotes", '"one", "two" => \'one\', """two"""'),
    _row("a trailing comma", '"four", "five"} => "four", "five",\\n}'),
    _row("the order of a set", '"one", "two" => "two", "one"'),
    _row("how a number is written", "LIMIT = 3 => LIMIT = 0x3"),
    _row("a body on the line of its def", "def deep(x): return => def deep(x):\\n    return"),
    _row("a semicolon", "LIMIT = 3\\nOTHER = 4 => LIMIT = 3; OTHER = 4"),
    _row("an encoding header", "# coding: utf-8 => # -*- coding: latin-1 -*-"),
    _row("line ends of Windows", "\\n => \r\\n", every=True),
    _row(
        "tabs for spaces",
        "    return total => \\treturn total ;; '''What it does.'''\\n    total => '''What it does.'''\\n\\ttotal ;;     '''What => \\t'''What",
    ),
    _row("an annotation of a parameter", "x: int, => x: float,"),
    _row("an annotation in quotes", '"Model | None" => "Model"'),
    _row("the annotation of a result", "= None) -> int: => = None) -> float:"),
    _row("an annotation of a local name", "total: int = => total ="),
    _row("a pass that is added", "    return total =>     pass\\n    return total"),
    _row("an import for the type checker", "from models import Model => import models"),
    _row("the body of a class for the type checker", "def fit(self): return 1 => def fit(self): return 2"),
    _row("a function that no stage calls", "return 3 => return 4"),
    _row("a function of another module that no stage calls", "return OTHER => return OTHER + 1"),
    _row("a constant that no stage reads", "OTHER = 4 => OTHER = 5"),
    _row("a function that is added", "def unused => def fresh(): return 1\\ndef unused"),
    _row("a class that is added", "def unused => class Fresh: pass\\ndef unused"),
    _row("an import that is added", "import math => import math\\nimport re"),
    _row("an unused import that is taken away", "import math\\n => "),
    _row("an unused import of another library", "import json => import pickle"),
    _row("the order of imports", "import math\\nimport os => import os\\nimport math"),
    _row(
        "the order of definitions",
        "def helper(x): return x + deep(x)\\ndef deep(x): return len(WORDS) + x => def deep(x): return len(WORDS) + x\\ndef helper(x): return x + deep(x)",
    ),
    _row(
        "the order of methods",
        "    def get(self): return self.rate\\n    def more(self): return self.rate + 1 =>     def more(self): return self.rate + 1\\n    def get(self): return self.rate",
    ),
    _row("a statement at the end of a module", "def other(): => print('hello')\\ndef other():"),
    _row("a main block", "def unused => if __name__ == '__main__': print(1)\\ndef unused"),
    _row("a seed in a main block", "seed(1) => seed(2)", _SCRIPT.format("")),
    _row("a seed in a main block that asks for more", "seed(1) => seed(2)", _SCRIPT.format("and LIMIT")),
    _row("a new module", "+++ fresh.py: def fresh(): return 1"),
    _row("a new file of text", "+++ notes.txt: notes"),
    _row("the name of a helper", "deep(x) => deeper(x)", every=True),
    _row(
        "the other name of an import",
        "import helper, LIMIT => import helper as h, LIMIT ;; return helper(near => return h(near",
    ),
    _row(
        "an import by module instead of by name",
        "from utils import helper, LIMIT => import utils ;; helper(near(1)) => utils.helper(near(1)) ;; + LIMIT => + utils.LIMIT",
    ),
    _row("a constant written as an expression", "LIMIT = 3 => LIMIT = 1 + 2"),
    Row(
        "a helper moved to another module",
        "from one import helper\ndef a() -> A: return helper()\ndef b() -> B: return 5\n--- one.py\ndef helper(): return 1\n--- two.py\nX = 1",
        "from one => from two ;; def helper(): return 1\\n =>  ;; X = 1 => def helper(): return 1",
    ),
    Row(
        "a helper and its constant moved to another module",
        "def a() -> A: return helper()\ndef b() -> B: return 5\nK = 1\ndef helper(): return K",
        "def a() -> A => from moved import helper\\ndef a() -> A ;; \\nK = 1\\ndef helper(): return K =>  ;; +++ moved.py: K = 1\\ndef helper(): return K",
    ),
    Row(
        "a class moved to another module",
        "from one import Model\ndef a() -> A: return Model().fit()\ndef b() -> B: return 5\n--- one.py\nclass Model:\n    k = 1\n    def fit(self): return self.k\n--- two.py\nX = 1",
        "from one => from two ;; class Model:\\n    k = 1\\n    def fit(self): return self.k\\n =>  ;; X = 1 => class Model:\\n    k = 1\\n    def fit(self): return self.k",
    ),
    Row(
        "a module made a package",
        "from one import helper\ndef a() -> A: return helper()\ndef b() -> B: return 5\n--- one.py\ndef helper(): return 1",
        "+++ one.py: raise RuntimeError ;; +++ one/__init__.py: from one.work import helper ;; +++ one/work.py: def helper(): return 1",
    ),
    Row(
        "a random constant",
        "import random, time, os\nSTAMP = time.time()\nRUN = random.random()\nPID = os.getpid()\nNOISE = [object()]\ndef a() -> A: return int(STAMP * 0 + RUN * 0 + PID * 0)\ndef b() -> B: return len(NOISE)",
        "STAMP = => STAMP  =",
    ),
    Row(
        "a set turned into a list, whose order is another in each process",
        "WORDS = list({'one', 'two', 'three', 'four', 'five', 'six'})\ndef a() -> A: return len(WORDS)\ndef b() -> B: return 5",
        "WORDS = => WORDS  =",
    ),
    Row(
        "a path below the repository",
        "from pathlib import Path\nROOT = Path(__file__).parent\nDATA = str(ROOT / 'data')\ndef a() -> A: return len(ROOT.name) * 0 + len(DATA) * 0\ndef b() -> B: return 5",
        "ROOT = => ROOT  =",
    ),
    Row(
        "an instance with a lock, a logger and a cache",
        "import threading, logging, functools\nclass M:\n    def __init__(self):\n        self.lock = threading.Lock()\n        self.log = logging.getLogger('x')\n        self.cache = {}\n    @functools.lru_cache\n    def get(self): return 1\nm = M()\ndef a() -> A: return m.get()\ndef b() -> B: return 5",
        "import threading => import  threading",
    ),
    Row(
        "another stage that is added",
        "def a() -> A: return 1\ndef b() -> B: return 5",
        "def b() => def fresh(): return 3\\ndef b()",
    ),
    Row(
        "another method of a helper class, that no stage reaches",
        "class One:\n    def fit(self): return 1\nclass Two:\n    def fit(self): return 2\ndef a() -> A: return One().fit()\ndef b() -> B: return 5",
        "return 2 => return 3",
    ),
    Row(
        "a type alias that only annotations use",
        "Rows = list[int]\ndef helper(x: Rows): return len(x)\ndef a() -> A: return helper([1])\ndef b() -> B: return 5",
        "list[int] => list[float]",
    ),
    Row(
        "a TypeVar's name",
        "from typing import TypeVar\nT = TypeVar('T')\ndef helper(x: T) -> T: return x\ndef a() -> A: return helper(1)\ndef b() -> B: return 5",
        "T = TypeVar('T') => S = TypeVar('S') ;; (x: T) -> T => (x: S) -> S",
    ),
    Row(
        "future annotations",
        "def helper(x: int): return x\ndef a() -> A: return helper(1)\ndef b() -> B: return 5\n--- unused.py\nX = 1",
        "X = 1 => from __future__ import annotations",
    ),
    Row(
        "unused code in a module imported inside the function",
        "def a() -> A:\n    from utils import helper\n    return helper()\ndef b() -> B: return 5\n--- utils.py\nK = 1\ndef helper(): return 1\ndef other(): return 2",
        "return 2 => return 3",
    ),
    Row(
        "an unused constant in a module imported inside the function",
        "def a() -> A:\n    from utils import helper\n    return helper()\ndef b() -> B: return 5\n--- utils.py\nK = 1\ndef helper(): return 1",
        "K = 1 => K = 2",
    ),
    Row(
        "an unused default of a parameter's order",
        "def helper(*, x=1, y=2): return x + y\ndef a() -> A: return helper()\ndef b() -> B: return 5",
        "return x + y => return x + y ",
    ),
    Row(
        "a constant marked with `pivot: ignore`",
        "K = 1  # pivot: ignore\ndef a() -> A: return K * 0\ndef b() -> B: return 5",
        "K = 1 => K = 2",
    ),
    Row(
        "a function marked with `pivot: ignore`",
        "def log(x):  # pivot: ignore\n    return 1\ndef a() -> A: return log(3) * 0\ndef b() -> B: return 5",
        "return 1 => return 2",
    ),
]
