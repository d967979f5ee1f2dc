"""Tiny models with random weights, in the shapes of the families people fine-tune."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from tests.support.warm import ROOT, TRAIN

SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
}


def tiny_model(kind: str, vocabulary: int, *, rng_seed: int = 0, attention: str = "sdpa", **changes: Any) -> Any:
    """A causal language model of type `kind` (llama, qwen2, qwen3, starcoder2) with a few thousand parameters."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    extra = (
        {"head_dim": 8}
        if kind == "qwen3"
        else {"residual_dropout": 0.0, "embedding_dropout": 0.0}
        if kind == "starcoder2"
        else {}
    )
    words = {"bos_token_id": None, "eos_token_id": 1, "pad_token_id": 0}
    torch.manual_seed(rng_seed)
    config = AutoConfig.for_model(kind, vocab_size=vocabulary, **words, **extra, **(SMALL | changes))
    return AutoModelForCausalLM.from_config(config, attn_implementation=attention)


def save_model(folder: Path, tokenizer: Any, kind: str = "llama", **changes: Any) -> Path:
    """A folder that `from_pretrained` reads, model and tokenizer."""
    model = tiny_model(kind, len(tokenizer), **changes)
    model.config.eos_token_id = model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def saved_model(folder: Path, family: str, texts: Sequence[str] = (), vocabulary: int = 300) -> Path:
    """`save_model` with the tokenizer of a family, in a warm Python: who needs no more than the files imports nothing heavy."""
    with NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([str(folder), family, [*texts], vocabulary], file)
        file.flush()
        TRAIN.run(["-c", _SAVE, file.name], cwd=ROOT, check=True)
    return folder


_SAVE = """
import json, pathlib, sys
from tests.support.models import save_model
from tests.support.tokenizers import tokenizer_of
folder, *tokenizer = json.loads(pathlib.Path(sys.argv[1]).read_text())
save_model(pathlib.Path(folder), tokenizer_of(*tokenizer))
"""
