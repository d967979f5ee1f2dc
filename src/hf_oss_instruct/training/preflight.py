"""Checks that fail early, before anything large is downloaded or allocated."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

from hf_oss_instruct.errors import UsageError

STATEFUL_MODELS = {
    "bamba", "falcon_h1", "falcon_mamba", "granitemoehybrid", "jamba", "lfm2", "mamba", "mamba2", "nemotron_h", "qwen3_5",
    "qwen3_5_moe", "qwen3_5_text", "qwen3_next", "recurrent_gemma", "rwkv", "zamba", "zamba2",
}  # fmt: skip
"""Model types whose recurrent state or convolution leaks from one packed row into the next. Measured for Qwen3-Next and Qwen3.5;
the others by their architecture."""
PORTABLE_ATTENTION = {None, "eager", "sdpa"}
"""Attention implementations that need neither a GPU nor another package."""


def check_device(values: Mapping[str, Any]) -> None:
    """Check that this machine supports the recipe.

    Args:
        values: keys of the training YAML.

    Raises:
        UsageError: naming the key, the problem, and the value to set instead.
    """
    import torch

    cuda = torch.cuda.is_available() and not values.get("use_cpu")
    if values.get("load_in_4bit") or values.get("load_in_8bit"):
        if not cuda:
            raise UsageError("Quantized weights (qlora) require a CUDA GPU, and none was found. Use the recipe lora.")
        if importlib.util.find_spec("bitsandbytes") is None:
            raise UsageError("Weights in 4 or 8 bits need bitsandbytes. Install it with: pip install bitsandbytes")
    if values.get("bf16") and not (torch.cuda.is_bf16_supported() if cuda else values.get("use_cpu")):
        where = torch.cuda.get_device_name(0) if cuda else "no GPU here, and use_cpu is not set"
        raise UsageError(f"bf16 cannot be used: {where}. Set bf16: false and dtype: float32, and use_cpu: true on a CPU.")
    attention = values.get("attn_implementation")
    if attention not in PORTABLE_ATTENTION and not cuda and attention != "flex_attention":
        raise UsageError(f"attn_implementation {attention!r} requires a CUDA GPU, and none was found. Set it to sdpa.")


def check_packing(values: Mapping[str, Any]) -> None:
    """Reject packing strategies that silently change the loss.

    Raises:
        UsageError: `wrapped` packing.
    """
    if values.get("packing") and values.get("packing_strategy") == "wrapped":
        raise UsageError("packing_strategy 'wrapped' splits rows and lets them attend to each other. Set it to bfd.")


def check_model(values: Mapping[str, Any], config: Any) -> None:
    """Check that rows fit the model's context, and that packed rows cannot see each other.

    Args:
        values: keys of the training YAML.
        config: the model's configuration, a `PreTrainedConfig`.

    Raises:
        UsageError: naming the model's limit or type, and the value to set instead.
    """
    text = config.get_text_config()
    positions = getattr(text, "max_position_embeddings", None)
    # TRL's default.
    longest = values.get("max_length", 1024)
    if positions and longest is None:
        raise UsageError(f"max_length is not set. Set it to {positions:,}, the model's maximum context length, or less.")
    if positions and longest > positions:
        raise UsageError(
            f"max_length is {longest:,}, but the model's maximum context length is {positions:,}. Set max_length to that or less."
        )
    kinds = {config.model_type, text.model_type} & STATEFUL_MODELS
    if values.get("packing") and kinds:
        raise UsageError(
            f"Rows packed together would see each other in {min(kinds)} models, whose state runs on from row to row. "
            "Set packing: false and train_sampling_strategy: group_by_length."
        )
