"""Public functions that combine several packages: `curate` also writes a card, `publish` uses curation and training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_oss_instruct.argument_types import as_path, check_type
from hf_oss_instruct.curation.duplicates import THRESHOLD
from hf_oss_instruct.progress.counts import PROGRESS_HELP, SILENT, Progress
from hf_oss_instruct.publishing.folders import PublishHooks, PublishOptions, pushes_of
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.declare import argument, arguments, normalize, same_option, taken_from, with_arguments_of
from hf_oss_instruct.spec.option_types import Folder, Names, Number
from hf_oss_instruct.storage.run_report import RunReport

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo

    from hf_oss_instruct.publishing.rules import Rules
    from hf_oss_instruct.reporting.report import Report


@arguments
class CurateArguments:
    """Arguments of `curate`."""

    source: Path | str = argument(
        "A run folder; tables (Parquet, JSON Lines, JSON, CSV), files or folders of them; or the id of a dataset on the Hub.",
        kind=Folder(),
        kw_only=False,
    )
    out: Path | str = argument(
        "A new or empty folder for `data/`, `sft/` (if there are problems and solutions), `rejected/`, `run.json` and "
        "`README.md`. The same call on the same folder starts over, also after a kill.",
        kind=Folder(),
        kw_only=False,
    )
    steps: Iterable[str] | str | None = argument(
        "Checks to run, of `denied`, `duplicates`, `decontamination`, `near_duplicates`, `same_names`. Default: all of them.",
        default=None,
        kind=Names(),
    )
    columns: Sequence[str] | str | None = argument(
        "The text columns to check. Default: the existing ones of `seed`, `problem` and `solution`, else those of a recognized "
        "pair, such as `instruction` and `response`.",
        default=None,
        kind=Names(),
    )
    threshold: float = argument(
        "Jaccard similarity of word 5-grams at and above which texts are near duplicates; above 0, at most 1.",
        default=THRESHOLD,
        kind=Number(0, 1, low_open=True),
    )
    benchmarks: Sequence[str] | str = same_option(Checks, "benchmarks")
    rule: str = same_option(Checks, "rule")
    contaminated: str = same_option(Checks, "contaminated")
    deny: Path | str | None = argument("A denylist file (repositories, paths, ids) of rows to reject.", default=None)
    progress: Progress = argument(PROGRESS_HELP, default=SILENT)

    def __post_init__(self) -> None:
        normalize(self)


@with_arguments_of(CurateArguments)
def curate(call: CurateArguments) -> RunReport:
    """Check a dataset for duplicates, near duplicates and benchmark leakage, and write the rows that pass and those that do not.

    Lists of names may also be a string as on the command line: `benchmarks="none"`, `columns="instruction,response"`.

    Returns:
        The report, as in `run.json`.

    Raises:
        UsageError: a step, column, rule or benchmark does not exist.
        SeedError: the source cannot be read, or a text column is not UTF-8.
        RunError: `out` contains something else, is in use, or cannot be written.

    Source:
        Magicoder, arXiv 2312.02120, section 2.2 (decontamination).
    """
    from hf_oss_instruct.curation.checks import CurationOptions, select_steps
    from hf_oss_instruct.curation.decontamination.benchmarks import find
    from hf_oss_instruct.curation.denylist import Denylist
    from hf_oss_instruct.curation.run import curate as write
    from hf_oss_instruct.publishing.cards.dataset_card import curated_card

    names, checks, deny = call.steps, taken_from(call, Checks), call.deny
    # Only if that step runs, as the benchmarks may have to be downloaded.
    wanted = any(step.name == "decontamination" for step in select_steps(names))
    with call.progress.stage("Loading the benchmarks for decontamination"):
        lists = tuple(find(checks.benchmarks)) if wanted else ()
    options = CurationOptions(
        threshold=call.threshold,
        lists=lists,
        rule=checks.rule,
        drop=checks.contaminated == "drop",
        deny=Denylist.from_file(as_path("deny", deny)) if deny else None,
    )
    return write(
        str(call.source),
        Path(call.out),
        steps=names,
        columns=call.columns,
        options=options,
        card=curated_card,
        progress=call.progress,
    )


def publish(
    folder: Path | str,
    to: str,
    *,
    private: bool = False,
    create_pr: bool = False,
    revision: str = "main",
    message: str | None = None,
    license: str | None = None,
    no_seeds: bool = False,
    with_rejected: bool = False,
    allow_unchecked: bool = False,
    allow_any_license: bool = False,
    results: Iterable[Path | str] | Path | str = (),
    benchmark: str | None = None,
    report: bool | None = None,
    space: str | None = None,
    dry_run: bool = False,
    token: str | None = None,
    endpoint: str | None = None,
    progress: Progress = SILENT,
) -> CommitInfo | None:
    """Publish a run, a trained model or scores to the Hub in one commit. Does not ask for confirmation.

    Args:
        folder: what synthesize, curate, export, train, score or evaluate wrote.
        to: the repository, `namespace/name`; created if it does not exist.
        private: make a new repository private.
        create_pr: open a pull request, which also works for repositories of others.
        revision: the branch; created if it does not exist.
        message: commit message; a one-line summary by default.
        license: the Hub's license identifier; by default `other` for data, the base model's for a model.
        no_seeds: data: leave out the verbatim snippets; rows keep their location.
        with_rejected: data: also publish rejected rows.
        allow_unchecked: publish even if a check did not run; the card says which.
        allow_any_license: data: publish even if a snippet's license is unknown or forbids it.
        results: model: folders of scores for its card.
        benchmark: scores: `namespace/dataset:task` on the Hub; adds `.eval_results/`.
        report: data: also publish the report (page and charts); by default if the folder has one in `report/`.
        space: data: also publish a Space `namespace/name` to browse the rows.
        dry_run: only check that all of it can be published; send nothing.
        token: Hub token; the one you are logged in with by default.
        endpoint: another Hub than huggingface.co.
        progress: a progress display, such as that of `show_progress()`; by default nothing is shown.

    Returns:
        The commit; None if the repository is up to date, or with `dry_run`. A Space has a separate commit.

    Raises:
        UsageError: an option does not apply to this kind of folder.
        PublishError: the folder or a row in it cannot be published, or the Hub refuses; the repository is unchanged. Only if the
            upload of a Space breaks off is its dataset published already; the same call then publishes the rest.
    """
    from hf_oss_instruct.publishing import hub

    folder = as_path("folder", folder)
    check_type("results", results, str | Path | Iterable, "a path, or a list of these")
    check_type("to", to, str, "the name of a repository, namespace/name")
    check_type("space", space, str | None, "the name of a Space, namespace/name")
    options = PublishOptions(
        private=private,
        revision=revision,
        license=license,
        no_seeds=no_seeds,
        with_rejected=with_rejected,
        allow_unchecked=allow_unchecked,
        allow_any_license=allow_any_license,
        results=[as_path("results", path) for path in ([results] if isinstance(results, str | Path) else results)],
        benchmark=benchmark,
        report=report,
        space=space,
    )
    pushes = pushes_of(folder, to, options, HOOKS, progress)
    if dry_run:
        return None
    commits = hub.publish_all(
        pushes,
        private=private,
        create_pr=create_pr,
        revision=revision,
        message=message,
        token=token,
        endpoint=endpoint,
        progress=progress,
    )
    return commits[to]


def _rules(allow_unchecked: bool, allow_any_license: bool) -> Rules:
    from hf_oss_instruct.curation.licenses import is_permissive
    from hf_oss_instruct.curation.snippet_filters import secret
    from hf_oss_instruct.publishing.rules import Rules

    return Rules(secret, is_permissive, allow_unchecked, allow_any_license)


def _prompt_of(config: Path) -> str:
    from hf_oss_instruct.spec.run import RunSpec

    return RunSpec.from_file(config).prompt.prompt.text


def _recipes(data: str) -> dict[str, str]:
    from hf_oss_instruct.training.recipes import load_recipe

    return {name: load_recipe(name, data=data, gpus=1).to_yaml() for name in ("magicoder", "fast", "lora")}


def _report(folder: Path, options: Mapping[str, Any]) -> Report:
    """The report of a dataset, without its options: they may name paths of this machine."""
    from hf_oss_instruct.reporting.report import report

    made = report(folder, **options)
    sets = {name: {key: value for key, value in numbers.items() if key != "options"} for name, numbers in made.sets.items()}
    return replace(made, sets=sets)


HOOKS = PublishHooks(_rules, _prompt_of, _recipes, _report)
"""What publishing needs from other packages."""
