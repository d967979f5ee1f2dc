"""Read responses: text and reasoning in every form that OpenAI-compatible servers send, or an error.

Generated text is never discarded: a response that is not understood is kept as it is (`Completion.raw`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from hf_oss_instruct.data import Completion, storable
from hf_oss_instruct.errors import RetryableError
from hf_oss_instruct.teachers.http.errors import exception_for, retry_after_s, server_message, status_in
from hf_oss_instruct.terminal.display import one_line

THOUGHTS = ("reasoning_content", "reasoning", "thinking", "reasoning_details", "thinking_blocks")
"""Fields of a message with a model's reasoning, in DeepSeek, vLLM, Ollama, OpenRouter and LiteLLM."""
TEXTS = ("text", "thinking", "reasoning", "content", "summary", "refusal")
"""Fields of a content part with its text."""
MAX_DEPTH = 4
"""Maximum depth of nested content parts."""
TOKENS = {"prompt": ("prompt_tokens", "input_tokens"), "completion": ("completion_tokens", "output_tokens")}


def read_body(body: bytes, headers: Mapping[str, str]) -> Completion:
    """Read the completion in the body of a response with status 200.

    Raises:
        RetryableError: there is no answer in it (a gateway's HTML, an empty or truncated body), or a transient error.
        RowRejectedError, TeacherError: it contains an error, as `exception_for` interprets it.
    """
    try:
        answer = _json(body)
    except (ValueError, RecursionError):
        words, damaged = _decoded(body, headers)
        if (loose := _loose_json(words)) is not None:
            completion = completion_of(loose, headers)
            # Characters were lost: the answer is kept raw and rejected, since another request would cost its tokens again.
            return replace(completion, text="", raw=words) if damaged else completion
        # An event stream, although none was requested: tokens were generated.
        if words.startswith(("data:", ":", "event:")):
            return Completion("", None, raw=words)
        raise RetryableError(
            f"the answer is not JSON: {first_words(words)}" if words else "the answer is empty", reached=True
        ) from None
    return completion_of(answer, headers)


def completion_of(answer: Any, headers: Mapping[str, str]) -> Completion:
    """Read the completion in a parsed response. Raises the same as `read_body`."""
    fields = answer if isinstance(answer, dict) else {}
    choices = fields.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    # Ollama's own protocol.
    if "choices" not in fields and isinstance(fields.get("message"), dict):
        choices, choice = [fields], fields
    prompt, completion = (_tokens(fields.get("usage"), names) for names in TOKENS.values())
    text, reasoning = _text_and_thoughts(choice)
    # An error beside a text does not count: the text was paid for.
    if not text and (error := _error(fields, choice)) is not None:
        raise _error_of(error, headers)
    # Without choices and token counts nothing was generated, and a retry pays for nothing twice.
    if not choices and not completion and not prompt:
        raise RetryableError(f"the answer is not a chat completion: {first_words(_raw(answer))}", reached=True)
    if refused := _word(_message(choice).get("refusal")) if not text else None:
        text = refused
    return Completion(
        text=text or "",
        finish_reason="refusal" if refused else _word(choice.get("finish_reason")),
        model=_word(fields.get("model")),
        fingerprint=_word(fields.get("system_fingerprint")),
        prompt_tokens=prompt,
        completion_tokens=completion,
        reasoning=reasoning or None,
        # An empty list of choices is understood: the answer is empty.
        raw=_raw(answer) if text is None and choices != [] else None,
    )


def first_words(text: str) -> str:
    """The beginning of a text, quoted on one line."""
    return repr(one_line(text, 200))


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:  # JSON allows half a surrogate pair, which orjson refuses, and some servers send a byte order mark
        return json.loads(body)


def _decoded(body: bytes, headers: Mapping[str, str]) -> tuple[str, bool]:
    """Decode a body in the charset of its headers, else UTF-8; also returns whether characters were lost."""
    declared = re.search(r"charset=[\"']?([\w.:-]+)", headers.get("content-type") or "", re.IGNORECASE)
    for charset in filter(None, (declared and declared[1], "utf-8-sig")):
        try:
            return body.decode(charset).strip(), False
        except (ValueError, LookupError):
            continue
    return body.decode(errors="replace").strip(), True


def _loose_json(text: str) -> dict[str, Any] | None:
    """The JSON object at the beginning of a text; unescaped line ends in strings are accepted."""
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _raw(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False, default=str)


def _message(choice: dict[str, Any]) -> dict[str, Any]:
    message = choice.get("message")
    return message if isinstance(message, dict) else {}


def _text_and_thoughts(choice: dict[str, Any]) -> tuple[str | None, str]:
    """Text and reasoning of a choice. The text is None if the content is not understood or there is no message."""
    message = choice.get("message")
    if not isinstance(message, dict):
        text = choice.get("text")  # the older completions API
        return (text if isinstance(text, str) else None), ""
    text, inside = _split(message.get("content"))
    beside = next((thoughts for name in THOUGHTS if (thoughts := _joined(message.get(name)))), "")
    return text, "\n".join(filter(None, (beside, inside)))


def _split(content: Any) -> tuple[str | None, str]:
    """Text and reasoning of a message's content, which is text, null, or a list of parts."""
    if content is None or isinstance(content, str):
        return content or "", ""
    parts = content if isinstance(content, list) else [content]
    texts, thoughts, others = [], [], 0
    for part in parts:
        if not isinstance(part, (str, dict)):
            others += 1
        elif isinstance(part, dict) and _is_thought(part):
            thoughts.append(_joined(part))
        elif joined := _joined(part):
            texts.append(joined)
        else:
            others += isinstance(part, dict) and not any(name in part for name in TEXTS)
    return (None if others and not texts else "".join(texts)), "\n".join(filter(None, thoughts))


def _is_thought(part: dict[str, Any]) -> bool:
    kind = str(part.get("type") or "").lower()
    return part.get("thought") is True or any(word in kind for word in ("think", "reason", "thought"))


def _joined(part: Any, depth: int = MAX_DEPTH) -> str:
    """All text in a part and its nested parts."""
    if isinstance(part, str):
        return part
    if isinstance(part, list) and depth:
        return "".join(_joined(inner, depth - 1) for inner in part)
    if isinstance(part, dict) and depth:
        return next((joined for name in TEXTS if (joined := _joined(part.get(name), depth - 1))), "")
    return ""


def _error(fields: dict[str, Any], choice: dict[str, Any]) -> Any:
    """The error object in a response with status 200; None if there is none."""
    if error := fields.get("error") or choice.get("error"):
        return error
    says_so = "error" in (fields.get("object"), fields.get("type"))
    instead = "choices" not in fields and any(
        isinstance(fields.get(name), (str, list)) and fields[name] for name in ("detail", "message", "msg", "error_msg", "errors")
    )
    return fields if says_so or instead else None


def _error_of(error: Any, headers: Mapping[str, str]) -> Exception:
    """Interpret an error object in a response; if its kind is unknown, it counts as transient."""
    body = _raw({"error": error})
    if (status := status_in(error)) is not None:
        return exception_for(status, body, headers, in_answer=True)
    return RetryableError(f"HTTP 200 with an error: {server_message(body)}", after_s=retry_after_s(headers), reached=True)


def _word(value: Any) -> str | None:
    return storable(value) if isinstance(value, str) and value else None


def _tokens(usage: Any, names: tuple[str, ...]) -> int | None:
    """A token count: an integer, or a form that some servers send (100.0, "100")."""
    value = next((usage[name] for name in names if usage.get(name) is not None), None) if isinstance(usage, dict) else None
    if isinstance(value, str) and value.isascii() and (value := value.strip()).isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < 2**63 else None
