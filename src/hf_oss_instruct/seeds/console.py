"""Terminal output about seeds: snippets with their provenance, and counts of skipped documents."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from hf_oss_instruct.data import Seed, Skipped
from hf_oss_instruct.terminal.console import show_block, show_line


def show_seed(item: Seed, output: str) -> None:
    """One snippet and its provenance."""
    if output == "json":
        print(json.dumps(asdict(item)))  # noqa: T201
    elif output != "quiet":
        origin = item.origin
        licenses = ", ".join(origin.licenses) if origin.licenses else "license not stated"
        location = f"{origin.repo_name or origin.dataset} · {origin.file_path or origin.row_id}:{item.start_line}-{item.end_line}"
        show_block(f"seed {item.index} · {origin.lang} · {location} · {licenses}", item.snippet)


def show_skipped(skipped: Iterable[Skipped], output: str, converted: Mapping[str, str] | None = None) -> None:
    """Show how many documents yielded no seed and how many snippets were filtered out, by reason, and converted encodings.

    Args:
        skipped: skipped documents and snippets.
        output: value of `--format`.
        converted: path of a file → the encoding it was converted from.
    """
    counts = Counter((item.snippet, item.reason) for item in skipped)
    for snippet, heading in ((False, "Documents without a seed"), (True, "Snippets filtered out and replaced")):
        reasons = ", ".join(f"{count:,} {reason}" for (of, reason), count in counts.most_common() if of == snippet)
        if reasons and output in ("auto", "human"):
            show_line(f"\n{heading}: {reasons}.")
    if converted and output in ("auto", "human"):
        encodings = ", ".join(f"{count:,} from {name}" for name, count in Counter(converted.values()).most_common())
        show_line(f"\nFiles converted to UTF-8: {encodings}.")
