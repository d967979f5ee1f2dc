"""Filter documents and snippets before a teacher is asked, and say why one is refused.

    document ─SourceFilter→ a snippet drawn ─snippet filters→ document filter → Seed

The source filter looks at where a document comes from, before its text is read. The other filters run after the draw: parsing
costs 60 to 80 times what drawing lines does, so only documents that would give a seed are parsed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import xxhash

from hf_oss_instruct.code.syntax import why_unsuitable
from hf_oss_instruct.curation import licenses as known_licenses
from hf_oss_instruct.curation.denylist import Denylist
from hf_oss_instruct.curation.snippet_filters import SNIPPET_FILTERS
from hf_oss_instruct.data import Provenance
from hf_oss_instruct.seeds.vectorized import MAX_LINES
from hf_oss_instruct.spec.name_types import FilterNames, filter_names
from hf_oss_instruct.spec.seeds import ANY, PERMISSIVE

FILTERS = filter_names()
CACHE_SIZE = 2**16
"""Number of results kept in memory: a document from which several snippets are drawn is checked once."""


@dataclass(frozen=True)
class SourceFilter:
    """Filters documents by their provenance, before their content is fetched.

    Attributes:
        licenses: `any`, `permissive`, or SPDX names with commas.
        deny: the denylist of opt-outs.
        one_in: keep one document in `one_in`, chosen by a hash of its id.
        rng_seed: random seed of that choice.
    """

    licenses: str = ANY
    deny: Denylist | None = None
    one_in: int = 1
    rng_seed: int = 0

    def draws(self, row_id: str) -> bool:
        """Whether `one_in` chooses the document."""
        # With a suffix, since the draw hashes the bare id: which lines are drawn must not depend on being chosen.
        return self.one_in == 1 or xxhash.xxh3_64_intdigest(b"%s\0one_in" % row_id.encode(), self.rng_seed) % self.one_in == 0

    def reason(self, origin: Provenance) -> str | None:
        """Why a document is refused: `denied`, `license_unknown` or `license`."""
        if self.deny and self.deny.denies(origin):
            return "denied"
        if self.licenses == ANY or origin.dataset in known_licenses.PERMISSIVE_BY_CONSTRUCTION:
            return None
        if not origin.licenses:
            known = self.licenses == PERMISSIVE and origin.license_type == PERMISSIVE
            return None if known else "license_unknown"
        return None if known_licenses.is_permissive(origin.licenses, self._allowed) else "license"

    @cached_property
    def _allowed(self) -> frozenset[str]:
        return allowed(self.licenses)


OPEN = SourceFilter()
"""Accepts every document."""


def allowed(policy: str) -> frozenset[str]:
    """The SPDX names that a policy allows.

    Raises:
        UsageError: it is neither `any`, `permissive` nor a list of SPDX names.
    """
    return known_licenses.PERMISSIVE if policy in (ANY, PERMISSIVE) else known_licenses.allowed_names(policy.split(","))


class Filters:
    """The snippet and document filters of a plan.

    Args:
        names: some of `FILTERS`.
        max_snippet_chars: characters of a snippet at most; 0 for no limit.

    Raises:
        UsageError: a name is unknown.
    """

    def __init__(self, names: tuple[str, ...], max_snippet_chars: int = 0) -> None:
        FilterNames().from_python(names)
        self._snippet = [(name, SNIPPET_FILTERS[name]) for name in names if name in SNIPPET_FILTERS]
        self._parses = "parses" in names
        self._longest = max_snippet_chars
        self._known: dict[str, str | None] = {}

    def snippet(self, text: str, lang: str) -> str | None:
        """Why a snippet is refused."""
        if self._longest and (reason := _oversized(text, self._longest)):
            return reason
        return next((reason for _, check in self._snippet if (reason := check(text, lang))), None)

    def document(self, origin: Provenance, content: Callable[[], Any]) -> str | None:
        """Why a document is refused, or None. Its content is only loaded if a filter needs it."""
        if not self._parses:
            return None
        if origin.row_id not in self._known:
            if len(self._known) >= CACHE_SIZE:
                self._known.clear()
            self._known[origin.row_id] = why_unsuitable(content(), origin.lang)
        return self._known[origin.row_id]


def _oversized(text: str, longest: int) -> str | None:
    """`too_long`, or `cr_line_ends` if lines end with a bare carriage return, so that one "line" is really many."""
    if len(text) > longest:
        return "too_long"
    return "cr_line_ends" if "\r" in text and text.count("\r") - text.count("\r\n") > MAX_LINES else None
