"""What `load_dataset("oss-instruct")` costs above the engine: rows a second, in one run, taking turns.

    python benchmarks/builder.py                       # 3,000 rows, 64 in flight, answers after 50 ms
    python benchmarks/builder.py --n 500 --rounds 1

Beside the engine alone stands what people write without us: `Dataset.map` with an async function over the same seeds, prompts
and client. It keeps no journal, rejects nothing and starts over when it is interrupted.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from synthesis import seeds

KINDS = ("engine", "builder, streaming", "builder, map style", "Dataset.map")


def measure(kind: str, n: int, base_url: str, concurrency: int, folder: Path) -> tuple[float, float]:
    """(Seconds, CPU seconds) for n rows, with journal and caches of their own."""
    import datasets

    from hf_oss_instruct import InferenceTeacher, Prompt, read_seeds, synthesize

    path = folder / f"seeds-{n}.jsonl"
    cache = tempfile.mkdtemp(dir=folder)
    os.environ["HF_HOME"] = cache
    options = {"model": "m", "base_url": base_url, "concurrency": concurrency, "n": n, "cache_dir": cache}

    def engine() -> int:
        teacher = InferenceTeacher("m", base_url, concurrency=concurrency)
        return sum(1 for _ in synthesize(read_seeds(str(path), n), teacher, concurrency=concurrency))

    def builder(streaming: bool) -> int:
        rows = datasets.load_dataset("oss-instruct", data_files=str(path), split="train", streaming=streaming, **options)
        return sum(1 for _ in rows) if streaming else len(rows)

    def plain_map() -> int:
        datasets.config.MAX_NUM_RUNNING_ASYNC_MAP_FUNCTIONS_IN_PARALLEL = concurrency
        teacher, prompt = InferenceTeacher("m", base_url, concurrency=concurrency), Prompt.default()

        async def ask(row: dict[str, str]) -> dict[str, str]:
            answer = await teacher._transport.chat("m", prompt.messages(row["seed"]), {"max_tokens": 2500})
            return {"text": answer.text}

        table = datasets.Dataset.from_list([{"seed": seed.snippet} for seed in read_seeds(str(path), n)])
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # `map` ends its loop before anybody could close a client
        return len(table.map(ask, new_fingerprint=os.path.basename(cache)))

    work: dict[str, Callable[[], int]] = {
        "engine": engine,
        "builder, streaming": lambda: builder(True),
        "builder, map style": lambda: builder(False),
        "Dataset.map": plain_map,
    }
    wall, cpu = time.monotonic(), time.process_time()
    made = work[kind]()
    assert made == n, made
    return time.monotonic() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    options = parser.parse_args()
    import datasets

    import hf_oss_instruct  # noqa: F401

    datasets.disable_progress_bars()
    words = [sys.executable, str(Path(__file__).with_name("fast_teacher.py")), "--latency-ms", str(options.latency_ms)]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    base_url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    figures: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    try:
        with tempfile.TemporaryDirectory() as name:
            seeds(options.n, Path(name))
            seeds(50, Path(name))
            for kind in KINDS:
                measure(kind, 50, base_url, options.concurrency, Path(name))  # imports
            for _ in range(options.rounds):
                for kind in KINDS:
                    figures[kind].append(measure(kind, options.n, base_url, options.concurrency, Path(name)))
    finally:
        server.kill()
    print(f"{'':20} {'rows/s':>8} {'× engine':>9} {'ms CPU/row':>11}   rows/s of each round")
    rate = {kind: [options.n / wall for wall, _ in runs] for kind, runs in figures.items()}
    for kind, runs in figures.items():
        ratio = statistics.median(ours / engine for ours, engine in zip(rate[kind], rate["engine"], strict=True))
        cpu = 1000 * statistics.median(cpu for _, cpu in runs) / options.n
        rounds = json.dumps([round(value) for value in rate[kind]])
        print(f"{kind:20} {statistics.median(rate[kind]):8.0f} {ratio:9.2f} {cpu:11.2f}   {rounds}")
    print(f"the bound at this latency: {options.concurrency / options.latency_ms * 1000:,.0f} rows/s")


if __name__ == "__main__":
    main()
