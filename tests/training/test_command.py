"""The command `train` starts itself in several processes, with what the user typed."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from hf_oss_instruct.cli import cli
from hf_oss_instruct.terminal.flags import option_words
from hf_oss_instruct.training.command import train


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--template", "chat", "--thoughts", "keep", "--allow-unchecked"],
        ["--score", "humaneval_plus", "--score-data", ".", "--score-every", "7", "--score-count", "3", "--score-tokens", "9"],
        ["--score", "tasks.jsonl", "--unsafe-no-sandbox"],
    ],
    ids=" ".join,
)
def test_every_option_reaches_the_processes_that_train(words: list[str], tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("")
    # As the program has it: click keeps the help flags of a command's first context.
    program = click.Context(cli, **cli.context_settings)
    typed = train.make_context("train", [str(recipe), *words], program)
    passed_on = option_words(typed.command, typed.params)
    assert passed_on == words
    assert train.make_context("train", [str(recipe), *passed_on], program).params == typed.params
