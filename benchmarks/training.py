"""Padding and useful tokens a CPU second by way of batching: Magicoder's, TRL's default, grouped, packed, packed row by row.

    python benchmarks/training.py padding                     # seconds: shares of padding, from the lengths alone
    python benchmarks/training.py speed                       # minutes: a 4 × 256 Llama, forward and backward, A B A B

Rows are functions of the standard library (their documentation is the problem) in the Magicoder template, under a byte-level BPE
of 8,192 tokens learnt from them. Speed is CPU time of one thread, of the whole process, useful tokens only; "packed, row by row"
is what a variable-length kernel computes. `fast` on a CPU is "grouped by length, 8".
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

MODES: dict[str, dict[str, Any]] = {
    "Magicoder: batches of 2": {"batch": 2},
    "Magicoder: padded to max_length": {"batch": 2, "fixed": True},
    "TRL's default: batches of 8": {"batch": 8},
    "batches of 32": {"batch": 32},
    "grouped by length, 8": {"batch": 8, "grouped": True},
    "packed into 4096, dense mask": {"bins": 4096},
    "packed into 4096, row by row": {"bins": 4096, "attention": "row_by_row"},
}
TIMED = ("Magicoder: batches of 2", "TRL's default: batches of 8", "grouped by length, 8", "packed into 4096, dense mask",
         "packed into 4096, row by row")  # fmt: skip


def encoded(count: int, max_length: int) -> tuple[list[dict[str, list[int]]], Any]:
    """Rows ready to train on, and what became of all of them."""
    from datasets import Dataset
    from tests.support.tokenizers import tokenizer_of

    from hf_oss_instruct import CommentFunctionTeacher, read_seeds, synthesize
    from hf_oss_instruct.templates import template_for, to_prompt_completion
    from hf_oss_instruct.training.prepare import RowEncoder, prepare

    rows = list(synthesize(read_seeds("stdlib", n=count, sampler="functions"), CommentFunctionTeacher()))
    pairs = [{"problem": row["problem"], "solution": row["solution"]} for row in rows]
    texts = ["".join(to_prompt_completion(pair).values()) for pair in pairs]
    tokenizer = tokenizer_of("qwen", texts, 8192)
    made = prepare(Dataset.from_list(pairs), RowEncoder(template_for("magicoder", tokenizer), tokenizer, max_length))
    return list(made.rows), made


def batches(lengths: list[int], mode: dict[str, Any], rng: random.Random) -> list[list[int]]:
    """Numbers of rows, batch by batch."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    if "bins" in mode:
        return _bins(order, lengths, mode["bins"])
    if mode.get("grouped"):  # as transformers does: megabatches of 50, sorted inside
        reach = 50 * mode["batch"]
        runs = [sorted(order[at : at + reach], key=lambda n: -lengths[n]) for at in range(0, len(order), reach)]
        order = [n for run in runs for n in run]
    return [order[at : at + mode["batch"]] for at in range(0, len(order), mode["batch"])]


def _bins(order: list[int], lengths: list[int], size: int) -> list[list[int]]:
    """Best fit, longest first, as TRL's `bfd`."""
    bins: list[tuple[int, list[int]]] = []
    for n in sorted(order, key=lambda n: -lengths[n]):
        fitting = [at for at, (left, _) in enumerate(bins) if left >= lengths[n]]
        if fitting:
            at = min(fitting, key=lambda at: bins[at][0])
            bins[at] = (bins[at][0] - lengths[n], [*bins[at][1], n])
        else:
            bins.append((size - lengths[n], [n]))
    return [rows for _, rows in bins]


def show_padding(rows: list[dict[str, list[int]]], max_length: int) -> None:
    lengths = [len(row["input_ids"]) for row in rows]
    print(f"{'':34} {'padding %':>10}")
    for name, mode in MODES.items():
        if mode.get("attention"):
            continue
        made = batches(lengths, mode, random.Random(0))
        useful = sum(lengths)
        slots = (
            useful
            if "bins" in mode
            else sum((max_length if mode.get("fixed") else max(lengths[n] for n in one)) * len(one) for one in made)
        )
        full = (
            f"   bins {100 * useful / (len(made) * mode['bins']):.1f} % full, {len(rows) / len(made):.1f} rows each"
            if "bins" in mode
            else ""
        )
        print(f"{name:34} {100 * (1 - useful / slots):10.1f}{full}")


def show_speed(rows: list[dict[str, list[int]]], rounds: int) -> None:
    import torch
    from tests.support.attention import register
    from tests.support.models import tiny_model

    torch.set_num_threads(1)
    register()
    shape = {
        "hidden_size": 256,
        "intermediate_size": 688,
        "num_hidden_layers": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 8192,
    }
    model = tiny_model("llama", 8192, **shape).train()
    speeds: dict[str, list[float]] = {name: [] for name in TIMED}
    for _ in range(rounds):
        for name in TIMED:
            speeds[name].append(_speed(model, rows, MODES[name]))
            print(f"{name:34} {speeds[name][-1]:8.0f} useful tokens a CPU second", flush=True)
    base = max(speeds[TIMED[0]])
    print(f"\n{'best of ' + str(rounds):34} {'tokens/CPU-s':>12}  × {TIMED[0]}")
    for name, values in speeds.items():
        print(f"{name:34} {max(values):12.0f}  {max(values) / base:.2f}")


def _speed(model: Any, rows: list[dict[str, list[int]]], mode: dict[str, Any]) -> float:
    lengths = [len(row["input_ids"]) for row in rows]
    made = [_tensors([rows[n] for n in one], flat="bins" in mode) for one in batches(lengths, mode, random.Random(0))]
    model.set_attn_implementation(mode.get("attention", "sdpa"))
    started = time.process_time()
    for batch in made:
        model(**batch, use_cache=False).loss.backward()
        model.zero_grad(set_to_none=True)
    return sum(lengths) / (time.process_time() - started)


def _tensors(rows: list[dict[str, list[int]]], *, flat: bool) -> dict[str, Any]:
    import torch

    join: Callable[[str], list[int]] = lambda name: [token for row in rows for token in row[name]]  # noqa: E731
    if flat:
        lengths = torch.tensor([len(row["input_ids"]) for row in rows])
        ends = torch.cat([torch.zeros(1, dtype=torch.int32), lengths.cumsum(0).int()])
        positions = torch.cat([torch.arange(int(length)) for length in lengths])[None]
        flat_batch = {
            "input_ids": torch.tensor([join("input_ids")]),
            "labels": torch.tensor([join("labels")]),
            "position_ids": positions,
        }
        return flat_batch | {"cu_seq_lens_q": ends, "cu_seq_lens_k": ends}
    longest = max(len(row["input_ids"]) for row in rows)
    padded = {
        name: torch.tensor([row[name] + [fill] * (longest - len(row[name])) for row in rows])
        for name, fill in (("input_ids", 0), ("labels", -100))
    }
    mask = [[1] * len(row["input_ids"]) + [0] * (longest - len(row["input_ids"])) for row in rows]
    return padded | {"attention_mask": torch.tensor(mask)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["padding", "speed"])
    parser.add_argument("--rows", type=int, help="seeds to make rows of; default 2,000 for padding, 400 for speed")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--max-length", type=int, default=1216)
    options = parser.parse_args()
    rows, made = encoded(options.rows or (2000 if options.what == "padding" else 400), options.max_length)
    print(f"{made.counts['kept']:,} rows, {made.tokens / len(rows):.0f} tokens each; dropped: {made.dropped or 'none'}\n")
    if options.what == "padding":
        show_padding(rows, options.max_length)
    else:
        show_speed(rows, options.rounds)


if __name__ == "__main__":
    main()
