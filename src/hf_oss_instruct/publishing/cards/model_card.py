"""Render model cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hf_oss_instruct.publishing.cards.dataset_card import environment
from hf_oss_instruct.terminal.display import one_line

CURVE = "loss.svg"
SECRET = ("hub_token", "push_to_hub_token", "env")
"""Keys of a training YAML that may contain tokens: `env` sets environment variables."""


@dataclass(frozen=True)
class License:
    """The license of a model.

    Attributes:
        id: the Hub's identifier.
        name, link: name and URL of a license without an identifier, whose id is `other`.
        source: the source of this information.
    """

    id: str
    name: str | None = None
    link: str | None = None
    source: str = "its publisher"

    @property
    def title(self) -> str:
        """The name for readers."""
        return self.name or self.id

    @property
    def fields(self) -> dict[str, str]:
        """The fields for a card's front matter."""
        fields = {"license": self.id, "license_name": self.name, "license_link": self.link}
        return {name: value for name, value in fields.items() if value}


def model_card(name: str, facts: Mapping[str, Any], *, repo_id: str | None = None, license: License | None = None) -> str:
    """Render the README.md of a model.

    Args:
        name: name of the model.
        facts: the contents of `training.json`.
        repo_id: its repository on the Hub; None for an unpublished folder.
        license: its license; None for an unpublished folder.
    """
    front_matter = _front_matter(name, facts, license)
    return (
        environment()
        .get_template("model_card.md")
        .render(
            front_matter=yaml.safe_dump(front_matter, sort_keys=False, allow_unicode=True).strip(),
            name=name,
            path=repo_id or "PATH_OR_HUB_ID",
            facts=facts,
            license=license,
            adapter=is_adapter(facts),
            unchecked=[part for part in facts["data"] if part["unchecked"]],
            curve=CURVE if len(facts["losses"]) > 1 else None,
            recipe=yaml.safe_dump(without_secrets(facts["recipe"]), sort_keys=False, allow_unicode=True).strip(),
        )
    )


def without_secrets(value: Any) -> Any:
    """Remove keys that may contain tokens, and reduce local paths to their last component."""
    if isinstance(value, Mapping):
        return {key: without_secrets(item) for key, item in value.items() if key not in SECRET}
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if isinstance(value, str) and value.startswith(("/", "./", "../", "~/")):
        return Path(value).name
    return value


def is_adapter(facts: Mapping[str, Any]) -> bool:
    """Whether adapters were trained, not a full model."""
    return bool(facts["recipe"].get("use_peft"))


def _front_matter(name: str, facts: Mapping[str, Any], license: License | None) -> dict[str, Any]:
    adapter, base = is_adapter(facts), facts["base"]
    # Local datasets have no id that the Hub could link to.
    sets = list(dict.fromkeys(part["hub"]["id"] for part in facts["data"] if part["hub"]))
    return {
        "model_name": one_line(name, 80),
        "library_name": "peft" if adapter else "transformers",
        "pipeline_tag": "text-generation",
        "language": ["en"],
        **(license.fields if license else {}),
        **({"base_model": base["id"], "base_model_relation": "adapter" if adapter else "finetune"} if base else {}),
        **({"datasets": sets} if sets else {}),
        "tags": ["code", "oss-instruct", "instruction-tuning", "sft", "trl", "arxiv:2312.02120", *["lora"] * adapter],
    }
