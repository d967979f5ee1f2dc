"""HTTP to an OpenAI-compatible server over aiohttp: connections, proxy, size limits, and what errors mean."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hf_oss_instruct.credentials import redacted
from hf_oss_instruct.errors import RetryableError, TeacherError
from hf_oss_instruct.storage.workdir import atomic_stream
from hf_oss_instruct.teachers.http.endpoint import Endpoint
from hf_oss_instruct.teachers.http.errors import exception_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import aiohttp

CONNECTED_ERRORS = frozenset(
    "ReadError WriteError RemoteProtocolError WriteTimeout ServerDisconnectedError ClientPayloadError ClientOSError".split()
)
"""Errors that a connection can only have after it stood."""
MAX_ANSWER_BYTES = 16 * 2**20
"""Maximum number of bytes read of an answer."""
MAX_HEADER_BYTES = 2**16
"""Maximum number of bytes of a header: gateways send policies longer than aiohttp's 8,190."""
STALLED_S = 120.0
"""Seconds without a byte after which the transfer of a file counts as failed; as a whole it may take hours."""


class HttpClient:
    """Requests to one server. None is retried.

    Redirects are not followed, cookies and `.netrc` not used, answers above 16 MiB not read. Proxies come from the environment.

    Args:
        base_url: as `Endpoint.of` takes it.
        key: API key, None for none.
        timeout_s: timeout of one request, in seconds.

    Raises:
        UsageError: the environment names a proxy that cannot be used.
    """

    def __init__(self, base_url: str, key: str | None, timeout_s: float) -> None:
        self._endpoint, self._timeout_s = Endpoint.of(base_url, key), timeout_s
        self._endpoint.proxy()
        # By loop, because aiohttp's connections only work in the loop that opened them.
        self._sessions: dict[asyncio.AbstractEventLoop, tuple[aiohttp.ClientSession, dict[str, Any]]] = {}

    async def request(self, method: str, path: str, body: bytes | None = None) -> tuple[bytes, Mapping[str, str]]:
        """Send a request and return the body and the headers of the response.

        Args:
            method: HTTP method.
            path: path below the base URL, such as `/chat/completions`.
            body: JSON.

        Raises:
            RetryableError, RowRejectedError, TeacherError: no answer, or one with a status of 300 or more.
        """
        session, options = self._session()
        return await self._sent(session.request(method, self._endpoint.at(path), data=body, **options))

    async def upload(self, path: str, file: Path, fields: Mapping[str, str]) -> bytes:
        """Upload a file as a multipart form, and return the body of the response. Raises the same as `request`.

        Args:
            path: path below the base URL, such as `/files`.
            file: the file.
            fields: further fields of the form.
        """
        import aiohttp

        session, options = self._session()
        # aiohttp sets the type itself: a multipart form has its boundary in it.
        headers = {name: value for name, value in options["headers"].items() if name != "Content-Type"}
        with file.open("rb") as content:
            form = aiohttp.FormData(fields)
            form.add_field("file", content, filename=file.name, content_type="application/jsonl")
            # No limit in total, nor on the wait for the answer: a server may read the whole file before it answers.
            slowly = {"headers": headers, "timeout": aiohttp.ClientTimeout(sock_connect=STALLED_S, sock_read=None)}
            body, _ = await self._sent(session.post(self._endpoint.at(path), data=form, **(options | slowly)))
        return body

    async def download(self, path: str, file: Path) -> None:
        """Write the body of a response to a file, which exists only once it is complete. Raises the same as `request`."""
        import aiohttp

        session, options = self._session()
        slowly = {"timeout": aiohttp.ClientTimeout(sock_connect=STALLED_S, sock_read=STALLED_S)}
        with atomic_stream(file) as write:
            await self._sent(session.get(self._endpoint.at(path), **(options | slowly)), write)

    async def close(self) -> None:
        """Close the connections that belong to the running event loop."""
        if opened := self._sessions.pop(asyncio.get_running_loop(), None):
            await opened[0].close()

    def __getstate__(self) -> dict[str, Any]:
        # Connections stay with the process that opened them.
        return self.__dict__ | {"_sessions": {}}

    async def _sent(self, sending: Any, write: Callable[[bytes], None] | None = None) -> tuple[bytes, Mapping[str, str]]:
        """The body and headers of a response; the body of a good one goes to `write` instead, if there is that."""
        import aiohttp

        try:
            async with sending as response:
                # Only a good answer goes to the file: the text of an error decides what happens next.
                if write and response.status < 300:
                    async for chunk in response.content.iter_any():
                        write(chunk)
                    return b"", response.headers
                text = await _read(response)
        except TimeoutError as error:
            raise RetryableError(f"no answer within {self._timeout_s:g} s", reached=True) from error
        # Before ClientError, its base class: the status of a proxy has a meaning of its own, such as 407.
        except aiohttp.ClientHttpProxyError as error:
            raise exception_for(error.status, f"the proxy says: {error.message}", error.headers or {}) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise connection_error(error) from error
        if 300 <= response.status < 400:
            # The key was meant for the host that the user named, and for no other.
            where = urlsplit(response.headers.get("Location", "")).netloc or "another path"
            raise TeacherError(f"The teacher redirects to {where}, which is not followed. Pass that address with --base-url.")
        if response.status >= 400:
            raise exception_for(response.status, text.decode(errors="replace"), response.headers)
        return text, response.headers

    def _session(self) -> tuple[aiohttp.ClientSession, dict[str, Any]]:
        """The connections of the running loop, and the headers of every request.

        No header is the session's own: aiohttp would send its `Authorization` to the proxy.
        """
        import aiohttp

        loop = asyncio.get_running_loop()
        if loop not in self._sessions:
            session = aiohttp.ClientSession(
                # Unlimited, because the engine decides how many requests are in flight; aiohttp's own limit is 100.
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                max_line_size=MAX_HEADER_BYTES,
                max_field_size=MAX_HEADER_BYTES,
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            )
            self._sessions[loop] = session, self._options()
        return self._sessions[loop]

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"allow_redirects": False}
        headers = {"Content-Type": "application/json"} | self._endpoint.headers
        if (proxy := self._endpoint.proxy()) is None:
            return options | {"headers": headers}
        url, credentials = proxy
        # The request for a tunnel has the proxy's password, and not the server's key.
        if self._endpoint.url.startswith("https:"):
            return options | {"headers": headers, "proxy": url, "proxy_headers": credentials}
        # Without encryption the proxy sees all headers, and takes its own out.
        return options | {"headers": headers | credentials, "proxy": url}


def connection_error(error: Exception) -> RetryableError:
    """The error for a failed connection."""
    kind = type(error).__name__
    return RetryableError(redacted(" ".join(f"{kind}: {error}".split()).rstrip(": ")), reached=kind in CONNECTED_ERRORS)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, up to `MAX_ANSWER_BYTES` bytes."""
    # The header may be missing, and counts bytes before decompression, so what arrives is counted as well.
    if (response.content_length or 0) <= MAX_ANSWER_BYTES:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                break
        else:
            return bytes(body)
    raise RetryableError(f"the answer is larger than {MAX_ANSWER_BYTES:,} bytes", reached=True)
