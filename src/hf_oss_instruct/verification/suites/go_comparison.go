// What the common part of testify compares with.
package HIDDEN

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

type reporter interface {
	Errorf(format string, args ...interface{})
	FailNow()
}

// Same compares as testify's ObjectsAreEqual does.
func Same(a, b interface{}) bool {
	one, isOne := a.([]byte)
	other, isOther := b.([]byte)
	if isOne && isOther {
		return string(one) == string(other)
	}
	return reflect.DeepEqual(a, b)
}

// Nil is whether a value is nil, also behind an interface.
func Nil(value interface{}) bool {
	if value == nil {
		return true
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Ptr, reflect.Slice:
		return v.IsNil()
	}
	return false
}

// Empty is whether a value is zero or has no items.
func Empty(value interface{}) bool {
	if value == nil {
		return true
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Chan, reflect.Map, reflect.Slice, reflect.Array, reflect.String:
		return v.Len() == 0
	default:
		return v.IsZero()
	}
}

// Pointed is whether two pointers of the same type point to the same.
func Pointed(a, b interface{}) bool {
	one, other := reflect.ValueOf(a), reflect.ValueOf(b)
	return one.Kind() == reflect.Ptr && other.Kind() == reflect.Ptr && one.Type() == other.Type() && a == b
}

// HoldsAll is whether a list has all items of another, or a map all entries.
func HoldsAll(all, some interface{}) bool {
	v, part := reflect.ValueOf(all), reflect.ValueOf(some)
	if part.Kind() == reflect.Map {
		for _, key := range part.MapKeys() {
			found := v.MapIndex(key)
			if !found.IsValid() || !Same(found.Interface(), part.MapIndex(key).Interface()) {
				return false
			}
		}
		return true
	}
	for at := 0; at < part.Len(); at++ {
		if !Holds(all, part.Index(at).Interface()) {
			return false
		}
	}
	return true
}

// Holds is whether a string, list or map has an item.
func Holds(all, one interface{}) bool {
	if text, ok := all.(string); ok {
		return strings.Contains(text, fmt.Sprint(one))
	}
	v := reflect.ValueOf(all)
	if v.Kind() == reflect.Map {
		for _, key := range v.MapKeys() {
			if Same(key.Interface(), one) {
				return true
			}
		}
		return false
	}
	for at := 0; at < v.Len(); at++ {
		if Same(v.Index(at).Interface(), one) {
			return true
		}
	}
	return false
}

// SameItems is whether two lists have the same items in any order.
func SameItems(a, b interface{}) bool {
	one, other := reflect.ValueOf(a), reflect.ValueOf(b)
	if one.Len() != other.Len() {
		return false
	}
	used := make([]bool, other.Len())
	for at := 0; at < one.Len(); at++ {
		found := false
		for to := 0; to < other.Len() && !found; to++ {
			if !used[to] && Same(one.Index(at).Interface(), other.Index(to).Interface()) {
				used[to], found = true, true
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// Number is a number of any type as a float.
func Number(value interface{}) float64 {
	v := reflect.ValueOf(value)
	switch {
	case v.Kind() >= reflect.Int && v.Kind() <= reflect.Int64:
		return float64(v.Int())
	case v.Kind() >= reflect.Uint && v.Kind() <= reflect.Uintptr:
		return float64(v.Uint())
	}
	return v.Float()
}

// Compared is below, at or above zero as the first value is to the second.
func Compared(a, b interface{}) int {
	if one, ok := a.(string); ok {
		return strings.Compare(one, b.(string))
	}
	if one, ok := a.(time.Time); ok {
		a, b = one.Sub(b.(time.Time)), time.Duration(0)
	}
	one, other := Number(a), Number(b)
	switch {
	case one < other:
		return -1
	case one > other:
		return 1
	}
	return 0
}

// Panicked is whether a call panics, and with what.
func Panicked(f func()) (did bool, value interface{}) {
	did = true
	defer func() {
		if did {
			value = recover()
		}
	}()
	f()
	did = false
	return
}

// Hold reports what does not hold; it ends the test where that is asked for.
func Hold(t reporter, now, held bool, what string, values ...interface{}) bool {
	if !held {
		t.Errorf("%s %v", what, values)
		if now {
			t.FailNow()
		}
	}
	return held
}
