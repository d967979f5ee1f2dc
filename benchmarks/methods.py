"""What an item costs in each method: CPU of OSS-Instruct, Evol-Instruct, judging and a task of one's own, beside each other.

    python benchmarks/methods.py                      # 500 and 2,500 items, 3 rounds that take turns: some minutes
    python benchmarks/methods.py --short 200 --long 1000 --rounds 1

The teacher stands in this process and answers at once, so that what is measured is ours: prompts, journal, parsing, checks and
tables. Two lines, directly and in batches, ask a server in a process of its own, whose CPU does not count.
Milliseconds are slopes of this process's CPU time between a short and a long run, so that start-up does not count.
Exact and near duplicates are looked for, quotes of benchmarks are not.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import hf_oss_instruct as oss
from hf_oss_instruct.data import Completion, Message, Outcome, Request, Row, digest
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.storage.arrow import do_without_pandas
from hf_oss_instruct.synthesis.generation.task import GenerationTask
from hf_oss_instruct.synthesis.tables import TableRun, read_source
from hf_oss_instruct.teachers.batches.api import BatchApi
from hf_oss_instruct.teachers.batches.teacher import BatchTeacher
from hf_oss_instruct.teachers.http.client import HttpClient
from hf_oss_instruct.teachers.inference import InferenceTeacher
from synthesis import seeds

WORDS = "queue cache parser index buffer matrix graph token socket shard tensor ledger route session anchor comet".split()
SCORES = "clarity: 4\ncorrectness: 5\nself_containedness: 4\nusefulness: 3\ndifficulty: 2"
UNCHECKED = oss.Checks(benchmarks=())


class Instant(oss.Teacher):
    """Answers each question at once, with words that depend on it alone."""

    identity = "instant/1"

    async def complete(self, request: Request) -> Completion:
        text = request.messages[-1]["content"]
        if "You review a programming problem" in text:
            return Completion(SCORES, "stop", None, None, 700, 40)
        if text.startswith("One word"):
            return Completion("fine", "stop", None, None, 700, 2)
        key = digest(text)
        dice = random.Random(key)
        problem = f"Task {key}. {' '.join(dice.choices(WORDS, k=150))}"
        lines = "".join(f"    x += {dice.random()}\n" for _ in range(20))
        solution = f"```python\ndef f_{key}(x):\n{lines}    return x\n```"
        return Completion(f"[Problem Description]\n{problem}\n\n[Solution]\n{solution}", "stop", None, None, 400, 560)


class OneWord(GenerationTask[Row]):
    """A task of one's own: a word about a row."""

    name, teacher = "word", Instant()

    def messages(self, item: Row) -> list[Message]:
        return [{"role": "user", "content": f"One word about this:\n{item['problem']}\n{item['solution']}"}]

    def read(self, item: Row, completion: Completion) -> Row:
        return Row(**{**item, "flags": [completion.text]})


def own_task(rows: Path, out: Path) -> None:
    kept: list[Outcome] = []

    async def consume(stream: object) -> None:
        async for outcome in stream:  # type: ignore[attr-defined]
            kept.append(outcome)

    with TableRun(out, {"command": "word"}, RunSpec()) as run:
        run.drive(read_source(str(rows)), [OneWord()], consume)


def synthesize(corpus: Path, out: Path, n: int, teacher: oss.Teacher | None = None, concurrency: int = 16) -> None:
    stream = oss.read_seeds(str(corpus), n=n, filters=())
    oss.synthesize_to_disk(stream, teacher or Instant(), out, checks=UNCHECKED, concurrency=concurrency)


SERVER = """
import sys
from tests.support.batches import BatchServer
with BatchServer() as server:
    print(server.base_url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def batch_server() -> Iterator[str]:
    """The URL of a server with a batch API, in a process of its own."""
    root = Path(__file__).parent.parent
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as server:
        assert server.stdin
        assert server.stdout
        yield server.stdout.readline().strip()
        server.stdin.close()


def directly(url: str, corpus: Path, out: Path, n: int) -> None:
    synthesize(corpus, out, n, InferenceTeacher("m", url))


def in_batches(url: str, corpus: Path, out: Path, n: int) -> None:
    """Batches of 500 requests; pauses of a hundredth, which cost no CPU."""
    api = BatchApi(HttpClient(url, None, 60.0))
    teacher = BatchTeacher(InferenceTeacher("m", url), api, most_requests=500, pace=0.01)
    synthesize(corpus, out, n, teacher, concurrency=1000)


SERVED = {"synthesize, from a server": directly, "synthesize, in batches": in_batches}


METHODS: dict[str, tuple[int, Callable[[Path, Path], object]]] = {
    "evolve, 1 round": (2, lambda rows, out: oss.evolve(rows, out, teacher=Instant(), checks=UNCHECKED)),
    "evolve, 3 rounds": (6, lambda rows, out: oss.evolve(rows, out, teacher=Instant(), rounds=3, checks=UNCHECKED)),
    "judge": (1, lambda rows, out: oss.judge_rows(rows, out, judges=[Instant()])),
    "a task of one's own": (1, own_task),
}
"""Method → requests a row, and what runs it over a finished run."""


def seconds(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--short", type=int, default=500)
    asked.add_argument("--long", type=int, default=2500)
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    do_without_pandas()  # as the commands do
    costs: dict[str, list[float]] = {}
    sizes = (given.short, given.long)
    with tempfile.TemporaryDirectory() as folder, batch_server() as url:
        home = Path(folder)
        corpora = {n: seeds(n, home) for n in sizes}
        synthesize(corpora[given.short], home / "warm", given.short)  # what is imported on the way counts for nobody
        for round in range(given.rounds):
            spent: dict[str, list[float]] = {"synthesize": []}
            for n in sizes:
                rows = home / f"rows-{n}-{round}"
                spent["synthesize"].append(seconds(lambda n=n, rows=rows: synthesize(corpora[n], rows, n)))
                for name, ask in SERVED.items():
                    out = home / f"{digest(name)}-{n}-{round}"
                    spent.setdefault(name, []).append(seconds(lambda n=n, out=out, ask=ask: ask(url, corpora[n], out, n)))
                for name, (_, method) in METHODS.items():
                    out = home / f"{digest(name)}-{n}-{round}"
                    spent.setdefault(name, []).append(seconds(lambda method=method, rows=rows, out=out: method(rows, out)))
            for name, (short, long) in spent.items():
                costs.setdefault(name, []).append(1000 * (long - short) / (given.long - given.short))
    print("| method | requests a row | CPU ms a row | CPU ms a request |\n|---|---|---|---|")
    for name, found in costs.items():
        requests = METHODS[name][0] if name in METHODS else 1
        print(f"| {name} | {requests} | {median(found):.2f} | {median(found) / requests:.2f} |")


if __name__ == "__main__":
    main()
