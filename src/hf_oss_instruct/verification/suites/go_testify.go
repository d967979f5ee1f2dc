package PACKAGE

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"time"

	h "../HIDDEN"
)

type TestingT interface {
	Errorf(format string, args ...interface{})
	FailNow()
}

type any_ = interface{}

type ErrorAssertionFunc func(t TestingT, err error, m ...any_) bool
type BoolAssertionFunc func(t TestingT, a bool, m ...any_) bool
type ValueAssertionFunc func(t TestingT, a any_, m ...any_) bool
type ComparisonAssertionFunc func(t TestingT, a, b any_, m ...any_) bool
type PanicTestFunc = func()
type Comparison = func() bool

// Assertions has the functions below as methods, which are written where tests call them.
type Assertions struct{ t TestingT }

func New(t TestingT) *Assertions { return &Assertions{t} }

func hold(t TestingT, held bool, what string, values ...any_) bool { return h.Hold(t, NOW, held, what, values...) }

func Equal(t TestingT, a, b any_, m ...any_) bool       { return hold(t, h.Same(a, b), "Equal", a, b) }
func NotEqual(t TestingT, a, b any_, m ...any_) bool    { return hold(t, !h.Same(a, b), "NotEqual", a) }
func EqualValues(t TestingT, a, b any_, m ...any_) bool {
	return hold(t, h.Same(a, b) || reflect.TypeOf(a).ConvertibleTo(reflect.TypeOf(b)) && h.Same(reflect.ValueOf(a).Convert(reflect.TypeOf(b)).Interface(), b), "EqualValues", a, b)
}
func Exactly(t TestingT, a, b any_, m ...any_) bool  { return hold(t, h.Same(a, b), "Exactly", a, b) }
func Same(t TestingT, a, b any_, m ...any_) bool     { return hold(t, h.Pointed(a, b), "Same", a, b) }
func NotSame(t TestingT, a, b any_, m ...any_) bool  { return hold(t, !h.Pointed(a, b), "NotSame", a) }
func True(t TestingT, a bool, m ...any_) bool        { return hold(t, a, "True") }
func False(t TestingT, a bool, m ...any_) bool       { return hold(t, !a, "False") }
func Nil(t TestingT, a any_, m ...any_) bool         { return hold(t, h.Nil(a), "Nil", a) }
func NotNil(t TestingT, a any_, m ...any_) bool      { return hold(t, !h.Nil(a), "NotNil") }
func NoError(t TestingT, err error, m ...any_) bool  { return hold(t, err == nil, "NoError", err) }
func Error(t TestingT, err error, m ...any_) bool    { return hold(t, err != nil, "Error") }
func ErrorIs(t TestingT, err, other error, m ...any_) bool {
	return hold(t, errors.Is(err, other), "ErrorIs", err)
}
func NotErrorIs(t TestingT, err, other error, m ...any_) bool {
	return hold(t, !errors.Is(err, other), "NotErrorIs", err)
}
func ErrorAs(t TestingT, err error, to any_, m ...any_) bool {
	return hold(t, errors.As(err, to), "ErrorAs", err)
}
func EqualError(t TestingT, err error, text string, m ...any_) bool {
	return hold(t, err != nil && err.Error() == text, "EqualError", err)
}
func ErrorContains(t TestingT, err error, text string, m ...any_) bool {
	return hold(t, err != nil && strings.Contains(err.Error(), text), "ErrorContains", err)
}
func Len(t TestingT, a any_, count int, m ...any_) bool {
	return hold(t, reflect.ValueOf(a).Len() == count, "Len", a)
}
func Empty(t TestingT, a any_, m ...any_) bool          { return hold(t, h.Empty(a), "Empty", a) }
func NotEmpty(t TestingT, a any_, m ...any_) bool       { return hold(t, !h.Empty(a), "NotEmpty") }
func Zero(t TestingT, a any_, m ...any_) bool           { return hold(t, a == nil || reflect.ValueOf(a).IsZero(), "Zero", a) }
func NotZero(t TestingT, a any_, m ...any_) bool        { return hold(t, a != nil && !reflect.ValueOf(a).IsZero(), "NotZero") }
func Contains(t TestingT, a, b any_, m ...any_) bool    { return hold(t, h.Holds(a, b), "Contains", a, b) }
func NotContains(t TestingT, a, b any_, m ...any_) bool { return hold(t, !h.Holds(a, b), "NotContains", a, b) }
func ElementsMatch(t TestingT, a, b any_, m ...any_) bool {
	return hold(t, h.SameItems(a, b), "ElementsMatch", a, b)
}
func Greater(t TestingT, a, b any_, m ...any_) bool        { return hold(t, h.Compared(a, b) > 0, "Greater", a, b) }
func GreaterOrEqual(t TestingT, a, b any_, m ...any_) bool { return hold(t, h.Compared(a, b) >= 0, "GreaterOrEqual", a, b) }
func Less(t TestingT, a, b any_, m ...any_) bool           { return hold(t, h.Compared(a, b) < 0, "Less", a, b) }
func LessOrEqual(t TestingT, a, b any_, m ...any_) bool    { return hold(t, h.Compared(a, b) <= 0, "LessOrEqual", a, b) }
func Positive(t TestingT, a any_, m ...any_) bool          { return hold(t, h.Number(a) > 0, "Positive", a) }
func Negative(t TestingT, a any_, m ...any_) bool          { return hold(t, h.Number(a) < 0, "Negative", a) }
func InDelta(t TestingT, a, b any_, most float64, m ...any_) bool {
	return hold(t, math.Abs(h.Number(a)-h.Number(b)) <= most, "InDelta", a, b)
}
func InEpsilon(t TestingT, a, b any_, most float64, m ...any_) bool {
	return hold(t, math.Abs(h.Number(a)-h.Number(b)) <= most*math.Abs(h.Number(a)), "InEpsilon", a, b)
}
func IsType(t TestingT, a, b any_, m ...any_) bool {
	return hold(t, reflect.TypeOf(a) == reflect.TypeOf(b), "IsType", b)
}
func Panics(t TestingT, f func(), m ...any_) bool {
	did, _ := h.Panicked(f)
	return hold(t, did, "Panics")
}
func NotPanics(t TestingT, f func(), m ...any_) bool {
	did, _ := h.Panicked(f)
	return hold(t, !did, "NotPanics")
}
func PanicsWithValue(t TestingT, value any_, f func(), m ...any_) bool {
	did, found := h.Panicked(f)
	return hold(t, did && h.Same(value, found), "PanicsWithValue", value)
}
func PanicsWithError(t TestingT, text string, f func(), m ...any_) bool {
	did, found := h.Panicked(f)
	err, isError := found.(error)
	return hold(t, did && isError && err.Error() == text, "PanicsWithError", found)
}
func Condition(t TestingT, f func() bool, m ...any_) bool { return hold(t, f(), "Condition") }
func Subset(t TestingT, a, b any_, m ...any_) bool        { return hold(t, h.HoldsAll(a, b), "Subset", a, b) }
func NotSubset(t TestingT, a, b any_, m ...any_) bool     { return hold(t, !h.HoldsAll(a, b), "NotSubset", a, b) }
func WithinDuration(t TestingT, a, b time.Time, most time.Duration, m ...any_) bool {
	return hold(t, a.Sub(b) <= most && b.Sub(a) <= most, "WithinDuration", a, b)
}
func Eventually(t TestingT, f func() bool, wait, tick time.Duration, m ...any_) bool {
	held := false
	for end := time.Now().Add(wait); !held && time.Now().Before(end); {
		time.Sleep(tick)
		held = f()
	}
	return hold(t, held, "Eventually")
}
func Implements(t TestingT, a, b any_, m ...any_) bool {
	return hold(t, b != nil && reflect.TypeOf(b).Implements(reflect.TypeOf(a).Elem()), "Implements", b)
}
func Fail(t TestingT, text string, m ...any_) bool    { return hold(t, false, text) }
func FailNow(t TestingT, text string, m ...any_) bool { return h.Hold(t, true, false, text) }
