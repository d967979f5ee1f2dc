"""The README and the pages in docs/: their code blocks run one after the other, as a reader would type them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from sybil import Sybil
from sybil.example import Example
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

from hf_oss_instruct.cli import cli
from hf_oss_instruct.spec.declare import Interface, Option, options_of
from hf_oss_instruct.spec.evolution import EvolutionSpec
from hf_oss_instruct.spec.judging import JudgingSpec
from hf_oss_instruct.spec.run import OPTIONS

from .evaluation import toys
from .support.teacher import LocalTeacher
from .support.warm import BASE, COMMAND, TRAIN

ROOT = Path(__file__).parents[1]
COMMANDS, OPTIONS_PAGE = ROOT / "docs" / "commands.md", ROOT / "docs" / "options.md"
SERVER = "http://localhost:8080/v1"
BIN = Path(sys.executable).parent
MY_CODE = '''def clamp(value, low, high):
    """Return the value, moved into the closed interval between low and high if it lies outside."""
    return max(low, min(value, high))


def window(items, size):
    """Yield every run of `size` neighbours of a list, from left to right, as tuples of that length."""
    for start in range(len(items) - size + 1):
        yield tuple(items[start : start + size])
'''
PAGES = [path.relative_to(ROOT).as_posix() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))]


def run_shell(script: str) -> None:
    # `recipe` asks TRL about its keys, and streams import torch
    path = f"{TRAIN.on_path(COMMAND)}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["bash", "-euc", script], env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"


def readers_folder(folder: Path) -> None:
    """What the pages assume: code, rows, a benchmark, and samples for it."""
    (folder / "my_code").mkdir()
    (folder / "my_code" / "tools.py").write_text(MY_CODE)
    toys.plus(folder / "benchmarks")
    toys.write_lines(folder / "samples.jsonl", toys.canonical())
    rows = {"Give me the square root of x. Be quick.": "x ** 0.5", "Which river runs through Turin?": "The Po."}
    lines = [{"instruction": asked, "response": answered} for asked, answered in rows.items()]
    toys.write_lines(folder / "rows.jsonl", lines)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    readers_folder(tmp_path)
    with LocalTeacher() as teacher:

        def shell(example: Example) -> None:
            run_shell(str(example.parsed).replace(SERVER, teacher.base_url))

        parsers = [SkipParser(), PythonCodeBlockParser(), CodeBlockParser("sh", shell)]
        for example in Sybil(parsers=parsers, path=str(ROOT)).parse(ROOT / page).examples():
            example.evaluate()
    if page in ("README.md", "docs/synthesis.md"):
        assert len(teacher.requests) >= 20


def test_make_quickstart_prints_pairs_and_writes_a_dataset(tmp_path: Path) -> None:
    recipe = subprocess.run(
        ["make", "-n", "quickstart", f"VENV={BIN.parent}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    commands = [line for line in recipe.stdout.splitlines() if "/hf-oss-instruct " in line]
    assert "--n 1000 --verify" in commands[2]
    commands[2] = commands[2].replace("--n 1000", "--n 300")  # the whole takes ten seconds
    done = [BASE.run([COMMAND, *shlex.split(line)[1:]], cwd=tmp_path, check=True) for line in commands]
    assert done[0].stdout.count("── problem") >= 2
    assert "pairs kept of 200 seeds" in done[1].stdout
    assert "pairs kept of 300 seeds" in done[2].stdout
    for made in ("quickstart-pairs", "quickstart-verified"):
        assert list((tmp_path / made / "data").glob("*.parquet"))


def commands(group: click.Group, name: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """Name and help of every command, depth first."""
    context = click.Context(group, info_name=name, parent=parent, terminal_width=100, **group.context_settings)
    yield context.command_path, group.get_help(context)
    for word, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, word, context)
        else:
            own = click.Context(command, info_name=word, parent=context, terminal_width=100)
            yield own.command_path, command.get_help(own)


def rendered() -> str:
    """docs/commands.md."""
    parts = ["# Commands\n\nThe output of `--help` for every command. `make docs` regenerates this page.\n"]
    for path, text in commands(cli, "hf-oss-instruct"):
        parts.append(f"## {path.rpartition(' ')[2]}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def test_the_commands_page_equals_help() -> None:
    said, page = rendered().split(), COMMANDS.read_text("utf-8").split()  # where lines break is click's affair
    assert said == page, "run `make docs` and look at what changed"


def options() -> str:
    """docs/options.md."""
    parts = [OPTIONS_HEAD]
    methods = {"evolution": options_of(EvolutionSpec), "judging": options_of(JudgingSpec)}
    for part, found in (OPTIONS | methods).items():
        parts += [
            f"## {part}",
            "",
            "| flag | run config | `load_dataset` | Python | default | paper |",
            "|---|---|---|---|---|---|",
        ]
        parts += [f"| {' | '.join(option_row(part, option))} |" for option in found]
        parts.append("")
    return "\n".join(parts)


OPTIONS_HEAD = """# Options of a run

Where each option can be set. `make docs` regenerates this page; [Commands](commands.md#synthesize) describes the options.
A run config (`oss_instruct.yaml`, `*.ossi`) sets no server, key, price or path. Options marked † are refused in a run config from
a dataset repository, which is not trusted: pass them yourself. In Python, `read_seeds` takes the options of `seeds`, and
`synthesize` and `synthesize_to_disk` take the others: `sampling`, `limits`, `checks` and `verification` as `Sampling(…)`,
`RunLimits(…)`, `Checks(…)` and `VerificationSpec(…)`. `synthesize` takes no checks, because it yields rows before the dataset is
complete. `verify` takes the options of `verification` as arguments, `evolve` those of `evolution`, and `judge` (in Python
`judge_rows`) those of `judging`. Paper: section of Magicoder,
[arXiv 2312.02120](https://arxiv.org/abs/2312.02120).
"""


def option_row(part: str, option: Option) -> list[str]:
    untrusted = "" if Interface.REPO_CONFIG in option.set_by else " †"
    if option.default in (None, ()):
        default = "auto" if option.auto else "–"
    else:
        default = "ours" if option.name == "prompt" else f"`{option.default}`"
    return [
        f"`{option.flag}`" if Interface.COMMAND in option.set_by else "–",
        f"`{part}.{option.yaml}`{untrusted}" if Interface.RUN_CONFIG in option.set_by else "–",
        f"`{option.keyword}`" if Interface.LOAD_DATASET in option.set_by else "–",
        f"`{option.name}`" if Interface.PYTHON in option.set_by else "–",
        default,
        option.section or "",
    ]


def test_the_options_page_equals_the_declared_options() -> None:
    assert options() == OPTIONS_PAGE.read_text("utf-8"), "run `make docs` and look at what changed"


if __name__ == "__main__":
    COMMANDS.write_text(rendered(), "utf-8")
    OPTIONS_PAGE.write_text(options(), "utf-8")
