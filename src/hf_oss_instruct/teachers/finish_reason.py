"""Interpret a server's `finish_reason`: a natural end, a cut at a limit, or a content filter.

The OpenAI protocol has `stop`, `length` and `content_filter`. Compatible servers send dozens of other words, or none:
an answer counts as incomplete only if the word is known to mean that.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

_NATURAL = frozenset(
    "stop stopped stopsequence stopstr stopword stopwords stoptoken eos eostoken eostokenid eot end endturn endofturn complete "
    "completed finished done normal toolcalls tooluse functioncall".split()
)
# Errors and cancellations, too: whatever ended the answer, its end may be missing.
_CUT = frozenset(
    "length maxtokens maxtoken maxlength maxnewtokens maxoutputtokens maxcompletiontokens modellength limit "
    "lengthlimit tokenlimit outputlimit outputtokenlimit contextlength contextlimit contextwindow "
    "modelcontextwindow incomplete truncated cut error errorlimit abort aborted cancelled canceled usercancel "
    "timeout timelimit networkerror insufficientsystemresource".split()
)
_FILTERED = frozenset(
    "contentfilter contentfiltered filtered safety imagesafety recitation blocklist prohibitedcontent spii sensitive language "
    "refusal refused moderation contentpolicy contentpolicyviolation guardrailintervened errortoxic".split()
)


class FinishKind(Enum):
    """How an answer ended, according to the server."""

    NATURAL = "natural"
    TRUNCATED = "cut"
    FILTERED = "filtered"
    UNKNOWN = "unknown"
    """No word, or an unknown one: the answer is taken as complete."""


@lru_cache(256)  # a server uses only a few words
def finish_kind(finish_reason: str | None) -> FinishKind:
    """Interpret a finish reason in any spelling (`MaxTokens`, `FinishReason.MAX_TOKENS`, `FINISH_REASON_STOP`)."""
    word = re.sub(r"[\s_-]", "", (finish_reason or "").rpartition(".")[2].lower()).removeprefix("finishreason")
    word = re.sub("(reached|exceeded)$", "", word)
    for meaning, words in ((FinishKind.NATURAL, _NATURAL), (FinishKind.TRUNCATED, _CUT), (FinishKind.FILTERED, _FILTERED)):
        if word in words:
            return meaning
    return FinishKind.UNKNOWN
