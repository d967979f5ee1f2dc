"""testify's assertion objects, functions in tables and suites."""

from __future__ import annotations

from tests.verification.corpus.cases import Case, adder

CASES: list[Case] = []
add = adder(CASES, "go")

STORE = """package store

import (
	"encoding/json"
	"errors"
	"fmt"
)

var ErrMissing = errors.New("missing")

type Loader interface{ Load(key string) (int, error) }

type Store struct {
	Loads  int
	items  map[string]int
	loader Loader
}

func New(loader Loader) *Store { return &Store{items: map[string]int{}, loader: loader} }

func (s *Store) Get(key string) (int, error) {
	if key == "" {
		return 0, errors.New("empty key")
	}
	if value, ok := s.items[key]; ok {
		return value, nil
	}
	s.Loads++
	value, err := s.loader.Load(key)
	if err != nil {
		return 0, fmt.Errorf("load %q: %w", key, err)
	}
	s.items[key] = value
	return value, nil
}

func (s *Store) JSON() string {
	text, _ := json.Marshal(s.items)
	return string(text)
}

func Keys(s *Store) []string {
	found := []string{}
	for key := range s.items {
		found = append(found, key)
	}
	return found
}

func Positive(n int) int {
	if n <= 0 {
		panic(fmt.Errorf("%d is not positive", n))
	}
	return n
}
"""
NOT_WRAPPED = STORE.replace("%q: %w", "%q: %v")
NEVER_STORED = STORE.replace("\ts.items[key] = value\n", "")
EMPTY_KEY = STORE.replace('if key == ""', "if false")
ZERO = STORE.replace("n <= 0", "n < 0")

FAKE = """
type fake map[string]int

func (f fake) Load(key string) (int, error) {
	if value, ok := f[key]; ok {
		return value, nil
	}
	return 0, ErrMissing
}
"""
OBJECTS = (
    """package store

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)
"""
    + FAKE
    + """
func TestGet(t *testing.T) {
	for name, tt := range map[string]struct {
		key     string
		want    int
		wantErr assert.ErrorAssertionFunc
	}{
		"there":   {"a", 1, assert.NoError},
		"missing": {"b", 0, func(t assert.TestingT, err error, i ...interface{}) bool { return assert.ErrorIs(t, err, ErrMissing, i...) }},
		"empty":   {"", 0, func(t assert.TestingT, err error, i ...interface{}) bool { return assert.EqualError(t, err, "empty key") }},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := New(fake{"a": 1}).Get(tt.key)
			if !tt.wantErr(t, err, "Get(%q)", tt.key) {
				return
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestRequired(t *testing.T) {
	var wantErr require.ErrorAssertionFunc = func(t require.TestingT, err error, _ ...interface{}) { require.ErrorIs(t, err, ErrMissing) }
	_, err := New(fake{}).Get("b")
	wantErr(t, err)
}

func TestObjects(t *testing.T) {
	assert, must := assert.New(t), require.New(t)
	s := New(fake{"a": 1, "b": 2})
	_, err := s.Get("a")
	must.NoError(err)
	_, err = s.Get("b")
	must.NoErrorf(err, "of %s", "b")
	must.JSONEq(`{"b": 2, "a": 1}`, s.JSON())
	assert.Subset(Keys(s), []string{"b"})
	assert.NotSame(New(nil), New(nil))
	assert.PanicsWithError("0 is not positive", func() { Positive(0) })
	assert.Equalf(3, Positive(3), "of %d", 3)
	assert.Regexp("^[{].*[}]$", s.JSON())
}
"""
)
add("testify objects and functions in tables", "right", STORE, OBJECTS)
add("testify objects, error not wrapped", "wrong", NOT_WRAPPED, OBJECTS)
add("testify objects, nothing stored", "wrong", NEVER_STORED, OBJECTS)
add("testify objects, empty key", "wrong", EMPTY_KEY, OBJECTS)
add("testify objects, zero is positive", "wrong", ZERO, OBJECTS)

SUITE = (
    """package store

import (
	"testing"

	"github.com/stretchr/testify/suite"
)
"""
    + FAKE
    + """
type StoreSuite struct {
	suite.Suite
	store *Store
	done  int
}

func (s *StoreSuite) SetupTest()    { s.store = New(fake{"a": 7}) }
func (s *StoreSuite) TearDownTest() { s.done++ }
func (s *StoreSuite) TearDownSuite() { s.Equal(3, s.done) }

func (s *StoreSuite) TestLoadsOnce() {
	for i := 0; i < 2; i++ {
		got, err := s.store.Get("a")
		s.Require().NoError(err)
		s.Equal(7, got)
	}
	s.Equal(1, s.store.Loads)
	s.JSONEq(`{"a": 7}`, s.store.JSON())
}

func (s *StoreSuite) TestErrors() {
	_, err := s.store.Get("z")
	s.ErrorIs(err, ErrMissing)
	s.Assert().EqualErrorf(err, `load "z": missing`, "of %s", "z")
	s.Zero(len(Keys(s.store)))
	_, err = s.store.Get("")
	s.EqualError(err, "empty key")
}

func (s *StoreSuite) TestPositive() {
	s.Run("zero", func() { s.Require().Panics(func() { Positive(0) }) })
	s.Run("one", func() { s.Equal(1, Positive(1)) })
}

func TestStoreSuite(t *testing.T) { suite.Run(t, new(StoreSuite)) }
"""
)
add("testify suite", "right", STORE, SUITE)
add("testify suite, error not wrapped", "wrong", NOT_WRAPPED, SUITE)
add("testify suite, nothing stored", "wrong", NEVER_STORED, SUITE)
add("testify suite, zero is positive", "wrong", ZERO, SUITE)
add("testify suite without a test", "vacuous", STORE, SUITE.replace(") Test", ") Its").replace("s.Equal(3", "s.Equal(0"))
