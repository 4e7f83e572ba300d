"""Values and classes of libraries that a project may use."""

from tests.code.catalogue.row import Row


def _row(needs: str, kind: str, text: str, edit: str, runs: str = "a") -> Row:
    first, mark, others = text.partition("\n--- ")
    body = first if "def b()" in first else first + "\ndef b() -> B: return 5"
    return Row(f"{needs}: {kind}", body + mark + others, edit, runs, needs=needs)


_FRAMES = """
import pandas as pd
DF = pd.DataFrame({"k": ["x", "y", "x"], "v": [1.0, 2.0, 3.0]}, index=[5, 6, 7])
S = pd.Series([1, 2], index=pd.Index(["p", "q"], name="n"))
def widen(df): return df.assign(w=lambda d: d["v"] * 2)
def top(group): return group.max() + 1
def a() -> A: return float(DF.pipe(widen).groupby("k")["w"].agg(top).sum()) + int(DF.index[0])
def b() -> B: return int(S["p"]) + len(S.index.name)
"""
_MODEL = """
import pydantic
class Options(pydantic.BaseModel):
    rate: float = pydantic.Field(0.5, ge=0, description="one")
    name: str = "x"
    @pydantic.field_validator("name")
    @classmethod
    def check(cls, value): return value.upper()
    @pydantic.computed_field
    @property
    def twice(self) -> float: return self.rate * 2
    def unused(self): return 3
fixed = Options(name="q")
def a() -> A: return f"{Options(name='z').name} {Options().twice}"
def b() -> B: return fixed.rate
"""
_ATTRS = """
import attrs
def convert(value): return int(value)
@attrs.define
class M:
    x: int = attrs.field(default=1, converter=convert)
    y: list = attrs.field(factory=lambda: [2])
    @x.validator
    def _check(self, attribute, value):
        if value > 50: raise ValueError
    def more(self): return self.x + self.y[0]
@attrs.frozen
class N:
    z: int = 3
n = N()
def a() -> A: return M().more()
def b() -> B: return n.z
"""
_MOVED = _ATTRS[: _ATTRS.index("n = N()")].strip("\n").replace("\n", "\\n")

_OUTSIDE = """
--- site-packages/outside.py
import functools
class Memo:
    def __init__(self, f):
        functools.update_wrapper(self, f)
        self.f = f
    def __call__(self, *args): return self.f(*args)
def compose(fs): return lambda x: functools.reduce(lambda value, f: f(value), fs, x)
def bind(f):
    def inner(x, _f=f): return _f(x)
    return inner
def times(n):
    def decorate(f):
        @functools.wraps(f)
        def inner(*args): return f(*args) * n
        return inner
    return decorate
class Base:
    made = []
    def __init_subclass__(cls): Base.made.append(cls)
    def run(self): return 0
"""
_PAIR = "def f(x): return x + 1\ndef g(x): return x * 2\n"


def _outside(kind: str, text: str, edit: str, runs: str = "a") -> Row:
    """A library that the project has not written stands in `site-packages`."""
    head = (
        "import sys, pathlib\nsys.path.append(str(pathlib.Path(__file__).parent / 'site-packages'))\nimport outside\n"
    )
    return Row(f"a library: {kind}", head + text + "\ndef b() -> B: return 5" + _OUTSIDE.rstrip(), edit, runs)


ROWS = [
    _row("pandas", "a value of a frame", _FRAMES, "2.0, 3.0] => 2.0, 4.0]"),
    _row("pandas", "a type of a frame", _FRAMES, '"v": [1.0, 2.0, 3.0] => "v": [1.0, 2.0, 3.5]'),
    _row("pandas", "the index of a frame", _FRAMES, "index=[5 => index=[4"),
    _row("pandas", "a value of a series", _FRAMES, "Series([1 => Series([3", "b"),
    _row("pandas", "the name of an index", _FRAMES, 'name="n" => name="nn"', "b"),
    _row("pandas", "a function handed to pipe", _FRAMES, '"v"] * 2 => "v"] * 3'),
    _row("pandas", "a function handed to agg", _FRAMES, "group.max() + 1 => group.max() + 2"),
    _row("pandas", "layout and comments of a chain", _FRAMES, "DF.pipe(widen).groupby => DF.pipe(widen)  .groupby", ""),
    _row(
        "pandas",
        "a timestamp, an offset and an interval",
        'import pandas as pd\nT = pd.Timestamp("2024-01-01", tz="UTC")\nO = pd.offsets.MonthEnd(2)\ndef a() -> A: return str(T)\ndef b() -> B: return str(pd.Timestamp("2024-01-01") + O)',
        "MonthEnd(2) => MonthEnd(3)",
        "b",
    ),
    _row(
        "pandas",
        "an accessor",
        'import pandas as pd, geo\ndef a() -> A: return float(pd.DataFrame({"x": [1.0]}).geo.area())\n--- geo.py\nimport pandas as pd\n@pd.api.extensions.register_dataframe_accessor("geo")\nclass Geo:\n    def __init__(self, df): self.df = df\n    def area(self): return self.df["x"].sum() * 2',
        "* 2 => * 3",
    ),
    _row("pydantic", "a default", _MODEL, "Field(0.5 => Field(0.75", "a b"),
    _row("pydantic", "a validator", _MODEL, "value.upper() => value.lower() + '!'"),
    _row("pydantic", "a computed field", _MODEL, "self.rate * 2 => self.rate * 3"),
    _row("pydantic", "a comment", _MODEL, "import pydantic => import pydantic  # models", ""),
    _row(
        "pandas",
        "a category that no value has",
        "import pandas as pd\nS = pd.Series(pd.Categorical(['x'], categories=['x', 'y']))\ndef a() -> A: return list(S.cat.categories)",
        "'x', 'y'] => 'x', 'z']",
    ),
    _row(
        "pandas",
        "the names of an index of several levels",
        "import pandas as pd\nM = pd.MultiIndex.from_tuples([(1, 'x')], names=['n', 's'])\ndef a() -> A: return list(M.names)",
        "'n', 's' => 'n', 't'",
    ),
    _row(
        "pandas",
        "attributes of a frame",
        "import pandas as pd\nD = pd.DataFrame({'x': [1]})\nD.attrs['k'] = 'one'\ndef a() -> A: return D.attrs['k']",
        "'one' => 'two'",
    ),
    _row(
        "pandas",
        "the name of the columns",
        "import pandas as pd\nD = pd.DataFrame({'x': [1]})\nD.columns.name = 'one'\ndef a() -> A: return D.columns.name",
        "'one' => 'two'",
    ),
    _row(
        "attrs",
        "what it does after the fields are set",
        "import attrs\n@attrs.define\nclass M:\n    x: int\n    y: int = attrs.field(init=False)\n    def __attrs_post_init__(self): self.y = self.x + 1\ndef a() -> A: return M(3).y",
        "self.x + 1 => self.x + 2",
    ),
    _row(
        "numpy",
        "the order of an array in memory",
        "import numpy as np\nK = np.array([[1, 2], [3, 4]], order='C')\ndef a() -> A: return bool(K.flags.f_contiguous)",
        "'C' => 'F'",
    ),
    _row(
        "numpy",
        "an array of a class of ours",
        "import numpy as np\nclass Arr(np.ndarray): pass\nX = np.array([1, 2]).view(Arr)\ndef a() -> A: return X.tolist()",
        "[1, 2] => [1, 3]",
    ),
    _row(
        "numpy",
        "the docstring of a function that vectorize was given",
        "import numpy as np\ndef f(x):\n    'One.'\n    return x + 1\nV = np.vectorize(f)\ndef a() -> A: return V([1]).tolist()",
        "One. => Two.",
        "",
    ),
    _row("attrs", "a default", _ATTRS, "default=1 => default=2"),
    _row("attrs", "a factory", _ATTRS, "[2] => [3]"),
    _row("attrs", "a converter", _ATTRS, "int(value) => int(value) + 1"),
    _row("attrs", "a validator", _ATTRS, "value > 50: raise ValueError => value > 0: self.y[0] = 9"),
    _row("attrs", "a method", _ATTRS, "self.x + self.y[0] => self.x - self.y[0]"),
    _row("attrs", "a default of a frozen class", _ATTRS, "z: int = 3 => z: int = 4", "b"),
    _row(
        "attrs",
        "classes moved to another module",
        _ATTRS,
        f"{_MOVED} => from moved import M, N ;; +++ moved.py: {_MOVED}",
        "",
    ),
    _outside(
        "its object around a function", _PAIR + "K = outside.Memo(f)\ndef a() -> A: return K(1)", "x + 1 => x + 2"
    ),
    _outside(
        "its object around a function, in a dict",
        _PAIR + "K = {'k': outside.Memo(f)}\ndef a() -> A: return K['k'](1)",
        "x + 1 => x + 2",
    ),
    _outside(
        "its object around a function whose docstring is edited",
        "def f(x):\n    'One.'\n    return x\nK = outside.Memo(f)\ndef a() -> A: return K(1)",
        "One. => Two.",
        "",
    ),
    _outside(
        "its function that has captured a list of ours",
        _PAIR + "K = outside.compose([f, g])\ndef a() -> A: return K(1)",
        "x * 2 => x * 3",
    ),
    _outside(
        "the order of that list",
        _PAIR + "K = outside.compose([f, g])\ndef a() -> A: return K(1)",
        "[f, g] => [g, f]",
    ),
    _outside(
        "its function with one of ours as default",
        _PAIR + "K = outside.bind(f)\ndef a() -> A: return K(1)",
        "x + 1 => x + 2",
    ),
    _outside(
        "the argument of its decorator, called by hand",
        _PAIR + "K = outside.times(3)(f)\ndef a() -> A: return K(1)",
        "times(3) => times(4)",
    ),
    _outside(
        "classes that it has collected",
        "class M(outside.Base):\n    def run(self): return 1\ndef a() -> A: return sum(one().run() for one in outside.Base.made)",
        "return 1 => return 2",
    ),
    _outside(
        "a method put into the class that ours extends",
        _PAIR + "outside.Base.run = lambda self: f(1)\nclass M(outside.Base): pass\ndef a() -> A: return M().run()",
        "x + 1 => x + 2",
    ),
]
