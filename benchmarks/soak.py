"""Growth of a long run: 200,000 pairs over aiohttp, the memory and CPU time of the process at every tenth of the way.

    python benchmarks/soak.py            # about five minutes on two cores
    python benchmarks/soak.py --n 1000000 --no-filters

Anonymous memory leaves out the pages of mapped files, which the system can drop. `--no-filters` is for a source whose snippets
were filtered before, and takes 0.3 ms a pair less.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hf_oss_instruct.progress.stages import Stages
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.storage.arrow import do_without_pandas
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.teachers.inference import InferenceTeacher
from synthesis import seeds


def anonymous_mb() -> float:
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]) / 1024


class Shown(Stages):
    """A display that only remembers the stages."""

    @contextmanager
    def aside(self) -> Iterator[None]:
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=200_000)
    parser.add_argument("--concurrency", type=int, default=512)
    parser.add_argument("--no-filters", action="store_true", help="draw seeds without the default filters of snippets")
    options = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("fast_teacher.py"))], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    base_url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    do_without_pandas()  # as the command does
    at_start, shown = anonymous_mb(), 0
    first: tuple[int, float] | None = None
    peak = 0.0

    def note(done: int) -> None:
        nonlocal shown, first
        if done >= shown * options.n / 10 and done:
            shown, size, cpu_s = shown + 1, anonymous_mb(), time.process_time() - cpu_at_start
            first = first or (done, size) if shown > 2 else None  # from a fifth on: buffers are full
            above = f"{size:6.0f} MB  {size - at_start:+6.0f} MB above the imports"
            print(f"{done:9,} pairs  {above}  {cpu_s:7.1f} CPU s  {cpu_s / done * 1000:.2f} ms a pair", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = open_source(str(seeds(options.n, folder)))
        stages, ended, cpu_at_start = Shown(), threading.Event(), time.process_time()

        def watch() -> None:
            nonlocal peak
            while not ended.wait(0.25):
                peak = max(peak, anonymous_mb())
                if view := stages.view():
                    note(view.counts.done)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            teacher = InferenceTeacher("m", base_url)
            result = run(
                folder / "out",
                RunSpec(
                    SeedPlan(n=options.n, filters=() if options.no_filters else None),
                    TeacherSpec(concurrency=options.concurrency),
                ),
                source,
                teacher,
                progress=stages,
            )
        finally:
            ended.set()
            watching.join()
            server.kill()
    cpu_s = time.process_time() - cpu_at_start
    print(f"{result.stats.done:9,} written, {peak:.0f} MB at most, {cpu_s / result.stats.done * 1000:.2f} CPU ms a pair in all")
    if first:
        grown = (anonymous_mb() - first[1]) * 2**20 / (result.stats.done - first[0])
        print(f"growth after {first[0]:,} pairs: {grown:.0f} bytes a pair; {result.stats.kept:,} kept")


if __name__ == "__main__":
    main()
