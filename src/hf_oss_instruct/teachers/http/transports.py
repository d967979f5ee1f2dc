"""Send chat requests: with aiohttp to any OpenAI-compatible server, or through `huggingface_hub`.

Neither retries; `synthesis/requests/request_runner.py` does. Both map the same responses to the same errors.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from hf_oss_instruct.data import Completion, Message
from hf_oss_instruct.errors import OssInstructError, RetryableError, TeacherError
from hf_oss_instruct.hub import check_endpoint, transport_error
from hf_oss_instruct.teachers.http.client import HttpClient, connection_error
from hf_oss_instruct.teachers.http.endpoint import PATH, Endpoint
from hf_oss_instruct.teachers.http.errors import exception_for
from hf_oss_instruct.teachers.http.responses import completion_of, first_words, read_body

if TYPE_CHECKING:
    from huggingface_hub import AsyncInferenceClient

CONNECTIONS = 16
"""Requests in flight for each client of huggingface_hub. It keeps 20 connections alive: above that nearly every request opens a
new one (974 for 1,000 requests at 64 in flight, 70 with four clients); above 100 it waits without a word."""
OWN_PARAMETERS = frozenset({"temperature", "top_p", "max_tokens", "seed", "response_format"})
"""Sampling parameters that `AsyncInferenceClient.chat_completion` has arguments for; others travel in `extra_body`."""


class Transport(Protocol):
    """One way to a chat model."""

    async def chat(self, model: str, messages: Sequence[Message], sampling: dict[str, Any]) -> Completion:
        """Send the request once. Raises what `Teacher.complete` does.

        Args:
            model: the model's name at the server.
            messages: the chat messages.
            sampling: sampling parameters as sent.
        """
        ...

    async def close(self) -> None:
        """Close the connections that belong to the running event loop."""
        ...


class AiohttpTransport:
    """POST to an OpenAI-compatible server: a quarter of the CPU of an InferenceClient, and no cap on requests in flight.

    Args:
        http: the connections to the server.
    """

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def chat(self, model: str, messages: Sequence[Message], sampling: dict[str, Any]) -> Completion:
        """See `Transport.chat`."""
        body = orjson.dumps({"model": model, "messages": messages, "stream": False, **sampling})
        return read_body(*await self._http.request("POST", PATH, body))

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._http.close()


class HubTransport:
    """Inference Providers, or a server, through clients of `huggingface_hub`, each for a few requests at once.

    Args:
        base_url: the server; None for Inference Providers.
        key: bearer token; None lets huggingface_hub use the Hugging Face token.
        timeout_s: timeout of one request, in seconds.
        concurrency: requests that may be in flight at once.

    Raises:
        UsageError: the Hub, which is asked for a model's providers, would get the token unencrypted.
    """

    def __init__(self, base_url: str | None, key: str | None, timeout_s: float, concurrency: int) -> None:
        if base_url is None:
            check_endpoint()
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
            raise self._translate_error(error) from error

    async def close(self) -> None:
        """See `Transport.close`."""
        for client in self._clients.pop(asyncio.get_running_loop(), ()):
            await client.close()  # type: ignore[no-untyped-call]  # hub 1.x leaves it unannotated

    def __getstate__(self) -> dict[str, Any]:
        # Connections stay with the process that opened them.
        return self.__dict__ | {"_clients": {}}

    def _require_login(self) -> None:
        """Without a token huggingface_hub raises what looks like a bad answer."""
        from huggingface_hub import get_token

        if not self._where and not (self._key or get_token() or "").startswith("hf_"):
            raise TeacherError(
                "Inference Providers need a Hugging Face token. Log in with hf auth login, or name a server with --base-url."
            )

    def _translate_error(self, error: Exception) -> Exception:
        """The error for a failed call; an error that no server can cause stays what it is."""
        response = _response_of(error)
        # The same table as for aiohttp, so that both transports retry, reject and stop alike.
        if response is not None and response.status_code >= 400:
            return exception_for(response.status_code, response.text, response.headers)
        # By name, since hub 1.x hands out its transport's own.
        if type(error).__name__ in ("ReadTimeout", "InferenceTimeoutError"):
            return RetryableError(f"no answer within {self._timeout_s:g} s", reached=True)
        if isinstance(error, (transport_error(), OSError)):
            return connection_error(error)
        # Before ValueError, its base class: it has the text that was received.
        if isinstance(error, json.JSONDecodeError):
            return RetryableError(f"the answer is not JSON: {first_words(error.doc)}", reached=True)
        # What huggingface_hub raises where an answer lacks the fields that it expects.
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
        # In turn, so that each client gets its share of the requests in flight.
        self._turn += 1
        return self._clients[loop][self._turn % self._shards]


def _plain_values(answer: Any) -> Any:
    """An answer of huggingface_hub as plain values. As a dict it lacks all inner fields that hub does not know."""
    if isinstance(answer, list):
        return [_plain_values(item) for item in answer]
    if is_dataclass(answer):
        return {name: _plain_values(value) for name, value in vars(answer).items() if value is not None or name == "content"}
    return answer


def _response_of(error: BaseException | None) -> Any:
    """The HTTP response of an error. A body that cannot be read makes hub raise something else; then it is further back."""
    while error is not None:
        if (response := getattr(error, "response", None)) is not None:
            return response
        error = error.__context__
    return None
