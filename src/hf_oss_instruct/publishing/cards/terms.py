"""Terms of use that apply to verbatim snippets of a source, and how a card asks readers to accept them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_GATE = (
    "Rows of this dataset quote source code from {source} and are subject to its terms ({link}). In short: code remains under "
    "the licenses of its repositories, including attribution; copies must be updated to the newest usable version, from which "
    "code was removed on request; {more}. By requesting access you agree to these terms."
)
_MUST_GATE = "and anyone who redistributes it must include the terms and have users agree to them"
_PRINCIPLES = "and models must be trained by the principles of Software Heritage, whose archive it comes from"


@dataclass(frozen=True)
class Terms:
    """Terms of a source for those who redistribute its code.

    Attributes:
        source: name of the source.
        link: URL of its terms.
        gate: text that readers must accept before they can download files; None if the source requires no gate.
    """

    source: str
    link: str
    gate: str | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields for a card's front matter."""
        name = f"{self.source.lower().replace(' ', '-')}-terms"
        fields: dict[str, Any] = {"license": "other", "license_name": name, "license_link": self.link}
        if self.gate:
            fields["extra_gated_prompt"] = self.gate
            fields["extra_gated_fields"] = {"I have read the terms and agree to them": "checkbox"}
        return fields


def _stack(source: str, page: str, more: str | None) -> Terms:
    link = f"https://huggingface.co/datasets/{page}"
    return Terms(source, link, _GATE.format(source=source, link=link, more=more) if more else None)


_STACK = _stack("The Stack", "bigcode/the-stack#terms-of-use-for-the-stack", _MUST_GATE)
_STACK_V2 = _stack("The Stack v2", "bigcode/the-stack-v2#terms-of-use-for-the-stack-v2", _PRINCIPLES)
_STACK_V3 = _stack("The Stack v3", "HuggingFaceCode/stack-v3-train", None)
TERMS = (
    ("bigcode/the-stack-v2", _STACK_V2),
    ("HuggingFaceTB/stack-edu", _STACK_V2),
    ("bigcode/the-stack", _STACK),
    ("bigcode/starcoderdata", _STACK),
    ("HuggingFaceCode/stack-v3", _STACK_V3),
)
"""Prefix of a Hub id → terms, most specific first. v1 and v2 are gated, v3 is not (seen 2026-11)."""


def terms_of(source: str) -> Terms | None:
    """The terms of a Hub dataset; None if none are known."""
    return next((terms for start, terms in TERMS if source.lower().startswith(start.lower())), None)
