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
STYLES = {
    "fixture": """#include <gtest/gtest.h>
#include "clamp.h"
class ClampTest : public ::testing::Test {
 protected:
  void SetUp() override { high = 7; }
  int high;
};
TEST_F(ClampTest, High) {
  EXPECT_EQ(clampTo(9, 0, high), 7) << "high";
  ASSERT_GE(clampTo(-1), 0);
  EXPECT_EQ(clampTo(-1), 0);
}
int main(int argc, char **argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
""",
    "catch sections": """#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
TEST_CASE("clamp works", "[clamp]") {
  int high = 10;
  SECTION("high") { REQUIRE(clampTo(11, 0, high) == 10); }
  SECTION("low") { CHECK(clampTo(-2) == 0); CHECK_FALSE(clampTo(4) == 5); }
  REQUIRE_THROWS_AS(clampTo(1, 3, 2), std::invalid_argument);
}
""",
    "doctest": """#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "doctest.h"
TEST_CASE("clamp") {
  CHECK(clampTo(11) == 10);
  CHECK_EQ(clampTo(-2), 0);
  CHECK_THROWS_AS(clampTo(1,3,2), std::invalid_argument);
  SUBCASE("vec") { CHECK(twice({1}).size() == 1); CHECK(twice({1})[0] == 2);}
}
""",
    "own macro": """#include <iostream>
#include <string>
#include "solution.h"
#define TEST_ASSERT(cond) do { if (!(cond)) { std::cerr << "fail " #cond << std::endl; return 1; } } while (0)
int main() {
  TEST_ASSERT(clampTo(11) == 10);
  TEST_ASSERT(clampTo(-1) == 0);
  return 0;
}
""",
    "counts failures": """#include <iostream>
int failures = 0;
void check(bool ok, const std::string& name) { if (!ok) { std::cout << "FAIL " << name << "\\n"; failures++; } }
int main() {
  check(clampTo(11) == 10, "high");
  check(clampTo(-1) == 0, "low");
  std::cout << failures << " failed\\n";
  return failures == 0 ? 0 : 1;
}
""",
    "if return 1": """#include <iostream>
int main() {
  if (clampTo(11) != 10) { std::cout << "bad"; return 1; }
  if (clampTo(-1) != 0) return 1;
  return 0;
}
""",
    "params": """#include <gtest/gtest.h>
struct P { int x, want; };
TEST(Clamp, Table) {
  std::vector<P> cases = {{11, 10}, {-1, 0}, {4, 4}};
  for (const auto& c : cases) {
    EXPECT_EQ(clampTo(c.x), c.want) << "for " << c.x;
  }
}
""",
    "static_cast lambda": """#include <cassert>
#include <vector>
using namespace std;
int main() {
  auto run = [](int x) { return clampTo(x); };
  vector<int> in = {11, -1}; vector<int> want = {10, 0};
  for (size_t i = 0; i < in.size(); i++) assert(run(in[i]) == want[i]);
  return 0;
}
""",
}
CASES = [
    *(Case(name, "cpp", CLAMP, tests, "passed", "right") for name, tests in STYLES.items()),
    *(Case(name, "cpp", CLAMP, tests, "passed", "right") for name, tests in RIGHT.items()),
    *(Case(name, "cpp", CLAMP, tests, "tests_vacuous", "vacuous") for name, tests in VACUOUS.items()),
    *(Case(name, "cpp", program, TESTED, "tests_failed", "hostile") for name, program in HOSTILE.items()),
    Case("off by one", "cpp", CLAMP.replace("x > high", "x >= high + 2"), PLAIN, "tests_failed", "wrong"),
    Case("syntax", "cpp", "int clampTo(int x) {\n", PLAIN, "tests_failed", "wrong"),
    Case("third party", "cpp", "#include <boost/algorithm/clamp.hpp>\n" + CLAMP, TESTED, "not_verifiable", "elsewhere"),
]
