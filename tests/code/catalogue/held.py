"""Code of the project that objects hold whose own value does not count, or that a library keeps."""

from tests.code.catalogue.row import Row

_TASK = """
import uuid
from helpers import times
class Task:
    def __init__(self, f):
        self.f = f
        self.id = uuid.uuid4()
    def __call__(self, x): return self.f(x) + 10
def mark(k):
    def decorate(f):
        made = Task(f)
        made.k = k
        return made
    return decorate
LIMIT = 4
@Task
def ours(x): return times(x, 2)
@mark(LIMIT)
def other(x): return x + 1
K = Task(lambda x: times(x, 5))
def a() -> A: return ours(3)
def b() -> B: return other(3) + other.k
def c() -> C: return K(1)
--- helpers.py
def times(x, n): return x * n
"""

_SITE = "import sys, pathlib\nsys.path.append(str(pathlib.Path(__file__).parent / 'site-packages'))\n"
_COMPILER = """
--- site-packages/compiler.py
import functools, uuid, _thread
class Kernel:
    def __init__(self, f, options):
        functools.update_wrapper(self, f)
        self.py_func, self.options, self.id = f, options, uuid.uuid4()
    def __call__(self, *args): return self.py_func(*args) * self.options.get("k", 1)
    def __reduce__(self): raise TypeError("compiled")
def jit(**options): return lambda f: Kernel(f, options)
def chain(*steps): return Kernel(lambda x: functools.reduce(lambda v, f: f(v), steps, x), {})
"""

_FRAMES = """
--- site-packages/frames.py
class Frame:
    def __init__(self, *rows): self.rows = list(rows)
    def total(self): return sum(self.rows)
    def apply(self, name): return getattr(self, name)()
class Accessor:
    def __init__(self, name, kind): self.name, self.kind = name, kind
    def __get__(self, one, owner): return self.kind(one)
_hooks, _readers = [], {}
def on_read(f): _hooks.append(f)
def register_reader(name):
    def decorate(f):
        _readers[name] = f
        return f
    return decorate
def read(name): return Frame(*[h(1) for h in _hooks], _readers[name](2))
def register_accessor(name, kind): setattr(Frame, name, Accessor(name, kind))
--- site-packages/flavor.py
import functools, frames
def register_method(method):
    class Method:
        def __init__(self, one): self.one = one
        @functools.wraps(method)
        def __call__(self, *args): return method(self.one, *args)
    frames.register_accessor(method.__name__, Method)
    return method
def frame(*rows): return frames.Frame(*rows)
--- site-packages/wrapper.py
import frames
def load(): return frames.read("csv").total()
"""


def _hung(kind: str, methods: str, body: str, edit: str, runs: str = "a") -> Row:
    """`a` and `b` use a library in which `methods.py` has put something."""
    files = (
        f"\n--- methods.py\nimport frames, flavor, helpers\n{methods}\n--- helpers.py\ndef times(x, n): return x * n"
    )
    return Row(
        f"code put into a library: {kind}",
        _SITE + "import frames, methods\n" + body + files + _FRAMES.rstrip(),
        edit,
        runs,
    )


_TWO = """@flavor.register_method
def doubled(frame): return helpers.times(frame.total(), 2)
@flavor.register_method
def halved(frame): return frame.total() / 2"""
_USE = "def a() -> A: return frames.Frame(1, 2).doubled()\ndef b() -> B: return frames.Frame(4).total()"
_SET = "def tripled(frame): return helpers.times(frame.total(), 3)\n"
_SET_USE = "def a() -> A: return frames.Frame(1, 2).tripled()\ndef b() -> B: return frames.Frame(4).total()"
_READ = "def a() -> A: return frames.read('csv').total()\ndef b() -> B: return 5"
_READERS = "@frames.register_reader('csv')\ndef read_csv(x): return helpers.times(x, 7)\n@frames.on_read\ndef hook(x): return x + 1"


def _task(kind: str, edit: str, runs: str) -> Row:
    return Row(f"a value that differs at each import: {kind}", _TASK, edit, runs)


def _compiled(kind: str, text: str, edit: str, runs: str = "a") -> Row:
    first, mark, others = text.partition("\n--- ")
    body = _SITE + "import compiler\n" + first + "\ndef b() -> B: return 5" + mark + others + _COMPILER.rstrip()
    return Row(f"a value that cannot be read: {kind}", body, edit, runs)


ROWS = [
    _task("the decorated function", "times(x, 2) => times(x, 3)", "a"),
    _task("what the decorated function calls", "x * n => x * n + 1", "a c"),
    _task("the class of the decorator", "self.f(x) + 10 => self.f(x) + 11", "a b c"),
    _task("the argument of the decorator", "LIMIT = 4 => LIMIT = 5", "b"),
    _task("the decorator's own function", "made.k = k => made.k = k * 2", "b"),
    _task("a function handed over in a call", "times(x, 5) => times(x, 6)", "c"),
    _task("a comment", "def times => # n times\\ndef times", ""),
    _compiled(
        "the decorated function",
        "@compiler.jit(k=2)\ndef f(x): return x + 1\ndef a() -> A: return f(1)",
        "x + 1 => x + 2",
    ),
    _compiled(
        "what the decorated function calls",
        "def g(x): return x\n@compiler.jit()\ndef f(x): return g(x)\ndef a() -> A: return f(1)",
        "return x\\n => return x + 4\\n",
    ),
    _compiled(
        "the options of the decorator",
        "@compiler.jit(k=2)\ndef f(x): return x + 1\ndef a() -> A: return f(1)",
        "k=2 => k=3",
    ),
    _compiled(
        "options of the decorator that stand in a dict",
        "OPTIONS = {'k': 2}\n@compiler.jit(**OPTIONS)\ndef f(x): return x + 1\ndef a() -> A: return f(1)",
        "'k': 2 => 'k': 3",
    ),
    _compiled(
        "a function that a helper of another module has handed over",
        "from build import K\ndef a() -> A: return K(1)\n--- build.py\nimport compiler, steps\nTABLE = vars(steps)\nK = compiler.chain(*[TABLE[n] for n in ('one', 'two')])\n--- steps.py\ndef one(x): return x + 1\ndef two(x): return x * 2",
        "x * 2 => x * 3",
    ),
    _hung("a method by a decorator of another library", _TWO, _USE, "frame.total(), 2 => frame.total(), 3"),
    _hung("what such a method calls", _TWO, _USE, "x * n => x * n + 1"),
    _hung("a method that no stage names", _TWO, _USE, "frame.total() / 2 => frame.total() / 3", ""),
    _hung(
        "a method that only a string names",
        _TWO,
        _USE.replace(".doubled()", ".apply('doubled')"),
        "frame.total(), 2 => frame.total(), 3",
    ),
    _hung(
        "a method that a computed name may reach",
        _TWO,
        "def name(): return 'dou' + 'bled'\n"
        + _USE.replace("frames.Frame(1, 2).doubled()", "getattr(frames.Frame(1, 2), name())()"),
        "frame.total(), 2 => frame.total(), 3",
    ),
    _hung(
        "a method on a frame that a stage is given",
        _TWO,
        "def work(frame): return frame.doubled()\nmake = frames.Frame\ndef a() -> A: return work(make(1))\ndef b() -> B: return 5",
        "x * n => x * n * 5",
    ),
    _hung(
        "setattr", _SET + "setattr(frames.Frame, 'tripled', tripled)", _SET_USE, "frame.total(), 3 => frame.total(), 4"
    ),
    _hung("an assignment", _SET + "frames.Frame.tripled = tripled", _SET_USE, "frame.total(), 3 => frame.total(), 4"),
    _hung(
        "setattr in a loop",
        _SET + "def other(frame): return 1\nfor f in (tripled, other):\n    setattr(frames.Frame, f.__name__, f)",
        _SET_USE,
        "frame.total(), 3 => frame.total(), 4",
    ),
    _hung(
        "setattr in a function",
        _SET + "def install(kind): setattr(kind, 'tripled', tripled)\ninstall(frames.Frame)",
        _SET_USE[: _SET_USE.index("def b()")] + "def b() -> B: return 5",
        "frame.total(), 3 => frame.total(), 4",
    ),
    _hung(
        "setattr of a name that no stage reads",
        _SET + "setattr(frames.Frame, 'tripled', tripled)",
        "def a() -> A: return frames.Frame(1, 2).total()\ndef b() -> B: return frames.Frame(4).total()",
        "frame.total(), 3 => frame.total(), 4",
        "",
    ),
    _hung(
        "an attribute that the library has and asks for",
        "def more(frame): return sum(frame.rows) + 1\nframes.Frame.total = more",
        "def a() -> A: return frames.Frame(1, 2).apply('to' + 'tal')\ndef b() -> B: return 5",
        "+ 1 => + 2",
    ),
    _hung(
        "an accessor",
        "class Geo:\n    def __init__(self, frame): self.frame = frame\n    def area(self): return helpers.times(self.frame.total(), 3)\nframes.register_accessor('geo', Geo)",
        _USE.replace(".doubled()", ".geo.area()"),
        "x * n => x + n",
    ),
    _hung("a registry of functions by name", _READERS, _READ, "(x, 7) => (x, 8)"),
    _hung("what a registered function calls", _READERS, _READ, "x * n => x * n + 1"),
    _hung("a list of hooks", _READERS, _READ, "x + 1 => x + 2"),
    _hung(
        "a registry of a library that a reached one imports",
        "@frames.on_read\ndef hook(x): return helpers.times(x, 2)\n@frames.register_reader('csv')\ndef read_csv(x): return x",
        "import wrapper\ndef a() -> A: return wrapper.load()\ndef b() -> B: return 5",
        "x * n => x * n + 1",
    ),
    Row(
        "code put into a library: a method of a class of the standard library",
        "import pathlib, methods\ndef a() -> A: return pathlib.Path('x').shout()\ndef b() -> B: return pathlib.Path('x').name"
        "\n--- methods.py\nimport pathlib\ndef shout(path): return path.name + '!'\nsetattr(pathlib.Path, 'shout', shout)",
        "'!' => '?'",
        "a",
    ),
]
