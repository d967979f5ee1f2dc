"""Commands as batch systems, pipes, disks and old terminals treat them: signals, exit codes, output that cannot be written."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from hf_oss_instruct.terminal import process, streams
from hf_oss_instruct.terminal.signals import defer_signals
from tests.evaluation import toys
from tests.support.teacher import Answer, LocalTeacher, well_formed
from tests.support.warm import BASE, COMMAND

MADE: dict[str, tuple[str, ...]] = {
    "synthesize": ("--n", "4", "--benchmarks", "none", "--out", "o"),
    "preview": ("--n", "2"),
    "seeds": ("--n", "3"),
    "export": ("pairs", "--out", "o"),
    "curate": ("pairs", "--benchmarks", "none", "--out", "o"),
    "score": ("--task", "humaneval_plus", "--data", "bench", "samples.jsonl", "--out", "o"),
    "compare": ("scored", "scored"),
    "publish": ("pairs", "--to", "me/pairs", "--dry-run", "--allow-unchecked"),
    "recipe": ("magicoder",),
    "env": (),
}
"""Command → words with which it prints something. `train` and `evaluate` are tested in their packages."""
WRITES = ("synthesize", "export", "curate", "score")
"""Those that write files into `o`."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the commands read."""
    folder = tmp_path_factory.mktemp("desk")
    toys.plus(folder / "bench")
    toys.write_lines(folder / "samples.jsonl", toys.canonical())
    run(folder, "synthesize", "--n", "6", "--benchmarks", "none", "--out", "pairs", check=True)
    run(folder, *command("score")[:-1], "scored", check=True)
    return folder


@pytest.fixture(autouse=True)
def _no_output_before(desk: Path) -> Iterator[None]:
    yield
    shutil.rmtree(desk / "o", ignore_errors=True)


def command(name: str) -> tuple[str, ...]:
    return name, *MADE[name]


def run(folder: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return BASE.run([COMMAND, *words], cwd=folder, **options)


def wait_until(happened: Callable[[], object], seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def full_pipe() -> Iterator[BinaryIO]:
    """A pipe in which whoever writes waits."""
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    try:
        while True:
            os.write(theirs, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(theirs, True)
    with open(ours, "rb"), open(theirs, "wb") as full:
        yield full


def test_a_process_that_was_asked_to_end_does_not_wait_for_a_reader_that_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    with full_pipe() as full, streams._Output(full.fileno(), "wb", closefd=False) as raw:
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(raw), "utf-8"))
        streams.limit_reader_wait()
        print("what nobody reads", flush=True)
        assert streams.reader_gone()
        assert streams.output_error() is None
        sys.stdout.detach()


@pytest.mark.parametrize("name", MADE)
def test_sigterm_ends_every_command_with_130(name: str, desk: Path) -> None:
    with full_pipe() as full:  # the command waits in its first print
        process = BASE.start([COMMAND, *command(name)], cwd=desk, stdout=full)
        wait_until(lambda: "pipe" in Path(f"/proc/{process.pid}/wchan").read_text() or process.poll() is not None)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)  # `timeout` sends it to the process and to its group
        done = process.wait(60)
    assert (done.returncode, done.stderr.splitlines()[-1:]) == (130, ["Interrupted."])


@pytest.mark.parametrize("name", MADE)
def test_a_reader_that_leaves_changes_nothing_and_a_full_disk_behind_stdout_is_said(name: str, desk: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with open(theirs, "wb") as closed:
        left = run(desk, *command(name), stdout=closed)
    assert (left.returncode, left.stderr) == (0, "")
    shutil.rmtree(desk / "o", ignore_errors=True)
    with open("/dev/full", "wb") as full:
        done = run(desk, *command(name), stdout=full)
    assert (done.returncode, done.stderr.strip().splitlines()[-1:]) == (
        1,
        ["Error: standard output cannot be written: No space left on device. Redirect it elsewhere."],
    )


@pytest.mark.parametrize("name", WRITES)
def test_a_full_disk_is_said_in_a_sentence(name: str, desk: Path) -> None:
    (desk / "o").mkdir()
    if name in ("export", "curate"):
        (desk / "o").rmdir()
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    script = 'mount -t tmpfs -o size=4k none "$1" && shift && exec "$@"'
    small = ["unshare", "--mount", *root, "sh", "-c", script, "sh", str(desk / "disk")]
    (desk / "disk").mkdir(exist_ok=True)
    if subprocess.run([*small, "true"], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    words = [*small, COMMAND, *command(name)[:-1], "disk/o"]
    done = subprocess.run(words, cwd=desk, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "No space left on device" in done.stderr
    assert "Free disk space" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "way_out"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "locked/run.json"), "Change its permissions"),
        (OSError(errno.ENOSPC, "No space left on device", "o/run.json"), "Free disk space"),
        (OSError(errno.EIO, "Input/output error", "o/run.json"), "Repair or move it"),
    ],
    ids=["unreadable", "full", "broken"],
)
def test_the_way_out_of_an_unusable_file_fits_the_reason(
    error: OSError, way_out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise error

    assert process._exit_code(command) == 1
    said = capsys.readouterr().err
    assert f"{error.filename!r} cannot be used: {error.strerror}. {way_out}" in said
    assert ("disk space" in said) == (error.errno == errno.ENOSPC)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_run_that_is_asked_to_end_waits_for_its_requests_writes_its_tables_and_goes_on_later(
    number: signal.Signals, tmp_path: Path
) -> None:
    asked_to_end = threading.Event()

    def first_ten_at_once(body: dict[str, Any]) -> Answer:
        return Answer(text=well_formed(body["messages"]), after=asked_to_end if len(teacher.requests) > 10 else None)

    with LocalTeacher(first_ten_at_once) as teacher:
        words = ["synthesize", "--n", "40", "--model", "m", "--base-url", teacher.base_url, "--concurrency", "4", "--out", "o"]
        process = BASE.start([COMMAND, *words], cwd=tmp_path)
        journal = tmp_path / "o" / "journal"
        wait_until(lambda: sum(len(path.read_bytes().splitlines()) for path in journal.glob("*")) >= 10)
        wait_until(lambda: len(teacher.requests) == 14)
        process.send_signal(number)
        time.sleep(0.2)
        asked_to_end.set()
        done = process.wait(60)
    assert done.returncode == 130
    assert "Continue with:" in done.stderr
    facts = json.loads((tmp_path / "o" / "run.json").read_text())
    assert facts["kept"] + sum(facts["rejected"].values()) == 14
    assert (tmp_path / "o" / "data").is_dir()
    with LocalTeacher() as teacher:
        words[6] = teacher.base_url
        assert run(tmp_path, *words).returncode == 0


def test_programs_that_are_judged_end_with_the_command(desk: Path) -> None:
    slow = {"task_id": "HumanEval/900", "completion": "    import time\n    time.sleep(120)\n"}
    toys.write_lines(desk / "slow.jsonl", [slow, *toys.canonical()[1:]])
    words = ["score", "--task", "humaneval_plus", "--data", "bench", "slow.jsonl", "--out", "o"]
    process = BASE.start([COMMAND, *words], cwd=desk)
    verdicts = desk / "o" / "verdicts.jsonl"
    wait_until(lambda: verdicts.exists() and len(verdicts.read_bytes().splitlines()) == 2)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    done = process.wait(60)
    assert done.returncode == 130
    *_, why, typed = done.stderr.splitlines()
    assert why == "Interrupted. Finished work is kept in o. Continue with:"
    assert typed.startswith("  hf-oss-instruct score ")
    assert time.monotonic() - started < 30  # the program would have run for a minute and more
    assert len(verdicts.read_bytes().splitlines()) == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_an_output_that_lacks_a_character_gets_another(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text('def größe(x):\n    """→ 東京"""\n    return x\n', "utf-8")
    env = os.environ | {"PYTHONIOENCODING": encoding}
    ran = run(tmp_path, "synthesize", "--n", "3", "--benchmarks", "none", "--out", "o", env=env)
    assert ran.returncode == 0, ran.stderr
    assert "-> o" in ran.stdout
    shown = run(tmp_path, "seeds", "--seeds", "code", "--n", "1", env=env)
    assert shown.returncode == 0, shown.stderr
    assert "-> \\u6771\\u4eac" in shown.stdout
    assert encoding != "ascii" or (ran.stdout + ran.stderr).isascii()


def test_only_another_ctrl_c_breaks_what_ends_in_good_order() -> None:
    with defer_signals() as stopping:
        assert not stopping
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)  # at once: the same request, delivered twice
        assert stopping
        time.sleep(0.6)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.6)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with defer_signals() as stopping:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stopping
    finally:
        signal.signal(signal.SIGHUP, before)
