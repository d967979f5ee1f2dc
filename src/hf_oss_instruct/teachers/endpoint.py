"""Where the requests to an OpenAI-compatible server go, which headers carry its key, and through which proxy."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from hf_oss_instruct.credentials import redacted
from hf_oss_instruct.errors import UsageError

PATH = "/chat/completions"
AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
"""Hosts that take their key in the header `api-key`."""


@dataclass(frozen=True)
class Endpoint:
    """Where a request goes.

    Attributes:
        url: the whole URL, without user name and password.
        headers: what carries the key; never shown.
    """

    url: str
    headers: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, base_url: str, key: str | None) -> Endpoint:
        """The endpoint of a server.

        Args:
            base_url: what the server's documentation calls its base URL, or the whole URL of its chat completions. `/v1` is added
                only where it has no path; a query, such as Azure's `api-version`, is kept. User name and password in it are sent
                as basic authentication.
            key: API key, None for none.
        """
        parts = urlsplit(base_url)
        path = parts.path.rstrip("/") or "/v1"
        if not path.endswith(PATH):
            path += PATH
        host = parts.netloc.rpartition("@")[2]
        azure = (parts.hostname or "").endswith(AZURE) or "api-version" in parse_qs(parts.query)
        return cls(
            urlunsplit((parts.scheme, host, path, parts.query, "")),
            {"api-key": key} if key and azure else _authorization(key, parts.username, parts.password),
        )

    def proxy(self) -> tuple[str, dict[str, str]] | None:
        """The proxy for this URL (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, not for `NO_PROXY`), and the headers it is sent.

        Raises:
            UsageError: it is no HTTP proxy.
        """
        parts = urlsplit(self.url)
        proxies = getproxies()
        found = proxies.get(parts.scheme) or proxies.get("all")
        if not found or proxy_bypass(parts.netloc):
            return None
        proxy = urlsplit(found if "://" in found else f"http://{found}")
        if proxy.scheme not in ("http", "https") or not proxy.hostname:
            raise UsageError(
                f"The proxy {redacted(found)!r} in the environment is no HTTP proxy. Set {parts.scheme.upper()}_PROXY to one "
                f"such as http://proxy:3128, or name {parts.hostname} in NO_PROXY."
            )
        headers = _authorization(None, proxy.username, proxy.password, "Proxy-Authorization")
        return urlunsplit((proxy.scheme, proxy.netloc.rpartition("@")[2], "", "", "")), headers


def _authorization(key: str | None, user: str | None, password: str | None, header: str = "Authorization") -> dict[str, str]:
    if key is None and user:
        pair = base64.b64encode(f"{unquote(user)}:{unquote(password or '')}".encode()).decode()
        return {header: f"Basic {pair}"}
    return {header: f"Bearer {key}"} if key else {}
