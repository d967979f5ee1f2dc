"""C++: an inventory, a median and a parser, tested in the ways that models write tests."""

from __future__ import annotations

INVENTORY = """#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

class OutOfStock : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class Inventory {
public:
    Inventory() = default;
    explicit Inventory(std::map<std::string, int> counts) : counts_(std::move(counts)) {}

    void add(const std::string& name, int count = 1) {
        if (count <= 0) {
            throw std::invalid_argument("count must be positive");
        }
        counts_[name] += count;
    }

    int remove(const std::string& name, int count = 1) {
        int have = counts_.count(name) ? counts_.at(name) : 0;
        if (count > have) {
            throw OutOfStock("only " + std::to_string(have) + " of " + name);
        }
        counts_[name] = have - count;
        return have - count;
    }

    int total() const {
        int sum = 0;
        for (const auto& [name, count] : counts_) {
            sum += count;
        }
        return sum;
    }

    bool has(const std::string& name) const {
        auto found = counts_.find(name);
        return found != counts_.end() && found->second > 0;
    }

private:
    std::map<std::string, int> counts_;
};

std::optional<double> median(std::vector<double> values) {
    if (values.empty()) {
        return std::nullopt;
    }
    std::sort(values.begin(), values.end());
    size_t middle = values.size() / 2;
    if (values.size() % 2 == 1) {
        return values[middle];
    }
    return (values[middle - 1] + values[middle]) / 2;
}

std::map<std::string, int> parse_pairs(const std::string& text) {
    std::map<std::string, int> found;
    std::stringstream stream(text);
    std::string part;
    while (std::getline(stream, part, ';')) {
        if (part.empty()) {
            continue;
        }
        auto at = part.find('=');
        if (at == std::string::npos || at == 0) {
            throw std::invalid_argument("bad pair: " + part);
        }
        int value = std::stoi(part.substr(at + 1));
        found[part.substr(0, at)] = value;
    }
    return found;
}
"""
WRONG = {
    "the last one cannot be removed": ("if (count > have)", "if (count >= have)"),
    "upper median": ("(values[middle - 1] + values[middle]) / 2", "values[middle]"),
    "no negative numbers": ("int value = std::stoi(part.substr(at + 1))", "int value = std::abs(std::stoi(part.substr(at + 1)))"),
}
FULL = {
    "asserts in main": """#include <cassert>
#include <iostream>
#include "inventory.h"

int main() {
    // Test 1: removing
    Inventory inv;
    inv.add("bolt", 5);
    assert(inv.total() == 5);
    int left = inv.remove("bolt", 5);
    assert(left == 0);
    assert(!inv.has("bolt"));

    // Test 2: medians
    assert(median({2, 1}).value() == 1.5);
    assert(median({}) == std::nullopt);

    // Test 3: pairs
    auto pairs = parse_pairs("k=-9;m=1");
    assert(pairs.size() == 2 && pairs["k"] == -9);
    assert((parse_pairs("a=-1") == std::map<std::string, int>{{"a", -1}}));

    bool thrown = false;
    try {
        inv.remove("bolt");
    } catch (const OutOfStock& error) {
        thrown = std::string(error.what()) == "only 0 of bolt";
    }
    assert(thrown);
    std::cout << "All tests passed!" << std::endl;
    return 0;
}
""",
    "functions": """#include <cassert>
#include <cmath>
#include <iostream>

void testRemove() {
    Inventory inv(std::map<std::string, int>{{"a", 2}});
    assert(inv.remove("a", 2) == 0);
}

static bool close(double a, double b) { return std::fabs(a - b) < 1e-9; }

void testMedian() {
    assert(close(*median({0.1, 0.2}), 0.15));
    assert(close(*median({3, 1, 2}), 2));
}

void testPairs() {
    std::cout << "pairs... ";
    assert(parse_pairs("n=-4").at("n") == -4);
    std::cout << "ok\\n";
}

int main() {
    testRemove();
    testMedian();
    testPairs();
    return 0;
}
""",
    "GoogleTest": """#include <gtest/gtest.h>
#include "inventory.h"

class InventoryTest : public ::testing::Test {
protected:
    void SetUp() override { inventory.add("apple", 3); }
    Inventory inventory;
};

TEST_F(InventoryTest, RemovesAll) {
    EXPECT_EQ(inventory.remove("apple", 3), 0);
    EXPECT_FALSE(inventory.has("apple")) << "gone";
}

TEST_F(InventoryTest, ThrowsWhenTooFew) {
    EXPECT_THROW(inventory.remove("apple", 4), OutOfStock);
    EXPECT_THROW({ inventory.add("apple", 0); }, std::invalid_argument);
    EXPECT_NO_THROW(inventory.remove("apple", 1));
}

TEST(Functions, Median) {
    ASSERT_TRUE(median({1, 2}).has_value());
    EXPECT_DOUBLE_EQ(*median({1, 2}), 1.5);
    EXPECT_NEAR(median({0.1, 0.2}).value(), 0.15, 1e-9);
}

TEST(Functions, Pairs) {
    const std::map<std::string, int> expected = {{"a", 1}, {"b", -2}};
    EXPECT_EQ(parse_pairs("a=1;b=-2"), expected);
    EXPECT_LT(parse_pairs("q=-8")["q"], 0);
}

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
""",
    "Catch2": """#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

TEST_CASE("inventory", "[inventory]") {
    Inventory inv;
    inv.add("a");

    SECTION("removes") {
        REQUIRE(inv.remove("a") == 0);
        CHECK_FALSE(inv.has("a"));
    }
    SECTION("throws") {
        REQUIRE_THROWS_AS(inv.remove("a", 2), OutOfStock);
        CHECK_THROWS(inv.add("a", -1));
    }
}

TEST_CASE("functions") {
    REQUIRE(median({1, 2}).value() == Approx(1.5));
    REQUIRE(parse_pairs("n=-4").at("n") == -4);
}
""",
    "failures that are counted": """#include <iostream>
#include <string>

int failures = 0;

void check(bool ok, const std::string& name) {
    if (!ok) {
        std::cerr << "FAIL: " << name << std::endl;
        ++failures;
    }
}

int main() {
    Inventory inv;
    inv.add("a");
    check(inv.remove("a") == 0, "remove");
    check(median({1, 2}) == 1.5, "median");
    check(parse_pairs("z=-1")["z"] == -1, "pairs");
    std::cout << (failures ? "failed" : "passed") << std::endl;
    return failures == 0 ? 0 : 1;
}
""",
    "a table and a loop": """#include <cassert>
#include <vector>

struct Case {
    std::vector<double> values;
    double expected;
};

int main() {
    const std::vector<Case> cases = {{{1, 2}, 1.5}, {{9, 7, 8}, 8}};
    for (const auto& one : cases) {
        assert(median(one.values).value() == one.expected);
    }
    for (int n : {-3, 0, 3}) {
        assert(parse_pairs("n=" + std::to_string(n)).at("n") == n);
    }
    Inventory inv({{"a", 1}});
    if (inv.remove("a") != 0) {
        throw std::runtime_error("remove");
    }
}
""",
    "a template and a macro": """#include <iostream>
#include <cstdlib>

#define ASSERT_EQ_OWN(a, b) do { if (!((a) == (b))) { std::cerr << #a << " != " << #b << std::endl; std::exit(1); } } while (0)

template <typename T, typename U>
void expect_equal(const T& actual, const U& expected, const char* what) {
    if (!(actual == expected)) {
        std::cerr << what << std::endl;
        std::abort();
    }
}

int main() {
    Inventory inv({{"x", 4}});
    expect_equal(inv.remove("x", 4), 0, "remove");
    ASSERT_EQ_OWN(median({3, 4}).value(), 3.5);
    ASSERT_EQ_OWN(parse_pairs("n=-7")["n"], -7);
    return EXIT_SUCCESS;
}
""",
    "bare asserts": """assert(median({1, 4}) == 2.5);
assert(parse_pairs("b=-1")["b"] == -1);
assert(Inventory({{"a", 1}}).remove("a") == 0);
""",
}
MAIN = "#include <cassert>\n#include <iostream>\n\nint main() {\n    %s\n    return 0;\n}\n"
VACUOUS = {
    "calls": MAIN % "median({1, 2});",
    "true": MAIN % "median({1});\n    assert(true);\n    assert(1 + 1 == 2);",
    "two calls": MAIN % "assert(median({1, 2}) == median({2, 1}));",
    "caught": MAIN % "try { if (median({1}) != 5) throw 1; } catch (...) { }",
    "prints": MAIN % 'std::cout << (median({1, 2}) == 1.5 ? "PASS" : "FAIL");',
    "no case": MAIN % "for (double x : std::vector<double>{}) assert(median({x}) == 5);",
    "a size that is never negative": MAIN % 'assert(parse_pairs("a=1").size() >= 0);',
    "a lambda that nobody calls": MAIN % "auto check = [] { assert(median({1}) == 5); };\n    (void) check;",
    "an assignment": MAIN % "int total = 0;\n    assert((total = 1));\n    assert(Inventory().total() == Inventory().total());",
    "returns": MAIN % "return 0;\n    assert(median({1}) == 5);",
}
