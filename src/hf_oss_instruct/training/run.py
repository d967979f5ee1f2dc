"""Train a model from a YAML with stock TRL: check and count the data, resume after a kill, write a card."""

from __future__ import annotations

import json
import os
import platform
import re
import tempfile
from collections.abc import Callable, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from hf_oss_instruct.data import FORMAT_VERSION
from hf_oss_instruct.display import error_message
from hf_oss_instruct.errors import RunError, RunInterruptedError, UsageError
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.publishing.loss_curve import loss_curve
from hf_oss_instruct.publishing.model_card import CURVE, model_card
from hf_oss_instruct.signals import deferring
from hf_oss_instruct.templates import template_for
from hf_oss_instruct.training.checkpoints import last_whole_checkpoint, stop_callback
from hf_oss_instruct.training.launched import LAUNCHED
from hf_oss_instruct.training.preflight import check_device, check_model, check_packing
from hf_oss_instruct.training.prepare import Encoder, Prepared, mixed, prepare
from hf_oss_instruct.training.progress import show_in
from hf_oss_instruct.training.recipes import LAUNCH_KEYS, Recipe, read_yaml
from hf_oss_instruct.training.sources import TrainingSource, on_the_hub, refuse_unchecked, sources_of, why_unchecked
from hf_oss_instruct.workdir import differences, held, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hf_oss_instruct.training.callbacks import Scoring

RECIPE, REPORT, CARD = "recipe.yaml", "training.json", "README.md"
PACKAGES = ("hf-oss-instruct", "trl", "transformers", "torch", "datasets", "accelerate", "peft")
_FULL = re.compile(
    r"No space left on device|StorageFull|FileTooLarge|File too large|failed writing file|inline_container|Disk quota exceeded"
)
MAY_CHANGE = set("num_train_epochs max_steps save_steps save_strategy logging_steps report_to push_to_hub hub_model_id".split())
"""Keys that may change when a run is resumed."""


@dataclass
class Data:
    """The training data.

    Attributes:
        rows: `input_ids` and `labels`.
        parts: for each set its name, counts, tokens, rows drawn for the mixture, and why it counts as unchecked, if it does.
    """

    rows: Any
    parts: list[dict[str, Any]]


def train(
    recipe: Recipe | Path | str,
    *,
    template: str = "magicoder",
    allow_unchecked: bool = False,
    scoring: Scoring | None = None,
    say: Callable[[str], None] = lambda line: None,
    callbacks: Sequence[Any] = (),
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Train a recipe in this process, or continue from its last checkpoint.

    Several devices: the command `train`, which starts `accelerate launch`.

    Args:
        recipe: what `load_recipe` returns, or a YAML file that stock `trl sft --config` takes.
        template: `magicoder`, or `chat` for the base model's own chat template.
        allow_unchecked: train on data that was not decontaminated.
        scoring: what to generate and run while training.
        say: called with a line for each event, on the main process.
        callbacks: further `TrainerCallback`s.
        progress: shows what is done, such as what `show_progress()` gives; by default the trainer shows it itself.

    Returns:
        The contents of `training.json`, which lies in `output_dir` beside the model, the YAML and the card.

    Raises:
        UsageError: the YAML, the data or this machine does not support the training; raised before anything large is loaded.
        RunError: `output_dir` holds the checkpoints of another recipe, or the disk is full.
        RunInterruptedError: Ctrl-C, SIGTERM or SIGHUP came; unless `save_strategy` is `no`, a checkpoint was saved.
    """
    with _file_of(recipe) as path:
        values = read_yaml(path)
        check_packing(values)
        check_device(values)
        script, arguments, model, mixture = _parsed(path)
    sources = sources_of(script, mixture)
    if not allow_unchecked:
        refuse_unchecked(sources)
    check_model(values, _from_pretrained("AutoConfig", model))
    out = Path(arguments.output_dir)
    checkpoint = _adopt(out, values, arguments)
    tokenizer = _from_pretrained("AutoTokenizer", model)
    chosen = template_for(template, tokenizer)
    tokenizer.chat_template, arguments.eos_token = chosen.chat_template, chosen.stop
    encoder = Encoder(chosen, tokenizer, arguments.max_length)
    with _main_process_first(arguments), progress.stage("Encoding the data"):
        streaming, processes = mixture.streaming or script.dataset_streaming, arguments.dataset_num_proc
        data = _data(sources, encoder, streaming=streaming, rng_seed=arguments.seed, num_proc=processes)
    facts = _facts(values, arguments, chosen, data, model)
    with progress.stage(f"Loading {model.model_name_or_path}"):
        trainer = _trainer(model, arguments, data.rows, tokenizer, out, facts, callbacks)
    if scoring:
        trainer.add_callback(scoring.callback(trainer, chosen, progress))
    if trainer.is_world_process_zero():
        _say_data(data, say)
        if checkpoint:
            say(f"Resuming from {checkpoint}.")
    # The process that started the others holds the folder for all of them.
    holding = nullcontext() if LAUNCHED in os.environ else held(out)
    with holding, deferring() as stopping, _full_disk_translated(out):
        trainer.add_callback(stop_callback(trainer, stopping))
        with progress.stage(f"Training {model.model_name_or_path}", "steps") as counts:
            if progress is not SILENT:
                show_in(trainer, counts)
            trainer.train(resume_from_checkpoint=checkpoint)
        if stopping and trainer.state.global_step < trainer.state.max_steps:
            raise RunInterruptedError(_where_it_stopped(trainer, out))
        return _saved(trainer, arguments, out, facts)


@contextmanager
def _file_of(recipe: Recipe | Path | str) -> Iterator[Path]:
    """The recipe as a file, which is what TRL's parser reads."""
    if not isinstance(recipe, Recipe):
        yield Path(recipe)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, RECIPE)
        path.write_text(recipe.to_yaml(), "utf-8")
        yield path


def _parsed(path: Path) -> Any:
    """Parse the YAML with TRL, without the keys for `accelerate launch`."""
    from trl.scripts.sft import make_parser

    try:
        return make_parser().parse_args_and_config(["--config", str(path)], fail_with_unknown_args=False)
    except (ValueError, TypeError, SystemExit) as error:
        raise UsageError(
            f"TRL does not take {path}: {error}. Print one that it takes: hf-oss-instruct recipe magicoder"
        ) from error


def _from_pretrained(kind: str, model: Any) -> Any:
    import transformers

    try:
        return getattr(transformers, kind).from_pretrained(model.model_name_or_path, revision=model.model_revision)
    except (OSError, ValueError) as error:
        raise UsageError(f"{kind} cannot read the model {model.model_name_or_path!r}: {error_message(error)}.") from error


def _adopt(out: Path, values: dict[str, Any], arguments: Any) -> str | None:
    """The checkpoint to resume from, if the folder has one of this recipe."""
    if arguments.resume_from_checkpoint:
        return str(arguments.resume_from_checkpoint)
    checkpoint, may_change = last_whole_checkpoint(out), MAY_CHANGE | set(LAUNCH_KEYS)
    if checkpoint and (out / RECIPE).is_file():
        there, here = ({key: recipe[key] for key in recipe.keys() - may_change} for recipe in (read_yaml(out / RECIPE), values))
        if changed := sorted(differences(there, here)):
            raise RunError(
                f"The output_dir {str(out)!r} holds checkpoints of another recipe: {'; '.join(changed)}. Use another output_dir, "
                "or the recipe as it was."
            )
    return checkpoint


@contextmanager
def _main_process_first(arguments: Any) -> Iterator[None]:
    """One process encodes the data; the others read its cache."""
    with arguments.main_process_first(desc="encoding"):
        yield


def _data(sources: list[TrainingSource], encoder: Encoder, *, streaming: bool, rng_seed: int, num_proc: int | None) -> Data:
    made = [prepare(source.open(streaming), encoder, num_proc=num_proc) for source in sources]
    if len(made) == 1:
        return Data(made[0].rows, [_part(sources[0], made[0], None)])
    if sources[0].fraction is None and not streaming:
        from datasets import concatenate_datasets

        rows, drawn = concatenate_datasets([one.rows for one in made]), None
    else:
        shares = [source.fraction or 1.0 for source in sources]
        rows, drawn = mixed([(one.rows, share) for one, share in zip(made, shares, strict=True)], rng_seed)
    parts = [_part(source, one, drawn[n] if drawn else None) for n, (source, one) in enumerate(zip(sources, made, strict=True))]
    return Data(rows, parts)


def _part(source: TrainingSource, made: Prepared, drawn: int | None) -> dict[str, Any]:
    # the counter itself, not a copy: it grows while a stream is read
    words = {"source": asdict(source), "hub": source.on_the_hub, "revision": source.revision}
    return words | {"counts": made.counts, "drawn": drawn, "unchecked": why_unchecked(source)}


def _say_data(data: Data, say: Callable[[str], None]) -> None:
    for part in data.parts:
        counts, name = part["counts"], part["source"]["path"]
        if not counts:
            say(f"{name}: a stream; its rows are counted while it is read.")
            continue
        left = ", ".join(f"{reason} {n:,}" for reason, n in counts.items() if reason != "kept") or "none"
        drawn = "" if part["drawn"] is None else f", {part['drawn']:,} of them drawn for the mixture"
        say(f"{name}: {counts['kept']:,} rows of {counts.total():,} are trained on{drawn}; dropped: {left}.")
        if part["unchecked"]:
            say(f"{name} was not decontaminated: {part['unchecked']}.")


def _facts(values: dict[str, Any], arguments: Any, template: Any, data: Data, model: Any) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "base_model": model.model_name_or_path,
        "base": on_the_hub(model.model_name_or_path, "model", model.model_revision),
        "template": {"name": template.name, "stop": template.stop},
        "recipe": values,
        "arguments": arguments.to_sanitized_dict(),
        "data": data.parts,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }


def _trainer(model: Any, arguments: Any, rows: Any, tokenizer: Any, out: Path, facts: dict[str, Any], callbacks: Any) -> Any:
    """Create a stock `SFTTrainer` that does not write TRL's own card, which would replace ours at every save."""
    from trl import SFTTrainer, get_peft_config, get_quantization_config

    class Trainer(SFTTrainer):
        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            facts.update(_progress(self))
            if self.is_world_process_zero():
                _write(out, facts)

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


def _saved(trainer: Any, arguments: Any, out: Path, facts: dict[str, Any]) -> dict[str, Any]:
    trainer.save_model(str(out))
    trainer.create_model_card()
    if arguments.push_to_hub:
        trainer.push_to_hub()
    return facts


def _where_it_stopped(trainer: Any, out: Path) -> str:
    checkpoint = last_whole_checkpoint(out)
    then = f"resumes from {checkpoint}" if checkpoint else "starts over, because no checkpoint was saved"
    return f"Interrupted after step {trainer.state.global_step:,} of {trainer.state.max_steps:,}. The same command {then}."


@contextmanager
def _full_disk_translated(out: Path) -> Iterator[None]:
    """Translate errors of a full disk: torch and safetensors raise their own types for it."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) or not _FULL.search(str(error)):
            raise
        raise RunError(
            f"The output_dir {str(out)!r} cannot be written: {error_message(error)}. Free disk space, then run the same command again to "
            "resume from the last checkpoint."
        ) from error


def _progress(trainer: Any) -> dict[str, Any]:
    history = trainer.state.log_history
    return {
        "steps": trainer.state.global_step,
        "tokens_seen": trainer.state.num_input_tokens_seen or None,
        "losses": [[entry["step"], entry["loss"]] for entry in history if "loss" in entry],
        "scores": [entry for entry in history if "score/pass@1" in entry],
    }


def _write(out: Path, facts: dict[str, Any]) -> None:
    """Write the YAML, the facts and the card; called at every save."""
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / RECIPE, yaml.safe_dump(facts["recipe"], sort_keys=False, allow_unicode=True))
    write_whole(out / REPORT, json.dumps(facts, indent=2, default=str) + "\n")
    write_whole(out / CARD, model_card(out.resolve().name, facts))
    if curve := loss_curve(facts["losses"]):
        write_whole(out / CURVE, curve)
