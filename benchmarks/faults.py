"""How long a run takes among faults, against the same run without.

    python benchmarks/faults.py          # 10 % 429, 2 % 500, 2 % cut, 2 % garbage, 1 % reset, 1 % never answered

The long kill test is `OSS_INSTRUCT_KILLS=30 python -m pytest tests/synthesis/engine/test_load.py -k killed`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.teachers.inference import InferenceTeacher
from synthesis import seeds


def once(n: int, concurrency: int, deadline_s: float, *faults: str) -> float:
    teacher = str(Path(__file__).with_name("fast_teacher.py"))
    server = subprocess.Popen([sys.executable, teacher, *faults], stdout=subprocess.PIPE, text=True)
    assert server.stdout
    base_url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    try:
        with tempfile.TemporaryDirectory() as name:
            source, started = open_source(str(seeds(n, Path(name)))), time.monotonic()
            spec = RunSpec(SeedPlan(n=n), TeacherSpec(concurrency=concurrency, timeout=deadline_s))
            result = run(
                Path(name) / "out",
                spec,
                source,
                InferenceTeacher("m", base_url),
            )
            seconds = time.monotonic() - started
    finally:
        server.kill()
    report = {key: result.report[key] for key in ("requested", "kept", "rejected", "pending", "requests_sent")}
    print(f"{seconds:6.1f} s  {' '.join(faults) or 'no faults':10} {json.dumps(report)}", flush=True)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=5000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--deadline-s", type=float, default=5.0)
    options = parser.parse_args()
    words = options.n, options.concurrency, options.deadline_s
    plain, faulty = once(*words), once(*words, "--faults")
    allowed = 1.5 * plain + 2 * options.deadline_s
    print(f"{faulty / plain:.2f} × the time without faults; 1.5 × and two deadlines would be {allowed:.1f} s")


if __name__ == "__main__":
    main()
