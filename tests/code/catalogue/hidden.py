"""Code and state that no plain name leads to: libraries' registries, reflection, what an import leaves behind."""

from tests.code.catalogue.row import Row


def _text(kind: str, text: str, edit: str = "return 1 => return 2", runs: str = "a", same: bool = False) -> Row:
    """The file of the pipeline, stage `a` in it; other files after it."""
    first, mark, others = text.partition("\n--- ")
    body = first if "def b()" in first else first + "\ndef b() -> B: return 5"
    made_of_text = kind.startswith(
        ("exec into", "exec of a template", "a constant of an expression inside")
    )  # their bytecode counts
    return Row(kind, body + mark + others, edit, runs, same_result=same, every_python=not made_of_text)


_SUBCLASSES = "class Base: pass\nclass C1(Base):\n    def v(self): return 1\n"
_ALL = "[c().v() for c in Base.__subclasses__()]"

ROWS = [
    # --- classes found at run time
    _text("subclasses: a method", _SUBCLASSES + f"def a() -> A: return {_ALL}"),
    _text(
        "subclasses: one more",
        _SUBCLASSES + f"def a() -> A: return {_ALL}",
        "def a() => class C2(Base):\n    def v(self): return 3\ndef a()",
    ),
    _text(
        "subclasses: of another module",
        f"import base, more\nfrom base import Base\ndef a() -> A: return {_ALL}\n--- base.py\nclass Base: pass\n--- more.py\nfrom base import Base\nclass C1(Base):\n    def v(self): return 1",
    ),
    _text("subclasses: from a helper", _SUBCLASSES + f"def every(): return {_ALL}\ndef a() -> A: return every()"),
    _text(
        "subclasses: of a parameter",
        _SUBCLASSES + "def every(k): return [c().v() for c in k.__subclasses__()]\ndef a() -> A: return every(Base)",
    ),
    _text(
        "subclasses: through type",
        _SUBCLASSES + "def a() -> A: return [c().v() for c in type.__subclasses__(Base)]",
    ),
    _text(
        "subclasses: through cls",
        "class Base:\n    @classmethod\n    def all(cls): return [c().v() for c in cls.__subclasses__()]\nclass C1(Base):\n    def v(self): return 1\ndef a() -> A: return Base.all()",
    ),
    _text(
        "a virtual subclass taken away",
        "import abc\nclass Base(abc.ABC): pass\nclass D: pass\nBase.register(D)\ndef a() -> A: return isinstance(D(), Base)",
        "Base.register(D)\n => ",
    ),
    # --- code made of text
    _text(
        "exec into a bare dict",
        "ns = {}\nexec('def f():\\n    return 1', ns)\nf = ns['f']\ndef a() -> A: return f()",
        "return 1 => return 2",
    ),
    _text(
        "exec of a template",
        "TPL = 'def f(): return {k}'\nk = 1\nns = {}\nexec(TPL.format(k=k), ns)\nf = ns['f']\ndef a() -> A: return f()",
        "k = 1 => k = 2",
    ),
    _text(
        "exec into a dict, called through it",
        "ns = {}\nexec('def f(): return 1', ns)\ndef a() -> A: return ns['f']()",
    ),
    _text(
        "exec into a dict: what the text calls",
        "def g(): return 1\nns = {'g': g}\nexec('def f(): return g()', ns)\nf = ns['f']\ndef a() -> A: return f()",
    ),
    _text("eval of a literal", "def h(): return 1\ndef a() -> A: return eval('h()')"),
    _text("eval of a literal in a helper", "def h(): return 1\ndef g(): return eval('h()')\ndef a() -> A: return g()"),
    _text(
        "eval of an expression with local names",
        "def h(x): return x + 1\ndef a() -> A:\n    y = 2\n    return eval('h(y)')",
        "x + 1 => x + 2",
    ),
    _text(
        "exec of a literal",
        "def h(): return 1\ndef a() -> A:\n    d = {'h': h}\n    exec('r = h()', d)\n    return d['r']",
    ),
    _text(
        "exec of an opened file in a stage",
        "import pathlib\nP = pathlib.Path(__file__).parent\ndef a() -> A:\n    d = {}\n    exec(open('h1.py').read(), d)\n    return d['r']\n--- h1.py\nr = 1",
        "r = 1 => r = 2",
    ),
    _text(
        "runpy in a stage",
        "import runpy\ndef a() -> A: return runpy.run_path('h1.py')['r']\n--- h1.py\nr = 1",
        "r = 1 => r = 2",
    ),
    _text(
        "a script run by this Python",
        "import subprocess, sys\ndef a() -> A: return subprocess.run([sys.executable, 'h1.py'], capture_output=True, text=True).stdout\n--- h1.py\nprint(1)",
        "print(1) => print(2)",
    ),
    # --- modules replaced
    _text(
        "a module replaced by an instance",
        "import cfg\ndef a() -> A: return cfg.x\n--- cfg.py\nimport sys\nclass M:\n    @property\n    def x(self): return 1\nsys.modules[__name__] = M()",
    ),
    _text(
        "the class of a module replaced",
        "import cfg\ndef a() -> A: return cfg.x\n--- cfg.py\nimport sys, types\nclass M(types.ModuleType):\n    @property\n    def x(self): return 1\nsys.modules[__name__].__class__ = M",
    ),
    _text(
        "a module of sys.modules by a computed name",
        "import sys, h\ndef a() -> A: return sys.modules['H'.lower()].f()\n--- h.py\ndef f(): return 1",
    ),
    # --- values that hide
    _text(
        "make_dataclass with a field",
        "import dataclasses\nK = dataclasses.make_dataclass('K', [('x', int, dataclasses.field(default=1))])\ndef a() -> A: return K().x",
        "default=1 => default=2",
    ),
    _text(
        "make_dataclass in a loop",
        "import dataclasses\nKS = [dataclasses.make_dataclass('K', [('x', int, dataclasses.field(default=i))]) for i in (1, 2)]\ndef a() -> A: return [k().x for k in KS]",
        "(1, 2) => (1, 3)",
    ),
    _text(
        "a namedtuple with defaults",
        "import collections\nK = collections.namedtuple('K', 'x y', defaults=(1,))\ndef a() -> A: return K(0).y",
        "(1,) => (2,)",
    ),
    _text(
        "a class made by type()",
        "K = type('K', (), {'x': 1})\ndef a() -> A: return K().x",
        "'x': 1 => 'x': 2",
    ),
    _text(
        "the default of a context variable",
        "import contextvars\nV = contextvars.ContextVar('V', default=1)\ndef a() -> A: return V.get()",
        "default=1 => default=2",
    ),
    _text(
        "a context variable set while importing",
        "import contextvars\nV = contextvars.ContextVar('V', default=1)\nV.set(3)\ndef a() -> A: return V.get()",
        "set(3) => set(4)",
    ),
    _text(
        "thread-local data",
        "import threading\nL = threading.local()\nL.x = 1\ndef a() -> A: return L.x",
        "L.x = 1 => L.x = 2",
    ),
    _text(
        "a dict of weak values",
        "import weakref\ndef f(): return 1\nW = weakref.WeakValueDictionary(x=f)\ndef a() -> A: return W['x']()",
    ),
    _text(
        "a dict of weak keys",
        "import weakref\ndef f(): return 1\nW = weakref.WeakKeyDictionary({f: 1})\ndef a() -> A: return [k() for k in W]",
    ),
    _text(
        "a set of weak references",
        "import weakref\ndef f(): return 1\nW = weakref.WeakSet([f])\ndef a() -> A: return [k() for k in W]",
    ),
    _text(
        "a compiled regex in a list",
        "import re\nR = [re.compile('a')]\ndef a() -> A: return R[0].findall('ab')",
        "compile('a') => compile('b')",
    ),
    _text(
        "a compiled regex in an instance",
        "import re\nclass M:\n    def __init__(self): self.r = re.compile('a')\nm = M()\ndef a() -> A: return m.r.findall('ab')",
        "compile('a') => compile('b')",
    ),
    _text(
        "a file read by configparser",
        "import configparser, pathlib\ncp = configparser.ConfigParser()\ncp.read(pathlib.Path(__file__).parent / 'x.cfg')\ndef a() -> A: return cp['s']['k']\n--- x.cfg\n[s]\nk = 1",
        "k = 1 => k = 2",
    ),
    # --- objects that answer everything
    _text(
        "an instance that answers every name",
        "class M:\n    def __getattr__(self, n): return 1\nk = M()\ndef a() -> A: return k.zzz",
    ),
    _text(
        "a class that answers every name",
        "class T(type):\n    def __getattr__(cls, n): return 1\nclass M(metaclass=T): pass\ndef a() -> A: return M.zzz",
    ),
    _text(
        "a callable that answers every name",
        "class M:\n    def __getattr__(self, n): return self\n    def __call__(self, *p): return 1\nk = M()\ndef a() -> A: return k.x.y()",
    ),
    _text(
        "an instance that raises for every name",
        "class M:\n    def __getattribute__(self, n): raise ValueError(n)\n    def __call__(self): return 1\nk = M()\ndef a() -> A: return k()",
    ),
    _text(
        "a decorator that answers every name",
        "class D:\n    def __init__(self, f): object.__setattr__(self, '_f', f)\n    def __getattr__(self, n): return 3\n    def __call__(self): return self._f()\n@D\ndef h(): return 1\ndef a() -> A: return h()",
    ),
    _text(
        "a proxy that lies about its class",
        "class M:\n    @property\n    def __class__(self): return type(lambda: 0)\n    def v(self): return 1\nk = M()\ndef a() -> A: return k.v()",
    ),
    _text(
        "the stand-in of unittest.mock",
        "from unittest import mock\nk = mock.MagicMock(return_value=1)\ndef a() -> A: return k()",
        "return_value=1 => return_value=2",
    ),
    # --- what an import leaves in others
    _text(
        "a lambda hung on a library's class",
        "import fractions\nfractions.Fraction.zed = lambda self: 'x'\ndef a() -> A: return fractions.Fraction(1, 2).zed()",
        "'x' => 'y'",
    ),
    _text(
        "a lambda put into builtins by another module",
        "import patch\ndef a() -> A: return myf()\n--- patch.py\nimport builtins\nbuiltins.myf = lambda: 'x'",
        "'x' => 'y'",
    ),
    _text(
        "a method hung on a library's class with setattr",
        "import fractions\nsetattr(fractions.Fraction, 'zed', lambda self: 'x')\ndef a() -> A: return fractions.Fraction(1, 2).zed()",
        "'x' => 'y'",
    ),
    _text(
        "a method hung on a library's class by its bare name",
        "from fractions import Fraction\nFraction.zed = lambda self: 'x'\ndef a() -> A: return Fraction(1, 2).zed()",
        "'x' => 'y'",
    ),
    _text(
        "a function registered with a library",
        "import pkgutil, kinds\ndef a() -> A: return pkgutil.iter_importer_modules(kinds.Kind())\n--- kinds.py\nimport pkgutil\nclass Kind: pass\n@pkgutil.iter_importer_modules.register(Kind)\ndef _(x, prefix=''): return 1",
    ),
    _text(
        "the precision of decimals",
        "import decimal\ndecimal.getcontext().prec = 5\ndef a() -> A: return str(decimal.Decimal(1) / decimal.Decimal(3))",
        "prec = 5 => prec = 6",
    ),
    _text(
        "a seed at module level",
        "import random\nrandom.seed(1)\ndef a() -> A: return random.random()",
        "seed(1) => seed(2)",
    ),
    _text(
        "a seed in an imported module",
        "import setup, random\ndef a() -> A: return random.random()\n--- setup.py\nimport random\nrandom.seed(1)",
        "seed(1) => seed(2)",
    ),
    _text(
        "a seed set by an import and not by a script",
        "import random\nif __name__ != '__main__':\n    random.seed(1)\ndef a() -> A: return random.random()",
        "seed(1) => seed(2)",
    ),
    _text(
        "a seed in the other branch of a main block",
        "import random\nif __name__ == '__main__': print(1)\nelse: random.seed(1)\ndef a() -> A: return random.random()",
        "seed(1) => seed(2)",
    ),
    _text(
        "the level of a logger",
        "import logging\nlogging.getLogger('q').setLevel(10)\ndef a() -> A: return logging.getLogger('q').level",
        "setLevel(10) => setLevel(20)",
    ),
    _text(
        "an environment variable that the project sets",
        "import side, os\ndef a() -> A: return os.environ['ZZ']\n--- side.py\nimport os\nos.environ['ZZ'] = '1'",
        "'1' => '2'",
    ),
    _text(
        "an environment variable read in a helper by getenv",
        "import side, os\ndef h(): return os.getenv('ZZ')\ndef a() -> A: return h()\n--- side.py\nimport os\nos.environ['ZZ'] = '1'",
        "'1' => '2'",
    ),
    # --- reflection
    _text(
        "annotations through get_type_hints",
        "import typing\ndef f(x: int): return x\ndef a() -> A: return str(typing.get_type_hints(f))",
        "x: int => x: str",
    ),
    _text(
        "annotations through signature",
        "import inspect\ndef f(x: int): return x\ndef a() -> A: return str(inspect.signature(f))",
        "x: int => x: str",
    ),
    _text(
        "annotations through the attribute",
        "def f(x: int): return x\ndef a() -> A: return str(f.__annotations__)",
        "x: int => x: str",
    ),
    _text(
        "annotations of a parameter",
        "def told(g): return str(g.__annotations__)\ndef f(x: int): return x\ndef a() -> A: return told(f)",
        "x: int => x: str",
    ),
    _text(
        "annotations of a class",
        "import typing\nclass K:\n    x: int\ndef a() -> A: return str(typing.get_type_hints(K))",
        "x: int => x: str",
    ),
    _text(
        "annotations that nothing asks for",
        "import typing\ndef f(x: int): return x\ndef a() -> A: return f(1)\ndef g(): pass\ndef b() -> B: return str(typing.get_type_hints(g))",
        "x: int => x: str",
        "",
    ),
    _text(
        "the source through inspect",
        "import inspect\ndef f(): return 1  # one\ndef a() -> A: return inspect.getsource(f)",
        "# one => # two",
    ),
    _text(
        "whether a module is there",
        "import importlib.util\ndef a() -> A: return importlib.util.find_spec('fast') is not None",
        "+++ fast.py: x = 1",
    ),
    _text(
        "a constant of an expression inside a function that another module makes of text",
        "import gen\nf = gen.make(3, '+')\ndef a() -> A: return f()\n--- gen.py\ndef make(n, op):\n    exec(f'def f(): return sum([x {op} {n} for x in range(3)])', globals())\n    return globals()['f']",
        "make(3, => make(4,",
    ),
    _text(
        "an operator in it",
        "import gen\nf = gen.make('+')\ndef a() -> A: return f(3)\n--- gen.py\ndef make(op):\n    exec(f'def f(x): return x {op} 2', globals())\n    return globals()['f']",
        "make('+') => make('*')",
    ),
    _text(
        "a module that an import hook makes",
        "import sys, importlib.abc, importlib.util, pathlib\nclass Finder(importlib.abc.MetaPathFinder):\n    def find_spec(self, name, path, target=None):\n        file = pathlib.Path(__file__).parent / (name + '.rules')\n        return importlib.util.spec_from_loader(name, Loader(file)) if file.exists() else None\nclass Loader(importlib.abc.Loader):\n    def __init__(self, file): self.file = file\n    def exec_module(self, module): exec(compile(self.file.read_text(), str(self.file), 'exec'), module.__dict__)\nsys.meta_path.insert(0, Finder())\nimport near\ndef a() -> A: return near.f()\n--- near.rules\nK = 1\ndef f(): return K",
        "K = 1 => K = 2",
    ),
    _text(
        "code from a changed tree",
        "import ast\nclass Twice(ast.NodeTransformer):\n    def visit_Constant(self, node): return ast.copy_location(ast.Constant(node.value * M), node)\nM = 2\nexec(compile(Twice().visit(ast.parse('def f(): return 3')), 'made', 'exec'))\ndef a() -> A: return f()",
        "M = 2 => M = 3",
    ),
    _text(
        "what fills an attribute that cannot be read",
        "import sqlite3\nclass DB:\n    def __init__(self): self.c = sqlite3.connect(':memory:')\n    def total(self): return self.c.execute('select sum(x) from t').fetchone()[0]\ndb = DB()\ndb.c.execute('create table t(x)')\ndb.c.execute('insert into t values(1)')\ndef a() -> A: return db.total()",
        "values(1) => values(2)",
    ),
    _text(
        "the time zone that the import sets",
        "import os, time\nos.environ['TZ'] = 'UTC'\ntime.tzset()\ndef a() -> A: return time.localtime(0).tm_hour",
        "'UTC' => 'UTC-2'",
    ),
    _text(
        "how copies are made, as copyreg is told",
        "import copy, copyreg\nclass M: v = 1\ndef build(x):\n    m = M()\n    m.v = x\n    return m\ncopyreg.pickle(M, lambda m: (build, (5,)))\ndef a() -> A: return copy.copy(M()).v",
        "(5,) => (6,)",
    ),
]
