"""Embeddings of texts by a model that the user names: its hidden states, averaged over the tokens of a text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.extras import install_command
from hf_oss_instruct.hub import HUB_ID, check_endpoint_for, commit_of
from hf_oss_instruct.terminal.display import error_message

BATCH_SIZE = 32
"""Texts of a batch."""
MAX_TOKENS = 512
"""Tokens of a text that are read."""
_FILES = ("*.json", "*.safetensors", "*.txt", "*.model")
"""Files of a folder that decide on the embeddings: configs, weights and vocabularies."""

Vectors = np.ndarray[Any, np.dtype[np.float64]]
"""(texts, dimensions)."""


@dataclass(frozen=True)
class EmbeddingModel:
    """A text encoder of `transformers`.

    Attributes:
        name: its id on the Hub, or the last part of its folder.
        revision: commit or branch on the Hub; of a folder, a hash of its files. A run config records both.
        is_folder: whether it is a folder.
        folder: the folder; None if only its hash is known, as in a run config.
    """

    name: str
    revision: str | None = None
    is_folder: bool = False
    folder: Path | None = field(default=None, compare=False, repr=False)

    @classmethod
    def named(cls, text: str) -> EmbeddingModel:
        """The model that a user names: a folder, or `OWNER/NAME` or `OWNER/NAME@REVISION` on the Hub.

        Raises:
            UsageError: it is neither.
        """
        folder = Path(os.path.abspath(Path(text).expanduser()))
        if folder.is_dir():
            return cls(folder.name, _hash_of(folder), True, folder)
        if "#" not in text:
            return cls.recorded(text)
        raise UsageError(f"The embedding model {text!r} is not a folder. Pass its folder, or OWNER/NAME of a model on the Hub.")

    @classmethod
    def recorded(cls, text: str) -> EmbeddingModel:
        """The model that a run config names: `OWNER/NAME@COMMIT`, or `NAME#HASH` for a folder, which the caller must pass again.

        Raises:
            UsageError: it is neither.
        """
        name, sign, revision = text.partition("#" if "#" in text else "@")
        if sign == "#" and name and revision:
            return cls(name, revision, True)
        if not HUB_ID.fullmatch(name) or (sign and not revision):
            raise UsageError(
                f"The embedding model {text!r} is neither a folder nor OWNER/NAME[@REVISION] on the Hub. Check the spelling."
            )
        return cls(name, revision or None)

    def __str__(self) -> str:
        return self.name + (f"{'#' if self.is_folder else '@'}{self.revision}" if self.revision else "")

    def pinned(self) -> EmbeddingModel:
        """The same with its commit, which is asked of the Hub, or read from its cache.

        Raises:
            UsageError: only the hash of its folder is known, or it is not on the Hub.
        """
        if self.is_folder:
            self._path_or_name()
            return self
        try:
            return replace(self, revision=commit_of(self.name, self.revision or "main"))
        except LookupError as error:
            raise UsageError(f"{error} Pass --embedding-model FOLDER, or another name.") from error

    def _path_or_name(self) -> str:
        if self.is_folder and not self.folder:
            raise UsageError(f"The run used the embedding model {self}. Pass its folder again: --embedding-model FOLDER.")
        return str(self.folder or self.name)

    def load(self) -> Encoder:
        """Load it.

        Raises:
            UsageError: transformers is not installed, or the model cannot be loaded.
        """
        return Encoder(self._path_or_name(), None if self.is_folder else self.revision)


class Encoder:
    """A loaded tokenizer and model, on an accelerator if there is one. No code of the model's repository is run.

    Weights are read from safetensors and computed with in double precision: then a vector depends neither on the other texts
    of its batch nor on the machine, to all digits that are used. On a processor this takes twice as long.

    Args:
        model: a Hub id, or a folder.
        revision: branch, tag or commit on the Hub.

    Raises:
        UsageError: transformers or torch is not installed, or the model cannot be loaded.
    """

    def __init__(self, model: str, revision: str | None = None) -> None:
        try:
            import torch
            from transformers import AutoModel, AutoTokenizer
        except ImportError:
            raise UsageError(
                f"--embedding-model {model} needs transformers and torch. Install them with: {install_command('local')}"
            ) from None
        check_endpoint_for(model)
        source: dict[str, Any] = {"revision": revision, "trust_remote_code": False}
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(model, **source)
            loaded: Any = AutoModel.from_pretrained(model, use_safetensors=True, dtype=torch.float64, **source)
            self._model = loaded.eval().to("cuda" if torch.cuda.is_available() else "cpu")
        except Exception as error:  # untrusted files and drivers can raise anything
            raise UsageError(
                f"The model {model!r} cannot be loaded: {error_message(error)}. Pass a folder or the id of a text encoder with "
                "config, tokenizer and safetensors."
            ) from error
        self._tokenizer.pad_token = self._tokenizer.pad_token or self._tokenizer.eos_token
        self._tokenizer.padding_side = "right"  # a text's positions are the same in every batch
        self._most = min(MAX_TOKENS, self._tokenizer.model_max_length)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(texts, dimensions): the mean of each text's last hidden states, of length 1."""
        by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))  # little padding
        vectors: list[Any] = [None] * len(texts)
        for start in range(0, len(texts), BATCH_SIZE):
            batch = by_length[start : start + BATCH_SIZE]
            for index, vector in zip(batch, self._batch([texts[index] for index in batch]), strict=True):
                vectors[index] = vector
        return np.stack(vectors)

    def _batch(self, texts: list[str]) -> Vectors:
        import torch

        options = {"return_tensors": "pt", "padding": True, "truncation": True, "max_length": self._most}
        # An empty text may have no token at all, and no mean.
        inputs = self._tokenizer([text or " " for text in texts], **options).to(self._model.device)
        with torch.inference_mode():
            hidden = self._model(**inputs).last_hidden_state  # (texts, tokens, dimensions)
        mask = inputs["attention_mask"].unsqueeze(-1)  # (texts, tokens, 1)
        pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)  # (texts, dimensions)
        vectors: Vectors = torch.nn.functional.normalize(pooled, dim=1).cpu().numpy()
        return vectors


def _hash_of(folder: Path) -> str:
    """Hash of the names and contents of a model's files: 16 hex digits."""
    state = xxhash.xxh3_64()
    for path in sorted({path for pattern in _FILES for path in folder.glob(pattern) if path.is_file()}):
        # Names and sizes keep the contents of two files apart.
        state.update(f"{path.name}\0{path.stat().st_size}\0".encode("utf-8", "surrogateescape"))
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                state.update(block)
    return state.hexdigest()
