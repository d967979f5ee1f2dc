"""What one machine does for a run of many: shards that draw their seeds, and the merge of what they have answered.

    python benchmarks/scale.py                            # 10,000 and 100,000 rows; a few minutes
    python benchmarks/scale.py --rows 10000 1000000       # growth up to a million rows; half an hour, 10 GB of disk

Each figure is of a process of its own: CPU is its user and system time, memory its anonymous pages at their peak. The
shards' journals are recorded here, with texts of random words (about 2 kB a row), so that there are few near duplicates
and the index of them is as large as it gets. Benchmarks are left out: benchmarks/curation.py says what they cost.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    from hf_oss_instruct.synthesis.journal import Journal
    from hf_oss_instruct.synthesis.oss_instruct import OssInstructTask
    from hf_oss_instruct.teachers.inference import InferenceTeacher
    from hf_oss_instruct.workdir import write_whole

    teacher, source = InferenceTeacher("m", "http://unused"), open_source(str(documents(10, folder)))
    plan = write_plan(folder / f"plan-{rows}", spec(rows), source, teacher, SHARDS)
    task = OssInstructTask.of(plan.spec, teacher)
    journals = []
    for shard, out in plan:
        out.mkdir(parents=True)
        write_whole(out / "oss_instruct.yaml", plan.spec.changed(seeds={"shard": shard}).to_yaml())
        versions = {"hf-oss-instruct": "0"}
        report = {"format_version": 1, "teacher": teacher.identity, "pending": 0, "versions": versions}
        write_whole(out / "run.json", json.dumps(report))
        journals.append(Journal(out / "journal"))
    for number, text in answers(rows):
        origin = Provenance("made", "0", f"{number:040x}", number, "python")
        document = Document(f"def f_{number}(x):\n    return x + {number}\n" * 3, origin)
        seed = Seed(document.content, 1, 6, origin, "hash/1", 0, number)
        journals[number % SHARDS].append(task.key(seed), Completion(text, "stop", prompt_tokens=300, completion_tokens=400), seed)
    for journal in journals:
        journal.close()


def merge(rows: int, folder: Path) -> None:
    from hf_oss_instruct.arrow import do_without_pandas
    from hf_oss_instruct.scale.merge import merge as write

    do_without_pandas()
    stats = write([folder / f"plan-{rows}"], folder / f"merged-{rows}")
    assert stats.kept + stats.rejected.total() == rows, stats


def draw(rows: int, folder: Path) -> None:
    """What a shard does beside its requests: draw all seeds and keep its own."""
    from hf_oss_instruct.seeds.resolve import open_source
    from hf_oss_instruct.seeds.sampling import sample
    from hf_oss_instruct.spec.shard import Shard

    plan = spec(rows).changed(seeds={"shard": Shard(0, SHARDS)}).seeds
    found = sum(1 for _ in sample(open_source(str(documents(rows, folder))), plan))
    assert found >= rows // SHARDS, found


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


STEPS = {"record": record, "draw": draw, "merge": merge}


def measure(step: str, rows: int, folder: Path) -> tuple[float, float]:
    """CPU seconds and peak of anonymous memory in MB of one step in a process of its own."""
    words = [sys.executable, __file__, "--step", step, "--rows", str(rows), "--folder", str(folder)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    cpu, memory = json.loads(done.stdout.splitlines()[-1])
    return cpu, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        peak = watched()
        STEPS[given.step](given.rows[0], given.folder)
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps([used.ru_utime + used.ru_stime, max(peak) / 1024]))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'step':10} {'rows':>10} {'CPU s':>9} {'µs a row':>9} {'MB':>7}")
        for rows in given.rows:
            documents(rows, Path(folder))
            for step in STEPS:
                cpu, memory = measure(step, rows, Path(folder))
                if step != "record":
                    print(f"{step:10} {rows:10,} {cpu:9.1f} {cpu / rows * 1e6:9.0f} {memory:7.0f}", flush=True)


if __name__ == "__main__":
    main()
