"""A transformers model in this process as a teacher, without a server."""

from __future__ import annotations

import asyncio
import math
import os
import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from hf_oss_instruct.data import Completion, Request, digest
from hf_oss_instruct.errors import OssInstructError, RetryableError, RowRejectedError, TeacherError, UsageError
from hf_oss_instruct.extras import install_command
from hf_oss_instruct.hub import check_endpoint_for
from hf_oss_instruct.reasoning import split_reasoning
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.terminal.display import one_line

MAX_MESSAGE_CHARS = 500
"""Maximum number of characters quoted from a library's error message."""


@dataclass(eq=False, slots=True)
class _PendingRequest:
    """A pending request: its tokens, generation parameters, and the future answer. A batch shares its generation parameters."""

    request: Request
    answer: Future[Completion] = field(default_factory=Future)
    tokens: list[int] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    def settle(self, outcome: Completion | Exception) -> None:
        with suppress(InvalidStateError):  # cancelled or closed
            if isinstance(outcome, Completion):
                self.answer.set_result(outcome)
            else:
                self.answer.set_exception(outcome)


class TransformersTeacher(Teacher):
    """A chat model in this process.

    Requests that arrive while the model is busy form the next batch, grouped by similar length. Only the request's own
    sampling parameters count, never those in the model's `generation_config`. Greedy answers do not depend on the batch (in
    bfloat16, rounding may still change one); sampled answers do: the same requests in the same batch give the same text, another
    batch gives another. No code from the model's repository is run, and weights are only read from safetensors. After `close`,
    the next request loads the model again.

    Args:
        model: a Hub id, or a folder.
        revision: branch, tag or commit on the Hub.
        batch_size: requests per batch; halved when the accelerator runs out of memory.
        device: torch device; cuda if available, else cpu.
        max_wait_s: how long a batch waits for more requests, in seconds.

    Attributes:
        identity: see `Teacher`. A folder is named by its last part and a hash of its path.
        timeout_s: deadline of an answer in seconds. Latency depends on the batches before it, so it cannot be learned.
        batches: batches answered so far.

    Raises:
        UsageError: transformers or torch is not installed; a batch size below 1.
        TeacherError: the model cannot be loaded.
    """

    timeout_s = 600.0
    takes_schema = False

    def __init__(
        self,
        model: str,
        revision: str | None = None,
        *,
        batch_size: int = 16,
        device: str | None = None,
        max_wait_s: float = 0.02,
    ) -> None:
        if batch_size < 1:
            raise UsageError(f"The batch size must be at least 1, not {batch_size}.")
        folder = Path(os.path.abspath(Path(model).expanduser()))
        local = folder.is_dir() or model.startswith(("/", ".", "~"))
        name = f"{folder.name}#{digest(str(folder))[:8]}" if local else model
        self.identity = f"transformers:{name}" + (f"@{revision}" if revision else "")
        self.batches = 0
        self._where = (str(folder) if local else model, name, revision, device)
        self._batch_size, self._max_wait_s = batch_size, max_wait_s
        self._open: list[_PendingRequest] = []  # unanswered requests in order of arrival
        self._change = threading.Condition()  # guards _open and _thread
        self._thread: threading.Thread | None = None
        self._model: _Model | None = _Model(*self._where)  # until the thread has loaded it

    async def complete(self, request: Request) -> Completion:
        """See `Teacher.complete`."""
        pending = _PendingRequest(request)
        with self._change:
            self._open.append(pending)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, args=[self._model], name="oss-instruct-model", daemon=True)
                self._model = None
                self._thread.start()
            self._change.notify_all()
        return await asyncio.wrap_future(pending.answer)

    async def close(self) -> None:
        """Stop within one token and free the model; unanswered requests must be sent again."""
        with self._change:
            thread, self._thread, self._model = self._thread, None, None
            for pending in self._open:
                pending.settle(RetryableError("the teacher was closed", reached=True))
            self._open = []
            self._change.notify_all()
        if thread:
            await asyncio.to_thread(thread.join)
        import torch

        torch.cuda.empty_cache()

    def _work(self, model: _Model | None) -> None:
        """Main loop of the thread: answer batches until `close` is called."""
        while waiting := self._unanswered():
            batch = waiting
            try:
                model = model or _Model(*self._where)
                for pending in waiting:
                    # If a batch of one fails, this request is the cause.
                    batch = [pending]
                    model.read(pending)
                batch = self._similar_in_length(waiting)
                outcomes = model.answers(batch)
                self.batches += 1
            except Exception as error:
                if type(error).__name__ == "OutOfMemoryError" and len(batch) > 1:
                    self._batch_size = len(batch) // 2
                    continue  # all are still unanswered: retry in smaller batches, after this block has released the tensors
                outcomes = [
                    error if isinstance(error, OssInstructError) else RetryableError(_description(error), reached=True)
                ] * len(batch)
            for pending, outcome in zip(batch, outcomes, strict=True):
                pending.settle(outcome)

    def _unanswered(self) -> list[_PendingRequest]:
        """The unanswered requests; none after `close`."""
        with self._change:
            me = threading.current_thread()
            # After `close`, `_open` belongs to the next thread.
            if self._thread is me:
                self._open = [pending for pending in self._open if not pending.answer.done()]
            self._change.wait_for(lambda: self._open or self._thread is not me)
            self._change.wait_for(lambda: len(self._open) >= self._batch_size or self._thread is not me, self._max_wait_s)
            return list(self._open) if self._thread is me else []

    def _similar_in_length(self, waiting: list[_PendingRequest]) -> list[_PendingRequest]:
        """The oldest request and those closest to it in length: little padding, and no request starves."""
        oldest = waiting[0]
        same_options = [pending for pending in waiting if pending.options == oldest.options]
        return sorted(same_options, key=lambda pending: abs(len(pending.tokens) - len(oldest.tokens)))[: self._batch_size]


class _Model:
    """A loaded tokenizer and model. See `TransformersTeacher` for arguments and errors; `name` is the public name."""

    def __init__(self, model: str, name: str, revision: str | None, device: str | None) -> None:
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
        except ImportError as error:
            way_out = f"Install them with: {install_command('local')}"
            raise UsageError(f"The model {model!r} needs transformers and torch. {way_out}") from error
        check_endpoint_for(model)
        source: dict[str, Any] = {"revision": revision, "trust_remote_code": False}
        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(model, **source)
            loaded: Any = AutoModelForCausalLM.from_pretrained(model, use_safetensors=True, dtype="auto", **source)
            loaded.eval().to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        except Exception as error:  # untrusted files and drivers can raise anything
            way_out = "Pass a Hub id that you can access, or a folder with config, tokenizer and safetensors, and a "
            "device with enough memory."
            raise TeacherError(f"The model {model!r} cannot be loaded: {_description(error)}. {way_out}") from error
        own = loaded.generation_config.eos_token_id
        ends = (*(own if isinstance(own, list) else [own]), tokenizer.eos_token_id)
        self._ends = [end for end in ends if end is not None]
        self._pad = next((token for token in (tokenizer.pad_token_id, *self._ends) if token is not None), 0)
        self._context = getattr(loaded.config.get_text_config(), "max_position_embeddings", None)
        # The model's own defaults (penalties, top_k) would change answers without a trace in the row.
        plain = GenerationConfig(eos_token_id=self._ends or None, pad_token_id=self._pad)  # type: ignore[no-untyped-call]
        loaded.generation_config = plain
        self._name, self._tokenizer, self._model = name, tokenizer, loaded

    def read(self, pending: _PendingRequest) -> None:
        """Tokenize the prompt and set the generation parameters of a request.

        Raises:
            TeacherError: the chat template does not accept the messages.
            RowRejectedError: the prompt leaves no room for an answer.
        """
        if pending.tokens:
            return
        messages, sampling = list(pending.request.messages), pending.request.sampling
        if self._tokenizer.chat_template:
            # Special tokens in untrusted code must stay text.
            plain = {"return_dict": False, "sanitize_control_tokens": True}
            try:
                pending.tokens = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, **plain)
            except TemplateError as error:
                raise TeacherError(
                    f"The model's chat template does not accept the prompt: {_description(error)}. Change one of them."
                ) from error
        else:
            text = "\n\n".join(message["content"] for message in messages)
            pending.tokens = self._tokenizer(text, split_special_tokens=True)["input_ids"]
        max_new_tokens = min(sampling["max_tokens"], (self._context or math.inf) - len(pending.tokens))
        if max_new_tokens < 1:
            raise RowRejectedError("refused", f"the prompt has {len(pending.tokens)} tokens, the model's context {self._context}")
        pending.options = {"max_new_tokens": max_new_tokens, "do_sample": bool(temperature := float(sampling["temperature"]))}
        if temperature:
            pending.options |= {"temperature": temperature, "top_p": sampling.get("top_p", 1.0), "top_k": 0}

    def answers(self, batch: list[_PendingRequest]) -> list[Completion | Exception]:
        """Answer a batch of requests with the same generation parameters."""
        import torch

        device, width = self._model.device, max(len(pending.tokens) for pending in batch)
        # Padding is on the left, so that every prompt ends where its answer begins.
        padding = [width - len(pending.tokens) for pending in batch]
        tokens = [[self._pad] * missing + pending.tokens for missing, pending in zip(padding, batch, strict=True)]
        mask = [[0] * missing + [1] * (width - missing) for missing in padding]
        model_inputs = {"input_ids": torch.tensor(tokens, device=device), "attention_mask": torch.tensor(mask, device=device)}
        # A row ends early once nobody waits for it any more: after a timeout, or `close`.
        abandoned = [lambda *state, **more: torch.tensor([pending.answer.done() for pending in batch], device=device)]
        seeds = [(pending.request.sampling.get("seed"), pending.request.attempt) for pending in batch]
        # The random state of the host program stays as it was.
        with torch.inference_mode(), torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(int(digest(*seeds)[:15], 16))
            generated = self._model.generate(**model_inputs, stopping_criteria=abandoned, **batch[0].options)
        return [self._completion(pending, row) for pending, row in zip(batch, generated[:, width:].tolist(), strict=True)]

    def _completion(self, pending: _PendingRequest, generated: list[int]) -> Completion:
        end = next((index for index, token in enumerate(generated) if token in self._ends), None)
        text = text_of(self._tokenizer, generated[:end])
        count = len(generated) if end is None else end + 1
        return Completion(text, "length" if end is None else "stop", self._name, None, len(pending.tokens), count)


def text_of(tokenizer: Any, tokens: list[int]) -> str:
    """Decode an answer without special tokens, except those around reasoning, which would otherwise look like the answer."""
    whole = str(tokenizer.decode(tokens, skip_special_tokens=False))
    return whole if split_reasoning(whole)[0] else str(tokenizer.decode(tokens, skip_special_tokens=True))


def _description(error: Exception) -> str:
    return f"{type(error).__name__}: {one_line(str(error), MAX_MESSAGE_CHARS)}".rstrip(".: ")
