"""Callables that are values: tables, partials, decorators, dispatch."""

from tests.code.catalogue.row import Row


def _text(kind: str, text: str, edit: str = "return 1 => return 2", runs: str = "a", same: bool = False) -> Row:
    body = text if "def b()" in text else text + "\ndef b() -> B: return 5\n"
    return Row(kind, body, edit, runs, same_result=same)


ROWS = [
    _text(
        "functions in a dict",
        "def one(): return 1\nTABLE = {'x': one}\ndef a() -> A: return [f() for f in TABLE.values()][0]",
    ),
    _text(
        "a function added to a dict",
        "def one(): return 1\ndef two(): return 2\nTABLE = {'x': one}\ndef a() -> A: return sum(f() for f in TABLE.values())",
        "{'x': one} => {'x': one, 'y': two}",
    ),
    _text(
        "which function stands under a key",
        "def one(): return 1\ndef two(): return 2\nTABLE = {'x': one, 'y': two}\ndef a() -> A: return TABLE['x']()",
        "'x': one => 'x': two",
    ),
    _text(
        "a literal key reaches its own function only",
        "def one(): return 1\ndef two(): return 2\nTABLE = {'x': one, 'y': two}\ndef a() -> A: return TABLE['x']()\ndef b() -> B: return TABLE['y']()",
        "return 2 => return 3",
        "b",
    ),
    _text(
        "a variable key reaches all",
        "def one(): return 1\ndef two(): return 2\nTABLE = {'x': one, 'y': two}\ndef a() -> A: return sum(TABLE[k]() for k in 'xy')\ndef b() -> B: return TABLE['x']()",
        "return 2 => return 3",
    ),
    _text("functions in a list", "def one(): return 1\nSTEPS = [one]\ndef a() -> A: return sum(f() for f in STEPS)"),
    _text(
        "the order of functions in a list",
        "def one(x): return x + 1\ndef two(x): return x * 2\nSTEPS = [one, two]\ndef a() -> A:\n    x = 1\n    for f in STEPS: x = f(x)\n    return x",
        "[one, two] => [two, one]",
    ),
    _text(
        "lambdas in a dict",
        "TABLE = {'x': lambda: 1, 'y': lambda: 7}\ndef a() -> A: return TABLE['x']()",
        "lambda: 1 => lambda: 2",
    ),
    _text(
        "functions in nested containers",
        "def one(): return 1\nT = {'x': [(one, 3)]}\ndef a() -> A: return [f() for f, _ in T['x']][0]",
    ),
    _text(
        "a registry filled by a decorator",
        "REG = {}\ndef register(f):\n    REG[f.__name__] = f\n    return f\n@register\ndef one(): return 1\ndef a() -> A: return sum(f() for f in REG.values())",
    ),
    _text(
        "a registry filled by a decorator with an argument",
        "REG = {}\ndef register(name):\n    def deco(f):\n        REG[name] = f\n        return f\n    return deco\n@register('x')\ndef one(): return 1\ndef a() -> A: return REG['x']()",
    ),
    _text(
        "a registry filled in another module",
        "from reg import REG\nimport plugin\ndef a() -> A: return REG['x']()\ndef b() -> B: return 5\n--- reg.py\nREG = {}\n--- plugin.py\nfrom reg import REG\ndef one(): return 1\nREG['x'] = one",
    ),
    _text(
        "a registry of classes by __init_subclass__",
        "class Base:\n    kinds = {}\n    def __init_subclass__(cls): Base.kinds[cls.__name__] = cls\nclass Model(Base):\n    def fit(self): return 1\ndef a() -> A: return Base.kinds['Model']().fit()",
    ),
    _text(
        "a registry of stages does not tie them together",
        "STAGES = []\ndef stage(f):\n    STAGES.append(f)\n    return f\n@stage\ndef a() -> A: return 1\n@stage\ndef b() -> B: return 5",
    ),
    _text(
        "the body of a decorator that registers",
        "STAGES = []\ndef stage(f):\n    STAGES.append(f)\n    return f\n@stage\ndef a() -> A: return 1\ndef b() -> B: return 5",
        "STAGES.append(f) => STAGES.insert(0, f)",
        same=True,
    ),
    _text(
        "functools.partial: the function",
        "import functools\ndef add(x, y): return x + y\nmore = functools.partial(add, 1)\ndef a() -> A: return more(2)",
        "x + y => x - y",
    ),
    _text(
        "functools.partial: the arguments",
        "import functools\ndef add(x, y): return x + y\nmore = functools.partial(add, 1)\ndef a() -> A: return more(2)",
        "partial(add, 1) => partial(add, 2)",
    ),
    _text(
        "functools.partial: a keyword",
        "import functools\ndef add(x, y=0): return x + y\nmore = functools.partial(add, y=1)\ndef a() -> A: return more(2)",
        "partial(add, y=1) => partial(add, y=2)",
    ),
    _text(
        "functools.partial inside the stage",
        "import functools\ndef add(x, y): return x + y\ndef a() -> A: return functools.partial(add, 1)(2)",
        "x + y => x - y",
    ),
    _text(
        "functools.lru_cache",
        "import functools\n@functools.lru_cache\ndef helper(): return 1\ndef a() -> A: return helper()",
    ),
    _text(
        "functools.lru_cache with options",
        "import functools\n@functools.lru_cache(maxsize=3)\ndef helper(): return 1\ndef a() -> A: return helper.cache_info().maxsize",
        "maxsize=3 => maxsize=4",
    ),
    _text(
        "functools.cache over a helper of a helper",
        "import functools\ndef deep(): return 1\n@functools.cache\ndef helper(): return deep()\ndef a() -> A: return helper()",
    ),
    _text(
        "functools.singledispatch: the base",
        "import functools\n@functools.singledispatch\ndef f(x): return 1\ndef a() -> A: return f('x')",
    ),
    _text(
        "functools.singledispatch: a registered case",
        "import functools\n@functools.singledispatch\ndef f(x): return 0\n@f.register\ndef _(x: int): return 1\ndef a() -> A: return f(3)",
    ),
    _text(
        "functools.singledispatch: the type of a case",
        "import functools\n@functools.singledispatch\ndef f(x): return 0\n@f.register\ndef _(x: int): return 1\ndef a() -> A: return f(3)",
        "x: int => x: str",
    ),
    _text(
        "functools.reduce",
        "import functools\ndef add(x, y): return x + y\ndef a() -> A: return functools.reduce(add, [1, 2])",
        "x + y => x - y",
    ),
    _text(
        "functools.cmp_to_key",
        "import functools\ndef by(x, y): return x - y\ndef a() -> A: return sorted([1, 2], key=functools.cmp_to_key(by))[0]",
        "x - y => y - x",
    ),
    _text(
        "a decorator's wrapper",
        "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def inner(*args): return f(*args) * 2\n    return inner\n@twice\ndef helper(): return 3\ndef a() -> A: return helper()",
        "* 2 => * 4",
    ),
    _text(
        "a decorated helper's own body",
        "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def inner(*args): return f(*args) * 2\n    return inner\n@twice\ndef helper(): return 1\ndef a() -> A: return helper()",
    ),
    _text(
        "a decorator without wraps",
        "def twice(f):\n    def inner(*args): return f(*args) * 2\n    return inner\n@twice\ndef helper(): return 1\ndef a() -> A: return helper()",
    ),
    _text(
        "an argument of a decorator",
        "def times(n):\n    def deco(f):\n        def inner(): return f() * n\n        return inner\n    return deco\n@times(2)\ndef helper(): return 1\ndef a() -> A: return helper()",
        "@times(2) => @times(3)",
    ),
    _text(
        "a decorator that is a class",
        "class Twice:\n    def __init__(self, f): self.f = f\n    def __call__(self): return self.f() * 2\n@Twice\ndef helper(): return 1\ndef a() -> A: return helper()",
    ),
    _text(
        "the __call__ of a decorator that is a class",
        "class Twice:\n    def __init__(self, f): self.f = f\n    def __call__(self): return self.f() * 2\n@Twice\ndef helper(): return 1\ndef a() -> A: return helper()",
        "self.f() * 2 => self.f() * 3",
    ),
    _text(
        "stacked decorators",
        "def add(f): return lambda: f() + 1\ndef twice(f): return lambda: f() * 2\n@add\n@twice\ndef helper(): return 1\ndef a() -> A: return helper()",
    ),
    _text(
        "the order of decorators",
        "def add(f): return lambda: f() + 1\ndef twice(f): return lambda: f() * 2\n@add\n@twice\ndef helper(): return 1\ndef a() -> A: return helper()",
        "@add\\n@twice => @twice\\n@add",
    ),
    _text(
        "a decorator that is taken away",
        "def twice(f): return lambda: f() * 2\n@twice\ndef helper(): return 1\ndef a() -> A: return helper()",
        "@twice\\ndef => def",
    ),
    _text(
        "a decorator that hides the function",
        "HIDDEN = {}\ndef hide(f):\n    HIDDEN[f.__name__] = f\n    return call\nclass Call:\n    def __call__(self): return list(HIDDEN.values())[0]()\ncall = Call()\n@hide\ndef helper(): return 1\ndef a() -> A: return helper()",
    ),
    _text(
        "a decorator that hides the function behind exec",
        "KEEP = []\ndef hide(f):\n    KEEP.append(f)\n    return eval('lambda: KEEP[0]()', globals())\n@hide\ndef helper(): return 1\ndef a() -> A: return helper()",
    ),
    _text(
        "a decorator in another module",
        "from deco import twice\n@twice\ndef helper(): return 1\ndef a() -> A: return helper()\ndef b() -> B: return 5\n--- deco.py\nimport functools\ndef twice(f):\n    @functools.wraps(f)\n    def inner(): return f() * 2\n    return inner",
        "f() * 2 => f() * 3",
    ),
    _text(
        "a decorated stage",
        "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def inner(): return f() * 2\n    return inner\n@twice\ndef a() -> A: return 1",
    ),
    _text(
        "the decorator of a stage",
        "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def inner(): return f() * 2\n    return inner\n@twice\ndef a() -> A: return 1",
        "f() * 2 => f() * 3",
    ),
    _text(
        "pipeline.register as a decorator",
        "p2 = pivot.Pipeline('q')\ndef helper(): return 1\ndef a() -> A: return helper()",
    ),
    _text(
        "a bound method as a value",
        "class M:\n    def __init__(self, k): self.k = k\n    def get(self): return self.k\nrun = M(1).get\ndef a() -> A: return run()",
        "M(1) => M(2)",
    ),
    _text(
        "operator.itemgetter",
        "import operator\nget = operator.itemgetter(0)\ndef a() -> A: return get([1, 2])",
        "itemgetter(0) => itemgetter(1)",
    ),
    _text(
        "a builtin method as a value", "has = {1, 2}.__contains__\ndef a() -> A: return int(has(2))", "{1, 2} => {1, 3}"
    ),
    _text(
        "a library's function under a name",
        "import math\ncut = math.floor\ndef a() -> A: return cut(1.5)",
        "math.floor => math.ceil",
    ),
    _text(
        "a library's function in a table",
        "import math\nT = {'x': math.floor}\ndef a() -> A: return T['x'](1.5)",
        "math.floor => math.ceil",
    ),
    _text("a builtin in a table", "T = [max]\ndef a() -> A: return T[0](1, 2)", "[max] => [min]"),
    _text(
        "contextlib.ExitStack callbacks",
        "import contextlib\nlog = []\ndef done(): log.append(1)\ndef a() -> A:\n    with contextlib.ExitStack() as stack: stack.callback(done)\n    return log[-1]",
        "append(1) => append(2)",
    ),
    _text(
        "a key function kept in a class",
        "class Sorter:\n    key = staticmethod(lambda x: x)\ndef a() -> A: return sorted([1, 2], key=Sorter.key)[0]",
        "lambda x: x => lambda x: -x",
    ),
    _text(
        "threads",
        "import threading\nout = []\ndef work(): out.append(1)\ndef a() -> A:\n    t = threading.Thread(target=work); t.start(); t.join()\n    return out[-1]",
        "append(1) => append(2)",
    ),
    _text(
        "a generator expression handed on",
        "def helper(x): return x + 1\ndef total(xs): return sum(xs)\ndef a() -> A: return total(helper(x) for x in [1])",
        "x + 1 => x + 2",
    ),
    _text(
        "a function made by exec",
        "space = {}\nexec('def made(): return 1', globals(), space)\nmade = space['made']\ndef a() -> A: return made()",
    ),
    _text(
        "a wrapper that copies its dict",
        "import functools\ndef tag(f):\n    f.rate = 1\n    return f\n@tag\ndef helper(): return helper.rate\ndef a() -> A: return helper()",
        "f.rate = 1 => f.rate = 2",
    ),
    _text(
        "a star-args call of a table",
        "def one(x): return x\nARGS = ([1],)\ndef a() -> A: return sum(one(*ARGS))",
        "[1] => [2]",
    ),
]
