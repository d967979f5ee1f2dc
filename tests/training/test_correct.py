"""In every way of batching, the loss is that of the completions alone, and no row sees its neighbour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from hf_oss_instruct.templates import template_for
from hf_oss_instruct.training.prepare import IGNORED, RowEncoder, prepare
from tests.support.attention import NAME, register
from tests.support.models import tiny_model
from tests.support.tokenizers import tokenizer_of
from tests.support.warm import TRAIN

MODES: dict[str, dict[str, Any]] = {
    "padded": {"packing": False, "per_device_train_batch_size": 3},
    "grouped": {"packing": False, "per_device_train_batch_size": 3, "train_sampling_strategy": "group_by_length"},
    "packed": {"packing": True, "packing_strategy": "bfd", "per_device_train_batch_size": 1},
}
CASES = [(kind, mode) for kind in ("llama", "qwen2", "qwen3", "starcoder2") for mode in ("padded", "packed")] + [
    ("llama", "grouped")
]
ATTENTION = {"padded": ("eager", "sdpa"), "grouped": ("eager", "sdpa"), "packed": ("eager", "sdpa", NAME)}
"""The last one, row by row, is what a variable-length kernel computes; it is for packed rows."""


def rows() -> Any:
    """A tokenizer, and rows that it encoded."""
    texts = [{"problem": "x " * n, "solution": f"def f{n}(x):\n" + "    x += 1\n" * (n % 5)} for n in range(1, 10)]
    tokenizer = tokenizer_of("qwen", [str(texts)] * 3, 330)
    return tokenizer, prepare(Dataset.from_list(texts), RowEncoder(template_for("magicoder", tokenizer), tokenizer, 400)).rows


def trainer_of(kind: str, mode: str, encoded: Any, tokenizer: Any, folder: Path) -> Any:
    """TRL's own trainer for a kind of model and a mode."""
    from trl import SFTConfig, SFTTrainer

    register()
    words: dict[str, Any] = {
        "report_to": "none",
        "use_cpu": True,
        "bf16": False,
        "max_length": 800,
        "dataloader_pin_memory": False,
    }
    arguments = SFTConfig(str(folder), **words, **MODES[mode])
    model = tiny_model(kind, 400)
    trainer = SFTTrainer(model=model, args=arguments, train_dataset=encoded, processing_class=tokenizer)
    model.eval()
    return trainer


def by_hand(model: Any, encoded: Any) -> float:
    """Mean loss of a completion token, each row alone."""
    import torch

    total, count = 0.0, 0
    for row in encoded:
        ids, labels = torch.tensor([row["input_ids"]]), torch.tensor(row["labels"])
        with torch.no_grad():
            scores = model(input_ids=ids, use_cache=False).logits[0].log_softmax(-1)
        for place, label in enumerate(labels[1:].tolist()):
            if label != IGNORED:
                total, count = total - scores[place, label].item(), count + 1
    return total / count


@pytest.mark.parametrize(("kind", "mode"), CASES)
@TRAIN.test
def test_the_loss_is_that_of_the_completions_alone_and_a_changed_neighbour_changes_nothing(
    kind: str, mode: str, tmp_path: Path
) -> None:
    tokenizer, encoded = rows()
    trainer = trainer_of(kind, mode, encoded, tokenizer, tmp_path)
    batches = list(trainer.get_train_dataloader())
    losses_are_those_of_the_completions(kind, mode, trainer, batches, encoded)
    a_changed_neighbour_changes_nothing(mode, trainer, batches[0])


def losses_are_those_of_the_completions(kind: str, mode: str, trainer: Any, batches: list[Any], encoded: Any) -> None:
    import torch

    expected = by_hand(tiny_model(kind, 400, attention="eager").eval(), encoded)
    for attention in ATTENTION[mode]:
        trainer.model.set_attn_implementation(attention)
        total, count = 0.0, 0
        for batch in batches:
            learnt = int((batch["labels"][:, 1:] != IGNORED).sum())
            with torch.no_grad():
                total, count = total + trainer.compute_loss(trainer.model, dict(batch)).item() * learnt, count + learnt
        assert count == sum(label != IGNORED for row in encoded for label in row["labels"])  # each row once, each token once
        assert total / count == pytest.approx(expected, abs=1e-5), attention


def a_changed_neighbour_changes_nothing(mode: str, trainer: Any, batch: Any) -> None:
    import torch

    inputs = {name: value for name, value in batch.items() if name != "labels"} | {"use_cache": False}
    rest: Any = slice(1, None)
    changed = inputs["input_ids"].clone()
    if mode == "packed":
        end = int(inputs["cu_seq_lens_q"][1])
        changed[0, :end] = 77
        rest = (slice(None), slice(end, None))
    else:
        changed[0] = 77
        changed[inputs["attention_mask"] == 0] = 78  # what lies in the padding does not matter either
        rest = inputs["attention_mask"].bool()
        rest[0] = False
    for attention in ATTENTION[mode]:
        trainer.model.set_attn_implementation(attention)
        with torch.no_grad():
            before, after = trainer.model(**inputs).logits, trainer.model(**inputs | {"input_ids": changed}).logits
        assert (before[rest] - after[rest]).abs().max() == 0, attention
        assert (before - after).abs().max() > 1e-3  # the change itself is seen
