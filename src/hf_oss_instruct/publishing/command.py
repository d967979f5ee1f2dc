"""The `publish` command: detects whether a folder is a run, a trained model or scores."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hf_oss_instruct.errors import PublishError, UsageError

if TYPE_CHECKING:
    from hf_oss_instruct.publishing.dataset import Rules
    from hf_oss_instruct.publishing.hub import Push

KINDS = {"run": "a dataset", "model": "a trained model", "results": "scores"}
ONLY_FOR = {
    "private": ("run", "model"),
    "license": ("run", "model"),
    "no_seeds": ("run",),
    "with_rejected": ("run",),
    "allow_any_license": ("run",),
    "allow_unchecked": ("run", "model"),
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
    """

    rules: Callable[[bool, bool], Rules]
    prompt_of: Callable[[Path], str]
    recipes: Callable[[str], Mapping[str, str]]


def publish_command(hooks: PublishHooks) -> click.Command:
    """Create the click command.

    Args:
        hooks: functions of other packages.
    """
    folder_type = click.Path(exists=True, file_okay=False, path_type=Path)

    @click.command()
    @click.argument("folder", metavar="PATH", type=folder_type)
    @click.option("--to", metavar="NS/NAME", required=True, help="The repository; created if it does not exist.")
    @click.option("--private", is_flag=True, help="Make a new repository private.")
    @click.option("--create-pr", is_flag=True, help="Open a pull request, which also works for repositories of others.")
    @click.option(
        "--revision", metavar="BRANCH", default="main", show_default=True, help="The branch; created if it does not exist."
    )
    @click.option("--message", help="Commit message. Default: a one-line summary.")
    @click.option(
        "--license", metavar="ID", help="The Hub's license identifier. Default: other for data, the base model's for a model."
    )
    @click.option("--no-seeds", is_flag=True, help="Data: leave out the verbatim snippets; rows keep their location.")
    @click.option("--with-rejected", is_flag=True, help="Data: publish rejected rows, too.")
    @click.option("--allow-unchecked", is_flag=True, help="Publish even if a check did not run; the card says which.")
    @click.option("--allow-any-license", is_flag=True, help="Data: publish even if a snippet's license is unknown or forbids it.")
    @click.option("--results", type=folder_type, multiple=True, help="Model: scores for its card; can be repeated.")
    @click.option("--benchmark", metavar="NS/DATASET:TASK", help="Scores: a benchmark on the Hub; adds .eval_results/.")
    @click.option("--dry-run", is_flag=True, help="Show what would be uploaded, and stop.")
    @click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
    def publish(folder: Path, to: str, dry_run: bool, yes: bool, **flags: Any) -> None:
        """Publish PATH to the Hub: a dataset, a trained model, or scores, in one commit.

        \b
        A run:      hf-oss-instruct publish pairs --to me/pairs
        A model:    hf-oss-instruct publish magicoder --to me/model
        Scores:     hf-oss-instruct publish results --to me/model

        PATH is a folder written by synthesize, curate, train, score or evaluate. The command shows what it would upload,
        including the card, and asks for confirmation. It refuses rows that contain secrets. The same command resumes a broken
        upload, and publishes a new revision if PATH has changed.
        """
        from hf_oss_instruct.publishing import hub
        from hf_oss_instruct.publishing.show import show_push

        hub.check_name(to)
        kind = kind_of(folder)
        _check_flags(kind, folder, flags)
        push = _push(kind, folder, to, flags, hooks)
        hub.check(push)
        show_push(push, to)
        if dry_run:
            return
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError("There is no terminal to confirm on. Pass --yes to publish, or --dry-run to look.")
            click.confirm(f"Publish to {to}?", abort=True)
        commit = hub.publish(push, to, **{name: flags[name] for name in ("private", "create_pr", "revision", "message")})
        if commit is None:
            click.echo(f"{to} is up to date.")
            return
        click.echo(f"Published: {commit.pr_url or commit.commit_url}")
        if kind == "run":
            load = f'import datasets; print(datasets.load_dataset({json.dumps(to)}, split="train"))'
            click.echo(f"\nNext, load it:\n  python -c {shlex.quote(load)}")
        elif kind == "model":
            click.echo(f"\nNext, its scores:\n  hf-oss-instruct evaluate --model {to} --task humaneval_plus --out results")

    return publish


def kind_of(folder: Path) -> str:
    """Detect what a folder contains: `run`, `model` or `results`.

    Raises:
        PublishError: it is none of these.
    """
    from hf_oss_instruct.publishing.dataset import is_run
    from hf_oss_instruct.publishing.model import is_model
    from hf_oss_instruct.publishing.scores import is_results

    for kind, holds in (("results", is_results), ("run", is_run), ("model", is_model)):
        if holds(folder):
            return kind
    raise PublishError(
        f"{str(folder)!r} cannot be published. Pass the --out of synthesize or curate (run.json, "
        "oss_instruct.yaml), the output_dir of train (training.json), or the --out of score or evaluate (results.json)."
    )


def _check_flags(kind: str, folder: Path, flags: dict[str, Any]) -> None:
    for name, kinds in ONLY_FOR.items():
        if flags[name] and kind not in kinds:
            about = " and ".join(KINDS[one] for one in kinds)
            raise UsageError(
                f"--{name.replace('_', '-')} applies to {about}, but {str(folder)!r} contains {KINDS[kind]}. Remove the option."
            )


def _push(kind: str, folder: Path, to: str, flags: dict[str, Any], hooks: PublishHooks) -> Push:
    from hf_oss_instruct.publishing.dataset import CONFIG, dataset_push
    from hf_oss_instruct.publishing.model import model_push
    from hf_oss_instruct.publishing.scores import scores_push

    if kind == "results":
        return scores_push(folder, to, benchmark=flags["benchmark"], revision=flags["revision"])
    if kind == "model":
        kept = {name: flags[name] for name in ("license", "results", "allow_unchecked")}
        return model_push(folder, repo_id=to, secret_in=hooks.rules(False, False).secret_in, **kept)
    return dataset_push(
        folder,
        hooks.rules(flags["allow_unchecked"], flags["allow_any_license"]),
        prompt=hooks.prompt_of(folder / CONFIG),
        repo_id=to,
        recipes=hooks.recipes(to),
        with_seeds=not flags["no_seeds"],
        with_rejected=flags["with_rejected"],
        license=flags["license"],
    )
