"""What one machine does for a run of many: shards that draw their seeds and are copied, and the merge of what they have answered.

    python benchmarks/scale.py                            # 10,000 and 100,000 rows; a few minutes
    python benchmarks/scale.py --rows 10000 1000000       # growth up to a million rows; half an hour, 10 GB of disk
    python benchmarks/scale.py --state 100000 1000000     # what deduplication keeps in memory, against its formula; two minutes
    python benchmarks/scale.py --tasks 4000               # the same run in 1, 2 and 4 shards, and the start of one; a minute

Each figure is of a process of its own: CPU is its user and system time, memory its anonymous pages at their peak. The
shards' journals are recorded here, with texts of random words (about 2 kB a row), so that there are few near duplicates
and the index of them is as large as it gets. Benchmarks are left out: benchmarks/curation.py says what they cost.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

SHARDS = 8
WORDS = [f"{start}{end}" for start in "alpha beta gamma delta river stone cloud field night paper".split() for end in range(200)]


def spec(rows: int) -> Any:
    from hf_oss_instruct.spec.checks import Checks
    from hf_oss_instruct.spec.run import RunSpec
    from hf_oss_instruct.spec.seeds import SeedPlan

    return RunSpec(SeedPlan("made", n=rows, filters=(), licenses="any"), checks=Checks(benchmarks=()))


def documents(rows: int, folder: Path) -> Path:
    """A table of `rows` small documents."""
    path = folder / f"seeds-{rows}.jsonl"
    if not path.exists():
        with path.open("w") as file:
            for number in range(rows):
                code = "\n".join(f"def f_{number}_{line}(x):\n    return x * {number} + {line}" for line in range(20))
                file.write(json.dumps({"content": code, "lang": "python", "hexsha": f"{number:040x}"}) + "\n")
    return path


def answers(rows: int) -> Iterator[tuple[int, str]]:
    draw = random.Random(0)
    for number in range(rows):
        problem, code = (" ".join(draw.choices(WORDS, k=words)) for words in (120, 100))
        yield number, f"[Problem Description]\n{problem}\n[Solution]\n```python\ndef f_{number}():\n    {code}\n```"


def record(rows: int, folder: Path) -> None:
    """Write a plan with answered shards."""
    from hf_oss_instruct.data import Completion, Document, Provenance, Seed
    from hf_oss_instruct.scale.plan import write_plan
    from hf_oss_instruct.seeds.resolve import open_source
    from hf_oss_instruct.storage.workdir import write_atomically
    from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask
    from hf_oss_instruct.synthesis.journal.journal import Journal
    from hf_oss_instruct.teachers.inference import InferenceTeacher

    teacher, source = InferenceTeacher("m", "http://unused"), open_source(str(documents(10, folder)))
    plan = write_plan(folder / f"plan-{rows}", spec(rows), source, teacher, SHARDS)
    task = OssInstructTask.of(plan.spec, teacher)
    journals = []
    for shard, out in plan:
        out.mkdir(parents=True)
        write_atomically(out / "oss_instruct.yaml", plan.spec.changed(seeds={"shard": shard}).to_yaml())
        versions = {"hf-oss-instruct": "0"}
        report = {"format_version": 1, "teacher": teacher.identity, "pending": 0, "versions": versions}
        write_atomically(out / "run.json", json.dumps(report))
        journals.append(Journal(out / "journal"))
    for number, text in answers(rows):
        origin = Provenance("made", "0", f"{number:040x}", number, "python")
        document = Document(f"def f_{number}(x):\n    return x + {number}\n" * 3, origin)
        seed = Seed(document.content, 1, 6, origin, "hash/1", 0, number)
        journals[number % SHARDS].append(task.key(seed), Completion(text, "stop", prompt_tokens=300, completion_tokens=400), seed)
    for journal in journals:
        journal.close()


def merge(rows: int, folder: Path) -> None:
    from hf_oss_instruct.scale.merge import merge as write
    from hf_oss_instruct.storage.arrow import do_without_pandas

    do_without_pandas()
    stats = write([folder / f"plan-{rows}"], folder / f"merged-{rows}")
    assert stats.kept + stats.rejected.total() == rows, stats


def draw(rows: int, folder: Path, filters: tuple[str, ...] | None = ()) -> None:
    """What a shard does beside its requests: draw all seeds and keep its own."""
    from hf_oss_instruct.seeds.resolve import open_source
    from hf_oss_instruct.seeds.sampling import sample
    from hf_oss_instruct.spec.shard import Shard

    plan = spec(rows).changed(seeds={"shard": Shard(0, SHARDS), "filters": filters}).seeds
    found = sum(1 for _ in sample(open_source(str(documents(rows, folder))), plan))
    assert found >= rows // SHARDS, found


def filtered(rows: int, folder: Path) -> None:
    """The same with the default filters of snippets, which parse every document."""
    draw(rows, folder, None)


COPIES = 100


def copy(rows: int, folder: Path) -> None:
    """Copy a shard to a store a hundred times while its journal grows, as at intervals."""
    from hf_oss_instruct.scale.journal_sync import JournalSync
    from hf_oss_instruct.scale.store import Store

    [lines] = [path.read_bytes().splitlines(keepends=True) for path in (folder / f"plan-{rows}").glob("shards/00000*/journal/*")]
    work, store = folder / f"copied-{rows}" / "shards" / "00000-of-00001", folder / f"store-{rows}"
    with JournalSync(Store(store.as_uri()), work, "shards/0", 3600, print) as sync:
        (work / "journal").mkdir(parents=True)
        with (work / "journal" / "host-1-0.jsonl").open("ab", buffering=0) as journal:
            for number in range(COPIES):
                journal.write(b"".join(lines[number::COPIES]))
                sync.upload_changes()
    copied = sum(path.stat().st_size for path in store.glob("shards/0/journal/*"))
    assert copied == sum(map(len, lines)), (copied, len(lines))


def marks(rows: int, _: Path) -> None:
    """The map of exact duplicates: a 64-bit hash for each of a row's seed, problem and solution."""
    from hf_oss_instruct.storage.packed import NumberMap

    seen, draw = NumberMap(), random.Random(0)
    for _number in range(3 * rows):
        seen.set(draw.getrandbits(63), 1)


def bands(rows: int, _: Path) -> None:
    """The band keys of near duplicates of one column, and how many pairs of texts that share nothing are compared."""
    from hf_oss_instruct.curation.duplicates.minhash import candidates
    from hf_oss_instruct.storage.spill import merged

    draw, words = np.random.default_rng(0), np.array(WORDS)
    texts = (
        pa.array([" ".join(row) for row in words[draw.integers(0, len(words), (10_000, 30))]]) for _ in range(rows // 10_000)
    )
    count = sum(len(pairs) for [pairs] in merged(candidates(texts)))
    print(f"{count:,} candidates; 25 n² / 2³³ = {25 * rows**2 / 2**33:,.0f}", file=sys.stderr)


def alike(rows: int, folder: Path) -> None:
    """Rows that all resemble each other: what a pair of near duplicates costs where a row has hundreds."""
    from hf_oss_instruct.curation.annotations import not_rejected
    from hf_oss_instruct.curation.duplicates.distinct_tasks import distinct_tasks
    from hf_oss_instruct.curation.duplicates.near import near_duplicates
    from hf_oss_instruct.storage.shards import mapped

    draw, base = random.Random(0), random.Random(1).choices(WORDS, k=60)

    def portions() -> Iterator[pa.Table]:
        for first in range(0, rows, 1000):
            texts = [list(base) for _ in range(first, min(first + 1000, rows))]
            for words in texts:
                words[draw.randrange(60)] = draw.choice(WORDS)
            yield pa.table({"problem": pa.array([" ".join(words) for words in texts], pa.large_string())})

    table = mapped(portions(), pa.schema({"problem": pa.large_string()}), folder / "alike.arrow")
    kept = int(not_rejected(near_duplicates(table)).sum())
    print(f"{kept:,} kept, {distinct_tasks(lambda: table['problem'].chunks)}", file=sys.stderr)


def index(rows: int, _: Path) -> None:
    """The index of benchmarks, of a task for a hundred rows: it depends on the benchmarks' text, and not on the rows."""
    from hf_oss_instruct.curation.decontamination import benchmark_index
    from hf_oss_instruct.curation.decontamination.benchmark_tasks import BenchmarkTask

    draw = random.Random(0)
    texts = [[" ".join(draw.choices(WORDS, k=120)) for _ in range(2)] for _ in range(rows // 100)]
    made = benchmark_index.build(
        [BenchmarkTask(f"b:{number}", (one,), (one,), (other,)) for number, (one, other) in enumerate(texts)]
    )
    text, size = sum(len(part) for pair in texts for part in pair), nbytes(made)
    print(f"{len(texts):,} tasks: {size / 1e6:.1f} MB, {size / text:.1f} times their text", file=sys.stderr)


def nbytes(value: Any) -> int:
    """Bytes of the arrays and texts in dataclasses and tuples."""
    if isinstance(value, np.ndarray | bytes | str):
        return value.nbytes if isinstance(value, np.ndarray) else len(value)
    if is_dataclass(value):
        return sum(nbytes(getattr(value, found.name)) for found in fields(value))
    return sum(map(nbytes, value)) if isinstance(value, tuple) else 0


def tasks(rows: int, folder: Path) -> None:
    """CPU seconds of the same run in 1, 2 and 4 shards at the same time, without their server; and of a shard with one seed."""
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    compiled["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")  # as pip compiles what it installs
    teacher = [sys.executable, str(Path(__file__).with_name("fast_teacher.py")), "--latency-ms", "100"]
    words = f"synthesize --seeds {documents(rows, folder)} --licenses any --benchmarks none --model m --format quiet"
    command, outs = Path(sys.executable).with_name("hf-oss-instruct"), (folder / f"run-{number}" for number in itertools.count())

    def used(count: int, seeds: int, url: str) -> float:
        """CPU seconds of so many shards."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        running = []
        for index in range(count):
            out = next(outs)
            more = ["--base-url", url, "--n", str(seeds), "--shard", f"{index}/{count}", "--out", out]
            running.append(subprocess.Popen([command, *words.split(), *more], env=compiled | {"HF_HOME": f"{out}-home"}))
        assert not any([process.wait() for process in running])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    with subprocess.Popen(teacher, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        used(1, 1, url)  # compiles
        print(f"start and end of a shard {used(1, 1, url):.2f} CPU s", flush=True)
        alone = 0.0
        for count in (1, 2, 4):
            cpu = used(count, rows, url)
            alone = alone or cpu
            print(f"{count} shards {cpu:7.1f} CPU s {rows / cpu:7.0f} seeds a CPU s, efficiency {alone / cpu:.0%}", flush=True)
        server.kill()


def watched() -> list[int]:
    """Anonymous memory of this process in kB, read twenty times a second; pages of mapped files can be dropped."""
    found = [0]

    def watch() -> None:
        while True:
            text = Path("/proc/self/status").read_text()
            found.append(int(text.split("RssAnon:")[1].split()[0]))
            time.sleep(0.05)

    threading.Thread(target=watch, daemon=True).start()
    return found


STEPS = {"record": record, "draw": draw, "filtered": filtered, "copy": copy, "merge": merge}
STATE = {"marks": marks, "bands": bands, "alike": alike, "index": index}


def measure(step: str, rows: int, folder: Path) -> tuple[float, float]:
    """CPU seconds and peak of anonymous memory in MB of one step in a process of its own."""
    words = [sys.executable, __file__, "--step", step, "--rows", str(rows), "--folder", str(folder)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    cpu, memory = json.loads(done.stdout.splitlines()[-1])
    return cpu, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--state", type=int, nargs="+", help="rows whose state is measured, and nothing else")
    parser.add_argument("--tasks", type=int, help="seeds of a run in 1, 2 and 4 shards, and nothing else")
    parser.add_argument("--step", choices=STEPS | STATE, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        peak = watched()
        (STEPS | STATE)[given.step](given.rows[0], given.folder)
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps([used.ru_utime + used.ru_stime, max(peak) / 1024]))
        return
    with tempfile.TemporaryDirectory() as folder:
        if given.tasks:
            tasks(given.tasks, Path(folder))
            return
        print(f"{'step':10} {'rows':>10} {'CPU s':>9} {'µs a row':>9} {'MB':>7}")
        for rows in given.state or given.rows:
            documents(rows if not given.state else 1, Path(folder))
            for step in STATE if given.state else STEPS:
                cpu, memory = measure(step, rows, Path(folder))
                if step != "record":
                    print(f"{step:10} {rows:10,} {cpu:9.1f} {cpu / rows * 1e6:9.0f} {memory:7.0f}", flush=True)


if __name__ == "__main__":
    main()
