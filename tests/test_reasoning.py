"""Reasoning is parted from the answer whatever markers a model uses; an answer about markers stays whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.reasoning import split_reasoning, strip_end_tokens

THOUGHT = "First I thought of this:\n```python\ndef add(a, b):\n    return a - b\n```\nNo, that is wrong.\n"
ANSWER = "Here it is:\n```python\ndef add(a, b):\n    return a + b\n```\n"
CHANNELS = "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>{}"
WRAPPINGS = {
    "think": "<think>\n{}</think>\n\n{}",
    "glued": "<think>{}</think>{}",
    "upper case": "<THINK>\n{}\n</THINK>\n{}",
    "attributes": '<think duration="3s">\n{}</think>\n{}',
    "after a role": "<|im_start|>assistant\n<think>\n{}</think>\n\n{}",
    "nested": "<think>\n<think>\n{}</think>\nmore\n</think>\n\n{}",
    "nested in a line": "<think>a<think>b</think>{}</think>\n{}",
    "twice": "<think>\nhm\n</think>\n\n<think>\n{}</think>\n\n{}",
    "names its own markers": "<think>\nThe user mentions <think> tags, I end with `</think>`.\n{}</think>\n\n{}",
    "says when it ends": "<think>\nI must write </think> before the answer.\n{}\n</think>\n\n{}",
    "thinking": "<thinking>\n{}</thinking>\n{}",
    "thought": "<thought>{}</thought>\n\n{}",
    "reasoning": "<reasoning>\n{}\n</reasoning>\n{}",
    "scratchpad": "<scratchpad>\n{}</scratchpad>\n{}",
    "magistral": "[THINK]{}[/THINK]\n{}",
    "kimi": "◁think▷{}◁/think▷{}",
    "openthinker": "<|begin_of_thought|>\n\n{}<|end_of_thought|>\n\n{}",
    "wrapped answer": "<think>\n{}</think>\n<answer>\n{}</answer>",
    "openthinker wrapped": "<|begin_of_thought|>{}<|end_of_thought|>\n\n<|begin_of_solution|>\n{}<|end_of_solution|>",
    "command a": "<|START_THINKING|>{}<|END_THINKING|><|START_RESPONSE|>{}<|END_RESPONSE|>",
    "seed": "<seed:think>{}</seed:think>\n{}",
    "open webui": '<details type="reasoning" done="true">\n<summary>Thought</summary>\n{}</details>\n{}',
    "no opening": "{}</think>\n\n{}",
    "no opening, thinking": "{}</thinking>\n{}",
    "no opening, magistral": "{}[/THINK]{}",
    "no opening, in the line": "{}I know it now.</think>{}",
    "no opening, names it": "The prompt opened <think> for me.\n{}\n</think>\n\n{}",
    "a fence left open": "<think>\n{}```python\ndef add(a, b):\n</think>\n\n{}",
    "a fence left open, no opening": "{}```python\ndef add(a, b):\n</think>\n\n{}",
    "harmony": CHANNELS,
    "harmony after a role": "<|start|>assistant" + CHANNELS + "<|return|>",
    "harmony, prefilled": "{}<|end|><|start|>assistant<|channel|>final<|message|>{}",
    "harmony, a tool": "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>commentary to=functions.run "
    "<|constrain|>json<|message|>{{}}<|call|><|start|>assistant<|channel|>final<|message|>{}",
    "harmony without its tokens": "analysis{}assistantfinal{}",
}


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_reasoning_is_parted_from_the_answer(wrapping: str, ends: str) -> None:
    text = WRAPPINGS[wrapping].format(THOUGHT, ANSWER).replace("\n", ends)
    reasoning, answer = split_reasoning(text)
    assert answer == ANSWER.replace("\n", ends)
    assert "return a - b" in reasoning
    assert "return a + b" not in reasoning


@pytest.mark.parametrize(
    "text",
    [
        "<think>\n{}",
        "<think>{}",
        "<|im_start|>assistant\n<think>\n{}",
        "[THINK]{}",
        "<|begin_of_thought|>{}",
        "<|channel|>analysis<|message|>{}",
        "<|channel|>analysis<|message|>{}<|end|>",
        "<think>\n{}</think>",
        "{}</think>\n",
        "<think>\n{}</think><|im_end|>",
    ],
)
def test_reasoning_that_was_cut_leaves_no_answer(text: str) -> None:
    reasoning, answer = split_reasoning(text.format(THOUGHT))
    assert strip_end_tokens(answer) == ""
    assert "return a - b" in reasoning


@pytest.mark.parametrize(
    "answer",
    [
        "def clean(text):\n    return text.split('</think>')[-1]\n",
        '    return text.rpartition("</think>")[2]\n',
        'import re\n\ndef clean(text):\n    """Remove <think>…</think>."""\n    return re.sub(r"<think>.*?</think>", "", text)\n',
        'def clean(text):\n    """\n    Drops\n    <think>\n    a thought\n    </think>\n    """\n    return text\n',
        'TEMPLATE = """\n<think>\n{thought}\n</think>\n{answer}\n"""\n',
        "def clean(text):\n    # everything up to </think>\n    return text\n",
        "const clean = (text) => text.replace(/<think>[\\s\\S]*<\\/think>/g, '');\n",
        "The `</think>` tag ends it.\n```python\nprint(1)\n```\n",
        "```python\nprint(1)\n```\nIt drops all between <think> and </think>.\n",
        "```python\nprint(1)\n```\nIt cuts at the </think> tag.\n",
        "A reply looks like this:\n```\n<think>\nthoughts\n</think>\nanswer\n```\nSo split it.\n",
        "A reply that has lost its opening:\n```text\nthoughts\n</think>\nanswer\n```\nSo split it.\n",
        "```xml\n<reasoning>\nbecause\n</reasoning>\n```\n",
        "In harmony:\n```\n<|channel|>analysis<|message|>x<|end|>\n```\nand `<|channel|>final<|message|>` follows.\n",
        "`<think>` opens reasoning.\n",
        "[think](https://example.org) about it\n",
        "def f(a):\n    return a if a <think else b\n",
    ],
)
def test_an_answer_about_markers_stays_whole(answer: str) -> None:
    assert split_reasoning(answer) == ("", answer)
    for wrapping in ("think", "glued", "no opening", "magistral", "harmony", "nested"):
        assert split_reasoning(WRAPPINGS[wrapping].format(THOUGHT, answer))[1].strip() == answer.strip(), wrapping


def test_an_indented_body_keeps_its_indentation() -> None:
    assert split_reasoning("<think>\nadd them\n</think>\n\n    return a + b\n") == ("add them", "    return a + b\n")


def test_reasoning_in_the_middle_is_taken_out() -> None:
    text = "Let me see.\n<think>\nhm\n</think>\nIt is 4.\n<think>\nsure?\n</think>\nYes."
    assert split_reasoning(text) == ("hm\n\nsure?", "Let me see.\nIt is 4.\nYes.")


words = st.text("abc .,'\"\n\tdef(){}#=éß漢", max_size=80)


@given(words, words.filter(str.strip), st.sampled_from(sorted(WRAPPINGS)))
def test_no_text_of_the_answer_is_lost(thought: str, answer: str, wrapping: str) -> None:
    answer = "It is:\n" + answer
    whole = WRAPPINGS[wrapping].format(f"I think.\n{thought}\nSo.\n", answer)
    reasoning, found = split_reasoning(whole)
    assert found == answer
    assert split_reasoning(found) == ("", found)
    assert "".join(thought.split()) in "".join(reasoning.split())


@given(st.text(), words)
def test_text_without_markers_is_returned_as_it_is(text: str, more: str) -> None:
    for one in (more, text.replace("<", "").replace("[", "").replace("◁", "").replace("analysis", "")):
        assert split_reasoning(one) == ("", one)


@given(
    st.lists(st.sampled_from([*"ab \n\"'`", "```", "<think>", "</think>", "\n</think>\n", "[THINK]", "[/THINK]", '"""', "\r\n"]))
)
def test_any_mixture_of_markers_is_read(parts: list[str]) -> None:
    text = "".join(parts)
    reasoning, answer = split_reasoning(text)
    assert len(reasoning) + len(answer) <= len(text) + text.count("\n")


def test_a_marker_between_spaces_is_mentioned_and_nests_nothing() -> None:
    text = "<think>\na <think> tag\n</think>\none\n<think>\nmore\n</think>\ntwo"
    assert split_reasoning(text) == ("a <think> tag\n\nmore", "one\ntwo")


@pytest.mark.parametrize(
    "part",
    ["<think>", "</think>\n", "\\'", '"', "`` ", "<think>\n```\n", " ", "<|channel|>", "<|im_end|>", '"""<think>', "\n", "“"],
)
def test_long_repetitions_are_read_in_linear_time(part: str) -> None:
    text = part * (200_000 // len(part))
    reasoning, answer = split_reasoning(text)  # a quadratic search would take minutes
    assert len(reasoning) + len(strip_end_tokens(answer)) <= 2 * len(text)


END_TOKENS = """<|im_end|> </s> <|eot_id|> <|endoftext|> <｜end▁of▁sentence｜> <end_of_turn> <|EOT|> <eos> <|end|> <|return|>
<|end_of_text|> <|eom_id|> <|END_OF_TURN_TOKEN|> [|endofturn|]"""


@pytest.mark.parametrize("token", [*END_TOKENS.split(), "<|im_end|>\n<|endoftext|>", "</s>\n"])
def test_end_tokens_at_the_end_are_stripped(token: str) -> None:
    assert strip_end_tokens(ANSWER + token) == ANSWER
    assert strip_end_tokens("x" + token) == "x"
    assert strip_end_tokens(token) == ""
    inside = f"STOP = {token.split()[0]!r}\n"
    assert strip_end_tokens(inside) == inside
    assert strip_end_tokens(f"a {token} b") == f"a {token} b"


def test_struck_out_text_is_not_an_end_token() -> None:
    assert strip_end_tokens("<s>old</s>") == "<s>old"  # the first token of a text, and its last
    assert strip_end_tokens("It costs <s>9</s>") == "It costs <s>9</s>"


@given(st.text())
def test_a_text_without_an_end_token_keeps_every_character(text: str) -> None:
    assert text.startswith(strip_end_tokens(text))
    assert strip_end_tokens(text + ".") == text + "."
