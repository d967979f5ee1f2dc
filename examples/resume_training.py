"""A training loop that stops and goes on without asking for a row twice: the state of the stream lies in the checkpoint.

python examples/resume_training.py [checkpoint.json]        # run it again: it goes on at the next batch
"""

import json
import sys
import tempfile
from itertools import islice
from pathlib import Path

from datasets import load_dataset

import hf_oss_instruct  # noqa: F401  # makes the name "oss-instruct" known

checkpoint = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "checkpoint.json"


def train(steps: int) -> None:
    """A few steps from the checkpoint on; a real loop saves model and optimizer beside the state of the stream."""
    batches = load_dataset("oss-instruct", "sft", seeds="stdlib", n=160, split="train", streaming=True).batch(4)
    saved = json.loads(checkpoint.read_text()) if checkpoint.exists() else {"step": 0, "stream": None}
    if saved["stream"]:
        batches.load_state_dict(saved["stream"])
    for step, batch in enumerate(islice(batches, steps), saved["step"] + 1):
        print(f"step {step}:", *(line.split("`")[1] for line in "\n".join(batch["prompt"]).splitlines() if "function `" in line))
        checkpoint.write_text(json.dumps({"step": step, "stream": batches.state_dict()}))


train(3)
train(3)  # as a new process would, after a kill
