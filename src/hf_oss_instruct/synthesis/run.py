"""A run in a folder: what `synthesize --out DIR` makes, continues and refuses."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hf_oss_instruct.curation.dedup import ExactDuplicates
from hf_oss_instruct.data import (
    FORMAT_VERSION,
    REJECTED_SCHEMA,
    SCHEMA,
    SFT_SCHEMA,
    Pending,
    Rejection,
    Row,
    Seed,
    Skipped,
    provenance_columns,
)
from hf_oss_instruct.errors import OssInstructError, RunError
from hf_oss_instruct.publishing.cards import dataset_card
from hf_oss_instruct.synthesis.asking import Patience
from hf_oss_instruct.synthesis.budget import Budget, Limits, Spent
from hf_oss_instruct.synthesis.config import PARSERS, RunConfig
from hf_oss_instruct.synthesis.engine import Outcome, outcomes
from hf_oss_instruct.synthesis.journal import Journal
from hf_oss_instruct.synthesis.method import Method
from hf_oss_instruct.synthesis.sampling import Source, sample
from hf_oss_instruct.synthesis.teacher import Teacher
from hf_oss_instruct.synthesis.writer import Shards
from hf_oss_instruct.templates import to_prompt_completion

CONFIG, REPORT, CARD = "oss_instruct.yaml", "run.json", "README.md"
AHEAD = 64
"""Seeds in work beyond the one whose turn it is, as a multiple of `concurrency`: a slow answer delays rows, not sending."""
PACKAGES = ("hf-oss-instruct", "datasets", "huggingface_hub", "pyarrow")
TICK_S = 0.25
SAMPLES = 2
"""Rows shown on the card."""


@dataclass
class Tally:
    """What became of the seeds so far: requested = kept + sum(rejected) + pending, at every moment."""

    requested: int
    kept: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    samples: list[Row] = field(default_factory=list)
    spent: Spent = field(default_factory=Spent)
    limits: Limits = field(default_factory=Limits)
    first_why: str = ""

    @property
    def done(self) -> int:
        """Seeds that are kept or rejected."""
        return self.kept + self.rejected.total()

    @property
    def pending(self) -> int:
        """Seeds asked for that have no answer yet, read or not."""
        return self.requested - self.done

    def keep(self, row: Row) -> None:
        """Count a kept row."""
        self.kept += 1
        self.languages[row["lang"]] += 1
        self.licenses.update(row["licenses"] or ["not stated"])
        if len(self.samples) < SAMPLES:
            self.samples.append(row)


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        tally: the counts.
        report: `run.json` as written.
        trouble: what stopped it before every seed was answered; None if nothing did.
        interrupted: it was stopped by Ctrl-C.
    """

    tally: Tally
    report: dict[str, Any]
    trouble: OssInstructError | None = None
    interrupted: bool = False


def run(
    out: Path,
    config: RunConfig,
    source: Source,
    teacher: Teacher,
    *,
    concurrency: int = 16,
    patience: Patience | None = None,
    limits: Limits | None = None,
    on_progress: Callable[[Tally], None] = lambda tally: None,
) -> Ended:
    """Make, or continue, the run in `out`, and leave a data set there that `load_dataset` reads.

    Whatever stops it, what was received is in the journal, parquet, report and card say how far it came, and the same call
    goes on from there.

    Raises:
        RunError: `out` holds something else, another run, or is in use; or it cannot be written.
        UsageError, SeedError: as `open_source` and `SeedPlan` do.
    """
    config = pinned(config, source)
    seeds = _opened(sample(source, config.seeds))
    method = Method(teacher, config.prompt, config.sampling, PARSERS[config.parser], numbered=config.seeds.sampler == "magicoder")
    with _occupied(out):
        before = _adopt(out, config, method)
        tally, started = Tally(config.seeds.requested or 0, limits=limits or Limits()), time.monotonic()
        tables = _Tables(out)
        trouble: OssInstructError | None = None
        interrupted = False
        with Journal(out / "journal", also=[method.journal_home]) as journal:

            async def work() -> bool:
                stop = _on_ctrl_c()
                stream = outcomes(
                    seeds,
                    method,
                    journal,
                    concurrency=concurrency,
                    ahead=AHEAD * concurrency,
                    patience=patience,
                    budget=Budget(limits, _spent_before(before)),
                    spent=tally.spent,
                    stop=stop,
                )
                ticking = asyncio.create_task(_tick(lambda: on_progress(tally)))
                try:
                    await _consume(stream, tally, tables, config)
                finally:
                    ticking.cancel()
                return stop.is_set()

            try:
                interrupted = asyncio.run(work())
            except OssInstructError as error:
                trouble = error
            except KeyboardInterrupt:  # a second Ctrl-C, or one that came before the first could be heard
                interrupted = True
            report = _report(config, method, tally, before, time.monotonic() - started, journal.dropped)
        _publish(out, tables, config, method, tally, report)
        return Ended(tally, report, trouble, interrupted)


def _opened(seeds: Iterator[Seed | Skipped]) -> Iterator[Seed | Skipped]:
    """The same seeds; a source that cannot be read says so now, before a folder is made for its rows."""
    first = list(islice(seeds, 1))
    return chain(first, seeds)


def pinned(config: RunConfig, source: Source) -> RunConfig:
    """The config with the revision that the source has now.

    Raises:
        RunError: the config names another revision.
    """
    if config.revision not in (None, source.revision):
        raise RunError(
            f"The run config was made from {source.name} at {config.revision}, here it is {source.revision}. Bring that "
            "revision back, or remove seeds.revision from the config and use a new --out."
        )
    return replace(config, dataset=source.name, revision=source.revision)


def _on_ctrl_c() -> asyncio.Event:
    """An event that the first Ctrl-C sets; the second interrupts as usual."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def first() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop.set()

    try:
        loop.add_signal_handler(signal.SIGINT, first)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread: Ctrl-C interrupts as usual
        pass
    return stop


async def _tick(show: Callable[[], None]) -> None:
    """Show the progress a few times a second, also while nothing arrives."""
    while True:
        show()
        await asyncio.sleep(TICK_S)


async def _consume(stream: Any, tally: Tally, tables: _Tables, config: RunConfig) -> None:
    """Count and write every outcome."""
    duplicate = ExactDuplicates()
    counted = config.seeds.requested is not None
    try:
        async for outcome in stream:
            if isinstance(outcome, Skipped):
                tally.skipped[outcome.reason] += 1
                continue
            tally.requested += not counted
            _settle(outcome, tally, tables, duplicate if config.duplicates else None)
    finally:
        await stream.aclose()


def _settle(outcome: Outcome, tally: Tally, tables: _Tables, duplicate: ExactDuplicates | None) -> None:
    if isinstance(outcome, dict):
        verdict = duplicate(outcome) if duplicate else None
        if verdict is None or verdict.reason is None:
            tally.keep(outcome)
            tables.keep(outcome)
        else:
            tally.rejected[verdict.reason] += 1
            tables.reject(outcome, verdict.reason, verdict.detail, outcome["solution"])
    elif isinstance(outcome, Rejection):
        tally.rejected[outcome.reason] += 1
        tally.first_why = tally.first_why or f"{outcome.reason}: {outcome.detail}"
        tables.reject(provenance_columns(outcome.seed), outcome.reason, outcome.detail, outcome.received)
    elif isinstance(outcome, Pending):
        tally.unanswered += 1
        tally.first_why = tally.first_why or outcome.why


class _Tables:
    """The three configs of a run folder."""

    def __init__(self, out: Path) -> None:
        self._default = Shards(out / "data", SCHEMA)
        self._sft = Shards(out / "sft", SFT_SCHEMA)
        self._rejected = Shards(out / "rejected", REJECTED_SCHEMA)
        self._all = (self._default, self._sft, self._rejected)

    def keep(self, row: Row) -> None:
        self._default.add(row)
        self._sft.add(to_prompt_completion(row))

    def reject(self, columns: Any, reason: str, detail: str, received: str | None) -> None:
        shared = {name: columns[name] for name in REJECTED_SCHEMA.names if name in columns}
        self._rejected.add(shared | {"reason": reason, "detail": detail, "received": received})

    def finish(self) -> None:
        try:
            for shards in self._all:
                shards.finish()
        finally:
            for shards in self._all:
                shards.abandon()


@contextmanager
def _occupied(out: Path) -> Iterator[None]:
    """Hold the folder alone; refuse one that is in use or not ours."""
    if out.exists() and not out.is_dir():
        raise RunError(f"--out {str(out)!r} is a file. Name a folder.")
    if out.is_dir() and any(out.iterdir()) and not (out / CONFIG).exists() and not (out / ".lock").exists():
        raise RunError(f"--out {str(out)!r} holds other files and no {CONFIG}. Name a new or empty folder.")
    owner = out / ".running"
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / ".lock", timeout=0)
        with lock:
            owner.write_text(f"process {os.getpid()} on {socket.gethostname()}")
            try:
                yield
            finally:
                owner.unlink(missing_ok=True)
    except Timeout:
        who = owner.read_text() if owner.exists() else "another process"
        raise RunError(f"--out {str(out)!r} is in use by {who}. Wait for it, or name another folder.") from None
    except OSError as error:
        raise RunError(
            f"--out {str(out)!r} cannot be written: {error.strerror or error}. Make room, or name another folder."
        ) from error


def _adopt(out: Path, config: RunConfig, method: Method) -> dict[str, Any]:
    """Check that the folder's run is this one, and return its report; in a new folder, write the config."""
    before: dict[str, Any] = {}
    if (out / CONFIG).exists():
        differences = RunConfig.from_file(out / CONFIG).differences(config)
        try:
            before = json.loads((out / REPORT).read_text())
        except (OSError, json.JSONDecodeError):
            before = {}
        there = before.get("teacher", method.teacher.identity)
        if there != method.teacher.identity:
            differences.append(f"teacher: {there} there, {method.teacher.identity} here")
        if differences:
            raise RunError(
                f"--out {str(out)!r} holds another run: {'; '.join(differences)}. Give the same arguments to continue it, or "
                "another folder."
            )
    else:
        _write(out / CONFIG, config.to_yaml())
        _write(out / REPORT, json.dumps({"format_version": FORMAT_VERSION, "teacher": method.teacher.identity}) + "\n")
    return before


def _spent_before(before: dict[str, Any]) -> Spent:
    """What earlier sessions spent, as their report has it."""
    tokens = before.get("tokens", {})
    return Spent(before.get("requests_sent", 0), tokens.get("prompt", 0), tokens.get("completion", 0))


def _report(
    config: RunConfig, method: Method, tally: Tally, before: dict[str, Any], seconds: float, dropped: int
) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    duplicates = {"name": ExactDuplicates.name, "version": ExactDuplicates.version}
    return {
        "format_version": FORMAT_VERSION,
        "requested": tally.requested,
        "kept": tally.kept,
        "rejected": dict(tally.rejected.most_common()),
        "pending": tally.pending,
        "documents_skipped": dict(tally.skipped.most_common()),
        "requests_sent": before.get("requests_sent", 0) + tally.spent.requests_sent,
        "tokens": {"prompt": tally.spent.prompt_tokens, "completion": tally.spent.completion_tokens},
        "cost": tally.limits.cost(tally.spent.prompt_tokens, tally.spent.completion_tokens),
        "seconds": round(before.get("seconds", 0) + seconds, 3),
        "started": before.get("started", now),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "config_hash": config.hash,
        "teacher": method.teacher.identity,
        "prompt_hash": method.prompt.hash,
        "journal_lines_dropped": dropped,
        "checks": [
            duplicates | ({"status": "done"} if config.duplicates else {"status": "not_done", "why": "switched off"}),
            {"name": "decontamination", "status": "not_done", "why": "this version has no benchmark lists"},
            {"name": "execution", "status": "not_done", "why": "this version has no sandbox"},
        ],
        "sandbox": None,
    }


def _publish(out: Path, tables: _Tables, config: RunConfig, method: Method, tally: Tally, report: dict[str, Any]) -> None:
    """Put parquet, card and, last, the report in place."""
    tables.finish()
    card = dataset_card(
        name=out.resolve().name,
        report=report,
        config=config.as_dict(),
        prompt=method.prompt.text,
        languages=dict(tally.languages.most_common()),
        licenses=dict(tally.licenses.most_common()),
        samples=tally.samples,
    )
    _write(out / CARD, card)
    _write(out / REPORT, json.dumps(report, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    """Write a whole file or nothing."""
    temporary = path.with_name(f".{path.name}.unfinished")
    temporary.write_text(text, "utf-8")
    temporary.replace(path)
