"""Terminal output of an evaluation: results table, failing samples, comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hf_oss_instruct.evaluation.scoring.compare import PairedComparison
from hf_oss_instruct.evaluation.scoring.results import TABLE, Score, remarks, table
from hf_oss_instruct.evaluation.scoring.verdicts import Verdict
from hf_oss_instruct.terminal.console import command_line, show_ending
from hf_oss_instruct.terminal.display import one_line, plural, visible

NUMBERS_FROM = 3
"""Index of the first numeric column of the table."""


def show_scores(scores: Sequence[Score], folders: Sequence[Path], judged: int) -> None:
    """Print the number of scored samples, and the results of one or more tasks as a table, with remarks.

    Args:
        scores: a score for each task.
        folders: where each was written, if it was.
        judged: number of samples.
    """
    made = f"{plural(judged, 'sample')} of {', '.join(score.task for score in scores)} judged"
    then = command_line("compare", folders[0], "OTHER") if folders else ""
    show_ending(made, next(iter(folders), None), view=[str(folder / TABLE) for folder in folders], next_command=then)
    heading = table(scores[0])[0]
    shown = Table(*heading[:NUMBERS_FROM])
    for name in heading[NUMBERS_FROM:]:
        shown.add_column(name, justify="right")
    for row in (row for score in scores for row in table(score)[1:]):
        shown.add_row(*map(Text, map(one_line, row)))
    console = Console(soft_wrap=True)
    console.print(shown)
    for score in scores:
        for line in remarks(score):
            console.print(Text(one_line(line if len(scores) == 1 else f"{score.task}: {line}")))


def show_failures(verdicts: Sequence[Verdict], n: int) -> None:
    """Print the first n samples that did not pass, with their program and stderr."""
    console = Console(soft_wrap=True)
    for verdict in [verdict for verdict in verdicts if not verdict.passed][:n]:
        title = f"── {verdict.task_id} · sample {verdict.sample} · {verdict.status} · {verdict.reason}"
        console.print(Text(one_line(title), style="bold cyan"))
        console.print(Text(visible(verdict.program)))
        if verdict.stderr.strip():
            console.print(Text(f"stderr:\n{visible(verdict.stderr.rstrip())}", style="dim"))


def show_comparison(comparisons: Mapping[str, PairedComparison], a: str, b: str) -> None:
    """Print the results of the paired tests.

    Args:
        comparisons: kind of tests → comparison.
        a: name of A.
        b: name of B.
    """
    console = Console(soft_wrap=True)
    for kind, pair in comparisons.items():
        console.print(
            Text(one_line(f"{kind}: A ({a}) {100 * pair.a:.1f} %, B ({b}) {100 * pair.b:.1f} % on {pair.problems} problems"))
        )
        console.print(
            f"  B − A = {100 * pair.difference:+.1f} points, 95 % {100 * pair.low:+.1f} to {100 * pair.high:+.1f} (bootstrap)"
        )
        if pair.p_value is not None:
            console.print(
                f"  only A passed {pair.only_a}, only B passed {pair.only_b}; McNemar's exact test p = {pair.p_value:.3g}"
            )
        console.print("  more than noise at 5 %" if pair.differs else "  not distinguishable from noise at 5 %")
