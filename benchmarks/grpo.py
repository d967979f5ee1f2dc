"""Does a model learn from tests? `trl grpo` with the code reward, on a CPU, for several seeds.

    python benchmarks/grpo.py [--seeds 0,1,2] [--steps 220]

Prints the mean reward of sampled answers to held-out problems, before and after; see `tests/support/reinforcement.py`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.metering import Meter
from tests.support.reinforcement import STEPS, learn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--steps", type=int, default=STEPS)
    given = parser.parse_args()
    print(f"{'seed':>4} {'before':>8} {'after':>8} {'CPU s':>8} {'wall s':>8}")
    for seed in map(int, given.seeds.split(",")):
        meter, began = Meter(), time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found = learn(Path(folder), seed, max_steps=given.steps)
        spent = meter.seconds()
        print(f"{seed:4} {found.before:8.2f} {found.after:8.2f} {spent:8.0f} {time.monotonic() - began:8.0f}", flush=True)
        meter.close()


if __name__ == "__main__":
    main()
