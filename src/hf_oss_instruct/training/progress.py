"""Progress of a training, in place of the progress bars of `transformers`."""

from __future__ import annotations

from typing import Any

from hf_oss_instruct.progress.counts import Counts

DISPLAY_NAMES = {"loss": "loss", "learning_rate": "learning rate", "score/pass@1": "pass@1"}
"""Key of the trainer's log → its name in the display."""


def count_steps(trainer: Any, counts: Counts) -> None:
    """Count the steps of a trainer in a stage, and remove its own progress bar and printed logs.

    Args:
        trainer: a `transformers.Trainer`.
        counts: of the stage.
    """
    from transformers import PrinterCallback, TrainerCallback
    from transformers.trainer import DEFAULT_PROGRESS_CALLBACK

    class StepCounter(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            counts.total = state.max_steps
            counts.done = counts.recalled = state.global_step

        def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            counts.done = state.global_step

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **rest: Any) -> None:
            for key, name in DISPLAY_NAMES.items():
                if logs and key in logs:
                    counts.values[name] = f"{float(logs[key]):.3g}"
            if logs and "num_tokens" in logs:
                counts.tokens = int(logs["num_tokens"])

    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(DEFAULT_PROGRESS_CALLBACK)
    trainer.add_callback(StepCounter())
