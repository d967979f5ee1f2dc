"""Measure a dataset and show it: in a notebook, or as a page in a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_oss_instruct.argument_types import check_type
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.spec.option_types import Names, checked_value

if TYPE_CHECKING:
    from hf_oss_instruct.reporting.charts.figures import Figure
    from hf_oss_instruct.reporting.rows import ReportRows

BENCHMARKS = ("humaneval", "mbpp")


@dataclass(frozen=True)
class Report:
    """The numbers and charts of a dataset. A notebook shows the charts inline.

    Attributes:
        sets: name of a dataset → its numbers: the dataset itself, then the one it is compared with.
        figures: the charts, as Vega-Lite specifications with their titles and tables.
        rows: the dataset, for the row browser.
    """

    sets: Mapping[str, Mapping[str, Any]]
    figures: Sequence[Figure]
    rows: ReportRows

    @property
    def numbers(self) -> dict[str, Any]:
        """All numbers, as in `report.json`; those of the dataset it is compared with under `compared`."""
        from hf_oss_instruct.reporting.page.write import numbers_of

        return numbers_of(self.sets)

    @property
    def pictures(self) -> dict[str, str]:
        """File name → title of the charts that a dataset card shows."""
        from hf_oss_instruct.reporting.charts.figures import CARD

        return {figure.file_name: figure.title for figure in self.figures if figure.name in CARD}

    def save(self, out: Path | str, *, browser: bool = True, progress: Progress = SILENT) -> Path:
        """Write `index.html`, `report.json`, `pictures/` (the charts as PNG) and `rows/` (for the row browser).

        Args:
            out: a new or empty folder, or one with an earlier report, which is replaced.
            browser: whether the page has the row browser; without it, the page is a single file.
            progress: a progress display; by default nothing is shown.

        Returns:
            The page.

        Raises:
            RunError: the folder contains something else, is in use by another process, or cannot be written.
        """
        from hf_oss_instruct.reporting.page.write import write

        return write(self.sets, self.figures, self.rows, Path(out), browser=browser, progress=progress)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What Jupyter, VS Code and Colab show: charts as images, which need neither a script nor a trusted notebook."""
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}

    def _repr_html_(self) -> str:
        from hf_oss_instruct.reporting.page.inline import inline

        return inline(self.sets, self.figures)

    def __repr__(self) -> str:
        from hf_oss_instruct.reporting.console import lines

        return "\n  ".join(lines(self.numbers))


def report(
    rows: Any,
    *,
    compare: Any = None,
    benchmarks: Sequence[str] | str = BENCHMARKS,
    tokenizer: str | None = None,
    embedding_model: str | None = None,
    columns: Sequence[str] | str | None = None,
    progress: Progress = SILENT,
) -> Report:
    """Measure a dataset: funnel, composition, lengths, categories, similarity to benchmarks, diversity, verification.

    In a notebook, a cell that ends with `report(rows)` shows the charts. Needs the extra `report`.

        report = hf_oss_instruct.report(rows, benchmarks=[])
        report.numbers["diversity"]["near_duplicate_rate"]
        report.save("looked_at")      # the page with the row browser, report.json, PNG charts

    Lists of names may also be a string as on the command line: `benchmarks="none"`, `columns="instruction,response"`.

    Args:
        rows: rows in memory (a list of dicts, a `datasets.Dataset`, a pandas DataFrame, an Arrow table); the folder of a run, a
            curation, a training or scores; tables, files or folders of them; or the id of a dataset on the Hub.
        compare: another dataset, of the same kinds, to compare with.
        benchmarks: benchmarks to compare with: names, files, folders, Hub datasets; one that cannot be loaded is reported as not
            compared.
        tokenizer: count tokens with this `transformers` tokenizer; words, numbers and punctuation marks by default.
        embedding_model: assign the categories with this `transformers` text encoder; by words by default.
        columns: the two columns with problem and solution; recognized by their names by default.
        progress: a progress display, such as that of `show_progress()`; by default nothing is shown.

    Returns:
        The numbers and charts.

    Raises:
        UsageError: the extra `report`, a tokenizer, a model or a column is missing, or `rows` are not rows.
        SeedError: the path does not exist, has no tables, or cannot be read. A table without rows is not an error.

    Source:
        Magicoder, arXiv 2312.02120, section 5 and figures 3 to 5 (lengths, categories, similarity to HumanEval).
    """
    from hf_oss_instruct.curation.decontamination.benchmarks import find
    from hf_oss_instruct.reporting.charts.figures import figures
    from hf_oss_instruct.reporting.measures.measure import ReportOptions, check_libraries, measure
    from hf_oss_instruct.reporting.rows import open_rows

    check_libraries()
    check_type("tokenizer", tokenizer, str | None, "the name of a tokenizer")
    check_type("embedding_model", embedding_model, str | None, "the name of a model")
    benchmarks = checked_value("benchmarks", Names(), benchmarks)
    columns = checked_value("columns", Names(), columns, optional=True)
    with progress.stage("Reading the benchmarks to compare with"):
        options = ReportOptions(tuple(find(benchmarks)), tokenizer, embedding_model)
    settings = {"benchmarks": list(benchmarks), "tokenizer": tokenizer, "embedding_model": embedding_model}
    opened = open_rows(rows, columns)
    sets = {opened.name: measure(opened, options, progress) | {"options": settings}}
    if compare is not None:
        other = open_rows(compare, columns)
        # Two datasets may have the same name.
        sets[other.name if other.name != opened.name else f"{other.name} (2)"] = measure(other, options, progress)
    return Report(sets, figures(sets), opened)
