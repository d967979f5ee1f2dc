"""A plan on a Ray cluster that runs on this machine for the test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_ports
from tests.support.teacher import LocalTeacher

from .test_launch import started
from .test_merge import N, answer, check_merged, code, planned, teacher, whole  # noqa: F401  # fixtures

pytest.importorskip("datatrove")
RAY = Path(sys.executable).with_name("ray")
PORTS = (
    "--port",
    "--metrics-export-port",
    "--dashboard-agent-grpc-port",
    "--dashboard-agent-listen-port",
    "--runtime-env-agent-port",
)


@pytest.fixture
def cluster() -> Iterator[dict[str, str]]:
    """A head node with two processors, and the environment in which `ray.init()` finds it."""
    if not RAY.exists():
        pytest.skip("ray is not installed: there is none for this version of Python")
    ports = free_ports(len(PORTS))
    own = {"RAY_AUTH_MODE": "disabled", "RAY_raylet_start_wait_time_s": "120", "RAY_ADDRESS": f"127.0.0.1:{ports[0]}"}
    environment = os.environ | own | {"PYTHONWARNINGS": "ignore"}
    # With ports of its own each agent is not waited for: a busy machine needs more than Ray's 15 s.
    words = [f"{name}={port}" for name, port in zip(PORTS, ports, strict=True)]
    command = [RAY, "start", "--head", "--block", "--num-cpus=2", "--include-dashboard=false", "--disable-usage-stats", *words]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as head:
        try:
            assert head.stdout
            assert any("Ray runtime started" in line for line in head.stdout)
            yield environment
        finally:
            head.terminate()
            head.communicate(timeout=60)


def test_on_ray_it_is_the_dataset_of_one_process(
    cluster: dict[str, str],
    tmp_path: Path,
    code: Path,  # noqa: F811
    whole: Path,  # noqa: F811
) -> None:
    plan = planned(tmp_path / "plan", code, 2)
    with LocalTeacher(answer) as fresh:
        said = started(plan.folder, fresh, *"--on ray --set mem_per_cpu_gb=1".split(), env=cluster)
        assert len(fresh.requests) == N, said
        assert "All shards are finished." in started(plan.folder, fresh, "--on", "ray", env=cluster)
        assert len(fresh.requests) == N
    check_merged(plan, whole, tmp_path)
