"""Send chat requests: with aiohttp to any OpenAI-compatible server, or through `huggingface_hub`.

Neither retries; `synthesis/request_runner.py` does. Both map the same responses to the same errors.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import orjson

from hf_oss_instruct.credentials import redacted
from hf_oss_instruct.data import Completion, Message
from hf_oss_instruct.errors import OssInstructError, RetryableError, TeacherError
from hf_oss_instruct.hub import transport_error
from hf_oss_instruct.teachers.endpoint import Endpoint
from hf_oss_instruct.teachers.http_errors import verdict_on
from hf_oss_instruct.teachers.responses import completion_of, first_words, read_body

if TYPE_CHECKING:
    import aiohttp
    from huggingface_hub import AsyncInferenceClient

CONNECTIONS = 16
"""Requests in flight for each client of huggingface_hub. It keeps 20 connections alive: above that nearly every request opens a
new one (974 for 1,000 requests at 64 in flight, 70 with four clients); above 100 it waits without a word."""
SERVER_WAS_THERE = frozenset(
    "ReadError WriteError RemoteProtocolError WriteTimeout ServerDisconnectedError ClientPayloadError ClientOSError".split()
)
"""Errors that a connection can only have after it stood."""
LARGEST = 16 * 2**20
"""Maximum number of bytes read of an answer."""
HEADER_BYTES = 2**16
"""Maximum number of bytes of a header: gateways send policies longer than aiohttp's 8,190."""
OWN_PARAMETERS = frozenset({"temperature", "top_p", "max_tokens", "seed"})
"""Sampling parameters that `AsyncInferenceClient.chat_completion` has arguments for; others travel in `extra_body`."""


class Transport(Protocol):
    """One way to a chat model."""

    async def chat(self, model: str, messages: Sequence[Message], sampling: dict[str, Any]) -> Completion:
        """Ask once. Raises what `Teacher.complete` does."""
        ...

    async def close(self) -> None:
        """Close the connections that belong to the running event loop."""
        ...


class AiohttpTransport:
    """POST to an OpenAI-compatible server: a quarter of the CPU of an InferenceClient, and no cap on requests in flight.

    Redirects are not followed, cookies and `.netrc` not used, answers above 16 MiB not read. Proxies come from the environment.

    Args:
        base_url: as `Endpoint.of` takes it.
        key: API key, None for none.
        timeout_s: deadline of one request, in seconds.

    Raises:
        UsageError: the environment names a proxy that cannot be used.
    """

    def __init__(self, base_url: str, key: str | None, timeout_s: float) -> None:
        self._endpoint, self._timeout_s = Endpoint.of(base_url, key), timeout_s
        self._endpoint.proxy()
        self._sessions: dict[asyncio.AbstractEventLoop, tuple[aiohttp.ClientSession, dict[str, Any]]] = {}

    async def chat(self, model: str, messages: Sequence[Message], sampling: dict[str, Any]) -> Completion:
        """See `Transport.chat`."""
        import aiohttp

        body = orjson.dumps({"model": model, "messages": messages, "stream": False, **sampling})
        session, options = self._session()
        try:
            async with session.post(self._endpoint.url, data=body, allow_redirects=False, **options) as response:
                text = await _read(response)
        except TimeoutError as error:
            raise RetryableError(f"no answer within {self._timeout_s:g} s", reached=True) from error
        except aiohttp.ClientHttpProxyError as error:
            raise verdict_on(error.status, f"the proxy says: {error.message}", error.headers or {}) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise connection_error(error) from error
        if 300 <= response.status < 400:
            where = urlsplit(response.headers.get("Location", "")).netloc or "another path"
            raise TeacherError(f"The teacher redirects to {where}, which is not followed. Pass that address with --base-url.")
        if response.status >= 400:
            raise verdict_on(response.status, text.decode(errors="replace"), response.headers)
        return read_body(text, response.headers)

    async def close(self) -> None:
        """See `Transport.close`."""
        if opened := self._sessions.pop(asyncio.get_running_loop(), None):
            await opened[0].close()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_sessions": {}}  # connections stay with the process that opened them

    def _session(self) -> tuple[aiohttp.ClientSession, dict[str, Any]]:
        """The connections of the running loop, and the headers and proxy of every request.

        No header is the session's own: aiohttp would send its `Authorization` to the proxy.
        """
        import aiohttp

        loop = asyncio.get_running_loop()
        if loop not in self._sessions:
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                max_line_size=HEADER_BYTES,
                max_field_size=HEADER_BYTES,
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            )
            self._sessions[loop] = session, self._options()
        return self._sessions[loop]

    def _options(self) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} | self._endpoint.headers
        if (proxy := self._endpoint.proxy()) is None:
            return {"headers": headers}
        url, credentials = proxy
        if self._endpoint.url.startswith("https:"):  # in the request for a tunnel
            return {"headers": headers, "proxy": url, "proxy_headers": credentials}
        return {"headers": headers | credentials, "proxy": url}  # the proxy takes them out


class HubTransport:
    """Inference Providers, or a server, through clients of `huggingface_hub`, each for a few requests at once.

    Args:
        base_url: the server; None for Inference Providers.
        key: bearer token; None lets huggingface_hub use the Hugging Face token.
        timeout_s: deadline of one request, in seconds.
        concurrency: requests that may be in flight at once.
    """

    def __init__(self, base_url: str | None, key: str | None, timeout_s: float, concurrency: int) -> None:
        # The whole URL: huggingface_hub adds /v1 to every other path.
        self._where = {"base_url": Endpoint.of(base_url, None).url} if base_url else {}
        self._key, self._timeout_s, self._shards = key, timeout_s, -(-concurrency // CONNECTIONS)
        self._clients: dict[asyncio.AbstractEventLoop, list[AsyncInferenceClient]] = {}
        self._turn = 0

    async def chat(self, model: str, messages: Sequence[Message], sampling: dict[str, Any]) -> Completion:
        """See `Transport.chat`."""
        self._require_login()
        try:
            known = {name: value for name, value in sampling.items() if name in OWN_PARAMETERS}
            extra = {name: value for name, value in sampling.items() if name not in OWN_PARAMETERS}
            answer = await self._client().chat_completion(list(messages), model=model, **known, extra_body=extra or None)
            return completion_of(_plain_values(answer), {})
        except OssInstructError:
            raise
        except Exception as error:
            raise self._meaning(error) from error

    async def close(self) -> None:
        """See `Transport.close`."""
        for client in self._clients.pop(asyncio.get_running_loop(), ()):
            await client.close()  # type: ignore[no-untyped-call]  # hub 1.x leaves it unannotated

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_clients": {}}  # connections stay with the process that opened them

    def _require_login(self) -> None:
        """Without a token huggingface_hub raises what looks like a bad answer."""
        from huggingface_hub import get_token

        if not self._where and not (self._key or get_token() or "").startswith("hf_"):
            raise TeacherError(
                "Inference Providers need a Hugging Face token. Log in with hf auth login, or name a server with --base-url."
            )

    def _meaning(self, error: Exception) -> Exception:
        """What a failed call means for us; an error that no server can cause stays what it is."""
        response = _response_of(error)
        if response is not None and response.status_code >= 400:
            return verdict_on(response.status_code, response.text, response.headers)
        if type(error).__name__ in ("ReadTimeout", "InferenceTimeoutError"):  # hub 1.x hands out its transport's own
            return RetryableError(f"no answer within {self._timeout_s:g} s", reached=True)
        if isinstance(error, (transport_error(), OSError)):
            return connection_error(error)
        if isinstance(error, json.JSONDecodeError):
            return RetryableError(f"the answer is not JSON: {first_words(error.doc)}", reached=True)
        if isinstance(error, (ValueError, TypeError, LookupError, AttributeError, RecursionError)):
            return RetryableError("the answer is not a chat completion", reached=True)
        return error

    def _client(self) -> AsyncInferenceClient:
        from huggingface_hub import AsyncInferenceClient

        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = [
                AsyncInferenceClient(api_key=self._key, timeout=self._timeout_s, **self._where)  # type: ignore[arg-type]
                for _ in range(self._shards)
            ]
        self._turn += 1
        return self._clients[loop][self._turn % self._shards]


def _plain_values(answer: Any) -> Any:
    """An answer of huggingface_hub as plain values. As a dict it lacks all inner fields that hub does not know."""
    if isinstance(answer, list):
        return [_plain_values(item) for item in answer]
    if is_dataclass(answer):
        return {name: _plain_values(value) for name, value in vars(answer).items() if value is not None or name == "content"}
    return answer


def connection_error(error: Exception) -> RetryableError:
    """What a failed connection means."""
    kind = type(error).__name__
    return RetryableError(redacted(" ".join(f"{kind}: {error}".split()).rstrip(": ")), reached=kind in SERVER_WAS_THERE)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, up to `LARGEST` bytes."""
    if (response.content_length or 0) <= LARGEST:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > LARGEST:
                break
        else:
            return bytes(body)
    raise RetryableError(f"the answer is larger than {LARGEST:,} bytes", reached=True)


def _response_of(error: BaseException | None) -> Any:
    """The HTTP response of an error. A body that cannot be read makes hub raise something else; then it is further back."""
    while error is not None:
        if (response := getattr(error, "response", None)) is not None:
            return response
        error = error.__context__
    return None
