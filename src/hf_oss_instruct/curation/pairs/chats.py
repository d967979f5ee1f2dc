"""Problem and solution in a chat: a list of turns with `role` and `content`, or ShareGPT's `from` and `value`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hf_oss_instruct.structured import any_json

KEYS = (("role", "content"), ("from", "value"))
USERS, ASSISTANTS = ("user", "human"), ("assistant", "gpt", "model", "chatgpt", "bot")


def turns_of(value: Any) -> list[Mapping[str, Any]]:
    """The turns of a chat, which may be JSON text; an empty list for a value that is not a chat."""
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        try:
            value = any_json(value)
        except ValueError:
            return []
    if not isinstance(value, list) or not all(isinstance(turn, Mapping) and _keys(turn) for turn in value):
        return []
    return value


def first_user_text(turns: list[Mapping[str, Any]]) -> str:
    """The text of the first turn of a user; empty without one."""
    return next((_text(turn) for turn in turns if _speaker(turn) in USERS), "")


def last_assistant_text(turns: list[Mapping[str, Any]]) -> str:
    """The text of the last turn of an assistant; empty without one."""
    return next((_text(turn) for turn in reversed(turns) if _speaker(turn) in ASSISTANTS), "")


def with_last_assistant_text(value: Any, text: str) -> Any:
    """The chat with another text in its last turn of an assistant, or with such a turn; JSON text stays JSON text."""
    turns: list[Any] = [dict(turn) for turn in turns_of(value)]
    if not turns:
        return value
    if (last := next((turn for turn in reversed(turns) if _speaker(turn) in ASSISTANTS), None)) is None:
        speaker, content = _role_and_text(turns[-1])
        last = {speaker: ASSISTANTS[KEYS.index((speaker, content))], content: None}
        turns.append(last)
    content = _role_and_text(last)[1]
    # OpenAI's format allows a list of parts as content.
    last[content] = [{"type": "text", "text": text}] if isinstance(last[content], list) else text
    return json.dumps(turns, ensure_ascii=False) if isinstance(value, str) else turns


def _keys(turn: Mapping[str, Any]) -> tuple[str, str] | None:
    """The names of speaker and text in a turn; Parquet gives all turns the fields of all, empty if a turn has none."""
    return next((pair for pair in KEYS if isinstance(turn.get(pair[0]), str) and pair[1] in turn), None)


def _role_and_text(turn: Mapping[str, Any]) -> tuple[str, str]:
    keys = _keys(turn)
    assert keys, "turns_of returns turns only"
    return keys


def _speaker(turn: Mapping[str, Any]) -> str:
    return str(turn[_role_and_text(turn)[0]]).lower()


def _text(turn: Mapping[str, Any]) -> str:
    content = turn[_role_and_text(turn)[1]]
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    return "" if content is None else str(content)
