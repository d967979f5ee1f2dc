"""Adapt sampling parameters to a server: one that it rejects by name is omitted or renamed from then on.

Keys in the journal use the parameters as requested, so that a run can be continued with any server; the column
`sampling` of a row records what was sent.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

from hf_oss_instruct.teachers.http.errors import BadRequestError, parsed
from hf_oss_instruct.terminal.display import one_line

logger = logging.getLogger(__name__)

REPLACEMENTS: dict[str, str | None] = {
    "top_p": None,
    "seed": None,
    "temperature": None,
    "response_format": None,
    "max_tokens": "max_completion_tokens",
}
"""Parameter that a server may reject → its replacement. The token limit is never omitted: budgets rely on it."""
IMPLICIT_PARAMETERS = ("seed", "response_format")
"""Parameters whose value the user did not choose: they are also omitted if the server does not take the value."""
_SCHEMA = re.compile(r"response_format|json[_ ]schema|structured[_ ]output|json[_ ]mode|guided[_ ]\w+|grammar", re.IGNORECASE)
"""What servers call the feature behind `response_format`."""
_UNKNOWN = re.compile(
    r"unsupported|not supported|n't supported|does not support|not permitted|extra inputs|extra_forbidden|extra fields"
    r"|unrecogni[sz]ed|unknown|unexpected|not allowed|forbidden|cannot both be|can't both be|only the default|deprecated"
    r"|must be (omitted|removed)|not accept|not available|unavailable|additional propert|does not exist|doesn't exist|no such"
    r"|not an? (valid|known|allowed|recognized) (\w+ )?(parameter|field|argument|key|option|property)"
    r"|only (the value )?\S+ is (allowed|supported|accepted)|(use|instead|replaced|renamed)\b.*\bmax_completion_tokens"
    r"|invalid (request )?(parameter|field|argument|key|option|property|properties)s?(\(s\))?:? ?['\"`\[]*(\w+)['\"`\]]*\.?$",
    re.IGNORECASE,
)
"""Messages that reject a parameter itself, as opposed to its value."""


class ServerParameters:
    """What is known about a server's parameters.

    Attributes:
        changes: parameter → its name on this server, None if it is omitted.
    """

    def __init__(self) -> None:
        self.changes: dict[str, str | None] = {}

    def sent(self, sampling: dict[str, Any]) -> dict[str, Any]:
        """The sampling parameters as sent to this server."""
        if not self.changes:
            return sampling
        names = {name: self.changes.get(name, name) for name in sampling}
        return {new: sampling[name] for name, new in names.items() if new is not None}

    def learn(self, refusal: BadRequestError, sent: dict[str, Any]) -> str | None:
        """Learn from a rejected request which parameter the server does not support.

        Returns:
            A message about the change; None if the rejection has another reason.
        """
        name = next((name for name in _rejected_parameters(refusal) if name in sent and name in REPLACEMENTS), None)
        if name is None:
            return None
        new = REPLACEMENTS[name]
        message = f"The teacher does not accept {name}: it is {f'sent as {new}' if new else 'left out'} from now on"
        # Several requests in flight are refused for the same reason: one warning is enough.
        if name not in self.changes:
            self.changes[name] = new
            logger.warning("%s (%s).", message, one_line(refusal.detail, 200))
        return message


def _rejected_parameters(refusal: BadRequestError) -> Iterator[str]:
    """The parameters that the message names as unsupported, the most certain first."""
    error = parsed(refusal.body)
    inner = error["error"] if isinstance(error, dict) and isinstance(error.get("error"), dict) else error
    for item in _field_errors(error):
        name = next((name for name in IMPLICIT_PARAMETERS if name in item["loc"]), str(item["loc"][-1]))
        if _UNKNOWN.search(f"{item.get('type')} {item.get('msg')}") or name in IMPLICIT_PARAMETERS:
            yield name
    param = inner.get("param") if isinstance(inner, dict) else None
    if isinstance(param, str) and (named := param.partition(".")[0]) in IMPLICIT_PARAMETERS:
        yield named
    if _SCHEMA.search(refusal.detail):
        yield "response_format"
    codes = [str(inner.get(name)) for name in ("code", "type")] if isinstance(inner, dict) else []
    # A message about a value, such as "max_tokens is too large", must not remove the parameter.
    if not any(_UNKNOWN.search(text) for text in (refusal.detail, *codes)):
        return
    if isinstance(param, str):
        yield param
    for name in REPLACEMENTS:
        if re.search(rf"\b{name}\b", refusal.detail):
            yield name


def _field_errors(error: Any, depth: int = 4) -> Iterator[dict[str, Any]]:
    """Errors of pydantic about single fields, wherever they are in the response."""
    if isinstance(error, dict) and isinstance(error.get("loc"), list) and error["loc"]:
        yield error
    elif depth:
        for inner in error.values() if isinstance(error, dict) else error if isinstance(error, list) else ():
            yield from _field_errors(inner, depth - 1)
