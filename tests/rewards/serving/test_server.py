"""Scoring on another machine: the same rewards over HTTP, and a server that refuses what it must."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner

from hf_oss_instruct.cli import cli
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.rewards import make_code_reward
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests
from hf_oss_instruct.rewards.scorer import ScorerItem
from hf_oss_instruct.rewards.serving import wire

COMMAND = Path(sys.executable).with_name("hf-oss-instruct")
TESTS = RowTests(code=("assert one() == 1",))
RIGHT = "```python\ndef one():\n    return 1\n```"
SLEEPS = "```python\nimport time\ndef one():\n    time.sleep(60)\n```"


@contextmanager
def serving(*options: str, token: str = "") -> Iterator[str]:
    """A server as a user starts it; its URL."""
    environment = os.environ | ({"HF_OSS_INSTRUCT_REWARD_TOKEN": token} if token else {})
    command = [str(COMMAND), "reward-server", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            found = re.search(r"http://[\d.]+:\d+", line)
            assert found, line
            yield found[0]
            process.send_signal(signal.SIGTERM)
            assert process.wait() == 130
        finally:
            process.kill()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving("--queue", "8", "--cpu-s", "2") as at:
        yield at


async def post(url: str, body: Any, **headers: str) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | headers
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(
            url + wire.SCORE, **({"json": body} if not isinstance(body, bytes) else {"data": body})
        ) as answer:
            return answer.status, await (answer.json() if answer.status == 200 else answer.text())


async def get(url: str, path: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url + path) as answer:
        return await answer.text()


def test_the_same_rewards_come_over_http(url: str) -> None:
    completions = [RIGHT, RIGHT.replace("1\n", "2\n"), SLEEPS.replace("60", "0"), "nothing"] * 5  # more than the queue holds
    columns: dict[str, Any] = {"tests": ["assert one() == 1"] * 10 + ["x = 1", "assert one() == 1"] * 5}
    prompts = [""] * len(completions)
    local, remote = make_code_reward(), make_code_reward(url=url, call_wall_s=60)
    for function in (local, remote):
        first = asyncio.run(function(prompts=[""], completions=[RIGHT], tests=["assert one() == 1"]))
        assert first == [1.0]
    expected = asyncio.run(local(prompts=prompts, completions=completions, **columns))
    assert None in expected
    found = asyncio.run(remote(prompts=prompts, completions=completions, **columns))
    assert found == expected
    said = asyncio.run(get(url, "/metrics"))
    assert 'oss_instruct_reward_completions_total{status="passed"}' in said
    assert "oss_instruct_reward_queue_limit 8" in said
    assert '"status": "ok"' in asyncio.run(get(url, "/health"))


@pytest.mark.parametrize(
    "value", ["2 ** 100", "float('inf')", "float('nan')", "{'a': [1, None]}", "{1: [True, None]}", "chr(0xd800)"]
)
def test_a_return_value_of_any_kind_is_judged_here_and_over_http(url: str, value: str) -> None:
    """Values that JSON libraries change or refuse: an integer above 64 bits, NaN, keys that are not texts, half a character."""
    case = {"type": "function_call", "fn_name": "f", "input": [1], "output": eval(value)}  # of this file
    program = f"def f(n):\n    return {value}\n"
    given: dict[str, Any] = {
        "completions": [program, "def f(n):\n    return 7\n"],
        "verification_info": [{"test_cases": [case]}] * 2,
    }
    for reward in (make_code_reward(), make_code_reward(url=url, call_wall_s=60)):
        if value in ("{1: [True, None]}", "chr(0xd800)"):
            with pytest.raises(UsageError, match="a value that cannot be stored"):
                asyncio.run(reward(**given))
        else:
            assert asyncio.run(reward(**given)) == [1.0, 0.0]


def test_half_a_character_in_a_program_changes_nothing_but_itself(url: str) -> None:
    given = {"completions": ["print(input()) # \ud800"], "tests": ['{"input": "a", "output": "a"}']}
    assert asyncio.run(make_code_reward()(**given)) == [1.0]
    assert asyncio.run(make_code_reward(url=url, call_wall_s=60)(**given)) == [1.0]


def test_bad_rows_are_an_error_at_the_start_over_http_too(url: str) -> None:
    with pytest.raises(UsageError, match="no test asserts anything"):
        asyncio.run(make_code_reward(url=url)(prompts=[""], completions=[RIGHT], tests=["x = 1"]))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        ({}, 400),
        ({"tests": [], "items": [{"completion": "x", "tests": 0}]}, 400),
        ({"tests": [{"language": "klingon"}], "items": []}, 400),
        ({"tests": [{"code": [1]}], "items": []}, 400),
        ({"tests": [], "items": [], "variant": "best"}, 400),
        ({"tests": [{"code": ["assert 1"]}], "items": [{"completion": "x", "tests": 0}] * 9}, 413),
    ],
)
def test_what_is_no_request_is_refused(url: str, body: Any, status: int) -> None:
    assert asyncio.run(post(url, body))[0] == status


def test_a_page_in_a_browser_cannot_send_programs(url: str) -> None:
    assert asyncio.run(post(url, b"{}", **{"Content-Type": "text/plain"}))[0] == 415


def test_a_full_queue_is_said_at_once_and_clients_wait_for_their_turn() -> None:
    async def story(url: str) -> None:
        body = wire.request_of([ScorerItem(SLEEPS, TESTS)] * 2, "all", 1.0)
        slow = asyncio.create_task(post(url, body))
        while '"queued": 2' not in await get(url, "/health"):
            await asyncio.sleep(0.05)
        assert (await post(url, wire.request_of([ScorerItem(RIGHT, TESTS)], "all", 1.0)))[0] == 429
        waiting = make_code_reward(url=url)(prompts=[""], completions=[RIGHT], tests=["assert one() == 1"])
        assert await waiting == [1.0]
        assert (await slow)[1]["outcomes"][0]["status"] == "timeout"

    with serving("--queue", "2", "--wall-s", "1") as url:
        asyncio.run(story(url))


def test_a_token_is_asked_for_and_only_the_right_one_enters() -> None:
    with serving(token="open-sesame") as url:
        assert asyncio.run(post(url, {}))[0] == 401
        assert asyncio.run(post(url, {}, Authorization="Bearer open"))[0] == 401
        assert asyncio.run(post(url, {"tests": [], "items": []}, Authorization="Bearer open-sesame"))[0] == 200
        for token in ("", "wrong"):
            with pytest.raises(UsageError, match="refuses the token"):
                asyncio.run(make_code_reward(url=url, token=token)(prompts=[""], completions=[RIGHT], tests=["assert 1"]))


def test_without_a_token_only_this_machine_is_served() -> None:
    done = CliRunner().invoke(cli, ["reward-server", "--port", "0", "--host", "0.0.0.0"])
    assert done.exit_code != 0
    assert "Set a token" in f"{done.output}{done.exception}"


def test_a_server_that_is_not_there_is_an_error_at_the_start() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UsageError, match="cannot be reached"):
        asyncio.run(make_code_reward(url=f"http://127.0.0.1:{port}")(prompts=[""], completions=[RIGHT], tests=["assert 1"]))
    with pytest.raises(UsageError, match="not a URL"):
        asyncio.run(make_code_reward(url="localhost:8080")(prompts=[""], completions=[RIGHT], tests=["assert 1"]))
    token = "hf_" + "a" * 34
    with pytest.raises(UsageError, match="Hugging Face"):
        asyncio.run(
            make_code_reward(url="http://127.0.0.1:9", token=token)(prompts=[""], completions=[RIGHT], tests=["assert 1"])
        )


def test_a_server_that_goes_away_leaves_rows_without_a_reward() -> None:
    function = None
    with serving() as url:
        function = make_code_reward(url=url, call_wall_s=1.5)
        assert asyncio.run(function(prompts=[""], completions=[RIGHT], tests=["assert one() == 1"])) == [1.0]
    assert asyncio.run(function(prompts=[""], completions=[RIGHT], tests=["assert one() == 1"])) == [None]
