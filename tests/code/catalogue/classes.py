"""Classes: methods, bases, descriptors, and the classes that libraries make from annotations."""

from tests.code.catalogue.row import Row


def _class(kind: str, body: str, call: str, edit: str = "return 1 => return 2", imports: str = "") -> Row:
    indented = "\n".join("    " + line for line in body.strip("\n").splitlines())
    text = f"{imports}\nclass Model:\n{indented}\ndef a() -> A: return {call}\ndef b() -> B: return 5\n"
    return Row(kind, text, edit, "a")


def _text(kind: str, text: str, edit: str = "return 1 => return 2", runs: str = "a") -> Row:
    return Row(kind, text + "\ndef b() -> B: return 5\n", edit, runs)


ROWS = [
    _class("a method on an instance made in the stage", "def fit(self): return 1", "Model().fit()"),
    _text(
        "a method on an instance made at module level",
        "class Model:\n    def fit(self): return 1\nmodel = Model()\ndef a() -> A: return model.fit()",
    ),
    _text(
        "the state of an instance made at module level",
        "class Model:\n    def __init__(self, k): self.k = k\nmodel = Model(1)\ndef a() -> A: return model.k",
        "Model(1) => Model(2)",
    ),
    _text(
        "state kept in slots",
        "class Model:\n    __slots__ = ('k',)\n    def __init__(self, k): self.k = k\n    def get(self): return self.k\nmodel = Model(1)\ndef a() -> A: return model.get()",
        "Model(1) => Model(2)",
    ),
    _text(
        "a method on a parameter whose annotation is a project class",
        "class Model:\n    def fit(self): return 1\ndef use(m: Model): return m.fit()\ndef make(): return globals_()['Mod' + 'el']()\nglobals_ = globals\ndef a() -> A: return use(make())",
    ),
    _text(
        "a method on a parameter annotated with a string",
        "class Model:\n    def fit(self): return 1\ndef use(m: 'list[Model]'): return m[0].fit()\ndef a() -> A: return use([KINDS()])\nKINDS = type('Sub', (Model,), {})",
    ),
    _class("a method calls another", "def fit(self): return self.deep()\ndef deep(self): return 1", "Model().fit()"),
    _class("a property", "@property\ndef k(self): return 1", "Model().k"),
    _class(
        "a property's setter",
        "k_ = 0\n@property\ndef k(self): return self.k_\n@k.setter\ndef k(self, v): self.k_ = v + 1",
        "(lambda m: setattr(m, 'k', 1) or m.k)(Model())",
        "v + 1 => v + 2",
    ),
    _class("a class method", "@classmethod\ndef make(cls): return 1", "Model.make()"),
    _class("a static method", "@staticmethod\ndef make(): return 1", "Model.make()"),
    _class(
        "a cached property",
        "@functools.cached_property\ndef k(self): return 1",
        "Model().k",
        imports="import functools",
    ),
    _class("__call__", "def __call__(self): return 1", "Model()()"),
    _class("__add__ by the operator", "def __add__(self, other): return 1", "Model() + 1"),
    _class("__getitem__ by brackets", "def __getitem__(self, key): return 1", "Model()['x']"),
    _class("__len__ by len()", "def __len__(self): return 1", "len(Model())"),
    _class("__iter__ by a loop", "def __iter__(self): return iter([1, 1])", "sum(Model())", "[1, 1] => [1, 2]"),
    _class(
        "__enter__ by with",
        "def __enter__(self): return 1\ndef __exit__(self, *_): pass",
        "use()",
        imports="def use():\n    with Model() as m: return m",
    ),
    _class(
        "__eq__ by ==", "def __eq__(self, other): return 1 == other", "int(Model() == 1)", "1 == other => 2 == other"
    ),
    _class(
        "__lt__ by sorted()",
        "def __init__(self, k): self.k = k\ndef __lt__(self, other): return self.k < other.k",
        "sorted([Model(1), Model(2)])[0].k",
        "self.k < other.k => self.k > other.k",
    ),
    _class("__getattr__", "def __getattr__(self, name): return 1", "Model().anything"),
    _class("__init__", "def __init__(self): self.k = 1", "Model().k", "self.k = 1 => self.k = 2"),
    _class("__new__", "def __new__(cls): return 1", "Model()"),
    _class("__contains__ by in", "def __contains__(self, x): return x == 1", "int(1 in Model())", "x == 1 => x == 2"),
    _class("__format__ by an f-string", "def __format__(self, spec): return 'x'", "len(f'{Model()}')", "'x' => 'xy'"),
    _class("__bool__ by if", "def __bool__(self): return True", "1 if Model() else 2", "return True => return False"),
    _class(
        "__hash__ by a set",
        "def __init__(self, k): self.k = k\ndef __eq__(self, o): return True\ndef __hash__(self): return 1",
        "len({Model(1), Model(2)})",
        "__hash__(self): return 1 => __hash__(self): return self.k",
    ),
    _text(
        "an inherited method",
        "class Base:\n    def fit(self): return 1\nclass Model(Base): pass\ndef a() -> A: return Model().fit()",
    ),
    _text(
        "super()",
        "class Base:\n    def fit(self): return 1\nclass Model(Base):\n    def fit(self): return super().fit() + 1\ndef a() -> A: return Model().fit()",
    ),
    _text(
        "an override that is added",
        "class Base:\n    def fit(self): return 1\nclass Model(Base):\n    x = 0\ndef a() -> A: return Model().fit()",
        "    x = 0 =>     x = 0\\n    def fit(self): return 2",
    ),
    _text(
        "another base",
        "class One:\n    def fit(self): return 1\nclass Two:\n    def fit(self): return 2\nclass Model(One): pass\ndef a() -> A: return Model().fit()",
        "Model(One) => Model(Two)",
    ),
    _text(
        "the order of bases",
        "class One:\n    def fit(self): return 1\nclass Two:\n    def fit(self): return 2\nclass Model(One, Two): pass\ndef a() -> A: return Model().fit()",
        "One, Two => Two, One",
    ),
    Row(
        "a base in another module",
        """
        from models import Base
        class Model(Base): pass
        def a() -> A: return Model().fit()
        def b() -> B: return 5
        --- models.py
        class Base:
            def fit(self): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    _text(
        "an abstract base's template method",
        "import abc\nclass Base(abc.ABC):\n    def run(self): return self.step() + 1\n    @abc.abstractmethod\n    def step(self): ...\nclass Model(Base):\n    def step(self): return 1\ndef a() -> A: return Model().run()",
        "step() + 1 => step() + 2",
    ),
    _text(
        "a metaclass",
        "class Meta(type):\n    def k(cls): return 1\nclass Model(metaclass=Meta): pass\ndef a() -> A: return Model.k()",
    ),
    _text(
        "a metaclass that changes the class",
        "class Meta(type):\n    def __new__(m, name, bases, space): return super().__new__(m, name, bases, {**space, 'k': 1})\nclass Model(metaclass=Meta): pass\ndef a() -> A: return Model.k",
        "'k': 1 => 'k': 2",
    ),
    _text(
        "__init_subclass__",
        "class Base:\n    def __init_subclass__(cls): cls.k = 1\nclass Model(Base): pass\ndef a() -> A: return Model.k",
        "cls.k = 1 => cls.k = 2",
    ),
    _text(
        "a keyword of __init_subclass__",
        "class Base:\n    def __init_subclass__(cls, k): cls.k = k\nclass Model(Base, k=1): pass\ndef a() -> A: return Model.k",
        "k=1 => k=2",
    ),
    _text(
        "a descriptor",
        "class Field:\n    def __get__(self, obj, kind): return 1\nclass Model:\n    k = Field()\ndef a() -> A: return Model().k",
    ),
    _text(
        "__set_name__",
        "class Field:\n    def __set_name__(self, owner, name): self.k = 1\nclass Model:\n    f = Field()\ndef a() -> A: return vars(Model)['f'].k",
        "self.k = 1 => self.k = 2",
    ),
    _text(
        "__class_getitem__",
        "class Model:\n    def __class_getitem__(cls, key): return 1\ndef a() -> A: return Model[0]",
    ),
    _class("a class variable", "k = 1", "Model().k", "k = 1 => k = 2"),
    _class("a class variable computed in the body", "base = 1\nk = base + 1", "Model.k", "base + 1 => base + 2"),
    _text(
        "a class variable from a module constant",
        "K = 1\nclass Model:\n    k = K\n    def fit(self): return self.k\ndef a() -> A: return Model().fit()",
        "K = 1 => K = 2",
    ),
    _text(
        "a class variable set from outside",
        "class Model:\n    k = 0\nModel.k = 1\ndef a() -> A: return Model.k",
        "Model.k = 1 => Model.k = 2",
    ),
    _text(
        "a method put into a class",
        "class Model: pass\ndef fit(self): return 1\nModel.fit = fit\ndef a() -> A: return Model().fit()",
    ),
    _text(
        "a method put into an instance",
        "class Model: pass\nmodel = Model()\nmodel.fit = lambda: 1\ndef a() -> A: return model.fit()",
        "lambda: 1 => lambda: 2",
    ),
    _text(
        "a class decorator",
        "def deco(cls):\n    cls.k = 1\n    return cls\n@deco\nclass Model: pass\ndef a() -> A: return Model().k",
        "cls.k = 1 => cls.k = 2",
    ),
    _text(
        "a class decorator that returns another class",
        "def deco(cls):\n    class Other(cls):\n        def fit(self): return super().fit() + 1\n    return Other\n@deco\nclass Model:\n    def fit(self): return 1\ndef a() -> A: return Model().fit()",
        "return 1 => return 2",
    ),
    _text(
        "a class made by type()",
        "def fit(self): return 1\nModel = type('Model', (), {'fit': fit})\ndef a() -> A: return Model().fit()",
    ),
    _text(
        "a nested class",
        "class Outer:\n    class Inner:\n        def fit(self): return 1\ndef a() -> A: return Outer.Inner().fit()",
    ),
    _text(
        "a class inside the stage",
        "def a() -> A:\n    class Model:\n        def fit(self): return 1\n    return Model().fit()",
    ),
    _text(
        "a method handed as a callback",
        "class Model:\n    def fit(self, x): return x + 1\ndef a() -> A: return sum(map(Model().fit, [1]))",
        "x + 1 => x + 2",
    ),
    _text("an unbound method", "class Model:\n    def fit(self): return 1\ndef a() -> A: return Model.fit(None)"),
    _text(
        "a method named by a string",
        "import operator\nclass Model:\n    def fit(self): return 1\ndef a() -> A: return operator.methodcaller('fit')(Model())",
    ),
    _text(
        "a name-mangled method",
        "class Model:\n    def fit(self): return self.__deep()\n    def __deep(self): return 1\ndef a() -> A: return Model().fit()",
    ),
    _text(
        "a mixin",
        "class Mixin:\n    def extra(self): return 1\nclass Model(Mixin, dict): pass\ndef a() -> A: return Model().extra()",
    ),
    _text(
        "a subclass of a library's class",
        "import json\nclass Coder(json.JSONEncoder):\n    def default(self, o): return 1\ndef a() -> A: return int(json.dumps(object(), cls=Coder))",
    ),
    _text(
        "a subclass of dict with content",
        "class Table(dict): pass\nTABLE = Table(x=1)\ndef a() -> A: return TABLE['x']",
        "x=1 => x=2",
    ),
    _text(
        "a subclass of an exception",
        "class Bad(ValueError):\n    code = 1\ndef a() -> A:\n    try: raise Bad\n    except ValueError as error: return error.code",
        "code = 1 => code = 2",
    ),
    _text(
        "the bases of an exception",
        "class Bad(ValueError): pass\ndef a() -> A:\n    try: raise Bad\n    except ValueError: return 1\n    except KeyError: return 2",
        "Bad(ValueError) => Bad(KeyError)",
    ),
    _text(
        "a default of a dataclass",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    k: int = 1\ndef a() -> A: return P().k",
        "k: int = 1 => k: int = 2",
    ),
    _text(
        "a default_factory",
        "from dataclasses import dataclass, field\ndef make(): return [1]\n@dataclass\nclass P:\n    k: list = field(default_factory=make)\ndef a() -> A: return P().k[0]",
        "[1] => [2]",
    ),
    _text(
        "__post_init__",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    k: int = 1\n    def __post_init__(self): self.k += 1\ndef a() -> A: return P().k",
        "self.k += 1 => self.k += 2",
    ),
    _text(
        "the order of a dataclass's fields",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: int\ndef a() -> A: return P(1, 2).x",
        "    x: int\\n    y: int =>     y: int\\n    x: int",
    ),
    _text(
        "options of a dataclass",
        "from dataclasses import dataclass\n@dataclass(eq=True)\nclass P:\n    x: int\ndef a() -> A: return int(P(1) == P(1))",
        "eq=True => eq=False",
    ),
    _text(
        "an instance of a dataclass",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\np = P(1)\ndef a() -> A: return p.x",
        "P(1) => P(2)",
    ),
    _text(
        "the value of an enum member",
        "import enum\nclass Color(enum.Enum):\n    RED = 1\n    BLUE = 7\ndef a() -> A: return Color.RED.value",
        "RED = 1 => RED = 2",
    ),
    _text(
        "which enum member",
        "import enum\nclass Color(enum.Enum):\n    RED = 1\n    BLUE = 7\nK = Color.RED\ndef a() -> A: return K.value",
        "K = Color.RED => K = Color.BLUE",
    ),
    _text(
        "a method of an enum",
        "import enum\nclass Color(enum.Enum):\n    RED = 1\n    def code(self): return self.value + 1\ndef a() -> A: return Color.RED.code()",
        "value + 1 => value + 2",
    ),
    _text(
        "the order of an enum",
        "import enum\nclass Color(enum.Enum):\n    RED = 1\n    BLUE = 7\ndef a() -> A: return list(Color)[0].value",
        "    RED = 1\\n    BLUE = 7 =>     BLUE = 7\\n    RED = 1",
    ),
    _text(
        "an IntFlag",
        "import enum\nclass F(enum.IntFlag):\n    X = 1\n    Y = 2\nK = F.X | F.Y\ndef a() -> A: return int(K)",
        "F.X | F.Y => F.X",
    ),
    _text(
        "a NamedTuple's default",
        "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int = 1\ndef a() -> A: return P().x",
        "x: int = 1 => x: int = 2",
    ),
    _text(
        "a method of a NamedTuple",
        "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int = 1\n    def more(self): return self.x + 1\ndef a() -> A: return P().more()",
        "self.x + 1 => self.x + 2",
    ),
    _text(
        "a namedtuple's fields",
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef a() -> A: return P(1, 2).x",
        "'x y' => 'y x'",
    ),
    _text(
        "a Protocol's default method",
        "from typing import Protocol\nclass Fit(Protocol):\n    def fit(self): return 1\nclass Model(Fit): pass\ndef a() -> A: return Model().fit()",
    ),
    _text(
        "a Generic class",
        "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass Box(Generic[T]):\n    def get(self): return 1\ndef a() -> A: return Box[int]().get()",
    ),
    _text(
        "singledispatchmethod",
        "import functools\nclass Model:\n    @functools.singledispatchmethod\n    def fit(self, x): return 0\n    @fit.register\n    def _(self, x: int): return 1\ndef a() -> A: return Model().fit(3)",
    ),
    _text(
        "partialmethod",
        "import functools\nclass Model:\n    def fit(self, k): return k\n    one = functools.partialmethod(fit, 1)\ndef a() -> A: return Model().one()",
        "(fit, 1) => (fit, 2)",
    ),
    _text(
        "total_ordering",
        "import functools\n@functools.total_ordering\nclass M:\n    def __init__(self, k): self.k = k\n    def __eq__(self, o): return self.k == o.k\n    def __lt__(self, o): return self.k < o.k\ndef a() -> A: return int(M(1) >= M(2))",
        "self.k < o.k => self.k > o.k",
    ),
    _text(
        "a method wrapped by a project decorator",
        "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def inner(self): return f(self) * 2\n    return inner\nclass Model:\n    @twice\n    def fit(self): return 1\ndef a() -> A: return Model().fit()",
        "f(self) * 2 => f(self) * 3",
    ),
    _text(
        "a decorated method's own body",
        "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def inner(self): return f(self) * 2\n    return inner\nclass Model:\n    @twice\n    def fit(self): return 1\ndef a() -> A: return Model().fit()",
    ),
    _text(
        "a context manager made by contextlib",
        "import contextlib\n@contextlib.contextmanager\ndef door():\n    yield 1\ndef a() -> A:\n    with door() as d: return d",
        "yield 1 => yield 2",
    ),
    _text(
        "an object with its own __reduce__",
        "class M:\n    def __init__(self, k): self.k = k\n    def __reduce__(self): raise RuntimeError\nm = M(1)\ndef a() -> A: return m.k",
        "M(1) => M(2)",
    ),
    _text(
        "an instance inside an instance",
        "class In:\n    def __init__(self, k): self.k = k\nclass Out_:\n    def __init__(self, i): self.i = i\n    def get(self): return self.i.k\no = Out_(In(1))\ndef a() -> A: return o.get()",
        "In(1) => In(2)",
    ),
    _text(
        "instances that hold each other",
        "class N:\n    def __init__(self, k): self.k, self.o = k, None\nx, y = N(1), N(2)\nx.o, y.o = y, x\ndef a() -> A: return x.o.o.o.k",
        "N(2) => N(3)",
    ),
]
