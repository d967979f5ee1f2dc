"""Recognize what a folder contains (a run, an export, a trained model or scores), and prepare its upload."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.errors import PublishError, UsageError
from hf_oss_instruct.progress.counts import Progress

if TYPE_CHECKING:
    from hf_oss_instruct.publishing.hub import Push
    from hf_oss_instruct.publishing.report import MakeReport, PublishedReport
    from hf_oss_instruct.publishing.rules import Rules

KINDS = {"run": "a dataset", "export": "an export", "model": "a trained model", "results": "scores"}
ONLY_FOR = {
    "private": ("run", "export", "model"),
    "license": ("run", "export", "model"),
    "no_seeds": ("run",),
    "with_rejected": ("run",),
    "allow_any_license": ("run",),
    "report": ("run",),
    "space": ("run",),
    "allow_unchecked": ("run", "export", "model"),
    "results": ("model",),
    "benchmark": ("results",),
}
"""Flag → the kinds of folders it applies to."""


@dataclass(frozen=True)
class PublishHooks:
    """Functions of other packages, passed in because this one must not import them.

    Attributes:
        rules: (allow unchecked, allow any license) → conditions for publishing.
        prompt_of: a run's `oss_instruct.yaml` → the full prompt template.
        recipes: the dataset's repository → training recipes for it, name → YAML.
        report: (folder, options) → the report of a dataset.
    """

    rules: Callable[[bool, bool], Rules]
    prompt_of: Callable[[Path], str]
    recipes: Callable[[str], Mapping[str, str]]
    report: MakeReport


@dataclass(frozen=True)
class PublishOptions:
    """A user's choices for a publication.

    Attributes:
        private: make a new repository private.
        revision: the branch; created if it does not exist.
        license: the Hub's license identifier; by default `other` for data, the base model's for a model.
        no_seeds: leave out the verbatim snippets; rows keep their location.
        with_rejected: publish rejected rows, too.
        allow_unchecked: publish even if a check did not run; the card says which.
        allow_any_license: publish even if a snippet's license is unknown or forbids it.
        results: folders of scores for a model's card.
        benchmark: `namespace/dataset:task` on the Hub, for scores.
        report: publish the report, too; by default if the folder has one in `report/`.
        space: also publish a Space that shows the report and its row browser, `namespace/name`.
    """

    private: bool = False
    revision: str = "main"
    license: str | None = None
    no_seeds: bool = False
    with_rejected: bool = False
    allow_unchecked: bool = False
    allow_any_license: bool = False
    results: Sequence[Path] = ()
    benchmark: str | None = None
    report: bool | None = None
    space: str | None = None


def kind_of(folder: Path) -> str:
    """Detect what a folder contains: `run`, `export`, `model` or `results`.

    Raises:
        PublishError: it is none of these.
    """
    from hf_oss_instruct.publishing.dataset import is_run
    from hf_oss_instruct.publishing.export import is_export
    from hf_oss_instruct.publishing.model import is_model
    from hf_oss_instruct.publishing.scores import is_results

    for kind, holds in (("results", is_results), ("export", is_export), ("run", is_run), ("model", is_model)):
        if holds(folder):
            return kind
    raise PublishError(
        f"{str(folder)!r} cannot be published. Pass a folder written by synthesize or curate (run.json, oss_instruct.yaml), "
        "export --to (export.json), train (training.json), or score or evaluate (results.json)."
    )


def _check_options(kind: str, folder: Path, options: PublishOptions) -> None:
    for name, kinds in ONLY_FOR.items():
        if getattr(options, name) and kind not in kinds:
            *most, last = (KINDS[kind_name] for kind_name in kinds)
            about = " and ".join([", ".join(most), last] if most else [last])
            raise UsageError(
                f"--{name.replace('_', '-')} applies to {about}, but {str(folder)!r} contains {KINDS[kind]}. Remove the option."
            )


def push_of(folder: Path, to: str, options: PublishOptions, hooks: PublishHooks) -> Push:
    """Collect what a folder puts on the Hub.

    Args:
        folder: what synthesize, curate, export, train, score or evaluate wrote.
        to: the repository, `namespace/name`.
        options: the user's choices.
        hooks: functions of other packages.

    Raises:
        PublishError: the folder cannot be published.
        UsageError: an option does not apply to this kind of folder.
    """
    from hf_oss_instruct.publishing.dataset import CONFIG, dataset_push
    from hf_oss_instruct.publishing.export import export_push
    from hf_oss_instruct.publishing.model import model_push
    from hf_oss_instruct.publishing.scores import scores_push

    kind = kind_of(folder)
    _check_options(kind, folder, options)
    if kind == "results":
        return scores_push(folder, to, benchmark=options.benchmark, revision=options.revision)
    if kind == "export":
        rules = hooks.rules(options.allow_unchecked, options.allow_any_license)
        return export_push(folder, rules, repo_id=to, license=options.license)
    if kind == "model":
        return model_push(
            folder,
            repo_id=to,
            secret_in=hooks.rules(False, False).secret_in,
            license=options.license,
            results=options.results,
            allow_unchecked=options.allow_unchecked,
        )
    return dataset_push(
        folder,
        hooks.rules(options.allow_unchecked, options.allow_any_license),
        prompt=hooks.prompt_of(folder / CONFIG),
        repo_id=to,
        recipes=hooks.recipes(to),
        with_seeds=not options.no_seeds,
        with_rejected=options.with_rejected,
        license=options.license,
        report_of=_report_of(folder, to, options, hooks),
        space=options.space,
    )


def pushes_of(folder: Path, to: str, options: PublishOptions, hooks: PublishHooks, progress: Progress) -> dict[str, Push]:
    """Collect and check what a folder puts on the Hub, by repository: its own, then the Space that shows it.

    Args:
        folder: as of `push_of`.
        to: as of `push_of`.
        options: as of `push_of`.
        hooks: as of `push_of`.
        progress: a progress display.

    Raises:
        PublishError: a name is not valid, the folder cannot be published, or something in it exceeds the Hub's limits.
        UsageError: as of `push_of`.
    """
    from hf_oss_instruct.publishing import hub

    # Before the files are scanned, which takes long for a large dataset.
    hub.check_name(to)
    if options.space:
        hub.check_name(options.space, "--space")
    with progress.stage(f"Scanning {folder} for secrets and rendering the card"):
        push = push_of(folder, to, options, hooks)
    # The Space comes second, because it shows the dataset.
    pushes = {to: push} | ({options.space: push.space} if options.space and push.space else {})
    for planned in pushes.values():
        hub.check(planned)
    return pushes


def _report_of(
    folder: Path, to: str, options: PublishOptions, hooks: PublishHooks
) -> Callable[[Mapping[str, Path | bytes]], PublishedReport] | None:
    from hf_oss_instruct.publishing.report import options_of, published_report

    earlier = None if options.report is False else options_of(folder)
    if options.space is None and not options.report and earlier is None:
        return None
    name, space = to.split("/")[-1], options.space is not None
    return lambda tables: published_report(tables, name, hooks.report, earlier or {}, space=space)
