"""Runs over several servers and mixed teachers: who is asked, who is left out, and what the rows say."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.synthesis.export import export
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.requests.server_pool import GONE_AFTER
from hf_oss_instruct.synthesis.run import RunResult, run
from hf_oss_instruct.teachers.resolve import open_teacher
from tests.support.teacher import Answer, LocalTeacher

QUICK = RetryPolicy(tries=4, first_pause_s=0.01, longest_pause_s=0.05, reach_s=0.1, give_up_after_s=30)
NOBODY = "http://127.0.0.1:9/v1"
N = 40


def go(out: Path, code: Path, *urls: str, model: str = "m", limits: RunLimits | None = None) -> RunResult:
    spec = RunSpec(SeedPlan(n=N), TeacherSpec(model=model, base_url=urls, concurrency=4), limits=limits or RunLimits())
    return run(out, spec, open_source(str(code)), open_teacher(spec.teacher), retry_policy=QUICK)


def tables(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.parquet")}


def test_rows_are_the_same_bytes_whichever_server_answered(tmp_path: Path, code: Path) -> None:
    with LocalTeacher() as one, LocalTeacher() as two, LocalTeacher() as three:
        go(tmp_path / "alone", code, one.base_url)
        alone = len(one.requests)
        result = go(tmp_path / "fleet", code, one.base_url, two.base_url, three.base_url)
        asked = [len(one.requests) - alone, len(two.requests), len(three.requests)]
        assert go(tmp_path / "fleet", code, three.base_url).error is None  # it goes on with other servers
        assert sum(asked) == len(one.requests) - alone + len(two.requests) + len(three.requests) == N == alone
    assert result.error is None
    assert min(asked) > 0
    assert max(server.max_in_flight for server in (two, three)) <= 4
    assert tables(tmp_path / "fleet") == tables(tmp_path / "alone")
    assert json.loads((tmp_path / "fleet/run.json").read_text())["config_hash"] == result.report["config_hash"]


def test_a_dead_server_is_left_out_and_the_others_do_its_work(tmp_path: Path, code: Path) -> None:
    with LocalTeacher() as alive:
        result = go(tmp_path / "out", code, NOBODY, alive.base_url)
    assert (result.error, result.stats.pending, len(alive.requests)) == (None, 0, N)


def test_a_server_that_comes_back_is_asked_again(tmp_path: Path, code: Path) -> None:
    back = threading.Event()

    def comes_back(body: dict[str, Any]) -> Answer:
        if len(returning.requests) > 2 * GONE_AFTER:
            back.set()
        return Answer(reset=not back.is_set())

    def waits(body: dict[str, Any]) -> Answer:  # the last answers come when the other server has answered, too
        return Answer(after=back) if len(steady.requests) > N // 2 else Answer()

    with LocalTeacher(comes_back) as returning, LocalTeacher(waits) as steady:
        result = go(tmp_path / "out", code, returning.base_url, steady.base_url)
        answered_there = len(returning.requests) - 2 * GONE_AFTER
    assert (result.error, result.stats.pending) == (None, 0)
    assert answered_there > 0
    assert len(steady.requests) < N


def test_a_server_with_another_model_is_left_out_with_a_warning(
    tmp_path: Path, code: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with LocalTeacher(lambda body: Answer(status=404, text="no model m")) as wrong, LocalTeacher() as right:
        with caplog.at_level(logging.WARNING):
            result = go(tmp_path / "out", code, wrong.base_url, right.base_url)
        assert (result.error, result.stats.pending, len(right.requests)) == (None, 0, N)
        assert f"The server {wrong.base_url} is left out for now" in caplog.text
        stopped = go(tmp_path / "other", code, wrong.base_url, f"{wrong.url}/v2")
    assert "no model m" in str(stopped.error) or "no route" in str(stopped.error)
    assert stopped.stats.pending == N


def test_a_server_that_asks_for_a_long_pause_does_not_stop_the_run(tmp_path: Path, code: Path) -> None:
    with LocalTeacher(lambda body: Answer(status=503, headers={"Retry-After": "3600"})) as resting, LocalTeacher() as working:
        result = go(tmp_path / "out", code, resting.base_url, working.base_url)
        assert (result.error, result.stats.pending) == (None, 0)
        assert len(resting.requests) <= 4  # those that left before it asked
        stopped = go(tmp_path / "other", code, resting.base_url, f"{resting.base_url}/")
    assert "requests a wait" in str(stopped.error)


def test_a_budget_holds_over_all_servers(tmp_path: Path, code: Path) -> None:
    with LocalTeacher() as one, LocalTeacher() as two:
        result = go(tmp_path / "out", code, one.base_url, two.base_url, limits=RunLimits(max_requests=15))
        assert len(one.requests) + len(two.requests) == 15 == result.report["requests_sent"]


def test_mixed_teachers_write_their_shares_and_each_row_names_its_own(tmp_path: Path, code: Path) -> None:
    with LocalTeacher() as one, LocalTeacher() as two:
        out = tmp_path / "out"
        result = go(out, code, f"a={one.base_url}", f"b={two.base_url}", model="a=0.7,b=0.3")
        asked = {"a": one.requests, "b": two.requests}
        assert {name: {sent["body"]["model"] for sent in sent_there} for name, sent_there in asked.items()} == {
            "a": {"a"},
            "b": {"b"},
        }
        go(tmp_path / "again", code, f"b={two.base_url}", f"a={one.base_url}", model="b=3,a=7")
        alone = go(tmp_path / "alone", code, one.base_url, model="a")
    rows = pq.read_table(out / "data").to_pylist()
    written = {name: sum(row["teacher"] == f"openai-compatible:{name}" for row in rows) for name in "ab"}
    assert min(written.values()) > 0
    assert result.report["teachers"] == {
        f"openai-compatible:{name}": {"share": share, "rows": written[name]} for name, share in (("a", 0.7), ("b", 0.3))
    }
    assert "| share of openai-compatible:a | 70 % of the seeds" in (out / "README.md").read_text().replace("\\", "")
    assert tables(out) == tables(tmp_path / "again")
    assert "teachers" not in alone.report
    export(out, tmp_path / "exported")
    assert tables(tmp_path / "exported") == tables(out)
