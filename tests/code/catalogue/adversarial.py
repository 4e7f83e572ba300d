"""Ways that look for a hole: patches, hidden definitions, code from odd places."""

from tests.code.catalogue.row import Row


def _text(kind: str, text: str, edit: str = "return 1 => return 2", runs: str = "a", same: bool = False) -> Row:
    body = text if "def b()" in text else text + "\ndef b() -> B: return 5\n"
    return Row(kind, body, edit, runs, same_result=same)


ROWS = [
    _text(
        "a function's code replaced",
        "def one(): return 1\ndef helper(): return 3\nhelper.__code__ = one.__code__\ndef a() -> A: return helper()",
    ),
    _text(
        "a default list filled while importing",
        "def helper(x=[]): return x\nhelper().append(1)\ndef a() -> A: return helper()[0]",
        "append(1) => append(2)",
    ),
    _text(
        "a method named by a built string",
        "class M:\n    def step_x(self): return 1\n    def run(self, k): return getattr(self, 'step_' + k)()\ndef a() -> A: return M().run('x')",
    ),
    _text(
        "the own module by name",
        "import sys\ndef helper(): return 1\ndef a() -> A: return getattr(sys.modules[__name__], 'hel' + 'per')()",
    ),
    _text("globals() with a built name", "def helper(): return 1\ndef a() -> A: return globals()['hel' + 'per']()"),
    _text(
        "a name put into builtins",
        "import builtins\ndef mine(): return 1\nbuiltins.helper_ = mine\ndef a() -> A: return helper_()",
    ),
    _text(
        "a method of a library's class replaced",
        "import fractions\ndef mine(self): return 1\nfractions.Fraction.limit = mine\ndef a() -> A: return fractions.Fraction(1, 2).limit()",
    ),
    _text(
        "a library patched by another module",
        "import patches, fractions\ndef a() -> A: return fractions.Fraction(1, 2).limit()\ndef b() -> B: return 5\n--- patches.py\nimport fractions\ndef mine(self): return 1\nfractions.Fraction.limit = mine",
    ),
    _text(
        "a script executed while importing",
        "from pathlib import Path\nP = Path(__file__).parent / 'script.py'\nexec(compile(P.read_text(), str(P), 'exec'))\ndef a() -> A: return helper()\ndef b() -> B: return 5\n--- script.py\nK = 1\ndef helper(): return K",
        "K = 1 => K = 2",
    ),
    _text(
        "a function of a script executed while importing",
        "from pathlib import Path\nP = Path(__file__).parent / 'script.py'\nexec(compile(P.read_text(), str(P), 'exec'))\ndef a() -> A: return helper()\ndef b() -> B: return 5\n--- script.py\ndef helper(): return 1",
    ),
    _text(
        "runpy",
        "import runpy, pathlib\nS = runpy.run_path(str(pathlib.Path(__file__).parent / 'script.py'))\nhelper = S['helper']\ndef a() -> A: return helper()\ndef b() -> B: return 5\n--- script.py\ndef helper(): return 1",
    ),
    _text(
        "what a function says it returns",
        "import pickle\nclass M:\n    def fit(self): return 1\nDATA = pickle.dumps(M())\ndef load() -> M: return pickle.loads(DATA)\ndef a() -> A: return load().fit()",
    ),
    _text(
        "an annotated attribute of a class",
        "KIND = 'M'\nclass M:\n    def fit(self): return 1\nclass Box:\n    m: 'M'\n    def __init__(self): self.m = type(self).__dict__['make']()\n    def use(self): return self.m.fit()\ndef a() -> A:\n    box = Box.__new__(Box)\n    box.m = eval(KIND)()\n    return box.use()",
    ),
    _text(
        "an annotated local name",
        "class M:\n    def fit(self): return 1\nclass Sub(M): pass\nT = {'k': [Sub()]}\ndef a() -> A:\n    m: M = T['k'][0]\n    return m.fit()",
    ),
    _text(
        "a name rebound to a wrapper that hides it",
        "KEEP = []\ndef hide(f):\n    KEEP.append(f)\n    return call\ndef call(): return KEEP[0]()\ndef helper(): return 1\nhelper = hide(helper)\ndef a() -> A: return helper()",
    ),
    _text(
        "lambdas made in a loop",
        "FS = [lambda x, i=i: x + i for i in range(3)]\ndef a() -> A: return sum(f(1) for f in FS)",
        "x + i for => x - i for",
    ),
    _text(
        "functions picked by dir()",
        "import utils\nT = {n: getattr(utils, n) for n in dir(utils) if n.startswith('do_')}\ndef a() -> A: return T['do_x']()\ndef b() -> B: return 5\n--- utils.py\ndef do_x(): return 1\ndef other(): return 3",
    ),
    _text(
        "plugins found by pkgutil",
        "import importlib, pkgutil, plugins\nMODS = [importlib.import_module('plugins.' + m.name) for m in pkgutil.iter_modules(plugins.__path__)]\ndef a() -> A: return sum(m.run() for m in MODS)\ndef b() -> B: return 5\n--- plugins/__init__.py\n--- plugins/one.py\ndef run(): return 1",
    ),
    _text(
        "a class registered in a library",
        "import json, functools\nclass Coder(json.JSONEncoder):\n    def default(self, o): return 1\ndumps = functools.partial(json.dumps, cls=Coder)\ndef a() -> A: return int(dumps(object()))",
    ),
    _text(
        "a dispatch table of bound methods",
        "class M:\n    def __init__(self): self.table = {'x': self.one}\n    def one(self): return 1\nm = M()\ndef a() -> A: return m.table['x']()",
    ),
    _text(
        "a callable instance in a class attribute",
        "class Call:\n    def __call__(self): return 1\nclass M:\n    go = Call()\ndef a() -> A: return M.go()",
    ),
    _text(
        "a subclass that is only reached through __subclasses__",
        "class Base:\n    def fit(self): return 0\nclass Sub(Base):\n    def fit(self): return 1\ndef a() -> A: return sum(k().fit() for k in Base.__subclasses__())",
    ),
    _text(
        "a closure that counts",
        "def counter(start):\n    n = start\n    def step():\n        nonlocal n\n        n += 1\n        return n\n    return step\nstep = counter(1)\ndef a() -> A: return step()",
        "counter(1) => counter(2)",
    ),
    _text(
        "a curried function",
        "def add(x): return lambda y: lambda z: x + y + z\nadd12 = add(1)(2)\ndef a() -> A: return add12(3)",
        "add(1)(2) => add(1)(3)",
    ),
    _text(
        "compose of functions",
        "import functools\ndef compose(*fs): return functools.reduce(lambda f, g: lambda x: g(f(x)), fs)\ndef one(x): return x + 1\ndef two(x): return x * 2\nrun = compose(one, two)\ndef a() -> A: return run(1)",
        "x * 2 => x * 3",
    ),
    _text(
        "a global in a nested class's method",
        "K = 1\ndef a() -> A:\n    class M:\n        def f(self): return K\n    return M().f()",
        "K = 1 => K = 2",
    ),
    _text(
        "a name that a class body shadows only for itself",
        "K = 1\nclass M:\n    K = 3\n    def f(self): return K\ndef a() -> A: return M().f()",
        "K = 1 => K = 2",
    ),
    _text(
        "an except clause's class chosen at import",
        "ERR = (KeyError,)\ndef helper(): raise ValueError\ndef a() -> A:\n    try: helper()\n    except ERR: return 1\n    except Exception: return 2",
        "(KeyError,) => (ValueError,)",
    ),
    _text(
        "a conditional expression chooses the function",
        "FAST = True\ndef one(): return 1\ndef two(): return 2\nrun = one if FAST else two\ndef a() -> A: return run()",
        "FAST = True => FAST = False",
    ),
    _text(
        "a del and a new definition",
        "def helper(): return 1\ndel helper\ndef helper(): return 7\ndef a() -> A: return helper()",
        "return 7 => return 8",
    ),
    _text(
        "a typing.cast of a class",
        "import typing\nclass M:\n    def fit(self): return 1\ndef a() -> A: return typing.cast('M', M()).fit()",
    ),
    _text(
        "a module-level instance of a library's class that holds a function",
        "import types\ndef helper(): return 1\nS = types.SimpleNamespace(go=helper)\ndef a() -> A: return S.go()",
    ),
    _text(
        "numpy.vectorize",
        "import numpy as np\ndef helper(x): return x + 1\nv = np.vectorize(helper)\ndef a() -> A: return int(v([1])[0])",
        "x + 1 => x + 2",
    ),
    _text(
        "a sort key from a table of lambdas",
        "KEYS = {'up': lambda x: x, 'down': lambda x: -x}\ndef a() -> A: return sorted([1, 2], key=KEYS['down'])[0]",
        "lambda x: -x => lambda x: x",
    ),
    _text(
        "a property made by a call",
        "def get(self): return 1\nclass M:\n    k = property(get)\ndef a() -> A: return M().k",
    ),
    _text(
        "an import hidden in a class body",
        "class M:\n    from utils import helper\n    h = staticmethod(helper)\ndef a() -> A: return M.h()\ndef b() -> B: return 5\n--- utils.py\ndef helper(): return 1",
    ),
    _text(
        "a dynamic import of the own package",
        "import importlib\ndef a() -> A: return importlib.import_module('.work', 'pkg').helper()\ndef b() -> B: return 5\n--- pkg/__init__.py\n--- pkg/work.py\ndef helper(): return 1",
    ),
    _text(
        "a conditional import inside the stage",
        "def a() -> A:\n    if True:\n        import utils\n    else:\n        utils = None\n    return utils.helper()\ndef b() -> B: return 5\n--- utils.py\ndef helper(): return 1",
    ),
    _text(
        "a registry filled in a module imported inside the stage",
        "def a() -> A:\n    import reg\n    return reg.REG['one']()\ndef b() -> B: return 5\n--- reg.py\nREG = {}\ndef register(f):\n    REG[f.__name__] = f\n    return f\n@register\ndef one(): return 1",
    ),
    _text(
        "import inside the stage of a module that star-imports",
        "def a() -> A:\n    from utils import helper\n    return helper()\ndef b() -> B: return 5\n--- utils.py\nfrom deep import *\n--- deep.py\ndef helper(): return 1",
    ),
    _text(
        "import inside the stage of a module with a decorated function",
        "def a() -> A:\n    from utils import helper\n    return helper()\ndef b() -> B: return 5\n--- utils.py\ndef twice(f): return lambda: f() * 2\n@twice\ndef helper(): return 1",
        "f() * 2 => f() * 3",
    ),
    _text(
        "import inside the stage of a module with an instance",
        "def a() -> A:\n    from utils import model\n    return model.fit()\ndef b() -> B: return 5\n--- utils.py\nclass M:\n    def fit(self): return 1\nmodel = M()",
    ),
    _text(
        "two stages share a helper through different paths",
        "from one import f as g\nimport two\ndef a() -> A: return g()\ndef b() -> B: return two.f()\n--- one.py\nfrom two import f\n--- two.py\ndef f(): return 1",
        runs="a b",
    ),
    _text(
        "the first of two definitions: nothing",
        "def helper(): return 1\ndef helper(): return 7\ndef a() -> A: return helper()",
        runs="",
    ),
    _text(
        "a helper of a stage that only another pipeline has",
        "q = pivot.Pipeline('q')\ndef helper(): return 1\ndef a() -> A: return 3\ndef b() -> B: return helper()",
        runs="b",
    ),
    _text(
        "a decorator with an unused neighbour: nothing",
        "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def inner(): return f()\n    return inner\n@deco\ndef helper(): return 7\n@deco\ndef other(): return 1\ndef a() -> A: return helper()",
        runs="",
    ),
    _text(
        "another entry of a settings dict: nothing",
        "CFG = {'x': 3, 'y': 4}\ndef a() -> A: return CFG['x']",
        "'y': 4 => 'y': 5",
        runs="",
    ),
    _text(
        "another attribute of a settings instance: nothing",
        "class S:\n    def __init__(self): self.x, self.y = 3, 4\nS_ = S()\ndef a() -> A: return S_.x",
        "3, 4 => 3, 5",
        runs="",
    ),
    _text(
        "a print at module level: nothing",
        "print('loaded')\ndef a() -> A: return 1",
        "'loaded' => 'loaded again'",
        runs="",
    ),
    _text(
        "a logger's name: nothing",
        "import logging\nlog = logging.getLogger('x')\ndef a() -> A:\n    log.debug('y')\n    return 1",
        "getLogger('x') => getLogger('z')",
        runs="",
    ),
    _text(
        "return None and return: the same",
        "def helper(x):\n    if x: return\n    return\ndef a() -> A: return 1 if helper(1) is None else 2",
        "if x: return\\n => if x: return None\\n",
        runs="",
    ),
    _text(
        "dataclass inherited default",
        "from dataclasses import dataclass\n@dataclass\nclass Base:\n    k: int = 1\n@dataclass\nclass P(Base):\n    j: int = 3\ndef a() -> A: return P().k",
        "k: int = 1 => k: int = 2",
    ),
    _text(
        "frozen dataclass const",
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass C:\n    rate: float = 0.5\n    name: str = 'x'\nCFG = C()\ndef a() -> A: return int(CFG.rate*10)\ndef b() -> B: return len(CFG.name)",
        "rate: float = 0.5 => rate: float = 0.7",
        runs="a",
    ),
    _text(
        "global in comprehension in class",
        "K=1\nclass M:\n    xs=[K for _ in range(2)]\ndef a() -> A: return sum(M.xs)",
        "K=1 => K=2",
    ),
    _text(
        "contextvar default",
        "import contextvars\nV=contextvars.ContextVar('v', default=1)\ndef a() -> A: return V.get()",
        "default=1 => default=2",
    ),
    _text("logging level const", "import logging\nLEVEL=logging.INFO\ndef a() -> A: return LEVEL", "INFO => DEBUG"),
    _text(
        "string method constant",
        "WORDS='one two'.split()\ndef a() -> A: return len(WORDS)",
        "'one two' => 'one two three'",
    ),
    _text("env file const", "import os\nK=os.path.join('x','y')\ndef a() -> A: return len(K)", "'y' => 'yz'"),
    _text(
        "lock class default",
        "import threading\nclass S:\n    _lock=threading.Lock()\n    k=1\n    def get(self):\n        with self._lock: return self.k\ndef a() -> A: return S().get()",
        "k=1 => k=2",
    ),
    _text(
        "operator module fn",
        "import operator\nOPS={'+':operator.add,'-':operator.sub}\ndef a() -> A: return OPS['+'](1,2)",
        "'+':operator.add => '+':operator.mul",
    ),
    _text(
        "compiled regex sub fn",
        "import re\ndef rep(m): return 'x'\nR=re.compile('a')\ndef a() -> A: return len(R.sub(rep,'aab'))",
        "'x' => 'xy'",
    ),
    _text(
        "heapq/bisect key",
        "import bisect\ndef key(x): return x*2\ndef a() -> A: return bisect.bisect([1,2,3],4,key=key)",
        "x*2 => x*3",
    ),
    _text(
        "weakref proxy",
        "import weakref\nclass M:\n    def fit(self): return 1\nm=M()\np=weakref.ref(m)\ndef a() -> A: return p().fit()",
    ),
    _text(
        "ThreadPool map",
        "from concurrent.futures import ThreadPoolExecutor\ndef work(x): return x+1\ndef a() -> A:\n    with ThreadPoolExecutor(1) as p: return sum(p.map(work,[1]))",
        "x+1 => x+2",
    ),
    _text(
        "iterator class",
        "class It:\n    def __init__(self): self.n=0\n    def __iter__(self): return self\n    def __next__(self):\n        self.n+=1\n        if self.n>3: raise StopIteration\n        return self.n\ndef a() -> A: return sum(It())",
        "self.n>3 => self.n>4",
    ),
    _text(
        "user context",
        "class Ctx:\n    def __enter__(self): self.k=1; return self\n    def __exit__(self,*a): pass\ndef a() -> A:\n    with Ctx() as c: return c.k",
        "self.k=1 => self.k=2",
    ),
    _text(
        "enum auto order",
        "import enum\nclass E(enum.Enum):\n    X=enum.auto()\n    Y=enum.auto()\ndef a() -> A: return E.Y.value",
        "    X=enum.auto()\\n    Y=enum.auto() =>     Y=enum.auto()\\n    X=enum.auto()",
    ),
    _text(
        "enum missing",
        "import enum\nclass E(enum.Enum):\n    X=1\n    @classmethod\n    def _missing_(cls,v): return cls.X\n    Z=7\ndef a() -> A: return E(99).value",
        "return cls.X => return cls.Z",
    ),
    _text(
        "enum generate next",
        "import enum\nclass E(enum.Enum):\n    @staticmethod\n    def _generate_next_value_(name,start,count,last): return len(name)+1\n    X=enum.auto()\ndef a() -> A: return E.X.value",
        "len(name)+1 => len(name)+2",
    ),
    _text(
        "typed dict functional",
        "from typing import TypedDict\nR=TypedDict('R',{'x':int})\ndef a() -> A: return len(R.__annotations__)",
        "{'x':int} => {'x':int,'y':int}",
    ),
    _text(
        "make_dataclass",
        "from dataclasses import make_dataclass\nP=make_dataclass('P',[('x',int,1)])\ndef a() -> A: return P().x",
        "int,1 => int,2",
    ),
    _text("enum functional", "import enum\nE=enum.Enum('E','X Y')\ndef a() -> A: return E.Y.value", "'X Y' => 'Y X'"),
    _text("newtype", "from typing import NewType\nU=NewType('U',int)\ndef a() -> A: return U(1)+1", "U(1)+1 => U(1)+2"),
    _text(
        "module constant via class attr path",
        "class Paths:\n    root='x'\n    data=root+'/d'\ndef a() -> A: return len(Paths.data)",
        "root='x' => root='xy'",
    ),
    _text(
        "nested dict const two keys",
        "C={'m':{'lr':1},'d':{'n':2}}\ndef a() -> A: return C['m']['lr']\ndef b() -> B: return C['d']['n']",
        "'lr':1 => 'lr':9",
    ),
    _text("get on dict", "C={'m':1,'d':2}\ndef a() -> A: return C.get('m')", "'m':1 => 'm':9"),
    _text("global list index var", "C=[1,2]\nI=0\ndef a() -> A: return C[I]", "I=0 => I=1"),
    _text("negative index", "C=[1,2]\ndef a() -> A: return C[-1]", "[1,2] => [1,3]"),
    _text("chained helper via tuple unpack", "def f(): return 1\ndef g(): return 5\nx,y=f,g\ndef a() -> A: return x()"),
    _text(
        "conditional def",
        "import sys\nif sys.platform:\n    def f(): return 1\nelse:\n    def f(): return 3\ndef a() -> A: return f()",
    ),
    _text(
        "else branch not taken: nothing",
        "import sys\nif sys.platform:\n    def f(): return 7\nelse:\n    def f(): return 1\ndef a() -> A: return f()",
        runs="",
    ),
    _text(
        "decorator factory in class staticmethod",
        "class D:\n    @staticmethod\n    def twice(f): return lambda: f()*2\n@D.twice\ndef h(): return 1\ndef a() -> A: return h()",
        "f()*2 => f()*3",
    ),
    _text(
        "retry decorator const",
        "N=2\ndef retry(n):\n    def d(f):\n        def w(): return f()+n\n        return w\n    return d\n@retry(N)\ndef h(): return 1\ndef a() -> A: return h()",
        "N=2 => N=3",
    ),
    _text(
        "stage calls helper through default param function ref",
        "def h(): return 1\ndef run(cb=h): return cb()\ndef a() -> A: return run()",
    ),
    _text(
        "__main__ guard imports nothing",
        "def h(): return 7\ndef a() -> A: return h()\nif __name__=='__main__':\n    x=1",
        "x=1 => x=2",
        runs="",
    ),
    _text(
        "lazy global init",
        "_c=None\ndef get():\n    global _c\n    if _c is None: _c=build()\n    return _c\ndef build(): return 1\ndef a() -> A: return get()",
    ),
    _text(
        "big fn chain",
        "\n".join(f"def f{i}(): return f{i + 1}()" for i in range(1500))
        + "\ndef f1500(): return 1\nimport sys\nsys.setrecursionlimit(10000)\ndef a() -> A: return f0()",
    ),
    _text(
        "deep nested list",
        "K=[1]\nfor _ in range(3000): K=[K]\ndef a() -> A:\n    k=K\n    while isinstance(k,list): k=k[0]\n    return k",
        "K=[1] => K=[2]",
    ),
]
