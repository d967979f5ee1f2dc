"""Who answers: the protocol of a teacher, and teachers reached over the network."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from hf_oss_instruct.data import Completion, Request, digest
from hf_oss_instruct.errors import Refusal, TeacherError, TryAgain, UsageError

if TYPE_CHECKING:
    from huggingface_hub import AsyncInferenceClient
    from huggingface_hub.errors import HfHubHTTPError

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
        if base_url is not None and urlsplit(base_url).scheme not in ("http", "https"):
            raise UsageError(f"--base-url {base_url!r} is no http(s) URL. Use one such as http://localhost:8080/v1.")
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
        from huggingface_hub.errors import HfHubHTTPError, InferenceTimeoutError

        try:
            answer = await self._client().chat_completion(
                list(request.messages),
                model=self.model,
                **request.sampling,
            )
            return _completion(answer)
        except InferenceTimeoutError as error:
            raise TryAgain(f"no answer within {self._timeout_s:g} s", reached=True) from error
        except HfHubHTTPError as error:
            raise verdict_on(error) from error
        except json.JSONDecodeError as error:
            raise TryAgain("the answer is no JSON", reached=True) from error
        except (AttributeError, TypeError, KeyError, IndexError) as error:
            raise TryAgain("the answer is no chat completion", reached=True) from error
        except (http_error(), OSError) as error:
            raise _transport_trouble(error, self._timeout_s) from error

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


def _transport_trouble(error: Exception, timeout_s: float) -> TryAgain:
    """What a failed connection was. hub 1.x hands out its transport's own time-outs, 2.x converts them before."""
    kind = type(error).__name__
    if kind == "ReadTimeout":
        return TryAgain(f"no answer within {timeout_s:g} s", reached=True)
    return TryAgain(f"{kind}: {error}".rstrip(": "), reached=kind in SERVER_WAS_THERE)


def _completion(answer: Any) -> Completion:
    choice, usage = answer.choices[0], answer.usage
    return Completion(
        text=choice.message.content or "",
        finish_reason=FINISHED.get(choice.finish_reason, choice.finish_reason),
        model=answer.model,
        fingerprint=answer.system_fingerprint or None,
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
    )


def verdict_on(error: HfHubHTTPError) -> Exception:
    """What an HTTP error means for us: try again, refuse the row, or stop the run."""
    status, said = error.response.status_code, _server_message(error)
    if status in (400, 413, 422):
        return Refusal("refused", f"HTTP {status}: {said}")
    if status in (408, 409, 425, 429) or status >= 500:
        return TryAgain(f"HTTP {status}: {said}", after_s=_retry_after(error), reached=True)
    way_out = {
        401: "Check the key: name its variable with --api-key-env, or log in with hf auth login.",
        402: "Add credit to the account, or use another teacher.",
        403: "Use a key that may call this model.",
        404: "Check --model and --base-url.",
    }.get(status, "Check --base-url.")
    return TeacherError(f"The teacher answered HTTP {status}: {said}. {way_out}")


def _server_message(error: HfHubHTTPError) -> str:
    """The server's own words, one line; `{"error": {"message": …}}` where it speaks the OpenAI protocol."""
    text = error.response.text
    try:
        body = json.loads(text)
        inner = body.get("error", body.get("message", body.get("detail", text)))
        text = str(inner.get("message", inner) if isinstance(inner, dict) else inner)
    except (json.JSONDecodeError, AttributeError):
        pass
    return " ".join(text.split())[:MESSAGE_LENGTH].rstrip(".") or "(no message)"


def _retry_after(error: HfHubHTTPError) -> float | None:
    """Seconds in `Retry-After`; the header's date form is rare and left to our own back-off."""
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return None


def is_hugging_face(url: str) -> bool:
    """Whether a URL is Hugging Face's own, so that the Hugging Face token may go there."""
    parts = urlsplit(url)
    host = parts.hostname or ""
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
