"""The command line as people type it: exit codes, messages, JSON, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq
import pytest
import yaml

from hf_oss_instruct.cli import cli, main

from .support.teacher import Answer, LocalTeacher, well_formed
from .support.warm import BASE, COMMAND


def hf(*words: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return BASE.run([COMMAND, *words], env=os.environ | (env or {}), cwd=cwd)


def report(out: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((out / "run.json").read_text())
    assert facts["requested"] == facts["kept"] + sum(facts["rejected"].values()) + facts["pending"]
    return facts


def test_preview_shows_pairs_and_writes_no_data_set(tmp_path: Path, fresh_cache: Path) -> None:
    done = hf("preview", "--n", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "── problem" in done.stdout
    assert "--model" in done.stdout  # names the way to a real teacher
    assert "hf-oss-instruct synthesize --n 200 --out pairs" in done.stdout
    assert not [path for path in tmp_path.iterdir() if path != fresh_cache]


def test_what_a_preview_paid_for_is_reused_by_the_run(tmp_path: Path) -> None:
    with LocalTeacher() as teacher:
        words = ("--model", "m", "--base-url", teacher.base_url)
        shown = hf("preview", "--n", "3", *words, "--no-seed", "--temperature", "0.5")
        assert shown.returncode == 0
        assert "Look at: hf-oss-instruct seeds --n 3\n" in shown.stdout, "without options that seeds does not have"
        assert len(teacher.requests) == 3
        words += ("--no-seed", "--temperature", "0.5")
        assert hf("synthesize", "--n", "5", *words, "--out", tmp_path / "out").returncode == 0
        assert len(teacher.requests) == 5
    assert report(tmp_path / "out")["requests_sent"] == 2
    # The run's own journal holds all five, so that it does not depend on the cache.
    lines = [line for path in (tmp_path / "out" / "journal").iterdir() for line in path.read_text().splitlines()]
    assert len(lines) == 5


def test_json_is_for_programs(tmp_path: Path) -> None:
    done = hf("preview", "--n", "3", "--format", "json")
    assert done.returncode == 0, done.stderr
    outcomes = [json.loads(line)["outcome"] for line in done.stdout.splitlines()]
    assert (len(outcomes), set(outcomes) - {"kept", "rejected"}) == (3, set())
    seeds = [json.loads(line) for line in hf("seeds", "--n", "2", "--format", "json").stdout.splitlines()]
    assert [seed["index"] for seed in seeds] == [0, 1]
    assert seeds[0]["origin"]["licenses"] == ["PSF-2.0"]
    ended = json.loads(hf("synthesize", "--n", "5", "--out", tmp_path / "o", "--format", "json").stdout)
    assert ended["requested"] == 5
    assert json.loads(hf("env", "--format", "json").stdout)["datasets"]


def test_quiet_prints_nothing(tmp_path: Path) -> None:
    done = hf("synthesize", "--n", "5", "--out", tmp_path / "o", "--format", "quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_dry_run_asks_nobody_and_writes_nothing(tmp_path: Path) -> None:
    with LocalTeacher() as teacher:
        words = ("--n", "7", "--model", "m", "--base-url", teacher.base_url, "--out", tmp_path / "o", "--dry-run")
        done = hf("synthesize", *words)
        assert done.returncode == 0
        assert not teacher.requests
    assert yaml.safe_load(done.stdout)["seeds"]["n"] == 7
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("command", ["synthesize", "verify", "evolve", "judge"])
def test_a_dry_run_is_one_json_object_for_programs_and_nothing_with_quiet(tmp_path: Path, command: str) -> None:
    rows = [{"problem": f"Add {n}.", "solution": f"def add(x):\n    return x + {n}", "tests": ["assert add"][:n]} for n in (0, 1)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = {"synthesize": ["--n", "2"], "judge": [tmp_path / "rows.jsonl", "--judge", "m"]}.get(
        command, [tmp_path / "rows.jsonl"]
    )
    at = ["--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--out", tmp_path / "out", "--dry-run"]
    shown = {how: hf(command, *words, *at, "--format", how) for how in ("auto", "human", "json", "quiet")}
    assert {how: (done.returncode, done.stderr) for how, done in shown.items()} == dict.fromkeys(shown, (0, ""))
    assert shown["human"].stdout == shown["auto"].stdout != ""
    plan = json.loads(shown["json"].stdout)
    costs = {"synthesize": [1, 1], "verify": [0, 1], "evolve": [1, 2], "judge": [1, 1]}
    assert (plan["rows"], plan["requests_per_row"]) == (2, costs[command])
    assert shown["quiet"].stdout == ""


def test_a_dry_run_refuses_a_folder_that_the_run_refuses(tmp_path: Path) -> None:
    def synthesize(n: int, out: str, *more: str) -> str:
        words = ("--n", str(n), "--benchmarks", "none", "--out", tmp_path / out, "--format", "quiet")
        return hf("synthesize", *words, *more).stderr

    assert synthesize(3, "pairs") == synthesize(3, "pairs", "--dry-run") == ""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    for n, out, said in (
        (4, "pairs", "belongs to another run: --n: 3"),
        (3, "mine", "contains other files"),
        (3, "a*", "pattern"),
    ):
        refused = synthesize(n, out, "--dry-run")
        assert said in refused
        assert refused == synthesize(n, out)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("synthesize", "--out", "o"), "Pass --n 200"),
        (("synthesize", "--n", "5", "--out", "o", "--languages", "klingon"), "Unknown language 'klingon'"),
        (("synthesize", "--n", "5", "--out", "o", "--languages", ", ,"), "--languages ', ,' contains no language."),
        (("synthesize", "--out", "o", "--languages", "python=many"), "must be a number"),
        (("synthesize", "--out", "o", "--languages", "python=3,java"), "count for every language or for none"),
        (("synthesize", "--n", "5", "--out", "o", "--base-url", "http://localhost:1/v1"), "need --model"),
        (("synthesize", "--n", "5", "--out", "o", "--model", "m", "--base-url", "localhost:1"), "not an http(s) URL"),
        (("synthesize", "--n", "5", "--out", "o", "--sampler", "hash"), "embedded teacher"),
        (("synthesize", "--n", "5", "--out", "o", "--preset", "magicoder"), "count for each language"),
        (("preview", "--model", "m", "--teacher", "comment-function"), "is embedded and uses no model"),
        (("preview", "--model", "m", "--api-key-env", "NOT_SET"), "'NOT_SET' is not set"),
        (("preview", "--snippets-per-document", "few"), "a number or 'auto'"),
        (("preview", "--n", "0"), "0 is not in the range"),
        (("preview", "--timeout", "0"), "0 is not in the range"),
        (("preview", "--timeout", "soon"), "'soon' is not a valid float"),
        (("preview", "--extra-body", "{top_k: 5}"), "is not JSON"),
        (("preview", "--extra-body", "[5]"), "not a JSON object"),
        (("preview", "--model", "m", "--extra-body", '{"stream": true}'), "sets 'stream'"),
        (("preview", "--model", "m", "--teacher", "transformers", "--extra-body", "{}"), "(extra_body=) does not apply"),
        (("previw",), "No such command"),
    ],
)
def test_wrong_usage_exits_2_and_says_the_way_out(
    words: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["hf-oss-instruct", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: None, "does not exist"),
        (lambda folder: folder.mkdir(), "contains no source code"),
        (lambda folder: (folder.mkdir(), (folder / "notes.txt").write_text("x")), "contains no source code"),
        (lambda folder: (folder.mkdir(), (folder / "a.parquet").write_bytes(b"PAR1 cut")), "cannot be read"),
    ],
    ids=["missing", "empty", "no source", "truncated parquet"],
)
def test_bad_seeds_exit_1_with_one_sentence(make: Any, says: str, tmp_path: Path) -> None:
    make(tmp_path / "code")
    done = hf("preview", "--seeds", tmp_path / "code", "--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_more_seeds_than_there_are_keeps_what_there_is_and_exits_1(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "one.py").write_text("def one():\n    return 1\n")
    with LocalTeacher() as teacher:
        words = ("--n", "50", "--model", "m", "--base-url", teacher.base_url)
        done = hf("synthesize", "--seeds", tmp_path / "code", *words, "--out", tmp_path / "o")
    assert done.returncode == 1
    assert "of 50 requested seeds" in done.stderr
    facts = report(tmp_path / "o")
    assert facts["requested"] == 50
    assert facts["kept"] == len(pq.read_table(tmp_path / "o" / "data"))
    assert facts["kept"] >= 1


@pytest.mark.parametrize(("status", "way_out"), [(401, "--api-key-env"), (402, "credit"), (403, "may call"), (404, "--model")])
def test_a_teacher_that_cannot_go_on_stops_the_run_and_rejects_nothing(status: int, way_out: str, tmp_path: Path) -> None:
    with LocalTeacher(lambda body: Answer(status=status, text="the server's own words")) as teacher:
        words = ("--n", "9", "--model", "m", "--base-url", teacher.base_url, "--out", tmp_path / "o")
        done = hf("synthesize", *words)
    assert done.returncode == 1
    assert f"HTTP {status}: the server's own words" in done.stderr
    assert way_out in done.stderr
    assert "Continue with:\n  hf-oss-instruct synthesize --n 9" in done.stderr
    facts = report(tmp_path / "o")
    assert (facts["kept"], facts["rejected"], facts["pending"]) == (0, {}, 9)


def test_a_server_that_is_down_is_said_within_seconds(tmp_path: Path) -> None:
    started = time.monotonic()
    done = hf("synthesize", "--n", "9", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--out", tmp_path / "o")
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert report(tmp_path / "o")["pending"] == 9
    assert time.monotonic() - started < 60


def test_a_teacher_that_only_babbles_is_counted_and_exits_1(tmp_path: Path) -> None:
    with LocalTeacher(lambda body: Answer(text="la la la \x1b[31m")) as teacher:
        words = ("--n", "4", "--model", "m", "--base-url", teacher.base_url, "--out", tmp_path / "o")
        done = hf("synthesize", *words)
    assert done.returncode == 1
    assert "Error: No seed yielded a pair (unparsable: " in done.stderr
    assert "Try another model, or a larger --n, and a new --out." in done.stderr
    assert "Next:" not in done.stdout
    assert report(tmp_path / "o")["rejected"] == {"unparsable": 4}
    rejected = pq.read_table(tmp_path / "o" / "rejected").to_pylist()
    assert {row["received"] for row in rejected} == {"la la la \x1b[31m"}


def test_a_preview_without_pairs_gives_the_reason_in_every_format_and_no_next_command(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text('def one():\n    """One."""\n    return 1\n')
    for output in ("quiet", "human"):
        done = hf("preview", "--seeds", tmp_path / "code.py", "--n", "1", "--format", output)
        assert done.returncode == 1
        assert "No seed yielded a pair (thin_documentation: 1 words of documentation, 8 needed)." in done.stderr
        assert "Pass a model with --model, or more seeds with --n." in done.stderr
        assert "Next:" not in done.stdout


def test_after_a_run_of_the_embedded_teacher_the_next_command_previews_the_same_seeds(tmp_path: Path) -> None:
    text = "Return the number one, which is the smallest number that is larger than zero."
    (tmp_path / "code.py").write_text(f'def one():\n    """{text}"""\n    return 1\n')
    done = hf("synthesize", "--seeds", "code.py", "--n", "1", "--out", "pairs", cwd=tmp_path)
    assert "Next:    hf-oss-instruct preview --seeds code.py --model MODEL\n" in done.stdout, done.stderr


def test_answers_cannot_write_to_the_terminal() -> None:
    text = "[Problem Description]\n\x1b]0;owned\x07 do it \u202e\n[Solution]\n\x1b[2Jcode"
    with LocalTeacher(lambda body: Answer(text=text)) as teacher:
        done = hf("preview", "--n", "1", "--model", "m", "--base-url", teacher.base_url)
    assert done.returncode == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout)
    assert r"\x1b[2Jcode" in done.stdout


def test_ctrl_c_keeps_everything_received_and_prints_the_line_that_continues(tmp_path: Path) -> None:
    def first_ten_at_once(body: dict[str, Any]) -> Answer:
        return Answer(latency_s=0.0 if len(teacher.requests) <= 10 else 3.0)

    with LocalTeacher(first_ten_at_once) as teacher:
        words = ["--n", "40", "--model", "m", "--base-url", teacher.base_url, "--out", str(tmp_path / "o"), "--concurrency", "10"]
        process = BASE.start([COMMAND, "synthesize", *words])
        journal = tmp_path / "o" / "journal"
        deadline = time.monotonic() + 60
        while sum(len(path.read_bytes().splitlines()) for path in journal.glob("*")) < 10 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        done = process.wait(60)
        assert done.returncode == 130
        assert "Interrupted." in done.stderr
        assert f"hf-oss-instruct synthesize {' '.join(words)}" in done.stderr
        received = sum(len(path.read_bytes().splitlines()) for path in journal.glob("*"))
        assert 40 - report(tmp_path / "o")["pending"] == received == len(teacher.requests)  # those in flight are waited for
        assert 10 <= received < 40
    with LocalTeacher() as teacher:
        words[5] = teacher.base_url  # another address, the same teacher
        done = hf("synthesize", *words)
        assert done.returncode == 0, done.stderr
        assert len(teacher.requests) == 40 - received
    assert report(tmp_path / "o")["pending"] == 0


def test_the_planted_token_is_nowhere(tmp_path: Path) -> None:
    token = "hf_" + "planted" * 5
    with LocalTeacher(lambda body: Answer(text=well_formed(body["messages"]))) as teacher:
        words = ("--n", "3", "--model", "m", "--base-url", teacher.base_url, "--out", tmp_path / "o")
        done = hf("synthesize", *words, env={"HF_TOKEN": token})
        again = hf("synthesize", *words, "--api-key-env", "HF_TOKEN", env={"HF_TOKEN": token})
    assert done.returncode == 0
    assert again.returncode == 2
    assert "never sent" in again.stderr
    assert token not in str(teacher.requests) + done.stdout + done.stderr
    for path in (tmp_path / "o").rglob("*"):
        assert path.is_dir() or token.encode() not in path.read_bytes()


def test_what_is_refused_is_chosen_counted_and_written_down(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    for name, text in (
        ("mine.py", "def one():\n    return 1\n"),
        ("theirs.py", "def two():\n    return 2\n"),
        ("flat.py", "x = 1\n"),
    ):
        (code / name).write_text(f"# SPDX-License-Identifier: MIT\n{text}")
    (tmp_path / "deny.txt").write_text("path: theirs.py  # asked on 2026-11-02\n")
    with LocalTeacher() as teacher:
        words = ("--n", "3", "--snippets-per-document", "1", "--model", "m", "--base-url", teacher.base_url)
        refusing = ("--licenses", "permissive", "--deny", tmp_path / "deny.txt")
        done = hf("synthesize", "--seeds", code, *words, *refusing, "--out", tmp_path / "o")
    assert done.returncode == 1  # one seed of three
    facts = report(tmp_path / "o")
    assert facts["documents_skipped"]["denied"] == 1
    assert facts["documents_skipped"]["no_definition"] == 1
    config = (tmp_path / "o" / "oss_instruct.yaml").read_text()
    assert "licenses: permissive" in config
    assert "theirs.py" not in config
    [row] = pq.read_table(tmp_path / "o" / "data").to_pylist()
    assert (row["file_path"], row["licenses"]) == ("mine.py", ["MIT"])


def test_the_hf_command_lists_and_runs_it_as_an_extension(tmp_path: Path) -> None:
    manifest = {
        "owner": "them",
        "repo": "hf-oss-instruct",
        "repo_id": "them/hf-oss-instruct",
        "short_name": "oss-instruct",
        "executable_path": str(COMMAND),
        "type": "python",
        "installed_at": "2026-11-26T00:00:00+00:00",
    }  # what `hf extensions install` leaves, which takes the package from GitHub
    folder = tmp_path / ".local" / "share" / "hf" / "extensions" / "hf-oss-instruct"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    environment = os.environ | {"HOME": str(tmp_path)}

    def real_hf(*words: str) -> str:
        run = [COMMAND.with_name("hf"), *words]
        return subprocess.run(run, env=environment, capture_output=True, text=True, timeout=120, check=True).stdout

    assert "oss-instruct" in real_hf("extensions", "list")
    assert "── problem" in real_hf("oss-instruct", "preview", "--n", "1")


@pytest.mark.parametrize(
    ("command", "parameter", "names"),
    [
        ("evaluate", "style", "evaluation.prompts:STYLES"),
        ("evaluate", "backend", "evaluation.integrations.lighteval_models:BACKENDS"),
        ("export", "kind", "exports.export:WRITERS"),
        ("launch", "on", "scale.launch:EXECUTORS"),
    ],
)
def test_choices_are_the_names_that_the_function_knows(command: str, parameter: str, names: str) -> None:
    """Commands write them down, because the modules that know them are heavy, and help works without those."""
    choices = next(given.type for given in cli.commands[command].params if given.name == parameter)
    assert isinstance(choices, click.Choice)
    module, _, known = names.partition(":")
    assert list(choices.choices) == list(getattr(import_module(f"hf_oss_instruct.{module}"), known))
