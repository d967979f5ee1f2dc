"""Python sources are parsed from any thread."""

from __future__ import annotations

import ast
import gc
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hf_oss_instruct.code.python_syntax import parse_expression, parse_module

SOURCE = inspect.getsource(textwrap)


class Cycle:
    """Garbage whose end runs Python code, which lets another thread in."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        sum(range(200))


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads alternate and garbage is collected as often as possible."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(20)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)


def errors(parse: Callable[[str], ast.Module]) -> int:
    def work(_: int) -> bool:
        Cycle()
        try:
            parse(SOURCE)
        except SystemError:
            return True
        return False

    with ThreadPoolExecutor(6) as pool:
        return sum(pool.map(work, range(150)))


@pytest.mark.usefixtures("restless")
def test_threads_that_parse_at_the_same_time_get_their_trees() -> None:
    assert errors(parse_module) == 0


def test_an_expression_is_parsed_alone() -> None:
    assert ast.unparse(parse_expression("f( 1 )")) == "f(1)"
    with pytest.raises(SyntaxError):
        parse_expression("x = 1")
