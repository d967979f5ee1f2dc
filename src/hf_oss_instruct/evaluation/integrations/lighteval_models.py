"""Run models through lighteval's Python API: its backends without its tasks, so that any huggingface_hub and xxhash work.

lighteval's own pipeline first imports all of its tasks; one of them downloads a pickle, and one fails with huggingface_hub 2. Its
models need none of them. The workarounds here are for lighteval 0.13.0 (November 2026); `test_lighteval_models` fails once they
are no longer needed.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import xxhash

from hf_oss_instruct.credentials import key_from, redacted
from hf_oss_instruct.errors import EvaluationError, UsageError
from hf_oss_instruct.evaluation.extraction import cut
from hf_oss_instruct.evaluation.prompts import NEW_TOKENS, ModelPrompt
from hf_oss_instruct.extras import install_command
from hf_oss_instruct.hub import check_endpoint_for
from hf_oss_instruct.templates import special_tokens, template_for
from hf_oss_instruct.terminal.display import error_message

BACKENDS = {
    "transformers": ("lighteval.models.transformers.transformers_model", "TransformersModelConfig"),
    "vllm": ("lighteval.models.vllm.vllm_model", "VLLMModelConfig"),
    "litellm": ("lighteval.models.endpoints.litellm_model", "LiteLLMModelConfig"),
}
SERVER_BACKENDS = ("litellm",)
"""Backends that use a server, which applies its own chat template and may fail to answer."""


@dataclass(frozen=True, slots=True)
class GenerationSampling:
    """Sampling parameters.

    Attributes:
        n: number of answers per problem.
        temperature: sampling temperature; 0 for greedy decoding.
        top_p: nucleus sampling, in (0, 1]; None for the model's default.
        max_new_tokens: maximum number of tokens per answer; None for the default of the style.
        rng_seed: random seed.
    """

    n: int = 1
    temperature: float = 0.0
    top_p: float | None = None
    max_new_tokens: int | None = None
    rng_seed: int = 0

    def __post_init__(self) -> None:
        if self.n > 1 and not self.temperature:
            raise UsageError(f"{self.n} answers at temperature 0 would be identical. Set a --temperature, such as 0.8.")


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model and the backend that runs it.

    Attributes:
        name: ID on the Hub, a local folder, or the server's name for the model.
        backend: one of `BACKENDS`.
        revision: commit on the Hub; None for a folder or a server.
        base_url: an OpenAI-compatible server.
        api_key_env: environment variable with the server's key.
        batch_size: prompts per batch for transformers; concurrent requests for a server.
        options: further fields of lighteval's configuration of this backend.
    """

    name: str
    backend: str = "transformers"
    revision: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    batch_size: int = 8
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if server_options := self.options.keys() & {"api_key", "base_url"}:
            raise UsageError(
                f"{min(server_options)} cannot be an option (--set): options are saved to disk. Use base_url and api_key_env."
            )
        if self.api_key_env and not self.base_url:
            raise UsageError("api_key_env (--api-key-env) needs base_url (--base-url), the server that the key is for.")
        self.key()

    def key(self) -> str | None:
        """Return the server's API key.

        Raises:
            UsageError: the variable is not set, or its key must not be sent to this server.
        """
        return key_from(self.api_key_env, self.base_url)


class LightevalModel:
    """A loaded model.

    Args:
        choice: the model and its backend.
        sampling: sampling parameters.

    Raises:
        UsageError: an option is unknown, or the extra is not installed.
        EvaluationError: the model cannot be loaded.
    """

    def __init__(self, choice: ModelChoice, sampling: GenerationSampling) -> None:
        self.choice, self.sampling = choice, sampling
        self.served = choice.backend in SERVER_BACKENDS
        config = _config(choice, sampling)
        if not self.served:
            check_endpoint_for(choice.name)
        try:
            self._model: Any = import_module("lighteval.models.model_loader").load_model(config)
        except Exception as error:  # whatever the back end raises
            message = redacted(error_message(error, 500))
            raise EvaluationError(
                f"{choice.name!r} cannot be loaded by {choice.backend}: {message}. Check the name and the options of the model."
            ) from error
        _without_cache(self._model)
        if choice.backend == "transformers":
            # Special tokens mark where an answer ends, so they must be kept in the text; lighteval sets this to True.
            self._model.skip_special_tokens = False
            self._model.generation_config_dict["do_sample"] = sampling.temperature > 0  # else the model's own default applies

    def style(self) -> str:
        """Return the prompt style that suits the model: `chat` if it has a chat template, else `completion`."""
        if self.served:
            return "chat"
        tokenizer = self._model.tokenizer
        if not tokenizer.chat_template:
            return "completion"
        magicoder = template_for("magicoder", tokenizer) if tokenizer.eos_token else None
        return "magicoder" if magicoder and tokenizer.chat_template == magicoder.chat_template else "chat"

    def answers(self, asked: Sequence[ModelPrompt], style: str) -> list[list[str]]:
        """Generate answers, without prefixes: n texts per prompt, or fewer if a server failed.

        Args:
            asked: prompts built by `prompts.build_prompt`.
            style: their style; must be `chat` for a server, which applies its own template.

        Raises:
            UsageError: the tokenizer does not support the style.
            EvaluationError: a prompt is longer than the model's context, or the backend failed.
        """
        from lighteval.tasks.requests import Doc

        docs = []
        for number, prompt in enumerate(asked):
            text, stop = self.prompt(prompt, style)
            docs.append(Doc(text, [""], 0, id=str(number), task_name="oss-instruct", num_samples=self.sampling.n))
            docs[-1].generation_size, docs[-1].stop_sequences = self.sampling.max_new_tokens or NEW_TOKENS[style], list(stop)
        if self.choice.backend == "transformers":
            import torch

            # A seed for each batch, by its first prompt, so that its draws do not depend on the batches before it.
            torch.manual_seed(xxhash.xxh3_64_intdigest(f"{self.sampling.rng_seed} {docs[0].query}".encode()) % 2**63)
        try:
            responses = self._model.greedy_until(docs)
        except Exception as error:  # whatever the back end raises
            raise EvaluationError(
                f"{self.choice.backend} failed: {redacted(error_message(error, 500))}. Solve this, and evaluate again: finished "
                "batches are kept."
            ) from error
        # Outside chat, a special token (end of file, fill-in-the-middle) always means that the program is over.
        ends = [] if style == "chat" else special_tokens(self._model.tokenizer)
        return [[cut(text or "", ends) for text in response.text] for response in responses]

    def prompt(self, asked: ModelPrompt, style: str) -> tuple[str, tuple[str, ...]]:
        """Return the full prompt without the BOS token (or the message for a server), and the stop sequences.

        Raises:
            UsageError: the tokenizer does not support the style.
            EvaluationError: the prompt is longer than the model's context.
        """
        if self.served:
            return asked.text, asked.stop
        text, stop = asked.text + asked.prefix, asked.stop
        if style != "completion":
            template = template_for(style, self._model.tokenizer)
            text, stop = template.prompt(asked.text) + asked.prefix, (template.stop, *asked.stop)
        tokens, limit = len(self._model.tokenizer.encode(text)), self._model.max_length
        if limit and tokens >= limit:
            raise EvaluationError(
                f"A prompt has {tokens:,} tokens, but the model accepts {limit:,}: it would be cut. Use a longer-context model."
            )
        return text, stop


def _config(choice: ModelChoice, sampling: GenerationSampling) -> Any:
    """Build lighteval's model configuration."""
    config, parameters = _imported(choice.backend)
    drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": sampling.rng_seed}
    own: dict[str, Any] = {"model_name": choice.name, "generation_parameters": parameters(**drawn)}
    if choice.backend == "litellm":
        own |= {"concurrent_requests": choice.batch_size}
        if choice.base_url:
            # litellm's prefix of OpenAI-compatible servers. Its client needs some key, also for servers without one.
            own |= {"model_name": f"openai/{choice.name}", "base_url": choice.base_url, "api_key": choice.key() or "EMPTY"}
    else:
        # Prompts use the same templates as training; the tokenizer only adds the BOS token.
        own |= {"override_chat_template": False, "revision": choice.revision or "main"}
    if choice.backend == "transformers":
        own |= {"batch_size": choice.batch_size}
    if unknown := choice.options.keys() - config.model_fields:
        raise UsageError(f"{choice.backend} has no option {min(unknown)!r}. It has: {', '.join(sorted(config.model_fields))}.")
    try:
        return config(**own | dict(choice.options))
    except ValueError as error:
        raise UsageError(
            f"lighteval rejects an option of {choice.backend}: {error_message(error)}. Correct it, or leave it out."
        ) from error


def _imported(backend: str) -> tuple[Any, Any]:
    """Import the classes of a backend's configuration and of the generation parameters.

    Importing lighteval disables gradients globally, which would break training in the same process. If litellm is installed, it
    also opens a pickle cache in the working directory; here that is an empty folder, and the cache is closed. litellm would
    download a price list.
    """
    module, name = BACKENDS[backend]
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        import torch

        with torch.set_grad_enabled(torch.is_grad_enabled()), tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            import_module("lighteval.models.endpoints.litellm_model").litellm.cache = None
            import_module("lighteval.models.model_loader")
        return getattr(import_module(module), name), import_module("lighteval.models.model_input").GenerationParameters
    except Exception as error:  # importing it runs a lot of code
        extra = "endpoints" if backend in SERVER_BACKENDS else "eval"
        raise UsageError(
            f"lighteval cannot be imported: {error_message(error)}. Install it with: {install_command(extra)}"
        ) from error


def _without_cache(model: Any) -> None:
    """Disable lighteval's cache: it is only filled at the end and does not know our prompts; `samples.jsonl` resumes per batch.

    lighteval has already created its cache folder: inside the model's own, if that is given as an absolute path.
    """
    folder = Path(model._cache.cache_dir)
    model._cache = None
    with contextlib.suppress(OSError):
        folder.rmdir()
