"""Resume from the last complete checkpoint, and save one when a signal arrives."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from hf_oss_instruct.terminal.signals import StopRequest

STATE = "trainer_state.json"
"""The file that `transformers.Trainer` writes last, so a checkpoint that has it is complete."""


def last_whole_checkpoint(out: Path) -> str | None:
    """The latest complete checkpoint; incomplete ones (after a kill or a full disk) are skipped."""
    steps = {int(match[1]): path for path in out.glob("checkpoint-*") if (match := re.fullmatch(r"checkpoint-(\d+)", path.name))}
    return next((str(steps[step]) for step in sorted(steps, reverse=True) if _is_whole(steps[step])), None)


def _is_whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / STATE).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return True


def stop_callback(trainer: Any, stopping: StopRequest) -> Any:
    """Create a `TrainerCallback` that saves a checkpoint and stops after the step in which a signal arrived."""
    from transformers import TrainerCallback

    class StopCallback(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            if _on_any_process(trainer, bool(stopping)):
                control.should_training_stop = True
                control.should_save = args.save_strategy != "no"

    return StopCallback()


def _on_any_process(trainer: Any, received: bool) -> bool:
    """Whether any process received a signal. All must stop after the same step, or the others wait for a collective forever."""
    if trainer.accelerator.num_processes == 1:
        return received
    import torch

    # On the accelerator, since NCCL reduces nothing else.
    flag = torch.tensor(int(received), device=trainer.accelerator.device)
    return bool(trainer.accelerator.reduce(flag, "sum").item())
