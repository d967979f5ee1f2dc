"""Helpers for all callers of `huggingface_hub`."""

from __future__ import annotations

import re

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]*\w")
"""What the id of a repository looks like, `namespace/name`; `missing/` and `./missing` can only be paths."""


def transport_error() -> type[Exception]:
    """Root of the errors of huggingface_hub's HTTP client: httpx's with 1.x, httpx2's with 2.x."""
    from huggingface_hub.errors import HfHubHTTPError

    return HfHubHTTPError.__bases__[0]
