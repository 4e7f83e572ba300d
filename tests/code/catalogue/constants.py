"""Constants of every kind, at their value at run time."""

from tests.code.catalogue.row import Row


def _const(kind: str, value: str, other: str, call: str = "len(repr(K))", more: str = "", same: bool = False) -> Row:  # noqa: PLR0913, PLR0917 - one call is one line of the table
    text = f"{more}\nK = {value}\ndef a() -> A: return {call}\ndef b() -> B: return 5\n"
    return Row(kind, text, f"K = {value} => K = {other}", "a", same_result=same)


def _text(kind: str, text: str, edit: str, runs: str = "a", same: bool = False) -> Row:
    body = text if "def b()" in text else text + "\ndef b() -> B: return 5\n"
    return Row(kind, body, edit, runs, same_result=same)


ROWS = [
    _const("an int", "1", "2", "K"),
    _const("an int and an equal float", "1", "1.0"),
    _const("an int and an equal bool", "1", "True"),
    _const("a float's last digit", "0.1", "0.10000000000000002", "K"),
    _const("the sign of zero", "0.0", "-0.0"),
    _const("a large int", "10 ** 5000", "10 ** 5000 + 1", "K % 7"),
    _const("a string", "'x'", "'xy'"),
    _const("a string and equal bytes", "'x'", "b'x'"),
    _const("bytes", "b'x'", "b'xy'"),
    _const("a bytearray", "bytearray(b'x')", "bytearray(b'xy')"),
    _const("None", "None", "0"),
    _const("a complex number", "1j", "2j", "K.imag"),
    _const("a list", "[1, 2]", "[1, 3]", "K[1] + sum(K)"),
    _const("the order of a list", "[1, 2]", "[2, 1]", "list(K)[0]"),
    _const("a list and an equal tuple", "[1, 2]", "(1, 2)", "len(repr(type(K)))"),
    _const("a nested container", "{'x': [1, {'y': (2, 3)}]}", "{'x': [1, {'y': (2, 4)}]}", "sum(K['x'][1]['y'])"),
    _const("the order of a dict", "{'x': 1, 'y': 2}", "{'y': 2, 'x': 1}", "list(K.values())[0]"),
    _const("a key of a dict", "{'x': 1}", "{'xy': 1}"),
    _const("a set", "{1, 2}", "{1, 3}", "sum(K)"),
    _const("a frozenset", "frozenset({1, 2})", "frozenset({1, 3})", "sum(K)"),
    _const("a set and an equal frozenset", "{1, 2}", "frozenset({1, 2})", "len(repr(type(K)))"),
    _const("a set of tuples", "{(1, 'x'), (2, 'y')}", "{(1, 'x'), (2, 'yz')}", "sum(len(y) for _, y in K)"),
    _const("a range", "range(3)", "range(4)", "len(K)"),
    _const("a slice", "slice(1)", "slice(2)", "len('abc'[K])"),
    _const("a regular expression", "re.compile('a')", "re.compile('ab')", "len(K.pattern)", "import re"),
    _const(
        "flags of a regular expression",
        "re.compile('a')",
        "re.compile('a', re.I)",
        "int(bool(K.match('A')))",
        "import re",
    ),
    _const("a path", "Path('x/y')", "Path('x/yz')", "len(str(K))", "from pathlib import Path"),
    _const("a date", "date(2024, 1, 2)", "date(2024, 1, 3)", "K.day", "from datetime import date"),
    _const(
        "a time zone",
        "datetime(2024, 1, 1, tzinfo=timezone.utc)",
        "datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1)))",
        "len(K.isoformat()) + K.utcoffset().seconds",
        "from datetime import datetime, timedelta, timezone",
    ),
    _const("a timedelta", "timedelta(1)", "timedelta(2)", "K.days", "from datetime import timedelta"),
    _const("a Decimal", "Decimal('1.10')", "Decimal('1.1')", "len(str(K))", "from decimal import Decimal"),
    _const("a Fraction", "Fraction(1, 2)", "Fraction(1, 3)", "K.denominator", "from fractions import Fraction"),
    _const("a UUID", "UUID(int=1)", "UUID(int=2)", "K.int", "from uuid import UUID"),
    _const("a deque", "deque([1], 3)", "deque([1], 4)", "K.maxlen", "from collections import deque"),
    _const("a Counter", "Counter('aab')", "Counter('aabb')", "K['b'] + len(K)", "from collections import Counter"),
    _const(
        "a defaultdict's factory",
        "defaultdict(int)",
        "defaultdict(lambda: 7)",
        "int(K.get('x') or K['x'])",
        "from collections import defaultdict",
    ),
    _const(
        "a defaultdict's own function",
        "defaultdict(one)",
        "defaultdict(two)",
        "K['x']",
        "from collections import defaultdict\ndef one(): return 1\ndef two(): return 2",
    ),
    _const("an OrderedDict", "OrderedDict(x=1)", "OrderedDict(x=2)", "K['x']", "from collections import OrderedDict"),
    _const("a ChainMap", "ChainMap({'x': 1})", "ChainMap({'x': 2})", "K['x']", "from collections import ChainMap"),
    _const(
        "a mapping proxy",
        "MappingProxyType({'x': 1})",
        "MappingProxyType({'x': 2})",
        "K['x']",
        "from types import MappingProxyType",
    ),
    _const(
        "a SimpleNamespace", "SimpleNamespace(x=1)", "SimpleNamespace(x=2)", "K.x", "from types import SimpleNamespace"
    ),
    _const("an array", "array('i', [1])", "array('i', [2])", "K[0]", "from array import array"),
    _const("a string.Template", "Template('$x')", "Template('$xy')", "len(K.template)", "from string import Template"),
    _const("an itertools.count", "count(1)", "count(2)", "next(K)", "from itertools import count"),
    _const("a struct.Struct", "Struct('i')", "Struct('q')", "K.size", "from struct import Struct"),
    _const(
        "a random generator with a seed", "Random(1)", "Random(2)", "K.randint(0, 10**9)", "from random import Random"
    ),
    _const("a zone by name", "ZoneInfo('UTC')", "ZoneInfo('Etc/GMT')", "len(K.key)", "from zoneinfo import ZoneInfo"),
    _const("a numpy array", "np.array([1, 2])", "np.array([1, 3])", "int(K.sum())", "import numpy as np"),
    _const("the type of a numpy array", "np.array([1])", "np.array([1.0])", "K.dtype.kind", "import numpy as np"),
    _const("the shape of a numpy array", "np.zeros((2, 3))", "np.zeros((3, 2))", "K.shape[0]", "import numpy as np"),
    _const(
        "a numpy array of objects",
        "np.array([{'x': 1}, None])",
        "np.array([{'x': 2}, None])",
        "K[0]['x']",
        "import numpy as np",
    ),
    _const("a numpy number", "np.float32(1)", "np.float64(1)", "K.dtype.itemsize", "import numpy as np"),
    _const("a numpy dtype", "np.dtype('f4')", "np.dtype('f8')", "K.itemsize", "import numpy as np"),
    _const(
        "a numpy generator with a seed",
        "np.random.default_rng(1)",
        "np.random.default_rng(2)",
        "int(K.integers(10**9))",
        "import numpy as np",
    ),
    _const("a numpy ufunc", "np.add", "np.subtract", "int(K(1, 2))", "import numpy as np"),
    _const(
        "a structured numpy array",
        "np.array([(1, 2.0)], dtype=[('x', 'i4'), ('y', 'f4')])",
        "np.array([(1, 3.0)], dtype=[('x', 'i4'), ('y', 'f4')])",
        "float(K['y'][0])",
        "import numpy as np",
    ),
    _const("a type", "int", "float", "K(1.5) * 2"),
    _const("an exception instance", "ValueError('x')", "ValueError('xy')", "len(K.args[0])"),
    _const("a constant from another", "BASE + 1", "BASE + 2", "K", "BASE = 1"),
    _const("a conditional constant", "1 if True else 2", "1 if False else 2", "K"),
    _text(
        "a constant computed at import by a helper",
        "def make(): return 1\nK = make()\ndef a() -> A: return K",
        "return 1 => return 2",
    ),
    _text(
        "a helper that computes the same value in another way",
        "def make(): return 1 + 1\nK = make()\ndef a() -> A: return K",
        "return 1 + 1 => return 2",
        "",
    ),
    _text(
        "a constant that another is made from", "BASE = 1\nK = BASE + 1\ndef a() -> A: return K", "BASE = 1 => BASE = 2"
    ),
    _text(
        "a constant imported from another module",
        "from settings import K\ndef a() -> A: return K\ndef b() -> B: return 5\n--- settings.py\nK = 1",
        "K = 1 => K = 2",
    ),
    _text(
        "a constant by its module",
        "import settings\ndef a() -> A: return settings.K\ndef b() -> B: return settings.L\n--- settings.py\nK = 1\nL = 3",
        "K = 1 => K = 2",
    ),
    _text("a loop at module level", "K = 0\nfor i in range(3): K += i\ndef a() -> A: return K", "range(3) => range(4)"),
    _text("a list filled at module level", "K = []\nK.append(1)\ndef a() -> A: return K[0]", "append(1) => append(2)"),
    _text("a tuple assignment", "X, K = 1, 2\ndef a() -> A: return K\ndef b() -> B: return X", "1, 2 => 1, 3"),
    _text("a walrus at module level", "if (K := 1): pass\ndef a() -> A: return K", "K := 1 => K := 2"),
    _text(
        "a with at module level",
        "import contextlib\nwith contextlib.nullcontext(1) as K: pass\ndef a() -> A: return K",
        "nullcontext(1) => nullcontext(2)",
    ),
    _text("an annotated constant", "K: int = 1\ndef a() -> A: return K", "= 1 => = 2"),
    _text(
        "a constant in a condition of a comprehension",
        "K = 1\ndef a() -> A: return len([x for x in range(5) if x > K])",
        "K = 1 => K = 2",
    ),
    _text(
        "a constant used by a nested function",
        "K = 1\ndef a() -> A:\n    def f(): return K\n    return f()",
        "K = 1 => K = 2",
    ),
    _text(
        "a constant used by a class in the stage",
        "K = 1\ndef a() -> A:\n    class M:\n        k = K\n    return M.k",
        "K = 1 => K = 2",
    ),
    _text(
        "a constant as a default of a nested lambda", "K = 1\ndef a() -> A: return (lambda x=K: x)()", "K = 1 => K = 2"
    ),
    _text(
        "an attribute of a settings object",
        "class S:\n    def __init__(self): self.x, self.y = 1, 5\ns = S()\ndef a() -> A: return s.x\ndef b() -> B: return s.y",
        "1, 5 => 2, 5",
        "a",
    ),
    _text(
        "an attribute of a settings class",
        "class S:\n    X = 1\n    Y = 5\ndef a() -> A: return S.X\ndef b() -> B: return S.Y",
        "X = 1 => X = 2",
        "a",
    ),
    _text(
        "a value behind two attributes",
        "class S: pass\nclass T: pass\nS.t = T()\nS.t.k = 1\ndef a() -> A: return S.t.k",
        "S.t.k = 1 => S.t.k = 2",
    ),
    _text(
        "the module's docstring where it is used",
        "from utils import size\ndef a() -> A: return size()\ndef b() -> B: return 5\n--- utils.py\n'one'\ndef size(): return len(__doc__)",
        "'one' => 'three'",
    ),
    _text(
        "a docstring where it is used",
        "def helper():\n    '''one'''\ndef a() -> A: return len(helper.__doc__)",
        "'''one''' => '''three'''",
    ),
    _text(
        "the name of a function where it is used",
        "def helper(): pass\ndef a() -> A: return len(helper.__name__)",
        "def helper(): => def other(): ;; len(helper. => len(other.",
    ),
    _text(
        "an environment variable's default",
        "import os\nK = os.environ.get('NOT_SET', '1')\ndef a() -> A: return int(K)",
        "'1' => '2'",
    ),
    _text(
        "a type alias used at run time",
        "K = list[int]\ndef a() -> A: return len(K.__args__)",
        "list[int] => dict[int, int]",
    ),
    _text(
        "a lock beside a constant",
        "import threading\nLOCK = threading.Lock()\nK = 1\ndef a() -> A:\n    with LOCK: return K",
        "K = 1 => K = 2",
    ),
    _text(
        "a logger in a helper",
        "import logging\nlog = logging.getLogger(__name__)\ndef helper():\n    log.debug('x')\n    return 1\ndef a() -> A: return helper()",
        "return 1 => return 2",
    ),
    _text(
        "an object that cannot be read: what makes it",
        "import sqlite3\ndef connect(): return sqlite3.connect(':memory:')\nDB = connect()\ndef a() -> A: return DB.execute('select 1').fetchone()[0]",
        "':memory:' => ''",
        same=True,
    ),
    _text(
        "a generator at module level: what makes it",
        "def numbers():\n    yield 1\nG = numbers()\ndef a() -> A: return next(G)",
        "yield 1 => yield 2",
    ),
    _text("an iterator at module level", "I = iter([1, 2])\ndef a() -> A: return next(I)", "[1, 2] => [3, 2]"),
    _text(
        "a random constant: what makes it",
        "import random\nK = random.random() + 1\ndef a() -> A: return int(K)",
        "+ 1 => + 2",
    ),
]
