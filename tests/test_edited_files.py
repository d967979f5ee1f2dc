"""Whatever stands in a file that somebody can edit: an error of ours or an answer, never a traceback."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.curation.run import curate
from hf_oss_instruct.errors import OssInstructError, UsageError
from hf_oss_instruct.evaluation import generation
from hf_oss_instruct.evaluation.problems import Benchmark, Calls, Problem
from hf_oss_instruct.evaluation.samples import read_samples
from hf_oss_instruct.evaluation.scoring import results
from hf_oss_instruct.evaluation.scoring.reference import References
from hf_oss_instruct.evaluation.scoring.run import compare_runs
from hf_oss_instruct.sandbox.backends import available_tiers
from hf_oss_instruct.seeds.repo_config import read_repo_config
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.synthesis.export import export
from hf_oss_instruct.synthesis.sessions import earlier_report
from hf_oss_instruct.training.estimate import Shape
from hf_oss_instruct.training.recipes import load_recipe, read_yaml
from hf_oss_instruct.training.sources import TrainingSource, why_unchecked

BENCHMARK = Benchmark("humaneval", "1", "here", {})
ROW = '{"problem": "p", "solution": "s"}\n'
CONTENTS: list[str | bytes] = [
    *("", "[]", "null", "7", '"x"', "{", "[" * 100_000, '{"a":' * 50_000, "- " * 10_000, "[" * 10_000, "a: &x [1]\nb: *x"),
    *('{"kept": NaN}', '{"kept": 1e999}', json.dumps({"kept": 10**30}), '{"checks": 5}', '{"checks": [5]}', '{"teacher": []}'),
    *('{"task": 1}', '{"task": "humaneval", "version": null}', '{"task_id": [], "solution": {}}', '{"style": {}}'),
    *("version: 1\nseeds: []", "version: 1\nseeds: {n: 99999999999999999999}", "version: 1\nseeds: {languages: {python: [1]}}"),
    *("version: 1\nsampling: {temperature: .nan}", "version: 1\nprompt: {text: 5}", b"\xff\xfe\x00", b"\x1f\x8b\x00broken"),
    *('{"hidden_size": 0, "num_hidden_layers": 0, "vocab_size": 0, "num_attention_heads": 0}', '{"hidden_size": "x"}'),
]  # fmt: skip


def folder_with(folder: Path, content: str | bytes) -> None:
    """Every file that a command reads from a folder, with the same content."""
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    for name in (
        "run.json",
        "oss_instruct.yaml",
        "results.json",
        "verdicts.jsonl",
        "generation.json",
        "samples.jsonl",
        "samples.json",
        "config.json",
    ):
        (folder / name).write_bytes(data)
    (folder / "rows").mkdir(exist_ok=True)
    (folder / "rows" / "a.jsonl").write_text(ROW)
    (folder / "rows" / "run.json").write_bytes(data)


def _alone(folder: Path, name: str) -> Path:
    """A folder that has nothing but a copy of this file."""
    (folder / "alone").mkdir(exist_ok=True)
    (folder / "alone" / name).write_bytes((folder / name).read_bytes())
    return folder / "alone"


READERS: dict[str, Callable[[Path], Any]] = {
    "run config": lambda folder: RunSpec.from_file(folder / "oss_instruct.yaml"),
    "run config of a repository": lambda folder: read_repo_config(str(folder / "oss_instruct.yaml")),
    "training recipe": lambda folder: read_yaml(folder / "oss_instruct.yaml"),
    "report of a run": earlier_report,
    "export": lambda folder: export(folder, folder / "exported"),
    "curate": lambda folder: curate(str(folder / "rows"), folder / "curated", steps=["duplicates"]),
    "results": lambda folder: results.claim(_alone(folder, results.RESULTS), BENCHMARK, {"samples": "samples.jsonl"}),
    "verdicts": results.read_verdicts,
    "compare": lambda folder: compare_runs(folder, folder),
    "generation": lambda folder: generation.claim(folder, {"task": "humaneval"}),
    "style": generation.style_of,
    "samples": lambda folder: read_samples(folder / "samples.jsonl"),
    "samples in one JSON value": lambda folder: read_samples(folder / "samples.json"),
    "training data": lambda folder: why_unchecked(TrainingSource(str(folder))),
    "rows of training data": lambda folder: load_recipe("magicoder", data=str(folder), gpus=1),
    "size of a model": lambda folder: Shape.of(str(folder)),
}


@pytest.mark.parametrize("reader", READERS)
def test_no_content_of_a_file_is_a_traceback(reader: str, tmp_path: Path) -> None:
    for number, content in enumerate(CONTENTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        folder_with(folder, content)
        with suppress(OssInstructError):
            READERS[reader](folder)


def test_a_run_config_that_means_the_hub_is_no_local_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hf_oss_instruct.seeds.resolve import open_named

    (tmp_path / "them" / "code").mkdir(parents=True)
    (tmp_path / "them" / "code" / "a.py").write_text("def f(x):\n    return x\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="a local folder has the same name"):
        open_named("them/code", None)


@pytest.mark.skipif(not available_tiers(), reason="this machine has no sandbox: hf-oss-instruct env says why")
def test_damaged_expected_values_are_made_again(tmp_path: Path) -> None:
    folder, calls = tmp_path / "expected", Calls([[1], [2]], base=2)
    problem = Problem("P/1", "python", "", "f", (), "print", reference="def f(x): return x + 1", calls=calls)
    assert References(folder).of(problem).expected == [2, 3]
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    text = gzip.decompress(whole)
    damaged = [
        b"",
        whole[:20],
        whole[:-1] + b"x",
        b"\0" * 100,
        *(gzip.compress(one) for one in (b"[]", b"{}\n1\n2", b"[" * 10_000)),
    ]
    damaged += [gzip.compress(text.replace(b"\n2\n3", change)) for change in (b"\n2", b"\n2\n4", b"\n2\n[[[", b'\n2\n{"t": 5}')]
    damaged.append(gzip.compress(text.replace(b'"calls": 2', b'"calls": "2"')))
    for content in damaged:
        path.write_bytes(content)
        assert References(folder).of(problem).expected == [2, 3]
        assert gzip.decompress(path.read_bytes()).endswith(b"\n2\n3")


@pytest.mark.skipif(not available_tiers(), reason="this machine has no sandbox: hf-oss-instruct env says why")
def test_a_cache_that_cannot_be_written_costs_time_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    problem = Problem("P/1", "python", "", "f", (), "x", reference="def f(x): return x", calls=Calls([[1]], base=1))
    with pytest.warns(RuntimeWarning, match="computes them again"):
        assert References(tmp_path / "file" / "expected").of(problem).expected == [1]
