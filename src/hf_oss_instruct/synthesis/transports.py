"""How a chat request travels: over aiohttp to any OpenAI-compatible server, or through `huggingface_hub`.

Neither retries: that is one place above (`asking.py`). Both say the same things of the same answers.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import orjson

from hf_oss_instruct.data import Completion, Message, storable
from hf_oss_instruct.errors import OssInstructError, Refusal, TeacherError, TryAgain

if TYPE_CHECKING:
    import aiohttp
    from huggingface_hub import AsyncInferenceClient

CONNECTIONS = 16
"""Requests in flight for each client of huggingface_hub. It keeps 20 connections alive: above that nearly every request opens a
new one (974 for 1,000 requests at 64 in flight, 70 with four clients); above 100 it waits without a word."""
FINISHED = {"eos_token": "stop", "stop_sequence": "stop"}
"""TGI's own words for a natural end, in the words of the OpenAI protocol."""
SERVER_WAS_THERE = frozenset(
    "ReadError WriteError RemoteProtocolError WriteTimeout ServerDisconnectedError ClientPayloadError ClientOSError".split()
)
"""Errors that a connection can only have after it stood."""
LARGEST = 16 * 2**20
"""Bytes of an answer that we read."""
MESSAGE_LENGTH = 500
"""Characters of a server's error message that we repeat."""


class Transport(Protocol):
    """One way to a chat model."""

    async def chat(self, model: str, messages: Sequence[Message], sampling: dict[str, Any]) -> Completion:
        """Ask once. Raises what `Teacher.complete` does."""
        ...

    async def close(self) -> None:
        """Close the connections that belong to the running event loop."""
        ...


class AiohttpTransport:
    """POST to `/v1/chat/completions`: a quarter of the CPU of an InferenceClient, and no cap on requests in flight.

    Redirects are not followed, cookies and `.netrc` not used, answers above 16 MiB not read.

    Args:
        base_url: with or without `/v1`; user and password in it are sent as basic authentication.
        key: bearer token, None for none.
        timeout_s: deadline of one request, in seconds.
    """

    def __init__(self, base_url: str, key: str | None, timeout_s: float) -> None:
        parts = urlsplit(base_url)
        path = parts.path.rstrip("/")
        path += "/chat/completions" if path.endswith("/v1") else "/v1/chat/completions"
        host = parts.netloc.rpartition("@")[2]
        self._url, self._timeout_s = urlunsplit((parts.scheme, host, path, parts.query, "")), timeout_s
        self._headers = {"Content-Type": "application/json"} | _authorization(key, parts.username, parts.password)
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

    async def chat(self, model: str, messages: Sequence[Message], sampling: dict[str, Any]) -> Completion:
        """See `Transport.chat`."""
        import aiohttp

        body = orjson.dumps({"model": model, "messages": messages, "stream": False, **sampling})
        try:
            async with self._session().post(self._url, data=body, allow_redirects=False) as response:
                text = await _read(response)
        except TimeoutError as error:
            raise TryAgain(f"no answer within {self._timeout_s:g} s", reached=True) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise lost(error) from error
        if 300 <= response.status < 400:
            where = urlsplit(response.headers.get("Location", "")).netloc or "another path"
            raise TeacherError(f"The teacher redirects to {where}, which is not followed. Pass that address with --base-url.")
        if response.status >= 400:
            raise verdict_on(response.status, text.decode(errors="replace"), response.headers.get("Retry-After"))
        return _completion(_json(text))

    async def close(self) -> None:
        """See `Transport.close`."""
        if session := self._sessions.pop(asyncio.get_running_loop(), None):
            await session.close()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_sessions": {}}  # connections stay with the process that opened them

    def _session(self) -> aiohttp.ClientSession:
        import aiohttp

        loop = asyncio.get_running_loop()
        if loop not in self._sessions:
            self._sessions[loop] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            )
        return self._sessions[loop]


class HubTransport:
    """Inference Providers, or a server, through clients of `huggingface_hub`, each for a few requests at once.

    Args:
        base_url: the server; None for Inference Providers.
        key: bearer token; None lets huggingface_hub use the Hugging Face token.
        timeout_s: deadline of one request, in seconds.
        concurrency: requests that may be in flight at once.
    """

    def __init__(self, base_url: str | None, key: str | None, timeout_s: float, concurrency: int) -> None:
        self._where = {"base_url": base_url} if base_url else {}
        self._key, self._timeout_s, self._shards = key, timeout_s, -(-concurrency // CONNECTIONS)
        self._clients: dict[asyncio.AbstractEventLoop, list[AsyncInferenceClient]] = {}
        self._turn = 0

    async def chat(self, model: str, messages: Sequence[Message], sampling: dict[str, Any]) -> Completion:
        """See `Transport.chat`."""
        self._require_login()
        try:
            answer = await self._client().chat_completion(list(messages), model=model, **sampling)
            return _completion(answer)
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
        response = _response_behind(error)
        if response is not None and response.status_code >= 400:
            return verdict_on(response.status_code, response.text, response.headers.get("retry-after"))
        if type(error).__name__ in ("ReadTimeout", "InferenceTimeoutError"):  # hub 1.x hands out its transport's own
            return TryAgain(f"no answer within {self._timeout_s:g} s", reached=True)
        if isinstance(error, (http_error(), OSError)):
            return lost(error)
        if isinstance(error, (ValueError, TypeError, LookupError, AttributeError, RecursionError)):
            return TryAgain("the answer is no chat completion", reached=True)
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


def http_error() -> type[Exception]:
    """Root of the errors of huggingface_hub's transport: httpx's with 1.x, httpx2's with 2.x."""
    from huggingface_hub.errors import HfHubHTTPError

    return HfHubHTTPError.__bases__[0]


def lost(error: Exception) -> TryAgain:
    """What a failed connection means."""
    kind = type(error).__name__
    return TryAgain(f"{kind}: {error}".rstrip(": "), reached=kind in SERVER_WAS_THERE)


def verdict_on(status: int, body: str, retry_after: str | None) -> Exception:
    """What an HTTP error means for us: try again, refuse the row, or stop the run."""
    said = _server_message(body)
    if status in (400, 413, 422):
        return Refusal("refused", f"HTTP {status}: {said}")
    if status in (408, 409, 425, 429) or status >= 500:
        after_s = _seconds(retry_after)
        return TryAgain(f"HTTP {status}: {said}", after_s=after_s, reached=True, busy=status == 429)
    way_out = {
        401: "Check the key: name its variable with --api-key-env, or log in with hf auth login.",
        402: "Add credit to the account, or use another teacher.",
        403: "Use a key that may call this model.",
        404: "Check --model and --base-url.",
    }.get(status, "Check --base-url.")
    return TeacherError(f"The teacher answered HTTP {status}: {said}. {way_out}")


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
    raise TryAgain(f"the answer is larger than {LARGEST:,} bytes", reached=True)


def _json(body: bytes) -> Any:
    try:
        try:
            return orjson.loads(body)
        except ValueError:  # stricter than the protocol: half a surrogate pair is JSON
            return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise TryAgain("the answer is no JSON", reached=True) from error


def _completion(answer: Any) -> Completion:
    """An answer in our words. What stands beside the text is kept only where it is what it should be."""
    try:
        choice, usage = answer["choices"][0], answer.get("usage")
        content, finish_reason = choice["message"].get("content"), _word(choice.get("finish_reason"))
        if content is not None and not isinstance(content, str):
            raise TypeError(content)
    except (TypeError, LookupError, AttributeError) as error:
        raise TryAgain("the answer is no chat completion", reached=True) from error
    usage = usage if isinstance(usage, dict) else {}
    return Completion(
        text=content or "",
        finish_reason=FINISHED.get(finish_reason or "", finish_reason),
        model=_word(answer.get("model")),
        fingerprint=_word(answer.get("system_fingerprint")),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )


def _word(value: Any) -> str | None:
    return storable(value) if isinstance(value, str) and value else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 2**63 else None


def _response_behind(error: BaseException | None) -> Any:
    """The HTTP response of an error. A body that cannot be read makes hub raise something else; then it is further back."""
    while error is not None:
        if (response := getattr(error, "response", None)) is not None:
            return response
        error = error.__context__
    return None


def _server_message(text: str) -> str:
    """The server's own words, one line; `{"error": {"message": …}}` and its relatives unwrapped."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = text
    for key in ("error", "message", "detail"):
        if isinstance(said, dict) and key in said:
            said = said[key]
    words = " ".join((said if isinstance(said, str) else text).split())
    return storable(words)[:MESSAGE_LENGTH].rstrip(".") or "(no message)"


def _seconds(retry_after: str | None) -> float | None:
    """Seconds in `Retry-After`; the header's date form is rare and left to our own back-off."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _authorization(key: str | None, user: str | None, password: str | None) -> dict[str, str]:
    if key is None and user:
        pair = base64.b64encode(f"{user}:{password or ''}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {"Authorization": f"Bearer {key}"} if key else {}
