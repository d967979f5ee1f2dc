"""The command `hf-oss-instruct` (also `hf oss-instruct`): mounts the commands of all packages."""

from __future__ import annotations

from typing import NoReturn

import click

from hf_oss_instruct.api import HOOKS, curate
from hf_oss_instruct.curation.command import curate_command
from hf_oss_instruct.evaluation.command import compare, evaluate, score
from hf_oss_instruct.exports.command import export_command
from hf_oss_instruct.methods.evolve_command import evolve
from hf_oss_instruct.methods.judge_command import judge_command
from hf_oss_instruct.publishing.command import publish_command
from hf_oss_instruct.reporting.command import report
from hf_oss_instruct.rewards.command import reward_server
from hf_oss_instruct.sandbox.command import env
from hf_oss_instruct.scale.command import launch, plan, run_shard, split
from hf_oss_instruct.scale.merge_command import merge
from hf_oss_instruct.seeds.command import seeds
from hf_oss_instruct.spec.flags import check_options
from hf_oss_instruct.synthesis.command import export_run, preview, synthesize
from hf_oss_instruct.synthesis.verify_command import verify
from hf_oss_instruct.terminal.process import run_and_exit
from hf_oss_instruct.training.command import recipe, train


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    # Not standalone: exit codes, signals and errors are those of `terminal.process`.
    run_and_exit(lambda: cli.main(standalone_mode=False))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="hf-oss-instruct")
def cli() -> None:
    """Generate instruction data for code models with OSS-Instruct (Magicoder).

    \b
    Try it without a model:      hf-oss-instruct preview
    With a model of your own:    hf-oss-instruct preview --model MODEL --base-url http://localhost:8080/v1
    Make a dataset:              hf-oss-instruct synthesize --seeds my_code/ --n 2000 --model MODEL --out pairs
    """


COMMANDS = (
    *(seeds, preview, synthesize, export_command(export_run), plan, run_shard, launch, split, merge),
    curate_command(check_options("benchmarks", "rule", "contaminated"), curate),
    *(verify, evolve, judge_command, report),
    publish_command(HOOKS),
    *(recipe, train, reward_server),
    *(evaluate, score, compare),
    env,
)
for command in COMMANDS:
    cli.add_command(command)
