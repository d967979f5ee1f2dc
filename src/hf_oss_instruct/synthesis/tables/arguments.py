"""Arguments that public functions over tables, such as `verify` and `evolve`, have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.progress.counts import PROGRESS_HELP, SILENT, Progress
from hf_oss_instruct.spec.declare import argument, arguments
from hf_oss_instruct.spec.option_types import Folder, Text
from hf_oss_instruct.synthesis.function_arguments import RunArguments
from hf_oss_instruct.synthesis.tables.source import SourceRows, read_source


@arguments
class TableArguments(RunArguments):
    """Arguments of functions that read the rows of a table and write a folder."""

    source: str | Path = argument(
        "A run folder; tables (Parquet, JSON Lines, JSON, CSV), files or folders of them; or the id of a dataset on the Hub. "
        "Problems, solutions, tests and languages are recognized by usual column names.",
        kind=Folder(),
        kw_only=False,
    )
    out: str | Path = argument(
        "A new or empty folder, or that of the same run, which continues. It gets `data/`, `sft/`, `rejected/`, `run.json` and "
        "`README.md`.",
        kind=Folder(),
        kw_only=False,
    )
    columns: Mapping[str, str] | str | None = argument(
        "`problem`, `solution`, `tests`, `language` → name of the column, if it is not a usual one.", default=None
    )
    language: str = argument("Language of rows without one in a column or on a code fence.", default="python", kind=Text())
    progress: Progress = argument(PROGRESS_HELP, default=SILENT)

    def rows(self) -> SourceRows:
        """The rows of the source.

        Raises:
            UsageError: they have no problems or no solutions, or there is no such language.
            SeedError: the source cannot be read.
        """
        return read_source(str(self.source), self.columns, named(self.language).name)
