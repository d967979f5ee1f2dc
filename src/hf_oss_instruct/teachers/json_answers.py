"""Answers as JSON objects: the schema that a server is asked to follow, and reading an answer, whether it follows it or not."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from json import JSONDecoder
from typing import Any

from hf_oss_instruct.data import Completion, Pair, storable
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.spec.prompts import JSON, SECTIONS
from hf_oss_instruct.teachers.parsing import parse, parse_with_tests, require_finished

RESPONSE_FORMAT = "response_format"
"""The field of a request that holds the schema, as OpenAI, vLLM, SGLang, llama.cpp, TGI and Inference Providers read it."""
NEITHER = "neither"
"""An answer that is neither JSON nor sections, as `run.json` counts it."""
TEXT = "text"
"""An answer that is not JSON, if only one text was requested."""
_FIELDS = {
    "problem": "The problem, self-contained, in Markdown.",
    "solution": "A complete and correct solution in Markdown, with the code in a fenced block.",
    "tests": "Tests of the solution in its language, in one fenced block.",
}
MAX_OBJECTS = 32
"""Objects that are looked at in an answer: one that has not shown the pair by then is not a JSON answer."""
# A brace and a quoted key, as an object begins: the braces of code are skipped without decoding.
_OPENS = re.compile(r"\{\s*\"")
_BEGINS = re.compile(r"\s*(?:```(?:json)?\s*)?\{\s*\"")


def response_format(*, tests: bool) -> dict[str, Any]:
    """The value of `response_format` that asks for a pair.

    Args:
        tests: whether tests are requested with it.
    """
    return _schema("pair", [name for name in _FIELDS if tests or name != "tests"])


def response_format_of(name: str) -> dict[str, Any]:
    """The value of `response_format` that asks for one field of a pair: `problem` or `solution`."""
    return _schema(name, [name])


def _schema(title: str, names: Sequence[str]) -> dict[str, Any]:
    """A schema of texts.

    Source:
        https://platform.openai.com/docs/guides/structured-outputs; `strict` needs every field required and no others.
    """
    schema = {
        "type": "object",
        "properties": {name: {"type": "string", "description": _FIELDS[name]} for name in names},
        "required": list(names),
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": title, "strict": True, "schema": schema}}


def field_in(text: str, name: str) -> str | None:
    """One field of a pair from an answer in JSON; None if the answer is not in JSON.

    Raises:
        RowRejectedError: `unparsable` (the field is not text, or the object is incomplete), `empty` (it has no text).
    """
    if fields := _object_in(text, {name}):
        return _text_of(fields, name)
    if _BEGINS.match(text):
        raise RowRejectedError("unparsable", f"the answer begins with a JSON object, which has no {name!r} or does not end")
    return None


def parse_json(completion: Completion) -> Pair:
    """Read a pair from a JSON object, or from sections where the server did not make the model write JSON.

    Raises:
        RowRejectedError: `unparsable` (there is neither, or a field is not text), `empty` (a field has no text),
            else as `parse`.
    """
    return _parsed(completion, tests=False)


def parse_json_with_tests(completion: Completion) -> Pair:
    """Read a pair that may have tests. Raises as `parse_json`."""
    return _parsed(completion, tests=True)


def form_of(text: str) -> str:
    """The form of an answer: `json`, `sections` or `neither`."""
    if _object_in(text) is not None:
        return JSON
    try:
        parse_with_tests(Completion(text, "stop"))
    except RowRejectedError:
        return NEITHER
    return SECTIONS


def _parsed(completion: Completion, *, tests: bool) -> Pair:
    require_finished(completion)
    fields = _object_in(completion.text)
    if fields is not None:
        return _pair(fields, tests=tests)
    try:
        return parse_with_tests(completion) if tests else parse(completion)
    except RowRejectedError as refusal:
        if refusal.reason != "unparsable":
            raise
        message = f"the answer has neither a JSON object with problem and solution nor sections: {refusal.detail}"
        raise RowRejectedError("unparsable", message) from None


def _pair(fields: dict[str, Any], *, tests: bool) -> Pair:
    problem, solution = (_text_of(fields, name) for name in ("problem", "solution"))
    # Tests are optional: if they are not text, the pair is kept without them.
    given = fields.get("tests") if tests else None
    written = storable(given).strip() if isinstance(given, str) else ""
    return Pair(problem, solution, written or None)


def _text_of(fields: dict[str, Any], name: str) -> str:
    if not isinstance(fields[name], str):
        raise RowRejectedError("unparsable", f"{name!r} of the JSON object is {type(fields[name]).__name__}, not text")
    if not fields[name].strip():
        raise RowRejectedError("empty", f"{name!r} of the JSON object has no text")
    return storable(fields[name]).strip()


def _object_in(text: str, names: Set[str] = frozenset(("problem", "solution"))) -> dict[str, Any] | None:
    """The first JSON object in a text with these fields, also inside a code block or between sentences."""
    # Not strict, because models write bare line breaks inside strings.
    decoder = JSONDecoder(strict=False)
    offset = 0
    for _ in range(MAX_OBJECTS):
        if (opens := _OPENS.search(text, offset)) is None:
            break
        try:
            parsed, offset = decoder.raw_decode(text, opens.start())
        except (ValueError, RecursionError):
            # Not JSON, such as a code block: go on inside of it, since the pair may follow.
            offset = opens.end()
            continue
        if parsed.keys() >= names:
            return dict(parsed)
    return None
