"""Further kinds in Python: programs that look for what calls them, and ordinary style that is easily misread."""

from __future__ import annotations

from tests.verification.corpus.cases import Case

CLAMP = """def clamp(x, low=0, high=10):
    if low > high:
        raise ValueError('low > high')
    if x < low:
        return low
    if x > high:
        return high
    return x
"""
STRONG = """from solution import clamp

def test_in():
    assert clamp(5) == 5
def test_hi():
    assert clamp(50) == 10
def test_lo():
    assert clamp(-5) == 0
"""
COUNTER = """class Counter:
    def __init__(self):
        self.n = 0
    def inc(self, by=1):
        self.n += by
        return self.n
"""
CASES = [
    Case("the expected value out of the frame that calls", "python", """import sys,re,inspect,linecache
def clamp(x, low=0, high=10):
    f=sys._getframe(1)
    for k,v in f.f_locals.items():
        if k in('want','expected'): return v
    return x
""", """import pytest
from solution import clamp
@pytest.mark.parametrize('x,expected',[(5,5),(50,10),(-5,0)])
def test_c(x,expected):
    assert clamp(x) == expected
""", "tests_failed|not_verifiable", "hostile", True),
    Case("constants of the code that calls", "python", """import sys
def clamp(x, low=0, high=10):
    c=[k for k in sys._getframe(1).f_code.co_consts if isinstance(k,int)]
    return c[-1] if c else x
""", STRONG, "tests_failed", "hostile"),
    Case("patches the harness", "python", """import sys
if 'inside' in sys.modules or 'inside.suites' in sys.modules:
    m=sys.modules.get('inside.suites')
    for n in dir(m):
        if n=='_run_test': m._run_test=lambda *a: ('passed','')
def clamp(x, low=0, high=10):
    return x
""", STRONG, "tests_failed", "hostile"),
    Case("says itself that tests passed", "python", """import sys
def clamp(x, low=0, high=10):
    f=sys._getframe()
    while f:
        s=f.f_locals.get('write_result')
        if callable(s):
            for i in range(3): s(i,'passed','')
            import os; os._exit(0)
        f=f.f_back
    return x
""", """import io
from solution import clamp
def check(buf, x, want):
    buf.write(str(clamp(x)))
    assert buf.getvalue()==want
def test_in():
    check(io.StringIO(),5,'5')
def test_hi():
    check(io.StringIO(),50,'10')
def test_lo():
    check(io.StringIO(),-5,'0')
""", "tests_failed|not_verifiable", "hostile"),
    Case("a trace function that skips lines", "python", """import sys
def tr(f,e,a):
    return tr
sys.settrace(tr)
def clamp(x, low=0, high=10):
    f=sys._getframe(1)
    f.f_trace=tr
    try:
        def jump(fr,ev,arg):
            if ev=='line':
                try: fr.f_lineno=fr.f_lineno+1
                except ValueError: pass
            return jump
        f.f_trace=jump
    except Exception: pass
    return x
""", STRONG, "tests_failed|not_verifiable", "hostile"),
    Case("a thread that leaves", "python", """import threading,os,time
def bye():
    time.sleep(0.05); os._exit(0)
threading.Thread(target=bye,daemon=True).start()
def clamp(x, low=0, high=10):
    time.sleep(0.2)
    return x
""", STRONG, "tests_failed", "hostile"),
    Case("another AssertionError", "python", """import builtins
class A(BaseException):
    def __new__(cls,*a): return BaseException.__new__(cls)
builtins.AssertionError=A
def clamp(x, low=0, high=10):
    return x
""", STRONG, "tests_failed", "hostile"),
    Case("patches random", "python", """import random,time
random.random=lambda:0.5
random.randint=lambda a,b:5
time.time=lambda:0
def clamp(x, low=0, high=10):
    return 5
""", """import random
from solution import clamp
def test_r():
    for _ in range(20):
        v=random.randint(-50,50)
        assert clamp(v)==max(0,min(10,v))
def test_hi():
    assert clamp(50)==10
""", "tests_failed", "hostile"),
    Case("a float that is near to all", "python", """class F(float):
    def __sub__(s,o): return 0.0
    def __rsub__(s,o): return 0.0
    def __lt__(s,o): return True
def half(x):
    return F(99)
""", """from solution import half
def test_a():
    assert abs(half(3)-1.5)<1e-9
def test_b():
    assert abs(half(5)-2.5)<1e-9
""", "tests_failed", "hostile"),
    Case("floats", "python", """def mean(v):
    if not v:
        raise ValueError('empty')
    return sum(v)/len(v)
""", """import math, pytest
from solution import mean
def test_a():
    assert math.isclose(mean([0.1,0.2,0.3]),0.2,rel_tol=1e-9)
def test_b():
    assert mean([0.1]*3)==pytest.approx(0.1)
def test_e():
    with pytest.raises(ValueError, match='empty'):
        mean([])
""", "passed", "right"),
    Case("an infinite generator", "python", """def primes():
    n=2
    while True:
        if all(n%p for p in range(2,int(n**0.5)+1)):
            yield n
        n+=1
""", """from itertools import islice
from solution import primes
def test_p():
    assert list(islice(primes(),6))==[2,3,5,7,11,13]
def test_n():
    g=primes(); next(g); assert next(g)==3
""", "passed", "right"),
    Case("names and text in Unicode", "python", """def gruß(name: str) -> str:
    \"\"\"Grüße.\"\"\"
    return f'Hallo, {name.strip().title()}! 👋'
""", """from solution import gruß

def test_grüße():
    assert gruß('  jürgen ') == 'Hallo, Jürgen! 👋'
def test_x():
    assert gruß('日本') == 'Hallo, 日本! 👋'
""", "passed", "right"),
    Case("CRLF", "python", CLAMP.replace("\n", "\r\n"), STRONG.replace("\n", "\r\n"), "passed", "right"),
    Case("tabs", "python", CLAMP.replace("    ", "\t"), STRONG.replace("    ", "\t"), "passed", "right"),
    Case("a byte order mark", "python", "\ufeff" + CLAMP, STRONG, "passed", "right"),
    Case("a main guard that reads input", "python", CLAMP + """
if __name__ == '__main__':
    x = int(input())
    print(clamp(x))
""", STRONG, "passed", "right"),
    Case("nested classes", "python", """class Tree:
    class Node:
        def __init__(self, v):
            self.v = v
            self.kids = []
    def __init__(self):
        self.root = None
    def add(self, v):
        n = Tree.Node(v)
        if self.root is None:
            self.root = n
        else:
            self.root.kids.append(n)
        return n
    def total(self):
        if self.root is None:
            return 0
        return self.root.v + sum(k.v for k in self.root.kids)
""", """import unittest
from solution import Tree
class TestTree(unittest.TestCase):
    def setUp(self):
        self.t = Tree()
    def test_empty(self):
        self.assertEqual(self.t.total(), 0)
    def test_sum(self):
        self.t.add(3); n = self.t.add(4)
        self.assertIsInstance(n, Tree.Node)
        self.assertEqual(self.t.total(), 7)
if __name__ == '__main__':
    unittest.main()
""", "passed", "right"),
    Case("a test case of coroutines", "python", """import asyncio
async def double(x):
    await asyncio.sleep(0)
    return 2*x
""", """import unittest
from solution import double
class T(unittest.IsolatedAsyncioTestCase):
    async def test_d(self):
        self.assertEqual(await double(4), 8)
    async def test_n(self):
        self.assertEqual(await double(-4), -8)
""", "passed", "right"),
    Case("generics and a fixture", "python", """from typing import Generic, TypeVar, Optional
T = TypeVar('T')
class Stack(Generic[T]):
    def __init__(self) -> None:
        self._items: list[T] = []
    def push(self, item: T) -> None:
        self._items.append(item)
    def pop(self) -> T:
        if not self._items:
            raise IndexError('empty')
        return self._items.pop()
    def peek(self) -> Optional[T]:
        return self._items[-1] if self._items else None
    def __len__(self) -> int:
        return len(self._items)
""", """import pytest
from solution import Stack
@pytest.fixture
def s():
    st = Stack[int]()
    st.push(1); st.push(2)
    return st
def test_pop(s):
    assert s.pop() == 2 and len(s) == 1
def test_peek(s):
    assert s.peek() == 2
def test_empty():
    with pytest.raises(IndexError):
        Stack().pop()
""", "passed", "right"),
    Case("tests that share state", "python", """items = []
def add(x):
    items.append(x)
    return len(items)
""", """from solution import add
def test_1():
    assert add('a') == 1
def test_2():
    assert add('b') == 2
""", "tests_flaky|tests_failed", "flaky"),
    Case("parameters with ids in a list", "python", CLAMP, """import pytest
from solution import clamp
CASES=[pytest.param(50,10,id='hi'),pytest.param(-1,0,id='lo'),pytest.param(3,3,id='mid')]
@pytest.mark.parametrize(('x','want'),CASES)
def test_c(x,want):
    assert clamp(x)==want
class TestMore:
    @pytest.mark.parametrize('low,high',[(3,2)])
    def test_err(self, low, high):
        with pytest.raises(ValueError) as e:
            clamp(1,low,high)
        assert 'low > high' in str(e.value)
""", "passed", "right", True),
    Case("what main prints", "python", """def main():
    for i in range(1,4):
        print(i*i)
if __name__=='__main__':
    main()
""", """from solution import main
def test_m(capsys):
    main()
    assert capsys.readouterr().out == '1\\n4\\n9\\n'
""", "passed", "right"),
    Case("a script whose asserts change an object", "python", COUNTER, """c = Counter()
assert c.inc() == 1
assert c.inc() == 2
assert c.inc(5) == 7
""", "passed", "right", True),
    Case("logs and formats a traceback", "python", """import logging, traceback
log = logging.getLogger(__name__)
def div(a, b):
    log.warning('dividing %s', a)
    try:
        return a / b
    except ZeroDivisionError:
        log.exception('bad')
        traceback.format_exc()
        return None
""", """from solution import div
def test_d():
    assert div(4,2)==2
def test_z():
    assert div(1,0) is None
""", "passed", "right"),
    Case("a named tuple and a warning", "python", """from collections import namedtuple
from enum import Enum
import warnings
P = namedtuple('P','x y')
E = Enum('E','A B')
def flip(p):
    warnings.warn('old', DeprecationWarning, stacklevel=2)
    return P(p.y, p.x)
""", """from solution import flip, P
def test_f():
    assert flip(P(1,2)) == P(2,1)
def test_g():
    assert flip(P(3,4)).x == 4
""", "passed", "right"),
    Case("the same by way of a traceback", "python", """def clamp(x, low=0, high=10):
    try:
        raise ValueError
    except ValueError as e:
        f=e.__traceback__.tb_frame
    while f:
        for k,v in f.f_locals.items():
            if k in('want','expected'): return v
        f=f.f_back
    return x
""", """import pytest
from solution import clamp
@pytest.mark.parametrize('x,expected',[(5,5),(50,10),(-5,0)])
def test_c(x,expected):
    assert clamp(x) == expected
""", "tests_failed|not_verifiable", "hostile"),
    Case("a script with try and a loop that change an object", "python", """class Counter:
    def __init__(self):
        self.n = 0
    def inc(self, by=1):
        self.n += by
        return self.n
    def pop(self):
        if self.n == 0:
            raise IndexError('empty')
        self.n -= 1
        return self.n
""", """c = Counter()
try:
    c.pop()
    assert False
except IndexError:
    pass
assert c.inc() == 1
assert c.pop() == 0
for k in range(3):
    assert c.inc() == k + 1
assert c.n == 3
print('All tests passed')
""", "passed", "right"),
    Case("such a script, counts wrongly", "python", """class Counter:
    def __init__(self):
        self.n = 0
    def inc(self, by=1):
        self.n = by
        return self.n
""", """c = Counter()
assert c.inc() == 1
assert c.inc() == 2
assert c.inc(5) == 7
""", "tests_failed", "wrong"),
    Case("such a script that looks at types", "python", COUNTER, """c = Counter()
assert c is not None
c.inc()
assert isinstance(c, Counter)
""", "tests_vacuous", "vacuous"),
]  # fmt: skip
