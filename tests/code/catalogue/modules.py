"""Imports: every way in which a name of another module reaches a stage."""

from tests.code.catalogue.row import Row

TWO = """
def a() -> A: return {call}
def b() -> B: return 5
--- utils.py
def helper(): return 1
"""


def _helper(
    kind: str, statement: str, call: str = "helper()", more: str = "", edit: str = "return 1 => return 2"
) -> Row:
    return Row(kind, f"{statement}\n{TWO.format(call=call).strip()}\n{more}", edit, "a")


PACKAGE = "--- pkg/__init__.py\n{init}\n--- pkg/work.py\n{work}\n"


def _package(kind: str, statement: str, call: str, init: str = "", work: str = "def helper(): return 1") -> Row:
    body = f"{statement}\ndef a() -> A: return {call}\ndef b() -> B: return 5\n"
    return Row(kind, body + PACKAGE.format(init=init, work=work), "return 1 => return 2", "a")


ROWS = [
    _helper("from module import name", "from utils import helper"),
    _helper("from module import name as other", "from utils import helper as h", "h()"),
    _helper("import module", "import utils", "utils.helper()"),
    _helper("import module as other", "import utils as u", "u.helper()"),
    _helper("from module import *", "from utils import *"),
    _helper("import under try", "try:\n    from utils import helper\nexcept ImportError:\n    helper = None"),
    _helper(
        "the alternative of an import that fails",
        "try:\n    from not_there import helper\nexcept ImportError:\n    from utils import helper",
    ),
    _helper("conditional import", "import sys\nif sys.version_info > (3,):\n    from utils import helper"),
    _helper("importlib.import_module of a literal", "import importlib", 'importlib.import_module("utils").helper()'),
    _helper(
        "import_module at module level",
        'import importlib\nutils = importlib.import_module("utils")',
        "utils.helper()",
    ),
    _helper("__import__ of a literal", "", '__import__("utils").helper()'),
    _helper("getattr of a literal name", "import utils", 'getattr(utils, "helper")()'),
    _helper("getattr of a built name", "import utils", 'getattr(utils, "hel" + "per")()'),
    _helper("a module in a table", "import utils\nTABLE = {'u': utils}", 'TABLE["u"].helper()'),
    _helper("a module handed to a function", "import utils\ndef run(m): return m.helper()", "run(utils)"),
    _helper("a name rebound in the importing module", "from utils import helper as _h\nhelper = _h"),
    _helper(
        "sys.modules",
        "import sys, utils",
        'sys.modules["utils"].helper() + 0 * len(utils.__name__)',
    ),
    Row(
        "import inside the function",
        """
        def a() -> A:
            from utils import helper
            return helper()
        def b() -> B: return 5
        --- utils.py
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "import of a module inside the function",
        """
        def a() -> A:
            import utils
            return utils.helper()
        def b() -> B: return 5
        --- utils.py
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "import inside the function, of a module that imports another",
        """
        def a() -> A:
            import utils as u
            return u.helper()
        def b() -> B: return 5
        --- utils.py
        from deep import K, work
        def helper(): return work() + K
        --- deep.py
        K = 3
        def work(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a constant of a module imported inside the function",
        """
        def a() -> A:
            from utils import helper
            return helper()
        def b() -> B: return 5
        --- utils.py
        K = 3
        def helper(): return K
        """,
        "K = 3 => K = 4",
        "a",
    ),
    Row(
        "a computed constant of a module imported inside the function",
        """
        def a() -> A:
            from utils import K
            return K
        def b() -> B: return 5
        --- utils.py
        def make(): return 1
        K = make() + 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a class of a module imported inside the function",
        """
        def a() -> A:
            from models import Model
            return Model().fit()
        def b() -> B: return 5
        --- models.py
        class Base:
            def fit(self): return 1
        class Model(Base): pass
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "what a module imported inside the function does when imported",
        """
        def a() -> A:
            import utils
            return utils.TABLE["x"]
        def b() -> B: return 5
        --- utils.py
        TABLE = {}
        def fill(): TABLE["x"] = 1
        fill()
        """,
        '"x"] = 1 => "x"] = 2',
        "a",
    ),
    Row(
        "relative import inside a function",
        """
        from pkg.work import helper
        def a() -> A: return helper()
        def b() -> B: return 5
        --- pkg/__init__.py
        --- pkg/work.py
        def helper():
            from .deep import inner
            return inner()
        --- pkg/deep.py
        def inner(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "alternative imports inside a function",
        """
        def a() -> A:
            try:
                import not_there as impl
            except ImportError:
                import utils as impl
            return impl.helper()
        def b() -> B: return 5
        --- utils.py
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "an import inside a function, with a fallback value",
        """
        def a() -> A:
            try:
                from utils import helper
            except ImportError:
                helper = None
            return helper()
        def b() -> B: return 5
        --- utils.py
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "import_module inside a function",
        """
        import importlib
        def a() -> A:
            utils = importlib.import_module("utils")
            return utils.helper()
        def b() -> B: return 5
        --- utils.py
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "an import inside a nested function",
        """
        def a() -> A:
            def inner():
                from utils import helper
                return helper()
            return inner()
        def b() -> B: return 5
        --- utils.py
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "an import inside a method",
        """
        class Model:
            def fit(self):
                from utils import helper
                return helper()
        def a() -> A: return Model().fit()
        def b() -> B: return 5
        --- utils.py
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    _package("a package's module", "import pkg.work", "pkg.work.helper()"),
    _package("a package's module under another name", "import pkg.work as w", "w.helper()"),
    _package("from package import module", "from pkg import work", "work.helper()"),
    _package("re-export through __init__", "from pkg import helper", "helper()", "from .work import helper"),
    _package("re-export with another name", "import pkg", "pkg.h()", "from .work import helper as h"),
    _package("re-export of a star import", "from pkg import helper", "helper()", "from .work import *"),
    _package(
        "__all__ decides what a star import brings",
        "from pkg.work import *",
        "helper()",
        "",
        '__all__ = ["helper"]\ndef helper(): return 1',
    ),
    _package(
        "relative import of a sibling",
        "from pkg.work import run",
        "run()",
        "",
        "from .deep import run\n--- pkg/deep.py\ndef run(): return 1",
    ),
    _package(
        "relative import of the parent",
        "from pkg.work import run",
        "run()",
        "def top(): return 1",
        "from . import top\ndef run(): return top()",
    ),
    _package(
        "relative import two levels up",
        "from pkg.sub.leaf import run",
        "run()",
        "",
        "def top(): return 1\n--- pkg/sub/__init__.py\n--- pkg/sub/leaf.py\nfrom ..work import top\ndef run(): return top()",
    ),
    Row(
        "module __getattr__",
        """
        import pkg
        def a() -> A: return pkg.anything
        def b() -> B: return 5
        --- pkg/__init__.py
        def __getattr__(name):
            if name == "anything": return 1
            raise AttributeError(name)
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "module __getattr__ that imports lazily",
        """
        import pkg
        def a() -> A: return pkg.work.helper()
        def b() -> B: return 5
        --- pkg/__init__.py
        import importlib
        def __getattr__(name):
            if name == "work": return importlib.import_module("pkg.work")
            raise AttributeError(name)
        --- pkg/work.py
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a namespace package",
        """
        from space.work import helper
        def a() -> A: return helper()
        def b() -> B: return 5
        --- space/work.py
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a namespace package, by attributes",
        """
        import space.work
        def a() -> A: return space.work.helper()
        def b() -> B: return 5
        --- space/work.py
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a namespace package inside a function",
        """
        def a() -> A:
            from space import work
            return work.helper()
        def b() -> B: return 5
        --- space/work.py
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "modules that import each other",
        """
        from one import first
        def a() -> A: return first(2)
        def b() -> B: return 5
        --- one.py
        def first(n):
            return two.second(n - 1) if n else 1
        import two
        --- two.py
        import one
        def second(n): return one.first(n) + 1
        """,
        "first(n) + 1 => first(n) + 2",
        "a",
    ),
    Row(
        "the same name in two modules",
        """
        import one, two
        def a() -> A: return one.helper()
        def b() -> B: return two.helper()
        --- one.py
        def helper(): return 1
        --- two.py
        def helper(): return 5
        """,
        "return 5 => return 6",
        "b",
    ),
    Row(
        "an import from another project module",
        """
        from one import helper
        def a() -> A: return helper()
        def b() -> B: return 5
        --- one.py
        def helper(): return 1
        --- two.py
        def helper(): return 2
        """,
        "from one => from two",
        "a",
    ),
    Row(
        "an import from another library",
        """
        from math import floor as cut
        def a() -> A: return cut(1.5)
        def b() -> B: return 5
        """,
        "floor as => ceil as",
        "a",
    ),
    Row(
        "an attribute of a library",
        """
        import math
        def a() -> A: return math.floor(1.5)
        def b() -> B: return 5
        """,
        "math.floor => math.ceil",
        "a",
    ),
    Row(
        "a library under the name of another",
        """
        import json as codec
        def a() -> A: return len(codec.dumps([1]))
        def b() -> B: return 5
        """,
        "json as => pickle as",
        "a",
    ),
    Row(
        "a project function put into a library",
        """
        import json
        def mine(value): return "x"
        json.dumps = mine
        def a() -> A: return len(json.dumps([1]))
        def b() -> B: return 5
        """,
        '"x" => "xy"',
        "a",
    ),
    Row(
        "a global rebound during import by another module",
        """
        import state, setter
        def a() -> A: return state.K
        def b() -> B: return 5
        --- state.py
        K = 1
        --- setter.py
        import state
        state.K = 2
        """,
        "K = 2 => K = 3",
        "a",
    ),
    Row(
        "a function replaced during import by another module",
        """
        import state, setter
        def a() -> A: return state.run()
        def b() -> B: return 5
        --- state.py
        def run(): return 1
        --- setter.py
        import state
        def better(): return 2
        state.run = better
        """,
        "return 2 => return 3",
        "a",
    ),
    Row(
        "a new module shadows an old one",
        """
        from tool import helper
        def a() -> A: return helper()
        def b() -> B: return 5
        --- tool/__init__.py
        from tool.work import helper
        --- tool/work.py
        def helper(): return 1
        """,
        "from tool.work => from tool.other ;; +++ tool/other.py: def helper(): return 2",
        "a",
    ),
    Row(
        "the pipeline file itself imported by a helper module",
        """
        K = 1
        import utils
        def a() -> A: return utils.helper()
        def b() -> B: return 5
        --- utils.py
        def helper():
            import pipeline
            return pipeline.K
        """,
        "K = 1 => K = 2",
        "a",
    ),
    Row(
        "a stage imported from another module",
        """
        from stages import a
        def b() -> B: return 5
        --- stages.py
        from typing import Annotated
        import pivot
        def a() -> Annotated[int, pivot.Out("a.json")]: return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a module loaded from a path",
        """
        import importlib.util, pathlib
        spec = importlib.util.spec_from_file_location("odd", pathlib.Path(__file__).parent / "some-dir" / "odd name.py")
        odd = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(odd)
        def a() -> A: return odd.helper()
        def b() -> B: return 5
        --- some-dir/odd name.py
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a folder put on sys.path",
        """
        import sys, pathlib
        sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))
        from tools import helper
        def a() -> A: return helper()
        def b() -> B: return 5
        --- lib/tools.py
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a data file read while importing",
        """
        import json, pathlib
        CONFIG = json.loads((pathlib.Path(__file__).parent / "config.json").read_text())
        def a() -> A: return CONFIG["k"]
        def b() -> B: return 5
        --- config.json
        {"k": 1}
        """,
        '"k": 1 => "k": 2',
        "a",
    ),
    Row(
        "a value of a data file that the stage does not use",
        """
        import json, pathlib
        CONFIG = json.loads((pathlib.Path(__file__).parent / "config.json").read_text())
        def a() -> A: return CONFIG["k"]
        def b() -> B: return CONFIG["other"]
        --- config.json
        {"k": 1, "other": 5}
        """,
        '"other": 5 => "other": 6',
        "b",
    ),
    Row(
        "modules listed while importing",
        """
        import importlib, pathlib
        PLUGINS = [importlib.import_module("plugins." + p.stem) for p in sorted(pathlib.Path(__file__).parent.glob("plugins/*.py"))]
        def a() -> A: return sum(p.run() for p in PLUGINS)
        def b() -> B: return 5
        --- plugins/one.py
        def run(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a plugin that is added",
        """
        import importlib, pathlib
        PLUGINS = [importlib.import_module("plugins." + p.stem) for p in sorted(pathlib.Path(__file__).parent.glob("plugins/*.py"))]
        def a() -> A: return sum(p.run() for p in PLUGINS)
        def b() -> B: return 5
        --- plugins/one.py
        def run(): return 1
        """,
        "+++ plugins/two.py: def run(): return 2",
        "a",
    ),
]
