"""What OpenAI-compatible servers do, played by the local teacher, and what has to come of each for two seeds.

Grown from public reports. `docs/teachers.md` shows this table, and `tests/teachers/test_quirks.py` holds both.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .teacher import Answer, chat_completion

Body = dict[str, Any]
Play = Callable[[Body], Answer]

TOKENS = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
DRAFT = "[Problem Description]\nDRAFT: too easy.\n\n[Solution]\nDRAFT: return None\n"


@dataclass(frozen=True)
class Quirk:
    """Something that servers do, in one or more forms.

    Attributes:
        does: what, in Markdown.
        forms: the same in different words: what the server answers, made anew for each run.
        comes: `kept`, `rejected: REASON`, `pending`, for two seeds in order, or once for both.
        says: words of the server that whoever runs it has to see; "" for none.
        stops: whether the run ends with an error.
        tokens: tokens counted, those of prompts and answers together.
        requests: requests sent; None where that depends on time.
    """

    does: str
    forms: dict[str, Callable[[], Play]]
    comes: tuple[str, ...] = ("kept",)
    says: str = ""
    stops: bool = False
    tokens: int = 300
    requests: int | None = 2


def always(answer: Answer) -> Callable[[], Play]:
    """The same answer to every request."""
    return lambda: lambda body: answer


def as_play(make: Callable[[Body], Body]) -> Callable[[], Play]:
    """An answer with status 200 whose JSON is made from a plain one."""
    return lambda: lambda body: Answer(raw=json.dumps(make(plain(body))).encode())


def first(*answers: Answer) -> Callable[[], Play]:
    """Some answers to the first requests, then plain ones."""

    def fresh() -> Play:
        left = list(answers)
        return lambda body: left.pop(0) if left else Answer(raw=json.dumps(plain(body)).encode())

    return fresh


def plain(body: Body) -> Body:
    """The answer of a server without quirks, with 150 tokens."""
    return chat_completion(body, Answer()) | {"usage": TOKENS}


def choice(**fields: Any) -> Callable[[], Play]:
    """A plain answer whose choice has other fields; one that is `...` is missing."""

    def make(answer: Body) -> Body:
        changed = answer["choices"][0] | fields
        return answer | {"choices": [{name: value for name, value in changed.items() if value is not ...}]}

    return as_play(make)


def message(change: Callable[[str], Any]) -> Callable[[], Play]:
    """A plain answer whose message is made from its text: another content, or further fields."""

    def make(answer: Body) -> Body:
        said = change(answer["choices"][0]["message"]["content"])
        fields = said if isinstance(said, dict) else {"content": said}
        return answer | {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **fields}}]}

    return as_play(make)


def followed_by(token: str) -> Callable[[], Play]:
    """A plain answer with something at its end."""
    return message(lambda text: text.rstrip() + token)


def error(status: int, **fields: Any) -> Answer:
    """An HTTP error in the words of the OpenAI protocol."""
    return Answer(status=status, raw=json.dumps({"error": fields}).encode())


def inside(**fields: Any) -> Callable[[], Play]:
    """An error in the body of an answer with status 200."""
    return always(error(200, **fields))


def refuses(name: str, answer: Answer) -> Callable[[], Play]:
    """A server that refuses every request with a certain parameter."""
    return lambda: lambda body: answer if body.get(name) is not None else Answer(raw=json.dumps(plain(body)).encode())


def one_of_two(answer: Answer) -> Callable[[], Play]:
    """A server that answers the first seed, and the second so."""
    return lambda: lambda body: answer if "x = 1" in json.dumps(body) else Answer(raw=json.dumps(plain(body)).encode())


def ends(*words: str | None) -> dict[str, Callable[[], Play]]:
    """An answer for each finish reason."""
    return {f"`{word}`" if word else "null": choice(finish_reason=word) for word in words}


EXTRA_FORBIDDEN = {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}
STREAM = "data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": "[Problem"}}]}) + "\n\ndata: [DONE]\n\n"
HTML = "<html><body>Sign in to the Wi-Fi</body></html>"

QUIRKS = (
    Quirk(
        "uses its own finish reason for a complete answer",
        ends("eos", "eos_token", "end", "end_turn", "STOP", "COMPLETE", "stop_sequence", "FinishReason.STOP", "tool_calls"),
    ),
    Quirk("gives no finish reason, or an unknown one", ends(None, "done_for_today") | {"no field": choice(finish_reason=...)}),
    Quirk(
        "gives no finish reason, and the answer has as many tokens as allowed",
        {"null": as_play(lambda answer: cut(answer, None)), "unknown": as_play(lambda answer: cut(answer, "hm"))},
        ("rejected: truncated",),
        tokens=2 * 200,
    ),
    Quirk(
        "truncates an answer",
        ends("length", "max_tokens", "MAX_TOKENS", "MaxTokens", "model_length", "max_output_tokens", "token_limit_reached"),
        ("rejected: truncated",),
    ),
    Quirk(
        "withholds an answer",
        ends("content_filter", "contentFilter", "SAFETY", "RECITATION", "sensitive")
        | {"`message.refusal`": message(lambda text: {"content": None, "refusal": "I had rather not."})},
        ("rejected: refused",),
    ),
    Quirk(
        "returns the content in parts",
        {
            "text": message(lambda text: [{"type": "text", "text": text[:40]}, {"type": "text", "text": text[40:]}]),
            "thinking, text": message(
                lambda text: [{"type": "thinking", "thinking": [{"type": "text", "text": DRAFT}]}, {"type": "text", "text": text}]
            ),
            "reasoning, output_text": message(
                lambda text: [{"type": "reasoning", "summary": DRAFT}, {"type": "output_text", "text": text}]
            ),
        },
    ),
    Quirk(
        "reasons first, with drafts of both sections",
        {
            "`<think>`": message(lambda text: f"<think>\n{DRAFT}</think>\n\n{text}"),
            "only `</think>`": message(lambda text: f"Let me see.\n{DRAFT}Good.\n</think>\n\n{text}"),
            "`[THINK]`": message(lambda text: f"[THINK]{DRAFT}[/THINK]{text}"),
            "`reasoning_content`": message(lambda text: {"content": text, "reasoning_content": DRAFT}),
            "`reasoning`": message(lambda text: {"content": text, "reasoning": DRAFT}),
        },
    ),
    Quirk(
        "reasons and never answers",
        {
            "`<think>` left open": message(lambda text: f"<think>\n{DRAFT}"),
            "no content": message(lambda text: {"content": None, "reasoning_content": DRAFT}),
        },
        ("rejected: empty",),
    ),
    Quirk(
        "leaves the model's end token in the text",
        {
            f"`{token}`": message(lambda text, token=token: f"{text.rstrip()}{token}\n")
            for token in ("<|im_end|>", "</s>", "<|eot_id|>")
        },
    ),
    Quirk("uses the legacy completions format", {"`text`": as_play(lambda answer: older(answer))}),
    Quirk(
        "sends JSON with white space, a byte order mark, or counts as strings",
        {
            "white space": lambda: lambda body: Answer(raw=b"\n     \n" + json.dumps(plain(body)).encode()),
            "byte order mark": lambda: lambda body: Answer(raw=b"\xef\xbb\xbf" + json.dumps(plain(body)).encode()),
            "token counts": as_play(lambda answer: answer | {"usage": {"prompt_tokens": 100.0, "completion_tokens": "50"}}),
        },
    ),
    Quirk("returns no choices", {"`[]`": as_play(lambda answer: answer | {"choices": []})}, ("rejected: empty",)),
    Quirk(
        "uses a nonstandard format",
        {
            "no choices": as_play(
                lambda answer: {"output": "I speak another protocol", "usage": {"input_tokens": 100, "output_tokens": 50}}
            ),
            "content that is not text": message(lambda text: [{"type": "picture", "url": "I speak another protocol"}]),
        },
        ("rejected: unparsable",),
        says="I speak another protocol",
    ),
    Quirk(
        "streams although streaming was not requested",
        {"event stream": always(Answer(raw=STREAM.encode(), headers={"Content-Type": "text/event-stream"}))},
        ("rejected: unparsable",),
        says="data: ",
        tokens=0,
    ),
    Quirk(
        "returns status 200 without an answer",
        {
            "HTML": always(Answer(raw=HTML.encode(), headers={"Content-Type": "text/html"})),
            "other JSON": always(Answer(raw=b'{"hello": "Sign in to the Wi-Fi"}')),
        },
        ("pending",),
        says="Sign in to the Wi-Fi",
        tokens=0,
        requests=6,
    ),
    Quirk(
        "sends a partial or empty body",
        {"truncated body": first(Answer(raw=b'{"choices": [{"me')), "empty body": first(Answer(raw=b""))},
        requests=3,
    ),
    Quirk(
        "has no credit left",
        {
            "HTTP 402": always(error(402, message="Insufficient credits")),
            "200 with an error code": inside(message="Insufficient credits", code=402),
            "200 with an error text": inside(message="Insufficient credits", type="insufficient_quota"),
            "HTTP 400 with an error text": always(error(400, message="Insufficient credits", type="invalid_request_error")),
            "HTTP 429, `insufficient_quota`": always(error(429, message="Insufficient credits", code="insufficient_quota")),
        },
        ("pending",),
        says="Insufficient credits",
        stops=True,
        tokens=0,
        requests=None,
    ),
    Quirk(
        "rejects the key",
        {
            "HTTP 401": always(error(401, message="No such key")),
            "200 with an error code": inside(message="No such key", code=401),
            "200 with an error text": inside(message="No such key", code="invalid_api_key"),
        },
        ("pending",),
        says="No such key",
        stops=True,
        tokens=0,
        requests=None,
    ),
    Quirk(
        "does not know the model, or redirects",
        {
            "HTTP 404": always(error(404, message="no model m at other.example.org")),
            "redirect": always(Answer(status=302, raw=b"", headers={"Location": "https://other.example.org/v1"})),
        },
        ("pending",),
        says="other.example.org",
        stops=True,
        tokens=0,
        requests=None,
    ),
    Quirk(
        "is rate limited",
        {
            "HTTP 429": first(error(429, message="slow down"), error(429, message="slow down")),
            "200 with an error code": first(error(200, message="Provider returned error", code=429)),
            "200 with an error text": first(error(200, message="Rate limit reached")),
            "`Retry-After` as a date": first(
                Answer(
                    status=429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
                )
            ),
        },
        requests=None,
    ),
    Quirk(
        "fails temporarily",
        {
            "HTTP 503": first(error(503, message="Loading model")),
            "HTTP 424": first(Answer(status=424, raw=b'{"error": "Request failed during generation"}')),
            "HTTP 529": first(Answer(status=529, raw=b'{"type": "error", "error": {"type": "overloaded_error"}}')),
            "HTTP 502, HTML": first(Answer(status=502, raw=b"<html>nginx</html>")),
            "200 with an error code": first(error(200, message="Provider returned error", code=502)),
            "broken connection": first(Answer(reset=True)),
            "no response": first(Answer(hang=True)),
        },
        requests=3,
    ),
    Quirk(
        "refuses every request",
        {
            "HTTP 400": always(error(400, message="The context has 2048 tokens")),
            "HTTP 422": always(error(422, message="The context has 2048 tokens")),
            "200 with an error text": inside(message="The context has 2048 tokens", type="invalid_request_error"),
        },
        ("pending",),
        says="The context has 2048 tokens",
        stops=True,
        tokens=0,
    ),
    Quirk(
        "refuses one of two requests",
        {
            "HTTP 400": one_of_two(error(400, message="too long")),
            "HTTP 413": one_of_two(error(413, message="too long")),
            "HTTP 403, moderation": one_of_two(error(403, message="flagged, or too long")),
        },
        ("kept", "rejected: refused"),
        says="too long",
        tokens=150,
    ),
    Quirk(
        "requires `max_completion_tokens`",
        {"HTTP 400": refuses("max_tokens", error(400, message="Unsupported parameter: 'max_tokens'", param="max_tokens"))},
        requests=3,
    ),
    Quirk(
        "does not accept `seed`, `temperature` or `top_p`",
        {
            "`seed`, HTTP 422": refuses("seed", Answer(status=422, raw=json.dumps(EXTRA_FORBIDDEN).encode())),
            "`temperature`, HTTP 400": refuses(
                "temperature", error(400, message="Unsupported value: 'temperature' does not support 0.5 with this model.")
            ),
            "`top_p`, HTTP 400": refuses(
                "top_p", error(400, message="`temperature` and `top_p` cannot both be specified for this model.")
            ),
        },
        requests=3,
    ),
)


def cut(answer: Body, finish_reason: str | None) -> Body:
    """An answer whose tokens are as many as it may have, and which does not say that it was cut."""
    return answer | {
        "usage": {"prompt_tokens": 100, "completion_tokens": 100},
        "choices": [answer["choices"][0] | {"finish_reason": finish_reason}],
    }


def older(answer: Body) -> Body:
    """The same in the protocol of completions."""
    return answer | {"choices": [{"text": answer["choices"][0]["message"]["content"], "finish_reason": "stop"}]}


def table() -> str:
    """The quirks as a Markdown table."""
    lines = ["| the server | variants | outcome for two seeds | tokens counted |", "|---|---|---|---|"]
    for quirk in QUIRKS:
        comes = " and ".join(f"{'2' if len(quirk.comes) == 1 else '1'} {what}" for what in quirk.comes)
        stops = "; the run stops" if quirk.stops else ""
        forms = "; ".join(quirk.forms).replace("|", r"\|")
        says = ", with the server's message" if quirk.says else ""
        lines.append(f"| {quirk.does} | {forms} | {comes}{stops}{says} | {quirk.tokens} |")
    return "\n".join(lines) + "\n"
