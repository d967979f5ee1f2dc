"""Grammars that loop or crash end a process of their own, not the one that scores."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.extraction.isolated import Worker, extract_isolated
from hf_oss_instruct.evaluation.extraction.programs import Extracted, extract_unparsed
from tests.evaluation.extraction.table import PIECES

PERL = PIECES["perl"]
PROBLEM, FENCED = PERL.problem("perl"), f"```perl\n{PERL.function}```\n"
LOOPS = "f #q{S"
"""Perl's grammar never returns from this."""


@pytest.fixture
def worker() -> Iterator[Worker]:
    process = Worker(cpu_s=0.3)
    yield process
    process.stop()


def test_a_text_on_which_the_parser_loops_is_taken_without_it(worker: Worker) -> None:
    extracted = extract_isolated(PROBLEM, PERL.function + LOOPS, "solution", worker)
    assert extracted == Extracted(PERL.function + LOOPS, "unparsed")
    assert extract_isolated(PROBLEM, FENCED, "answer", worker).how == "fence"


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("answer", f"Here:\n{FENCED}\nDone.", Extracted(PERL.function, "unparsed")),
        ("answer", f"{FENCED}\nor\n```perl\n{LOOPS}```\n", Extracted(PERL.function, "unparsed")),
        ("answer", f"```perl\n{LOOPS}```\n", Extracted(f"{PERL.prompt}{LOOPS}\n", "unparsed")),
        ("completion", f"{PERL.body}\nsub other {{", Extracted(PERL.prompt + PERL.body.removesuffix("\n"), "unparsed", False)),
    ],
)
def test_without_a_parser_the_last_block_that_names_the_function_is_taken(kind: str, text: str, expected: Extracted) -> None:
    problem = replace(PROBLEM, stop_tokens=("\n\nsub",))
    assert extract_unparsed(problem, text, kind) == expected


def test_a_fork_starts_a_process_of_its_own(worker: Worker) -> None:
    extract_isolated(PROBLEM, FENCED, "answer", worker)
    if (child := os.fork()) == 0:
        worker.reset()
        extracted = extract_isolated(PROBLEM, FENCED, "answer", worker)
        worker.stop()
        os._exit(0 if extracted.how == "fence" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert extract_isolated(PROBLEM, FENCED, "answer", worker).how == "fence"


def test_a_process_that_does_not_start_is_an_error_and_no_verdict(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EvaluationError, match="did not start: it exited with status 1"):
        extract_isolated(PROBLEM, FENCED, "answer", worker)
