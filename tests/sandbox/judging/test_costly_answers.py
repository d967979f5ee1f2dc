"""An answer that was written to cost its judge minutes costs it a moment, and a large but legitimate answer is right."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.evaluation.oracles import same_set
from hf_oss_instruct.sandbox.backends import available_tiers
from hf_oss_instruct.sandbox.inside import hash_collisions, values
from hf_oss_instruct.sandbox.judging.comparison import same
from hf_oss_instruct.sandbox.judging.judge import judge
from hf_oss_instruct.sandbox.limits import Limits

needs_sandbox = pytest.mark.skipif(not available_tiers(), reason="this machine has no sandbox: hf-oss-instruct env says why")
COLLIDING = [((1 << 61) - 1) * n for n in range(1, 60_000)]  # the hash of each is 0: a set of them takes minutes


MEMBERS: dict[str, Callable[[list[int]], object]] = {
    "set": lambda members: {"s": members},
    "frozenset": lambda members: {"z": members},
    "dict": lambda members: {"d": [[number, 0] for number in members]},
    "tuples": lambda members: {"s": [{"t": [number]} for number in members]},
}


@pytest.mark.parametrize("kind", MEMBERS)
def test_members_that_collide_are_refused_in_bounded_time(kind: str) -> None:
    text = json.dumps(MEMBERS[kind](COLLIDING))
    with pytest.raises(values.NotPlainValueError, match="collide"):
        values.loads(text, hash_collisions.Clock(allowance_s=0.1))


def test_the_clock_is_one_for_all_answers_of_a_judge() -> None:
    clock = hash_collisions.Clock(allowance_s=0.1)
    for _ in range(2):
        with pytest.raises(hash_collisions.HashCollisionError):
            clock.fill(set(), COLLIDING)
    assert clock.fill(set(), [1, 2, 3]) == {1, 2, 3}  # small ones are too cheap to be watched


@pytest.mark.parametrize("made", [int, lambda n: n * 7919, float], ids=["near", "far", "floats"])
def test_large_sets_and_dicts_that_are_honest_come_back(made: Callable[[int], Any]) -> None:
    members = [made(n) for n in range(60_000)]
    for value in (set(members), dict.fromkeys(members, None), frozenset(members)):
        assert values.loads(values.dumps(value)) == value


@given(st.lists(st.integers() | st.text() | st.tuples(st.integers()), max_size=600))
def test_a_table_that_is_watched_holds_what_any_other_does(members: list[Any]) -> None:
    assert hash_collisions.Clock().fill(set(), members) == set(members)
    assert hash_collisions.Clock().fill({}, [(member, 1) for member in members]) == dict.fromkeys(members, 1)


@pytest.mark.parametrize(
    ("start", "part", "times", "end"),
    [
        ("[", "[],", 5_000_000, "0]"),
        ("[", "{},", 5_000_000, "0]"),
        ("[", '"",', 5_000_000, "0]"),
        ("", "[", 5_000_000, ""),
        ("", '{"t":', 2_000_000, ""),
    ],
    ids=["lists", "objects", "strings", "deep", "deep objects"],
)
def test_millions_of_values_are_counted_before_any_is_made(start: str, part: str, times: int, end: str) -> None:
    with pytest.raises(values.NotPlainValueError):
        values.loads(start + part * times + end)


def test_marks_in_strings_are_not_counted_as_values() -> None:
    long = '[{,"\\' * (values.MAX_VALUES + 1)
    assert values.loads(values.dumps(long)) == long
    digits = "7" * (2 * values.DIGITS)
    assert values.loads(values.dumps([digits])) == [digits]


@pytest.fixture
def _python_reads_any_number() -> Iterator[None]:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    yield
    sys.set_int_max_str_digits(before)


@pytest.mark.usefixtures("_python_reads_any_number")
@pytest.mark.parametrize(("start", "digit", "end"), [("", "9", ""), ("[-", "1", "]")])
def test_numbers_of_millions_of_digits_are_refused(start: str, digit: str, end: str) -> None:
    with pytest.raises(values.NotPlainValueError, match="digits"):
        values.loads(start + digit * 2_000_000 + end)


def test_large_numbers_travel_in_hexadecimal_in_any_length() -> None:
    assert values.loads(values.dumps(1 << 4_000_000)) == 1 << 4_000_000


def test_items_are_looked_up_in_the_expected_set_and_not_put_into_another() -> None:
    assert same_set([], COLLIDING, [1], 0) is False
    assert same_set([], [*range(1000), 1], range(1000), 0) is True
    assert same_set([], [], [1], 0) is False
    assert same_set([], (1, 2, 2), [2, 1, 1], 0) is True


def test_a_list_of_large_numbers_is_compared_without_a_hash() -> None:
    assert same(values.loads(json.dumps(COLLIDING)), COLLIDING)


@needs_sandbox
def test_a_program_that_fills_its_channel_with_junk_is_judged_all_the_same() -> None:
    junk = (
        "import sys\nabove = sys._getframe(1).f_locals\n"
        "def f(x):\n    channel = above['channel']\n    channel[:] = b'ab\\n' * (len(channel) // 3) + bytes(len(channel) % 3)\n"
    )
    assert judge(junk, "f", [[1], [2]], [2, 3]).status == "runtime_error"


@needs_sandbox
def test_a_forged_answer_that_collides_is_wrong() -> None:
    forge = (
        "import sys\nabove = sys._getframe(1).f_locals\nnonce = above['questions'][0].split()[0].encode()\n"
        "step = (1 << 61) - 1\ntext = b'{\"s\": [%s]}' % b','.join(b'%d' % (step * n) for n in range(1, 200_000))\n"
        "line = nonce + b' returned ' + text + b'\\n'\nabove['channel'][:len(line)] = line\nimport os; os._exit(0)\n"
    )
    found = judge(forge, "f", [[1]], [{1}], limits=Limits(cpu_s=5, wall_s=8))
    assert found.status == "wrong_answer"
