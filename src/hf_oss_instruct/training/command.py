"""The commands `train` and `recipe`."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.storage.workdir import locked
from hf_oss_instruct.templates import DROP, TEMPLATES, THOUGHTS
from hf_oss_instruct.terminal.console import command_line, show_ending
from hf_oss_instruct.terminal.display import plural
from hf_oss_instruct.terminal.flags import option_words, unsafe_option
from hf_oss_instruct.training.callbacks import Scoring
from hf_oss_instruct.training.distributed import LAUNCHED, run_launcher


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--template", type=click.Choice(TEMPLATES), default=TEMPLATES[0], show_default=True,
              help="Prompt format: @@ Instruction / @@ Response, or the base model's own chat template.")  # fmt: skip
@click.option("--thoughts", type=click.Choice(THOUGHTS), default=DROP, show_default=True,
              help="Whether to train on the teacher's reasoning (column reasoning) before the solution.")  # fmt: skip
@click.option("--allow-unchecked", is_flag=True, help="Train on data that was not decontaminated; the card says so.")
@click.option("--score", metavar="TASK", help="Score while training: humaneval_plus, mbpp_plus, multipl_e:LANGUAGE, or a .jsonl "
              "file of tasks (instruction, entry_point, tests). Answers run in the sandbox.")  # fmt: skip
@click.option("--score-data", metavar="DIR", type=click.Path(exists=True, path_type=Path),
              help="Local files of the benchmark. Default: download from the Hub.")  # fmt: skip
@click.option("--score-every", metavar="STEPS", type=click.IntRange(1), default=Scoring.every, show_default=True,
              help="Steps between scores; the model is also scored before the first and after the last step.")  # fmt: skip
@click.option("--score-count", metavar="N", type=click.IntRange(1), help="Number of tasks, evenly spread. Default: all.")
@click.option("--score-tokens", metavar="N", type=click.IntRange(1), default=Scoring.max_new_tokens, show_default=True,
              help="Maximum number of tokens per answer.")  # fmt: skip
@unsafe_option
@click.pass_context
def train(
    context: click.Context,
    file: Path,
    template: str,
    thoughts: str,
    allow_unchecked: bool,
    score: str | None,
    score_data: Path | None,
    score_every: int,
    score_count: int | None,
    score_tokens: int,
    tier: str | None,
) -> None:
    """Train a model from a YAML recipe for `trl sft`.

    \b
    hf-oss-instruct recipe magicoder --data pairs > magicoder.yaml
    hf-oss-instruct train magicoder.yaml

    Rows that are too long are dropped and counted, never truncated. Ctrl-C and SIGTERM save a checkpoint (unless save_strategy is
    no); the same command continues from the last checkpoint, even after a kill.
    With --score humaneval_plus, greedy answers run in the sandbox during training. pass@1 with its interval, the answers and
    their verdicts are written to the log, the card and OUTPUT_DIR/scores/.
    With num_processes or accelerate_config in FILE, it runs under `accelerate launch`, or on CPUs under torchrun.
    """
    from hf_oss_instruct.training.recipes import read_yaml

    # TRL sends telemetry unless this is set; the user may set it to 0.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    values = read_yaml(file)
    launch = _launch_words(values)
    if launch and LAUNCHED not in os.environ:
        from hf_oss_instruct.training.output import check_output_dir

        # Each process runs this same command, where LAUNCHED is then set.
        options = option_words(context.command, context.params)
        check_output_dir(_output_dir(values))
        with locked(_output_dir(values)):
            run_launcher([sys.executable, "-m", *launch, "-m", "hf_oss_instruct.training", str(file), *options])
        return
    from hf_oss_instruct.training.run import train as run

    judged = None
    if score is not None:
        from hf_oss_instruct.training.judging import scoring

        judged = scoring(score, every=score_every, data=score_data, count=score_count, max_new_tokens=score_tokens, tier=tier)
    # Of several processes, the first one talks to the user.
    main = os.environ.get(LAUNCHED, "0") == "0"
    with show_progress("auto" if main else "quiet") as progress:
        facts = run(
            file,
            template=template,
            thoughts=thoughts,
            allow_unchecked=allow_unchecked,
            scoring=judged,
            say=partial(click.echo, err=True),
            progress=progress,
        )
    if main:
        out = _output_dir(facts["recipe"])
        then = command_line("evaluate", "--model", out, "--task", "humaneval_plus", "--out", f"{out}-scores")
        losses = f", loss {facts['losses'][-1][1]:.3g} at the end" if facts["losses"] else ""
        show_ending(f"Trained {plural(facts['steps'], 'step')}{losses}", out, view=[str(out / "README.md")], next_command=then)


def _output_dir(values: dict[str, Any]) -> Path:
    """The output folder; TRL's default if the YAML sets none."""
    return Path(values.get("output_dir") or "trainer_output")


@click.command(short_help="Print a training recipe for TRL as YAML.")
@click.argument("name", required=False)
@click.option("--model", metavar="ID", help="Base model: a Hub id or a folder.")
@click.option("--data", metavar="ID", help="Dataset: a Hub id or a folder written by synthesize.")
@click.option(
    "--gpus",
    type=click.IntRange(0),
    help="Number of GPUs; 0 for a CPU. Gradient accumulation is adapted to keep the rows per step.",
)
@click.option(
    "--rows", type=click.IntRange(1), help="Number of rows for the time estimate. Default: the rows of a folder, else 75,000."
)
@click.option("--set", "changes", metavar="KEY=VALUE", multiple=True, help="Any other key of TRL's command; can be repeated.")
def recipe(
    name: str | None, model: str | None, data: str | None, gpus: int | None, rows: int | None, changes: tuple[str, ...]
) -> None:
    """Print a training recipe as YAML, for TRL and for `train`; without NAME, list them.

    \b
    hf-oss-instruct recipe magicoder --data pairs --gpus 2 > magicoder.yaml
    hf-oss-instruct recipe fast --model Qwen/Qwen2.5-Coder-1.5B --set learning_rate=1e-5
    hf-oss-instruct recipe grpo --data pairs-trl > grpo.yaml && trl grpo --config grpo.yaml

    Recipes are for `trl sft --config` and `train`; grpo (reinforcement learning on tests) and dpo (preferences) are for
    `trl grpo` and `trl dpo`.
    """
    from hf_oss_instruct.training.recipes import RECIPES, load_recipe

    if name is None:
        click.echo("\n".join(RECIPES))
        return
    loaded = load_recipe(name, model=model, data=data, gpus=gpus, rows=rows, changes=dict(map(_change, changes)))
    click.echo(loaded.to_yaml(), nl=False)


def _change(text: str) -> tuple[str, Any]:
    import yaml

    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set takes KEY=VALUE, not {text!r}. Write it as --set learning_rate=1e-5.")
    try:
        return key, float(value) if "e" in value.lower() else yaml.safe_load(value)  # YAML 1.1 reads 1e-5 as a string
    except ValueError:
        return key, yaml.safe_load(value)


def _launch_words(values: dict[str, Any]) -> list[str]:
    """Module and arguments that start several processes; empty for a single process."""
    config, processes = values.get("accelerate_config"), values.get("num_processes", 1)
    if values.get("use_cpu"):  # on CPUs, accelerate only supports MPI, and hangs without it
        return ["torch.distributed.run", "--nproc-per-node", str(processes)] if processes > 1 else []
    words = [] if config is None else ["--config_file", _accelerate_config(str(config))]
    for key in ("num_processes", "num_machines", "machine_rank", "main_process_ip", "main_process_port"):
        if key in values and (words or processes > 1):
            words += [f"--{key}", str(values[key])]
    return ["accelerate.commands.launch", *words] if words else []


def _accelerate_config(name: str) -> str:
    from importlib.resources import files

    shipped = files("trl.accelerate_configs") / f"{name}.yaml"
    if not Path(name).is_file() and not shipped.is_file():
        raise UsageError(
            f"accelerate_config {name!r} is neither a file nor one that TRL ships. Use fsdp2, zero2, zero3 or a file."
        )
    return name if Path(name).is_file() else str(shipped)
