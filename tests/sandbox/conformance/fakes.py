"""Attacks on grading: programs that do not solve their task and want to pass. The bare grader is the usual one (`BARE`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

EXIT_STATUS = """
TESTS = [((1, 2), 3), ((3, 4), 7), ((10, 5), 15)]
for arguments, want in TESTS:
    assert add(*arguments) == want, arguments
"""
SUCCESS_LINE = EXIT_STATUS + "print('PASSED')\n"
# The function gets a list, and the expected value is computed from that list after the call.
REFERENCE = "given = [3, 1, 2]\nassert ordered(given) == sorted(given)\n"
UNPICKLED = """
import pickle, subprocess, sys
sent = subprocess.run([sys.executable, '-c', open(__file__).read().split('# ---')[0]
    + '\\nimport pickle, sys; sys.stdout.buffer.write(pickle.dumps(add(1, 2)))'], capture_output=True).stdout
assert pickle.loads(sent) == 3
"""
NUMBERS = ([[1, 2], [3, 4], [10, 5]], [3, 7, 15])


@dataclass(frozen=True)
class Fake:
    """A function that does not compute what it should.

    Attributes:
        name: a short claim of what it does.
        source: the program; `@LOOT@/new` is the file that a gadget creates on the host.
        bare: the usual way to test it: text that follows the program. It passes with exit status 0, or, where it prints one,
            by the line PASSED.
        entry_point, inputs, expected: the same task for `judge`.
    """

    name: str
    source: str
    bare: str = EXIT_STATUS
    entry_point: str = "add"
    inputs: Sequence[Sequence[Any]] = tuple(NUMBERS[0])
    expected: Sequence[Any] = tuple(NUMBERS[1])


@dataclass(frozen=True)
class FakeProgram:
    """A whole program whose tests fail, or never run.

    Attributes:
        program, tests: one text after the other; exit status 0 passes where nobody looks closer.
    """

    name: str
    language: str
    program: str
    tests: str


FUNCTIONS = (
    Fake("exits-at-once", "import sys; sys.exit(0)"),
    Fake("exits-hard-when-called", "import os\ndef add(a, b): os._exit(0)"),
    Fake("becomes-another-program", "import os\ndef add(a, b): os.execv('/bin/true', ['true'])"),
    Fake("exits-hard-at-exit", "import atexit, os\natexit.register(os._exit, 0)\ndef add(a, b): return 0"),
    Fake("swallows-the-failure", "import os, sys\nsys.excepthook = lambda *_: os._exit(0)\ndef add(a, b): return 0"),
    Fake("exits-in-a-thread", "import os, threading\nt = threading.Thread(target=os._exit, args=(0,))\ndef add(a, b): t.start(); t.join(9)"),
    Fake("prints-the-success-line", "import os\nprint('PASSED', flush=True)\nos._exit(0)", SUCCESS_LINE),
    Fake("prints-the-success-line-and-fails", "print('PASSED')\ndef add(a, b): return 0", SUCCESS_LINE),
    Fake("equals-everything", "class Any:\n  def __eq__(self, other): return True\ndef add(a, b): return Any()"),
    Fake("is-a-number-that-equals-everything", "class Any(int):\n  def __eq__(self, other): return True\ndef add(a, b): return Any(0)"),
    Fake("reads-the-tests-in-its-file", """
import ast
def add(a, b):
    text = open(__file__).read()
    tests = ast.literal_eval(text[text.rindex('TESTS = ') + 8:].split('\\n')[0])
    return dict(tests)[a, b]
"""),
    Fake("reads-the-tests-in-the-frame-above", "import sys\ndef add(a, b): return sys._getframe(1).f_locals['want']"),
    Fake("changes-the-tests-in-the-module", """
import sys
def add(a, b):
    sys.modules['__main__'].TESTS.clear()
    sys._getframe(1).f_globals['want'] = 0
    return 0
"""),
    Fake("raises-a-successful-exit", "def add(a, b): raise SystemExit(0)"),
    Fake("empties-what-it-was-given", "def ordered(values):\n    values.clear()\n    return []", REFERENCE, "ordered",
        ([[3, 1, 2]],), ([1, 2, 3],)),
    Fake("answers-with-a-pickle-that-runs", """
class Gadget:
    def __reduce__(self): return (eval, ("open('@LOOT@/new', 'w').write('x') and 3",))
def add(a, b): return Gadget()
# ---
""", UNPICKLED),
)  # fmt: skip
ASSERTS_PY = "assert add(1, 2) == 3\n"
MAIN_C = "#include <assert.h>\nint main(void) { assert(add(1, 2) == 3); return 0; }\n"
PROGRAMS = (
    FakeProgram("exits-before-its-tests", "python", "import sys\nsys.exit(0)\n", ASSERTS_PY),
    FakeProgram("exits-hard-in-a-call", "python", "import os\ndef add(a, b): os._exit(0)\n", ASSERTS_PY),
    FakeProgram("exits-in-a-constructor", "c",
        "#include <unistd.h>\nint add(int a, int b) { return 0; }\n__attribute__((constructor)) void first(void) { _exit(0); }\n", MAIN_C),
    FakeProgram("exits-when-called-in-c", "c", "#include <stdlib.h>\nint add(int a, int b) { exit(0); }\n", MAIN_C),
    FakeProgram("takes-asserts-away-in-c", "c", "#include <signal.h>\n#include <unistd.h>\n"
        "void calm(int n) { _exit(0); }\nint add(int a, int b) { signal(SIGABRT, calm); return 0; }\n", MAIN_C),
    FakeProgram("exits-in-javascript", "javascript", "function add(a, b) { process.exit(0) }\n",
        "require('assert').strictEqual(add(1, 2), 3)\n"),
    FakeProgram("swallows-the-failure-in-javascript", "javascript",
        "process.on('uncaughtException', () => process.exit(0))\nfunction add(a, b) { return 0 }\n",
        "require('assert').strictEqual(add(1, 2), 3)\n"),
    FakeProgram("exits-in-shell", "shell", "add() { exit 0; }\n", 'add 1 2\n[ "$REPLY" = 3 ] || exit 1\n'),
    FakeProgram("traps-the-exit-in-shell", "shell", "trap 'exit 0' EXIT\nadd() { REPLY=0; }\n",
        'add 1 2\n[ "$REPLY" = 3 ] || exit 1\n'),
)  # fmt: skip
