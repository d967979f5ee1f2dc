"""A real server: `transformers serve` with a tiny random model. Its babble ends as counted rejections."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.seeds.resolve import stdlib
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.extras import needs
from tests.support.ports import free_ports, is_healthy
from tests.support.warm import COMMAND, TRAIN

needs("torch")
START_S = 180

MAKE_A_TINY_MODEL = """
import sys
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

torch.manual_seed(0)
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
words = Tokenizer(models.BPE(vocab={word: number for number, word in enumerate(["<eos>", *letters])}, merges=[]))
words.pre_tokenizer, words.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
template = "{% for message in messages %}{{ message.content }}{% endfor %}"
PreTrainedTokenizerFast(
    tokenizer_object=words, eos_token="<eos>", pad_token="<eos>", chat_template=template
).save_pretrained(sys.argv[1])
config = LlamaConfig(
    vocab_size=257, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, eos_token_id=0,
    pad_token_id=0, max_position_embeddings=4096,
)
LlamaForCausalLM(config).save_pretrained(sys.argv[1])
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Model path and base URL of a running `transformers serve`."""
    model = str(tmp_path / "tiny")
    TRAIN.run(["-c", MAKE_A_TINY_MODEL, model], check=True)
    [port] = free_ports(1)
    command = [COMMAND.with_name("transformers"), "serve", model, "--device", "cpu", "--port", str(port)]
    process = TRAIN.start(command)
    try:
        deadline = time.monotonic() + START_S
        while not is_healthy(port):
            assert process.poll() is None, process.wait().stderr
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield model, f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()


def test_babble_of_a_real_server_ends_as_counted_rejections(server: tuple[str, str], tmp_path: Path) -> None:
    model, base_url = server
    config = RunSpec(SeedPlan(n=6), TeacherSpec(concurrency=3), sampling=Sampling(max_tokens=24))
    teacher = InferenceTeacher(model, base_url, timeout_s=120)
    result = run(tmp_path / "out", config, stdlib(), teacher)
    assert (result.error, result.stats.pending, result.stats.kept) == (None, 0, 0)
    assert sum(result.report["rejected"].values()) == 6
    assert set(result.report["rejected"]) <= {"truncated", "unparsable", "empty"}
    received = pq.read_table(tmp_path / "out" / "rejected").to_pylist()
    assert all(row["received"] for row in received)
    assert result.report["tokens"]["completion"] > 0
    assert str(tmp_path) not in (tmp_path / "out" / "README.md").read_text()
