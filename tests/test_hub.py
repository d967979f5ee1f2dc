"""Which Hub is asked, with which token, and what happens when it does not answer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.teacher import Exchange, Loopback
from tests.support.warm import BASE, COMMAND

TOKEN = "hf_planted_secret"


class Eavesdropper(Loopback):
    """A server that answers nothing and keeps what it was sent.

    Attributes:
        heard: the headers of each request.
    """

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def respond(self, exchange: Exchange) -> None:
        """See `Loopback.respond`."""
        self.heard.append(str(exchange.headers))
        exchange.send_error_json(404, "no such thing")


@pytest.fixture(scope="module")
def eavesdropper() -> Iterator[Eavesdropper]:
    with Eavesdropper() as server:
        yield server


def environment(server: Eavesdropper, home: Path, host: str, token: str = TOKEN) -> dict[str, str]:
    """Variables with which the Hub is this server, under the name `host`."""
    words = {"HF_ENDPOINT": f"http://{host}:{server.url.rpartition(':')[2]}", "HF_HOME": str(home), "HF_TOKEN": token}
    online = {"HF_HUB_OFFLINE": "0", "HF_DATASETS_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1,0.0.0.0"}
    return os.environ | words | online


@pytest.mark.parametrize(
    "words",
    [
        ["seeds", "--seeds", "ns/code"],
        ["score", "--task", "humaneval", "samples.jsonl"],
        ["curate", "ns/pairs", "--out", "out"],
        ["curate", "rows.parquet", "--columns", "problem,solution", "--benchmarks", "humaneval", "--out", "out"],
        ["report", "ns/pairs", "--out", "out"],
        ["merge", "hf://datasets/ns/run", "--out", "out"],
        ["synthesize", "--seeds", "stdlib", "--model", "ns/model", "--n", "1", "--out", "out"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_no_command_sends_the_token_unencrypted(words: list[str], eavesdropper: Eavesdropper, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(
        pa.table({"problem": ["Add two numbers."], "solution": ["def f(a, b):\n    return a + b"]}), tmp_path / "rows.parquet"
    )
    (tmp_path / "samples.jsonl").write_text(json.dumps({"task_id": "HumanEval/0", "completion": "    return 1\n"}))
    eavesdropper.heard.clear()
    # 0.0.0.0 leads to this machine, and is no loopback address.
    done = BASE.run([COMMAND, *words], env=environment(eavesdropper, tmp_path / "home", "0.0.0.0"), cwd=tmp_path)
    assert done.returncode, done.stdout
    assert "is not encrypted and would receive your token. Use https in HF_ENDPOINT" in done.stderr
    assert not [headers for headers in eavesdropper.heard if TOKEN in headers]
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "call",
    [
        "from hf_oss_instruct.hub import commit_of; commit_of('ns/model')",
        "from hf_oss_instruct.hub import file_system; file_system().ls('datasets/ns/code')",
        "from hf_oss_instruct.training.sources import on_the_hub; on_the_hub('ns/code', 'dataset')",
        "from hf_oss_instruct.training.sources import TrainingSource; TrainingSource('ns/code').open(True)",
        "from hf_oss_instruct.training.sources import TrainingSource, why_unchecked; why_unchecked(TrainingSource('ns/code'))",
        "from hf_oss_instruct.seeds.repo_config import read_repo_config; read_repo_config('hf://datasets/ns/code@main/a.ossi')",
        "from hf_oss_instruct.reporting.measures.lengths import tokenizer; tokenizer('ns/model')",
    ],
    ids=lambda call: call.rpartition("; ")[2],
)
def test_no_function_sends_the_token_unencrypted(call: str, eavesdropper: Eavesdropper, tmp_path: Path) -> None:
    eavesdropper.heard.clear()
    done = BASE.run(["-c", call], env=environment(eavesdropper, tmp_path / "home", "0.0.0.0"), cwd=tmp_path)
    assert "UsageError" in done.stderr
    assert "is not encrypted and would receive your token" in done.stderr
    assert not eavesdropper.heard


@pytest.mark.parametrize(("host", "token"), [("127.0.0.1", TOKEN), ("0.0.0.0", "")])
def test_a_hub_on_this_machine_and_one_without_a_token_are_asked(
    host: str, token: str, eavesdropper: Eavesdropper, tmp_path: Path
) -> None:
    eavesdropper.heard.clear()
    call = "from hf_oss_instruct.hub import commit_of; commit_of('ns/model')"
    done = BASE.run(["-c", call], env=environment(eavesdropper, tmp_path / "home", host, token), cwd=tmp_path)
    assert "neither a local folder nor available on the Hub" in done.stderr
    assert len(eavesdropper.heard) == 1
    assert (TOKEN in eavesdropper.heard[0]) == bool(token)
    assert "hf-oss-instruct/" in eavesdropper.heard[0]
