"""Estimate the memory and time that a recipe needs, and show the arithmetic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.structured import read_object
from hf_oss_instruct.terminal.display import plural

MEAN_TOKENS = 446
"""Tokens per row, prompt included, in the Magicoder template (mean of 2,000 rows, 8k vocabulary)."""
PEAK_FLOPS, UTILISATION = 790e12, 0.40
"""Dense bf16 FLOP/s of an H100 or H200, and the share of it that training is assumed to reach."""
PADDING = {"random batches of 2": 0.20, "random batches": 0.43, "grouped": 0.03, "packed": 0.01}
"""Share of padding tokens by kind of batch (`benchmarks/training.py`)."""
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*([bBmM])(?![a-zA-Z])")
GIB = 2**30


@dataclass(frozen=True)
class Shape:
    """Size of a model.

    Attributes:
        parameters: their number; None if it is not known.
        hidden, layers: width and depth.
        source: how this is known.
    """

    parameters: float | None
    hidden: int = 0
    layers: int = 0
    source: str = "unknown"

    @classmethod
    def of(cls, model: str) -> Shape:
        """Read a folder's `config.json`, or a size such as `6.7b` in the name. Uses no network."""
        config = Path(model) / "config.json"
        if config.is_file():
            try:
                return cls._from_config(read_object(config))
            except (ValueError, TypeError, ArithmeticError) as error:
                raise UsageError(
                    f"The model's config.json does not state its size: {error}. Restore the original file."
                ) from error
        match = _SIZE.search(model.replace("_", "-"))
        if not match:
            return cls(None)
        parameters = float(match[1]) * (1e9 if match[2] in "bB" else 1e6)
        # 12 · layers · hidden² parameters and hidden = 128 · layers, as in most models of this kind
        layers = round((parameters / (12 * 128**2)) ** (1 / 3))
        return cls(parameters, 128 * layers, layers, "the name; width and depth from 12·L·h² with h = 128·L")

    @classmethod
    def _from_config(cls, values: Mapping[str, Any]) -> Shape:
        try:
            hidden, layers, words = values["hidden_size"], values["num_hidden_layers"], values["vocab_size"]
            inner, heads = values.get("intermediate_size", 4 * hidden), values["num_attention_heads"]
        except KeyError:
            return cls(None)
        shared = values.get("num_key_value_heads", heads) / heads
        # Three with a gated activation (Llama, Qwen), two without.
        matrices = 2 if values.get("model_type") in ("starcoder2", "gpt2", "gpt_bigcode") else 3
        a_layer = 2 * hidden**2 * (1 + shared) + matrices * hidden * inner
        tied = values.get("tie_word_embeddings", False)
        return cls(layers * a_layer + words * hidden * (1 if tied else 2), hidden, layers, "its config.json")


@dataclass(frozen=True)
class Estimate:
    """Memory and time of a recipe on H100-like GPUs: arithmetic, not a measurement.

    Attributes:
        shape: the model.
        values: keys of the recipe.
        gpus: devices.
        rows: rows of the dataset.
    """

    shape: Shape
    values: Mapping[str, Any]
    gpus: int
    rows: int

    @property
    def bytes_a_parameter(self) -> dict[str, float]:
        """Bytes per parameter: weights, gradients, optimizer states. With adapters, only the weights."""
        width = 4 if self.values.get("dtype", "float32") == "float32" else 2
        if self.values.get("use_peft"):
            # 4 bits, plus the scales of the blocks. Adapters themselves are too small to count.
            return {"weights": 0.55 if self.values.get("load_in_4bit") else width, "gradients": 0, "optimizer": 0}
        # Adafactor keeps a row and a column of sums for each matrix, AdamW two numbers for each parameter.
        states = 0.02 * width if self.values.get("optim") == "adafactor" else 2 * width
        return {"weights": width, "gradients": width, "optimizer": states}

    @property
    def tokens_a_device(self) -> int:
        """Tokens in one forward pass, padding included."""
        return int(self.values["per_device_train_batch_size"]) * int(self.values["max_length"])

    @property
    def memory(self) -> float | None:
        """Bytes on one device; sharded over all of them with an FSDP config."""
        if self.shape.parameters is None:
            return None
        sharded = self.gpus if str(self.values.get("accelerate_config", "")).startswith(("fsdp", "zero3")) else 1
        return self.shape.parameters * sum(self.bytes_a_parameter.values()) / sharded + self.activations

    @property
    def recomputes(self) -> bool:
        """Whether activation checkpointing is on, under either name of the key."""
        return bool(self.values.get("activation_checkpointing") or self.values.get("gradient_checkpointing"))

    @property
    def activations(self) -> float:
        """34 · tokens · h bytes per layer, 2 · tokens · h if recomputed (Korthikanti et al. 2022, without attention matrices)."""
        tokens, layer = self.tokens_a_device, self.shape.hidden * self.tokens_a_device
        if self.recomputes:
            return 2 * layer * self.shape.layers + 34 * layer
        return 34.0 * self.shape.hidden * tokens * self.shape.layers

    @property
    def padding(self) -> float:
        """Share of tokens that are padding."""
        if self.values.get("packing"):
            return PADDING["packed"]
        if self.values.get("train_sampling_strategy") == "group_by_length":
            return PADDING["grouped"]
        return PADDING["random batches of 2" if self.values["per_device_train_batch_size"] <= 2 else "random batches"]

    @property
    def hours(self) -> float | None:
        """Hours of training."""
        if self.shape.parameters is None or "max_steps" in self.values:
            return None
        # FLOP per parameter and token: 2 forward, 4 backward, and 2 more for a second forward.
        work = 8 if self.recomputes else 6
        tokens = self.rows * MEAN_TOKENS * float(self.values.get("num_train_epochs", 3)) / (1 - self.padding)
        return tokens * work * self.shape.parameters / (PEAK_FLOPS * UTILISATION * self.gpus) / 3600

    def lines(self) -> list[str]:
        """The estimate as text, with its arithmetic."""
        if self.shape.parameters is None or self.memory is None:
            return ["Memory and hours are not estimated: neither a config.json nor the name says how large the model is."]
        return [self._memory_line(), *self._time_line()]

    def _memory_line(self) -> str:
        parts = " + ".join(f"{name} {size:g}" for name, size in self.bytes_a_parameter.items() if size)
        memory, parameters, activations_gib = self.memory or 0, (self.shape.parameters or 0) / 1e9, self.activations / GIB
        return (
            f"Memory: about {memory / GIB:.3g} GiB a device = {parameters:.3g}B parameters (from {self.shape.source}) × bytes "
            f"each ({parts}) + activations {activations_gib:.3g} GiB for {self.tokens_a_device:,} tokens. Not measured."
        )

    def _time_line(self) -> list[str]:
        if self.hours is None or self.values.get("use_cpu"):
            return []
        work = "8N (recomputed)" if self.recomputes else "6N"
        return [
            f"Time: {_time(self.hours * 3600)} = {plural(self.rows, 'row')} × {MEAN_TOKENS} tokens × epochs / "
            f"(1 − {self.padding:.2f} padding) × {work} FLOP / ({PEAK_FLOPS / 1e12:.0f} TFLOP/s × {UTILISATION:.0%} × "
            f"{plural(self.gpus, 'device')}). "
            f"The {UTILISATION:.0%} is a guess."
        ]


def _time(seconds: float) -> str:
    """Seconds in the unit that fits, with two digits: `about 5.5 hours`, `about 12 minutes`."""
    for length, unit in ((3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= length:
            number = float(f"{seconds / length:.2g}")
            return f"about {number:,.12g} {unit}{'s' * (number != 1)}"
    return "less than a second"
