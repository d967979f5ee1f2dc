"""Documented functions as pairs with tests: doctests become test functions, and what cannot run alone is refused."""

from __future__ import annotations

import pytest

from hf_oss_instruct.code.documented import documented_functions
from hf_oss_instruct.data import Provenance
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.teachers.doctests import doctests, module_of, standalone

SOURCE = '''
class Mailbox:
    def noop(self):
        """Send a command that does nothing, and return what the server said about it."""
        return self._shortcmd("NOOP")


def area(width, height=2):
    """Return the area of a rectangle, after a look at its sides.

    >>> width = 3
    >>> area(width)
    6
    >>> area(2, 2) == 4
    True
    >>> area("a", "b")
    Traceback (most recent call last):
        ...
    TypeError: can't multiply sequence by non-int of type 'str'
    >>> print(area(1))
    2
    >>> [area(n) for n in range(100)]
    [0, 2, ...]
    """
    return width * height


def root(value):
    """Return the root of a number.

    >>> root(4)
    2.0
    """
    return math.sqrt(value)


def helped(value):
    """Return what a helper of the module makes of a value."""
    return _helper(value)
'''
FUNCTIONS = {function.name: function for function in documented_functions(SOURCE, "python")}


def test_doctests_become_functions_that_stand_alone() -> None:
    text = doctests(FUNCTIONS["area"])
    names = {"area": lambda width, height=2: width * height}
    exec(text, names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 3, "printed and shortened output is no check"
    for test in tests:
        test()  # type: ignore[call-arg]
    names["area"] = lambda width, height=2: width + height
    failed = 0
    for test in tests:
        try:
            test()  # type: ignore[call-arg]
        except (AssertionError, TypeError):
            failed += 1
    assert failed == 2, "2 + 2 is 2 * 2"
    assert doctests(FUNCTIONS["helped"]) == ""


def test_what_needs_its_class_or_module_is_refused_with_that_reason() -> None:
    with pytest.raises(RowRejectedError, match="not_verifiable: 'noop' is a method and needs its class"):
        standalone(FUNCTIONS["noop"])
    with pytest.raises(RowRejectedError, match="not_verifiable: 'helped' needs other names of its module: _helper"):
        standalone(FUNCTIONS["helped"])
    assert standalone(FUNCTIONS["area"]) == FUNCTIONS["area"].code
    assert standalone(FUNCTIONS["root"]).startswith("import math\n\n\ndef root(")
    assert standalone(FUNCTIONS["helped"], "shelf").startswith("from shelf import _helper\n\n\ndef")


@pytest.mark.parametrize(
    ("dataset", "path", "module"),
    [
        ("python-stdlib", "Lib/statistics.py", "statistics"),
        ("python-stdlib", "Lib/importlib/metadata/__init__.py", "importlib.metadata"),
        ("python-stdlib", "Lib/not_a_module_of_python.py", None),
        ("mine", "Lib/statistics.py", None),
        ("python-stdlib", None, None),
    ],
)
def test_only_the_standard_librarys_own_modules_are_imported(dataset: str, path: str | None, module: str | None) -> None:
    assert module_of(Provenance(dataset, None, "0", 0, "python", file_path=path)) == module
