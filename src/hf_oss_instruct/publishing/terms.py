"""Which terms go with verbatim snippets of a source, and how a page asks its readers to accept them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_GATE = (
    "Rows of this data set quote source code from {source}, and its terms go with them ({link}). In short: code stays under the "
    "licences of its repositories, attribution included; copies are kept at the newest usable version, from which code was "
    "removed on request; {more}. By asking for access you agree to these terms."
)
_MUST_GATE = "and whoever passes it on includes the terms and has them agreed to"
_PRINCIPLES = "and models are trained by the principles of Software Heritage, from whose archive it comes"


@dataclass(frozen=True)
class Terms:
    """What a source asks of those who pass its code on.

    Attributes:
        source: the source's name.
        link: where its terms stand.
        gate: what readers must agree to before they get the files; None where the source asks for none.
    """

    source: str
    link: str
    gate: str | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """Their fields in a card's front matter."""
        name = f"{self.source.lower().replace(' ', '-')}-terms"
        found: dict[str, Any] = {"license": "other", "license_name": name, "license_link": self.link}
        if self.gate:
            found["extra_gated_prompt"] = self.gate
            found["extra_gated_fields"] = {"I have read the terms and agree to them": "checkbox"}
        return found


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
"""Beginning of a Hub id → terms. v1 and v2 are gated; v3 shows no gate (seen 2026-11)."""


def terms_of(source: str) -> Terms | None:
    """The terms of a Hub data set; None where we know of none."""
    return next((terms for start, terms in TERMS if source.lower().startswith(start.lower())), None)
