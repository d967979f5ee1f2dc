"""The sampling parameters of a request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isinf
from typing import Any

from hf_oss_instruct.credentials import holds_hugging_face_token, is_secret_name
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.declare import ANYONE, Interface, documented, normalize, option
from hf_oss_instruct.spec.option_types import Integer, JsonObject, Number, Switch

SET_ELSEWHERE = frozenset(
    "model messages stream stream_options n temperature top_p max_tokens max_completion_tokens max_output_tokens seed".split()
)
"""Fields that `extra_body` must not set: they have their own options, or the answers could not be parsed."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Sampling parameters, the paper's by default (Magicoder, section 2.1 and generate_data.py).

    Raises:
        UsageError: a value is out of range, or `extra_body` sets a field that has its own option, or contains a secret.
    """

    temperature: float = option(
        0.0,
        Number(0),
        "Sampling temperature. Default: 0, as in the paper.",
        flag="--temperature",
        yaml="temperature",
        section="2.1",
        python_help="Sampling temperature, 0 for greedy decoding. Default: 0, as in the paper.",
    )
    top_p: float | None = option(
        None,
        Number(0, 1, low_open=True),
        "Nucleus sampling. Default: the server's.",
        flag="--top-p",
        yaml="top_p",
        python_help="Nucleus sampling, in (0, 1]. Default: the server's.",
    )
    max_tokens: int = option(
        2500,
        Integer(1),
        "Maximum number of tokens per answer. Default: 2500, as in the paper.",
        flag="--max-tokens",
        yaml="max_tokens",
        section="2.1",
    )
    send_seed: bool = option(
        True,
        Switch(),
        "Send no random seed, for servers that do not support one.",
        python_help="Whether to send a random seed; some servers do not support one. Default: yes.",
        flag="--no-seed",
        yaml="send_seed",
        rare=True,
    )
    extra_body: Mapping[str, Any] | None = option(
        None,
        JsonObject(),
        'Further fields of every request, e.g. \'{"chat_template_kwargs": {"enable_thinking": false}}\'. They are saved '
        "in the run config and are part of a request's key: other values require new answers.",
        python_help='Further fields of every request, such as {"chat_template_kwargs": {"enable_thinking": False}}. They are '
        "saved in the run config and are part of a request's key: other values require new answers.",
        flag="--extra-body",
        metavar="JSON",
        yaml="extra_body",
        rare=True,
        set_by=ANYONE & ~Interface.REPO_CONFIG,
    )

    def __post_init__(self) -> None:
        normalize(self)
        # JSON has no infinity; it would be sent as null.
        if isinf(self.temperature):
            raise UsageError(f"temperature must be finite, not {self.temperature}.")
        if self.extra_body is not None:
            _check_extra(self.extra_body)

    def as_sent(self, seed: int) -> dict[str, Any]:
        """The parameters of one request; `seed` is the server's random seed."""
        sent: dict[str, Any] = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        if self.send_seed:
            sent["seed"] = seed
        if self.top_p is not None:
            sent["top_p"] = self.top_p
        # Last, but it replaces nothing: `SET_ELSEWHERE` keeps out what has an option.
        return sent | dict(self.extra_body or {})


def _check_extra(extra: Mapping[str, Any]) -> None:
    if set_elsewhere := SET_ELSEWHERE & extra.keys():
        raise UsageError(f"extra_body sets {min(set_elsewhere)!r}, which has its own option. Use that option.")
    try:
        # Python would write NaN and Infinity, which are not JSON.
        json.dumps(dict(extra), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"extra_body is not a JSON object: {error}. Use text, numbers, true, false, null, lists and objects."
        ) from error
    if secret := next((name for name in _names(extra) if is_secret_name(name)), None):
        raise UsageError(
            f"extra_body has {secret!r}, but is stored in the run config, rows and card. Pass a key with --api-key-env."
        )

    if any(holds_hugging_face_token(text) for text in _texts(extra)):
        raise UsageError("extra_body contains a Hugging Face token, which would be sent and published. Remove it.")


def _names(value: Any) -> Iterator[str]:
    """The names of all fields, at every depth."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)


def _texts(value: Any) -> Iterator[str]:
    """All text values, at every depth."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _texts(inner)
