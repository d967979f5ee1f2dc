// Assertions of testify whose packages take long to link.
package PACKAGE

import (
	"encoding/json"
	"fmt"
	"regexp"

	h "../HIDDEN"
)

func JSONEq(t TestingT, a, b string, m ...any_) bool {
	var one, other any_
	held := json.Unmarshal([]byte(a), &one) == nil && json.Unmarshal([]byte(b), &other) == nil && h.Same(one, other)
	return hold(t, held, "JSONEq", a, b)
}
func matches(pattern, text any_) bool {
	found, isPattern := pattern.(*regexp.Regexp)
	if !isPattern {
		found = regexp.MustCompile(fmt.Sprint(pattern))
	}
	return found.MatchString(fmt.Sprint(text))
}
func Regexp(t TestingT, a, b any_, m ...any_) bool    { return hold(t, matches(a, b), "Regexp", a, b) }
func NotRegexp(t TestingT, a, b any_, m ...any_) bool { return hold(t, !matches(a, b), "NotRegexp", a, b) }
