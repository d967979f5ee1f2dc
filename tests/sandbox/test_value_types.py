"""Kinds of values: an answer is equal outside of the sandbox if and only if it is equal to the expected value inside."""

# ruff: noqa: E501 (a table)

from __future__ import annotations

import enum
from collections import Counter, OrderedDict
from decimal import Decimal
from fractions import Fraction
from types import CodeType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.evaluation.oracles import equal, same_set
from hf_oss_instruct.sandbox.inside import value_types, values
from hf_oss_instruct.sandbox.judging.comparison import same
from hf_oss_instruct.sandbox.judging.judge import judge

HEAD = """
import array, enum, types, numpy as np
from collections import *
from collections.abc import *
from decimal import Decimal
from fractions import Fraction
class Three(enum.IntEnum): A = 3
class Word(str, enum.Enum): A = 'a'
class Own(Mapping):
    def __getitem__(self, key): return {1: 2}[key]
    def __iter__(self): return iter([1])
    def __len__(self): return 1
class Bag(Set):
    def __contains__(self, item): return item == 1
    def __iter__(self): return iter([1])
    def __len__(self): return 1
class Text(str): pass
class Row(list): pass
Pair = namedtuple('Pair', 'a b')
moved = OrderedDict([(1, 2), (3, 4)]); moved.move_to_end(1)
"""
ANSWERS = """
1 | True | 1.0 | 1+0j | Fraction(2, 2) | Decimal('1.00') | np.int64(1) | np.uint8(1) | np.float32(1) | np.float64(1) | np.bool_(True)
np.longdouble(1) | np.complex128(1) | np.array(1) | np.array([1]) | np.array([[1]]) | [np.array([1])] | [np.int64(1)] | (1,) | [1] | [[1]]
Fraction(1, 2) | Decimal('0.5') | Decimal('0.1') | Fraction(1, 3) | np.float64(0.5) | 0.5 | Decimal('NaN') | Decimal('1e400') | 10**400
Three.A | 3 | np.array([1, 2, 3]) | np.array([]) | np.array([[1, 2], [3, 4]]) | (1, 2, 3) | [1, 2, 3] | Row([1, 2, 3]) | UserList([1, 2, 3])
deque([1, 2, 3]) | array.array('i', [1, 2, 3]) | range(1, 4) | iter([1, 2, 3]) | (x for x in [1, 2, 3]) | map(int, '123') | reversed([3, 2, 1])
{1: 2} | {1: 2}.keys() | {1: 2}.items() | {1: 2}.values() | {1} | frozenset([1]) | {(1, 2)} | Bag() | {1.0} | {Fraction(1)} | {np.int64(1)}
Own() | UserDict({1: 2}) | ChainMap({1: 2}) | types.MappingProxyType({1: 2}) | defaultdict(int, {1: 2}) | Counter({1: 2}) | Counter({1: 2, 5: 0})
OrderedDict([(1, 2), (3, 4)]) | moved | {3: 4, 1: 2} | {1: 2, 3: 4} | {True: 2.0} | {1: np.array([2])} | {1: [2]}
'a' | Text('a') | Word.A | UserString('a') | np.str_('a') | b'a' | bytearray(b'a') | memoryview(b'a') | np.array(['a']) | np.bytes_(b'a')
Pair(1, 2) | (1, 2) | [1, 2] | [Pair(1, 2)] | [(1, 2)] | [[1, 2]] | ([1], {2}) | ((1,), {2}) | [None] | None | [] | () | {} | set() | '' | 0 | False
"""
WORDS = [word.strip() for line in ANSWERS.strip().split("\n") for word in line.split(" | ")]
EXPECTED = [
    word for word in WORDS if not any(no in word for no in ("np.", "iter(", "for x", "map(", "reversed", ".values", "Own", "Bag"))
]


def said_by_python(answer: Any, expected: Any) -> bool:
    """What `assert answer == expected` makes of it."""
    try:
        return bool(answer == expected)
    except (ValueError, ArithmeticError):
        return False


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(HEAD, found)
    return found


def evaluated(word: str | CodeType, names: dict[str, Any]) -> Any:
    return eval(word, names)


def accident(answer: Any, expected: Any, numpy: Any) -> bool:
    """Whether numpy compares a number with each item of a collection, or an array with an object that it does not know."""
    if isinstance(answer, list) and len(answer) == 1:
        return accident(answer[0], expected[0] if isinstance(expected, list) and expected else expected, numpy)
    number = isinstance(answer, numpy.generic) or (isinstance(answer, numpy.ndarray) and not answer.shape)
    known = int | float | complex | str | bytes | list | tuple
    return (number and not isinstance(expected, int | float | complex | str)) or (
        isinstance(answer, numpy.ndarray) and (not isinstance(expected, known) or isinstance(expected, enum.Enum))
    )


def test_an_answer_is_right_exactly_where_python_calls_it_equal(names: dict[str, Any]) -> None:
    numpy = pytest.importorskip("numpy")
    there = {word: evaluated(word, names) for word in EXPECTED}
    here = {word: values.loads(values.dumps(value)) for word, value in there.items()}
    differ = []
    for word in WORDS:
        code = compile(word, "answer", "eval")
        try:
            answer = values.loads(values.dumps(values.summary(evaluated(code, names))))
        except values.NotPlainValueError:
            answer = object()
        for expected, value in there.items():
            fresh = evaluated(code, names)
            if not accident(fresh, value, numpy) and said_by_python(answer, here[expected]) != said_by_python(fresh, value):
                differ.append((word, expected))
    assert differ == []


def test_values_of_every_kind_pass_through_the_sandbox(names: dict[str, Any]) -> None:
    pytest.importorskip("numpy")
    program = HEAD + "\ndef f(word): return eval(word)\n"
    plain = [word for word in EXPECTED if word != "Decimal('NaN')"]
    expected = [values.loads(values.dumps(evaluated(word, names))) for word in plain]
    found = judge(program, "f", [[word] for word in plain], expected)
    assert [word for word, right in zip(plain, found.per_input, strict=True) if not right] == []


@pytest.mark.parametrize(
    ("answer", "expected", "right"),
    [
        (Fraction(1, 3), 1 / 3, True),
        (Decimal("0.3333333333"), 1 / 3, True),
        ([Fraction(1, 3)], [1 / 3], True),
        (Fraction(1, 2), 1 / 3, False),
        (Fraction(10) ** 400, 1 / 3, False),
        ("0.5", 0.5, False),
        (complex(1 / 3, 1e-9), complex(1 / 3, 0), True),
        (value_types.IterableValue("ndarray", [1 / 3]), 1 / 3, True),
        (value_types.IterableValue("ndarray", [1 / 3 + 1e-9]), 1 / 3, False),
    ],
)
def test_a_number_of_another_kind_has_the_tolerance_of_a_float(answer: Any, expected: Any, right: bool) -> None:
    assert equal([], answer, expected, 1e-6) is right
    assert same(answer, expected, 1e-6) is right


def test_what_is_looped_over_is_a_set_of_its_items() -> None:
    for kind in ("range", "deque", "ndarray", "iterator"):
        assert same_set([], value_types.IterableValue(kind, [3, 1, 2, 2]), [1, 2, 3], 0)
        assert not same_set([], value_types.IterableValue(kind, [3, 1]), [1, 2, 3], 0)


@given(st.fractions() | st.decimals(allow_nan=False) | st.decimals(allow_nan=False).map(lambda x: {x: Fraction(1, 3)}))
def test_exact_numbers_come_back_exactly(value: Any) -> None:
    back = values.loads(values.dumps(value))
    assert (type(back), back) == (type(value), value)


@given(st.dictionaries(st.integers(), st.integers()))
def test_counters_and_ordered_dicts_stay_what_they_are(items: dict[int, int]) -> None:
    for kind in (Counter, OrderedDict):
        back = values.loads(values.dumps(kind(items)))
        assert type(back) is kind
        assert list(back.items()) == list(items.items())


@pytest.mark.parametrize(
    "text",
    [
        '{"q": ["0x1", "0x0"]}',
        '{"q": ["0x' + "f" * 5000 + '", "0x3"]}',
        '{"q": [1, 2]}',
        '{"e": "1' + "0" * 9000 + '"}',
        '{"e": [1, [2], 3]}',
        '{"e": "x"}',
        '{"g": 3}',
        '{"g": ["range", 3]}',
        '{"k": [[1]]}',
        '{"o": 5}',
    ],
)
def test_hostile_codes_of_kinds_are_refused(text: str) -> None:
    with pytest.raises(values.NotPlainValueError):
        values.loads(text)


def test_endless_and_long_answers_are_not_taken_out() -> None:
    import itertools

    for endless in (itertools.count(), range(10**18), itertools.repeat([])):
        with pytest.raises(values.NotPlainValueError):
            values.dumps(endless)
    with pytest.raises(values.NotPlainValueError, match="digits"):
        values.dumps(Fraction(1, 3**20_000))
    with pytest.raises(values.NotPlainValueError, match="digits"):
        values.dumps(Decimal(1 << 40_000))


def test_arguments_are_given_as_what_they_are_or_not_at_all(names: dict[str, Any]) -> None:
    for word in ("np.array([1, 2])", "range(3)", "deque([1])", "iter([1])", "UserDict({1: 2})", "{1: 2}.keys()", "[range(3)]"):
        with pytest.raises(values.NotPlainValueError):
            values.dumps(evaluated(word, names), exact=True)
    assert values.dumps([evaluated("np.int64(3)", names)], exact=True) == "[3]"


def test_a_large_answer_of_numpy_numbers_is_equal_to_the_summary_of_its_list() -> None:
    pytest.importorskip("numpy")
    program = "import numpy as np\ndef f(n): return [np.int64(x) for x in range(n)]\n"
    expected = values.loads(values.dumps(values.summary(list(range(70_000)))))
    assert isinstance(expected, values.Digest)
    assert judge(program, "f", [[70_000]], [expected]).status == "passed"
    assert judge(program.replace("(x)", "(x or 1)"), "f", [[70_000]], [expected]).status == "wrong_answer"
