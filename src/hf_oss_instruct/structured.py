"""Parse untrusted JSON and YAML with limits on size, depth and numbers.

Whatever is wrong with a text is a `ValueError` with a sentence about it: no traceback, and no minutes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

MAX_JSON_BYTES = 64 << 20
"""Maximum size in bytes of a JSON file."""
MAX_YAML_CHARS, MAX_TOKENS, MAX_DEPTH, MAX_NUMBER_CHARS = 256_000, 20_000, 32, 40
"""Limits of a YAML text: characters, tokens, nesting depth, characters of a number or date."""
BITS = 64
_OPENS = (yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken, yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken)
_CLOSES = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


def loads(text: str | bytes) -> Any:
    """Parse a JSON text. Numbers must be finite, and integers fit in 64 bits.

    Raises:
        ValueError: it is not JSON, too deep, or has another number.
    """
    try:
        return json.loads(text, parse_constant=_no_number, parse_int=_parse_int, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def any_json(text: str | bytes, *, strict: bool = True) -> Any:
    """Parse a JSON text with any numbers: those of benchmarks and samples may be infinite or large.

    Args:
        text: JSON.
        strict: refuse control characters, such as a bare new line, inside strings.

    Raises:
        ValueError: it is not JSON, or too deep.
    """
    try:
        return json.loads(text, strict=strict)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_object(path: Path, keys: Mapping[str, type | tuple[type, ...]] | None = None) -> dict[str, Any]:
    """Read a JSON object from a file.

    Args:
        path: the file.
        keys: its required keys and their types.

    Raises:
        ValueError: it cannot be read, is not an object, or lacks a key; the message names file, key and value.
    """
    try:
        with path.open("rb") as file:
            # A byte more than allowed shows that there is more, without reading all of it.
            data = file.read(MAX_JSON_BYTES + 1)
        if len(data) > MAX_JSON_BYTES:
            raise ValueError(f"it has more than {MAX_JSON_BYTES:,} bytes")
        parsed = loads(data)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ValueError(f"{str(path)!r} cannot be read: {reason}") from error
    return checked(parsed, keys or {}, repr(str(path)))


def checked(value: Any, keys: Mapping[str, type | tuple[type, ...]], name: str) -> dict[str, Any]:
    """Check that a value is an object with certain keys.

    Args:
        value: the parsed JSON or YAML.
        keys: required key → type or types of its value.
        name: name of the value in the error message.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{name} should hold a JSON object, not {type(value).__name__}")
    for key, kind in keys.items():
        kinds = kind if isinstance(kind, tuple) else (kind,)
        # To Python, True is an int; in JSON it is none.
        if not isinstance(value.get(key), kinds) or (isinstance(value.get(key), bool) and bool not in kinds):
            wanted = " or ".join("null" if accepted is type(None) else accepted.__name__ for accepted in kinds)
            shown = f"is {value[key]!r:.60}" if key in value else "is missing"
            raise ValueError(f"{name}: {key!r} {shown}, and should be {wanted}")
    return value


def matching(value: Any, shape: Any, name: str) -> None:
    """Check the types inside a parsed value, at every level.

    Args:
        value: the parsed JSON or YAML.
        shape: a type or several; `[shape]`, a list of these; `{key: shape}`, an object with at least these keys;
            `{...: shape}`, an object whose values are all these; or a function of the value that returns a shape.
        name: name of the value in the error message.

    Raises:
        ValueError: it has another type, or text that UTF-8 cannot hold; the message names the position inside it.
    """
    if callable(shape) and not isinstance(shape, type):
        shape = shape(value)
    if isinstance(shape, list):
        _check_kind(value, (list,), name)
        for position, item in enumerate(value):
            matching(item, shape[0], f"{name}[{position}]")
    elif isinstance(shape, Mapping):
        _check_kind(value, (dict,), name)
        if missing := [key for key in shape if key is not ... and key not in value]:
            raise ValueError(f"{name}.{missing[0]} is missing")
        for key, item in value.items():
            _check_kind(key, (str,), f"a key of {name}")
            if key in shape or ... in shape:
                matching(item, shape[key] if key in shape else shape[...], f"{name}.{key}"[:200])
    else:
        _check_kind(value, shape if isinstance(shape, tuple) else (shape,), name)


def _check_kind(value: Any, kinds: tuple[type, ...], name: str) -> None:
    wanted = " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise ValueError(f"{name} is {value!r:.60}, and should be {wanted}")
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name} is {value!r:.60}, which is not valid Unicode") from None


def load_yaml(text: str, *, aliases: bool = False) -> Any:
    """Parse a YAML text, in time linear in its length.

    Args:
        text: the YAML.
        aliases: whether aliases (`*name`) are allowed: with them, a small text can expand to a huge value.

    Raises:
        ValueError: it is not YAML, has an alias, is too large or deep, or has a number or date that is too long.
    """
    if len(text) > MAX_YAML_CHARS:
        raise ValueError(f"it has {len(text):,} characters, {MAX_YAML_CHARS:,} at most")
    try:
        _check_tokens(text, aliases)
        return yaml.load(text, _Loader)
    except (
        yaml.YAMLError,
        RecursionError,
        ArithmeticError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:  # PyYAML raises all of these
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error


def _check_tokens(text: str, aliases: bool) -> None:
    """Check the limits token by token, before anything is constructed."""
    depth = 0
    for number, token in enumerate(yaml.scan(text, Loader=yaml.SafeLoader)):
        depth += isinstance(token, _OPENS) - isinstance(token, _CLOSES)
        if isinstance(token, yaml.AliasToken) and not aliases:
            raise ValueError("it contains a YAML alias (*name); repeat the value instead")
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
        if number > MAX_TOKENS:
            raise ValueError(f"it has more than {MAX_TOKENS:,} tokens")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, restricted to numbers of 64 bits."""

    def construct_yaml_number(self, node: yaml.ScalarNode) -> Any:
        if len(node.value) > MAX_NUMBER_CHARS:
            raise yaml.YAMLError(f"the number {node.value[:20]}… has {len(node.value):,} characters, {MAX_NUMBER_CHARS} at most")
        kind = node.tag.rpartition(":")[2]
        value = getattr(yaml.SafeLoader, f"construct_yaml_{kind}")(self, node)
        if isinstance(value, int) and value.bit_length() >= BITS:
            raise yaml.YAMLError(f"the number {node.value} has more than {BITS} bits")
        return value


for _kind in ("int", "float", "timestamp"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.construct_yaml_number)


def _no_number(text: str) -> Any:
    raise ValueError(f"it has the value {text}, which is not a number")


def _parse_int(text: str) -> int:
    # Python takes quadratic time for a long number, so its length is checked first.
    value = int(text) if len(text) <= MAX_NUMBER_CHARS else 1 << BITS
    if value.bit_length() > BITS:
        raise ValueError(f"it has the number {text[:20]}…, which has more than {BITS} bits")
    return value


def _finite(text: str) -> float:
    # 1e999 is valid JSON, and infinite.
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"it has the number {text[:20]}, which is larger than any other")
    return value
