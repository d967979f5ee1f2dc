"""GoogleTest, Catch2 and doctest: groups, fixtures, sections inside of sections, messages and texts of exceptions."""

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
