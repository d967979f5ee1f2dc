"""Teachers behind Inference Providers or any OpenAI-compatible server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from hf_oss_instruct.argument_types import check_type
from hf_oss_instruct.credentials import check_key, hugging_face_token, is_hugging_face, redacted
from hf_oss_instruct.data import Completion, Request, digest
from hf_oss_instruct.errors import RetryableError, UsageError
from hf_oss_instruct.spec.option_types import Integer, Number, checked_value
from hf_oss_instruct.teachers.http.client import HttpClient
from hf_oss_instruct.teachers.http.errors import BadRequestError
from hf_oss_instruct.teachers.http.parameters import ServerParameters
from hf_oss_instruct.teachers.http.transports import AiohttpTransport, HubTransport, Transport
from hf_oss_instruct.teachers.protocol import Teacher


class InferenceTeacher(Teacher):
    """A chat model behind Inference Providers or any OpenAI-compatible server.

    Args:
        model: model name as the server knows it; a Hub id for Inference Providers.
        base_url: the server (vLLM, SGLang, llama.cpp, `transformers serve`, TGI, …); None for Inference Providers.
        api_key: the key sent to that server. None sends the Hugging Face token to Hugging Face, and no key anywhere else.
        concurrency: requests that may be in flight at once.
        timeout_s: timeout of one attempt, in seconds.
        transport: `aiohttp`, `huggingface_hub`, or `auto`: aiohttp to a server, huggingface_hub to Inference Providers.

    Raises:
        UsageError: `base_url` is not an http(s) URL, the model's name is one, the key must not be sent there, or an argument has
            another type.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        concurrency: int = 64,
        timeout_s: float = 600.0,
        transport: str = "auto",
    ) -> None:
        _check(model, base_url, api_key, concurrency, timeout_s, transport)
        self.model = model
        self.identity = f"{'openai-compatible' if base_url else 'inference-providers'}:{_public_name(model)}"
        # Only to Hugging Face: no other host ever gets its token.
        if base_url and is_hugging_face(base_url) and api_key is None:
            api_key = hugging_face_token()
        self._parameters = ServerParameters()
        self._transport: Transport
        if base_url and transport != "huggingface_hub":
            self._transport = AiohttpTransport(HttpClient(base_url, api_key, timeout_s))
        else:  # without an explicit key, huggingface_hub would send HF_TOKEN to any server
            self._transport = HubTransport(base_url, api_key or ("EMPTY" if base_url else None), timeout_s, concurrency)

    async def complete(self, request: Request) -> Completion:
        """See `Teacher.complete`."""
        sent = self.parameters(request)
        try:
            completion = await self._transport.chat(self.model, request.messages, sent)
        except BadRequestError as refusal:
            self.learn(refusal, sent)
            raise
        return self.noted(completion)

    def parameters(self, request: Request) -> dict[str, Any]:
        """The sampling parameters of a request as this server takes them."""
        return self._parameters.sent(request.sampling)

    def learn(self, refusal: BadRequestError, sent: dict[str, Any]) -> None:
        """Learn from a refused request which parameter the server does not take.

        Raises:
            RetryableError: it is one; the next attempt leaves it out or renames it.
        """
        if change := self._parameters.learn(refusal, sent):
            raise RetryableError(change, reached=True, changed=True) from refusal

    def noted(self, completion: Completion) -> Completion:
        """An answer together with the parameters that were left out or renamed."""
        return replace(completion, changes=dict(self._parameters.changes)) if self._parameters.changes else completion

    async def close(self) -> None:
        """Close the connections that belong to the running event loop."""
        await self._transport.close()


def _check(model: str, base_url: str | None, api_key: str | None, concurrency: int, timeout_s: float, transport: str) -> None:
    check_type("model", model, str, "the name of a model")
    check_type("base_url", base_url, str | None, "a URL")
    check_type("api_key", api_key, str | None, "a string")
    checked_value("concurrency", Integer(1), concurrency)
    checked_value("timeout_s", Number(0), timeout_s, optional=True)
    if transport not in ("auto", "aiohttp", "huggingface_hub") or (transport == "aiohttp" and not base_url):
        raise UsageError(f"The transport {transport!r} is not supported here. Use 'auto'; 'aiohttp' requires a base_url.")
    if base_url is not None:
        _check_url(base_url)
    # huggingface_hub would treat it as the server, and send it the Hugging Face token.
    if "://" in model:
        raise UsageError(
            f"The model {model!r} is a URL. Pass it as the server (--base-url, or base_url in Python), and as the model its name "
            "there."
        )
    check_key(api_key, base_url)


def _public_name(model: str) -> str:
    """The model's name in rows and cards. For a local path only the last part, with a hash to distinguish paths."""
    if not model.startswith(("/", ".", "~")):
        return model
    return f"{PurePath(model).name}#{digest(model)[:8]}"


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            f"base_url (--base-url) is {redacted(url)!r}, not an http(s) URL. Use one such as http://localhost:8080/v1."
        )
