// What tests know as testify's package "suite".
package suite

import (
	"reflect"
	"strings"

	h "../HIDDEN"
	"../HIDDENassert"
	"../HIDDENrequire"
)

type TestingSuite interface {
	T() *h.T
	SetT(*h.T)
}

type Suite struct {
	*assert.Assertions
	t *h.T
}

func (s *Suite) T() *h.T                      { return s.t }
func (s *Suite) SetT(t *h.T)                  { s.t, s.Assertions = t, assert.New(t) }
func (s *Suite) Assert() *assert.Assertions   { return s.Assertions }
func (s *Suite) Require() *require.Assertions { return require.New(s.t) }
func (s *Suite) Run(name string, body func()) bool {
	before := s.t
	defer s.SetT(before)
	return before.Run(name, func(t *h.T) {
		s.SetT(t)
		body()
	})
}

// Run runs the methods `Test…` of a suite in the order of their names, each between `SetupTest` and `TearDownTest`.
func Run(t *h.T, suite TestingSuite) {
	suite.SetT(t)
	kind := reflect.TypeOf(suite)
	if one, ok := suite.(interface{ SetupSuite() }); ok {
		one.SetupSuite()
	}
	for at := 0; at < kind.NumMethod(); at++ {
		method := kind.Method(at)
		if !strings.HasPrefix(method.Name, "Test") {
			continue
		}
		t.Run(method.Name, func(child *h.T) {
			suite.SetT(child)
			defer suite.SetT(t)
			defer after(suite, kind.Elem().Name(), method.Name)
			if one, ok := suite.(interface{ SetupTest() }); ok {
				one.SetupTest()
			}
			if one, ok := suite.(interface{ BeforeTest(suite, test string) }); ok {
				one.BeforeTest(kind.Elem().Name(), method.Name)
			}
			method.Func.Call([]reflect.Value{reflect.ValueOf(suite)})
		})
	}
	if one, ok := suite.(interface{ TearDownSuite() }); ok {
		one.TearDownSuite()
	}
}

func after(suite TestingSuite, owner, method string) {
	if one, ok := suite.(interface{ AfterTest(suite, test string) }); ok {
		one.AfterTest(owner, method)
	}
	if one, ok := suite.(interface{ TearDownTest() }); ok {
		one.TearDownTest()
	}
}
