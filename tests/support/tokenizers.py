"""Small tokenizers with the special tokens and chat templates of the families people fine-tune, made here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
HEADERS = (  # trims what it is given, and writes the first token itself
    "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' "
    "+ message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
BRACKETS = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + ' ' + eos_token }}{% endif %}{% endfor %}"
)
HASHES = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '### Instruction:\\n' + message['content'] + '\\n' }}"
    "{% else %}{{ '### Response:\\n' + message['content'] + '\\n<|EOT|>\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Response:\\n' }}{% endif %}"
)
INSTRUCTION = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '### Instruction\\n' + message['content'] + '\\n\\n' }}"
    "{% else %}{{ '### Response\\n' + message['content'] + eos_token + '\\n\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Response\\n' }}{% endif %}"
)


@dataclass(frozen=True)
class Family:
    """What sets the tokenizers of a family apart.

    Attributes:
        eos, bos, pad: its named tokens; the pad token may be the end token.
        adds_bos: whether the tokenizer begins every text with BOS by itself.
        chat: its chat template.
        turn_end: the token that ends a turn there, named or not.
        others: further special tokens.
    """

    eos: str
    bos: str | None
    pad: str | None
    adds_bos: bool
    chat: str | None
    turn_end: str
    others: tuple[str, ...] = ()


FAMILIES = {
    "llama": Family("<|end_of_text|>", "<|begin_of_text|>", "<|end_of_text|>", True, HEADERS, "<|eot_id|>",
                    ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")),
    "qwen": Family("<|endoftext|>", None, "<|endoftext|>", False, CHATML, "<|im_end|>", ("<|im_start|>", "<|im_end|>")),
    "deepseek-coder": Family("<eos>", "<bos>", "<eos>", True, HASHES, "<|EOT|>", ("<|EOT|>",)),
    "starcoder2": Family("<|endoftext|>", "<|endoftext|>", "<|endoftext|>", False, INSTRUCTION, "<|endoftext|>"),
    "codellama": Family("</s>", "<s>", None, True, BRACKETS, "</s>", ("<unk>",)),
    "smollm": Family("<|im_end|>", "<|im_start|>", "<|im_end|>", False, CHATML, "<|im_end|>"),
}  # fmt: skip


def tokenizer_of(family: Family | str, texts: list[str] | None = None, vocabulary: int = 300) -> Any:
    """A byte-level BPE tokenizer with a family's special tokens, its merges learnt from `texts`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    family = FAMILIES[family] if isinstance(family, str) else family
    special = list(dict.fromkeys(token for token in (family.eos, family.bos, family.pad, *family.others) if token))
    core = Tokenizer(models.BPE())
    core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    core.train_from_iterator(
        texts or [],
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    if family.adds_bos and family.bos:
        core.post_processor = processors.TemplateProcessing(
            single=f"{family.bos} $A", special_tokens=[(family.bos, core.token_to_id(family.bos))]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=family.eos,
        bos_token=family.bos,
        pad_token=family.pad,
        chat_template=family.chat,
        clean_up_tokenization_spaces=False,
    )
