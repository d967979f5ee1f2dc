"""Preference pairs: a solution that passes its tests beside one that fails some of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hf_oss_instruct.templates import to_prompt_completion

MARGIN, CHOSEN_ABOVE, REJECTED_ABOVE = 0.4, 0.8, 0.0
"""Pass rates: the chosen one's is above 0.8 and more than 0.4 above the rejected one's, which is above 0 (AceCoder)."""


def preference_pairs(row: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The pairs of a verified row, in the order of its solutions: prompt, chosen, rejected.

    Only a row that passed has any. The rejected solution passes some tests and fails others, so it is neither a refusal
    nor a program that does not load.

    Args:
        row: with the columns of verification.

    Source:
        AceCoder, arXiv 2502.01718: the margins between pass rates.
    """
    if row["execution_status"] != "passed":
        return
    pair, seen = to_prompt_completion(row), {row["solution"]}
    for other in row["solutions"]:
        rate = sum(other["results"]) / len(other["results"]) if other["results"] else 0.0
        if REJECTED_ABOVE < rate < 1.0 - MARGIN and other["text"] not in seen:
            seen.add(other["text"])
            yield {"prompt": pair["prompt"], "chosen": pair["completion"], "rejected": other["text"]}
