"""The command `merge`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.storage.run_report import read_run_report
from hf_oss_instruct.terminal.console import show_line
from hf_oss_instruct.terminal.flags import format_option
from hf_oss_instruct.terminal.process import over_tables, resumable


@click.command()
@click.argument("sources", metavar="PLAN|URL|SHARD…", nargs=-1, required=True)
@click.option(
    "--out",
    "destination",
    required=True,
    metavar="DIRECTORY|URL",
    help="A new folder, or one with an earlier merge of the same run.",
)
@click.option("--partial", is_flag=True, help="Merge the available rows; seeds of missing and unfinished shards are pending.")
@format_option
@over_tables
def merge(sources: tuple[str, ...], destination: str, partial: bool, output: str) -> None:
    """Write the shards of a run as one dataset.

    \b
    All shards of a plan:      hf-oss-instruct merge plan --out pairs
    Shards in a store:         hf-oss-instruct merge hf://buckets/me/run --out pairs
    Shards copied together:    hf-oss-instruct merge shard-* --out pairs
    The rows so far:           hf-oss-instruct merge plan --partial --out so-far
    Into a store:              hf-oss-instruct merge s3://bucket/run --out s3://bucket/pairs

    Duplicates, near duplicates and benchmark quotes are searched in all rows together, so the dataset is the one that a single
    machine would have written. No request is sent and no program is run. A dataset for a store is first written to $HF_HOME.
    """  # noqa: D301  # click's \\b is a character
    from hf_oss_instruct.data import is_embedded
    from hf_oss_instruct.scale.merge import merge as write
    from hf_oss_instruct.scale.store import Store, is_url
    from hf_oss_instruct.scale.upload import check_place, send_dataset
    from hf_oss_instruct.storage.cache import cache_folder
    from hf_oss_instruct.synthesis.command import NOT_FOR_TRAINING, after_dataset
    from hf_oss_instruct.synthesis.console import show_report

    store = Store(destination) if is_url(destination) else None
    out = cache_folder("merged", hashlib.sha256(destination.encode()).hexdigest()[:16]) if store else Path(destination)
    if store:
        check_place(store)
    with resumable(out), show_progress(output) as progress, _folders(sources, out) as folders:
        write(folders, out, partial=partial, progress=progress)
        if store:
            with progress.stage(f"Copying the dataset to {store.url}"):
                send_dataset(out, store)
    report = read_run_report(out)
    if output == "json":
        click.echo(json.dumps({"out": str(out), **report}))
    elif output != "quiet":
        embedded = is_embedded(report["teacher"])
        show_report(report, out, after_dataset(out, embedded))
        if embedded:
            click.echo(NOT_FOR_TRAINING)
        if store:
            show_line(f"Copied to {store.url}")


@contextmanager
def _folders(sources: Sequence[str], out: Path) -> Iterator[list[Path]]:
    """The folders with shards; shards in a store are copied next to `out` until the block ends."""
    from hf_oss_instruct.scale.journal_sync import fetch_recorded
    from hf_oss_instruct.scale.store import Store, is_url

    # Beside the output, whose disk has room for the rows; the system's temporary folder may be small.
    with TemporaryDirectory(prefix=f".{out.name}-shards-", dir=_existing(out.absolute().parent)) as copies:
        folders: list[Path] = []
        for number, source in enumerate(sources):
            if is_url(source):
                if not (fetched := fetch_recorded(Store(source), Path(copies, str(number)))):
                    raise RunError(f"The store {source!r} has no shard that was started. Start them with run-shard or launch.")
                folders += fetched
            elif not Path(source).is_dir():
                raise UsageError(f"{source!r} is not a folder. Pass the folder of a plan, or those of its shards.")
            else:
                folders.append(Path(source))
        yield folders


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.is_dir())
