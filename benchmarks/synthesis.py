"""What a pair costs: the whole `synthesize` against bare client loops, in one run, taking turns.

    python benchmarks/synthesis.py                       # 2,000 and 10,000 pairs, 512 in flight, 200 ms; some minutes
    python benchmarks/synthesis.py --short 500 --long 2500 --rounds 1

CPU and pairs a second are slopes between a short and a long run, so that start-up does not count; CPU is user and system time of
the process and its children. Bare loops only post the same prompts and read JSON; "datatrove", where it is installed, opens a
connection for each, as it does to servers on this machine, and writes the text as JSON. "ours, lean" parses, journals, removes
exact duplicates and writes parquet; "ours, filters" has the default seed filters as well, "ours, defaults" near duplicates, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

KINDS = ["bare aiohttp", "bare InferenceClient", "ours, lean", "ours, filters", "ours, defaults", "ours, huggingface_hub"]
if find_spec("datatrove"):
    KINDS.append("datatrove")
PER_CLIENT = 16
KEPT = {name: value for name, value in os.environ.items() if name == "PYTHONPATH"}
"""Of the environment: no proxy, no token."""


def seeds(n: int, folder: Path) -> Path:
    """A JSONL corpus of `n` small documents."""
    path = folder / f"seeds-{n}.jsonl"
    with path.open("w") as file:
        for number in range(n):
            code = "\n".join(f"def f_{number}_{line}(x):\n    return x * {number} + {line}" for line in range(20))
            file.write(json.dumps({"content": code, "lang": "python", "hexsha": f"{number:040x}"}) + "\n")
    return path


def ours(n: int, base_url: str, concurrency: int, folder: Path, kind: str) -> None:
    from hf_oss_instruct.seeds.resolve import open_source
    from hf_oss_instruct.spec.run import RunSpec
    from hf_oss_instruct.storage.arrow import do_without_pandas
    from hf_oss_instruct.synthesis.run import run
    from hf_oss_instruct.teachers.inference import InferenceTeacher

    do_without_pandas()  # as the command does
    transport = kind if kind == "huggingface_hub" else "aiohttp"
    teacher = InferenceTeacher("m", base_url, concurrency=concurrency, transport=transport)
    source = open_source(str(folder / f"seeds-{n}.jsonl"))
    few = {"filters": ()} if kind in ("lean", "huggingface_hub") else {}
    checks = {"near_duplicates": kind == "defaults", "benchmarks": ()}
    spec = RunSpec().changed(seeds={"n": n, **few}, teacher={"concurrency": concurrency}, checks=checks)
    result = run(folder / "out", spec, source, teacher)
    assert result.stats.done == n, result


def bare(n: int, base_url: str, concurrency: int, folder: Path, kind: str) -> None:
    from hf_oss_instruct.spec.prompts import Prompt

    contents = (json.loads(line)["content"] for line in (folder / f"seeds-{n}.jsonl").open())
    prompts = (list(Prompt.default().messages(content[:600])) for content in contents)

    async def workers(ask: Callable[[int, list[dict[str, str]]], Awaitable[None]]) -> None:
        async def worker(number: int) -> None:
            for messages in prompts:  # one iterator for all workers
                await ask(number, messages)

        await asyncio.gather(*(worker(number) for number in range(concurrency)))

    async def with_aiohttp() -> None:
        import aiohttp

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def ask(number: int, messages: list[dict[str, str]]) -> None:
                async with session.post(f"{base_url}/chat/completions", json={"model": "m", "messages": messages}) as answer:
                    assert (await answer.json())["choices"][0]["message"]["content"]

            await workers(ask)

    async def with_hub() -> None:
        from huggingface_hub import AsyncInferenceClient

        clients = [AsyncInferenceClient(base_url=base_url, api_key="x") for _ in range(-(-concurrency // PER_CLIENT))]

        async def ask(number: int, messages: list[dict[str, str]]) -> None:
            answer = await clients[number % len(clients)].chat_completion(messages, model="m", max_tokens=2500)
            assert answer.choices[0].message.content

        await workers(ask)
        for client in clients:
            await client.close()

    asyncio.run(with_aiohttp() if kind == "bare aiohttp" else with_hub())


def datatrove(n: int, base_url: str, concurrency: int, folder: Path, kind: str) -> None:
    from datatrove.data import Document
    from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
    from datatrove.pipeline.writers import JsonlWriter
    from loguru import logger

    from hf_oss_instruct.spec.prompts import Prompt

    async def rollout(document: Document, generate: Callable[..., Awaitable[Any]]) -> str:
        answer = await generate({"messages": list(Prompt.default().messages(document.text[:600]))})
        return str(answer.text)

    logger.remove()
    config = InferenceConfig(
        "endpoint",
        "m",
        endpoint_url=base_url.removesuffix("/v1"),
        max_concurrent_generations=concurrency,
        server_ready_delay_sec=0.1,
    )
    lines = (folder / f"seeds-{n}.jsonl").open()
    documents = (Document(json.loads(line)["content"], str(number)) for number, line in enumerate(lines))
    InferenceRunner(rollout, config, JsonlWriter(str(folder / "out"), compression=None)).run(documents)


def measure(kind: str, n: int, base_url: str, concurrency: int, folder: Path) -> dict[str, float]:
    """One run in a process of its own."""
    words = [kind, str(n), base_url, str(concurrency), str(folder)]
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, __file__, "--one", *words],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env=KEPT | {"HF_HOME": home, "ARROW_DEFAULT_MEMORY_POOL": "system"},  # which the command sets
        )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def one(kind: str, n: str, base_url: str, concurrency: str, folder: str) -> None:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        (Path(place) / f"seeds-{n}.jsonl").symlink_to(Path(folder) / f"seeds-{n}.jsonl")
        work = ours if kind.startswith("ours") else datatrove if kind == "datatrove" else bare
        work(int(n), base_url, int(concurrency), Path(place), kind.split(", ")[-1])
    used, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime + theirs.ru_utime + theirs.ru_stime
    figures = {"cpu_s": cpu_s, "wall_s": time.monotonic() - started, "rss_mb": used.ru_maxrss / 1024}
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", type=int, default=2000, help="pairs of the short run")
    parser.add_argument("--long", type=int, default=10000, help="pairs of the long run")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--concurrency", type=int, default=512)
    parser.add_argument("--latency-ms", type=float, default=200.0)
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS)
    options = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("fast_teacher.py")), "--latency-ms", str(options.latency_ms)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    address = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    slopes: dict[str, list[float]] = {kind: [] for kind in options.kinds}
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for n in (options.short, options.long):
                seeds(n, folder)
            print(f"{'':24} {'ms CPU/pair':>12} {'pairs/s':>9} {'RSS MB':>7}")
            for turn in count(1):
                if turn > options.rounds:
                    break
                for kind in options.kinds:
                    small, large = (
                        measure(kind, n, f"{address}/v1", options.concurrency, folder) for n in (options.short, options.long)
                    )
                    slope = 1000 * (large["cpu_s"] - small["cpu_s"]) / (options.long - options.short)
                    slopes[kind].append(slope)
                    rate = (options.long - options.short) / (large["wall_s"] - small["wall_s"])
                    print(f"{kind:24} {slope:12.2f} {rate:9.0f} {large['rss_mb']:7.0f}", flush=True)
        stats = json.loads(urllib.request.urlopen(f"{address}/stats").read())
    finally:
        server.kill()
    best = {kind: min(values) for kind, values in slopes.items()}
    print(f"\nin flight at the server, at most: {stats['max_in_flight']}; the bound at this latency: ", end="")
    print(f"{options.concurrency / options.latency_ms * 1000:,.0f} pairs/s")
    for kind, slope in best.items():
        print(f"{kind:24} {slope:.2f} ms, {slope / best[options.kinds[0]]:.2f} × {options.kinds[0]}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
    else:
        main()
