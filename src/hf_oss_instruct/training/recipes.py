"""Training recipes, resolved for a model, a dataset and a number of GPUs, as YAML that `trl sft`, `grpo` or `dpo` runs."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from hf_oss_instruct.argument_types import as_name, check_type
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.extras import install_command
from hf_oss_instruct.spec.option_types import Integer, checked_value
from hf_oss_instruct.storage.run_report import RUN_REPORT, missing_tables, read_run_report
from hf_oss_instruct.structured import load_yaml
from hf_oss_instruct.terminal.display import error_message
from hf_oss_instruct.training.estimate import MEAN_TOKENS, Estimate, Shape

RECIPES = ("magicoder", "magicoder-evol", "fast", "lora", "qlora", "large", "smoke", "grpo", "dpo")
TRAINERS = {"grpo": "grpo", "dpo": "dpo"}
"""Recipe → the command of TRL that runs it; `sft` for the others."""
OTHER_TRAINERS = {"reward_funcs": "grpo", "num_generations": "grpo", "beta": "dpo"}
"""Key that SFT does not have → the command of TRL that a YAML with it is for."""
LAUNCH_KEYS = ("accelerate_config", "num_processes", "num_machines", "machine_rank", "main_process_ip", "main_process_port")
"""Keys that `trl` passes to `accelerate launch`."""
PACKING_FILL = 0.99
"""Fill rate of best-fit bins (measured: 2,000 rows of 446 tokens, bins of 1216 to 16384: 98.6 to 99.0 %)."""
PAPER_ROWS = 75_000
_BY_LENGTH = {
    "attn_implementation": "sdpa",
    "max_length": 1216,
    "packing": False,
    "train_sampling_strategy": "group_by_length",
    "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 64,
}


@dataclass(frozen=True)
class Recipe:
    """A training recipe with every value filled in.

    Attributes:
        name: its name, such as `magicoder`.
        values: the keys of the YAML.
        gpus: devices it is meant for; 0 is a CPU.
        notes: the decisions, one per line.
        estimate: memory and time; None if generation takes most of both.
    """

    name: str
    values: dict[str, Any]
    gpus: int
    notes: tuple[str, ...]
    estimate: Estimate | None

    def to_yaml(self) -> str:
        """The recipe as YAML, with decisions and estimates as comments above it."""
        lines = [*self.notes, *(self.estimate.lines() if self.estimate else ())]
        text = yaml.safe_dump(self.values, sort_keys=False, allow_unicode=True, width=120)
        return "".join(f"# {line}\n" for line in lines) + text


CHECKPOINTING = "activation_checkpointing"
OLD_NAMES = {CHECKPOINTING: "gradient_checkpointing"}
"""Key in recipes → its name in older versions of transformers."""
NEW_NAMES_SINCE = (5, 23)
"""First version of transformers with the new names."""


def load_recipe(
    name: str,
    *,
    model: str | None = None,
    data: str | None = None,
    gpus: int | None = None,
    changes: Mapping[str, Any] | None = None,
    rows: int | None = None,
) -> Recipe:
    """Load a recipe of this package, with model, data and devices filled in.

    Args:
        name: `magicoder`, `magicoder-evol`, `fast`, `lora`, `qlora`, `large`, `smoke`, `grpo` or `dpo`.
        model: model to start from, a Hub id or a folder.
        data: dataset, a Hub id or a folder that `synthesize` wrote.
        gpus: devices; accumulation shrinks with more of them, to keep the recipe's rows per step. 0 is a CPU.
        changes: further keys of the YAML and their values.
        rows: rows to estimate time for; read from the folder's `run.json` if it exists.

    Returns:
        The recipe: `values`, the keys of the YAML; `gpus`; `notes`, the decisions; `estimate`, memory and time; and `to_yaml()`.

    Raises:
        UsageError: the name or a key is unknown, and the message names the nearest known one; or a number is out of its range.
            Where TRL is not installed, `notes` says that the keys were not checked.
    """
    check_type("name", name, str, "the name of a recipe")
    model = None if model is None else as_name("model", model, "the name of a model, or its folder")
    data = None if data is None else as_name("data", data, "the name of a dataset, or its folder")
    check_type("changes", changes, Mapping | None, "a dict of keys and values")
    gpus = checked_value("gpus", Integer(0), gpus, optional=True)
    rows = checked_value("rows", Integer(1), rows, optional=True)
    values = _read(name)
    planned = gpus if gpus is not None else int(values.get("num_processes", 0 if values.get("use_cpu") else 1))
    notes = [f"Recipe {name} of hf-oss-instruct, for {planned or 'no'} GPU{'s' * (planned != 1)}. Run it with either of"]
    trainer = TRAINERS.get(name, "sft")
    notes.append(f"  trl {trainer} --config THIS.yaml")
    if trainer == "sft":
        notes.append("  hf-oss-instruct train THIS.yaml    (checks and counts the data, writes a card)")
    else:
        notes[0] = notes[0].replace("with either of", "with")
    if name == "fast":
        notes.append(_choose_attention(values, planned))
    # Before the changes: more devices or other batches keep the recipe's rows per step.
    step = rows_per_step(values) * max(1, int(values.get("num_processes", 1)))
    values |= {"model_name_or_path": model or values["model_name_or_path"], "dataset_name": data or values["dataset_name"]}
    # TRL would ask for a config that the folder does not have.
    if data and "dataset_config" in values and not _has_config(data, values["dataset_config"]):
        values.pop("dataset_config")
    values |= changes or {}
    if planned > 1 or "num_processes" in values:
        values["num_processes"] = planned
    if planned == 0:
        values |= {"use_cpu": True, "bf16": False, "dtype": "float32"} | dict(changes or {})
    if "gradient_accumulation_steps" not in (changes or {}):
        values["gradient_accumulation_steps"] = max(1, round(step / (_rows_a_batch(values) * max(1, planned))))
    if changes and importlib.util.find_spec("trl") is None:  # it may be another machine that trains
        unchecked = f"{', '.join(changes)}: not checked, because trl is not installed"
        notes.append(f"{unchecked}. Install it with: {install_command('train')}")
    else:
        check_keys(changes or {}, trainer)
    notes.append(_completions_note(values, planned) if trainer == "grpo" else _step_note(values, planned))
    if trainer == "grpo":
        return Recipe(name, values, planned, tuple(notes), None)
    estimate = Estimate(Shape.of(values["model_name_or_path"]), values, max(1, planned), rows or _rows_in(data) or PAPER_ROWS)
    return Recipe(name, values, planned, tuple(notes), estimate)


def rows_per_step(values: Mapping[str, Any]) -> float:
    """Rows per device and optimizer step."""
    return _rows_a_batch(values) * int(values["gradient_accumulation_steps"])


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a training YAML.

    Raises:
        UsageError: it does not exist, is not a YAML mapping, or a key is unknown to TRL here.
    """
    try:
        values = load_yaml(path.read_text("utf-8"), aliases=True)
    except FileNotFoundError as error:
        raise UsageError(f"The recipe {str(path)!r} does not exist. Print one: hf-oss-instruct recipe magicoder") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as YAML: {error_message(error)}. Correct it.") from error
    if not isinstance(values, dict):
        raise UsageError(
            f"{path} is not a YAML mapping of keys to values. Print one to start from: hf-oss-instruct recipe magicoder"
        )
    if trainer := next((trainer for key, trainer in OTHER_TRAINERS.items() if key in values), None):
        raise UsageError(f"{path} is for a trainer other than SFT. Run it with: trl {trainer} --config {path}")
    check_keys(values)
    return values


def check_keys(keys: Iterable[str], trainer: str = "sft") -> None:
    """Reject keys that neither TRL's parser nor `accelerate launch` accepts.

    Args:
        keys: the keys of a YAML.
        trainer: the command of TRL: `sft`, `grpo` or `dpo`.

    Raises:
        UsageError: naming each unknown key and the nearest known one.
    """
    if not (wanted := list(keys)):
        return
    known = known_keys(trainer)
    unknown = [key for key in wanted if key not in known]
    if unknown:
        listed = "; ".join(f"{key!r}{_nearest(key, known)}" for key in unknown)
        raise UsageError(f"The installed TRL does not know the key {listed}. Correct or remove it.")


def known_keys(trainer: str = "sft") -> set[str]:
    """Every key that the installed TRL accepts in a YAML for one of its commands."""
    if importlib.util.find_spec("trl") is None:
        raise UsageError(f"trl is not installed. Install it with: {install_command('train')}")
    make_parser = importlib.import_module(f"trl.scripts.{trainer}").make_parser
    return {action.dest for action in make_parser()._actions} | {"env", *LAUNCH_KEYS}


def _nearest(key: str, known: set[str]) -> str:
    # Names of older versions, for which no similar name is the right one.
    renamed = {"torch_dtype": "dtype", "max_seq_length": "max_length", "warmup_ratio": "warmup_steps"}
    near = [renamed[key]] if key in renamed else difflib.get_close_matches(key, known, 1)
    return f" (the nearest one is {near[0]!r})" if near else ""


def _read(name: str) -> dict[str, Any]:
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, 1)
        raise UsageError(
            f"Unknown recipe {name!r}.{f' Did you mean {near[0]}?' if near else ''} Use one of: {', '.join(RECIPES)}."
        )
    values: dict[str, Any] = yaml.safe_load((files(__package__) / "recipes" / f"{name}.yaml").read_text("utf-8"))
    return values if _has_new_argument_names() else {OLD_NAMES.get(key, key): value for key, value in values.items()}


def _has_new_argument_names() -> bool:
    """Whether the installed transformers has the new names; true if it is not installed. Importing it would take seconds."""
    try:
        major, minor = version("transformers").split(".")[:2]
    except PackageNotFoundError:
        return True
    return (int(major), int(minor)) >= NEW_NAMES_SINCE


def _has_config(data: str, config: str) -> bool:
    """Whether a dataset may have a config: folders that this package did not write only have a default one."""
    return (Path(data) / config).is_dir() or not Path(data).exists()


def _choose_attention(values: dict[str, Any], gpus: int) -> str:
    """Pack if a variable-length attention kernel is available, otherwise group by length; return the reason."""
    if gpus and importlib.util.find_spec("flash_attn"):
        values["attn_implementation"] = "flash_attention_2"
        return "Packed into bins, with flash-attn, which is installed here."
    if gpus and importlib.util.find_spec("kernels"):
        return "Packed into bins, with a kernel from the Hub (kernels is installed here)."
    values.pop("packing_strategy")
    values |= _BY_LENGTH
    reason = "no GPU is meant" if not gpus else "neither flash-attn nor kernels is installed here"
    return f"Grouped by length, not packed: {reason}, and packing with a dense mask is slower than padding."


def _rows_a_batch(values: Mapping[str, Any]) -> float:
    bins = float(values["max_length"]) * PACKING_FILL / MEAN_TOKENS if values.get("packing") else 1.0
    return int(values["per_device_train_batch_size"]) * bins


def _step_note(values: Mapping[str, Any], gpus: int) -> str:
    batch, accumulated = int(values["per_device_train_batch_size"]), int(values["gradient_accumulation_steps"])
    rows = round(_rows_a_batch(values) * accumulated * max(1, gpus))
    packed = f" × {values['max_length'] * PACKING_FILL / MEAN_TOKENS:.1f} rows a bin" if values.get("packing") else ""
    tokens = round(rows * MEAN_TOKENS, -3)
    devices = f"{max(1, gpus)} device(s)"
    return f"A step is {rows} rows, about {tokens:,} tokens: {batch} a device{packed} × {accumulated} accumulated × {devices}."


def _completions_note(values: Mapping[str, Any], gpus: int) -> str:
    rows = int(values["per_device_train_batch_size"]) * int(values["gradient_accumulation_steps"]) * max(1, gpus)
    each = int(values["num_generations"])
    return f"A step is {rows} completions: {each} for each of {rows // each} prompts. Rewards run on this machine's CPUs."


def _rows_in(data: str | None) -> int | None:
    if data is None or not Path(data, RUN_REPORT).is_file():
        return None
    if reason := missing_tables(Path(data)):
        raise RunError(reason)
    try:
        return read_run_report(Path(data), {"kept": int})["kept"]
    except ValueError as error:
        raise RunError(f"{error}. Restore the file that the run wrote.") from error
