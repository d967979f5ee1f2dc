"""Does training teach what the rows say? A small model from scratch, on true pairs and on shuffled ones, asked what neither saw.

    python benchmarks/learning.py                    # three repeats of both, about a quarter of an hour on one core
    python benchmarks/learning.py --size small       # the size that the tests train, two minutes

The code of `hf-oss-instruct train` trains in the Magicoder template with the recipe `smoke`; greedy answers to tasks of held-out
families are run in the sandbox before the first step and after the last. A test of this software, no claim about models.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

ARMS = ("true pairs", "shuffled pairs")


def line(name: str, score: dict[str, Any]) -> str:
    interval = f"{score['score/low']:.3f}–{score['score/high']:.3f}"
    rates = f"{score['score/parse_rate']:.3f} | {score['score/stop_rate']:.3f}"
    return f"| {name} | {score['step']} | {score['score/pass@1']:.3f} | {interval} | {rates} | {score['score/tasks']} |"


def main() -> None:
    import torch
    from tests.support import learning

    from hf_oss_instruct.training.callbacks import wilson

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=learning.SIZES, default="large")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    size = learning.SIZES[options.size]
    lines, passed, asked = [], dict.fromkeys(ARMS, 0), 0
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for rng_seed in range(options.repeats):
            rows, held = learning.split(size, random.Random(rng_seed))
            asked += len(held)
            for arm, these in zip(ARMS, (rows, learning.shuffled(rows, random.Random(rng_seed))), strict=True):
                scores = learning.trained(Path(folder, f"{arm[:4]}-{rng_seed}"), these, held, size, rng_seed)
                lines += [line(f"{arm}, rng_seed {rng_seed}", score) for score in scores]
                passed[arm] += round(scores[-1]["score/pass@1"] * len(held))
    print("\n| trained on | step | pass@1 | 95 % interval | answers that hold code | answers that stop | held-out tasks |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(lines))
    for arm in ARMS:
        low, high = wilson(passed[arm], asked)
        print(f"\n{arm}: {passed[arm]} of {asked} held-out tasks, {passed[arm] / asked:.3f} ({low:.3f}–{high:.3f})", end="")
    print(f"\n{time.process_time() - started:.0f} CPU s")


if __name__ == "__main__":
    main()
