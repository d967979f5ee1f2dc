"""The command `report`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.storage.workdir import reserved
from hf_oss_instruct.terminal.flags import format_option
from hf_oss_instruct.terminal.process import over_tables
from hf_oss_instruct.terminal.values import names_in


@click.command()
@click.argument("source")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="A new folder, or an earlier report to replace. Default: SOURCE/report, or ./report.",
)
@click.option("--compare", metavar="DIR2", help="Another dataset, whose numbers are shown for comparison.")
@click.option(
    "--benchmarks",
    default="humaneval,mbpp",
    show_default=True,
    metavar="B,…",
    help="Benchmarks to compare with: names, files, folders of files, Hub datasets; none disables this.",
)
@click.option("--tokenizer", metavar="MODEL", help="Count tokens with this tokenizer. Default: words and punctuation marks.")
@click.option("--embedding-model", metavar="MODEL", help="Assign categories with this text encoder. Default: by words.")
@click.option("--columns", metavar="P,S", help="Columns with problem and solution. Default: recognized by their names.")
@click.option("--serve", is_flag=True, help="Serve the row browser on this machine instead of writing files.")
@click.option("--port", type=click.IntRange(0, 65535), default=8910, show_default=True, help="Port of --serve; 0 for a free one.")
@format_option
@over_tables
def report(
    source: str,
    out: Path | None,
    compare: str | None,
    benchmarks: str,
    tokenizer: str | None,
    embedding_model: str | None,
    columns: str | None,
    serve: bool,
    port: int,
    output: str,
) -> None:
    """Show a dataset: a page with charts and a row browser.

    \b
    A run:              hf-oss-instruct report pairs
    Two datasets:       hf-oss-instruct report pairs --compare other
    Millions of rows:   hf-oss-instruct report pairs --serve

    SOURCE is a folder (of a run, a curation, a training or scores), tables, or a Hub dataset. OUT contains index.html (opens from
    disk, needs no network), rows/ (its rows), report.json and pictures/.
    """
    if serve:
        from hf_oss_instruct.reporting.server import serve as start

        wanted = names_in(columns) if columns else None
        start(source, wanted, port, lambda address: click.echo(f"Serving {source} at {address}  (Ctrl-C to stop)", err=True))
        return
    from hf_oss_instruct.reporting.page.write import check_report_folder, write_locked
    from hf_oss_instruct.reporting.report import report as measured

    folder = out or (Path(source) / "report" if Path(source).is_dir() else Path("report"))
    check_report_folder(folder)
    with reserved(folder), show_progress(output) as progress:
        made = measured(
            source,
            compare=compare,
            benchmarks=benchmarks,
            tokenizer=tokenizer,
            embedding_model=embedding_model,
            columns=columns or None,
            progress=progress,
        )
        page = write_locked(made.sets, made.figures, made.rows, folder, progress=progress)
    if output == "json":
        click.echo(json.dumps({"out": str(folder), **made.numbers}))
    elif output != "quiet":
        from hf_oss_instruct.reporting.console import show

        show(made.numbers, source, page)
