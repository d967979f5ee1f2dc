"""The command `publish`: a run, a trained model or scores, recognised by what their folder holds."""

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
    from hf_oss_instruct.publishing.data_set import Rules
    from hf_oss_instruct.publishing.hub import Push

KINDS = {"run": "a data set", "model": "a trained model", "results": "scores"}
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
"""Flag → the kinds of folders that it is about."""


@dataclass(frozen=True)
class Known:
    """What other rooms know of a data set.

    Attributes:
        rules: (allow unchecked, allow any licence) → what must hold of it.
        prompt_of: a run's `oss_instruct.yaml` → the prompt template in full.
        recipes: its name on the Hub → training recipes for it, name → YAML.
    """

    rules: Callable[[bool, bool], Rules]
    prompt_of: Callable[[Path], str]
    recipes: Callable[[str], Mapping[str, str]]


def publish_command(known: Known) -> click.Command:
    """The command, with what other rooms know handed to it."""
    folder_type = click.Path(exists=True, file_okay=False, path_type=Path)

    @click.command()
    @click.argument("folder", metavar="PATH", type=folder_type)
    @click.option("--to", metavar="NS/NAME", required=True, help="The repository; made if it is not there.")
    @click.option("--private", is_flag=True, help="Make a new repository private.")
    @click.option("--create-pr", is_flag=True, help="As a pull request, which may go to a repository of others.")
    @click.option("--revision", metavar="BRANCH", default="main", show_default=True, help="The branch; made if it is not there.")
    @click.option("--message", help="Commit message. Default: a line that says what it is.")
    @click.option("--license", metavar="ID", help="As the Hub names it. Default: other for data, the base model's for a model.")
    @click.option("--no-seeds", is_flag=True, help="Data: leave the verbatim snippets out; rows keep their place.")
    @click.option("--with-rejected", is_flag=True, help="Data: publish what was left out, too.")
    @click.option("--allow-unchecked", is_flag=True, help="Although a check was not done; the card says which.")
    @click.option("--allow-any-license", is_flag=True, help="Data: although a snippet's licence is unknown or forbids it.")
    @click.option("--results", type=folder_type, multiple=True, help="Model: scores for its card; may be given again.")
    @click.option("--benchmark", metavar="NS/SET:TASK", help="Scores: a benchmark of the Hub; adds .eval_results/.")
    @click.option("--dry-run", is_flag=True, help="Show what would be pushed, and stop.")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def publish(folder: Path, to: str, dry_run: bool, yes: bool, **flags: Any) -> None:
        """Put PATH on the Hub: a data set, a trained model, or scores, in one commit or not at all.

        \b
        A run:      hf-oss-instruct publish pairs --to me/pairs
        A model:    hf-oss-instruct publish magicoder --to me/model
        Scores:     hf-oss-instruct publish results --to me/model

        PATH is what synthesize, curate, train, score or evaluate wrote. It shows what would be pushed, card included, and asks.
        Rows with secrets stop it. The same command resumes after a broken upload, and publishes a new revision when PATH has
        changed.
        """
        from hf_oss_instruct.publishing import hub
        from hf_oss_instruct.publishing.show import show_push

        hub.check_name(to)
        kind = kind_of(folder)
        _check_flags(kind, folder, flags)
        push = _push(kind, folder, to, flags, known)
        hub.check(push)
        show_push(push, to)
        if dry_run:
            return
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError("Nobody is there to ask. Pass --yes to publish, or --dry-run to look.")
            click.confirm(f"Publish to {to}?", abort=True)
        commit = hub.publish(push, to, **{name: flags[name] for name in ("private", "create_pr", "revision", "message")})
        if commit is None:
            click.echo(f"{to} holds all of it already.")
            return
        click.echo(f"Published: {commit.pr_url or commit.commit_url}")
        if kind == "run":
            load = f'import datasets; print(datasets.load_dataset({json.dumps(to)}, split="train"))'
            click.echo(f"\nNext, load it:\n  python -c {shlex.quote(load)}")
        elif kind == "model":
            click.echo(f"\nNext, its scores:\n  hf-oss-instruct evaluate --model {to} --task humaneval_plus --out results")

    return publish


def kind_of(folder: Path) -> str:
    """What a folder holds: `run`, `model` or `results`.

    Raises:
        PublishError: nothing that we know.
    """
    from hf_oss_instruct.publishing.data_set import is_run
    from hf_oss_instruct.publishing.model import is_model
    from hf_oss_instruct.publishing.scores import is_results

    for kind, holds in (("results", is_results), ("run", is_run), ("model", is_model)):
        if holds(folder):
            return kind
    raise PublishError(
        f"{str(folder)!r} is nothing that can be published. Name the --out of synthesize or curate (run.json, "
        "oss_instruct.yaml), the output_dir of train (training.json), or the --out of score or evaluate (results.json)."
    )


def _check_flags(kind: str, folder: Path, flags: dict[str, Any]) -> None:
    for name, kinds in ONLY_FOR.items():
        if flags[name] and kind not in kinds:
            about = " and ".join(KINDS[one] for one in kinds)
            raise UsageError(
                f"--{name.replace('_', '-')} is about {about}, and {str(folder)!r} holds {KINDS[kind]}. Leave it out."
            )


def _push(kind: str, folder: Path, to: str, flags: dict[str, Any], known: Known) -> Push:
    from hf_oss_instruct.publishing.data_set import CONFIG, data_set
    from hf_oss_instruct.publishing.model import model
    from hf_oss_instruct.publishing.scores import scores

    if kind == "results":
        return scores(folder, to, benchmark=flags["benchmark"], revision=flags["revision"])
    if kind == "model":
        kept = {name: flags[name] for name in ("license", "results", "allow_unchecked")}
        return model(folder, repo_id=to, secret_in=known.rules(False, False).secret_in, **kept)
    return data_set(
        folder,
        known.rules(flags["allow_unchecked"], flags["allow_any_license"]),
        prompt=known.prompt_of(folder / CONFIG),
        repo_id=to,
        recipes=known.recipes(to),
        with_seeds=not flags["no_seeds"],
        with_rejected=flags["with_rejected"],
        license=flags["license"],
    )
