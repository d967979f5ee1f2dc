#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cmath>
#include <deque>
#include <exception>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>
#include <fcntl.h>
#include <unistd.h>
#include <sys/wait.h>
#include <sys/resource.h>
#undef assert
namespace HIDDEN {
// Read before any object of the program is constructed; the nonce is nowhere as text until it is written.
static struct { char text[128], *variant, *first, *reversed; } given;
__attribute__((constructor(101))) static void begin() {
    ssize_t size = read(0, given.text, 127);
    given.text[size < 0 ? 0 : size] = 0;
    dup2(open("/dev/null", O_RDWR), 0);
    std::strtok(given.text, " ");
    given.variant = std::strtok(nullptr, " "), given.first = std::strtok(nullptr, " "), given.reversed = std::strtok(nullptr, " \n");
    for (int at = 0; at < 32; at++) given.text[at] ^= 85;
}
// An assertion that failed stays failed: `catch (...)` around it saves no test, as it stops no `abort` and no framework's count.
static std::string first_failure;
struct failed : std::exception {
    std::string text;
    explicit failed(const std::string& what) : text(what) { if (first_failure.empty()) first_failure = what; }
    const char* what() const noexcept override { return text.c_str(); }
};
struct skipped { template <class item> skipped operator<<(const item&) const { return *this; } };
inline void fail(const char* text) { throw failed(text); }
struct message { template <class item> const message& operator<<(const item&) const { return *this; } };
inline message held(bool it, const char* text) { if (!it) throw failed(text); return {}; }
// Tolerances as the frameworks have them: doctest's grow with 1 + the larger value, Catch2's with the wanted one, beside a margin.
template <bool grows> struct approx {
    double value, relative = 100 * double(std::numeric_limits<float>::epsilon()), least = 0, size = grows;
    explicit approx(double wanted) : value(wanted) {}
    approx& epsilon(double most) { relative = most; return *this; }
    approx& margin(double most) { least = most; return *this; }
    approx& scale(double most) { size = most; return *this; }
    bool is(double a) const {
        double apart = std::fabs(a - value), by = std::fabs(value);
        if (grows) return apart < relative * (size + std::fmax(by, std::fabs(a)));
        return a == value || apart <= least || apart <= relative * (size + (std::isinf(by) ? 0 : by));
    }
    friend bool operator==(double a, const approx& b) { return b.is(a); }
    friend bool operator==(const approx& b, double a) { return b.is(a); }
    friend bool operator!=(double a, const approx& b) { return !b.is(a); }
    friend bool operator!=(const approx& b, double a) { return !b.is(a); }
};
template <class kind> using plain = std::remove_cv_t<std::remove_reference_t<kind>>;
template <class body> bool throws_text(const std::string& wanted, body run) {
    try { run(); }
    catch (const std::exception& error) { return error.what() == wanted; }
    catch (const std::string& error) { return error == wanted; }
    catch (const char* error) { return error == wanted; }
    return false;
}
// A test runs in passes, until each section was in one: of those side by side one in each pass, under every value of the generators
// before it. `path` is where the pass is: sections, and values drawn.
using path_of = std::vector<std::string>;
static path_of path;
static std::set<path_of> finished;
static std::map<path_of, size_t> turns;
static std::vector<std::pair<path_of, size_t>> drawn;
static size_t depth, deepest;
static bool again;
static void leave(size_t size) {  // the last generator moves on once all that follows it was run
    for (; path.size() > size; path.pop_back(), drawn.pop_back())
        if (!again && ++turns[drawn.back().first] < drawn.back().second) again = true;
}
struct part {
    size_t size = 0;
    part(int line, const std::string& name) {
        path.push_back(std::to_string(line) + " " + name);
        bool done = finished.count(path) > 0;
        if (done || depth < deepest) { path.pop_back(); again |= !done; return; }
        deepest = ++depth, size = path.size();
    }
    ~part() {
        if (!size) return;
        leave(size);
        if (!again) finished.insert(path);
        path.pop_back(), depth--;
    }
    explicit operator bool() const { return size > 0; }
};
template <class... more> std::string title(const std::string& name = "", const more&...) { return name; }
template <class body> int passes(body run) {
    do {
        again = false, depth = deepest = 0, path.clear(), drawn.clear();
        if (int status = run()) return status;
        leave(0);
    } while (again);
    return 0;
}
// What `GENERATE` draws from, and the values of GoogleTest's parameters.
template <class t> struct series { std::deque<t> items; };
template <class t> struct element { using type = std::decay_t<const t>; };
template <class t> struct element<series<t>> { using type = t; };
template <class t, class from> void extend(std::deque<t>& to, const from& one) { to.push_back(static_cast<t>(one)); }
template <class t, class from> void extend(std::deque<t>& to, const series<from>& all) { for (const from& one : all.items) to.push_back(static_cast<t>(one)); }
template <class t> struct typed {};
template <class first, class... rest> auto sequence(const first& one, const rest&... more) {
    series<typename element<first>::type> all;
    extend(all.items, one), (extend(all.items, more), ...);
    return all;
}
template <class t, class... rest> series<t> sequence(typed<t>, const rest&... more) {
    series<t> all;
    (extend(all.items, more), ...);
    return all;
}
template <class t> t pick(int line, const series<t>& all) {
    if (all.items.empty()) fail("GENERATE: no value");
    path.push_back(std::to_string(line));
    drawn.emplace_back(path, all.items.size());
    size_t turn = turns[path] % all.items.size();
    path.back() += "#" + std::to_string(turn);
    return all.items[turn];
}
template <class t> static const t* parameter;
template <class... ts> struct listed {
    std::tuple<ts...> items;
    template <class t> std::deque<t> as() const { return std::apply([](const auto&... one) { return std::deque<t>{static_cast<t>(one)...}; }, items); }
};
template <class from> struct sequenced {
    std::deque<from> items;
    template <class t> std::deque<t> as() const { return std::deque<t>(items.begin(), items.end()); }
};
template <class... parts> struct combined {
    std::tuple<parts...> lists;
    template <class t> std::deque<t> as() const { return all<t>(std::make_index_sequence<sizeof...(parts)>()); }
    template <class t, size_t... at> std::deque<t> all(std::index_sequence<at...>) const {
        auto each = std::make_tuple(std::get<at>(lists).template as<std::tuple_element_t<at, t>>()...);
        std::deque<t> found;
        size_t sizes[] = {std::get<at>(each).size()...}, count = 1, before[sizeof...(at)];
        for (size_t i = sizeof...(at); i-- > 0; count *= sizes[i]) before[i] = count;
        for (size_t n = 0; n < count; n++) found.push_back(t(std::get<at>(each)[n / before[at] % sizes[at]]...));
        return found;
    }
};
template <class fixture, class... lists> void with_each(const lists&... all) {
    using t = typename fixture::ParamType;
    std::deque<t> items;
    auto add = [&](const std::deque<t>& more) { items.insert(items.end(), more.begin(), more.end()); };
    (add(all.template as<t>()), ...);
    size_t left = items.size();
    for (const t& item : items) {
        parameter<t> = &item;
        try { fixture one; one.all(); } catch (const skipped&) { if (!--left) throw; }
    }
}
template <class one, class other> bool near(const one& a, const other& b, double most) { return std::fabs(double(a) - double(b)) <= most; }
// At most four representable numbers apart, as GoogleTest compares.
template <class real, class number> bool alike(real a, real b) {
    if (std::isnan(a) || std::isnan(b)) return false;
    const number sign = number(1) << (8 * sizeof(number) - 1);
    auto place = [sign](real it) { number bits; std::memcpy(&bits, &it, sizeof it); return bits & sign ? ~bits + 1 : bits | sign; };
    const number x = place(a), y = place(b);
    return (x > y ? x - y : y - x) <= 4;
}
}
#define assert(...) ((__VA_ARGS__) ? (void)0 : ::HIDDEN::fail("assert: " #__VA_ARGS__))
#define HIDDEN_CHECK(text, ...) ::HIDDEN::held(bool(__VA_ARGS__), text)
#define EXPECT_TRUE(a) HIDDEN_CHECK("EXPECT_TRUE: " #a, (a))
#define EXPECT_FALSE(a) HIDDEN_CHECK("EXPECT_FALSE: " #a, !(a))
#define EXPECT_EQ(a, b) HIDDEN_CHECK("EXPECT_EQ: " #a ", " #b, (a) == (b))
#define EXPECT_NE(a, b) HIDDEN_CHECK("EXPECT_NE: " #a ", " #b, (a) != (b))
#define EXPECT_LT(a, b) HIDDEN_CHECK("EXPECT_LT: " #a ", " #b, (a) < (b))
#define EXPECT_LE(a, b) HIDDEN_CHECK("EXPECT_LE: " #a ", " #b, (a) <= (b))
#define EXPECT_GT(a, b) HIDDEN_CHECK("EXPECT_GT: " #a ", " #b, (a) > (b))
#define EXPECT_GE(a, b) HIDDEN_CHECK("EXPECT_GE: " #a ", " #b, (a) >= (b))
#define EXPECT_STREQ(a, b) HIDDEN_CHECK("EXPECT_STREQ: " #a ", " #b, std::strcmp((a), (b)) == 0)
#define EXPECT_NEAR(a, b, most) HIDDEN_CHECK("EXPECT_NEAR: " #a ", " #b, ::HIDDEN::near((a), (b), (most)))
#define EXPECT_DOUBLE_EQ(a, b) HIDDEN_CHECK("EXPECT_DOUBLE_EQ: " #a ", " #b, ::HIDDEN::alike<double, unsigned long long>((a), (b)))
#define EXPECT_FLOAT_EQ(a, b) HIDDEN_CHECK("EXPECT_FLOAT_EQ: " #a ", " #b, ::HIDDEN::alike<float, unsigned>(float(a), float(b)))
#define EXPECT_THROW(statement, kind) do { bool HIDDEN_ok = false; try { statement; } catch (const ::HIDDEN::plain<kind>&) { HIDDEN_ok = true; } if (!HIDDEN_ok) ::HIDDEN::fail("EXPECT_THROW: " #statement); } while (0)
#define EXPECT_ANY_THROW(...) do { bool HIDDEN_ok = false; try { __VA_ARGS__; } catch (...) { HIDDEN_ok = true; } if (!HIDDEN_ok) ::HIDDEN::fail("EXPECT_ANY_THROW: " #__VA_ARGS__); } while (0)
#define EXPECT_NO_THROW(...) do { __VA_ARGS__; } while (0)
#define EXPECT_STRNE(a, b) HIDDEN_CHECK("EXPECT_STRNE: " #a, std::strcmp((a), (b)) != 0)
#define SUCCEED(...) ::HIDDEN::message()
#define FAIL(...) ::HIDDEN::held(false, "FAIL")
#define ADD_FAILURE() ::HIDDEN::held(false, "ADD_FAILURE")
#define GTEST_SKIP() throw ::HIDDEN::skipped()
#define SCOPED_TRACE(...) (void)0
#define INFO(...) (void)0
#define CAPTURE(...) (void)0
#define SECTION(...) if (::HIDDEN::part HIDDEN_part(__LINE__, ::HIDDEN::title(__VA_ARGS__)); HIDDEN_part)
#define DYNAMIC_SECTION(...) SECTION([&] { std::ostringstream HIDDEN_text; HIDDEN_text << __VA_ARGS__; return HIDDEN_text.str(); }())
#define GENERATE(...) ::HIDDEN::pick(__LINE__, [&] { using namespace ::Catch::Generators; return ::HIDDEN::sequence(__VA_ARGS__); }())
#define GENERATE_COPY(...) GENERATE(__VA_ARGS__)
#define GENERATE_REF(...) GENERATE(__VA_ARGS__)
#define RUN_WITH_EACH(fixture, ...) ::HIDDEN::with_each<fixture>(__VA_ARGS__)
#define SUBCASE(...) SECTION(__VA_ARGS__)
#define GIVEN(...) SECTION(__VA_ARGS__)
#define AND_GIVEN(...) SECTION(__VA_ARGS__)
#define WHEN(...) SECTION(__VA_ARGS__)
#define AND_WHEN(...) SECTION(__VA_ARGS__)
#define THEN(...) SECTION(__VA_ARGS__)
#define AND_THEN(...) SECTION(__VA_ARGS__)
#define ASSERT_TRUE EXPECT_TRUE
#define ASSERT_STRNE EXPECT_STRNE
#define ASSERT_FLOAT_EQ EXPECT_FLOAT_EQ
#define ASSERT_NO_THROW EXPECT_NO_THROW
#define ASSERT_ANY_THROW EXPECT_ANY_THROW
#define CHECK_EQ EXPECT_EQ
#define CHECK_NE EXPECT_NE
#define CHECK_LT EXPECT_LT
#define CHECK_LE EXPECT_LE
#define CHECK_GT EXPECT_GT
#define CHECK_GE EXPECT_GE
#define REQUIRE_EQ EXPECT_EQ
#define REQUIRE_NE EXPECT_NE
#define CHECK_FALSE(...) HIDDEN_CHECK("CHECK_FALSE: " #__VA_ARGS__, !bool(__VA_ARGS__))
#define REQUIRE_LT EXPECT_LT
#define REQUIRE_LE EXPECT_LE
#define REQUIRE_GT EXPECT_GT
#define REQUIRE_GE EXPECT_GE
#define CHECK_UNARY(...) CHECK(__VA_ARGS__)
#define REQUIRE_UNARY(...) CHECK(__VA_ARGS__)
#define CHECK_UNARY_FALSE(...) CHECK_FALSE(__VA_ARGS__)
#define REQUIRE_UNARY_FALSE(...) CHECK_FALSE(__VA_ARGS__)
#define CHECK_MESSAGE(a, ...) CHECK(a)
#define REQUIRE_MESSAGE(a, ...) CHECK(a)
#define CHECK_FALSE_MESSAGE(a, ...) CHECK_FALSE(a)
#define REQUIRE_FALSE_MESSAGE(a, ...) CHECK_FALSE(a)
#define CHECK_THROWS_WITH(statement, text) HIDDEN_CHECK("CHECK_THROWS_WITH: " #statement, ::HIDDEN::throws_text(text, [&] { statement; }))
#define REQUIRE_THROWS_WITH CHECK_THROWS_WITH
#define CHECK_THROWS_AS EXPECT_THROW
#define CHECK_THROWS EXPECT_ANY_THROW
#define CHECK_NOTHROW EXPECT_NO_THROW
#define REQUIRE_NOTHROW EXPECT_NO_THROW
#define ASSERT_FALSE EXPECT_FALSE
#define ASSERT_EQ EXPECT_EQ
#define ASSERT_NE EXPECT_NE
#define ASSERT_LT EXPECT_LT
#define ASSERT_LE EXPECT_LE
#define ASSERT_GT EXPECT_GT
#define ASSERT_GE EXPECT_GE
#define ASSERT_STREQ EXPECT_STREQ
#define ASSERT_NEAR EXPECT_NEAR
#define ASSERT_DOUBLE_EQ EXPECT_DOUBLE_EQ
#define ASSERT_THROW EXPECT_THROW
#define CHECK(...) HIDDEN_CHECK("CHECK: " #__VA_ARGS__, __VA_ARGS__)
#define REQUIRE(...) HIDDEN_CHECK("REQUIRE: " #__VA_ARGS__, __VA_ARGS__)
#define REQUIRE_FALSE CHECK_FALSE
#define REQUIRE_THROWS_AS EXPECT_THROW
#define REQUIRE_THROWS EXPECT_ANY_THROW
namespace testing {
class Test { public: virtual ~Test() {} virtual void SetUp() {} virtual void TearDown() {}
    static void SetUpTestSuite() {} static void SetUpTestCase() {} };
inline void InitGoogleTest(...) {}
// Each call returns a copy of its own, so that a program that changes what it was given changes no later one.
template <class t> class WithParamInterface { public: using ParamType = t; static const t& GetParam() { static std::deque<t> given; given.push_back(*::HIDDEN::parameter<t>); return given.back(); } };
template <class t> class TestWithParam : public Test, public WithParamInterface<t> {};
template <class t> struct TestParamInfo { using ParamType = t; t param; size_t index; };
template <class... ts> ::HIDDEN::listed<ts...> Values(ts... items) { return {std::tuple<ts...>(items...)}; }
template <class iterator> auto ValuesIn(iterator first, iterator last) { return ::HIDDEN::sequenced<std::decay_t<decltype(*first)>>{{first, last}}; }
template <class list> auto ValuesIn(const list& items) { return ValuesIn(std::begin(items), std::end(items)); }
template <class t> auto ValuesIn(std::initializer_list<t> items) { return ValuesIn(items.begin(), items.end()); }
template <class t, class by = int> ::HIDDEN::sequenced<t> Range(t first, t end, by step = 1) { std::deque<t> items; for (; first < end; first = static_cast<t>(first + step)) items.push_back(first); return {items}; }
inline auto Bool() { return Values(false, true); }
template <class... parts> ::HIDDEN::combined<parts...> Combine(const parts&... lists) { return {std::tuple<parts...>(lists...)}; }
}
namespace Catch { using Approx = ::HIDDEN::approx<false>; }
namespace Catch { namespace Generators {
template <class t> using as = ::HIDDEN::typed<t>;
template <class t> ::HIDDEN::series<t> values(std::initializer_list<t> items) { return {{items.begin(), items.end()}}; }
template <class... ts> ::HIDDEN::series<std::tuple<ts...>> table(std::initializer_list<std::tuple<ts...>> rows) { return {{rows.begin(), rows.end()}}; }
template <class t> ::HIDDEN::series<t> range(t first, t end, t step) { std::deque<t> items; for (; step > 0 ? first < end : first > end; first = static_cast<t>(first + step)) items.push_back(first); return {items}; }
template <class t> ::HIDDEN::series<t> range(t first, t end) { return range<t>(first, end, first < end ? t(1) : t(-1)); }
} }
namespace doctest { using Approx = ::HIDDEN::approx<true>; }
// Nothing of the program runs before `begin`.
#define constructor constructor_of_the_program
#define __constructor__ constructor_of_the_program
#define init_priority init_priority_of_the_program
#define __init_priority__ init_priority_of_the_program
#define section section_of_the_program
#define __section__ section_of_the_program
//VARIANTS
namespace HIDDEN {
struct entry { int variant, test; int (*run)(); };
static const entry all[] = {
//TABLE
};
static std::string quoted(const std::string& text) {
    std::string found = "\"";
    for (unsigned char c : text.substr(0, 200)) { if (c == '"' || c == '\\') found += '\\'; found += c < 32 || c > 126 ? ' ' : char(c); }
    return found + "\"";
}
static void say(int channel, int test, const char* status, const std::string& detail) {
    std::string line = "\n";
    for (int at = 0; at < 32; at++) line += char(given.text[at] ^ 85);
    line += std::string(" ") + std::to_string(test) + " " + status + " " + quoted(detail) + "\n";
    if (write(channel, line.data(), line.size()) < 0) _exit(1);
}
}
int main() {
    using namespace HIDDEN;
    int variant = atoi(given.variant), first = atoi(given.first), reversed = atoi(given.reversed);
    int channel = fcntl(1, F_DUPFD_CLOEXEC, 100), nothing = open("/dev/null", O_RDWR);
    dup2(nothing, 1);
    int count = sizeof all / sizeof *all;
    for (int step = 0; step < count; step++) {
        const entry& one = all[reversed ? count - 1 - step : step];
        if (one.variant != variant || one.test < first) continue;
        pid_t child = fork();
        if (!child) {
            rlimit most{2, 3};
            setrlimit(RLIMIT_CPU, &most);
            alarm(6);
            std::string status = "failed", detail;
            try { int result = one.run(); if (result) detail = "it returned " + std::to_string(result); else status = "passed"; }
            catch (const skipped&) { status = "skipped"; }
            catch (const std::exception& error) { detail = error.what(); }
            catch (...) { detail = "something was thrown"; }
            if (!first_failure.empty()) status = "failed", detail = first_failure;
            say(channel, one.test, status.c_str(), detail);
            _exit(0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        say(channel, one.test, "failed", WIFSIGNALED(status) ? std::string("signal ") + std::to_string(WTERMSIG(status)) : "the process ended during this test");
    }
    _exit(0);
}
