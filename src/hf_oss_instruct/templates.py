"""Render rows as prompts and completions: one template object for data, training, the saved tokenizer and evaluation."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hf_oss_instruct.argument_types import check_choice, check_type
from hf_oss_instruct.errors import UsageError

MAGICODER = (
    "You are an exceptionally intelligent coding assistant that consistently delivers accurate and reliable responses to user "
    "instructions.\n\n@@ Instruction\n{instruction}\n\n@@ Response\n"
)
"""Prompt of the published Magicoder models, needed to use them (ise-uiuc/magicoder, `prompt_template.py`)."""
OSS_INSTRUCTION = "Write a solution to the following coding problem:\n{problem}"
"""How an OSS-Instruct problem becomes an instruction (`preprocess_data.py` there)."""
TEMPLATES = ("magicoder", "chat")
DROP, KEEP = "drop", "keep"
THOUGHTS = (DROP, KEEP)
"""The treatment of a teacher's reasoning in training data."""
UNKNOWN_THOUGHTS = "Unknown treatment of thoughts {value!r}"
REASONING = "reasoning"
"""Column of a teacher's reasoning, null where there is none."""
THINK, THINK_END = "<think>", "</think>"
"""Around the reasoning in a completion, as DeepSeek-R1, Qwen3 and most other models write it."""
_MARK = "oss-instruct-response"


class Tokenizer(Protocol):
    """The part of a `transformers` tokenizer that templates use."""

    eos_token: str | None
    bos_token: str | None
    chat_template: Any

    @property
    def all_special_tokens(self) -> list[str]:
        """Named special tokens, such as EOS."""

    @property
    def added_tokens_decoder(self) -> dict[int, Any]:
        """All tokens added to the vocabulary, each marked as special or not."""

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        """Return the token IDs of a text."""

    def convert_tokens_to_ids(self, tokens: str) -> Any:
        """Return the ID of a token."""

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
        """Render a conversation as text."""


class Template(Protocol):
    """How an instruction is rendered for a model, and how the answer ends.

    Attributes:
        name: one of `TEMPLATES`.
        stop: the token that ends every answer: the last label in training, and where generation stops.
        chat_template: the Jinja text that a tokenizer is saved with, so that chat clients write the same prompt.
    """

    @property
    def name(self) -> str:
        """See above."""

    @property
    def stop(self) -> str:
        """See above."""

    @property
    def chat_template(self) -> str:
        """See above."""

    def prompt(self, instruction: str) -> str:
        """Return the prompt, byte-identical in data, training and evaluation."""

    def completion(self, instruction: str, response: str) -> str:
        """Return the completion that a model is trained on, including `stop`."""


def instruction_and_response(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the two texts of a row: `problem`, `solution` of OSS-Instruct, or `instruction`, `response` of Evol-Instruct sets.

    Raises:
        UsageError: the row has neither pair of columns, or no text in one of them.
    """
    check_type("row", row, Container, "a dict of columns and values")
    for asked, answered in (("problem", "solution"), ("instruction", "response")):
        if asked in row and answered in row:
            for name in (asked, answered):
                if not isinstance(row[name], str):  # this is called for millions of rows
                    check_type(f"The column {name!r} of a row", row[name], str, "a string")
            # Not `format`: problems are full of braces.
            instruction = OSS_INSTRUCTION.replace("{problem}", row[asked]) if asked == "problem" else row[asked]
            return instruction, row[answered]
    raise UsageError(
        f"Columns {', '.join(map(repr, row))} do not contain a pair. Rename them to problem, solution, or instruction, response, "
        "or prompt, completion."
    )


def with_thoughts(row: Mapping[str, Any], response: str) -> str:
    """Return a response with the reasoning of its row before it, between `<think>` tags; without reasoning the response alone."""
    reasoning = (row.get(REASONING) or "").strip()
    return f"{THINK}\n{reasoning}\n{THINK_END}\n\n{response}" if reasoning else response


def keeps(thoughts: str) -> bool:
    """Whether the reasoning is kept.

    Raises:
        UsageError: it is none of `THOUGHTS`.
    """
    check_choice(thoughts, THOUGHTS, UNKNOWN_THOUGHTS)
    return thoughts == KEEP


def to_prompt_completion(row: Mapping[str, Any], thoughts: str = DROP) -> dict[str, str]:
    """Convert a row to TRL's prompt–completion type, in the template the Magicoder models were trained on.

    Args:
        row: any row with `problem` and `solution`, or with `instruction` and `response` such as those of
            Magicoder-Evol-Instruct-110K. That dataset contains answers close to HumanEval's: check it before you report scores.
        thoughts: `drop`, or `keep` for completions that begin with the row's `reasoning` between `<think>` tags.

    Returns:
        `{"prompt": …, "completion": …}`; the completion is the solution alone, the trainer adds the end token.

    Raises:
        UsageError: the row has neither pair of columns, or no text in one of them; or `thoughts` is neither of these.
    """
    instruction, response = instruction_and_response(row)
    completion = with_thoughts(row, response) if keeps(thoughts) else response
    return {"prompt": MAGICODER.replace("{instruction}", instruction), "completion": completion}


@dataclass(frozen=True)
class MagicoderTemplate:
    """`@@ Instruction` and `@@ Response`, the format of the published Magicoder models."""

    stop: str
    chat_template: str
    name: str = "magicoder"

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> MagicoderTemplate:
        """Return the template for a tokenizer, with its EOS token, and its BOS token if it has one."""
        stop = tokenizer.eos_token
        if not stop:
            raise UsageError("The tokenizer has no eos_token, so the model could not learn to stop. Set one.")
        # A Python literal of this text is a Jinja literal as well.
        before, after = (repr(part) for part in MAGICODER.split("{instruction}"))
        return cls(
            stop,
            f"{{{{ {'bos_token' if begin(tokenizer) else repr('')} }}}}"
            "{% for message in messages %}"
            f"{{% if message['role'] == 'user' %}}{{{{ {before} + message['content'] + {after} }}}}"
            "{% elif message['role'] == 'assistant' %}"
            "{{ message['content'] + eos_token }}"
            "{% else %}{{ raise_exception('This template knows user and assistant messages only.') }}{% endif %}"
            "{% endfor %}",
        )

    def prompt(self, instruction: str) -> str:
        """Return the prompt of the published models."""
        return MAGICODER.replace("{instruction}", instruction)

    def completion(self, instruction: str, response: str) -> str:
        """Return the response followed by the EOS token."""
        return response + self.stop


@dataclass(frozen=True)
class ChatTemplate:
    """The base model's own chat template, one user and one assistant message."""

    tokenizer: Tokenizer
    stop: str
    chat_template: str
    name: str = "chat"

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> ChatTemplate:
        """Return the template of a tokenizer; an answer ends with the first special token after it, or else with EOS."""
        if not tokenizer.chat_template:
            raise UsageError("The tokenizer has no chat template. Use --template magicoder, or a model that has one.")
        tail = _rendered(tokenizer, "x", _MARK).partition(_MARK)[2]
        # The first special token after the answer; of several at the same position, the longest.
        tokens = [(tail.index(token), -len(token), token) for token in special_tokens(tokenizer) if token in tail]
        stop = min(tokens)[2] if tokens else tokenizer.eos_token
        if not stop:
            raise UsageError(
                "The chat template does not end an answer with a special token, and the tokenizer has no eos_token. Set one."
            )
        return cls(tokenizer, stop, tokenizer.chat_template)

    def prompt(self, instruction: str) -> str:
        """Return the prompt as chat clients render it, without the BOS token that the tokenizer adds."""
        return self._without_begin(_rendered(self.tokenizer, instruction))

    def completion(self, instruction: str, response: str) -> str:
        """Return what the chat template renders after the prompt, including the token that ends the turn."""
        prompt, whole = self.prompt(instruction), self._without_begin(_rendered(self.tokenizer, instruction, response))
        if not whole.startswith(prompt):
            raise UsageError(
                "This chat template writes the prompt differently once it is answered, so that training and use would differ. "
                "Use --template magicoder."
            )
        # Templates often end a turn with a new line after the token, which is not part of the answer.
        text = whole[len(prompt) :]
        return text[: text.rindex(self.stop)] + self.stop if self.stop in text else text + self.stop

    def _without_begin(self, text: str) -> str:
        return text.removeprefix(begin(self.tokenizer))


def check_template(name: str) -> None:
    """Refuse a name that is none of `TEMPLATES`.

    Raises:
        UsageError: it is another value.
    """
    check_choice(name, TEMPLATES, "Unknown template {value!r}")


def template_for(name: str, tokenizer: Tokenizer) -> Template:
    """Return the template `magicoder` or `chat` for a tokenizer.

    Raises:
        UsageError: the name is unknown, or the tokenizer lacks the end token or chat template that it needs.
    """
    check_template(name)
    return MagicoderTemplate.of(tokenizer) if name == "magicoder" else ChatTemplate.of(tokenizer)


def begin(tokenizer: Tokenizer) -> str:
    """Return the BOS token if the tokenizer adds one to every text, else an empty string."""
    bos = tokenizer.bos_token
    # Whether a tokenizer adds it depends on its code and files, so it is tried.
    return bos if bos and tokenizer.encode("a")[0] == tokenizer.convert_tokens_to_ids(bos) else ""


def special_tokens(tokenizer: Tokenizer) -> list[str]:
    """Return every special token, named or not."""
    added = (str(token) for token in tokenizer.added_tokens_decoder.values() if token.special)
    return sorted({*tokenizer.all_special_tokens, *added})


def _rendered(tokenizer: Tokenizer, instruction: str, response: str | None = None) -> str:
    messages = [{"role": "user", "content": instruction}]
    if response is not None:
        messages.append({"role": "assistant", "content": response})
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=response is None)
    return str(text)
