"""Syntax that Python 3.12 brought."""

from tests.code.catalogue.row import Row


def _text(kind: str, text: str, edit: str, runs: str = "a") -> Row:
    return Row(kind, text + "\ndef b() -> B: return 5", edit, runs, needs="3.12")


_BOX = """
K = 1
class Box[T]:
    def __init__(self, v: T): self.v = v
    def get(self) -> T: return self.v + K
def first[T: (int, float)](xs: list[T]) -> T: return xs[0]
type Pair[T] = tuple[T, T]
def use(pair: Pair[int]): return pair[1]
def a() -> A: return Box[int](2).get() + first([3]) + use((4, 5))
"""
_DATA = """
from dataclasses import dataclass
@dataclass
class Base[T]:
    x: T
    y: int = 2
@dataclass
class Child(Base[int]):
    z: int = 3
def a() -> A: return Child(1).y + Child(1).z
"""

ROWS = [
    _text("a generic class by brackets", _BOX, "K = 1 => K = 2"),
    _text("a generic function by brackets", _BOX, "xs[0] => xs[0] + 1"),
    _text("the bound of a type parameter", _BOX, "T: (int, float) => T: (int, str)", ""),
    _text("brackets that are taken away", _BOX, "def first[T: (int, float)](xs: list[T]) -> T: => def first(xs):", ""),
    _text("a type alias in annotations", _BOX, "tuple[T, T] => tuple[T, int]", ""),
    _text(
        "a type alias that is asked for its value",
        "type Mode = int\ndef a() -> A: return Mode.__value__ is int",
        "type Mode = int => type Mode = str",
    ),
    _text("a generic dataclass's default", _DATA, "y: int = 2 => y: int = 4"),
    _text("a field of its subclass", _DATA, "z: int = 3 => z: int = 4"),
    _text(
        "quotes inside the quotes of an f-string",
        'D = {"k": 1}\ndef a() -> A: return f"{D["k"]}"',
        "D[\"k\"] => D['k']",
        "",
    ),
]
