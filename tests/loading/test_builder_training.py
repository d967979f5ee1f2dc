"""TRL's own trainer reads the streaming `sft` config as it comes."""

from __future__ import annotations

from pathlib import Path

from datasets import load_dataset

import hf_oss_instruct  # noqa: F401
from tests.support.teacher import LocalTeacher
from tests.support.warm import TRAIN


@TRAIN.test
def test_sfttrainer_trains_on_a_stream(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from trl import SFTConfig, SFTTrainer

    (tmp_path / "code").mkdir()
    for n in range(20):
        (tmp_path / "code" / f"part_{n}.py").write_text(f"def part_{n}(value):\n    return value * {n}\n")
    alphabet = {symbol: number for number, symbol in enumerate(["<eos>", "<pad>", *pre_tokenizers.ByteLevel.alphabet()])}
    byte_level = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    byte_level.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=byte_level, eos_token="<eos>", pad_token="<pad>")
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=len(alphabet), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
    )
    with LocalTeacher() as teacher:
        options = {"model": "m", "base_url": teacher.base_url, "concurrency": 4}
        rows = load_dataset("oss-instruct", "sft", data_dir=str(tmp_path / "code"), split="train", streaming=True, **options)
        arguments = SFTConfig(
            str(tmp_path / "model"),
            max_steps=3,
            per_device_train_batch_size=2,
            max_length=2048,
            report_to="none",
            use_cpu=True,
            bf16=False,
            save_strategy="no",
            logging_steps=1,
        )
        trainer = SFTTrainer(model=model, args=arguments, train_dataset=rows, processing_class=tokenizer)
        asked_about = {request["body"]["messages"][-1]["content"] for request in teacher.requests}
        assert len(asked_about) <= 1 + 4  # TRL looks at the first row, perhaps several times; the look-ahead is `concurrency`
        trainer.train()
        assert [entry["loss"] > 0 for entry in trainer.state.log_history if "loss" in entry] == [True] * 3
        # Three batches of two, and one that is fetched ahead. A request in flight when a reader leaves is asked again.
        asked_about = {request["body"]["messages"][-1]["content"] for request in teacher.requests}
        assert 6 <= len(asked_about) <= 8 + 4
