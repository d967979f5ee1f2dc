
#include <cxxabi.h>
#include <unistd.h>
#include <any>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <unordered_map>
#include <unordered_set>
#include <vector>
namespace HIDDEN {
    using std::string;
    inline string hex_of(const string& text_of, char kind_ = 's') {
        static const char digits_[] = "0123456789abcdef";
        string out_(1, kind_);
        for (unsigned char one_ : text_of) { out_ += digits_[one_ >> 4]; out_ += digits_[one_ & 15]; }
        return out_ + ';';
    }
    template <class T> string type_name() {
        int status_ = 0;
        char* found_ = abi::__cxa_demangle(typeid(T).name(), nullptr, nullptr, &status_);
        string out_(found_ ? found_ : typeid(T).name());
        std::free(found_);
        return out_;
    }
    inline string text_of(const string& value_) { return hex_of(value_); }
    inline string text_of(const char* value_) { return hex_of(value_); }
    inline string text_of(std::nullopt_t) { return "n"; }
    template <class T> std::enable_if_t<std::is_arithmetic_v<T>, string> text_of(T value_) {
        if constexpr (std::is_same_v<T, bool>) return value_ ? "t" : "f";
        if constexpr (std::is_integral_v<T>) return "i" + std::to_string(value_) + ";";
        char out_[64];
        std::snprintf(out_, sizeof out_, "d%.17g;", (double)value_);
        return out_;
    }
    template <class T> string text_of(const std::optional<T>& value_);
    template <class A, class B> string text_of(const std::pair<A, B>& value_);
    template <class... T> string text_of(const std::tuple<T...>& value_);
    template <class T, class A> string text_of(const std::vector<T, A>& value_);
    template <class T, class A> string text_of(const std::list<T, A>& value_);
    template <class T, class A> string text_of(const std::deque<T, A>& value_);
    template <class T, std::size_t N> string text_of(const std::array<T, N>& value_);
    template <class K, class V, class... R> string text_of(const std::map<K, V, R...>& value_);
    template <class K, class V, class... R> string text_of(const std::unordered_map<K, V, R...>& value_);
    template <class T, class... R> string text_of(const std::set<T, R...>& value_);
    template <class T, class... R> string text_of(const std::unordered_set<T, R...>& value_);
    template <class T> std::enable_if_t<std::is_class_v<T> || std::is_union_v<T>, string> text_of(const T&) { return hex_of(type_name<T>(), 'o'); }
    // Containers are equal to those of their own type alone, so the type is part of the value_.
    template <class E, class T> string items_of(const T& values_, const char* kind_, char opens_, char closes_) {
        string out_ = "(" + hex_of(kind_ + type_name<E>()) + opens_;
        for (const auto& value_ : values_) out_ += text_of(static_cast<const E&>(value_));
        return out_ + closes_ + ")";
    }
    template <class K, class V, class T> string entries_of(const T& values_, const char* kind_) {
        string out_ = "(" + hex_of(kind_ + type_name<K>() + ", " + type_name<V>()) + "{";
        for (const auto& one_ : values_) out_ += text_of(one_.first) + text_of(one_.second);
        return out_ + "})";
    }
    template <class T> string text_of(const std::optional<T>& value_) { return value_ ? "?" + text_of(*value_) : "n"; }
    template <class A, class B> string text_of(const std::pair<A, B>& value_) { return "(" + hex_of("pair") + text_of(value_.first) + text_of(value_.second) + ")"; }
    template <class... T> string text_of(const std::tuple<T...>& value_) {
        string out_ = "(";
        std::apply([&](const auto&... one_) { ((out_ += text_of(one_)), ...); }, value_);
        return out_ + ")";
    }
    template <class T, class A> string text_of(const std::vector<T, A>& value_) { return items_of<T>(value_, "vector ", '[', ']'); }
    template <class T, class A> string text_of(const std::list<T, A>& value_) { return items_of<T>(value_, "list ", '[', ']'); }
    template <class T, class A> string text_of(const std::deque<T, A>& value_) { return items_of<T>(value_, "deque ", '[', ']'); }
    template <class T, std::size_t N> string text_of(const std::array<T, N>& value_) { return items_of<T>(value_, "array ", '[', ']'); }
    template <class T, class... R> string text_of(const std::set<T, R...>& value_) { return items_of<T>(value_, "set ", '<', '>'); }
    template <class T, class... R> string text_of(const std::unordered_set<T, R...>& value_) { return items_of<T>(value_, "unordered_set ", '<', '>'); }
    template <class K, class V, class... R> string text_of(const std::map<K, V, R...>& value_) { return entries_of<K, V>(value_, "map "); }
    template <class K, class V, class... R> string text_of(const std::unordered_map<K, V, R...>& value_) { return entries_of<K, V>(value_, "unordered_map "); }
    template <class T> void say_value(int number_, const T& value_) {
        string line_ = "\nNONCE " + std::to_string(number_) + " " + text_of(value_) + "\n";
        std::fflush(stdout);
        for (std::size_t at_ = 0; at_ < line_.size();) {
            ssize_t count_ = ::write(1, line_.data() + at_, line_.size() - at_);
            if (count_ <= 0) std::abort();
            at_ += count_;
        }
    }
}
