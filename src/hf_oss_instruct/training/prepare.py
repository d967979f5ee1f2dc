"""Encode rows as token ids and labels for TRL, mix datasets, and count dropped rows by reason.

Nothing is cut: a row that is too long loses its end token and teaches the model not to stop, so it is dropped and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.templates import (
    DROP,
    REASONING,
    THINK,
    THINK_END,
    Template,
    Tokenizer,
    begin,
    instruction_and_response,
    keeps,
    special_tokens,
    with_thoughts,
)

if TYPE_CHECKING:
    import datasets

    Rows: TypeAlias = datasets.Dataset | datasets.IterableDataset

DROPPED = ("too_long", "empty", "masked", "special_token", "not_a_pair")
"""Why a row is not trained on: more tokens than `max_length`; no text; no token to learn; text of a special token in it; a
conversation of more than one question and one answer."""
PAIRS = (("prompt", "completion"), ("problem", "solution"), ("instruction", "response"))
"""Columns that contain a pair; the first pair is already rendered text."""
IGNORED = -100
"""Label of a token without loss (PyTorch's cross entropy ignores it)."""


class RowEncoder:
    """Encodes a row as token ids and labels, identical to what TRL produces for the same text.

    Args:
        template: how a row becomes text.
        tokenizer: the model's.
        max_length: tokens of a row, prompt and end token included, at most.
        thoughts: `keep` trains on the column `reasoning` too, before the response; `drop` does not.
    """

    def __init__(self, template: Template, tokenizer: Tokenizer, max_length: int, thoughts: str = DROP) -> None:
        self.template, self.tokenizer, self.max_length = template, tokenizer, max_length
        self.keeps_thoughts = keeps(thoughts)
        self._special = special_tokens(tokenizer)
        # Added once by hand, because the prompt alone and the whole text are encoded without special tokens.
        first = begin(tokenizer)
        self._start: list[int] = [tokenizer.convert_tokens_to_ids(first)] if first else []

    def texts(self, row: Mapping[str, Any]) -> tuple[str, str]:
        """Prompt and completion of a row, including the end token.

        Raises:
            UsageError: the columns contain no pair, or prompts written by another template.
        """
        self.check(row)
        if _columns(row) == PAIRS[0]:
            # Published completions end without the stop token, others with it; exactly one is trained on.
            return row["prompt"], row["completion"].removesuffix(self.template.stop) + self.template.stop
        instruction, response = instruction_and_response(row)
        if self.keeps_thoughts:
            response = with_thoughts(row, response)
        return self.template.prompt(instruction), self.template.completion(instruction, response)

    def check(self, row: Mapping[str, Any]) -> None:
        """Reject columns that this template cannot be applied to, whatever their values.

        Raises:
            UsageError: the columns contain no pair, or prompts written by another template.
        """
        if _columns(row) == PAIRS[0]:
            if self.template.name != "magicoder":
                raise UsageError(
                    f"The columns prompt and completion are already rendered, so the template {self.template.name!r} "
                    f"cannot be applied. Train on the config 'default' (problem, solution), or use --template magicoder."
                )
        elif not _columns(row):
            instruction_and_response(row)  # which says what is missing

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """`input_ids`, `labels`, `dropped` (one of `DROPPED`, None for a row to train on), `thoughts` (whether it has some)."""
        pair = as_pair(row)
        if pair is None:
            return _dropped("not_a_pair")
        row, texts = pair, [pair[name] for name in _columns(pair)]
        if not all(isinstance(text, str) and text.strip() for text in texts):
            return _dropped("empty")
        reasoning = (row.get(REASONING) or "").strip() if self.keeps_thoughts else ""
        if any(word in reasoning for word in (*self._special, THINK, THINK_END)):
            return _dropped("special_token")
        # Text of a special token would be encoded as that token, such as an end in the middle of an answer.
        if any(word in text.removesuffix(self.template.stop) for word in self._special for text in texts):
            return _dropped("special_token")
        ids, learnt_from = self._ids(*self.texts(row))
        if len(ids) > self.max_length:
            return _dropped("too_long")
        # No token would be learnt, and a batch of such rows only has a loss of NaN.
        if learnt_from == len(ids):
            return _dropped("masked")
        return {
            "input_ids": ids,
            "labels": [IGNORED] * learnt_from + ids[learnt_from:],
            "dropped": None,
            "thoughts": bool(reasoning),
        }

    def _ids(self, prompt: str, completion: str) -> tuple[list[int], int]:
        """Ids of the whole text and the index of the completion's first token. Both are tokenized together, as TRL does."""
        before = self._start + self.tokenizer.encode(prompt, add_special_tokens=False)
        whole = self._start + self.tokenizer.encode(prompt + completion, add_special_tokens=False)
        # A token can span the end of the prompt: it belongs to the completion, as in TRL.
        same = next((n for n, (one, other) in enumerate(zip(before, whole, strict=False)) if one != other), len(before))
        return whole, same


@dataclass
class Prepared:
    """Encoded rows, and the count of dropped ones.

    Attributes:
        rows: `input_ids` and `labels`.
        counts: rows by outcome: `kept` and the reasons in `DROPPED`. For a stream it grows while rows are read.
        tokens: tokens of the kept rows.
        with_thoughts: number of kept rows that have reasoning.
    """

    rows: Rows
    counts: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    with_thoughts: int = 0

    @property
    def dropped(self) -> dict[str, int]:
        """Number of dropped rows by reason."""
        return {reason: self.counts[reason] for reason in DROPPED if self.counts[reason]}


def prepare(rows: Rows, encoder: RowEncoder, *, num_proc: int | None = None) -> Prepared:
    """Encode rows and drop those that cannot be trained on.

    Args:
        rows: a dataset or stream with problem and solution, instruction and response, or prompt and completion.
        encoder: template, tokenizer and length.
        num_proc: processes, for a dataset.

    Raises:
        UsageError: columns are missing, the set is empty, or no row of it can be trained on.
    """
    import datasets

    columns = _checked_columns(rows, encoder)
    if isinstance(rows, datasets.IterableDataset):
        return _stream(rows, encoder, columns)
    encoded = rows.map(encoder, remove_columns=columns, num_proc=num_proc, desc="Encoding", features=_features())
    reasons = encoded["dropped"]
    counts = Counter("kept" if reason is None else reason for reason in reasons)
    if not counts["kept"]:
        summary = ", ".join(f"{reason} {n:,}" for reason, n in counts.items())
        raise UsageError(
            f"No row can be trained on ({summary}; max_length is {encoder.max_length:,}). Raise max_length, or check the data."
        )
    thoughts = sum(encoded["thoughts"])
    if encoder.keeps_thoughts and not thoughts:
        raise UsageError("No row that can be trained on has reasoning. Leave out --thoughts keep, or raise max_length.")
    # By index, which copies nothing.
    kept = encoded.select([n for n, reason in enumerate(reasons) if reason is None]).remove_columns(["dropped", "thoughts"])
    return Prepared(kept, counts, sum(map(len, kept["input_ids"])), thoughts)


def mixed(parts: Sequence[tuple[Rows, float]], rng_seed: int = 0) -> tuple[Rows, list[int] | None]:
    """Mix encoded datasets in given shares without repetition: TRL's `fraction`, but with sampled rows instead of the first ones.

    Args:
        parts: sets and their shares of the mixture, which need not sum to 1.
        rng_seed: random number of the draw.

    Returns:
        The mixture, and how many rows of each set are in it (None for streams, which end with the first that is exhausted).

    Raises:
        UsageError: a share is not positive, or sets and streams are mixed.
    """
    import datasets

    if any(share <= 0 for _, share in parts):
        raise UsageError(
            f"A share of a mixture must be positive, here {[share for _, share in parts]}. Leave the dataset out instead."
        )
    streams = [isinstance(rows, datasets.IterableDataset) for rows, _ in parts]
    if any(streams) != all(streams):
        raise UsageError("Some of the datasets are streams and some are not. Set streaming for all of them or for none.")
    shares = [share / sum(share for _, share in parts) for _, share in parts]
    if all(streams):
        return datasets.interleave_datasets([rows for rows, _ in parts], shares, seed=rng_seed), None
    # The largest mixture in these shares that repeats no row.
    total = min(len(rows) / share for (rows, _), share in zip(parts, shares, strict=True))
    drawn = [round(total * share) for share in shares]
    chosen = [rows.shuffle(seed=rng_seed).select(range(n)) for (rows, _), n in zip(parts, drawn, strict=True)]
    return datasets.concatenate_datasets(chosen).shuffle(seed=rng_seed), drawn


def _stream(rows: Any, encoder: RowEncoder, columns: list[str]) -> Prepared:
    made = Prepared(rows)

    def counted(row: Mapping[str, Any]) -> bool:
        made.counts["kept" if row["dropped"] is None else row["dropped"]] += 1
        made.tokens += len(row["input_ids"])
        made.with_thoughts += row["thoughts"]
        return row["dropped"] is None

    encoded = rows.map(encoder, remove_columns=columns, features=_features())
    # Counted as the stream is read: a pass before would read it twice.
    made.rows = encoded.filter(counted).remove_columns(["dropped", "thoughts"])
    return made


def _checked_columns(rows: Rows, encoder: RowEncoder) -> list[str]:
    first = next(iter(rows), None)
    if first is None:
        raise UsageError("The dataset is empty: there is nothing to train on. Pass another dataset or split.")
    pair = as_pair(first) or dict.fromkeys(PAIRS[2])
    encoder.check(pair)
    if encoder.keeps_thoughts and (REASONING not in pair or _columns(pair) == PAIRS[0]):
        raise UsageError(
            f"--thoughts keep needs a pair and the column {REASONING!r}, but the columns are {', '.join(map(repr, first))}. Use "
            "a dataset made with synthesize --keep-reasoning."
        )
    return list(first)


def as_pair(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Convert a conversation of one question and one answer to a row with a pair; return other rows unchanged.

    Conversations are those of TRL: `messages`, or `prompt` and `completion` that are lists of messages.

    Returns:
        None for a conversation of other turns than one of the user and one of the assistant.
    """
    if any(isinstance(row.get(name), list) for name in PAIRS[0]):
        turns = [turn for name in PAIRS[0] for turn in row.get(name) or ()]
    elif isinstance(row.get("messages"), list) and not _columns(row):
        turns = row["messages"]
    else:
        return row
    if not all(isinstance(turn, Mapping) for turn in turns) or [turn.get("role") for turn in turns] != ["user", "assistant"]:
        return None
    return dict(zip(PAIRS[2], (_content(turn) for turn in turns), strict=True))


def _content(turn: Mapping[str, Any]) -> str | None:
    """The text of a message, whose content may be a list of parts."""
    content = turn.get("content")
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content if isinstance(part, Mapping))
    return content


def _columns(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of a row that contain its pair."""
    return next((names for names in PAIRS if row.keys() >= set(names)), ())


def _features() -> Any:
    from datasets import Features, List, Value

    return Features(
        {"input_ids": List(Value("int32")), "labels": List(Value("int32")), "dropped": Value("string"), "thoughts": Value("bool")}
    )


def _dropped(reason: str) -> dict[str, Any]:
    return {"input_ids": [], "labels": [], "dropped": reason, "thoughts": False}
