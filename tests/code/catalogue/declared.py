"""What a stage's declaration reaches: custom loaders and parameter classes."""

from tests.code.catalogue.row import Row

PARAMS = """
class P(pivot.StageParams):
    k: int = 1
    def twice(self): return self.k * 2
def a(p: P) -> A: return p.twice()
def b() -> B: return 5
"""
LOADER = """
import json
class Mine:
    def __init__(self, indent=1): self.indent = indent
    def load(self, path): return json.loads(path.read_text())
    def save(self, value, path): path.write_text(json.dumps(value, indent=self.indent))
X = Annotated[int, pivot.Out("x.json", Mine())]
def a() -> X: return 1
def b() -> B: return 5
"""
READER = """
class Mine:
    def load(self, path): return len(path.read_text())
def a(x: Annotated[int, pivot.Dep("in.txt", Mine())]) -> A: return x
def b() -> B: return 5
"""
OUTPUTS = """
from typing import TypedDict
class Outs(TypedDict):
    x: Annotated[int, pivot.Out("x.json")]
    y: Annotated[int, pivot.Out("y.json")]
def a() -> Outs: return Outs(x=1, y=2)
def b() -> B: return 5
"""


def _row(kind: str, text: str, edit: str, runs: str = "a") -> Row:
    return Row(kind, text, edit, runs, calls=False)


ROWS = [
    _row(
        "a default of a parameter class that the params file overrides",
        f"{PARAMS}--- params.yaml\na: {{k: 5}}",
        "k: int = 1 => k: int = 2",
        "",
    ),
    _row(
        "a default of a parameter class that the code may ask for",
        f"{PARAMS.replace('p.twice()', 'type(p)().k')}--- params.yaml\na: {{k: 5}}",
        "k: int = 1 => k: int = 2",
    ),
    _row("a method of a parameter class", PARAMS, "self.k * 2 => self.k * 3"),
    _row(
        "a validator of a parameter class",
        PARAMS,
        "def twice => def __post_init__(self): assert self.k\\n    def twice",
    ),
    _row("a field of a parameter class", PARAMS, "k: int = 1 => k: int = 1\\n    other: int = 3"),
    _row("a custom loader's method", LOADER, "indent=self.indent => indent=self.indent, sort_keys=True"),
    _row("a custom loader's setting", LOADER, "Mine()) => Mine(indent=2))"),
    _row("a custom reader", READER, "len(path.read_text()) => len(path.read_text()) + 1"),
    _row("a helper of a custom reader", READER + "def deep(): return 1\n", "len(path => deep() + len(path"),
    _row("the return type's keys", OUTPUTS, "x: Annotated => z: Annotated ;; Outs(x=1 => Outs(z=1"),
    _row("only the path of an output: the code is the same", OUTPUTS, "y.json => other.json", ""),
]
