"""Which terms go with verbatim snippets of a source, and how a page asks its readers to accept them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

STACK_GATE = """\
Rows of this data set quote source code from The Stack, and its terms go with them
(https://huggingface.co/datasets/bigcode/the-stack#terms-of-use-for-the-stack). In short: code stays under the licences of its
repositories, attribution included; copies are kept at the newest usable version, from which code was removed on request; and
whoever passes it on includes these terms and has them agreed to. By asking for access you agree to them."""


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


_STACK = Terms("The Stack", "https://huggingface.co/datasets/bigcode/the-stack#terms-of-use-for-the-stack", STACK_GATE)
_STACK_V2 = Terms(
    "The Stack v2", "https://huggingface.co/datasets/bigcode/the-stack-v2#terms-of-use-for-the-stack-v2", STACK_GATE
)
_STACK_V3 = Terms("The Stack v3", "https://huggingface.co/datasets/HuggingFaceCode/stack-v3-train")
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
