"""Explain why a source yielded fewer seeds than requested: counts by reason, and the options that would help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from hf_oss_instruct.data import Skipped

REMEDIES = {
    ("not_utf8",): "name the encoding of files that are not UTF-8: --encoding latin-1",
    ("too_large",): "raise --max-document-bytes",
    ("too_long",): "raise --max-snippet-chars",
    ("license", "license_unknown"): "accept other licenses: --licenses any",
    (
        *("does_not_parse", "no_definition", "secret", "email_address", "license_header", "imports_only", "data_table"),
    ): "switch the seed filters off: --filters none",
    ("no_documented_function",): "use any lines: --sampler hash",
    ("unreadable", "unreadable_folder"): "make files and folders readable for this user",
    ("unknown_language",): "set the language of all documents: --languages NAME",
}
"""Reason for skipping a document or snippet → the option that would include it."""

SHOWN_LANGUAGES = 8
"""Number of languages that the error names; a dataset such as The Stack has hundreds."""


class Shortage:
    """Counts missing seeds and skipped documents.

    Args:
        name: name of the source.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.short: list[str] = []
        self._absent: list[str] = []
        self._found_some = False
        self._documents: Counter[str] = Counter()
        self._snippets: Counter[str] = Counter()

    def note(self, item: Skipped) -> None:
        """Count a document or snippet that gave no seed."""
        (self._snippets if item.snippet else self._documents)[item.reason] += 1

    def settle(self, drawn: int, wanted: int | None, languages: Collection[str] | None) -> None:
        """Record how many of the seeds requested in some languages were found.

        Args:
            drawn: seeds that were drawn.
            wanted: seeds that were requested; None if the source decides.
            languages: the languages of these seeds; None for all.
        """
        self._found_some = self._found_some or drawn > 0
        if not drawn:
            self._absent += languages or ()
        if wanted is not None and drawn < wanted:
            self.short.append(f"{drawn:,} of {wanted:,} requested seeds" + (f" in {', '.join(languages)}" if languages else ""))

    def message(self, languages: Collection[str], draw_more: bool) -> str:
        """The error message: the shortage, skipped documents by reason, and what to do.

        Args:
            languages: the languages of the source's documents; empty if they are unknown.
            draw_more: whether the number of snippets per document is limited.
        """
        sentences = [f"{self._name} yielded {'; '.join(self.short)}."]
        if self._documents:
            sentences.append(f"Documents without a seed: {_format_counts(self._documents)}.")
        if self._snippets:
            sentences.append(f"Snippets refused: {_format_counts(self._snippets)}.")
        absent = sorted(set(self._absent) - set(languages)) if languages else []
        if absent:
            sentences.append(f"It has no {' or '.join(absent)}, only {_listed(languages)}.")
        reasons_seen = self._documents.keys() | self._snippets.keys()
        # Fewer seeds help only where there were some.
        ways = ["ask for fewer", "pass a larger source"] if self._found_some else ["pass another source"]
        ways += ["ask for other languages"] * bool(absent)
        ways += [way for reasons, way in REMEDIES.items() if reasons_seen & set(reasons)]
        if draw_more and self._found_some:
            ways.append("use more snippets of each document: --snippets-per-document auto")
        text = f"{', '.join(ways[:-1])}, or {ways[-1]}" if len(ways) > 2 else " or ".join(ways)
        return " ".join([*sentences, f"{text[0].upper()}{text[1:]}."])


def _listed(languages: Collection[str]) -> str:
    """A few languages by name, and how many others there are."""
    names = sorted(languages)
    if len(names) > SHOWN_LANGUAGES:
        return f"{', '.join(names[:SHOWN_LANGUAGES])} and {len(names) - SHOWN_LANGUAGES} others"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _format_counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())
