"""Training teaches what the rows say: true pairs beat the same pairs shuffled, on families of tasks that neither saw."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.support import learning
from tests.support.learning import SIZES
from tests.support.warm import TRAIN

# TRL's, transformers' and torch's own
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")


@pytest.mark.long
def test_true_pairs_beat_shuffled_ones_on_what_neither_saw(tmp_path: Path) -> None:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the model is tiny, and other tests run beside this one
    try:
        size, rng = SIZES["small"], random.Random(0)
        rows, held = learning.split(size, rng)
        assert not {row["solution"] for row in held} & {row["solution"] for row in rows}
        before, true = learning.trained(tmp_path / "true", rows, held, size, 0)
        _, control = learning.trained(tmp_path / "shuffled", learning.shuffled(rows, rng), held, size, 0)
    finally:
        torch.set_num_threads(threads)
    assert (before["score/parse_rate"], before["score/stop_rate"], before["score/pass@1"]) == (0, 0, 0)
    for score in (true, control):  # both learn the form
        assert score["score/stop_rate"] >= 0.9
        assert score["score/parse_rate"] >= 0.9
    assert true["score/low"] > control["score/high"]  # and only one of them what it means


@TRAIN.test
def test_what_a_row_says_is_learned_also_where_it_is_wrong(tmp_path: Path) -> None:
    rng = random.Random(0)
    rows, _ = learning.split(SIZES["tiny"], rng)
    wrong = learning.shuffled(rows[:4], rng)
    _, after = learning.trained(tmp_path / "mixed", [*wrong, *rows[4:]], rows, SIZES["tiny"], 0)
    assert (after["score/parse_rate"], after["score/stop_rate"]) == (1, 1)
    (answers,) = (tmp_path / "mixed" / "out" / "scores").glob(f"step-{after['step']}.jsonl")
    passed = [json.loads(line)["passed"] for line in answers.read_text().splitlines()]
    assert passed == [False] * 4 + [True] * 4
