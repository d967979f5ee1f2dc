"""The URL, authentication headers and proxy of an OpenAI-compatible server."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from hf_oss_instruct.credentials import redacted
from hf_oss_instruct.errors import UsageError

PATH = "/chat/completions"
AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
"""Hosts that expect the API key in the header `api-key`."""


@dataclass(frozen=True)
class Endpoint:
    """The destination of requests.

    Attributes:
        url: the complete URL, without user name and password.
        headers: the headers with the key; never shown.
    """

    url: str
    headers: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, base_url: str, key: str | None) -> Endpoint:
        """The endpoint of a server.

        Args:
            base_url: the base URL from the server's documentation, or the complete URL of its chat completions. `/v1` is added
                only if it has no path; a query, such as Azure's `api-version`, is kept. A user name and password in it are sent
                as basic authentication.
            key: API key, None for none.
        """
        parts = urlsplit(base_url)
        path = parts.path.rstrip("/") or "/v1"
        if not path.endswith(PATH):
            path += PATH
        host = parts.netloc.rpartition("@")[2]
        # Behind a host name of the user's own, only the query shows that it is Azure.
        azure = (parts.hostname or "").endswith(AZURE) or "api-version" in parse_qs(parts.query)
        return cls(
            urlunsplit((parts.scheme, host, path, parts.query, "")),
            {"api-key": key} if key and azure else _authorization(key, parts.username, parts.password),
        )

    def at(self, path: str) -> str:
        """The URL of another path of the same server, such as `/files`."""
        parts = urlsplit(self.url)
        path, _, query = path.partition("?")
        both = "&".join(filter(None, (parts.query, query)))
        return urlunsplit((parts.scheme, parts.netloc, parts.path.removesuffix(PATH) + path, both, ""))

    def proxy(self) -> tuple[str, dict[str, str]] | None:
        """The proxy for this URL (from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`), and the headers for it.

        Raises:
            UsageError: it is not an HTTP proxy.
        """
        parts = urlsplit(self.url)
        # Read here and not by aiohttp (`trust_env`), which would use `.netrc` as well.
        proxies = getproxies()
        setting = proxies.get(parts.scheme) or proxies.get("all")
        if not setting or proxy_bypass(parts.netloc):
            return None
        proxy = urlsplit(setting if "://" in setting else f"http://{setting}")
        if proxy.scheme not in ("http", "https") or not proxy.hostname:
            raise UsageError(
                f"The proxy {redacted(setting)!r} in the environment is not an HTTP proxy. Set {parts.scheme.upper()}_PROXY to "
                f"one such as http://proxy:3128, or name {parts.hostname} in NO_PROXY."
            )
        headers = _authorization(None, proxy.username, proxy.password, "Proxy-Authorization")
        return urlunsplit((proxy.scheme, proxy.netloc.rpartition("@")[2], "", "", "")), headers


def _authorization(key: str | None, user: str | None, password: str | None, header: str = "Authorization") -> dict[str, str]:
    if key is None and user:
        pair = base64.b64encode(f"{unquote(user)}:{unquote(password or '')}".encode()).decode()
        return {header: f"Basic {pair}"}
    return {header: f"Bearer {key}"} if key else {}
