"""Helpers for all callers of `huggingface_hub`."""

from __future__ import annotations

import re
from pathlib import Path

from hf_oss_instruct.terminal.display import error_message

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]*\w")
"""The form of a repository id, `namespace/name`; `missing/` and `./missing` can only be paths."""
COMMIT = re.compile(r"[0-9a-f]{40}")


def transport_error() -> type[Exception]:
    """Root of the errors of huggingface_hub's HTTP client: httpx's with 1.x, httpx2's with 2.x."""
    from huggingface_hub.errors import HfHubHTTPError

    return HfHubHTTPError.__bases__[0]


def commit_of(model: str, revision: str = "main") -> str:
    """The commit that a revision of a model is at now; without a network, the one in the cache.

    Args:
        model: a Hub id.
        revision: branch, tag or commit.

    Raises:
        LookupError: the Hub has no such model, or cannot be reached and the cache has none; with a sentence that says why.
    """
    from huggingface_hub import HfApi, try_to_load_from_cache

    if COMMIT.fullmatch(revision):
        return revision
    try:
        return str(HfApi(library_name="hf-oss-instruct").model_info(model, revision=revision).sha)
    except Exception as error:  # whatever the Hub's client raises
        if isinstance(path := try_to_load_from_cache(model, "config.json", revision=revision), str):
            return Path(path).parent.name
        raise LookupError(
            f"The model {model!r} at {revision!r} is neither a local folder nor available on the Hub: {error_message(error)}."
        ) from error
