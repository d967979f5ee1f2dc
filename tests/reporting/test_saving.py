"""A report is written to a new folder or over an earlier report, and never over anything else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hf_oss_instruct.cli import cli
from hf_oss_instruct.errors import RunError
from hf_oss_instruct.progress.counts import Counts, Silent
from hf_oss_instruct.reporting.report import report
from hf_oss_instruct.storage.workdir import locked

from .datasets import kept, run_folder

SITE = {"index.html": "<h1>My site</h1>", "report.json": '{"sales": 3}', "rows/a.txt": "my rows", "pictures/p.png": "my picture"}


def put(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def texts(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", [*SITE, "all"])
def test_a_folder_with_other_files_is_refused_and_left_as_it_was(tmp_path: Path, name: str) -> None:
    run = run_folder(tmp_path / "run", [kept(0)])
    files = SITE if name == "all" else {name: SITE[name]}
    site = put(tmp_path / "site", files)
    done = CliRunner().invoke(cli, ["report", str(run), "--out", str(site), "--benchmarks", "none"])
    assert isinstance(done.exception, RunError), done.output
    assert f"{str(site)!r} is not empty: it contains {min(files).split('/')[0]}" in str(done.exception)
    assert str(done.exception).endswith("Use a new or empty folder.")
    with pytest.raises(RunError, match="is not empty"):
        report(run, benchmarks=[]).save(site, browser=False)
    assert texts(site) == files


def test_a_default_folder_that_is_not_a_report_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = run_folder(tmp_path / "run", [kept(0)])
    put(run / "report", {"thesis.txt": "mine"})
    done = CliRunner().invoke(cli, ["report", "run", "--benchmarks", "none"])
    assert "'run/report' is not empty: it contains thesis.txt" in str(done.exception)
    put(tmp_path, {"report": "a file"})
    done = CliRunner().invoke(cli, ["report", "run/data", "--out", "run", "--benchmarks", "none"])
    assert "'run' is not empty" in str(done.exception), "the rows themselves are in that folder"
    with pytest.raises(RunError, match="'report' is a file"):
        report(run, benchmarks=[]).save("report")


def test_an_earlier_report_is_replaced_and_what_others_put_beside_it_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    report([kept(number) for number in range(600)], benchmarks=[]).save(out)
    assert {path.name for path in (out / "rows").iterdir()} == {"00000.js", "00001.js", "index.js"}
    put(out, {"notes.txt": "mine", "rows/a.txt": "mine"})
    report([kept(0)], benchmarks=[]).save(out)
    assert {path.name for path in (out / "rows").iterdir()} == {"00000.js", "index.js", "a.txt"}
    (out / "rows/a.txt").unlink()
    report([kept(0)], benchmarks=[]).save(out, browser=False)
    assert not (out / "rows").exists()
    assert (out / "notes.txt").read_text() == "mine"


def test_a_folder_that_another_report_is_written_to_is_refused(tmp_path: Path) -> None:
    run, out = run_folder(tmp_path / "run", [kept(0)]), tmp_path / "out"
    out.mkdir()
    with locked(out):
        done = CliRunner().invoke(cli, ["report", str(run), "--out", str(out), "--benchmarks", "none"])
        with pytest.raises(RunError, match="is in use by process"):
            report(run, benchmarks=[]).save(out, browser=False)
    assert f"The folder {str(out)!r} is in use by process" in str(done.exception)
    assert [path.name for path in out.iterdir()] == [".lock"]
    assert CliRunner().invoke(cli, ["report", str(run), "--out", str(out), "--benchmarks", "none"]).exit_code == 0


class Interrupted(Silent):
    """Ctrl-C while the charts are drawn."""

    @contextmanager
    def stage(self, title: str, *words: Any, **options: Any) -> Iterator[Counts]:
        if title == "Drawing charts":
            raise KeyboardInterrupt
        yield Counts()


def test_a_report_that_was_interrupted_can_be_written_again(tmp_path: Path) -> None:
    made, out = report([kept(0)], benchmarks=[]), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        made.save(out, progress=Interrupted())
    assert (out / "rows/index.js").exists()
    assert not (out / "index.html").exists()
    assert made.save(out).exists()


@pytest.mark.parametrize("blocked", ["", "pictures", "rows", "index.html"])
def test_what_cannot_be_written_is_named_with_the_way_out(tmp_path: Path, blocked: str) -> None:
    measured = report(run_folder(tmp_path / "run", [kept(0)]), benchmarks=[])
    if blocked:
        site = measured.save(tmp_path / "site").parent
        obstacle = site / blocked
        if obstacle.is_dir():
            shutil.rmtree(obstacle)
            obstacle.touch()  # a file where a folder should be
        else:
            obstacle.unlink()
            obstacle.mkdir()
            (obstacle / "a file").touch()
    else:
        (tmp_path / "file").touch()
        site = tmp_path / "file" / "site"
    with pytest.raises(RunError, match=r"site.* cannot be written: .* [Uu]se another folder\."):
        measured.save(site)
