"""An experiment small enough for a laptop: a model from scratch on true pairs or shuffled ones, asked what neither saw.

A family is a way to filter, map and fold a list of numbers; its parameter is a number. The combinations of held-out families are
in no training row.
"""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from datasets import Dataset

from hf_oss_instruct.templates import OSS_INSTRUCTION, to_prompt_completion
from hf_oss_instruct.training.judging import scoring
from hf_oss_instruct.training.recipes import load_recipe
from hf_oss_instruct.training.run import train
from tests.support.models import save_model
from tests.support.tokenizers import tokenizer_of

FILTERS = {
    "the even numbers": "x % 2 == 0",
    "the odd numbers": "x % 2 == 1",
    "the positive numbers": "x > 0",
    "the negative numbers": "x < 0",
    "the numbers above {n}": "x > {n}",
    "the numbers below {n}": "x < {n}",
    "the multiples of {n}": "x % {n} == 0",
    "all numbers": "True",
}
MAPS = {
    "as they are": "x",
    "squared": "x * x",
    "doubled": "2 * x",
    "halved and rounded down": "x // 2",
    "without their sign": "abs(x)",
    "negated": "-x",
}
FOLDS = {
    "the sum": "sum(ys)",
    "the largest or 0": "max(ys, default=0)",
    "the smallest or 0": "min(ys, default=0)",
    "the sorted list": "sorted(ys)",
    "the reversed list": "ys[::-1]",
    "the number of different values": "len(set(ys))",
}
INPUTS = ([], [3, -4, 8, 0, 8, -7, 12, 5], [6, 9, -9, 1, 2], [-1, -2, -3, -20], [10, 15, 7, 7, 4, 3, -6], list(range(-5, 13)))


@dataclass(frozen=True)
class Size:
    """How large the experiment is.

    Attributes:
        parts: so many of the filters, maps and folds each.
        parameters: rows of each family with a number in it.
        held_out: families that are in no training row.
        model: changes of the tiny Llama.
        changes: changes of the recipe `smoke`.
    """

    parts: tuple[int, int, int]
    parameters: int
    held_out: int
    model: dict[str, Any]
    changes: dict[str, Any]


SIZES = {
    "tiny": Size((2, 2, 2), 1, 0, {"hidden_size": 64, "intermediate_size": 176},
                 {"max_steps": 160, "per_device_train_batch_size": 8, "learning_rate": 4e-3, "warmup_steps": 5}),
    "small": Size((6, 4, 4), 3, 12, {"hidden_size": 64, "intermediate_size": 176, "num_hidden_layers": 2},
                  {"max_steps": 250, "per_device_train_batch_size": 16, "learning_rate": 4e-3, "warmup_steps": 20}),
    "large": Size((8, 6, 6), 6, 48, {"hidden_size": 128, "intermediate_size": 344, "num_hidden_layers": 3},
                  {"max_steps": 1000, "per_device_train_batch_size": 16, "learning_rate": 2e-3, "warmup_steps": 50}),
}  # fmt: skip


def families(size: Size) -> list[tuple[str, str, str]]:
    """Filter, map and fold of each."""
    filters, maps, folds = (list(part)[:count] for part, count in zip((FILTERS, MAPS, FOLDS), size.parts, strict=True))
    return list(itertools.product(filters, maps, folds))


def pair(family: tuple[str, str, str], n: int) -> dict[str, str]:
    """A row of a family."""
    chosen, mapped, folded = family
    problem = f"Write a function solve(xs) that takes {chosen} of a list, {mapped}, and returns {folded}.".format(n=n)
    body = f"    ys = [{MAPS[mapped]} for x in xs if {FILTERS[chosen]}]\n    return {FOLDS[folded]}\n".format(n=n)
    return {"problem": problem, "solution": f"```python\ndef solve(xs):\n{body}```"}


def split(size: Size, rng: random.Random) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Rows to train on, and rows of families that stand in none of them."""
    every = families(size)
    held = set(rng.sample(every, size.held_out))
    rows: tuple[list[dict[str, str]], list[dict[str, str]]] = ([], [])
    for family in every:
        numbers = rng.sample(range(2, 10), size.parameters) if "{n}" in family[0] else [0]
        rows[family in held].extend(pair(family, n) for n in numbers)
    return rows


def shuffled(rows: list[dict[str, str]], rng: random.Random) -> list[dict[str, str]]:
    """The same problems and the same solutions, none with its own."""
    order = list(range(len(rows)))
    rng.shuffle(order)
    moved = dict(zip(order, [*order[1:], order[0]], strict=True))
    return [{"problem": row["problem"], "solution": rows[moved[at]]["solution"]} for at, row in enumerate(rows)]


def task(row: dict[str, str]) -> str:
    """A line of a file for `--score`; what is right comes from the row's own solution."""
    scope: dict[str, Any] = {}
    exec(row["solution"].strip("`").removeprefix("python\n"), scope)  # written above, by us
    tests = "\n".join(f"assert solve({xs!r}) == {scope['solve'](xs)!r}" for xs in INPUTS)
    judged_task = {"instruction": OSS_INSTRUCTION.format(problem=row["problem"]), "entry_point": "solve", "tests": tests}
    return json.dumps(judged_task)


def trained(
    folder: Path, rows: list[dict[str, str]], held: list[dict[str, str]], size: Size, rng_seed: int
) -> list[dict[str, Any]]:
    """Train on the rows as the recipe `smoke` does; scores on the held-out tasks, before the first step and after the last."""
    folder.mkdir(parents=True)
    tasks = folder / "tasks.jsonl"
    tasks.write_text("".join(f"{task(row)}\n" for row in held))
    (folder / "pairs").mkdir()
    Dataset.from_list(rows).to_parquet(folder / "pairs" / "train.parquet")
    texts = ["".join(to_prompt_completion(row).values()) for row in rows]
    model = save_model(folder / "base", tokenizer_of("qwen", texts, 600), rng_seed=rng_seed, **size.model)
    own = {"output_dir": str(folder / "out"), "seed": rng_seed, "gradient_accumulation_steps": 1, "save_strategy": "no"}
    changes = own | {"logging_steps": 50, "optim": "adamw_torch", "disable_tqdm": True} | size.changes
    recipe = load_recipe("smoke", model=str(model), data=str(folder / "pairs"), changes=changes)
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe.values))
    asked = scoring(str(tasks), every=recipe.values["max_steps"], max_new_tokens=80, batch_size=64)
    found: list[dict[str, Any]] = train(path, allow_unchecked=True, scoring=asked)["scores"]
    return found
