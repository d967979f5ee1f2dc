"""Helpers for all callers of `huggingface_hub`."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

from hf_oss_instruct.credentials import check_hub
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.terminal.display import error_message

if TYPE_CHECKING:
    from huggingface_hub import DatasetInfo, HfApi, HfFileSystem, ModelInfo, SpaceInfo
    from tenacity import RetryCallState

    RepositoryInfo: TypeAlias = ModelInfo | DatasetInfo | SpaceInfo

P = ParamSpec("P")
T = TypeVar("T")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]*\w")
"""The form of a repository id, `namespace/name`; `missing/` and `./missing` can only be paths."""
COMMIT = re.compile(r"[0-9a-f]{40}")
LIBRARY = "hf-oss-instruct"
"""Our name in the `User-Agent` of requests to the Hub."""
ATTEMPTS, FIRST_PAUSE_S, MAX_PAUSE_S = 6, 0.5, 20.0
"""Pauses grow exponentially and are drawn at random up to the current limit, so that clients do not return together."""


def client(token: str | bool | None = None, endpoint: str | None = None) -> HfApi:
    """The client for all requests of this package to the Hub.

    Args:
        token: Hub token; the one you are logged in with by default, `False` for none.
        endpoint: URL of another Hub; `HF_ENDPOINT` by default.

    Raises:
        UsageError: the token would be sent unencrypted to another machine.
    """
    from huggingface_hub import HfApi

    check_endpoint(token, endpoint)
    return HfApi(endpoint=endpoint, token=token, library_name=LIBRARY, library_version=version(LIBRARY))


def file_system(token: str | bool | None = None, endpoint: str | None = None) -> HfFileSystem:
    """The Hub as a file system. Arguments and errors are those of `client`."""
    from huggingface_hub import HfFileSystem

    check_endpoint(token, endpoint)
    return HfFileSystem(endpoint=endpoint, token=token)


def check_endpoint(token: str | bool | None = None, endpoint: str | None = None) -> None:
    """Check that the Hub may receive the token, before another library (`datasets`, `transformers`, lighteval) sends it there.

    Args:
        token: the token that is sent; the one you are logged in with by default, `False` for none.
        endpoint: URL of the Hub; `HF_ENDPOINT` by default.

    Raises:
        UsageError: the token would be sent unencrypted to another machine.
    """
    from huggingface_hub import constants, get_token

    sent = token if isinstance(token, str) else token is not False and get_token()
    # Offline, nothing is sent.
    if sent and not constants.is_offline_mode():
        check_hub(endpoint or constants.ENDPOINT)


def check_endpoint_for(model: str) -> None:
    """The same, for a library that loads a model or tokenizer: a Hub id, or a folder.

    Raises:
        UsageError: it is not a folder, and the token would be sent unencrypted to another machine.
    """
    if not Path(model).exists():
        check_endpoint()


def commit_in(info: RepositoryInfo) -> str:
    """The commit in the Hub's answer about a repository.

    Args:
        info: the answer.

    Raises:
        OSError: it names none, which the API allows.
    """
    if not info.sha:
        raise OSError(f"the answer about {info.id!r} names no commit. If HF_ENDPOINT is a mirror, use another one")
    return info.sha


def commit_of(model: str, revision: str = "main") -> str:
    """The commit that a revision of a model is at now; without a network, the one in the cache.

    Args:
        model: a Hub id.
        revision: branch, tag or commit.

    Raises:
        LookupError: the Hub has no such model, or cannot be reached and the cache has none; with a sentence that says why.
        UsageError: the token would be sent unencrypted to another machine.
    """
    from huggingface_hub import try_to_load_from_cache

    if COMMIT.fullmatch(revision):
        return revision
    try:
        return commit_in(client().model_info(model, revision=revision))
    except UsageError:
        raise
    except Exception as error:  # whatever the Hub's client raises
        if isinstance(path := try_to_load_from_cache(model, "config.json", revision=revision), str):
            # In the cache, the folder of a snapshot is named after its commit.
            return Path(path).parent.name
        raise LookupError(
            f"The model {model!r} at {revision!r} is not a local folder, and cannot be read from the Hub: {reason(error)}. Pass "
            "a local folder, or try again."
        ) from error


def retried(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call the Hub, and retry broken connections, server errors and rate limits.

    Args:
        call: a method of `HfApi`.
        args: its positional arguments.
        kwargs: its keyword arguments.
    """
    result: T = retrying(is_transient)(call, *args, **kwargs)
    return result


def retrying(transient: Callable[[BaseException], bool], say: Callable[[str], None] | None = None) -> Any:
    """A function that calls another with its arguments, again after failures that may pass, for about a minute.

    Args:
        transient: whether an error may pass.
        say: called with a sentence about each failure that is retried.
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

    def tell(state: RetryCallState) -> None:
        if say and state.outcome:
            say(f"{state.outcome.exception()} Retrying.")

    waits = wait_random_exponential(multiplier=FIRST_PAUSE_S, max=MAX_PAUSE_S)
    retry, stop = retry_if_exception(transient), stop_after_attempt(ATTEMPTS)
    return Retrying(retry=retry, stop=stop, wait=waits, reraise=True, before_sleep=tell)


def is_transient(error: BaseException) -> bool:
    """Whether a call that failed with this error may succeed when it is made again."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    error = root_cause(error)
    if (status := status_of(error)) is not None:
        return status in (408, 429) or status >= 500
    return is_unreachable(error) and not isinstance(error, OfflineModeIsEnabled)


def is_unreachable(error: BaseException) -> bool:
    """Whether the Hub did not answer at all."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    error = root_cause(error)
    # A download raises LocalEntryNotFoundError too if it could not reach the Hub.
    unreachable = (LocalEntryNotFoundError, transport_error(), ConnectionError, TimeoutError)
    return isinstance(error, unreachable) and not isinstance(error, HfHubHTTPError)


def status_of(error: BaseException | None) -> int | None:
    """The HTTP status code of an error; None if there was no answer."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def root_cause(error: BaseException) -> BaseException:
    """The request's own error: `create_commit` wraps errors of uploads in a RuntimeError."""
    return error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error


def transport_error() -> type[Exception]:
    """Root of the errors of huggingface_hub's HTTP client: httpx's with 1.x, httpx2's with 2.x."""
    from huggingface_hub.errors import HfHubHTTPError

    return HfHubHTTPError.__bases__[0]


def reason(error: BaseException) -> str:
    """Why a call failed, and what to do about it, for the end of a sentence of ours, without its period.

    Args:
        error: what the Hub's client raised; the message of any other error is returned as it is.
    """
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalTokenNotFoundError,
        RepositoryNotFoundError,
    )

    error = root_cause(error)
    if isinstance(error, LocalTokenNotFoundError):
        return "you are not logged in. Run hf auth login, or set HF_TOKEN"
    if isinstance(error, GatedRepoError):
        return "it is gated. Accept its terms on its Hub page, then log in: hf auth login"
    if isinstance(error, (RepositoryNotFoundError, HFValidationError)):
        return "it does not exist on the Hub, or you cannot access it. Check the spelling, or log in: hf auth login"
    if (status := status_of(error)) == 401:
        return "the Hub does not know this token. Log in with hf auth login"
    if status is not None:
        return f"the Hub rejected the request: {error_message(error)}"
    if is_unreachable(error):
        return f"the Hub cannot be reached: {error_message(_underlying(error))}"
    return error_message(error)


def _underlying(error: BaseException) -> BaseException:
    """The error of the connection behind one that only says that a file is not in the cache."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    return error.__cause__ if isinstance(error, LocalEntryNotFoundError) and error.__cause__ else error
