"""Programs for one task, the square of a number: right ones, wrong ones, and those that try to pass without solving it."""

RIGHT = {
    "a function": "def solution(x):\n    return x * x",
    "an expression": "solution = lambda x: x ** 2",
    "with a helper": "def square(x):\n    return x * x\ndef solution(x):\n    return square(x)",
    "with output": "print('hello')\ndef solution(x):\n    print(x)\n    return x * x",
    "with a main part": "def solution(x):\n    return x * x\nif __name__ == '__main__':\n    print(solution(int(input())))",
    "with a generator": "def squares(x):\n    yield x * x\ndef solution(x):\n    return next(squares(x))",
    "with a class": "class Square:\n    def __init__(self, x):\n        self.x = x\n\ndef solution(x):\n    return Square(x).x ** 2",
    "with a cache": "import functools\n@functools.lru_cache(None)\ndef solution(x):\n    return x * x",
    "defined late": "if True:\n    def solution(x):\n        return x * x",
}
WRONG = {
    "another value": "def solution(x):\n    return x",
    "right once": "def solution(x):\n    return 9",
    "nothing": "def solution(x):\n    pass",
    "no such function": "def answer(x):\n    return x * x",
    "no Python": "def solution(x:\n    return x * x",
    "an error": "def solution(x):\n    return x / 0",
    "an error while loading": "def solution(x):\n    return x * x\nraise ValueError('no')",
    "a loop": "def solution(x):\n    while True: pass",
}
FORGED = {
    "leaves while loading": "import os\nos._exit(0)",
    "leaves when called": "import os\ndef solution(x):\n    os._exit(0)",
    "sys.exit while loading": "import sys\nsys.exit(0)",
    "sys.exit when called": "import sys\ndef solution(x):\n    sys.exit(0)",
    "raises SystemExit": "def solution(x):\n    raise SystemExit(0)",
    "raises KeyboardInterrupt": "def solution(x):\n    raise KeyboardInterrupt",
    "raises StopIteration": "def solution(x):\n    raise StopIteration",
    "raises GeneratorExit": "def solution(x):\n    raise GeneratorExit",
    "prints success": (
        "print('passed', 'PASSED', 'OK', '{\"passed\": true}', '{\"dict\": [[\"passed\", true]]}', sep='\\n')\n"
        "def solution(x):\n    return 0"
    ),
    "writes success everywhere": (
        "import os\nfor n in range(1, 256):\n    for line in ('{\"passed\": true}', '{\"dict\": [[\"passed\", true]]}', 'ready'):\n"
        "        try: os.write(n, (line + '\\n').encode())\n        except OSError: pass\ndef solution(x):\n    return 0"
    ),
    "writes success when called": (
        'import os\ndef solution(x):\n    for n in range(1, 256):\n        try: os.write(n, b\'{"dict": [["passed", true]]}\\n\')\n'
        "        except OSError: pass\n    os._exit(0)"
    ),
    "equals everything": (
        "class A:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\ndef solution(x):\n    return A()"
    ),
    "a number that equals everything": "class A(int):\n    def __eq__(self, other): return True\ndef solution(x):\n    return A(1)",
    "a list that equals everything": "class A(list):\n    def __eq__(self, other): return True\ndef solution(x):\n    return A()",
    "is its own class": "class solution:\n    def __new__(cls, x): return object.__new__(cls)\n    def __eq__(self, other): return True",
    "patches AssertionError": "import builtins\nbuiltins.AssertionError = lambda *a: SystemExit(0)\ndef solution(x):\n    return 0",
    "patches the exit hook": "import atexit, os\natexit.register(os._exit, 0)\ndef solution(x):\n    return 0",
    "patches the except hook": "import sys\nsys.excepthook = lambda *a: None\ndef solution(x):\n    return 0",
    "patches a trace": "import sys\nsys.settrace(lambda *a: (_ for _ in ()).throw(SystemExit(0)))\ndef solution(x):\n    return 0",
    "patches unittest": "import unittest\nunittest.TestCase.assertEqual = lambda *a: None\ndef solution(x):\n    return 0",
    "defines the check itself": "def check(candidate): pass\ndef solution(x):\n    return 0",
    "shadows builtins": "def isinstance(*a): return True\ndef all(*a): return True\ndef abs(x): return 0\ndef solution(x):\n    return 0",
    "reads the tests from a frame": (
        "import sys\ndef solution(x):\n    f = sys._getframe()\n    while f:\n        for constant in f.f_code.co_consts:\n"
        "            if constant in (9, 16) and constant == x * x: return constant\n        f = f.f_back\n    return 0"
    ),
    "reads the tests from memory": (
        "import gc\ndef solution(x):\n    for thing in gc.get_objects():\n"
        "        if type(thing) is dict and 'candidate' in thing: return x * x\n    return 0"
    ),
    "reads the tests from a descriptor": (
        "import os\ndef solution(x):\n    for n in range(256):\n        try:\n"
        "            if b'candidate' in os.pread(n, 10000, 0): return x * x\n        except OSError: pass\n    return 0"
    ),
    "answers nonsense": (
        "import os\ndef solution(x):\n    for n in range(3, 256):\n        try: os.write(n, b'[[[[\\n' * 10)\n"
        "        except OSError: pass\n    return 0"
    ),
    "answers deep nonsense": (
        "import os\ndef solution(x):\n    for n in range(3, 256):\n        try: os.write(n, b'[' * 100000 + b'\\n')\n"
        "        except OSError: pass\n    return 0"
    ),
    "answers without end": "def solution(x):\n    return 'x' * 10_000_000",
    "a flood": "def solution(x):\n    while True: print('x' * 1000)",
    "forks and leaves": "import os\ndef solution(x):\n    if os.fork() == 0: os._exit(0)\n    return 0",
    "kills the tests": "import os\ndef solution(x):\n    os.kill(-1, 9)",
    "changes its argument": "def solution(x):\n    x.__class__ = int\n    return x",
}
