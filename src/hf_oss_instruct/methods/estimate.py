"""Before a run over a table: an estimate of its cost."""

from __future__ import annotations

from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.terminal.display import plural

CHARS_PER_TOKEN = 3.5
"""Of code and English prose, about: for estimates only."""


def tokens_of(*texts: str) -> int:
    """About how many tokens some texts have."""
    return round(sum(map(len, texts)) / CHARS_PER_TOKEN)


def estimate(rows: int, requests: tuple[int, int], tokens: tuple[int, int], limits: RunLimits, batch: bool = False) -> str:
    """One line: the requests of a run, its tokens, and with prices its cost.

    Args:
        rows: number of rows.
        requests: the fewest and the most requests of a row, not counting retries.
        tokens: prompt and completion tokens of all, about.
        limits: has the prices.
        batch: whether requests go into batches.
    """
    fewest, most = requests
    each = f"{most}" if fewest == most else f"{fewest} to {most}"
    prompt, completion = tokens
    line = f"# {plural(rows, 'row')}, {each} request{'s' * (most != 1)} per row, up to {most * rows:,} without retries; "
    line += f"about {prompt:,} tokens in prompts and {completion:,} in answers"
    if (cost := limits.cost(*tokens)) is None:
        return line
    line = f"{line}, which cost about {cost:,.2f}"
    return f"{line}, in batches about {cost / 2:,.2f} if the provider halves its prices" if batch else line
