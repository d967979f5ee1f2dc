from __future__ import annotations

from tests.verification.corpus.cases import Case

CLAMP = """#include <stdexcept>
#include <vector>
int clampTo(int x, int low = 0, int high = 10) {
  if (low > high) throw std::invalid_argument("low > high");
  if (x < low) return low;
  if (x > high) return high;
  return x;
}
std::vector<int> twice(const std::vector<int>& items) {
  std::vector<int> found;
  for (int item : items) found.push_back(2 * item);
  return found;
}
"""
PLAIN = """#include <cassert>
#include <iostream>
int main() {
  assert(clampTo(5) == 5);
  assert(clampTo(11) == 10 && clampTo(-1) == 0);
  bool thrown = false;
  try { clampTo(1, 3, 2); } catch (const std::invalid_argument&) { thrown = true; }
  assert(thrown);
  assert((twice({1, 2}) == std::vector<int>{2, 4}));
  std::cout << "ok\\n";
  return 0;
}
"""
RIGHT = {
    "plain asserts": PLAIN,
    "functions": "#include <cassert>\nvoid testHigh() { assert(clampTo(11) == 10); }\nvoid testLow() { assert(clampTo(-3) == 0); assert(twice({}).empty()); }\nint main() { testHigh(); testLow(); }\n",
    "GoogleTest": "#include <gtest/gtest.h>\nTEST(Clamp, High) { EXPECT_EQ(clampTo(11), 10); EXPECT_EQ(clampTo(-3), 0); }\nTEST(Clamp, Throws) { EXPECT_THROW(clampTo(1, 3, 2), std::invalid_argument); }\n",
}
VACUOUS = {
    "asserts nothing": "int main() { clampTo(3); }\n",
    "equal to itself": "#include <cassert>\nint main() { assert(clampTo(3) == clampTo(3)); }\n",
    "constants": "#include <cassert>\nint main() { int x = clampTo(3); (void)x; assert(1 + 1 == 2); }\n",
    "caught": "#include <cassert>\nint main() { try { assert(clampTo(3) == 9); } catch (...) {} }\n",
    "never called": "#include <cassert>\nvoid testIt() { assert(clampTo(3) == 9); }\nint main() { return 0; }\n",
    "never true": "#include <cassert>\nint main() { if (false) { assert(clampTo(3) == 9); } }\n",
}
TESTED = "#include <cassert>\nint main() { assert(clampTo(30) == 10); }\n"
HOSTILE = {
    "leaves": "#include <cstdlib>\nint clampTo(int x) { std::exit(0); }\n",
    "leaves before main": "#include <unistd.h>\nstruct Leaves { Leaves() { _exit(0); } };\nstatic Leaves leaves;\nint clampTo(int x) { return 0; }\n",
    "defines assert": "#undef assert\n#define assert(x) ((void)0)\nint clampTo(int x) { return 0; }\n",
    "crashes": "int clampTo(int x) { int* nowhere = nullptr; return *nowhere; }\n",
    "loops": 'int clampTo(int x) { for (;;) { asm volatile(""); } }\n',
}
CASES = [
    *(Case(name, "cpp", CLAMP, tests, "passed", "right", name == "plain asserts") for name, tests in RIGHT.items()),
    *(Case(name, "cpp", CLAMP, tests, "tests_vacuous", "vacuous") for name, tests in VACUOUS.items()),
    *(Case(name, "cpp", program, TESTED, "tests_failed", "hostile") for name, program in HOSTILE.items()),
    Case("off by one", "cpp", CLAMP.replace("x > high", "x >= high + 2"), PLAIN, "tests_failed", "wrong"),
    Case("syntax", "cpp", "int clampTo(int x) {\n", PLAIN, "tests_failed", "wrong"),
    Case("third party", "cpp", "#include <boost/algorithm/clamp.hpp>\n" + CLAMP, TESTED, "not_verifiable", "elsewhere"),
]
