"""Load and encode the training data of a recipe, and report how many rows are trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from hf_oss_instruct.training.prepare import Prepared, RowEncoder, mixed, prepare
from hf_oss_instruct.training.sources import TrainingSource, why_unchecked


@dataclass
class TrainingData:
    """The training data.

    Attributes:
        rows: `input_ids` and `labels`.
        parts: for each dataset its name, counts, tokens, rows sampled for the mixture, and why it was not decontaminated, if so.
    """

    rows: Any
    parts: list[dict[str, Any]]


def load_data(
    sources: list[TrainingSource], encoder: RowEncoder, *, streaming: bool, rng_seed: int, num_proc: int | None
) -> TrainingData:
    """Load the datasets of a recipe, encode them, and mix them if there are several.

    Args:
        sources: the datasets.
        encoder: encodes their rows.
        streaming: whether to read them as streams.
        rng_seed: random seed of the rows sampled for a mixture.
        num_proc: processes that encode; None for this one.

    Raises:
        UsageError: a dataset cannot be loaded, or has no row to train on.
    """
    made = [prepare(source.open(streaming), encoder, num_proc=num_proc) for source in sources]
    if len(made) == 1:
        return TrainingData(made[0].rows, [_part(sources[0], made[0], None)])
    # `sources_of` has checked that all of them have a fraction or none.
    if sources[0].fraction is None and not streaming:
        from datasets import concatenate_datasets

        rows, drawn = concatenate_datasets([part.rows for part in made]), None
    else:
        shares = [source.fraction or 1.0 for source in sources]
        rows, drawn = mixed([(part.rows, share) for part, share in zip(made, shares, strict=True)], rng_seed)
    parts = [_part(source, part, drawn[n] if drawn else None) for n, (source, part) in enumerate(zip(sources, made, strict=True))]
    return TrainingData(rows, parts)


def _part(source: TrainingSource, made: Prepared, drawn: int | None) -> dict[str, Any]:
    # the counter itself, not a copy: it grows while a stream is read
    fields = {"source": asdict(source), "hub": source.on_the_hub, "revision": source.revision}
    thoughts = {"with_thoughts": made.with_thoughts} if made.with_thoughts else {}
    return fields | {"counts": made.counts, "drawn": drawn, "unchecked": why_unchecked(source)} | thoughts


def report_data(data: TrainingData, say: Callable[[str], None]) -> None:
    """Report how many rows of each dataset are trained on, and why the others are not."""
    for part in data.parts:
        counts, name = part["counts"], part["source"]["path"]
        if not counts:
            say(f"{name}: a stream; its rows are counted while it is read.")
            continue
        left = ", ".join(f"{reason} {n:,}" for reason, n in counts.items() if reason != "kept") or "none"
        drawn = "" if part["drawn"] is None else f", {part['drawn']:,} of them drawn for the mixture"
        thoughts = f", {part['with_thoughts']:,} with the teacher's reasoning" if part.get("with_thoughts") else ""
        say(f"{name}: {counts['kept']:,} rows of {counts.total():,} are trained on{thoughts}{drawn}; dropped: {left}.")
        if part["unchecked"]:
            say(f"{name} was not decontaminated: {part['unchecked']}.")
