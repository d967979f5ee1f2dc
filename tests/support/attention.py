"""Attention inside each packed row, one row after the other: what a variable-length kernel computes, on any device."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

NAME = "row_by_row"


def register() -> str:
    """Teach `transformers` the attention `row_by_row`, and return its name."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention
    from transformers import AttentionInterface

    def row_by_row(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: Any = None, **rest: Any) -> Any:
        """Shapes: query (1, heads, tokens, width), key and value (1, groups, tokens, width)."""
        ends = rest["cu_seq_lens_q"].tolist()
        parts = [
            scaled_dot_product_attention(
                query[:, :, start:end],
                key[:, :, start:end],
                value[:, :, start:end],
                is_causal=True,
                scale=scaling,
                enable_gqa=True,
            )
            for start, end in pairwise(ends)
        ]
        return torch.cat(parts, 2).transpose(1, 2).contiguous(), None

    AttentionInterface.register(NAME, row_by_row)
    return NAME
