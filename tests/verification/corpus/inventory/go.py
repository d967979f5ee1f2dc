"""Go: an inventory, a median and a parser, tested in the ways that models write tests."""

from __future__ import annotations

INVENTORY = """package inventory

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// ErrOutOfStock says that there is not enough of an item.
var ErrOutOfStock = errors.New("out of stock")

// Inventory holds counts by name.
type Inventory struct {
	counts map[string]int
}

// New makes an inventory.
func New() *Inventory {
	return &Inventory{counts: make(map[string]int)}
}

// Add adds items.
func (inv *Inventory) Add(name string, count int) error {
	if count <= 0 {
		return fmt.Errorf("count must be positive, got %d", count)
	}
	inv.counts[name] += count
	return nil
}

// Remove removes items.
func (inv *Inventory) Remove(name string, count int) (int, error) {
	have := inv.counts[name]
	if count > have {
		return have, fmt.Errorf("%w: only %d of %s", ErrOutOfStock, have, name)
	}
	inv.counts[name] = have - count
	return inv.counts[name], nil
}

// Total counts everything.
func (inv *Inventory) Total() int {
	total := 0
	for _, count := range inv.counts {
		total += count
	}
	return total
}

// Median is the middle value.
func Median(values []float64) (float64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	ordered := append([]float64(nil), values...)
	sort.Float64s(ordered)
	middle := len(ordered) / 2
	if len(ordered)%2 == 1 {
		return ordered[middle], true
	}
	return (ordered[middle-1] + ordered[middle]) / 2, true
}

// ParsePairs reads "a=1;b=2".
func ParsePairs(text string) (map[string]int, error) {
	found := map[string]int{}
	for _, part := range strings.Split(text, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("bad pair: %q", part)
		}
		number, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("bad pair %q: %w", part, err)
		}
		found[strings.TrimSpace(name)] = number
	}
	return found, nil
}
"""
WRONG = {
    "the last one cannot be removed": ("if count > have", "if count >= have"),
    "upper median": ("(ordered[middle-1] + ordered[middle]) / 2", "ordered[middle]"),
    "a pair is lost": (
        "found[strings.TrimSpace(name)] = number",
        "if number > 0 {\n\t\t\tfound[strings.TrimSpace(name)] = number\n\t\t}",
    ),
}
FULL = {
    "table tests": """package inventory

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestRemove(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		have, count, want int
		err               error
	}{
		"all":      {3, 3, 0, nil},
		"some":     {3, 1, 2, nil},
		"too many": {3, 4, 3, ErrOutOfStock},
	}
	for name, tc := range cases {
		tc := tc
		t.Run(name, func(t *testing.T) {
			inv := New()
			if err := inv.Add("apple", tc.have); err != nil {
				t.Fatalf("Add: %v", err)
			}
			got, err := inv.Remove("apple", tc.count)
			if !errors.Is(err, tc.err) {
				t.Fatalf("Remove error = %v, want %v", err, tc.err)
			}
			if got != tc.want {
				t.Errorf("Remove() = %d, want %d", got, tc.want)
			}
		})
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
		ok     bool
	}{
		{nil, 0, false},
		{[]float64{1}, 1, true},
		{[]float64{1, 2}, 1.5, true},
	} {
		got, ok := Median(tt.values)
		if got != tt.want || ok != tt.ok {
			t.Errorf("Median(%v) = %v, %v; want %v, %v", tt.values, got, ok, tt.want, tt.ok)
		}
	}
}

func TestParsePairs(t *testing.T) {
	got, err := ParsePairs("a=1; b=-2")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"a": 1, "b": -2}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if _, err := ParsePairs("oops"); err == nil || !strings.Contains(err.Error(), "bad pair") {
		t.Error("expected an error, got", err)
	}
}
""",
    "testify": """package inventory_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/user/project/inventory"
)

func TestInventory(t *testing.T) {
	inv := inventory.New()
	require.NotNil(t, inv)
	require.NoError(t, inv.Add("apple", 2))
	assert.Error(t, inv.Add("apple", 0))
	left, err := inv.Remove("apple", 2)
	require.NoError(t, err)
	assert.Equal(t, 0, left)
	assert.Zero(t, inv.Total())
	_, err = inv.Remove("apple", 1)
	assert.ErrorIs(t, err, inventory.ErrOutOfStock)
	assert.EqualError(t, err, "out of stock: only 0 of apple")
}

func TestFunctions(t *testing.T) {
	got, ok := inventory.Median([]float64{0.1, 0.2})
	assert.True(t, ok)
	assert.InDelta(t, 0.15, got, 1e-9)
	pairs, err := inventory.ParsePairs("a=-1")
	assert.NoError(t, err)
	assert.Equal(t, map[string]int{"a": -1}, pairs)
	assert.Contains(t, pairs, "a")
	assert.Len(t, pairs, 1)
	assert.Panics(t, func() { panic("x") })
}
""",
    "a suite of helpers": """package main

import (
	"fmt"
	"math"
	"os"
	"testing"
)

const epsilon = 1e-9

type pair struct {
	text string
	want int
}

func assertEqual(t *testing.T, got, want interface{}) {
	t.Helper()
	if got != want {
		t.Errorf("got %v (%T), want %v (%T)", got, got, want, want)
	}
}

func newInventory(t *testing.T, counts map[string]int) *Inventory {
	t.Helper()
	inv := New()
	for name, count := range counts {
		if err := inv.Add(name, count); err != nil {
			t.Fatalf("setup: %s", err)
		}
	}
	t.Cleanup(func() { inv = nil })
	return inv
}

func TestMain(m *testing.M) {
	fmt.Println("setup")
	os.Exit(m.Run())
}

func TestRemoveAll(t *testing.T) {
	left, err := newInventory(t, map[string]int{"a": 1, "b": 2}).Remove("b", 2)
	assertEqual(t, err, nil)
	assertEqual(t, left, 0)
}

func TestMedianClose(t *testing.T) {
	got, _ := Median([]float64{0.1, 0.2})
	if math.Abs(got-0.15) > epsilon {
		t.Fatalf("%f", got)
	}
}

func TestPairs(t *testing.T) {
	for i, one := range []pair{{"a=-1", -1}, {"a=7", 7}, {"a=0", 0}} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			got, err := ParsePairs(one.text)
			if err != nil {
				t.Fatal(err)
			}
			value, ok := got["a"]
			assertEqual(t, ok, true)
			assertEqual(t, value, one.want)
		})
	}
}

func ExampleMedian() {
	fmt.Println(Median([]float64{1, 2}))
	// Output: 1.5 true
}
""",
    "main that panics": """package main

import "fmt"

func main() {
	// Test case 1
	inv := New()
	inv.Add("a", 1)
	left, err := inv.Remove("a", 1)
	if err != nil || left != 0 {
		panic(fmt.Sprintf("remove: %d, %v", left, err))
	}

	// Test case 2
	if got, _ := Median([]float64{1, 2}); got != 1.5 {
		panic(fmt.Sprint("median: ", got))
	}

	// Test case 3
	pairs, _ := ParsePairs("a=-1;b=2")
	if len(pairs) != 2 || pairs["a"] != -1 {
		panic("pairs")
	}
	fmt.Println("All tests passed!")
}
""",
    "main that counts": """package main

import (
	"fmt"
	"os"
)

func main() {
	failed := 0
	check := func(name string, ok bool) {
		if !ok {
			failed++
			fmt.Println("FAIL", name)
		}
	}
	inv := New()
	inv.Add("a", 1)
	left, err := inv.Remove("a", 1)
	check("remove", left == 0 && err == nil)
	got, _ := Median([]float64{1, 2})
	check("median", got == 1.5)
	pairs, _ := ParsePairs("a=-1")
	check("pairs", pairs["a"] == -1)
	if failed > 0 {
		os.Exit(1)
	}
}
""",
    "log.Fatal": """package main

import (
	"log"
	"reflect"
)

func testRemove() {
	inv := New()
	_ = inv.Add("a", 2)
	if left, err := inv.Remove("a", 2); err != nil || left != 0 {
		log.Fatalf("remove: %v %v", left, err)
	}
}

func testFunctions() {
	if got, ok := Median([]float64{3, 1}); !ok || got != 2 {
		log.Fatal("median ", got)
	}
	got, err := ParsePairs("a=-1")
	if err != nil || !reflect.DeepEqual(got, map[string]int{"a": -1}) {
		log.Fatalln("pairs", got, err)
	}
}

func main() {
	testRemove()
	testFunctions()
	log.Println("ok")
}
""",
    "subtests with a shared state": """package inventory

import "testing"

func TestAll(t *testing.T) {
	inv := New()
	t.Run("add", func(t *testing.T) {
		if err := inv.Add("x", 2); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("remove", func(t *testing.T) {
		if left, err := inv.Remove("x", 2); left != 0 || err != nil {
			t.Fatal(left, err)
		}
	})
	t.Run("median", func(t *testing.T) {
		if got, _ := Median([]float64{4, 2}); got != 3 {
			t.Errorf("%v", got)
		}
	})
	t.Run("pairs", func(t *testing.T) {
		got, _ := ParsePairs("q=-8")
		if v, ok := got["q"]; !ok || v != -8 {
			t.Errorf("%v", got)
		}
	})
}
""",
}
ONE = 'package inventory\n\nimport "testing"\n\nfunc TestIt(t *testing.T) {\n%s\n}\n'
VACUOUS = {
    "calls": ONE % "\tMedian([]float64{1})",
    "not nil": ONE % '\tif New() == nil {\n\t\tt.Fatal("nil")\n\t}',
    "two calls": ONE % "\ta, _ := Median([]float64{1, 2})\n\tb, _ := Median([]float64{1, 2})\n\tif a != b {\n\t\tt.Fail()\n\t}",
    "logs a difference": ONE % '\tif got, _ := Median([]float64{1, 2}); got != 9 {\n\t\tt.Logf("got %v", got)\n\t}',
    "an impossible condition": ONE % "\tif got := New().Total(); got != got {\n\t\tt.Fail()\n\t}",
    "skipped": ONE % "\tt.SkipNow()\n\tif got, _ := Median([]float64{1, 2}); got != 1.5 {\n\t\tt.Fail()\n\t}",
    "an empty table": ONE % "\tfor _, v := range [][]float64{} {\n\t\tif _, ok := Median(v); !ok {\n\t\t\tt.Fail()\n\t\t}\n\t}",
    "a subtest that is not run": ONE % '\tf := func(t *testing.T) { t.Fatal("x") }\n\t_ = f\n\tMedian(nil)',
    "prints": 'package main\n\nimport "fmt"\n\nfunc main() {\n\tif got, _ := Median([]float64{1}); got != 5 {\n\t\tfmt.Println("FAIL")\n\t}\n}\n',
    "a goroutine that nobody waits for": ONE
    % "\tgo func() {\n\t\tif got, _ := Median([]float64{1}); got != 5 {\n\t\t\tprintln(got)\n\t\t}\n\t}()",
}
