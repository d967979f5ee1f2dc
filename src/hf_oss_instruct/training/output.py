"""Write the output of a training: the recipe, `training.json`, the model card and the plot of the loss."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from hf_oss_instruct.data import FORMAT_VERSION
from hf_oss_instruct.errors import RunError
from hf_oss_instruct.publishing.cards.loss_curve import loss_curve
from hf_oss_instruct.publishing.cards.model_card import CURVE, model_card
from hf_oss_instruct.storage.workdir import check_replaceable, write_atomically
from hf_oss_instruct.terminal.display import error_message
from hf_oss_instruct.training.data import TrainingData
from hf_oss_instruct.training.sources import on_the_hub

RECIPE, REPORT, CARD = "recipe.yaml", "training.json", "README.md"
PACKAGES = ("hf-oss-instruct", "trl", "transformers", "torch", "datasets", "accelerate", "peft")
# What safetensors (Rust) and torch's zip writer say of a full disk or a file size limit, in exceptions of their own.
_FULL = re.compile(
    r"No space left on device|StorageFull|FileTooLarge|File too large|failed writing file|inline_container|Disk quota exceeded"
)


def facts_before(values: dict[str, Any], arguments: Any, template: Any, data: TrainingData, model: Any) -> dict[str, Any]:
    """The fields of `training.json` that are known before the training: model, data, recipe and versions.

    Args:
        values: keys of the training YAML.
        arguments: TRL's `SFTConfig`.
        template: the template of prompts and completions.
        data: the encoded data.
        model: TRL's `ModelConfig`.
    """
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


def facts_of_progress(trainer: Any) -> dict[str, Any]:
    """The fields of `training.json` that change during the training: steps, tokens, losses and scores."""
    history = trainer.state.log_history
    return {
        "steps": trainer.state.global_step,
        "tokens_seen": trainer.state.num_input_tokens_seen or None,
        "losses": [[entry["step"], entry["loss"]] for entry in history if "loss" in entry],
        "scores": [entry for entry in history if "score/pass@1" in entry],
    }


def check_output_dir(out: Path) -> None:
    """Refuse a folder with files that are not of a training and that the training would replace, such as another README.md.

    Args:
        out: the folder of the training, which may be missing.

    Raises:
        RunError: it has such a file, and neither a `training.json` nor a checkpoint.
    """
    check_replaceable(out, (CARD, RECIPE, CURVE), (REPORT, "checkpoint-*"), "output_dir")


def write_output(out: Path, facts: dict[str, Any]) -> None:
    """Write the YAML, `training.json` and the card; called at every save."""
    out.mkdir(parents=True, exist_ok=True)
    # The report first: `check_output_dir` recognizes the folder by it after a kill between two files.
    write_atomically(out / REPORT, json.dumps(facts, indent=2, default=str) + "\n")
    write_atomically(out / RECIPE, yaml.safe_dump(facts["recipe"], sort_keys=False, allow_unicode=True))
    write_atomically(out / CARD, model_card(out.resolve().name, facts))
    if curve := loss_curve(facts["losses"]):
        write_atomically(out / CURVE, curve)


@contextmanager
def full_disk_errors(out: Path) -> Iterator[None]:
    """Translate errors of a full disk: torch and safetensors raise their own types for it."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) or not _FULL.search(str(error)):
            raise
        raise RunError(
            f"The output_dir {str(out)!r} cannot be written: {error_message(error)}. Free disk space, then train again to "
            "resume from the last checkpoint."
        ) from error
