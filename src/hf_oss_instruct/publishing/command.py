"""The `publish` command: detects whether a folder is a run, a trained model or scores."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import click

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.publishing.folders import PublishHooks, PublishOptions
from hf_oss_instruct.terminal.console import command_line, show_ending
from hf_oss_instruct.terminal.flags import as_argument


def publish_command(hooks: PublishHooks) -> click.Command:
    """Create the click command.

    Args:
        hooks: functions of other packages.
    """
    folder_type = click.Path(exists=True, file_okay=False, path_type=Path)

    @click.command(short_help="Publish a dataset, a model or scores to the Hub.")
    @click.argument("folder", metavar="PATH", type=folder_type)
    @click.option("--to", metavar="NS/NAME", required=True, help="The repository; created if it does not exist.")
    @click.option("--private", is_flag=True, help="Make a new repository private.")
    @click.option("--create-pr", is_flag=True, help="Open a pull request, which also works for other people's repositories.")
    @click.option(
        "--revision", metavar="BRANCH", default="main", show_default=True, help="The branch; created if it does not exist."
    )
    @click.option("--message", help="Commit message. Default: a one-line summary.")
    @click.option(
        "--license", metavar="ID", help="The Hub's license identifier. Default: other for data, the base model's for a model."
    )
    @click.option("--no-seeds", is_flag=True, help="Data: leave out the verbatim snippets; rows keep their location.")
    @click.option("--with-rejected", is_flag=True, help="Data: also publish rejected rows.")
    @click.option("--allow-unchecked", is_flag=True, help="Publish even if a check did not run; the card says which.")
    @click.option("--allow-any-license", is_flag=True, help="Data: publish even if a snippet's license is unknown or forbids it.")
    @click.option("--results", type=folder_type, multiple=True, help="Model: scores for its card; can be repeated.")
    @click.option("--benchmark", metavar="NS/DATASET:TASK", help="Scores: a benchmark on the Hub; adds .eval_results/.")
    @click.option(
        "--report/--no-report",
        default=None,
        help="Data: also publish the report (page and charts). Default: if PATH has one in report/.",
    )
    @click.option("--space", metavar="NS/NAME", help="Data: also publish a Space to browse the rows.")
    @click.option("--dry-run", is_flag=True, help="Show what would be uploaded, and stop.")
    @click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
    @as_argument(PublishOptions, "options")
    def publish(
        folder: Path, to: str, create_pr: bool, message: str | None, dry_run: bool, yes: bool, options: PublishOptions
    ) -> None:
        """Publish PATH to the Hub: a dataset, a trained model, or scores, in one commit.

        \b
        A run:      hf-oss-instruct publish pairs --to me/pairs
        A Space:    hf-oss-instruct publish pairs --to me/pairs --space me/pairs-browser
        A model:    hf-oss-instruct publish magicoder --to me/model
        An export:  hf-oss-instruct publish pairs-trl --to me/pairs-trl
        Scores:     hf-oss-instruct publish results --to me/model

        PATH is a folder written by synthesize, curate, export, train, score or evaluate. The command shows what it would upload,
        with the first lines of the card's text, and asks for confirmation. It refuses rows that contain secrets. The same command
        resumes an interrupted upload, and publishes a new revision if PATH has changed.
        """
        from hf_oss_instruct.publishing import hub
        from hf_oss_instruct.publishing.console import show_push
        from hf_oss_instruct.publishing.folders import kind_of, pushes_of

        with show_progress() as progress:
            pushes = pushes_of(folder, to, options, hooks, progress)
        for repo_id, planned in pushes.items():
            show_push(planned, repo_id)
        if dry_run:
            return
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError(
                    "No terminal to ask for confirmation. Pass --yes to publish, or --dry-run to see what would be published."
                )
            click.confirm(f"Publish to {' and '.join(pushes)}?", abort=True)
        with show_progress() as progress:
            commits = hub.publish_all(
                pushes,
                private=options.private,
                create_pr=create_pr,
                revision=options.revision,
                message=message,
                progress=progress,
            )
        for repo_id, commit in commits.items():
            if commit:
                url = commit.pr_url or commit.commit_url
                show_ending(f"Published {repo_id}", url, next_command=_next(kind_of(folder), to) if repo_id == to else "")
            else:
                show_ending(f"{repo_id} is up to date")

    return publish


def _next(kind: str, to: str) -> str:
    """The command that uses the publication."""
    if kind == "model":
        return command_line("evaluate", "--model", to, "--task", "humaneval_plus", "--out", "results")
    if kind == "run":
        load = f'import datasets; print(datasets.load_dataset({json.dumps(to)}, split="train"))'
        return shlex.join(["python", "-c", load])
    return ""
