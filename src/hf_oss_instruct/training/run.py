"""Train a model from a YAML with stock TRL: check and count the data, resume after a kill, write a card."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_oss_instruct.argument_types import check_type
from hf_oss_instruct.errors import RunError, RunInterruptedError, UsageError
from hf_oss_instruct.hub import check_endpoint, check_endpoint_for
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.storage.workdir import differences, reserved, writing
from hf_oss_instruct.structured import read_object
from hf_oss_instruct.templates import DROP, check_template, keeps, template_for
from hf_oss_instruct.terminal.display import error_message
from hf_oss_instruct.terminal.signals import defer_signals
from hf_oss_instruct.training.callbacks import Scoring
from hf_oss_instruct.training.checkpoints import last_whole_checkpoint, stop_callback
from hf_oss_instruct.training.data import load_data, report_data
from hf_oss_instruct.training.distributed import LAUNCHED
from hf_oss_instruct.training.output import (
    RECIPE,
    REPORT,
    check_output_dir,
    facts_before,
    facts_of_progress,
    full_disk_errors,
    write_output,
)
from hf_oss_instruct.training.preflight import check_device, check_model, check_packing
from hf_oss_instruct.training.prepare import RowEncoder
from hf_oss_instruct.training.progress import count_steps
from hf_oss_instruct.training.recipes import LAUNCH_KEYS, Recipe, read_yaml
from hf_oss_instruct.training.sources import refuse_unchecked, sources_of

if TYPE_CHECKING:
    from collections.abc import Iterator


CHANGEABLE_KEYS = set(
    "num_train_epochs max_steps save_steps save_strategy logging_steps report_to push_to_hub hub_model_id".split()
)
"""Keys that may change when a run is resumed."""


def train(
    recipe: Recipe | Path | str,
    *,
    template: str = "magicoder",
    thoughts: str = DROP,
    allow_unchecked: bool = False,
    scoring: Scoring | Path | str | None = None,
    say: Callable[[str], None] | None = None,
    callbacks: Sequence[Any] = (),
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Train a recipe in this process, or continue from its last checkpoint.

    For several devices, use the command `train`, which runs `accelerate launch`.

    Args:
        recipe: the result of `load_recipe`, or a YAML file for stock `trl sft --config`.
        template: `magicoder`, or `chat` for the base model's own chat template.
        thoughts: `keep` trains on the teacher's reasoning (column `reasoning`) before the solution, between `<think>` tags;
            `drop` does not.
        allow_unchecked: train on data that was not decontaminated.
        scoring: scores during training: a benchmark such as `humaneval_plus`, `mbpp_plus` or `multipl_e:LANGUAGE`, or a `.jsonl`
            file of tasks (`instruction`, `entry_point`, `tests`), whose answers are run in the sandbox every 100 steps; or a
            `Scoring` with a judge of your own. By default, none.
        say: called with a line for each event, on the main process; by default events are not reported.
        callbacks: further `TrainerCallback`s.
        progress: receives the progress, see `show_progress()`; by default, the trainer displays it.

    Returns:
        The contents of `training.json`, which is written to `output_dir` with the model, the YAML and the card.

    Raises:
        UsageError: an argument is wrong, or the YAML, the data or this machine does not support the training; raised before
            anything large is loaded.
        EvaluationError: the benchmark of `scoring` cannot be read.
        SandboxError: answers are to be run, and this machine has no sandbox.
        RunError: `output_dir` contains checkpoints of another recipe or files of something else that would be replaced, or the
            disk is full.
        RunInterruptedError: Ctrl-C, SIGTERM or SIGHUP was received; unless `save_strategy` is `no`, a checkpoint was saved.
    """
    check_type("scoring", scoring, Scoring | Path | str | None, "a Scoring, the name of a benchmark, or a file of tasks")
    check_template(template)
    keeps(thoughts)  # which refuses other values
    if isinstance(scoring, str | Path):
        from hf_oss_instruct.training.judging import scoring as judged

        scoring = judged(str(scoring))
    with _as_file(recipe) as path:
        values = read_yaml(path)
        # What can fail without the data and the model is checked before either is loaded.
        check_packing(values)
        check_device(values)
        script, arguments, model, mixture = _parsed(path)
    check_endpoint_for(model.model_name_or_path)
    if arguments.push_to_hub:
        check_endpoint()
    sources = sources_of(script, mixture)
    if not allow_unchecked:
        refuse_unchecked(sources)
    check_model(values, _from_pretrained("AutoConfig", model))
    out = Path(arguments.output_dir)
    # Launched processes find the folder as the first of them has left it; the launching one has checked it.
    if LAUNCHED not in os.environ:
        check_output_dir(out)
    # The process that started the others holds the folder for all of them.
    holding = nullcontext() if LAUNCHED in os.environ else reserved(out, "output_dir")
    with holding:
        checkpoint = _checkpoint_to_resume(out, values, arguments, {"--template": template, "--thoughts": thoughts})
        tokenizer = _from_pretrained("AutoTokenizer", model)
        chosen = template_for(template, tokenizer)
        # Saved with the tokenizer, so that a chat client writes the prompts of the training and stops at its end token.
        tokenizer.chat_template, arguments.eos_token = chosen.chat_template, chosen.stop
        encoder = RowEncoder(chosen, tokenizer, arguments.max_length, thoughts)
        with _main_process_first(arguments), progress.stage("Encoding the data"):
            streaming, processes = mixture.streaming or script.dataset_streaming, arguments.dataset_num_proc
            data = load_data(sources, encoder, streaming=streaming, rng_seed=arguments.seed, num_proc=processes)
        facts = facts_before(values, arguments, chosen, data, model) | ({"thoughts": thoughts} if thoughts != DROP else {})
        with progress.stage(f"Loading {model.model_name_or_path}"):
            trainer = _trainer(model, arguments, data.rows, tokenizer, out, facts, callbacks)
        if scoring:
            trainer.add_callback(scoring.callback(trainer, chosen, progress))
        if say and trainer.is_world_process_zero():
            report_data(data, say)
            if checkpoint:
                say(f"Resuming from {checkpoint}.")
        with defer_signals() as stopping, full_disk_errors(out), writing(out):
            trainer.add_callback(stop_callback(trainer, stopping))
            with progress.stage(f"Training {model.model_name_or_path}", "steps") as counts:
                if progress is not SILENT:
                    count_steps(trainer, counts)
                trainer.train(resume_from_checkpoint=checkpoint)
            # A signal in the last step changes nothing: the training is complete.
            if stopping and trainer.state.global_step < trainer.state.max_steps:
                raise RunInterruptedError(_interruption(trainer, out))
            return _save(trainer, arguments, out, facts)


@contextmanager
def _as_file(recipe: Recipe | Path | str) -> Iterator[Path]:
    """Write the recipe to a file, since TRL's parser reads files only."""
    if isinstance(recipe, str | Path):
        yield Path(recipe)
        return
    if not isinstance(recipe, Recipe):
        raise UsageError(f"A recipe is what load_recipe returns, or the path of a YAML file, not {recipe!r}.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, RECIPE)
        path.write_text(recipe.to_yaml(), "utf-8")
        yield path


def _parsed(path: Path) -> Any:
    """Parse the YAML with TRL, without the keys for `accelerate launch`."""
    from trl.scripts.sft import make_parser

    try:
        # `accelerate launch` has read its own keys from the same file; unknown ones were refused by `read_yaml`.
        return make_parser().parse_args_and_config(["--config", str(path)], fail_with_unknown_args=False)
    except (ValueError, TypeError, SystemExit) as error:
        raise UsageError(
            f"TRL does not accept {path}: {error}. Print a recipe that it accepts: hf-oss-instruct recipe magicoder"
        ) from error


def _from_pretrained(kind: str, model: Any) -> Any:
    import transformers

    try:
        return getattr(transformers, kind).from_pretrained(model.model_name_or_path, revision=model.model_revision)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{kind} cannot read the model {model.model_name_or_path!r}: {error_message(error)}. Check model_name_or_path and "
            "model_revision."
        ) from error


def _checkpoint_to_resume(out: Path, values: dict[str, Any], arguments: Any, options: dict[str, str]) -> str | None:
    """The checkpoint to resume from, if the folder has one of this recipe and of these options, which decide on the tokens."""
    if arguments.resume_from_checkpoint:
        return str(arguments.resume_from_checkpoint)
    checkpoint, may_change = last_whole_checkpoint(out), CHANGEABLE_KEYS | set(LAUNCH_KEYS)
    if checkpoint and (out / RECIPE).is_file():
        there, here = ({key: recipe[key] for key in recipe.keys() - may_change} for recipe in (read_yaml(out / RECIPE), values))
        if changed := sorted(differences(there | _options_of(out), here | options)):
            raise RunError(
                f"The output_dir {str(out)!r} contains checkpoints of another recipe: {'; '.join(changed)}. Use another "
                "output_dir, or the original recipe and options."
            )
    return checkpoint


def _options_of(out: Path) -> dict[str, str]:
    """The options that a training was started with."""
    try:
        facts = read_object(out / REPORT, {"template": dict})
    except ValueError as error:
        raise RunError(f"{error}. It says how the checkpoints beside it were trained; use another output_dir.") from error
    return {"--template": str(facts["template"].get("name")), "--thoughts": facts.get("thoughts", DROP)}


@contextmanager
def _main_process_first(arguments: Any) -> Iterator[None]:
    """One process encodes the data; the others read its cache."""
    with arguments.main_process_first(desc="encoding"):
        yield


def _trainer(model: Any, arguments: Any, rows: Any, tokenizer: Any, out: Path, facts: dict[str, Any], callbacks: Any) -> Any:
    """Create a stock `SFTTrainer` that does not write TRL's own card, which would replace ours at every save."""
    from trl import SFTTrainer, get_peft_config, get_quantization_config

    class Trainer(SFTTrainer):
        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            # Called at every save, so the card is up to date even if the training is killed.
            facts.update(facts_of_progress(self))
            if self.is_world_process_zero():
                write_output(out, facts)

    # As stock `trl sft` does: SFTTrainer loads a model that is named by a string with these.
    arguments.model_init_kwargs = {
        "revision": model.model_revision,
        "attn_implementation": model.attn_implementation,
        "dtype": model.dtype,
        **(arguments.model_init_kwargs or {}),
    }
    return Trainer(
        model=model.model_name_or_path,
        args=arguments,
        train_dataset=rows,
        processing_class=tokenizer,
        quantization_config=get_quantization_config(model),
        peft_config=get_peft_config(model),
        callbacks=list(callbacks),
    )


def _save(trainer: Any, arguments: Any, out: Path, facts: dict[str, Any]) -> dict[str, Any]:
    trainer.save_model(str(out))
    trainer.create_model_card()
    if arguments.push_to_hub:
        trainer.push_to_hub()
    return facts


def _interruption(trainer: Any, out: Path) -> str:
    checkpoint = last_whole_checkpoint(out)
    then = f"resumes from {checkpoint}" if checkpoint else "starts over, because no checkpoint was saved"
    return f"Interrupted after step {trainer.state.global_step:,} of {trainer.state.max_steps:,}. The same command {then}."
