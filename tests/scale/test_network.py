"""Nodes of a cluster on a network of their own: each in a network namespace, with one teacher for all of them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support import networks, slurm
from tests.support.teacher import Answer, LocalTeacher
from tests.support.warm import BASE, COMMAND

from .test_merge import N, answer, check_merged, code, planned, teacher, whole  # noqa: F401  # fixtures

pytest.importorskip("datatrove")
DOWN_S = 3.0
CONCURRENCY = 4


def clients(server: LocalTeacher) -> Counter[str]:
    return Counter(request["client"] for request in server.requests)


@pytest.mark.long
def test_nodes_that_reach_one_teacher_over_a_network_are_one_machine_even_if_a_link_fails_for_a_while(
    tmp_path: Path,
    code: Path,  # noqa: F811
    whole: Path,  # noqa: F811
) -> None:
    if why := slurm.missing() or networks.missing():
        pytest.skip(why)
    plan, failed = planned(tmp_path / "plan", code, 3), threading.Event()

    def slow(body: dict[str, Any]) -> Answer:
        if len(server.requests) > N // 3:
            failed.set()
        return Answer(text=answer(body).text, latency_s=0.5)

    with networks.network("oss", 3) as network, LocalTeacher(slow, host=network.address) as server:
        with slurm.cluster(tmp_path / "cluster", network) as environment:
            model = ["--model", "m", "--base-url", server.base_url, "--concurrency", str(CONCURRENCY)]
            words = ["launch", plan.folder, "--yes", *model, *"--on slurm --set partition=cpu --set time=00:10:00".split()]
            BASE.run([COMMAND, *words], env=environment, check=True)
            assert failed.wait(180)
            node, address = next(iter(network.nodes.items()))
            network.link(node, "down")
            time.sleep(0.2)
            received = clients(server)[address]
            time.sleep(DOWN_S)
            assert clients(server)[address] == received
            network.link(node, "up")
            until = time.monotonic() + 240
            completed = plan.folder / "logs" / "completions"
            while not completed.is_dir() or len(list(completed.iterdir())) < 3:
                assert time.monotonic() < until, [path.read_text() for path in (plan.folder / "logs" / "slurm").rglob("*.out")]
                time.sleep(0.2)
        assert clients(server).keys() == set(network.nodes.values())
        assert clients(server)[address] > received
        assert N <= len(server.requests) <= N + CONCURRENCY  # in flight on the node whose link failed
    check_merged(plan, whole, tmp_path)
