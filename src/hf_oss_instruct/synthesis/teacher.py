"""Who answers: the protocol of a teacher, and teachers reached over the network."""

from __future__ import annotations

import asyncio
import json
import math
import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from hf_oss_instruct.data import Completion, Request, digest, storable
from hf_oss_instruct.errors import Refusal, TeacherError, TryAgain, UsageError

if TYPE_CHECKING:
    from huggingface_hub import AsyncInferenceClient

CONNECTIONS = 16
"""Requests in flight for each client. huggingface_hub's client keeps 20 connections alive: above that nearly every request opens
a new one (974 for 1,000 requests at 64 in flight, 70 with four clients); above 100 it waits without a word."""
FINISHED = {"eos_token": "stop", "stop_sequence": "stop"}
"""TGI's own words for a natural end, in the words of the OpenAI protocol."""
SERVER_WAS_THERE = frozenset({"ReadError", "WriteError", "RemoteProtocolError", "WriteTimeout"})
"""Transport errors that a connection can only have after it stood."""
HF_TOKEN_NAMES = frozenset({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN"})
MESSAGE_LENGTH = 500
"""Characters of a server's error message that we repeat."""


class Teacher(Protocol):
    """Anything that completes a request.

    Attributes:
        identity: kind, model and revision. It goes into keys, rows and cards; URL, key and concurrency never do.
    """

    identity: str

    async def complete(self, request: Request) -> Completion:
        """Answer one request, once.

        Raises:
            TryAgain: this attempt failed, another may not.
            Refusal: this row will never be answered.
            TeacherError: no row will be answered as things are (bad key, unknown model, no credit).
        """
        ...


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling parameters, the paper's by default (Magicoder, section 2.1 and generate_data.py).

    Attributes:
        temperature: 0 is greedy.
        top_p: nucleus; None leaves it to the server.
        max_tokens: cap of one answer.

    Raises:
        UsageError: a value out of range.
    """

    temperature: float = 0.0
    top_p: float | None = None
    max_tokens: int = 2500

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.max_tokens < 1 or not 0 < (1 if self.top_p is None else self.top_p) <= 1:
            raise UsageError(f"Out of range: {self}. Use temperature ≥ 0, 0 < top_p ≤ 1 and max_tokens ≥ 1.")

    def as_sent(self, seed: int) -> dict[str, Any]:
        """The parameters of one request; `seed` is the server's random seed."""
        sent = {"temperature": self.temperature, "max_tokens": self.max_tokens, "seed": seed}
        return sent if self.top_p is None else sent | {"top_p": self.top_p}


class InferenceTeacher:
    """A chat model behind Inference Providers or any OpenAI-compatible server, through `huggingface_hub`.

    Args:
        model: model name as the server knows it; a Hub id for Inference Providers.
        base_url: the server (vLLM, SGLang, llama.cpp, `transformers serve`, TGI, …); None for Inference Providers.
        api_key: the key sent to that server. None sends the Hugging Face token to Hugging Face, and no key anywhere else.
        concurrency: requests that may be in flight at once.
        timeout_s: deadline of one attempt, in seconds.

    Raises:
        UsageError: `base_url` is no http(s) URL.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        concurrency: int = CONNECTIONS,
        timeout_s: float = 600.0,
    ) -> None:
        if concurrency < 1:
            raise UsageError(f"The concurrency must be at least 1, not {concurrency}.")
        if base_url is not None:
            _check_url(base_url)
        if "://" in model:  # huggingface_hub would take it for the server, and send it the Hugging Face token
            raise UsageError(f"--model {model!r} is a URL. Pass it with --base-url, and the model's name with --model.")
        if not (api_key or "x").isascii() or not (api_key or "x").isprintable():
            raise UsageError("The API key holds characters that no HTTP header can carry. Copy it again, without line ends.")
        self.model = model
        self.identity = f"{'openai-compatible' if base_url else 'inference-providers'}:{_public_name(model)}"
        self._where = {"base_url": base_url} if base_url else {}
        # Without an explicit key the client would send HF_TOKEN to any server.
        self._key = api_key or (None if base_url is None or is_hugging_face(base_url) else "EMPTY")
        self._timeout_s, self._shards = timeout_s, -(-concurrency // CONNECTIONS)
        self._clients: dict[asyncio.AbstractEventLoop, list[AsyncInferenceClient]] = {}
        self._turn = 0

    async def complete(self, request: Request) -> Completion:
        """See `Teacher.complete`."""
        try:
            answer = await self._client().chat_completion(list(request.messages), model=self.model, **request.sampling)
            return _completion(answer)
        except Exception as error:
            raise self._meaning(error) from error

    def _meaning(self, error: Exception) -> Exception:
        """What a failed call means for us; an error that no server can cause stays what it is."""
        response = _response_behind(error)
        if response is not None and response.status_code >= 400:
            return verdict_on(response)
        kind = type(error).__name__
        if kind in ("ReadTimeout", "InferenceTimeoutError"):  # hub 1.x hands out its transport's own, 2.x converts it
            return TryAgain(f"no answer within {self._timeout_s:g} s", reached=True)
        if isinstance(error, (http_error(), OSError)):
            return TryAgain(f"{kind}: {error}".rstrip(": "), reached=kind in SERVER_WAS_THERE)
        if isinstance(error, (ValueError, TypeError, LookupError, AttributeError, RecursionError)):
            return TryAgain("the answer is no chat completion", reached=True)
        return error

    async def close(self) -> None:
        """Close the connections that belong to the running event loop."""
        for client in self._clients.pop(asyncio.get_running_loop(), ()):
            await client.close()  # type: ignore[no-untyped-call]  # hub 1.x leaves it unannotated

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


def _public_name(model: str) -> str:
    """The model's name for rows and cards. A local path stays at home: its last part, and a hash to tell two apart."""
    if not model.startswith(("/", ".", "~")):
        return model
    return f"{PurePath(model).name}#{digest(model)[:8]}"


def http_error() -> type[Exception]:
    """Root of the transport's errors: httpx's with huggingface_hub 1.x, httpx2's with 2.x."""
    from huggingface_hub.errors import HfHubHTTPError

    return HfHubHTTPError.__bases__[0]


def _completion(answer: Any) -> Completion:
    """An answer in our words. What stands beside the text is kept only where it is what it should be."""
    choice, usage = answer.choices[0], answer.usage
    finish_reason = _word(choice.finish_reason)
    return Completion(
        text=choice.message.content or "",
        finish_reason=FINISHED.get(finish_reason or "", finish_reason),
        model=_word(answer.model),
        fingerprint=_word(answer.system_fingerprint),
        prompt_tokens=_count(getattr(usage, "prompt_tokens", None)),
        completion_tokens=_count(getattr(usage, "completion_tokens", None)),
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


def verdict_on(response: Any) -> Exception:
    """What an HTTP error means for us: try again, refuse the row, or stop the run."""
    status, said = response.status_code, _server_message(response.text)
    if status in (400, 413, 422):
        return Refusal("refused", f"HTTP {status}: {said}")
    if status in (408, 409, 425, 429) or status >= 500:
        return TryAgain(f"HTTP {status}: {said}", after_s=_retry_after(response), reached=True)
    way_out = {
        401: "Check the key: name its variable with --api-key-env, or log in with hf auth login.",
        402: "Add credit to the account, or use another teacher.",
        403: "Use a key that may call this model.",
        404: "Check --model and --base-url.",
    }.get(status, "Check --base-url.")
    return TeacherError(f"The teacher answered HTTP {status}: {said}. {way_out}")


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


def _retry_after(response: Any) -> float | None:
    """Seconds in `Retry-After`; the header's date form is rare and left to our own back-off."""
    try:
        seconds = float(response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"--base-url {url!r} is no http(s) URL. Use one such as http://localhost:8080/v1.")


def is_hugging_face(url: str) -> bool:
    """Whether a URL is Hugging Face's own, so that the Hugging Face token may go there."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    own = host == "huggingface.co" or host.endswith((".huggingface.co", ".endpoints.huggingface.cloud"))
    return parts.scheme == "https" and own


def key_from(variable: str | None, base_url: str | None) -> str | None:
    """The key in an environment variable.

    Raises:
        UsageError: the variable is not set, or it is the Hugging Face token and the server is not Hugging Face's.
    """
    if variable is None:
        return None
    if variable in HF_TOKEN_NAMES and base_url is not None and not is_hugging_face(base_url):
        host = urlsplit(base_url).hostname
        raise UsageError(
            f"{variable} is for Hugging Face and is never sent to {host!r}. Name a variable with that server's own key."
        )
    if not os.environ.get(variable):
        raise UsageError(f"The environment variable {variable!r} is not set. Export the key in it, or leave --api-key-env out.")
    return os.environ[variable]
