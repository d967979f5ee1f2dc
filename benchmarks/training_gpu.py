"""Useful tokens a second of one GPU at 1.3B and 6.7B: padded, grouped, packed, and packed with variable-length attention.

    python benchmarks/training_gpu.py --size 1.3b                                     # JSON lines, about ten minutes
    python benchmarks/training_gpu.py --size 6.7b --checkpointing 0 1
    python benchmarks/training_gpu.py --size tiny --device cpu --rows 40 --steps 2    # only to see that the script runs

Random weights in the shapes of deepseek-coder, rows as long as OSS-Instruct's (lognormal, mean 450), nothing is downloaded.
Before anything is timed, losses and leaks are checked and the GPU's own matrix product is measured: MFU is FLOP of useful tokens
(6N, and causal attention inside each row, nothing recomputed) against that. A case that runs out of memory says so, and the next
one follows. No figure of this script is known yet: its CUDA paths have not been run.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import random
import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

import torch  # noqa: E402
from tests.support.attention import register as register_row_by_row  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402

from training import _tensors, batches  # noqa: E402

SHAPES = {  # hidden, inner, layers, heads, vocabulary (deepseek-coder's config.json)
    "tiny": (256, 688, 4, 4, 8192),
    "1.3b": (2048, 5504, 24, 16, 32256),
    "6.7b": (4096, 11008, 32, 32, 32256),
}
MODES: dict[str, dict[str, Any]] = {
    "Magicoder, batches of 2": {"batch": 2},
    "batches of 8": {"batch": 8},
    "grouped by length, 8": {"batch": 8, "grouped": True},
    "packed": {"bins": 16384},
}
CHUNK = 2048
"""Positions whose logits are in memory at once with the fused loss."""


def varlen(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: Any = None, **rest: Any) -> Any:
    """Attention inside each packed row by FlashAttention as torch brings it (`torch.nn.attention.varlen`, torch 2.10)."""
    from torch.nn.attention.varlen import varlen_attn

    ends, longest = rest["cu_seq_lens_q"], int(rest["cu_seq_lens_q"].diff().max())
    parts = (part[0].transpose(0, 1).contiguous() for part in (query, key, value))  # (tokens, heads, width)
    made = varlen_attn(*parts, ends, ends, longest, longest, window_size=(-1, 0))
    return (made if torch.is_tensor(made) else made[0])[None], None


def attentions(device: str) -> list[str]:
    """Ways to attend inside packed rows that can be here; padded rows use sdpa."""
    from transformers import AttentionInterface

    register_row_by_row()
    AttentionInterface.register("varlen", varlen)
    return ["sdpa", "varlen"] if device == "cuda" else ["sdpa", "row_by_row"]


def random_rows(count: int, vocabulary: int, max_length: int) -> list[dict[str, list[int]]]:
    rng = random.Random(0)
    rows = []
    for _ in range(count):
        length = int(min(max_length, max(60, rng.lognormvariate(math.log(450) - 0.45**2 / 2, 0.45))))
        prompt = int(length * min(0.8, max(0.2, rng.gauss(0.5, 0.12))))
        ids = [rng.randrange(3, vocabulary) for _ in range(length)]
        rows.append({"input_ids": ids, "labels": [-100] * prompt + ids[prompt:]})
    return rows


def build(size: str, attention: str, device: str) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    hidden, inner, layers, heads, vocabulary = SHAPES[size]
    config = LlamaConfig(vocab_size=vocabulary, hidden_size=hidden, intermediate_size=inner, num_hidden_layers=layers,
                         num_attention_heads=heads, max_position_embeddings=16384, bos_token_id=0, eos_token_id=1)  # fmt: skip
    torch.manual_seed(0)
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    with torch.device(device):
        model = LlamaForCausalLM._from_config(config, dtype=dtype, attn_implementation=attention)
    return model.train()


def plain_loss(model: Any, batch: dict[str, Any]) -> Any:
    return model(**batch, use_cache=False).loss


def fused_loss(model: Any, batch: dict[str, Any]) -> Any:
    """Logits of the learnt positions only, `CHUNK` at a time and recomputed, as TRL's fused head does."""
    from torch.utils.checkpoint import checkpoint

    rest = {name: value for name, value in batch.items() if name != "labels"}
    states, labels = model.model(**rest, use_cache=False).last_hidden_state[:, :-1], batch["labels"][:, 1:]
    states, labels = states[labels != -100], labels[labels != -100]

    def part(some: Any, wanted: Any) -> Any:
        return cross_entropy((some @ model.lm_head.weight.t()).float(), wanted, reduction="sum")

    pieces = (slice(at, at + CHUNK) for at in range(0, len(labels), CHUNK))
    return sum(checkpoint(part, states[piece], labels[piece], use_reentrant=False) for piece in pieces) / len(labels)


LOSSES: dict[str, Callable[[Any, dict[str, Any]], Any]] = {"plain": plain_loss, "fused": fused_loss}


def to(batch: dict[str, Any], device: str) -> dict[str, Any]:
    return {name: value.to(device) for name, value in batch.items()}


def check(ways: list[str], device: str) -> None:
    """Packed rows have the loss of single rows, and do not see their neighbors."""
    rows = random_rows(5, 8192, 600)
    alone = build("tiny", "sdpa", device).eval()
    with torch.no_grad():
        learnt = [sum(label != -100 for label in row["labels"]) for row in rows]
        each = [plain_loss(alone, to(_tensors([row], flat=False), device)).item() for row in rows]
        expected = sum(n * loss for n, loss in zip(learnt, each, strict=True)) / sum(learnt)
        for way in ways:
            model = build("tiny", way, device).eval()
            packed = to(_tensors(rows, flat=True), device)
            changed = packed | {"input_ids": packed["input_ids"].clone()}
            first = len(rows[0]["input_ids"])
            changed["input_ids"][0, :first] = 77
            leak = (
                (model(**packed, use_cache=False).logits - model(**changed, use_cache=False).logits)[0, first:].abs().max().item()
            )
            made = {name: round(loss(model, packed).item(), 5) for name, loss in LOSSES.items()}
            print(json.dumps({"check": way, "row by row": round(expected, 5), **made, "leak": leak}), flush=True)


def matrix_product(device: str) -> float:
    """FLOP/s of a square bf16 matrix product (fp32 on a CPU)."""
    n, dtype = (8192, torch.bfloat16) if device == "cuda" else (1024, torch.float32)
    one, other = torch.randn(n, n, device=device, dtype=dtype), torch.randn(n, n, device=device, dtype=dtype)
    for turn in range(13):
        if turn == 3:
            _wait(device)
            started = time.perf_counter()
        one @ other
    _wait(device)
    return 10 * 2 * n**3 / (time.perf_counter() - started)


def measure(options: argparse.Namespace, mode: str, way: str, loss: str, checkpointing: int, peak: float) -> dict[str, Any]:
    from transformers.optimization import Adafactor

    device, (hidden, _, layers, _, vocabulary) = options.device, SHAPES[options.size]
    model = build(options.size, way, device)
    if checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    optimizer = Adafactor(model.parameters(), lr=5e-5, scale_parameter=False, relative_step=False)
    rows = random_rows(options.rows, vocabulary, options.max_length)
    lengths = [len(row["input_ids"]) for row in rows]
    order = batches(lengths, MODES[mode], random.Random(0))
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    useful = squares = 0
    for step in range(options.warmup + options.steps):
        if step == options.warmup:
            _wait(device)
            started = time.perf_counter()
        chosen = order[step % len(order)]
        LOSSES[loss](model, to(_tensors([rows[n] for n in chosen], flat="bins" in MODES[mode]), device)).backward()
        optimizer.step()
        model.zero_grad(set_to_none=True)
        if step >= options.warmup:
            useful, squares = useful + sum(lengths[n] for n in chosen), squares + sum(lengths[n] ** 2 for n in chosen)
    _wait(device)
    seconds = time.perf_counter() - started
    counted = sum(parameter.numel() for parameter in model.parameters()) - model.model.embed_tokens.weight.numel()
    work = 6 * counted * useful + 6 * layers * hidden * squares  # 12 · layers · hidden · length², halved by causality
    memory = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else None
    return {"tokens/s": round(useful / seconds), "mfu": round(work / seconds / peak, 3), "peak GiB": memory and round(memory, 1)}


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=sorted(SHAPES), default="1.3b")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--checkpointing", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--max-length", type=int, default=1216)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--budget-s", type=float, default=540, help="no case starts after this many seconds")
    options = parser.parse_args()
    began, ways, peak = time.time(), attentions(options.device), matrix_product(options.device)
    name = torch.cuda.get_device_name(0) if options.device == "cuda" else "CPU"
    print(json.dumps({"device": name, "torch": torch.__version__, "matrix product TFLOP/s": round(peak / 1e12, 1)}), flush=True)
    check(ways, options.device)
    for mode in MODES:
        packed = "bins" in MODES[mode]
        for way, loss, checkpointing in product(
            ways if packed else ["sdpa"], LOSSES if packed else ["plain"], options.checkpointing
        ):
            case: dict[str, Any] = {
                "size": options.size,
                "mode": mode,
                "attention": way,
                "loss": loss,
                "checkpointing": checkpointing,
            }
            if time.time() - began > options.budget_s:
                print(json.dumps(case | {"not run": "the time was spent"}))
                continue
            try:
                case |= measure(options, mode, way, loss, checkpointing, peak)
            except torch.OutOfMemoryError:
                case["not run"] = "out of memory"
            print(json.dumps(case), flush=True)
            gc.collect()
            if options.device == "cuda":
                torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
