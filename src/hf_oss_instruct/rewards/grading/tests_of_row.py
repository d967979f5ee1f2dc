"""The tests of a row, whatever format they came in: test code, inputs with outputs, or calls with return values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.data import digest
from hf_oss_instruct.errors import UsageError


@dataclass(frozen=True)
class RowTests:
    """The tests of one problem. Exactly one of `code`, `pairs` and `calls` holds any.

    Attributes:
        language: as in `languages.LANGUAGES`.
        code: test files, or single tests.
        pairs: standard input and expected standard output of each test.
        calls: positional arguments and expected return value of each call of `function`.
        function: the name of the function that is called.
        entry_point: the function that test code is about, if the row names it.
        solution: a correct program, if the row has one.
        weights: the weight of each test, if the row has them.
    """

    language: str = "python"
    code: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    calls: tuple[tuple[list[Any], Any], ...] = ()
    function: str = ""
    entry_point: str = ""
    solution: str = ""
    weights: tuple[float, ...] = ()

    @cached_property
    def key(self) -> str:
        """A hash of everything in it.

        Raises:
            TypeError: a text cannot be encoded as UTF-8, or JSON has no such value.
        """
        _check_keys(self.calls)
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        # Not by orjson alone, which writes NaN and infinity as null and takes no integer above 64 bits.
        return digest("row tests", json.dumps(values, ensure_ascii=False))

    def to_column(self) -> list[str]:
        """The tests as the column `tests`: test code as it is, other tests as JSON."""
        pairs = [{"input": given, "output": expected} for given, expected in self.pairs]
        calls = [
            {"type": "function_call", "fn_name": self.function, "input": given, "output": expected}
            for given, expected in self.calls
        ]
        return [*self.code, *map(json.dumps, [*pairs, *calls])]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, for `from_json`."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, columns: Mapping[str, Any]) -> RowTests:
        """Read what `to_json` wrote.

        Raises:
            UsageError: a value has the wrong type, or the language is unknown.
        """
        known = {field.name for field in fields(cls)}
        try:
            values = dict(columns)
            if unknown := set(values) - known:
                raise TypeError(f"unknown fields {sorted(unknown)}")
            tests = cls(
                language=named(str(values.get("language", "python"))).name,
                code=tuple(map(_text, values.get("code", ()))),
                pairs=tuple((_text(given), _text(expected)) for given, expected in values.get("pairs", ())),
                calls=tuple((list(arguments), expected) for arguments, expected in values.get("calls", ())),
                function=_text(values.get("function", "")),
                entry_point=_text(values.get("entry_point", "")),
                solution=_text(values.get("solution", "")),
                weights=tuple(map(float, values.get("weights", ()))),
            )
            _ = tests.key  # raises
            return tests
        except (TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"The tests cannot be read: {error}. Write them with `RowTests.to_json`.") from None


def _check_keys(value: Any) -> None:
    """Make sure that JSON leaves the keys of a value as they are: it would turn 1 into "1"."""
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r:.40} is not a string, as keys in JSON are")
        value = tuple(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            _check_keys(item)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is not a string")
    return value
