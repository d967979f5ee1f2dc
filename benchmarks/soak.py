"""Memory of a long run: 200,000 pairs over aiohttp, its resident size at every tenth of the way.

python benchmarks/soak.py            # about five minutes on two cores
python benchmarks/soak.py --n 20000
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hf_oss_instruct.arrow import do_without_pandas
from hf_oss_instruct.progress.stages import Stages
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.teachers.inference import InferenceTeacher
from synthesis import seeds


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


class Shown(Stages):
    """A display that only remembers the stages."""

    @contextmanager
    def aside(self) -> Iterator[None]:
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=200_000)
    parser.add_argument("--concurrency", type=int, default=512)
    options = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("fast_teacher.py"))], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    base_url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    do_without_pandas()  # as the command does
    at_start, shown = resident_mb(), 0
    first: tuple[int, float] | None = None

    def note(done: int) -> None:
        nonlocal shown, first
        if done >= shown * options.n / 10 and done:
            shown, size = shown + 1, resident_mb()
            first = first or (done, size) if shown > 2 else None  # from a fifth on: buffers are full
            print(f"{done:9,} pairs  {size:6.0f} MB  {size - at_start:+6.0f} MB above the imports", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = open_source(str(seeds(options.n, folder)))
        stages, ended = Shown(), threading.Event()

        def watch() -> None:
            while not ended.wait(0.25):
                if view := stages.view():
                    note(view.counts.done)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            teacher = InferenceTeacher("m", base_url)
            result = run(
                folder / "out",
                RunSpec(SeedPlan(n=options.n), TeacherSpec(concurrency=options.concurrency)),
                source,
                teacher,
                progress=stages,
            )
        finally:
            ended.set()
            watching.join()
            server.kill()
    if first:
        grown = (resident_mb() - first[1]) * 2**20 / (result.stats.done - first[0])
        print(f"growth after {first[0]:,} pairs: {grown:.0f} bytes a pair; {result.stats.kept:,} kept")


if __name__ == "__main__":
    main()
