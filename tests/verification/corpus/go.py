from __future__ import annotations

from tests.verification.corpus.cases import Case

CLAMP = """package main

import (
	"errors"
	"strings"
)

var ErrBounds = errors.New("low > high")

type Counter struct {
	seen map[string]int
}

func NewCounter() *Counter {
	return &Counter{seen: map[string]int{}}
}

func (c *Counter) Add(word string) int {
	c.seen[strings.ToLower(word)]++
	return c.seen[strings.ToLower(word)]
}

func Clamp(x, low, high int) (int, error) {
	if low > high {
		return 0, ErrBounds
	}
	if x < low {
		return low, nil
	}
	if x > high {
		return high, nil
	}
	return x, nil
}

func double(items []int) []int {
	found := make([]int, 0, len(items))
	for _, item := range items {
		found = append(found, 2*item)
	}
	return found
}
"""
TABLE = """package main

import (
	"reflect"
	"testing"
)

func TestClamp(t *testing.T) {
	tests := []struct {
		name string
		x, low, high, want int
		wantErr bool
	}{
		{"inside", 5, 0, 10, 5, false},
		{"high", 11, 0, 10, 10, false},
		{"low", -1, 0, 10, 0, false},
		{"wrong bounds", 1, 3, 2, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Clamp(tt.x, tt.low, tt.high)
			if (err != nil) != tt.wantErr {
				t.Fatalf("error = %v, want error %v", err, tt.wantErr)
			}
			if got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestDouble(t *testing.T) {
	if got := double([]int{1, 2}); !reflect.DeepEqual(got, []int{2, 4}) {
		t.Errorf("got %v", got)
	}
}

func TestCounter(t *testing.T) {
	c := NewCounter()
	c.Add("A")
	if got := c.Add("a"); got != 2 {
		t.Errorf("got %d", got)
	}
}

func BenchmarkClamp(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Clamp(5, 0, 10)
	}
}
"""
TESTIFY = """package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClamp(t *testing.T) {
	got, err := Clamp(11, 0, 10)
	require.NoError(t, err)
	assert.Equal(t, 10, got, "above")
	got, err = Clamp(-1, 0, 10)
	require.NoError(t, err)
	assert.Equal(t, 0, got)
	_, err = Clamp(1, 3, 2)
	assert.ErrorIs(t, err, ErrBounds)
}

func TestDouble(t *testing.T) {
	assert.Len(t, double([]int{1}), 1)
	assert.ElementsMatch(t, []int{4, 2}, double([]int{1, 2}))
}
"""
EXTERNAL = """package clamp_test

import (
	"testing"

	"example.com/project/clamp"
)

func mustClamp(t *testing.T, x int) int {
	t.Helper()
	got, err := clamp.Clamp(x, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestEnds(t *testing.T) {
	if mustClamp(t, 11) != 10 || mustClamp(t, -1) != 0 || mustClamp(t, 5) != 5 {
		t.Fail()
	}
	var c *clamp.Counter = clamp.NewCounter()
	if c.Add("x") != 1 {
		t.Error("first")
	}
}
"""
MAIN = """package main

import "fmt"

func main() {
	if got, _ := Clamp(11, 0, 10); got != 10 {
		panic(fmt.Sprintf("got %d", got))
	}
	if got, _ := Clamp(-1, 0, 10); got != 0 {
		panic("low")
	}
	if got, _ := Clamp(4, 0, 10); got != 4 {
		panic("inside")
	}
	fmt.Println("ok")
}
"""
RIGHT = {
    "table": TABLE,
    "testify": TESTIFY,
    "of another package": EXTERNAL,
    "main that panics": MAIN,
    "functions that main calls": 'package main\n\nimport "os"\n\nfunc testHigh() {\n\tif got, _ := Clamp(11, 0, 10); got != 10 {\n\t\tos.Exit(1)\n\t}\n}\n\nfunc testLow() {\n\tif got, _ := Clamp(-3, 0, 10); got != 0 {\n\t\tos.Exit(1)\n\t}\n}\n\nfunc main() {\n\ttestHigh()\n\ttestLow()\n}\n',
    "statements alone": 'if got, _ := Clamp(11, 0, 10); got != 10 {\n\tpanic("high")\n}\nif got, _ := Clamp(-1, 0, 10); got != 0 {\n\tpanic("low")\n}\n',
    "in a fence": f"```go\n{TABLE}```",
}
ONE = 'package main\n\nimport "testing"\n\nfunc TestClamp(t *testing.T) {\n%s\n}\n'
VACUOUS = {
    "asserts nothing": ONE % "\tClamp(3, 0, 10)",
    "logs": ONE % '\tgot, _ := Clamp(3, 0, 10)\n\tt.Log("got", got)',
    "equal to itself": ONE % "\ta, _ := Clamp(3, 0, 10)\n\tb, _ := Clamp(3, 0, 10)\n\tif a != b {\n\t\tt.Fail()\n\t}",
    "constants": ONE % '\tif 1+1 != 2 {\n\t\tt.Fatal("sum")\n\t}',
    "not nil only": ONE % "\tif NewCounter == nil {\n\t\tt.Fail()\n\t}",
    "recovered": ONE % '\tdefer func() { recover() }()\n\tif got, _ := Clamp(3, 0, 10); got != 9 {\n\t\tpanic("got")\n\t}',
    "never called": ONE % '\tcheck := func() {\n\t\tif got, _ := Clamp(3, 0, 10); got != 9 {\n\t\t\tt.Fail()\n\t\t}\n\t}\n\t_ = check',
    "returns early": ONE % '\tif true {\n\t\treturn\n\t}\n\tif got, _ := Clamp(3, 0, 10); got != 3 {\n\t\tt.Fail()\n\t}',
    "no case": ONE % "\tfor _, x := range []int{} {\n\t\tif got, _ := Clamp(x, 0, 10); got != x {\n\t\t\tt.Fail()\n\t\t}\n\t}",
    "skipped": ONE % '\tt.Skip("later")\n\tif got, _ := Clamp(3, 0, 10); got != 3 {\n\t\tt.Fail()\n\t}',
    "a pasted copy": "package main\n\nimport \"testing\"\n\nfunc clampHere(x int) int {\n\tif x > 10 {\n\t\treturn 10\n\t}\n\treturn x\n}\n\nfunc TestClamp(t *testing.T) {\n\tif clampHere(11) != 10 {\n\t\tt.Fail()\n\t}\n}\n",
    "shadowed": ONE % "\tClamp := func(x, low, high int) int { return x }\n\tif Clamp(3, 0, 10) != 3 {\n\t\tt.Fail()\n\t}",
    "prints": 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println(Clamp(3, 0, 10))\n}\n',
    "leaves": "package main\n\nimport \"os\"\n\nfunc main() {\n\tdefer os.Exit(0)\n\tos.Exit(0)\n}\n",
}  # fmt: skip
HEAD = 'package main\n\nimport "errors"\n\nvar ErrBounds = errors.New("x")\n\n'
HOSTILE = {
    "leaves": 'package main\n\nimport "os"\n\nfunc Clamp(x, low, high int) (int, error) {\n\tos.Exit(0)\n\treturn 0, nil\n}\n',
    "leaves before main": 'package main\n\nimport "os"\n\nfunc init() {\n\tos.Exit(0)\n}\n\nfunc Clamp(x, low, high int) (int, error) { return 0, nil }\n',
    "ends its goroutine": 'package main\n\nimport "runtime"\n\nfunc Clamp(x, low, high int) (int, error) {\n\truntime.Goexit()\n\treturn 0, nil\n}\n',
    "defines panic": "package main\n\nfunc panic(v interface{}) {}\n\nfunc Clamp(x, low, high int) (int, error) { return 0, nil }\n",
    "defines true": "package main\n\nconst true = false\n\nfunc Clamp(x, low, high int) (int, error) { return 0, nil }\n",
    "reads its environment": """package main

import (
	"fmt"
	"io/ioutil"
	"os"
	"regexp"
)

func init() {
	for _, path := range []string{"/proc/self/environ", "/proc/self/cmdline", "/dev/stdin", "/proc/self/fd/0"} {
		text, _ := ioutil.ReadFile(path)
		for _, nonce := range regexp.MustCompile("[0-9a-f]{32}").FindAllString(string(text), -1) {
			for fd := uintptr(0); fd < 20; fd++ {
				for test := 0; test < 9; test++ {
					fmt.Fprintf(os.NewFile(fd, "x"), "\\n%s %d passed \\"\\"\\n", nonce, test)
				}
			}
		}
	}
}

func Clamp(x, low, high int) (int, error) { return 0, nil }
""",
    "a thread that leaves": 'package main\n\nimport "os"\n\nfunc Clamp(x, low, high int) (int, error) {\n\tgo os.Exit(0)\n\tselect {}\n}\n',
    "handles signals": 'package main\n\nimport (\n\t"os"\n\t"os/signal"\n)\n\nfunc Clamp(x, low, high int) (int, error) {\n\tsignal.Ignore()\n\tsignal.Notify(make(chan os.Signal, 1))\n\tfor {\n\t}\n}\n',
}
WRONG = {
    "off by one": CLAMP.replace("x > high {", "x > high+1 {"),
    "swapped": CLAMP.replace("return low, nil", "return high, nil"),
    "no error": CLAMP.replace("return 0, ErrBounds", "return 0, nil"),
    "syntax": "package main\n\nfunc Clamp(x int {\n",
    "a type": CLAMP.replace("return x, nil", 'return "x", nil'),
    "panics": CLAMP.replace("return high, nil", 'panic("not implemented")'),
}
CASES = [
    *(Case(name, "go", CLAMP, tests, "passed", "right") for name, tests in RIGHT.items()),
    *(Case(name, "go", CLAMP, tests, "tests_failed|tests_vacuous" if name == "leaves" else "tests_vacuous", "vacuous") for name, tests in VACUOUS.items()),
    *(Case(name, "go", program, TESTIFY if name == "no error" else TABLE if name != "panics" else MAIN, "tests_failed", "wrong", name == "off by one") for name, program in WRONG.items()),
    *(Case(name, "go", program, MAIN, "tests_failed", "hostile") for name, program in HOSTILE.items()),
    Case("loops", "go", CLAMP.replace("return x, nil", "for {\n\t}"), MAIN, "tests_failed", "hanging"),
    Case("random", "go", CLAMP, TABLE.replace('"reflect"', '"math/rand"\n\t"reflect"\n\t"time"').replace("c := NewCounter()", "c := NewCounter()\n\trand.Seed(time.Now().UnixNano())\n\tif rand.Float64() < 0.4 {\n\t\tt.Fail()\n\t}"), "tests_flaky|tests_failed", "flaky"),
    Case("third party", "go", CLAMP.replace('"strings"', '"strings"\n\t"github.com/nobody/nothing"') + "\nvar _ = nothing.Else\n", TABLE, "not_verifiable", "elsewhere"),
    Case("third party tests", "go", CLAMP, TABLE.replace('"reflect"', '"github.com/google/go-cmp/cmp"\n\t"reflect"') + "\nvar _ = cmp.Diff\n", "not_verifiable", "elsewhere"),
    Case("network", "go", 'package main\n\nimport "net/http"\n\nfunc Clamp(x, low, high int) (int, error) {\n\t_, err := http.Get("http://example.com/")\n\tif err != nil {\n\t\tpanic(err)\n\t}\n\treturn x, nil\n}\n', MAIN, "not_verifiable", "elsewhere"),
    Case("no tests", "go", CLAMP, "package main\n\nfunc helper() int { return 1 }\n", "tests_vacuous|tests_missing", "vacuous"),
]  # fmt: skip
