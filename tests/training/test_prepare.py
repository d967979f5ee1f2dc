"""Rows to token ids: what TRL makes of them, what is dropped and counted, how sets are mixed."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from datasets import Dataset, IterableDataset
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.templates import template_for, to_prompt_completion
from hf_oss_instruct.training.prepare import IGNORED, RowEncoder, mixed, prepare
from hf_oss_instruct.training.sources import TrainingSource
from tests.support.tokenizers import FAMILIES, tokenizer_of
from tests.support.warm import TRAIN

ROWS = [{"problem": f"Add {n} to a number.", "solution": f"def add(x):\n    return x + {n}"} for n in range(12)]


def encoder(family: str = "qwen", template: str = "magicoder", max_length: int = 1216) -> RowEncoder:
    tokenizer = tokenizer_of(family)
    return RowEncoder(template_for(template, tokenizer), tokenizer, max_length)


@pytest.mark.parametrize("template", ["magicoder", "chat"])
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_the_completion_is_learnt_with_its_end_and_the_prompt_is_not(family: str, template: str) -> None:
    encode = encoder(family, template)
    prepared = encode(ROWS[0])
    _, completion = encode.texts(ROWS[0])
    learnt = [label for label in prepared["labels"] if label != IGNORED]
    assert encode.tokenizer.decode(learnt) == completion
    assert learnt[-1] == encode.tokenizer.convert_tokens_to_ids(encode.template.stop)
    # and the model sees what it will be asked with
    asked = prepared["input_ids"][: -len(learnt)]
    messages = [{"role": "user", "content": "Write a solution to the following coding problem:\n" + ROWS[0]["problem"]}]
    tokenizer: Any = encode.tokenizer
    tokenizer.chat_template = encode.template.chat_template
    assert asked == tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)


@settings(max_examples=30)
@given(st.text(min_size=1), st.text(min_size=1))
def test_every_row_is_kept_whole_or_dropped(problem: str, solution: str) -> None:
    encode = encoder(max_length=300)
    prepared = encode({"problem": problem, "solution": solution})
    if prepared["dropped"] is None:
        assert len(prepared["input_ids"]) == len(prepared["labels"]) <= 300
        assert encode.tokenizer.decode(prepared["input_ids"]) == "".join(encode.texts({"problem": problem, "solution": solution}))
    else:
        assert prepared["dropped"] in ("empty", "too_long")
        assert not prepared["input_ids"]


THOUGHT = [ROWS[0] | {"reasoning": " Adding is enough.\n"}, ROWS[1] | {"reasoning": None}, ROWS[2] | {"reasoning": "</think>"}]


@pytest.mark.parametrize("template", ["magicoder", "chat"])
def test_thoughts_are_learnt_before_the_solution_only_if_they_are_kept(template: str) -> None:
    tokenizer = tokenizer_of("qwen")
    keeping = RowEncoder(template_for(template, tokenizer), tokenizer, 1216, "keep")
    learnt = [tokenizer.decode([label for label in keeping(row)["labels"] if label != IGNORED]) for row in THOUGHT[:2]]
    stop = keeping.template.stop
    assert learnt[0].strip() == f"<think>\nAdding is enough.\n</think>\n\n{ROWS[0]['solution']}{stop}"
    assert learnt[1].strip() == f"{ROWS[1]['solution']}{stop}"
    assert keeping(THOUGHT[2])["dropped"] == "special_token", "the tag would end the thoughts too early"
    assert encoder(template=template)(THOUGHT[0])["labels"] == encoder(template=template)(ROWS[0])["labels"]


@pytest.mark.parametrize("streaming", [False, True])
@TRAIN.test
def test_rows_with_thoughts_are_counted(streaming: bool) -> None:
    keeping = RowEncoder(template_for("magicoder", tokenizer_of("qwen")), tokenizer_of("qwen"), 1216, "keep")
    rows = Dataset.from_list(THOUGHT)
    prepared = prepare(rows.to_iterable_dataset() if streaming else rows, keeping)
    assert len(list(prepared.rows)) == 2
    assert (prepared.counts, prepared.with_thoughts) == (Counter(kept=2, special_token=1), 1)
    assert prepare(rows, encoder()).with_thoughts == 0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (ROWS, "needs a pair and the column 'reasoning'"),
        ([to_prompt_completion(row) | {"reasoning": "x"} for row in ROWS], "needs a pair and the column 'reasoning'"),
        ([row | {"reasoning": " "} for row in ROWS], "No row that can be trained on has reasoning"),
    ],
)
def test_thoughts_that_are_not_there_cannot_be_kept(rows: list[dict[str, Any]], said: str) -> None:
    keeping = RowEncoder(template_for("magicoder", tokenizer_of("qwen")), tokenizer_of("qwen"), 1216, "keep")
    with pytest.raises(UsageError, match=said):
        prepare(Dataset.from_list(rows), keeping)


def test_rows_that_do_not_fit_are_dropped_and_counted_and_none_is_cut() -> None:
    rows = [
        *ROWS,
        {"problem": "long", "solution": "x = 1\n" * 300},
        {"problem": "empty", "solution": " \n"},
        {"problem": "stops early", "solution": "print(1)<|endoftext|>print(2)"},
    ]
    for kind in (Dataset.from_list(rows), IterableDataset.from_generator(lambda: iter(rows))):
        prepared = prepare(kind, encoder(max_length=600))
        kept = list(prepared.rows)
        assert prepared.counts == Counter(kept=12, too_long=1, empty=1, special_token=1)
        assert prepared.dropped == {"too_long": 1, "empty": 1, "special_token": 1}
        assert len(kept) == 12
        assert prepared.tokens == sum(len(row["input_ids"]) for row in kept)
        assert set(kept[0]) == {"input_ids", "labels"}


def test_a_row_at_the_limit_stays_and_one_above_goes() -> None:
    length = len(encoder()(ROWS[0])["input_ids"])
    assert encoder(max_length=length)(ROWS[0])["dropped"] is None
    assert encoder(max_length=length - 1)(ROWS[0])["dropped"] == "too_long"


def test_the_published_columns_and_the_rows_behind_them_give_the_same_tokens() -> None:
    encode = encoder("llama")
    for row in ROWS:
        assert encode(row) == encode(to_prompt_completion(row))
    with pytest.raises(UsageError, match="config 'default'"):
        encoder("qwen", "chat")(to_prompt_completion(ROWS[0]))


def test_nothing_to_train_on_is_an_error_that_says_why() -> None:
    with pytest.raises(UsageError, match=r"No row can be trained on \(too_long 12; max_length is 10\)"):
        prepare(Dataset.from_list(ROWS), encoder(max_length=10))
    with pytest.raises(UsageError, match="dataset is empty"):
        prepare(Dataset.from_dict({"problem": [], "solution": []}), encoder())
    with pytest.raises(UsageError, match="'text' do not contain a pair"):
        prepare(Dataset.from_dict({"text": ["a"]}), encoder())


def test_sets_are_mixed_in_shares_and_no_row_twice() -> None:
    one = Dataset.from_dict({"n": list(range(100))})
    other = Dataset.from_dict({"n": list(range(1000, 1100))})
    prepared, drawn = mixed([(one, 3), (other, 1)], rng_seed=1)
    assert drawn == [100, 33]
    assert len(set(prepared["n"])) == len(prepared) == 133
    assert max(n for n in prepared["n"] if n >= 1000) > 1050  # drawn, not the first ones
    assert list(prepared["n"]) == list(mixed([(one, 3), (other, 1)], rng_seed=1)[0]["n"])
    assert list(prepared["n"]) != list(mixed([(one, 3), (other, 1)], rng_seed=2)[0]["n"])


def test_streams_are_mixed_in_shares_too() -> None:
    one, other = (Dataset.from_dict({"n": [kind] * 400}).to_iterable_dataset() for kind in (0, 1))
    prepared, drawn = mixed([(one, 3), (other, 1)])
    seen = [row["n"] for row in prepared]
    assert drawn is None
    assert 0.18 < sum(seen) / len(seen) < 0.32
    with pytest.raises(UsageError, match="Some of the datasets are streams"):
        mixed([(one, 1), (Dataset.from_dict({"n": [1]}), 1)])
    with pytest.raises(UsageError, match="must be positive"):
        mixed([(one, 0), (other, 1)])


def talk(*roles: str) -> list[dict[str, Any]]:
    return [{"role": role, "content": ROWS[0]["problem" if role == "user" else "solution"]} for role in roles]


@pytest.mark.parametrize("template", ["magicoder", "chat"])
@pytest.mark.parametrize(
    "row",
    [
        {"prompt": talk("user"), "completion": talk("assistant")},
        {"messages": talk("user", "assistant")},
        {
            "messages": [
                {"role": t["role"], "content": [{"type": "text", "text": t["content"]}]} for t in talk("user", "assistant")
            ]
        },
    ],
)
def test_a_conversation_of_one_question_and_answer_is_trained_as_one(row: dict[str, Any], template: str) -> None:
    encode = encoder(template=template)
    plain = {"instruction": ROWS[0]["problem"], "response": ROWS[0]["solution"]}
    assert encode(row) == encode(plain)
    assert prepare(Dataset.from_list([row] * 2), encode).counts == {"kept": 2}


def test_other_conversations_and_null_rows_are_dropped_and_counted() -> None:
    rows = [
        {"prompt": None, "completion": None},
        {"prompt": talk("system", "user"), "completion": talk("assistant")},
        {"prompt": talk("user"), "completion": None},
        {"prompt": talk("user"), "completion": talk("assistant")},
    ]
    assert prepare(Dataset.from_list(rows), encoder()).counts == {"kept": 1, "not_a_pair": 2, "empty": 1}
    nulls = [{"problem": None, "solution": None}, {"problem": "x", "solution": None}, ROWS[0]]
    assert prepare(Dataset.from_list(nulls), encoder()).counts == {"kept": 1, "empty": 2}
    with pytest.raises(UsageError, match=r"No row can be trained on \(not_a_pair 2"):
        prepare(Dataset.from_list([{"messages": talk("user", "assistant", "user", "assistant")}] * 2), encoder())


def test_rows_of_plain_text_are_refused_with_their_columns() -> None:
    with pytest.raises(UsageError, match=r"Columns 'text' do not contain a pair\. Rename them to problem, solution"):
        prepare(Dataset.from_list([{"text": "def f(): pass"}]), encoder())


@pytest.mark.parametrize(
    ("name", "says"), [("rows.jsonl", "cannot be loaded"), ("gone.jsonl", "The file 'gone.jsonl' does not exist")]
)
def test_a_local_file_is_a_dataset_and_what_is_wrong_with_it_is_said(
    name: str, says: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good [1].jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    assert TrainingSource("good [1].jsonl").open(streaming=False)["problem"] == [row["problem"] for row in ROWS]
    (tmp_path / "rows.jsonl").write_text('{"problem": "x", "solution": 1}\n{"problem": ["x"], "solution"')
    with pytest.raises(UsageError, match=says):
        TrainingSource(name).open(streaming=False)
