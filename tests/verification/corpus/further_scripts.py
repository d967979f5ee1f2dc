"""Further kinds: scripts whose asserts stand on what earlier ones changed, caught assertions, examples, programs that look at frames."""

from __future__ import annotations

from tests.verification.corpus.cases import Case

# Language → a program whose calls count, and a script that counts on it.
COUNTING = {
    "python": (
        "_count = 0\n\n\ndef next_id():\n    global _count\n    _count += 1\n    return _count\n",
        "from solution import next_id\n\nassert next_id() == 1\nassert next_id() == 2\n",
    ),
    "cpp": (
        "int next_id() {\n  static int count = 0;\n  return ++count;\n}\n",
        "#include <cassert>\nint main() {\n  assert(next_id() == 1);\n  assert(next_id() == 2);\n  return 0;\n}\n",
    ),
    "rust": (
        "use std::sync::atomic::{AtomicUsize, Ordering};\n\nstatic COUNT: AtomicUsize = AtomicUsize::new(0);\n\npub fn next_id() -> usize {\n    COUNT.fetch_add(1, Ordering::SeqCst) + 1\n}\n",
        "fn main() {\n    assert_eq!(next_id(), 1);\n    assert_eq!(next_id(), 2);\n}\n",
    ),
    "java": (
        "class Ids {\n  private static int count = 0;\n  static int next() { count += 1; return count; }\n}\n",
        "public class Alone {\n  public static void main(String[] args) {\n    assert Ids.next() == 1;\n    assert Ids.next() == 2;\n  }\n}\n",
    ),
    "csharp": (
        "public static class Ids {\n  static int count = 0;\n  public static int Next() { count += 1; return count; }\n}\n",
        'class Alone {\n  static void Main() {\n    if (Ids.Next() != 1) throw new Exception("first");\n    if (Ids.Next() != 2) throw new Exception("second");\n  }\n}\n',
    ),
}
WRONGLY = {
    "python": ("_count += 1", "_count = 1"), "cpp": ("++count", "count + 1"), "rust": ("fetch_add(1, Ordering::SeqCst) + 1", "load(Ordering::SeqCst) + 1"), "java": ("count += 1", "count = 1"), "csharp": ("count += 1", "count = 1"),
}  # fmt: skip
REGISTRY = "class Registry:\n    names = []\n\n    @classmethod\n    def add(cls, name):\n        cls.names.append(name)\n        return len(cls.names)\n\n    @classmethod\n    def clear(cls):\n        cls.names.clear()\n"
CLAMP = '#include <stdexcept>\nint clampTo(int x, int low = 0, int high = 10) {\n  if (low > high) throw std::invalid_argument("low > high");\n  if (x < low) return low;\n  if (x > high) return high;\n  return x;\n}\n'
NO_ERROR = CLAMP.replace('  if (low > high) throw std::invalid_argument("low > high");\n', "")
CAUGHT = "#include <cassert>\nint main() {\n  assert(clampTo(11) == 10);\n  assert(clampTo(-1) == 0);\n  assert(clampTo(4) == 4);\n  try {\n    clampTo(1, 3, 2);\n    assert(false);\n  } catch (...) {\n  }\n}\n"
GOOGLE = '#include <gtest/gtest.h>\nTEST(Clamp, Bounds) {\n  EXPECT_EQ(clampTo(11), 10);\n  EXPECT_EQ(clampTo(-1), 0);\n  EXPECT_EQ(clampTo(4), 4);\n  try {\n    clampTo(1, 3, 2);\n    FAIL() << "no error";\n  } catch (...) {\n  }\n}\n'
NUMBERS = 'public static class Numbers {\n  public static int Clamp(int x, int low = 0, int high = 10) {\n    if (low > high) throw new System.ArgumentException("low > high");\n    if (x < low) return low;\n    if (x > high) return high;\n    return x;\n  }\n}\n'
NUNIT = 'using NUnit.Framework;\n[TestFixture]\npublic class NumbersTests {\n  [Test]\n  public void Bounds() {\n    Assert.AreEqual(10, Numbers.Clamp(11));\n    Assert.AreEqual(0, Numbers.Clamp(-3));\n    Assert.AreEqual(4, Numbers.Clamp(4));\n    try { Numbers.Clamp(1, 3, 2); Assert.Fail("no error"); } catch (System.Exception) { }\n  }\n}\n'
NAMES = "import sys\n\n\ndef name():\n    return sys._getframe().f_code.co_name\n\n\ndef shout(x):\n    return name() + '!' if x > 3 else name()\n"
ALIVE = "import gc\n\n\nclass Item:\n    pass\n\n\ndef alive(n):\n    kept = [Item() for _ in range(n)]\n    return sum(isinstance(one, Item) for one in gc.get_objects())\n"
STACK = "class Stack:\n    def __init__(self):\n        self.items = []\n\n    def push(self, item):\n        self.items.append(item)\n\n    def pop(self):\n        if not self.items:\n            raise IndexError('empty')\n        return self.items.pop()\n"
EXAMPLES = "Examples:\n\n    >>> s = Stack()\n    >>> s.push(1)\n    >>> s.push(2)\n    >>> print(s.items)\n    [1, 2]\n    >>> s.pop()\n    2\n    >>> s.pop()\n    1\n    >>> s.pop()\n    Traceback (most recent call last):\n      ...\n    IndexError: empty\n"
CASES = [
    *(Case("a script that counts", language, *pair, "passed", "right", language == "python") for language, pair in COUNTING.items()),
    *(Case("a script that counts, wrongly", language, program.replace(*WRONGLY[language]), tests, "tests_failed", "wrong", language == "python") for language, (program, tests) in COUNTING.items()),
    Case("a script on what a class keeps", "python", REGISTRY, "import solution\n\nassert solution.Registry.add('a') == 1\nassert solution.Registry.add('b') == 2\nsolution.Registry.clear()\nassert solution.Registry.names == []\n", "passed", "right", True),
    Case("an assert inside of a catch", "cpp", CLAMP, CAUGHT, "passed", "right", True),
    Case("an assert inside of a catch, no error", "cpp", NO_ERROR, CAUGHT, "tests_failed", "wrong", True),
    Case("a caught assertion", "cpp", CLAMP, "#include <cassert>\nint main() { try { assert(clampTo(3) == 9); } catch (...) {} }\n", "tests_failed", "wrong"),
    Case("GoogleTest's failure inside of a catch", "cpp", CLAMP, GOOGLE, "passed", "right"),
    Case("GoogleTest's failure inside of a catch, no error", "cpp", NO_ERROR, GOOGLE, "tests_failed", "wrong"),
    Case("NUnit's failure inside of a catch, no error", "csharp", NUMBERS.replace('    if (low > high) throw new System.ArgumentException("low > high");\n', ""), NUNIT, "tests_failed", "wrong"),
    Case("NUnit's text to be found is longer than the text", "csharp", NUMBERS, NUNIT.replace("try { Numbers.Clamp(1, 3, 2); Assert.Fail(\"no error\"); } catch (System.Exception) { }", 'StringAssert.Contains("10!", "" + Numbers.Clamp(11));'), "tests_failed", "wrong"),
    Case("a caught assertion of NUnit", "csharp", NUMBERS, NUNIT.replace("{ Numbers.Clamp(1, 3, 2);", "{"), "tests_failed", "wrong"),
    Case("looks at its own frame", "python", NAMES, "from solution import name, shout\n\n\ndef test_name():\n    assert name() == 'name'\n\n\ndef test_shout():\n    assert shout(5) == 'name!'\n    assert shout(1) == 'name'\n", "passed", "right", True),
    Case("looks at its own frame beside its tests", "python", NAMES, "import pytest\nfrom solution import name\n\n\ndef test_name():\n    found = []\n    found.append(name())\n    assert found[0] == 'name'\n    with pytest.raises(TypeError):\n        name(1)\n", "not_verifiable", "right", True),
    Case("looks at all objects", "python", ALIVE, "from solution import alive\n\n\ndef test_some():\n    assert alive(3) == 3\n\n\ndef test_none():\n    assert alive(0) == 0\n", "passed", "right", True),
    Case("doctest's examples", "python", STACK, EXAMPLES, "passed", "right", True),
    Case("doctest's examples, the wrong end", "python", STACK.replace("items.pop()", "items.pop(0)"), EXAMPLES, "tests_failed", "wrong", True),
    Case("doctest's examples without outputs", "python", STACK, ">>> s = Stack()\n>>> s.push(1)\n", "tests_vacuous", "vacuous", True),
]  # fmt: skip
