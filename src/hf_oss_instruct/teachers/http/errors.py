"""Map HTTP errors of a chat server to retry, reject the row, or stop the run; messages quote the server."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from hf_oss_instruct.data import storable
from hf_oss_instruct.errors import RetryableError, RowRejectedError, TeacherError

MAX_MESSAGE_CHARS = 500
"""Maximum number of characters quoted from a server's error message."""
REMEDIES = {
    401: "Check the key: pass api_key, or name its variable with --api-key-env; or log in with hf auth login.",
    402: "Add credit to the account, or use another teacher.",
    403: "Use a key that may call this model.",
    404: "Check the model (--model) and base_url (--base-url), which is used unchanged: most servers need /v1 at its end.",
    407: "Check the proxy in HTTPS_PROXY or HTTP_PROXY, or name the server's host in NO_PROXY.",
}
# In this order: `quota` alone means a rate limit, `insufficient_quota` an empty account.
_STATUS_OF_WORDS = (
    (402, "insufficient_quota insufficient_credit insufficient_balance insufficient_fund billing payment_required"),
    (401, "invalid_api_key invalid_key incorrect_api_key authentication unauthorized unauthenticated invalid_token"),
    (429, "rate_limit ratelimit too_many_requests throttl resource_exhausted quota"),
    (403, "permission forbidden access_denied"),
    (404, "not_found"),
    (503, "overloaded unavailable server_error internal timeout"),
    (400, "invalid_request invalid_argument bad_request context_length unsupported"),
)
"""HTTP status → the error codes and types that mean it, as in `error.code`, `error.type` or `error.status`."""
_ACCOUNT = (
    (
        402,
        re.compile(
            "insufficient_(account_)?(quota|credit|balance|fund)|credit_balance_(is_)?too_low|out_of_credit|arrear"
            "|in_good_standing|exceeded_current_quota_error|payment_required|billing_(hard_limit|not_active)"
        ),
    ),
    (
        401,
        re.compile(
            "(invalid|incorrect|expired|revoked|disabled)_api_key|api_key_(is_|has_|was_)?(been_)?"
            "(not_valid|invalid|expired|revoked|disabled)|authentication_error|invalid_authentication"
        ),
    ),
)
"""Errors about the account rather than the request, which servers send with other statuses, such as 400 for an empty balance."""
_MODERATION = re.compile("flagged|moderation|content_(policy|filter|management)|safety_(system|policy)")
_PASSING = frozenset({408, 409, 421, 423, 424, 425, 429, 499})
"""Statuses below 500 of transient failures; TGI sends 424 if generation failed."""
_WORDS = ("error", "errors", "message", "msg", "error_msg", "detail")
"""Fields that contain a server's message, or an object with it."""
_IN_A_MESSAGE = (401, 429, 402)
"""Statuses that a message alone can mean if there is no code, in this order, because rate limit messages mention billing."""


class BadRequestError(RowRejectedError):
    """HTTP 400, 413 or 422: this request will never be answered.

    Args:
        detail: why, in one line.
        body: the server's complete answer.
    """

    def __init__(self, detail: str, body: str) -> None:
        super().__init__("refused", detail)
        self.body = body


def exception_for(status: int, body: str, headers: Mapping[str, str], *, in_answer: bool = False) -> Exception:
    """Translate an HTTP error to an exception.

    Args:
        status: the HTTP status.
        body: the body of the response.
        headers: its headers; names are in lower case, or the mapping ignores case.
        in_answer: whether the error was in the body of a response with status 200.
    """
    message = f"{'HTTP 200 with error' if in_answer else 'HTTP'} {status}: {server_message(body)}"
    status = _corrected_status(status, body)
    # 451: withheld for legal reasons, which concerns this prompt and no other.
    if status in (400, 413, 422, 451):
        return BadRequestError(message, body)
    if status in _PASSING or status >= 500:
        return RetryableError(message, after_s=retry_after_s(headers), reached=True, busy=status == 429)
    return TeacherError(f"The teacher answered {message}. {REMEDIES.get(status, 'Check --base-url.')}")


def server_message(text: str) -> str:
    """The server's message on one line, unwrapped from `{"error": {"message": …}}` and similar objects."""
    words = " ".join((_message_text(parsed(text)) or text).split())
    return storable(words)[:MAX_MESSAGE_CHARS].rstrip(".") or "(no message)"


def _message_text(error: Any, depth: int = 4) -> str:
    """The message in an error object of any shape, "" if there is none, without the server's quotes from the request."""
    if isinstance(error, str):
        return error
    if isinstance(error, list) and depth:
        return "; ".join(filter(None, (_message_text(item, depth - 1) for item in error if isinstance(item, dict))))
    if not isinstance(error, dict) or not depth:
        return ""
    if isinstance(error.get("loc"), list):  # pydantic's
        return f"{'.'.join(map(str, error['loc']))}: {error.get('msg') or error.get('type')}"
    texts = [(name, words) for name in _WORDS if (words := _message_text(error.get(name), depth - 1))]
    # A title and a detail: the detail says what to change.
    if len(texts) > 1 and isinstance(error.get("error"), str) and texts[1][1] != texts[0][1]:
        return f"{texts[0][1]}: {texts[1][1]}"
    return texts[0][1] if texts else ""


def _corrected_status(status: int, body: str) -> int:
    """Correct the status if the message says that the account or a content filter is the cause."""
    if status not in (400, 403, 422, 429):
        return status
    error = parsed(body)
    error = error[0] if isinstance(error, list) and error else error
    codes = (str(_inner_error(error).get(name) or "") for name in ("code", "type", "status"))
    message = _snake(" ".join((server_message(body), *codes)))
    if account := next((account for account, words in _ACCOUNT if words.search(message)), None):
        return account
    if status == 429 and status_of_code(error) == 402:
        return 402
    # 403 for a flagged prompt is about the row; any other 403 is about the key, and stops the run.
    return 400 if status == 403 and _MODERATION.search(message) else status


def parsed(text: str) -> Any:
    """The body parsed as JSON, or the body itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def status_in(error: Any) -> int | None:
    """The HTTP status that an error object means, by its code or else its message; None if unknown."""
    if (status := status_of_code(error)) is not None:
        return status
    message = error if isinstance(error, str) else _inner_error(error).get("message")
    message = _snake(message) if isinstance(message, str) else ""
    known = dict(_STATUS_OF_WORDS)
    return next((status for status in _IN_A_MESSAGE if _contains(message, known[status])), None)


def status_of_code(error: Any) -> int | None:
    """The HTTP status that the code or type of an error object means; None if unknown."""
    codes = [_inner_error(error).get(name) for name in ("code", "status", "status_code", "type")]
    for code in codes:
        if re.fullmatch("[45][0-9][0-9]", str(code)):
            return int(str(code))
    words = [_snake(code) for code in codes if isinstance(code, str)]
    return next((status for status, known in _STATUS_OF_WORDS if any(_contains(word, known) for word in words)), None)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from `Retry-After` (a number or an HTTP date) or OpenAI's `retry-after-ms`; None without them.

    A date is compared with the server's own clock, if the response has a `Date`.
    """
    # The finer unit first, since a server may send both.
    for header, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(header) or "") * unit_s
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    when = _date(headers.get("retry-after"))
    now = _date(headers.get("date")) or datetime.now(UTC)
    return max(0.0, (when - now).total_seconds()) if when else None


def _inner_error(error: Any) -> dict[str, Any]:
    """The inner error object."""
    if isinstance(error, dict) and isinstance(error.get("error"), dict):
        error = error["error"]
    return error if isinstance(error, dict) else {}


def _date(text: str | None) -> datetime | None:
    try:
        when = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _snake(words: str) -> str:
    return re.sub(r"[\s-]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", words)).lower()


def _contains(word: str, known: str) -> bool:
    return any(part in word for part in known.split())
