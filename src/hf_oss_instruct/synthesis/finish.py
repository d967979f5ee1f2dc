"""Why a server says that an answer ended (`finish_reason`): by itself, cut at a limit, or withheld by a filter.

The OpenAI protocol has `stop`, `length` and `content_filter`. Servers that speak it have dozens of words more, or none at all:
only a word that means a cut makes an answer incomplete.
"""

from __future__ import annotations

from enum import Enum

_NATURAL = frozenset(
    "stop eos eos_token end end_turn end_of_turn stop_sequence stop_token complete completed finished done tool_calls "
    "tool_use function_call".split()
)
_CUT = frozenset(
    "length max_tokens max_token max_length max_new_tokens max_output_tokens max_completion_tokens model_length token_limit "
    "context_length context_length_exceeded model_context_window_exceeded incomplete truncated error error_limit abort aborted "
    "cancelled canceled user_cancel timeout time_limit network_error insufficient_system_resource".split()
)
_FILTERED = frozenset(
    "content_filter content_filtered safety image_safety recitation blocklist prohibited_content spii sensitive language refusal "
    "guardrail_intervened error_toxic".split()
)


class Ending(Enum):
    """How an answer ended, as far as its server says."""

    NATURAL = "natural"
    CUT = "cut"
    FILTERED = "filtered"
    UNKNOWN = "unknown"
    """No word, or one that we do not know: the answer is read as it is."""


def ending(finish_reason: str | None) -> Ending:
    """What a finish reason means, in any case and in the dress of an enum (`FinishReason.MAX_TOKENS`, `FINISH_REASON_STOP`)."""
    word = (finish_reason or "").rpartition(".")[2].lower().replace("-", "_").replace(" ", "_").removeprefix("finish_reason_")
    for meaning, words in ((Ending.NATURAL, _NATURAL), (Ending.CUT, _CUT), (Ending.FILTERED, _FILTERED)):
        if word in words:
            return meaning
    return Ending.UNKNOWN
