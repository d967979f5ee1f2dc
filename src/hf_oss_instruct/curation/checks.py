"""The table of checks, in the order in which they run. To add one, add a line to `STEPS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa

from hf_oss_instruct.argument_types import check_type
from hf_oss_instruct.curation.annotations import reject
from hf_oss_instruct.curation.decontamination import benchmark_index
from hf_oss_instruct.curation.decontamination.benchmarks import BenchmarkList
from hf_oss_instruct.curation.decontamination.magicoder_rule import MagicoderRule
from hf_oss_instruct.curation.decontamination.quotes import Decontamination
from hf_oss_instruct.curation.denylist import Denylist, denied_rows
from hf_oss_instruct.curation.duplicates import THRESHOLD, exact, near, same_names
from hf_oss_instruct.errors import UsageError

CheckFunction: TypeAlias = Callable[[pa.Table], pa.Table]
"""A pure function: returns the same rows, annotated as `annotations` describes."""


@dataclass(frozen=True, slots=True)
class CurationOptions:
    """Options of the checks.

    Attributes:
        columns: the text columns to check.
        threshold: Jaccard similarity from which on texts are near duplicates, 0 to 1.
        lists: the benchmarks to check against.
        rule: `default`, or `magicoder` for the paper's substrings.
        drop: whether contaminated rows are rejected; otherwise they only get `contaminated_by`.
        deny: the denylist of opt-outs.
    """

    columns: tuple[str, ...] = exact.COMPARED
    threshold: float = THRESHOLD
    lists: tuple[BenchmarkList, ...] = ()
    rule: str = "default"
    drop: bool = True
    deny: Denylist | None = None

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise UsageError(f"Unknown decontamination rule {self.rule!r}. Use one of: {', '.join(RULES)}.")
        check_type("threshold", self.threshold, Real, "a number")
        if not 0 < self.threshold <= 1:
            raise UsageError(f"The threshold must be above 0 and at most 1, not {self.threshold}.")


RULES = ("default", "magicoder")


class CurationStep(NamedTuple):
    """A check.

    Attributes:
        name: its name in `--steps` and `run.json`.
        version: of its rules.
        what: what it does, as a phrase.
        whole_set: whether it needs all rows at once; other checks need one row at a time.
        make: options → the check.
        facts: options → further fields of its entry in `run.json`.
    """

    name: str
    version: int
    what: str
    whole_set: bool
    make: Callable[[CurationOptions], CheckFunction]
    facts: Callable[[CurationOptions], dict[str, Any]] = lambda options: {}


def decontamination(options: CurationOptions) -> CheckFunction:
    """The check that the options choose. Its index is cached."""
    if options.rule == "magicoder":
        return MagicoderRule(options.lists, drop=options.drop)
    tasks = [task for listed in options.lists for task in listed.tasks]
    return Decontamination(benchmark_index.cached(tasks), options.columns, options.drop)


def list_facts(options: CurationOptions) -> dict[str, Any]:
    """What rows were checked against, and at which revision; `not_done` if a benchmark is missing, because a row may quote it."""
    lists: list[dict[str, Any]] = []
    for listed in options.lists:
        facts: dict[str, Any] = {
            "name": listed.name,
            "revision": listed.revision,
            "tasks": len(listed.tasks),
            "patterns": sum(len(task.statements) + len(task.solutions) for task in listed.tasks),
        }
        # A large benchmark that nobody asked for is not missing: otherwise no run without it would count as checked.
        status = "left_out" if listed.left_out else "not_done" if listed.why else "done"
        lists.append(facts | {"status": status} | ({"why": listed.why} if listed.why else {}))
    missing = [facts for facts in lists if facts["status"] == "not_done"]
    had = ", ".join(facts["name"] for facts in lists if facts["status"] == "done")
    whole: dict[str, Any] = {"rule": options.rule, "policy": "drop" if options.drop else "flag", "lists": lists}
    if not had and not missing:
        return whole | {"status": "not_done", "why": "no benchmark was named"}
    if missing:
        missing_names = ", ".join(facts["name"] for facts in missing)
        against = f"checked against {had}, not against {missing_names}" if had else f"without {missing_names}"
        why = f"{against}: {missing[0]['why']}"
        return whole | {"status": "not_done", "why": why}
    return whole


def denied(options: CurationOptions) -> CheckFunction:
    """Reject the rows on the denylist."""

    def check(table: pa.Table) -> pa.Table:
        is_denied = denied_rows(table, options.deny) if options.deny else []
        return reject(table, "denied", {row: "asked to be left out" for row, denied in enumerate(is_denied) if denied})

    return check


STEPS = (
    CurationStep("denied", 1, "rows of repositories, paths or ids on the denylist", False, denied),
    CurationStep(
        "duplicates", 1, "equal texts, white space aside", True, lambda o: partial(exact.exact_duplicates, columns=o.columns)
    ),
    CurationStep("decontamination", benchmark_index.VERSION, "rows that quote a benchmark", False, decontamination, list_facts),
    CurationStep(
        "near_duplicates",
        1,
        "texts with most of their word 5-grams in common",
        True,
        lambda o: partial(near.near_duplicates, columns=o.columns, threshold=o.threshold),
        lambda o: {"threshold": o.threshold},
    ),
    CurationStep("same_names", 1, "flags rows that define the same functions and classes", True, lambda o: same_names.same_names),
)
"""Every check in order: cheap ones first, and near duplicates among rows that passed the others."""
BY_NAME = {step.name: step for step in STEPS}


def select_steps(names: Iterable[str] | None) -> tuple[CurationStep, ...]:
    """The steps with these names, in the table's order; all of them for None.

    Raises:
        UsageError: a step does not exist.
    """
    wanted = list(BY_NAME if names is None else names)
    if unknown := [name for name in wanted if name not in BY_NAME]:
        raise UsageError(f"Unknown step {unknown[0]!r}. Use any of: {', '.join(BY_NAME)}.")
    return tuple(step for step in STEPS if step.name in wanted)


def report_entry(step: CurationStep, options: CurationOptions, **more: Any) -> dict[str, Any]:
    """The entry in `run.json` of a step that ran."""
    return {"name": step.name, "version": step.version, "status": "done"} | step.facts(options) | more


def skipped_entry(name: str, why: str, status: str = "not_done") -> dict[str, Any]:
    """The entry in `run.json` of a check that did not run.

    Args:
        name: name of the check.
        why: the reason, as a phrase.
        status: `not_done`, or `unavailable` if this version cannot run it.
    """
    return {"name": name, "status": status, "why": why}
