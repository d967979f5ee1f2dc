"""Calls to the Hub: retried after temporary failures, with errors translated to ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.hub import transport_error
from hf_oss_instruct.terminal.display import error_message

ATTEMPTS, FIRST_PAUSE_S, LONGEST_PAUSE_S = 6, 0.5, 20.0
"""Pauses grow exponentially and are drawn at random up to the current limit, so that clients do not return together."""


def retried(call: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the Hub, and retry broken connections, server errors and rate limits.

    Args:
        call: a method of `HfApi`.
        args: its positional arguments.
        kwargs: its keyword arguments.
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

    waits = wait_random_exponential(multiplier=FIRST_PAUSE_S, max=LONGEST_PAUSE_S)
    return Retrying(retry=retry_if_exception(_is_transient), stop=stop_after_attempt(ATTEMPTS), wait=waits, reraise=True)(
        call, *args, **kwargs
    )


def _is_transient(error: BaseException) -> bool:
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    error = _root_cause(error)
    if isinstance(error, OfflineModeIsEnabled):
        return False
    if isinstance(error, LocalEntryNotFoundError):  # also raised by a download that could not reach the Hub
        return True
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return error.response.status_code >= 500 or error.response.status_code == 429
    return isinstance(error, (transport_error(), ConnectionError, TimeoutError)) and not isinstance(error, HfHubHTTPError)


def _root_cause(error: BaseException) -> BaseException:
    """The request's own error: `create_commit` wraps errors of uploads in a RuntimeError."""
    return error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error


@contextmanager
def hub_errors(repo_id: str) -> Iterator[None]:
    """Translate errors of the Hub into `PublishError`, with a way out. Programming errors pass through."""
    try:
        yield
    except PublishError:
        raise
    except Exception as raised:
        ours = _publish_error(_root_cause(raised), repo_id)
        if ours is None:
            raise
        raise ours from raised


def _publish_error(error: BaseException, repo_id: str) -> PublishError | None:
    """The `PublishError` for an error of huggingface_hub, None for an error that is not about the Hub."""
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled

    unchanged = "The repository is unchanged; run the same command again."
    if isinstance(error, LocalTokenNotFoundError):
        return PublishError("You are not logged in. Run hf auth login, or set HF_TOKEN.")
    if isinstance(error, HfHubHTTPError):
        ways_out = {
            401: "The Hub does not know this token. Log in with hf auth login.",
            403: f"This token cannot write to {repo_id}. Use a token that can, or open a pull request with --create-pr.",
            412: f"Somebody committed to {repo_id} in the meantime. Run the same command again to publish on top of that commit.",
        }
        status = error.response.status_code if error.response is not None else 0
        return PublishError(ways_out.get(status, f"The Hub rejected the request: {error_message(error)}. {unchanged}"))
    if isinstance(error, ValueError):  # raised by huggingface_hub for a card that the Hub rejects
        return PublishError(f"The Hub rejects the card: {error_message(error)}. Fix it; the repository is unchanged.")
    if isinstance(error, (transport_error(), OfflineModeIsEnabled, OSError)):
        return PublishError(f"The Hub cannot be reached: {error_message(error)}. {unchanged}")
    return None
