"""A benchmark's files come from the cache if they are there, and files that were fetched for another purpose are left alone."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.hub import LocalHub
from tests.support.warm import BASE

CODE = "from hf_oss_instruct.benchmarks.fetch import fetch; print([path.name for path in fetch('ns/code', 'main', ['{}'])])"


def test_one_language_in_the_cache_is_not_taken_for_another(tmp_path: Path) -> None:
    def fetched(pattern: str, environment: dict[str, str]) -> str:
        return BASE.run(["-c", CODE.format(pattern)], env=os.environ | environment, check=True).stdout.strip()

    with LocalHub() as hub:
        hub.put("ns/code", "humaneval-java/test-0.jsonl", b'{"name": "java"}\n')
        hub.put("ns/code", "humaneval-cpp/test-1.jsonl", b'{"name": "cpp"}\n')
        environment = hub.environment(tmp_path / "home")
        assert fetched("humaneval-java/test-*", environment) == "['test-0.jsonl']"
        assert fetched("humaneval-cpp/test-*", environment) == "['test-1.jsonl']"
    assert fetched("humaneval-java/test-*", environment) == "['test-0.jsonl']"  # the Hub is gone
