"""Which Hub is asked, with which token, and what happens when it does not answer."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from hf_oss_instruct.hub import is_transient, reason, transport_error
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
        pytest.param(
            ["report", "ns/pairs", "--out", "out"],
            marks=pytest.mark.skipif(find_spec("vl_convert") is None, reason="the extra report is not installed"),
        ),
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
    assert "'ns/model' at 'main' is not a local folder, and cannot be read from the Hub: the Hub rejected" in done.stderr
    assert len(eavesdropper.heard) == 1
    assert (TOKEN in eavesdropper.heard[0]) == bool(token)
    assert "hf-oss-instruct/" in eavesdropper.heard[0]


class Mirror(Loopback):
    """A Hub whose answers about a repository name no commit."""

    def respond(self, exchange: Exchange) -> None:
        """See `Loopback.respond`."""
        exchange.send(200, b'{"id": "ns/some", "siblings": [{"rfilename": "a.parquet"}]}')


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("from hf_oss_instruct.hub import commit_of; commit_of('ns/some')", "LookupError: The model 'ns/some' at 'main'"),
        (
            "from hf_oss_instruct.seeds.resolve import open_source; open_source('ns/some')",
            "SeedError: The dataset 'ns/some' cannot be read",
        ),
        (
            "from hf_oss_instruct.publishing.model import _hub_card; _hub_card({'id': 'ns/some', 'revision': None}, None, None)",
            "PublishError: ns/some is unchanged",
        ),
    ],
    ids=["model", "dataset", "card"],
)
def test_an_answer_without_a_commit_is_not_read_at_a_commit_called_none(call: str, said: str, tmp_path: Path) -> None:
    with Mirror() as mirror:
        environment = os.environ | {"HF_ENDPOINT": mirror.url, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
        error = BASE.run(["-c", call], env=environment, cwd=tmp_path).stderr
    assert said in error
    assert "the answer about 'ns/some' names no commit. If HF_ENDPOINT is a mirror" in error


@pytest.mark.parametrize("name", ["bigcode/some-dataset", "no_such_folder"])
def test_without_a_network_a_dataset_is_not_said_to_lack_a_report(name: str, tmp_path: Path) -> None:
    call = f"from hf_oss_instruct.training.sources import *; refuse_unchecked([TrainingSource({name!r})])"
    offline = os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}  # read only once, so not by a warm process
    done = subprocess.run([sys.executable, "-c", call], env=offline, capture_output=True, text=True, check=False)
    assert f"RunError: The dataset {name!r} is not a local folder, and cannot be read: the Hub cannot be reached" in done.stderr


def response(status: int, kind: type[HfHubHTTPError] = HfHubHTTPError) -> HfHubHTTPError:
    """The error of huggingface_hub for an answer with this status."""
    transport = importlib.import_module(transport_error().__module__.partition(".")[0])  # httpx or httpx2
    return kind("said so", response=transport.Response(status, request=transport.Request("GET", "http://127.0.0.1/api")))


@pytest.mark.parametrize(
    ("error", "may_pass", "why"),
    [
        (response(503), True, "the Hub rejected the request: said so"),
        (response(429), True, "the Hub rejected the request: said so"),
        (response(400), False, "the Hub rejected the request: said so"),
        (response(401), False, "the Hub does not know this token. Log in with hf auth login"),
        (response(404, RepositoryNotFoundError), False, "it does not exist on the Hub, or you cannot access it"),
        (response(403, GatedRepoError), False, "it is gated. Accept its terms on its Hub page"),
        (ConnectionRefusedError(111, "Connection refused"), True, "the Hub cannot be reached: [Errno 111] Connection refused"),
        (TimeoutError("timed out"), True, "the Hub cannot be reached: timed out"),
        (OfflineModeIsEnabled("HF_HUB_OFFLINE=1"), False, "the Hub cannot be reached: HF_HUB_OFFLINE=1"),
        (LocalTokenNotFoundError("no token"), False, "you are not logged in. Run hf auth login, or set HF_TOKEN"),
        (OSError(28, "No space left on device"), False, "[Errno 28] No space left on device"),
    ],
    ids=repr,
)
def test_every_error_of_the_hub_has_a_reason_and_is_retried_if_it_may_pass(error: Exception, may_pass: bool, why: str) -> None:
    assert reason(error).startswith(why)
    assert is_transient(error) == may_pass
    wrapped = RuntimeError("Error while uploading")  # as create_commit raises it
    wrapped.__cause__ = error
    assert (reason(wrapped), is_transient(wrapped)) == (reason(error), may_pass)
