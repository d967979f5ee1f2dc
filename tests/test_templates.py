"""What a model is trained on: one text for data, training, the saved tokenizer and evaluation, to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.templates import (
    OSS_INSTRUCTION,
    ChatTemplate,
    MagicoderTemplate,
    begin,
    special_tokens,
    template_for,
    to_prompt_completion,
)
from tests.support.tokenizers import FAMILIES, Family, tokenizer_of

BEFORE = (
    "You are an exceptionally intelligent coding assistant that consistently delivers accurate and reliable responses "
    "to user instructions.\n\n@@ Instruction\n"
)
AFTER = "\n\n@@ Response\n"
TASK = "Write a solution to the following coding problem:\n"
AWKWARD = "  Fill {problem}, {{ x }}, {% raw %} 'a' \\n \"b\"\n\n"


@given(st.text(), st.text())
@example("Fill {problem} and {instruction}, {0} and {{}}, %s and \\1.", "return {problem}")
def test_problem_and_solution_stand_in_magicoders_prompt_as_they_are(problem: str, solution: str) -> None:
    made = to_prompt_completion({"problem": problem, "solution": solution})
    assert made == {"prompt": BEFORE + TASK + problem + AFTER, "completion": solution}


def test_an_evolved_instruction_is_put_as_it_is() -> None:
    made = to_prompt_completion({"instruction": "Sort it.", "response": "sorted(it)"})
    assert made == {"prompt": BEFORE + "Sort it." + AFTER, "completion": "sorted(it)"}


def test_rows_without_a_pair_are_told_which_columns_are_wanted() -> None:
    with pytest.raises(UsageError, match=r"'question', 'answer' do not contain a pair\. Rename"):
        to_prompt_completion({"question": "", "answer": ""})


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return tokenizer_of(request.param)


@pytest.mark.parametrize("instruction", ["Sort a list.", AWKWARD])
def test_data_and_saved_tokenizer_write_one_magicoder_prompt(tokenizer: Any, instruction: str, tmp_path: Path) -> None:
    template = template_for("magicoder", tokenizer)
    tokenizer.chat_template = template.chat_template
    tokenizer.save_pretrained(tmp_path)
    saved = type(tokenizer).from_pretrained(tmp_path)
    row = {"problem": instruction, "solution": "pass"}
    asked = OSS_INSTRUCTION.replace("{problem}", instruction)
    prompt = template.prompt(asked)
    assert prompt == to_prompt_completion(row)["prompt"]

    message = {"role": "user", "content": asked}
    rendered = saved.apply_chat_template([message], tokenize=False, add_generation_prompt=True)
    assert rendered == begin(tokenizer) + prompt
    ids = saved.apply_chat_template([message], add_generation_prompt=True, return_dict=False)
    assert ids == tokenizer(prompt)["input_ids"]  # what evaluation asks with, special tokens of the tokenizer included
    answered = saved.apply_chat_template([message, {"role": "assistant", "content": "pass"}], tokenize=False)
    assert answered == begin(tokenizer) + prompt + template.completion(asked, "pass")


@pytest.mark.parametrize("instruction", ["Sort a list.", AWKWARD])
def test_the_chat_template_is_the_tokenizers_own(instruction: str) -> None:
    for family in FAMILIES.values():
        tokenizer = tokenizer_of(family)
        template = ChatTemplate.of(tokenizer)
        messages = [{"role": "user", "content": instruction}, {"role": "assistant", "content": "pass"}]
        rendered = tokenizer.apply_chat_template(messages[:1], tokenize=False, add_generation_prompt=True)
        assert begin(tokenizer) + template.prompt(instruction) == rendered
        whole = begin(tokenizer) + template.prompt(instruction) + template.completion(instruction, "pass")
        rest = tokenizer.apply_chat_template(messages, tokenize=False).removeprefix(whole)
        assert rest.strip() == ""  # only line ends, which nobody waits for, are cut


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_an_answer_ends_in_the_token_that_ends_a_turn(name: str) -> None:
    family, tokenizer = FAMILIES[name], tokenizer_of(name)
    assert ChatTemplate.of(tokenizer).stop == family.turn_end
    assert MagicoderTemplate.of(tokenizer).stop == family.eos
    for template in (ChatTemplate.of(tokenizer), MagicoderTemplate.of(tokenizer)):
        ids = tokenizer(template.completion("x", "pass"), add_special_tokens=False)["input_ids"]
        assert ids[-1] == tokenizer.convert_tokens_to_ids(template.stop)
        assert ids.count(ids[-1]) == 1


def test_special_tokens_without_a_name_are_special_too() -> None:
    assert "<|eot_id|>" in special_tokens(tokenizer_of("llama"))


def test_what_a_tokenizer_lacks_is_said() -> None:
    bare = tokenizer_of(Family("<eos>", None, None, False, None, "<eos>"))
    with pytest.raises(UsageError, match=r"no chat template\. Use --template magicoder"):
        template_for("chat", bare)
    bare.eos_token = None
    with pytest.raises(UsageError, match="no eos_token"):
        template_for("magicoder", bare)
    with pytest.raises(UsageError, match=r"Unknown template 'alpaca'\. Use one of: magicoder, chat"):
        template_for("alpaca", bare)


def test_another_treatment_of_thoughts_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Unknown treatment of thoughts 'kep'\. Use one of: drop, keep\."):
        to_prompt_completion({"problem": "Sort it.", "solution": "sorted(it)"}, thoughts="kep")


def test_a_chat_template_that_changes_its_prompt_afterwards_is_refused() -> None:
    fickle = "{{ messages | length }}{% for message in messages %}{{ message['content'] }}{% endfor %}"
    tokenizer = tokenizer_of(Family("<eos>", None, None, False, fickle, "<eos>"))
    with pytest.raises(UsageError, match="writes the prompt differently once it is answered"):
        ChatTemplate.of(tokenizer).completion("x", "pass")
