"""Functions, however they are called and wherever they stand."""

from tests.code.catalogue.row import Row

ROWS = [
    Row("the stage's own body", "def a() -> A: return 1\ndef b() -> B: return 5", "return 1 => return 2", "a"),
    Row(
        "a helper in the same module",
        """
        def helper(): return 1
        def a() -> A: return helper()
        def b() -> B: return 5
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a helper of a helper",
        """
        def deep(): return 1
        def helper(): return deep()
        def a() -> A: return helper()
        def b() -> B: return 5
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a helper that two of three stages call",
        """
        def helper(): return 1
        def a() -> A: return helper()
        def b() -> B: return helper() + 1
        def c() -> C: return 7
        """,
        "return 1 => return 2",
        "a b",
    ),
    Row(
        "a helper defined after the stage",
        """
        def a() -> A: return helper()
        def b() -> B: return 5
        def helper(): return 1
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "one stage calls another's function",
        """
        def a() -> A: return 1
        def b() -> B: return a() + 1
        """,
        "return 1 => return 2",
        "a b",
    ),
    Row(
        "recursion",
        """
        def down(n): return 1 if n == 0 else down(n - 1)
        def a() -> A: return down(3)
        def b() -> B: return 5
        """,
        "return 1 if => return 2 if",
        "a",
    ),
    Row(
        "mutual recursion",
        """
        def even(n): return 1 if n == 0 else odd(n - 1)
        def odd(n): return 0 if n == 0 else even(n - 1)
        def a() -> A: return even(3)
        def b() -> B: return 5
        """,
        "return 0 if => return 7 if",
        "a",
    ),
    Row(
        "a name bound to another function that is reached anyway",
        """
        def one(): return 1
        def two(): return 2
        first = one
        def a() -> A: return first() * 10 + one() + two() * 3
        def b() -> B: return 5
        """,
        "first = one => first = two",
        "a",
    ),
    Row(
        "two helpers exchange their bodies",
        """
        def one(): return 1
        def two(): return 2
        def a() -> A: return one() * 10 + two()
        def b() -> B: return 5
        """,
        "one(): return 1 => one(): return 2 ;; two(): return 2 => two(): return 1",
        "a",
    ),
    Row(
        "a helper is defined again further down",
        """
        def helper(): return 1
        def a() -> A: return helper()
        def b() -> B: return 5
        """,
        "def b() -> B: => def helper(): return 2\\ndef b() -> B:",
        "a",
    ),
    Row(
        "a helper shadows a builtin",
        """
        def a() -> A: return len([1, 2])
        def b() -> B: return 5
        """,
        "def b() => def len(x): return 9\\ndef b()",
        "a",
    ),
    Row(
        "default argument",
        """
        def helper(x=1): return x
        def a() -> A: return helper()
        def b() -> B: return helper(3)
        """,
        "x=1 => x=2",
        "a b",
        same_result=True,
    ),
    Row(
        "default argument from a constant",
        """
        K = 1
        def helper(x=K): return x
        def a() -> A: return helper()
        def b() -> B: return 5
        """,
        "K = 1 => K = 2",
        "a",
    ),
    Row(
        "default argument computed by a function",
        """
        def make(): return [1]
        def helper(x=make()): return x[0]
        def a() -> A: return helper()
        def b() -> B: return 5
        """,
        "return [1] => return [2]",
        "a",
    ),
    Row(
        "default argument that is a function",
        """
        def key(x): return x + 1
        def helper(x, key=key): return key(x)
        def a() -> A: return helper(1)
        def b() -> B: return 5
        """,
        "return x + 1 => return x + 2",
        "a",
    ),
    Row(
        "keyword-only default",
        """
        def helper(*, x=1): return x
        def a() -> A: return helper()
        def b() -> B: return 5
        """,
        "x=1 => x=2",
        "a",
    ),
    Row(
        "a nested function",
        """
        def a() -> A:
            def inner(): return 1
            return inner()
        def b() -> B: return 5
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a nested function calls a global one",
        """
        def helper(): return 1
        def a() -> A:
            def inner(): return helper()
            return inner()
        def b() -> B: return 5
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a comprehension calls a helper",
        """
        def helper(x): return x + 1
        def a() -> A: return sum([helper(x) for x in range(3)])
        def b() -> B: return 5
        """,
        "x + 1 => x + 2",
        "a",
    ),
    Row(
        "the condition of a comprehension",
        """
        def odd(x): return x % 2
        def a() -> A: return len({x for x in range(9) if odd(x)})
        def b() -> B: return 5
        """,
        "x % 2 => x % 3",
        "a",
    ),
    Row(
        "a comprehension variable does not hide a global of the same name elsewhere",
        """
        x = 3
        def a() -> A: return sum([x for x in range(3)]) + x
        def b() -> B: return 5
        """,
        "x = 3 => x = 4",
        "a",
    ),
    Row(
        "a generator",
        """
        def numbers():
            yield 1
        def a() -> A: return sum(numbers())
        def b() -> B: return 5
        """,
        "yield 1 => yield 2",
        "a",
    ),
    Row(
        "async functions",
        """
        import asyncio
        async def fetch(): return 1
        async def main(): return await fetch()
        def a() -> A: return asyncio.run(main())
        def b() -> B: return 5
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "an async comprehension and context manager",
        """
        import asyncio
        class Door:
            async def __aenter__(self): return 1
            async def __aexit__(self, *_): return None
        async def numbers():
            yield 1
        async def main():
            async with Door() as door:
                return door + sum([x async for x in numbers()])
        def a() -> A: return asyncio.run(main())
        def b() -> B: return 5
        """,
        "yield 1 => yield 2",
        "a",
    ),
    Row(
        "a lambda at module level",
        "helper = lambda: 1\ndef a() -> A: return helper()\ndef b() -> B: return 5",
        "lambda: 1 => lambda: 2",
        "a",
    ),
    Row(
        "one of two lambdas on a line",
        "one, two = lambda: 1, lambda: 2\ndef a() -> A: return one()\ndef b() -> B: return two()",
        "lambda: 1 => lambda: 7",
        "a",
    ),
    Row(
        "the other of two lambdas on a line",
        "one, two = lambda: 1, lambda: 2\ndef a() -> A: return one()\ndef b() -> B: return two()",
        "lambda: 2 => lambda: 7",
        "b",
    ),
    Row(
        "a lambda as an argument",
        "def a() -> A: return max([1, 2], key=lambda x: -x)\ndef b() -> B: return 5",
        "x: -x => x: x",
        "a",
    ),
    Row(
        "a lambda that calls a helper, as a default",
        """
        def helper(): return 1
        def run(f=lambda: helper()): return f()
        def a() -> A: return run()
        def b() -> B: return 5
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a callback handed as an argument",
        """
        def helper(x): return x + 1
        def a() -> A: return sum(map(helper, [1, 2]))
        def b() -> B: return 5
        """,
        "x + 1 => x + 2",
        "a",
    ),
    Row(
        "a callback handed through another function",
        """
        def apply(f, x): return f(x)
        def helper(x): return x + 1
        def a() -> A: return apply(helper, 1)
        def b() -> B: return apply(int, 5)
        """,
        "x + 1 => x + 2",
        "a",
    ),
    Row(
        "a closure's captured number",
        """
        def scale(by):
            def inner(x): return x * by
            return inner
        twice = scale(2)
        thrice = scale(3)
        def a() -> A: return twice(1)
        def b() -> B: return thrice(1)
        """,
        "scale(2) => scale(4)",
        "a",
    ),
    Row(
        "a closure's captured function",
        """
        def one(): return 1
        def wrap(f):
            def inner(): return f()
            return inner
        run = wrap(one)
        def a() -> A: return run()
        def b() -> B: return 5
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "the body of a factory's inner function",
        """
        def scale(by):
            def inner(x): return x * by
            return inner
        twice = scale(2)
        def a() -> A: return twice(1)
        def b() -> B: return 5
        """,
        "x * by => x * by + 1",
        "a",
    ),
    Row(
        "a class made by a factory",
        """
        def make(by):
            class Scale:
                def apply(self, x): return x * by
            return Scale
        Twice = make(2)
        def a() -> A: return Twice().apply(1)
        def b() -> B: return 5
        """,
        "x * by => x * by + 1",
        "a",
    ),
    Row(
        "what a factory's class captures",
        """
        def make(by):
            class Scale:
                def apply(self, x): return x * by
            return Scale
        Twice = make(2)
        def a() -> A: return Twice().apply(1)
        def b() -> B: return 5
        """,
        "make(2) => make(3)",
        "a",
    ),
    Row(
        "a global that a helper sets",
        """
        STATE = 1
        def bump():
            global STATE
            STATE = STATE + 1
        def a() -> A:
            bump()
            return STATE
        def b() -> B: return 5
        """,
        "STATE + 1 => STATE + 2",
        "a",
    ),
    Row(
        "an attribute of a function",
        """
        def helper(): return helper.rate
        helper.rate = 1
        def a() -> A: return helper()
        def b() -> B: return 5
        """,
        "rate = 1 => rate = 2",
        "a",
    ),
    Row(
        "defaults set after the definition",
        """
        def helper(x=1): return x
        helper.__defaults__ = (2,)
        def a() -> A: return helper()
        def b() -> B: return 5
        """,
        "(2,) => (3,)",
        "a",
    ),
    Row(
        "a match statement",
        """
        def helper(x):
            match x:
                case {"k": value}: return value
                case [first, *_]: return first
                case _: return 0
        def a() -> A: return helper([1])
        def b() -> B: return 5
        """,
        "return first => return first + 1",
        "a",
    ),
    Row(
        "a walrus in a comprehension",
        """
        def helper(x): return x + 1
        def a() -> A: return [y := helper(1), y + 1][1]
        def b() -> B: return 5
        """,
        "x + 1 => x + 2",
        "a",
    ),
    Row(
        "a conversion or format in an f-string",
        'def a() -> A: return len(f"{1!r:>3}")\ndef b() -> B: return 5',
        ":>3 => :>4",
        "a",
    ),
    Row(
        "an expression in an f-string",
        """
        def helper(): return "x"
        def a() -> A: return len(f"{helper()} and more")
        def b() -> B: return 5
        """,
        '"x" => "xy"',
        "a",
    ),
    Row(
        "an exception handler",
        """
        class Bad(Exception): pass
        def helper(): raise Bad
        def a() -> A:
            try: helper()
            except Bad: return 1
        def b() -> B: return 5
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "a try in a helper that raises another error",
        """
        def helper(): raise KeyError
        def a() -> A:
            try: return helper()
            except KeyError: return 1
            except ValueError: return 2
        def b() -> B: return 5
        """,
        "raise KeyError => raise ValueError",
        "a",
    ),
    Row(
        "a helper found through globals()",
        """
        def helper(): return 1
        def a() -> A: return globals()["helper"]()
        def b() -> B: return 5
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "code declared with pivot.depends_on",
        """
        def secret(): return 1
        @pivot.depends_on(secret)
        def a() -> A: return eval("sec" + "ret")()
        def b() -> B: return 5
        """,
        "return 1 => return 2",
        "a",
    ),
    Row(
        "operators of the language: another comparison",
        "def a() -> A: return int(1 < 1)\ndef b() -> B: return 5",
        "1 < 1 => 1 <= 1",
        "a",
    ),
    Row(
        "a keyword instead of a position",
        """
        def helper(x=0, y=0): return x - y
        def a() -> A: return helper(x=1)
        def b() -> B: return 5
        """,
        "helper(x=1) => helper(y=1)",
        "a",
    ),
]
