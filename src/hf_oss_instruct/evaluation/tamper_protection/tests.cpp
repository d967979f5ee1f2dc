#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>
namespace HIDDEN {
template <class type> struct sequence { static constexpr bool is = false; };
template <class item, class memory> struct sequence<std::vector<item, memory>> { static constexpr bool is = true; };
template <class key, class value, class order, class memory> struct sequence<std::map<key, value, order, memory>> {
    static constexpr bool is = true;
};
template <class type> struct optional { static constexpr bool is = false; };
template <class item> struct optional<std::optional<item>> { static constexpr bool is = true; };
template <class type> struct several { static constexpr bool is = false; };
template <class... items> struct several<std::tuple<items...>> { static constexpr bool is = true; };
template <class first, class second> struct several<std::pair<first, second>> { static constexpr bool is = true; };
template <class one, class other> bool same(const one& actual, const other& expected);
template <class one, class other, std::size_t... at>
bool each(const one& actual, const other& expected, std::index_sequence<at...>) {
    return (same(std::get<at>(actual), std::get<at>(expected)) && ...);
}
template <class one, class other> bool same(const one& actual, const other& expected) {
    if constexpr (std::is_arithmetic_v<one> && std::is_arithmetic_v<other>) {
        return actual == expected;
    } else if constexpr (std::is_convertible_v<const one&, std::string_view> && std::is_convertible_v<const other&, std::string_view>) {
        std::string_view text = actual;
        return text.compare(expected) == 0;
    } else if constexpr (sequence<one>::is && std::is_same_v<one, other>) {
        auto left = actual.begin();
        auto right = expected.begin();
        for (; left != actual.end() && right != expected.end(); ++left, ++right)
            if (!same(*left, *right)) return false;
        return left == actual.end() && right == expected.end();
    } else if constexpr (several<one>::is && several<other>::is) {
        if constexpr (std::tuple_size_v<one> == std::tuple_size_v<other>)
            return each(actual, expected, std::make_index_sequence<std::tuple_size_v<one>>());
        else
            return false;
    } else if constexpr (optional<one>::is && std::is_same_v<other, std::nullopt_t>) {
        return !actual.has_value();
    } else if constexpr (optional<one>::is && optional<other>::is) {
        return actual.has_value() == expected.has_value() && (!actual.has_value() || same(*actual, *expected));
    } else if constexpr (optional<one>::is) {
        return actual.has_value() && same(*actual, expected);
    } else {
        return const_cast<one&>(actual) == expected;  // the operator of a union of MultiPL-E's is not const
    }
}
}
