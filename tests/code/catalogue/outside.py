"""Code outside the repository."""

from tests.code.catalogue.row import Row

_LINE = "import sys, pathlib\nsys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / 'libs'))\n"
_PTH = "import site, pathlib\nsite.addsitedir(str(pathlib.Path(__file__).resolve().parents[1] / 'site-packages'))\n"
_FINDER = """
import importlib.machinery, importlib.util, sys, types, pathlib
LIBS = pathlib.Path(__file__).resolve().parents[1] / "libs"
finder = types.ModuleType("__editable___ours_1_0_finder")
finder.MAPPING = {"ours": str(LIBS / "ours")}
sys.modules[finder.__name__] = finder
class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name in finder.MAPPING:
            found = finder.MAPPING[name] + "/__init__.py"
            return importlib.util.spec_from_file_location(name, found)
sys.meta_path.append(Finder)
"""
_OURS = """
from ours.m import f
def a() -> A: return f(1)
def b() -> B: return 5
--- ../libs/ours/__init__.py
VERSION = 1
--- ../libs/ours/m.py
from ours import deep
def f(x): return deep.g(x) + 1
def unused(): return 1
--- ../libs/ours/deep.py
def g(x): return x * 2
--- ../site-packages/ours.pth
{libs}
--- ../more/ours/__init__.py
VERSION = 1
--- ../more/ours/m.py
from ours import deep
def f(x):
    return deep.g(x) + 1
--- ../more/ours/deep.py
def g(x):
    return x * 2
"""


def _outside(kind: str, head: str, edit: str, runs: str = "a") -> Row:
    text = head + _OURS.replace("{libs}", "import sys, os; sys.path.append(os.path.abspath(sitedir + '/../libs'))")
    return Row(f"code outside the repository: {kind}", text, edit, runs)


ROWS = [
    _outside("a line that changes sys.path", _LINE, "g(x): return x * 2 => g(x): return x * 3"),
    _outside("a module in between", _LINE, "f(x): return deep.g(x) + 1 => f(x): return deep.g(x) + 2"),
    _outside("a function that no stage calls", _LINE, "unused(): return 1 => unused(): return 2", ""),
    _outside("a comment", _LINE, "def unused() => # more\\ndef unused()", ""),
    _outside("the same library in another folder", _LINE, "parents[1] / 'libs') => parents[1] / 'more')", ""),
    _outside("a .pth file", _PTH, "g(x): return x * 2 => g(x): return x * 3"),
    _outside("the finder of an editable install", _FINDER, "g(x): return x * 2 => g(x): return x * 3"),
]
