"""Helpers for all callers of `huggingface_hub`."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.credentials import check_hub
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.terminal.display import error_message

if TYPE_CHECKING:
    from huggingface_hub import HfApi, HfFileSystem

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]*\w")
"""The form of a repository id, `namespace/name`; `missing/` and `./missing` can only be paths."""
COMMIT = re.compile(r"[0-9a-f]{40}")
LIBRARY = "hf-oss-instruct"
"""Our name in the `User-Agent` of requests to the Hub."""


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
    if sent and not constants.is_offline_mode():
        check_hub(endpoint or constants.ENDPOINT)


def transport_error() -> type[Exception]:
    """Root of the errors of huggingface_hub's HTTP client: httpx's with 1.x, httpx2's with 2.x."""
    from huggingface_hub.errors import HfHubHTTPError

    return HfHubHTTPError.__bases__[0]


def check_endpoint_for(model: str) -> None:
    """The same, for a library that loads a model or tokenizer: a Hub id, or a folder.

    Raises:
        UsageError: it is not a folder, and the token would be sent unencrypted to another machine.
    """
    if not Path(model).exists():
        check_endpoint()


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
        return str(client().model_info(model, revision=revision).sha)
    except UsageError:
        raise
    except Exception as error:  # whatever the Hub's client raises
        if isinstance(path := try_to_load_from_cache(model, "config.json", revision=revision), str):
            return Path(path).parent.name
        raise LookupError(
            f"The model {model!r} at {revision!r} is neither a local folder nor available on the Hub: {error_message(error)}."
        ) from error
