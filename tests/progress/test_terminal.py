"""Commands in a terminal: what a person sees of a run that goes on, hangs, is resized and interrupted."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.synthesis.runtime.drive import FINISH_S
from hf_oss_instruct.terminal.signals import DUPLICATE_S
from tests.support.teacher import Answer, LocalTeacher
from tests.support.terminal import Terminal
from tests.support.warm import COMMAND

NOTHING_ELSE = ("--benchmarks", "none", "--out", "o")
MANY = ("--n", "600", *NOTHING_ELSE, "--price-in", "1", "--price-out", "2", "--max-cost", "9")


def hangs_at_the_fiftieth(teacher: LocalTeacher) -> Any:
    """The fiftieth question is never answered, also when it is asked again after a timeout, as on a slow machine."""

    def answer(body: Mapping[str, Any]) -> Answer:
        return Answer(hang=len(teacher.requests) >= 50 and body["messages"] == teacher.requests[49]["body"]["messages"])

    return answer


def test_one_request_that_hangs_neither_stops_the_bar_nor_the_estimate(tmp_path: Path) -> None:
    """A resized terminal, standard output in a file, Ctrl-C once and again: each state is printed once."""
    teacher = LocalTeacher()
    teacher._answer = hangs_at_the_fiftieth(teacher)
    words = [COMMAND, "synthesize", *MANY, "--model", "m", "--base-url", teacher.base_url]
    with teacher, (tmp_path / "stdout").open("wb") as stdout, Terminal(words, cwd=tmp_path, stdout=stdout) as terminal:
        screen = terminal.until(lambda text: "599 of 600 seeds" in text and "slowest request" in text)
        left = re.search(r"(\d+):(\d\d) left", screen)
        assert left
        assert (int(left[1]), int(left[2])) < (1, 0), screen  # the head of the line would say hours
        assert re.search(r"\d+ kept · 5\d\d wait for an earlier one", screen), screen
        assert re.search(r"cost \d\.\d\d of 9\.00", screen), screen
        assert screen.startswith("Making pairs with openai-compatible:m\n━━━")
        terminal.resize(40, 24)
        narrow = terminal.until(lambda text: "tok/s" in text)
        assert "599 of 600 seeds" in narrow
        terminal.type("\x03")
        stopping = terminal.until(lambda text: "stopping: waiting up to" in text)
        assert "left" not in stopping
        terminal.resize(100, 24)
        time.sleep(DUPLICATE_S)  # sooner, it would be the first one delivered twice
        again = time.monotonic()
        terminal.type("\x03")
        terminal.until(lambda text: "Interrupted." in text)
        assert terminal.wait() == 130
        assert time.monotonic() - again < FINISH_S / 2
        said = terminal.text
    printed = (tmp_path / "stdout").read_text()
    assert said.count("Interrupted.") == said.count("Continue with:") == 1
    assert "kept of 600 seeds" not in said
    assert re.match(r"\d+ pairs kept of 600 seeds → o\nLook at: hf-oss-instruct report o\n", printed)
    assert "Next:" not in printed
    assert "\x1b" not in printed


def test_a_preview_prints_pairs_above_its_progress(tmp_path: Path, fresh_cache: Path) -> None:
    with LocalTeacher(lambda body: Answer(latency_s=0.5)) as teacher:
        words = [COMMAND, "preview", "--n", "3", "--model", "m", "--base-url", teacher.base_url]
        with Terminal(words, rows=200, cwd=tmp_path) as terminal:
            terminal.until(lambda text: "of 3 seeds" in text)
            assert terminal.wait() == 0
            screen = terminal.text
    assert screen.count("── problem") == screen.count("── solution") == 3
    assert "of 3 seeds ·" not in screen  # nothing of the progress is left
    assert "3 pairs from 3 seeds" in screen


LOGS_MEANWHILE = """
import logging, sys, time
from hf_oss_instruct.progress.show import show_progress
library = logging.getLogger("library")
library.addHandler(logging.StreamHandler())
with show_progress() as progress, progress.stage("Loading a model") as counts:
    time.sleep(0.4)
    library.warning("a warning of several lines in a terminal as narrow as this " * 3 + "whose end is here")
    print("printed to standard error", file=sys.stderr)
    time.sleep(0.6)
library.warning("afterwards")
"""


def test_what_libraries_log_meanwhile_stands_above_in_full(tmp_path: Path) -> None:
    with Terminal(["-c", LOGS_MEANWHILE], columns=40, cwd=tmp_path) as terminal:
        assert terminal.wait() == 0
        lines = terminal.text.splitlines()
    assert "".join(lines).count("as narrow as this") == 3
    assert "".join(lines).count("whose end is here") == 1
    assert lines[-2:] == ["printed to standard error", "afterwards"]
    assert "Loading a model" not in terminal.text


@pytest.mark.parametrize(
    ("env", "colors", "redraws"),
    [
        ({}, True, True),
        ({"NO_COLOR": "1"}, False, True),
        ({"TERM": "dumb"}, False, False),
        ({"JPY_PARENT_PID": "1"}, False, False),
    ],
    ids=["terminal", "NO_COLOR", "dumb", "notebook"],
)
def test_colors_and_redrawing_are_for_terminals_that_have_them(
    env: dict[str, str], colors: bool, redraws: bool, tmp_path: Path
) -> None:
    with LocalTeacher(lambda body: Answer(latency_s=0.8)) as teacher, (tmp_path / "stdout").open("wb") as stdout:
        words = [COMMAND, "synthesize", "--n", "2", *NOTHING_ELSE, "--model", "m", "--base-url", teacher.base_url]
        words += ["--concurrency", "1"]
        with Terminal(words, cwd=tmp_path, env=env, stdout=stdout) as terminal:
            assert terminal.wait() == 0
    assert bool(re.search(rb"\x1b\[[\d;]*3[0-7]m", terminal.received)) == colors
    assert (b"\x1b[" in terminal.received) == redraws
    assert not terminal.received.endswith(b"\x1b[?25l")  # the cursor is there
