"""Formats that others depend on, byte for byte: run configs, cache keys, journals, reports, tables, options.

Expected values lie in `snapshots/`. A difference means that an old run would not continue, or that a cache would be asked for
again: it needs a new `FORMAT_VERSION`, or a line in the changelog. `python -m tests.test_snapshots` writes the files anew.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from datasets import load_dataset

from hf_oss_instruct import OssInstruct, Prompt
from hf_oss_instruct.cli import cli
from tests.support.teacher import Answer, LocalTeacher, well_formed

SNAPSHOTS = Path(__file__).parent / "snapshots"
CODE = {
    "area.js": "/** Return the area of a rectangle. */\nfunction area(width, height) {\n  return width * height;\n}\n",
    "shift.py": '''"""Small functions on numbers."""


def shift(values: list[int], distance: int) -> list[int]:
    """Move every value of a list further by the distance given, and return them as a new list."""
    return [value + distance for value in values]


def clamp(value: float, low: float, high: float) -> float:
    """Return the value, moved into the closed interval between low and high if it lies outside."""
    return max(low, min(value, high))
''',
}
SERVER = "http://127.0.0.1:9/v1"
EVERY_OPTION = """
    --seeds code --n 5 --sampler hash --snippets-per-document 3 --rng-seed 7 --one-in 2 --licenses MIT,Apache-2.0
    --filters secrets --max-document-bytes 5000 --max-snippet-chars 600 --encoding cp1252 --code-column text --deny deny.txt
    --model m --base-url http://127.0.0.1:9/v1 --concurrency 3 --timeout 30 --prompt-template prompt.txt --temperature 0.7
    --top-p 0.9 --max-tokens 99 --no-seed --extra-body {"top_k":20,"chat_template_kwargs":{"enable_thinking":false}}
    --keep-reasoning --max-requests 100 --max-total-tokens 100000 --max-cost 5 --price-in 1 --price-out 2 --give-up-after 60
    --benchmarks none --rule magicoder --contaminated flag --no-near-duplicates --out out --dry-run
""".split()
A_CONFIG = """
version: 1
seeds: {dataset: ./code, languages: {python: 2, javascript: 1}, filters: [], licenses: any, max_snippet_chars: 600}
prompt: {text: "[system]\\nBe brief.\\n[user]\\n{code}", parser: magicoder, keep_reasoning: true}
sampling: {temperature: 1, send_seed: false}
checks: {duplicates: false, benchmarks: [mbpp, "exam@xxh3:0f"], contaminated: flag}
"""


@contextmanager
def workplace() -> Iterator[None]:
    """A folder with code and the files that options name."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder), pytest.MonkeyPatch.context() as environment:
        environment.setenv("HF_HOME", str(Path(folder, "home")))
        Path("code").mkdir()
        for name, text in CODE.items():
            Path("code", name).write_text(text)
        Path("deny.txt").write_text("repo: octocat/hello-world\npath: vendor/**\n")
        Path("prompt.txt").write_text("Write a problem after this:\n{fence}\n{code}\n{fence}\n")
        Path("some.ossi").write_text(A_CONFIG)
        yield


def command(*words: str) -> str:
    """What a command prints on standard output."""
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    return done.stdout


def dry_run(*words: str) -> str:
    return command("synthesize", *words, "--out", "out", "--dry-run")


def seeds() -> str:
    samplers = ("hash", "functions", "magicoder")
    return "".join(command("seeds", "--seeds", "code", "--n", "2", "--sampler", name, "--format", "json") for name in samplers)


def run(*words: str) -> dict[str, str]:
    """The files of a run."""
    command("synthesize", "--seeds", "code", *words, "--n", "3", "--benchmarks", "none", "--out", "out", "--format", "quiet")
    report = json.loads(Path("out/run.json").read_text())
    (journal,) = Path("out/journal").iterdir()
    tables = {name: pq.read_table(f"out/{name}") for name in ("data", "sft", "rejected") if Path("out", name).exists()}
    return {
        "oss_instruct.yaml": Path("out/oss_instruct.yaml").read_text(),
        "journal.jsonl": "".join(sorted(journal.read_text().splitlines(keepends=True))),
        "report.json": json.dumps({"keys": shape(report), "hashes": hashes(report)}, indent=2) + "\n",
        "rows.jsonl": "".join(json.dumps(row) + "\n" for row in tables["data"].to_pylist()),
        "schema.txt": "\n".join(
            f"[{name}]\n{table.schema.to_string(truncate_metadata=False)}\n" for name, table in tables.items()
        ),
    }


def shape(value: Any) -> Any:
    """Keys, and the types of what they hold, since versions, times and durations differ."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


def hashes(report: dict[str, Any]) -> dict[str, Any]:
    return {name: report[name] for name in ("config_hash", "prompt_hash", "teacher")}


def run_with_the_embedded_teacher() -> dict[str, str]:
    return run()


def run_with_a_server() -> dict[str, str]:
    """A server that counts tokens, thinks aloud, and refuses a parameter by name."""

    def answer(body: dict[str, Any]) -> Answer:
        if "top_p" in body:
            return Answer(status=400, text="Unsupported parameter: 'top_p' is not supported with this model.")
        return Answer(text=f"<think>Hm.</think>{well_formed(body['messages'])}")

    with LocalTeacher(answer) as teacher:
        words = "--sampler hash --temperature 0.5 --top-p 0.9 --keep-reasoning --concurrency 1 --model m --base-url".split()
        return run(*words, teacher.base_url)


def options() -> str:
    """Every option that says what a run is; the words of its help are held by docs/commands.md."""
    lines = []
    for name in ("seeds", "preview", "synthesize", "curate"):
        lines.append(f"[{name}]")
        for option in cli.commands[name].params:
            names = " / ".join([*option.opts, *option.secondary_opts])
            lines.append(" | ".join([names, option.metavar or "", kind(option), default(option)]))
    return "\n".join(lines) + "\n"


def kind(option: click.Parameter) -> str:
    numbers = click.types.FloatRange, click.types.IntRange
    words = [repr(option.type) if isinstance(option.type, numbers) else option.type.name]
    words += [str(list(option.type.choices))] if isinstance(option.type, click.Choice) else []
    words += ["required"] if option.required else []
    words += ["flag"] if getattr(option, "is_flag", False) else []
    return " ".join(words)


def default(option: click.Parameter) -> str:
    value = option.get_default(click.Context(cli))
    return f"default {value!r}" if isinstance(value, str | float | int) else ""  # else unset, in the words of each click


def shared_journal() -> str:
    """Where a preview keeps what it was answered, for every later run with the same teacher, prompt and sampling."""
    command("preview", "--seeds", "code", "--n", "1", "--format", "json")
    home = Path(os.environ["HF_HOME"])
    return "".join(f"{folder.relative_to(home)}\n" for folder in (home / "oss-instruct" / "journal").iterdir())


LOADS: dict[str, dict[str, Any]] = {
    "files": {"data_files": "code/*"},
    "folder": {"data_dir": "code"},
    "recipe": {"data_files": "some.ossi", "model": "m"},
    "sft": {"data_files": "code/*", "config_name": "sft"},
    "model": {"data_files": "code/*", "model": "m", "base_url": SERVER},
    "languages": {"data_files": "code/*", "languages": {"python": 2, "javascript": 1}},
    "names of languages": {"data_files": "code/*", "languages": ["C++", "python"], "n": 1},
    "magicoder": {"data_files": "code/*", "model": "m", "sampler": "magicoder"},
    "every argument": {
        "seeds": "code",
        "n": 5,
        "sampler": "hash",
        "snippets_per_document": 3,
        "rng_seed": 7,
        "max_document_bytes": 5000,
        "max_snippet_chars": 600,
        "encoding": "cp1252",
        "code_column": "text",
        "licenses": "MIT,Apache-2.0",
        "filters": ("secrets",),
        "shuffle_seeds": 3,
        "prompt": "Write: {code}",
        "parser": "magicoder",
        "keep_reasoning": True,
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 99,
        "send_seed": False,
        "extra_body": {"top_k": 20},
        "model": "m",
        "base_url": SERVER,
        "concurrency": 3,
        "num_shards": 5,
        "max_requests": 9,
        "max_total_tokens": 1000,
        "max_cost": 5.0,
        "price_in": 1.0,
        "price_out": 2.0,
    },
}


def caches() -> str:
    """Where `load_dataset` keeps the rows of each call: name, config and key, version."""
    with tempfile.TemporaryDirectory() as home:
        builders = {name: OssInstruct(cache_dir=home, dataset_name="oss-instruct", **how) for name, how in LOADS.items()}
        places = {name: str(builder.cache_dir.removeprefix(home)).lstrip("/") for name, builder in builders.items()}
    return json.dumps(places, indent=2) + "\n"


def stock_caches() -> str:
    """The same by `load_dataset`, which says itself which module builds and which version it has."""
    with tempfile.TemporaryDirectory() as home:
        rows = load_dataset("oss-instruct", data_files="code/*", split="train", cache_dir=home)
        (file,) = rows.cache_files
        return (
            json.dumps({"place": file["filename"].removeprefix(home).lstrip("/"), "columns": rows.column_names}, indent=2) + "\n"
        )


TEXTS: dict[str, Callable[[], str]] = {
    "default.yaml": lambda: dry_run("--seeds", "code", "--n", "200"),
    "model.yaml": lambda: dry_run("--seeds", "code", "--n", "200", "--model", "m"),
    "preset.yaml": lambda: dry_run("--preset", "magicoder", "--seeds", "code", "--model", "m"),
    "every_option.yaml": lambda: command("synthesize", *EVERY_OPTION),
    "languages.yaml": lambda: dry_run(
        "--seeds", "code", "--languages", "JavaScript=1,python=2", "--filters", "none", "--licenses", "any"
    ),
    "config.yaml": lambda: dry_run("--config", "some.ossi", "--model", "m"),
    "config_and_flags.yaml": lambda: dry_run(*"--config some.ossi --model m --languages python=1 --max-tokens 9".split()),
    "seeds.jsonl": seeds,
    "options.txt": options,
    "caches.json": caches,
    "load_dataset.json": stock_caches,
    "shared_journal.txt": shared_journal,
    "prompt.txt": lambda: Prompt.default().hash + "\n",
}
RUNS: dict[str, Callable[[], dict[str, str]]] = {"embedded": run_with_the_embedded_teacher, "server": run_with_a_server}


@pytest.mark.parametrize("name", TEXTS)
def test_it_is_as_it_was(name: str) -> None:
    with workplace():
        assert TEXTS[name]() == (SNAPSHOTS / name).read_text()


@pytest.mark.parametrize("name", RUNS)
def test_what_a_run_leaves_is_as_it_was(name: str) -> None:
    with workplace():
        found = RUNS[name]()
    expected = {file: (SNAPSHOTS / f"run_{name}" / file).read_text() for file in found}
    assert found == expected


def test_a_run_of_an_earlier_version_goes_on() -> None:
    """The files above are what version 0.1 left: nobody is asked again, and the rows are the same."""
    with workplace(), LocalTeacher() as teacher:
        Path("out/journal").mkdir(parents=True)
        for name in ("oss_instruct.yaml", "journal.jsonl"):
            to = Path("out", name if name.endswith("yaml") else f"journal/{name}")
            to.write_text((SNAPSHOTS / "run_server" / name).read_text())
        again = "--sampler hash --temperature 0.5 --top-p 0.9 --keep-reasoning --model m --base-url".split()
        command("synthesize", "--seeds", "code", *again, teacher.base_url, *"--n 3 --benchmarks none --out out".split())
        assert not teacher.requests
        rows = "".join(json.dumps(row) + "\n" for row in pq.read_table("out/data").to_pylist())
    assert rows == (SNAPSHOTS / "run_server" / "rows.jsonl").read_text()


def write() -> None:
    for name, make in TEXTS.items():
        with workplace():
            (SNAPSHOTS / name).write_text(make())
    for name, make_all in RUNS.items():
        (SNAPSHOTS / f"run_{name}").mkdir(parents=True, exist_ok=True)
        with workplace():
            for file, text in make_all().items():
                (SNAPSHOTS / f"run_{name}" / file).write_text(text)


if __name__ == "__main__":
    write()
