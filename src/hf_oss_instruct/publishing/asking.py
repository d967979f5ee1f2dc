"""How the Hub is asked: again after a stumble, and its errors in our words, each with the way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.hub import transport_error

TRIES, FIRST_PAUSE_S, LONGEST_PAUSE_S = 6, 0.5, 20.0


def again(call: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the Hub, and again after a broken connection or an error of its own."""
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

    waits = wait_random_exponential(multiplier=FIRST_PAUSE_S, max=LONGEST_PAUSE_S)
    return Retrying(retry=retry_if_exception(_may_pass), stop=stop_after_attempt(TRIES), wait=waits, reraise=True)(
        call, *args, **kwargs
    )


def _may_pass(error: BaseException) -> bool:
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    error = _behind(error)
    if isinstance(error, OfflineModeIsEnabled):
        return False
    if isinstance(error, LocalEntryNotFoundError):  # a download that did not reach the Hub, or met an error of its own
        return True
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return error.response.status_code >= 500 or error.response.status_code == 429
    return isinstance(error, (transport_error(), ConnectionError, TimeoutError)) and not isinstance(error, HfHubHTTPError)


def _behind(error: BaseException) -> BaseException:
    """The error of a request, which `create_commit` wraps in a RuntimeError if it was an upload."""
    return error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error


@contextmanager
def hub_errors(repo_id: str) -> Iterator[None]:
    """The Hub's errors as ours, each with the way out."""
    try:
        yield
    except PublishError:
        raise
    except Exception as raised:
        ours = _as_ours(_behind(raised), repo_id)
        if ours is None:
            raise
        raise ours from raised


def _as_ours(error: BaseException, repo_id: str) -> PublishError | None:
    """What an error of huggingface_hub means, None if it is a mistake of ours."""
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled

    as_it_was = "The repository is as it was; run the same command again."
    if isinstance(error, LocalTokenNotFoundError):
        return PublishError("You are not logged in. Run hf auth login, or set HF_TOKEN.")
    if isinstance(error, HfHubHTTPError):
        ways_out = {
            401: "The Hub does not know this token. Log in: hf auth login.",
            403: f"This token may not write to {repo_id}. Use one of an account that may, or propose it with --create-pr.",
            412: f"Somebody committed to {repo_id} meanwhile. Run the same command again to publish on top of it.",
        }
        status = error.response.status_code if error.response is not None else 0
        return PublishError(ways_out.get(status, f"The Hub refused: {_one_line(error)}. {as_it_was}"))
    if isinstance(error, ValueError):  # huggingface_hub's word for a card that the Hub refuses
        return PublishError(f"The Hub refuses the card: {_one_line(error)}. Mend it; the repository is as it was.")
    if isinstance(error, (transport_error(), OfflineModeIsEnabled, OSError)):
        return PublishError(f"The Hub cannot be reached: {_one_line(error)}. {as_it_was}")
    return None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
