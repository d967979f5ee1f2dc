"""GoogleTest, Catch2 and doctest: groups, fixtures, parameters, sections inside of sections, generators, and what is not read of them."""

from __future__ import annotations

from tests.verification.corpus.cases import Case, adder

CASES: list[Case] = []
add = adder(CASES, "cpp")

RING = """#include <stdexcept>
#include <string>
#include <vector>

template <typename T>
class Ring {
 public:
  explicit Ring(size_t capacity) : items_(capacity) {
    if (capacity == 0) throw std::invalid_argument("capacity must not be zero");
  }
  void push(const T& item) {
    items_[(start_ + size_) % items_.size()] = item;
    if (size_ < items_.size()) ++size_; else start_ = (start_ + 1) % items_.size();
  }
  T pop() {
    if (size_ == 0) throw std::out_of_range("empty ring");
    T item = items_[start_];
    start_ = (start_ + 1) % items_.size();
    --size_;
    return item;
  }
  size_t size() const { return size_; }
  bool full() const { return size_ == items_.size(); }
 private:
  std::vector<T> items_;
  size_t start_ = 0, size_ = 0;
};

inline bool is_prime(int n) {
  if (n < 2) return false;
  for (int d = 2; d * d <= n; ++d) if (n % d == 0) return false;
  return true;
}
inline std::string joined(const std::vector<std::string>& parts, const std::string& by = ",") {
  std::string all;
  for (size_t i = 0; i < parts.size(); ++i) { if (i) all += by; all += parts[i]; }
  return all;
}
"""
STUCK = RING.replace("else start_ = (start_ + 1) % items_.size();", "else start_ = start_;")
EMPTY_IS_DEFAULT = RING.replace('throw std::out_of_range("empty ring");', "return T();")
OTHER_TEXT = RING.replace('"empty ring"', '"no items"')
FOUR = RING.replace("d * d <= n", "d * d < n")
ONE = RING.replace("n < 2", "n < 1")
TRAILING = RING.replace("return all;", "return parts.empty() ? all : all + by;")

SUITE = """#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

TEST_SUITE("ring {of numbers}") {
  static Ring<int> two() { Ring<int> ring(2); ring.push(1); return ring; }

  TEST_CASE("overwrites (the oldest)") {
    Ring<int> ring = two();
    SUBCASE("one") { CHECK_EQ(ring.size(), 1); REQUIRE_FALSE(ring.full()); }
    SUBCASE("three") {
      ring.push(2); ring.push(3);  // full: }
      SUBCASE("the oldest went") { REQUIRE_MESSAGE(ring.pop() == 2, "not ", 2); CHECK_MESSAGE(ring.pop() == 3, "the last"); }
      SUBCASE("two are left") { CHECK(ring.size() == 2); CHECK(ring.full()); ring.pop(); CHECK_THROWS_WITH((ring.pop(), ring.pop()), "empty ring"); }
    }
    CHECK_THROWS_AS(Ring<int>(0), const std::invalid_argument&);
  }
}
TEST_SUITE_BEGIN("others");
TEST_CASE("primes") {
  for (int n : {2, 3, 5}) { INFO("n = ", n); CAPTURE(n); CHECK_UNARY(is_prime(n)); CHECK_UNARY_FALSE(is_prime(n * n)); }
  CHECK_FALSE_MESSAGE(is_prime(1), "one");
}
struct Words { Ring<std::string> ring{1}; };
TEST_CASE_FIXTURE(Words, "words") {
  ring.push("a"); ring.push("{");
  CHECK(ring.pop() == "{");
  REQUIRE(std::vector<std::string>{"a", "b"} == std::vector<std::string>{"a", joined({"b"})});
}
TEST_SUITE_END();
"""
add("doctest: groups, fixture, subcases, messages", "right", RING, SUITE)
add("doctest: the oldest stays", "wrong", STUCK, SUITE)
add("doctest: another text is thrown", "wrong", OTHER_TEXT, SUITE)
add("doctest: nothing is thrown", "wrong", EMPTY_IS_DEFAULT, SUITE)
add("doctest: CHECK_UNARY, squares are prime", "wrong", FOUR, SUITE)
add("doctest: CHECK_FALSE_MESSAGE, one is prime", "wrong", ONE, SUITE)
add("doctest: a comma after the last", "wrong", TRAILING, SUITE)

SCENARIOS = """#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#include "ring.h"

SCENARIO("rings overwrite the oldest", "[ring]") {
  GIVEN("a full ring") {
    Ring<int> ring(2);
    ring.push(1); ring.push(2);
    REQUIRE(ring.full());
    WHEN("one more is pushed") {
      ring.push(3);
      THEN("the first is gone") { REQUIRE(ring.pop() == 2); REQUIRE(ring.pop() == 3); }
      AND_THEN("it is still full") { REQUIRE(ring.size() == 2); }
    }
    WHEN("it is emptied") {
      ring.pop(); ring.pop();
      THEN("pop throws") {
        REQUIRE_THROWS_AS(ring.pop(), std::out_of_range);
        REQUIRE_THROWS_WITH(ring.pop(), "empty ring");
      }
    }
  }
}
class Fixture { protected: Ring<std::string> ring{1}; };
TEST_CASE_METHOD(Fixture, "strings", "[ring]") {
  SECTION("last") { ring.push("a"); ring.push("b"); CHECK(ring.pop() == "b"); }
  SECTION("none") { REQUIRE(ring.size() == 0); REQUIRE_THROWS(Ring<int>(0)); REQUIRE_NOTHROW(Ring<int>(1)); }
}
TEST_CASE("primes") {
  for (int n : {4, 9, 25}) { DYNAMIC_SECTION("square " << n) { CAPTURE(n); CHECK_FALSE(is_prime(n)); } }
  if (!is_prime(2)) { FAIL(); return; }
}
"""
add("Catch2: scenario, fixture, sections in sections", "right", RING, SCENARIOS)
add("Catch2: THEN, the oldest stays", "wrong", STUCK, SCENARIOS)
add("Catch2: REQUIRE_THROWS_WITH, another text", "wrong", OTHER_TEXT, SCENARIOS)
add("Catch2: THEN, nothing is thrown", "wrong", EMPTY_IS_DEFAULT, SCENARIOS)
add("Catch2: DYNAMIC_SECTION, 4 is prime", "wrong", FOUR, SCENARIOS)
add(
    "Catch2: sections without assertions",
    "vacuous",
    RING,
    "#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n"
    'SCENARIO("primes") { GIVEN("three") { WHEN("asked") { is_prime(3); THEN("it answers") { SUCCEED(); } } } }\n',
)

FIXTURES = """#include <gtest/gtest.h>
#include "ring.h"

class RingTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { shared = 3; }
  void SetUp() override { for (int i = 1; i <= shared; ++i) ring.push(i); }
  static int shared;
  Ring<int> ring{3};
};
int RingTest::shared = 0;

TEST_F(RingTest, Overwrites) {
  ASSERT_TRUE(ring.full());
  ring.push(4);
  EXPECT_EQ(ring.pop(), 2) << "not } 2";
}
// TEST(RingTest, Old) { EXPECT_TRUE(false); }
TEST(Primes, Few) {
  if (!is_prime(2)) return;
  EXPECT_FALSE(is_prime(1));
}
"""
add("GoogleTest: set-up of the suite", "right", RING, FIXTURES)
add("GoogleTest: set-up of the suite, the oldest stays", "wrong", STUCK, FIXTURES)
add("GoogleTest: one is prime", "wrong", ONE, FIXTURES)

PARAMETERS = """#include <gtest/gtest.h>
#include <tuple>
#include "ring.h"

class PrimeTest : public ::testing::TestWithParam<std::tuple<int, bool>> {};
TEST_P(PrimeTest, Tells) {
  auto [n, expected] = GetParam();
  EXPECT_EQ(is_prime(n), expected) << "n = " << n;
}
INSTANTIATE_TEST_SUITE_P(Numbers, PrimeTest, ::testing::Values(std::make_tuple(1, false), std::make_tuple(2, true), std::make_tuple(13, true)));

class EvenTest : public testing::TestWithParam<int> {};
TEST_P(EvenTest, IsNoPrime) {
  if (GetParam() == 2) GTEST_SKIP() << "the only one";
  ASSERT_FALSE(is_prime(GetParam()));
}
INSTANTIATE_TEST_SUITE_P(More, EvenTest, testing::Range(2, 14, 2));
INSTANTIATE_TEST_SUITE_P(Large, EvenTest, testing::Values(100, 1000));

struct Joining { std::vector<std::string> parts; std::string expected; };
class JoinTest : public ::testing::TestWithParam<Joining> { protected: void SetUp() override { ring.push(1); } Ring<int> ring{2}; };
TEST_P(JoinTest, Joins) {
  const auto& [parts, expected] = GetParam();
  EXPECT_EQ(joined(parts), expected);
}
TEST_P(JoinTest, RingOverwrites) { ring.push(2); ring.push(3); EXPECT_EQ(ring.pop(), 2); }
static const std::vector<Joining> kJoinings = {{{}, ""}, {{"a"}, "a"}, {{"a", "b"}, "a,b"}};
INSTANTIATE_TEST_SUITE_P(All, JoinTest, ::testing::ValuesIn(kJoinings),
  [](const testing::TestParamInfo<Joining>& info) { return "n" + std::to_string(info.param.parts.size()); });

class ProductTest : public ::testing::TestWithParam<std::tuple<int, int>> {};
TEST_P(ProductTest, IsNoPrime) { EXPECT_FALSE(is_prime(std::get<0>(GetParam()) * std::get<1>(GetParam()))); }
INSTANTIATE_TEST_SUITE_P(Pairs, ProductTest, ::testing::Combine(::testing::Values(2, 3, 5), ::testing::Range(3, 6)));
TEST(Old, DISABLED_Never) { EXPECT_TRUE(is_prime(4)); }
"""
EVENS = (
    PARAMETERS[: PARAMETERS.index("class PrimeTest")]
    + PARAMETERS[PARAMETERS.index("class EvenTest") : PARAMETERS.index("struct Joining")]
)
PRODUCTS = PARAMETERS[: PARAMETERS.index("class PrimeTest")] + PARAMETERS[PARAMETERS.index("class ProductTest") :]
add("GoogleTest: parameters", "right", RING, PARAMETERS)
add("GoogleTest: Values, one is prime", "wrong", ONE, PARAMETERS)
add("GoogleTest: ValuesIn, a comma after the last", "wrong", TRAILING, PARAMETERS)
add("GoogleTest: fixture with parameters, the oldest stays", "wrong", STUCK, PARAMETERS)
add("GoogleTest: the last of Range, 12 is prime", "wrong", RING.replace("n < 2", "n == 12) return true;\n  if (n < 2"), EVENS)
add(
    "GoogleTest: the second instance, 1000 is prime",
    "wrong",
    RING.replace("n < 2", "n == 1000) return true;\n  if (n < 2"),
    EVENS,
)
add("GoogleTest: Combine, 15 is prime", "wrong", RING.replace("n < 2", "n == 15) return true;\n  if (n < 2"), PRODUCTS)
add(
    "GoogleTest: the last pair of Combine, 25 is prime",
    "wrong",
    FOUR.replace("n < 2", "n == 4 || n == 9) return false;\n  if (n < 2"),
    PRODUCTS,
)
add(
    "GoogleTest: parameters without an instance",
    "wrong",
    RING,
    PARAMETERS[: PARAMETERS.index("INSTANTIATE")] + "TEST(Prime, Two) { EXPECT_TRUE(is_prime(2)); EXPECT_FALSE(is_prime(9)); }\n",
)

GENERATORS = """#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

TEST_CASE("primes", "[prime]") {
  auto n = GENERATE(2, 3, 5, 7);
  CAPTURE(n);
  REQUIRE(is_prime(n));
  SECTION("doubled") { CHECK_FALSE(is_prime(n * 2)); }
  SECTION("multiplied") { auto by = GENERATE(range(2, 5), 11); CHECK_FALSE(is_prime(n * by)); }
}
TEST_CASE("table", "[prime]") {
  auto [n, expected] = GENERATE(table<int, bool>({{1, false}, {4, false}, {11, true}}));
  REQUIRE(is_prime(n) == expected);
}
TEST_CASE("rings") {
  auto size = GENERATE(values<size_t>({1, 2, 3}));
  auto word = GENERATE(as<std::string>{}, "a", "b");
  Ring<std::string> ring(size);
  for (size_t i = 0; i < size; ++i) ring.push(word);
  ring.push("last");
  for (size_t i = 1; i < size; ++i) CHECK(ring.pop() == word);
  REQUIRE(ring.pop() == "last");
}
"""
PRIMES = GENERATORS[: GENERATORS.index('TEST_CASE("table"')]
add("Catch2: generators", "right", RING, GENERATORS)
add("Catch2: GENERATE, squares are prime", "wrong", FOUR, GENERATORS)
add("Catch2: table, one is prime", "wrong", ONE, GENERATORS)
add("Catch2: values, the oldest stays", "wrong", STUCK, GENERATORS)
add("Catch2: the last of GENERATE, 7 is no prime", "wrong", RING.replace("n < 2", "n < 2 || n == 7"), PRIMES)
add("Catch2: the last generators, 77 is prime", "wrong", RING.replace("n < 2", "n == 77) return true;\n  if (n < 2"), PRIMES)
add(
    "Catch2: a section under the last value, 14 is prime",
    "wrong",
    RING.replace("n < 2", "n == 14) return true;\n  if (n < 2"),
    PRIMES.replace("range(2, 5), 11", "3"),
)
add("Catch2: a generator in a section, 12 is prime", "wrong", RING.replace("n < 2", "n == 12) return true;\n  if (n < 2"), PRIMES)

UNREAD = {
    "GoogleTest: EXPECT_DEATH": '#include <gtest/gtest.h>\nTEST(Prime, Dies) { EXPECT_TRUE(is_prime(2)); EXPECT_DEATH(std::abort(), ""); }\n',
    "GoogleTest: typed tests": "#include <gtest/gtest.h>\ntemplate <typename T> class Typed : public ::testing::Test { public: Ring<T> ring{2}; };\n"
    "using Kinds = ::testing::Types<int, double>;\nTYPED_TEST_SUITE(Typed, Kinds);\n"
    "TYPED_TEST(Typed, Pops) { this->ring.push(TypeParam(1)); EXPECT_EQ(this->ring.pop(), TypeParam(1)); }\n",
    "gmock: matchers": "#include <gmock/gmock.h>\n#include <gtest/gtest.h>\nusing ::testing::HasSubstr;\n"
    'TEST(Joined, Holds) { EXPECT_THAT(joined({"x", "y"}), HasSubstr("x,y")); }\n',
    "Catch2: matchers": "#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n"
    'TEST_CASE("joined") { REQUIRE_THAT(joined({"a", "b"}), Catch::Matchers::Equals("a,b")); }\n',
    "Catch2: has to fail": "#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n"
    'TEST_CASE("four", "[!shouldfail]") { REQUIRE(is_prime(4)); }\n',
    "Catch2: filtered values": "#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n"
    'TEST_CASE("odd") { auto n = GENERATE(filter([](int i) { return i % 2 == 1; }, range(2, 8))); REQUIRE(is_prime(n)); }\n',
    "doctest: templates": "#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN\n#include <doctest/doctest.h>\n"
    'TEST_CASE_TEMPLATE("types", T, int, long) { Ring<T> ring(1); ring.push(T(5)); CHECK(ring.pop() == T(5)); }\n',
    "doctest: has to fail": "#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN\n#include <doctest/doctest.h>\n"
    'TEST_CASE("four" * doctest::should_fail()) { CHECK(is_prime(4)); }\n',
}
CASES += [Case(f"{name}, not read", "cpp", RING, tests, "not_verifiable", "right") for name, tests in UNREAD.items()]

MEAN = """#include <vector>

double mean(const std::vector<double>& xs) {
  double sum = 0;
  for (double x : xs) sum += x;
  return xs.empty() ? 0 : sum / xs.size();
}
"""
MEANS = {
    "GoogleTest: four numbers apart": "#include <gtest/gtest.h>\n"
    "TEST(Mean, Small) { EXPECT_DOUBLE_EQ(mean({1e-14, 3e-14}), 2e-14); EXPECT_FLOAT_EQ(mean({1e-9, 3e-9}), 2e-9f); }\n",
    "Catch2: Approx grows with the wanted value": "#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n"
    'TEST_CASE("small") { REQUIRE(mean({1e-14, 3e-14}) == Approx(2e-14)); CHECK(mean({}) == Approx(0.0).margin(1e-20)); }\n',
    "doctest: Approx with a tolerance of its own": "#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN\n#include <doctest/doctest.h>\n"
    'TEST_CASE("small") { CHECK(mean({1e-14, 3e-14}) == doctest::Approx(2e-14).epsilon(1e-14)); }\n',
}
for name, tests in MEANS.items():
    add(name, "right", MEAN, tests)
    add(f"{name}, 1e-13 too much", "wrong", MEAN.replace("sum / xs.size()", "sum / xs.size() + 1e-13"), tests)
