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
]
