"""GRPO small enough for a CPU: a model that writes the wrong programs learns from tests alone which ones are asked for.

It is pretrained to tell words apart and to write programs that run, but in half of its answers with the operator of the next
word, and in one of eight with the right one. `trl grpo` then trains it with `code_reward`; a penalty on the distance to the
pretrained model keeps it from giving up words before it finds their operator. Held-out problems are in no training row.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from datasets import Dataset

from hf_oss_instruct.rewards import make_code_reward
from tests.support.models import save_model
from tests.support.tokenizers import tokenizer_of

WORDS = {
    "add": "x + {n}",
    "subtract": "x - {n}",
    "multiply": "x * {n}",
    "remainder": "x % {n}",
    "quotient": "x // {n}",
    "power": "x ** {n}",
    "shift": "x << {n}",
    "xor": "x ^ {n}",
}
"""Word of the problem → the expression that solves it. All begin alike: training gives up a word whose answer does not."""
STEPS = 220
"""Of training, for all of it to be learned."""
NUMBERS = range(2, 18)
INPUTS = (0, 1, 5, 13)
GRPO = (str(Path(sys.executable).with_name("trl")), "grpo")
SCRIPT = (sys.executable, "-m", "trl.scripts.grpo")
"""What `trl grpo` starts by way of two other processes, each of which imports torch."""


@dataclass(frozen=True)
class Learned:
    """Mean rewards of sampled answers to held-out problems, before and after."""

    before: float
    after: float


def is_held_out(word: str, n: int) -> bool:
    """Whether a problem is in no training row: a quarter of the numbers, others for each word."""
    return (n + [*WORDS].index(word)) % 4 == 0


def row(word: str, n: int) -> dict[str, Any]:
    """A problem with its tests."""
    expression = WORDS[word].format(n=n)
    tests = "\n".join(f"assert f({x}) == {eval(expression, {'x': x})}" for x in INPUTS)  # written above, by us
    return {"prompt": f"{word} {n}\n", "tests": tests, "lang": "python"}


def program(word: str, n: int) -> str:
    """The program that solves a problem."""
    return f"def f(x):\n    return {WORDS[word].format(n=n)}\n"


def learn(
    folder: Path, rng_seed: int, *, pretraining: int = 400, samples: int = 4, command: Sequence[str] = GRPO, **changes: Any
) -> Learned:
    """Pretrain a model, train it with `trl grpo`, and sample from it before and after.

    Args:
        folder: an empty folder.
        rng_seed: of the model, its pretraining and its training.
        pretraining: steps of it.
        samples: answers to each held-out problem, before and after.
        command: of TRL.
        changes: keys of the YAML.
    """
    base, out = pretrained(folder / "base", rng_seed, pretraining), folder / "out"
    kept = [row(word, n) for word in WORDS for n in NUMBERS if not is_held_out(word, n)]
    (folder / "rows").mkdir()
    Dataset.from_list(kept).to_parquet(folder / "rows" / "train.parquet")
    values = {
        "model_name_or_path": str(base), "dtype": "float32", "dataset_name": str(folder / "rows"), "output_dir": str(out),
        "reward_funcs": ["hf_oss_instruct.rewards.code_reward"], "env": {"HF_OSS_INSTRUCT_REWARD_CPU_S": "2"},
        "num_generations": 16, "per_device_train_batch_size": 128, "max_completion_length": 24, "use_cpu": True, "bf16": False,
        "gradient_checkpointing": False, "learning_rate": 1.0e-3, "beta": 0.04, "lr_scheduler_type": "linear", "max_steps": STEPS,
        "seed": rng_seed, "logging_steps": 5, "save_strategy": "no", "report_to": "none", "disable_tqdm": True,
    }  # fmt: skip
    (folder / "grpo.yaml").write_text(yaml.safe_dump(values | changes))
    log = folder / "log.txt"
    words = [*command, "--config", str(folder / "grpo.yaml")]
    with log.open("w") as lines:
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(words, stdout=lines, stderr=subprocess.STDOUT, env=environment, check=False)
    assert done.returncode == 0, log.read_text()[-4000:]
    return Learned(mean_reward(base, rng_seed, samples), mean_reward(out, rng_seed, samples))


def pretrained(folder: Path, rng_seed: int, steps: int) -> Path:
    """A model that answers a problem for the next word in 8 of 16 cases, for its own in 2, for each other in 1."""
    import torch

    words = [*WORDS]
    following = dict(zip(words, [*words[1:], words[0]], strict=True))
    pairs = [
        (f"{word} {n}\n", program(other, n))
        for word in words
        for n in NUMBERS
        for other in [*words, word, *[following[word]] * 7]
    ]
    tokenizer = tokenizer_of("qwen", ["".join(pair) for pair in pairs], 400)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    save_model(folder, tokenizer, rng_seed=rng_seed, **sizes)
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder)
    rng = random.Random(rng_seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=steps)
    for _ in range(steps):
        texts = ["".join(pair) + tokenizer.eos_token for pair in rng.sample(pairs, 64)]
        batch = tokenizer(texts, return_tensors="pt", padding=True, padding_side="left")
        labels = batch.input_ids.masked_fill(batch.attention_mask == 0, -100)
        loss = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, labels=labels).loss
        loss.backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    return folder


def mean_reward(folder: Path, rng_seed: int, samples: int) -> float:
    """The mean reward of sampled answers to the held-out problems."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    rows = [row(word, n) for word in WORDS for n in NUMBERS if is_held_out(word, n)]
    batch = tokenizer([one["prompt"] for one in rows], return_tensors="pt", padding=True, padding_side="left")
    torch.manual_seed(rng_seed)
    given = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
    with torch.inference_mode():
        generated = model.generate(**given, do_sample=True, max_new_tokens=24, num_return_sequences=samples)
    texts = tokenizer.batch_decode(generated[:, batch.input_ids.shape[1] :], skip_special_tokens=True)
    tests = [one["tests"] for one in rows for _ in range(samples)]
    rewards = asyncio.run(make_code_reward(cpu_s=2)(prompts=[""] * len(texts), completions=texts, tests=tests))
    return sum(one or 0.0 for one in rewards) / len(rewards)
