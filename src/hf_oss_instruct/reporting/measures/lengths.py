"""How long problems and solutions are, in tokens of a named tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.extras import install_command
from hf_oss_instruct.hub import check_endpoint_for
from hf_oss_instruct.reporting.rows import ReportRows
from hf_oss_instruct.terminal.display import error_message

BINS = 24
WORDS = "words, numbers and punctuation marks"
"""The rule without a tokenizer. A BPE tokenizer of a code model gives about 1.1 to 1.4 times as many tokens."""
_MARKS = ngrams.IDENTIFIERS == 0
"""(256,): whether a byte of ASCII counts as a separate visible character."""
_MARKS[list(b"\t\n\f\r ")] = False
Count: TypeAlias = Callable[[pa.Array], Sequence[int]]
"""Texts → number of tokens of each."""


def count_words(texts: pa.Array) -> Sequence[int]:
    """Count runs of letters, digits and `_`, and every other visible character."""
    numbers = np.concatenate([np.empty(0, np.int64), *map(_counted, ngrams.texts([texts]))])  # (texts,)
    # Beyond ASCII, letters have several bytes: a regular expression counts these texts again.
    other = pc.invert(pc.string_is_ascii(texts))
    if pc.any(other).as_py():
        found = pc.count_substring_regex(texts.filter(other), r"[\pL\pN_]+|[^\pL\pN_\s]")
        numbers[other.to_numpy(zero_copy_only=False)] = found.to_numpy()
    counts: Sequence[int] = numbers.tolist()
    return counts


def _counted(texts: ngrams.ColumnTexts) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The same for ASCII, from the bytes: several times as fast as a regular expression."""
    letters = np.concatenate([[False], ngrams.IDENTIFIERS[texts.data] != 0])  # (bytes + 1,)
    starts = letters[1:] & ~letters[:-1]  # (bytes,): where runs of letters begin
    first = texts.ends[:-1][np.diff(texts.ends) > 0]  # (texts that are not empty,)
    starts[first] = letters[1:][first]  # a run ends with its text
    before = np.concatenate([[0], np.cumsum(starts | _MARKS[texts.data])])  # (bytes + 1,)
    counts: np.ndarray[Any, np.dtype[np.int64]] = before[texts.ends[1:]] - before[texts.ends[:-1]]
    return counts


def tokenizer(name: str) -> Count:
    """The counter of a `transformers` tokenizer.

    Args:
        name: a model on the Hub, or a folder.

    Raises:
        UsageError: transformers is not installed, or the tokenizer does not exist.
    """
    check_endpoint_for(name)
    try:
        from transformers import AutoTokenizer

        loaded = AutoTokenizer.from_pretrained(name)
    except ImportError:
        raise UsageError(f"--tokenizer {name} needs transformers: {install_command('local')}") from None
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The tokenizer {name!r} cannot be loaded: {error_message(error)}. Pass a folder or a model on the Hub that has one."
        ) from error
    return lambda texts: [len(ids) for ids in loaded(texts.to_pylist(), add_special_tokens=False)["input_ids"]]


def model_name(name: str) -> str:
    """A model's name for readers: its id on the Hub, or the last part of a folder of this machine."""
    return Path(name).resolve().name if Path(name).exists() else name


def lengths(rows: ReportRows, tokenizer_name: str | None = None) -> dict[str, Any]:
    """Token counts of problems and solutions.

    Args:
        rows: the dataset.
        tokenizer_name: a tokenizer of `transformers`; `WORDS` by default.

    Returns:
        `tokenizer`, and for `problem` and `solution` mean, median, 95th percentile, maximum, sum and a histogram: lists of
        (first, last, rows), in tokens. The last bin of the histogram holds everything longer.
    """
    count = tokenizer(tokenizer_name) if tokenizer_name else count_words
    lengths_of: tuple[list[Any], list[Any]] = ([], [])
    for texts in rows.texts():
        for into, column in zip(lengths_of, texts, strict=True):
            into.append(np.asarray(count(column), np.int64))
    measured = {
        name: describe(np.concatenate(parts)) for name, parts in zip(("problem", "solution"), lengths_of, strict=True) if parts
    }
    return {"tokenizer": model_name(tokenizer_name) if tokenizer_name else WORDS, **measured}


def describe(values: np.ndarray[Any, np.dtype[np.int64]]) -> dict[str, Any]:
    """Mean, median, 95th percentile, maximum, sum and histogram of whole numbers."""
    p95 = int(np.percentile(values, 95))
    # By the 95th percentile: a few long texts must not squeeze all others into one bin.
    width = max(1, -(-max(p95, 1) // (BINS - 1)))
    bins = np.minimum(values // width, BINS - 1)  # (values,)
    counts = np.bincount(bins, minlength=BINS)  # (BINS,)
    last = int(np.flatnonzero(counts)[-1])
    edges = [(bin_ * width, (bin_ + 1) * width - 1 if bin_ < BINS - 1 else int(values.max())) for bin_ in range(last + 1)]
    return {
        "mean": round(float(values.mean()), 1),
        "median": float(np.median(values)),
        "p95": p95,
        "max": int(values.max()),
        "sum": int(values.sum()),
        "histogram": [[first, end, int(rows)] for (first, end), rows in zip(edges, counts, strict=False)],
    }
