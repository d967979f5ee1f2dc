"""The part of pytest that model-written tests use, and unittest's test cases, one method at a time."""

from __future__ import annotations

import contextlib
import inspect
import io
import itertools
import math
import os
import re
import sys
import tempfile
import types
import unittest
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


# As in pytest, a BaseException: the `except Exception` of a test does not catch it.
class TestSkippedError(BaseException):
    """A test skips itself."""


class TestFailedError(AssertionError):
    """`pytest.fail`, or an expected exception that was not raised."""


class Approx:
    """`pytest.approx` for numbers, sequences and mappings of them."""

    def __init__(self, expected: Any, rel: float | None = None, abs: float | None = None, nan_ok: bool = False) -> None:
        self.expected, self.rel, self.abs_tolerance, self.nan_ok = expected, rel, abs, nan_ok

    def __eq__(self, actual: object) -> bool:
        return self._is_close(actual, self.expected)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"approx({self.expected!r})"

    def _is_close(self, actual: Any, expected: Any) -> bool:
        if isinstance(expected, dict):
            same_keys = isinstance(actual, dict) and actual.keys() == expected.keys()
            return same_keys and all(self._is_close(actual[key], expected[key]) for key in expected)
        if isinstance(expected, list | tuple):
            pairs = zip(actual, expected, strict=True) if hasattr(actual, "__len__") and len(actual) == len(expected) else None
            return pairs is not None and all(self._is_close(one, other) for one, other in pairs)
        if isinstance(expected, bool) or not isinstance(expected, int | float | complex):
            return bool(actual == expected)
        if isinstance(actual, bool) or not isinstance(actual, int | float | complex):
            return bool(actual == expected) and not isinstance(actual, bool)
        if actual == expected:
            return True
        if actual != actual or expected != expected:
            return self.nan_ok and actual != actual and expected != expected
        if math.isinf(abs(expected)):
            return False
        rel_tolerance = self.rel if self.rel is not None else 1e-6 if self.abs_tolerance is None else 0.0
        abs_tolerance = 1e-12 if self.abs_tolerance is None else self.abs_tolerance
        return bool(abs(actual - expected) <= max(rel_tolerance * abs(expected), abs_tolerance))


class Raises:
    """`pytest.raises` as a context manager."""

    def __init__(self, kinds: Any, match: str | None = None) -> None:
        self.kinds, self.match = kinds, match
        self.value: BaseException | None = None
        self.type: type[BaseException] | None = None

    def __enter__(self) -> Raises:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if error is None:
            raise TestFailedError(f"DID NOT RAISE {self.kinds}")
        if not isinstance(error, self.kinds):
            return False
        self.value, self.type = error, kind
        if self.match is not None and not re.search(self.match, str(error)):
            raise TestFailedError(f"{str(error)[:100]!r} does not match {self.match!r}")
        return True


class CaptureFixture:
    """`capsys`."""

    def __init__(self) -> None:
        self._streams = sys.stdout, sys.stderr
        self._out, self._err = io.StringIO(), io.StringIO()
        sys.stdout, sys.stderr = self._out, self._err

    def readouterr(self) -> Any:
        """Return what was written since the last call."""
        captured = types.SimpleNamespace(out=self._out.getvalue(), err=self._err.getvalue())
        self._out, self._err = io.StringIO(), io.StringIO()
        sys.stdout, sys.stderr = self._out, self._err
        return captured

    def close(self) -> None:
        """Restore the streams."""
        sys.stdout, sys.stderr = self._streams


class MonkeyPatch:
    """`monkeypatch`."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], Any]] = []

    def setattr(self, owner: Any, name: Any, value: Any = None, raising: bool = True) -> None:
        """Set an attribute until the test is over.

        Args:
            owner: the object, or the dotted path of the attribute; then `name` is the value.
            name: name of the attribute.
            value: its new value.
            raising: accepted, but without effect: an attribute that does not exist is created.
        """
        if isinstance(owner, str):
            path, _, attribute = owner.rpartition(".")
            owner, name, value = __import__("importlib").import_module(path), attribute, name
        existed, original = hasattr(owner, name), getattr(owner, name, None)
        self._undo.append(lambda: setattr(owner, name, original) if existed else delattr(owner, name))
        setattr(owner, name, value)

    def setenv(self, name: str, value: str, prepend: str | None = None) -> None:
        """Set an environment variable until the test is over.

        Args:
            name: name of the variable.
            value: its new value.
            prepend: accepted, but without effect: the value is always replaced.
        """
        self.setitem(os.environ, name, value)

    def delenv(self, name: str, raising: bool = True) -> None:
        """Remove an environment variable until the test is over."""
        if name in os.environ:
            original = os.environ.pop(name)
            self._undo.append(lambda: os.environ.__setitem__(name, original))

    def setitem(self, mapping: Any, key: Any, value: Any) -> None:
        """Set an item until the test is over.

        Args:
            mapping: the dict to change.
            key: key of the item.
            value: its new value.
        """
        existed, original = key in mapping, mapping.get(key)
        self._undo.append(lambda: mapping.__setitem__(key, original) if existed else mapping.pop(key, None))
        mapping[key] = value

    def chdir(self, path: Any) -> None:
        """Change the working directory until the test is over."""
        previous = os.getcwd()
        self._undo.append(lambda: os.chdir(previous))
        os.chdir(path)

    def close(self) -> None:
        """Undo everything."""
        for undo in reversed(self._undo):
            undo()


class Marks:
    """`pytest.mark`: unknown marks have no effect."""

    def __getattr__(self, name: str) -> Any:
        if name == "parametrize":
            return _parametrize
        if name in ("skip", "skipif", "xfail"):
            return lambda *args, **kwargs: _skip_decorator(name, *args, **kwargs)
        return lambda *args, **kwargs: (
            args[0] if len(args) == 1 and callable(args[0]) and not kwargs else lambda function: function
        )


def _parametrize(names: Any, rows: Any, ids: Any = None, **_: Any) -> Any:
    parameter_names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)

    def decorate(function: Any) -> Any:
        values: list[Any] = [
            getattr(row, "values", row) if isinstance(row, Param) else (row,) if len(parameter_names) == 1 else row
            for row in rows
        ]
        previous = getattr(function, "__cases__", [])
        function.__cases__ = [*previous, [dict(zip(parameter_names, row, strict=True)) for row in values]]
        return function

    return decorate


class Param:
    """`pytest.param`."""

    def __init__(self, *values: Any, id: Any = None, marks: Any = ()) -> None:
        self.values = values


def _skip_decorator(name: str, *args: Any, **kwargs: Any) -> Any:
    if len(args) == 1 and callable(args[0]) and not kwargs:
        args[0].__skips__ = True
        return args[0]
    if name == "skipif" and args and not args[0]:
        return lambda function: function

    def decorate(function: Any) -> Any:
        function.__skips__ = True
        return function

    return decorate


def _count_mock_arguments(function: Any) -> int:
    """How many arguments `unittest.mock.patch` gives to a function that it decorates."""
    if not (patchings := getattr(function, "patchings", ())):
        return 0
    from unittest.mock import DEFAULT

    return sum(not one.attribute_name and one.new is DEFAULT for one in patchings)


class Shim:
    """Calls tests and unittest methods."""

    skipped = (TestSkippedError, unittest.SkipTest)

    def __init__(self, module: types.ModuleType, fixtures: dict[str, Any]) -> None:
        self._module, self._fixtures = module, fixtures

    def watched(self) -> list[tuple[str, Any]]:
        """List what a program must not change, as name and owner."""
        return [("pytest", self._module), ("pytest.raises", Raises), ("pytest.approx", Approx)]

    def call(self, function: Any, names: dict[str, Any]) -> None:
        """Call a test function with each parameter set; fixtures are those of its module and a few of pytest's."""
        if getattr(function, "__skips__", False):
            raise TestSkippedError("marked")
        cases = getattr(function, "__cases__", [])
        ran = False
        for parts in itertools.product(*cases):
            self._run_case(function, {name: value for part in parts for name, value in part.items()})
            ran = True
        # Parametrized with an empty list: passing without running anything would be vacuous.
        if not ran:
            raise TestFailedError("there is no case")

    def _run_case(self, function: Any, arguments: dict[str, Any]) -> None:
        with contextlib.ExitStack() as stack:
            values: dict[str, Any] = {}
            for name, fixture in self._fixtures.items():
                if getattr(fixture, "__autouse__", False):
                    self._fixture(name, stack, values)
            for name, parameter in list(inspect.signature(function).parameters.items())[_count_mock_arguments(function) :]:
                if name not in arguments and parameter.default is parameter.empty:
                    arguments[name] = self._fixture(name, stack, values)
            result = function(**arguments)
            if inspect.iscoroutine(result):
                __import__("asyncio").run(result)
            elif inspect.isgenerator(result):
                # Its body has not run at all.
                raise TestFailedError("a test that yields does not run")

    def _fixture(self, name: str, stack: contextlib.ExitStack, values: dict[str, Any]) -> Any:
        if name in values:
            return values[name]
        if name in self._fixtures:
            function = self._fixtures[name]
            arguments = {one: self._fixture(one, stack, values) for one in inspect.signature(function).parameters}
            value = function(**arguments)
            if inspect.isgenerator(value):
                # The part after `yield` runs when the test is over; the default swallows StopIteration.
                stack.callback(next, value, None)
                value = next(value)
        elif name in ("capsys", "capfd"):
            value = CaptureFixture()
            stack.callback(value.close)
        elif name == "monkeypatch":
            value = MonkeyPatch()
            stack.callback(value.close)
        elif name in ("tmp_path", "tmpdir"):
            value = Path(tempfile.mkdtemp())
        else:
            raise TestFailedError(f"fixture {name!r} is not known")
        values[name] = value
        return value

    def method(self, case: Any, method: str) -> tuple[str, str]:
        """Run a method of a test case, or of a plain class as pytest does."""
        if not (isinstance(case, type) and issubclass(case, unittest.TestCase)):
            if getattr(case, "__skips__", False):
                return "skipped", "marked"
            instance = case()
            if setup := getattr(instance, "setup_method", None) or getattr(instance, "setUp", None):
                setup(*([None] if len(inspect.signature(setup).parameters) else []))
            self.call(getattr(instance, method), {})
            return "passed", ""
        # A fresh result for each method, and a TestSuite around it for setUpClass and setUpModule.
        result = unittest.TestResult()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            unittest.TestSuite([case(method)]).run(result)
        if problems := [*result.failures, *result.errors, *((one, "unexpected success") for one in result.unexpectedSuccesses)]:
            return "failed", str(problems[0][1]).strip().rpartition("\n")[2]
        # An expected failure shows nothing about the program.
        if result.skipped or result.expectedFailures or result.testsRun != 1:
            return "skipped", "it did not run"
        return "passed", ""


def install(builtins: dict[str, Any]) -> Shim:
    """Install a replacement of the `pytest` module."""
    fixtures: dict[str, Any] = {}

    def fixture(*args: Any, autouse: bool = False, **kwargs: Any) -> Any:
        def decorate(function: Any) -> Any:
            fixtures[kwargs.get("name") or function.__name__] = function
            if autouse:
                function.__autouse__ = True
            return function

        return decorate(args[0]) if args and callable(args[0]) else decorate

    def raises(kinds: Any, *callable_and_args: Any, match: str | None = None, **kwargs: Any) -> Any:
        context = Raises(kinds, match)
        if callable_and_args:
            with context:
                callable_and_args[0](*callable_and_args[1:], **kwargs)
        return context

    def raising(kind: type[BaseException]) -> Callable[..., Any]:
        def raiser(reason: str = "", *_: Any, **__: Any) -> Any:
            raise kind(reason)

        return raiser

    module = types.ModuleType("pytest")
    module.__dict__.update(
        raises=raises, approx=Approx, mark=Marks(), fixture=fixture, param=Param,
        skip=raising(TestSkippedError), xfail=raising(TestSkippedError), fail=raising(TestFailedError),
        importorskip=__import__, main=lambda *_, **__: 0, warns=warns, deprecated_call=warns,
    )  # fmt: skip
    sys.modules["pytest"] = module
    return Shim(module, fixtures)


@contextlib.contextmanager
def warns(kind: Any = Warning, match: str | None = None) -> Iterator[Any]:
    """`pytest.warns`."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield seen
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not any(issubclass(one.category, kinds) and (match is None or re.search(match, str(one.message))) for one in seen):
        raise TestFailedError(f"no warning of {kind}")
