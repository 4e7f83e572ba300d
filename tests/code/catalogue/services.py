"""Objects of the standard library by what the import has set in them: loggers, files, locks; and code it replaced."""

from tests.code.catalogue.row import Row


def _text(kind: str, text: str, edit: str = "return 1 => return 2", runs: str = "a") -> Row:
    """The file of the pipeline, stage `a` in it; other files after it."""
    first, mark, others = text.partition("\n--- ")
    return Row(kind, first + "\ndef b() -> B: return 5" + mark + others, edit, runs)


_LOGGER = """
import io, logging
log, buf = logging.getLogger("proj"), io.StringIO()
class Redact(logging.Filter):
    def filter(self, record):
        record.msg = record.msg.replace("x", "y")
        return True
handler = logging.StreamHandler(buf)
handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
log.addHandler(handler)
log.addFilter(Redact())
log.setLevel(logging.INFO)
def a() -> A:
    buf.seek(0), buf.truncate()
    log.info("xx"), log.debug("dd")
    return buf.getvalue()
"""
_SET_UP = """
from work import work
def a() -> A: return work()
--- work.py
import logging
from logs import buf, set_up
set_up()
log = logging.getLogger(__name__)
def work():
    log.warning("hello")
    return buf.getvalue()
--- logs.py
import io, logging
buf = io.StringIO()
class Loud(logging.Formatter):
    def format(self, record): return record.getMessage().upper()
def set_up():
    handler = logging.StreamHandler(buf)
    handler.setFormatter(Loud())
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel("INFO")
"""
_ENABLED = "def a() -> A: return log.isEnabledFor(20)"
_LEVEL = "setLevel(10) => setLevel(30)"
_PATCH = "def helper(): return 1\n"
_CONSTS = "__code__.replace(co_consts=(None, 5))"

ROWS = [
    _text("a logger's format", _LOGGER, "%(levelname)s => %(levelno)s"),
    _text("a logger's filter", _LOGGER, '"x", "y" => "x", "z"'),
    _text("a logger's level", _LOGGER, "logging.INFO => logging.DEBUG"),
    _text(
        "a message that the import logs: nothing",
        "import logging\nlog = logging.getLogger('p')\nlog.info('one')\nlogging.debug('x')\ndef a() -> A: return log.isEnabledFor(logging.INFO)",
        "'one' => 'two'",
        "",
    ),
    _text("a formatter class that another module hands to the root logger", _SET_UP, "upper() => lower()"),
    _text("the level of the root logger, set by another module", _SET_UP, '"INFO" => "ERROR"'),
    _text(
        "a filter that is a lambda",
        "import io, logging\nlog, buf = logging.getLogger('p'), io.StringIO()\nhandler = logging.StreamHandler(buf)\nhandler.addFilter(lambda record: 'a' in record.msg)\nlog.addHandler(handler)\ndef a() -> A:\n    log.error('abc')\n    return buf.getvalue()",
        "'a' in => 'z' in",
    ),
    _text(
        "the level of a logger that a function makes",
        f"import logging\ndef make(level):\n    log = logging.getLogger('p')\n    log.setLevel(level)\n    return log\nlog = make(10)\n{_ENABLED}",
        "make(10) => make(30)",
    ),
    _text(
        "the level of a logger's parent",
        f"import logging\nbase = logging.getLogger('p')\nbase.setLevel(10)\nlog = base.getChild('q')\n{_ENABLED}",
        _LEVEL,
    ),
    _text(
        "what logging is told to leave out",
        f"import logging\nlog = logging.getLogger('p')\nlog.setLevel(10)\nlogging.disable(5)\n{_ENABLED}",
        "disable(5) => disable(50)",
    ),
    _text(
        "a logger in an instance",
        "import logging\nlog = logging.getLogger('p')\nclass W:\n    def __init__(self): self.log = log\n    def go(self): return self.log.isEnabledFor(20)\nlog.setLevel(10)\nw = W()\ndef a() -> A: return w.go()",
        _LEVEL,
    ),
    _text(
        "a configuration of loggers",
        "import logging.config\nlogging.config.dictConfig({'version': 1, 'formatters': {'f': {'format': '%(message)s'}}, 'handlers': {'h': {'class': 'logging.StreamHandler', 'formatter': 'f'}}, 'loggers': {'p': {'handlers': ['h'], 'level': 10}}})\nlog = logging.getLogger('p')\ndef a() -> A: return log.level",
        "'level': 10 => 'level': 20",
    ),
    _text(
        "the root logger by a name, for a stage that asks the module",
        "import logging\nroot = logging.getLogger()\nroot.setLevel(10)\ndef a() -> A: return logging.getLogger().isEnabledFor(20)",
        _LEVEL,
    ),
    _text(
        "a name for the context of decimals",
        "import decimal\ncontext = decimal.getcontext()\ncontext.prec = 5\ndef a() -> A: return str(decimal.Decimal(1) / 3)",
        "prec = 5 => prec = 6",
    ),
    _text(
        "the count of a semaphore",
        "import threading\nS = threading.Semaphore(2)\ndef a() -> A: return S._value",
        "Semaphore(2) => Semaphore(3)",
    ),
    _text(
        "whether an event is set",
        "import threading\nE = threading.Event()\nE.set()\ndef a() -> A: return E.is_set()",
        "E.set()\\n => ",
    ),
    _text(
        "the content of an open file",
        "import pathlib\nF = open(pathlib.Path(__file__).parent / 'd.txt')\ndef a() -> A:\n    F.seek(0)\n    return F.read()\n--- d.txt\none",
        "one => two",
    ),
    _text(
        "the place in an open file",
        "import pathlib\nF = open(pathlib.Path(__file__).parent / 'd.txt')\nF.read(1)\ndef a() -> A: return F.read()\n--- d.txt\nfirst",
        "read(1) => read(2)",
    ),
    _text(
        "constants put into a function's code",
        _PATCH + f"helper.__code__ = helper.{_CONSTS}\ndef a() -> A: return helper()",
        "5)) => 6))",
    ),
    _text(
        "constants put into a function's code by a decorator",
        f"def const(v):\n    def deco(f):\n        f.__code__ = f.{_CONSTS.replace('5', 'v')}\n        return f\n    return deco\n@const(7)\n{_PATCH}def a() -> A: return helper()",
        "const(7) => const(6)",
    ),
    _text(
        "a function made of changed code",
        f"import types\n{_PATCH}other = types.FunctionType(helper.{_CONSTS}, globals())\ndef a() -> A: return other()",
        "5)) => 6))",
    ),
    _text(
        "a docstring beside a function whose code is replaced",
        _PATCH
        + f"def g(x): return [y for y in (1, x)]\nhelper.__code__ = helper.{_CONSTS}\ndef a() -> A: return len(g(2)) + helper()",
        "def g(x): => def g(x):\\n    'Two.'\\n   ",
        "",
    ),
    _text(
        "what `__new__` sets in the members of an enum",
        "import enum\nclass E(bytes, enum.Enum):\n    def __new__(cls, v, label):\n        made = bytes.__new__(cls, [v])\n        made._value_, made.label = v, label\n        return made\n    X = (1, 'x')\ndef a() -> A: return E.X.label",
        "'x' => 'z'",
    ),
    _text(
        "a class attribute by the name that namedtuples use",
        "class N:\n    _fields = ('x', 'y')\n    def go(self): return self._fields\ndef a() -> A: return N().go()",
        "('x', 'y') => ('y', 'x')",
    ),
    _text(
        "a docstring that a method asks for",
        "class N:\n    'one'\n    def usage(self): return self.__doc__\ndef a() -> A: return N().usage()",
        "'one' => 'two'",
    ),
]
