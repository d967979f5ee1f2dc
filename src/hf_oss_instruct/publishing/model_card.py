"""Facts of a training run to a card: what the Hub page of a model says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from hf_oss_instruct.display import markdown, one_line


def model_card(name: str, facts: Mapping[str, Any]) -> str:
    """The README.md of a model.

    Args:
        name: name of the model.
        facts: the contents of `training.json`.
    """
    environment = Environment(
        loader=PackageLoader("hf_oss_instruct.publishing"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"markdown": markdown}
    return environment.get_template("model_card.md").render(
        front_matter=yaml.safe_dump(_front_matter(name, facts), sort_keys=False, allow_unicode=True).strip(),
        name=name,
        facts=facts,
        recipe=yaml.safe_dump(dict(facts["recipe"]), sort_keys=False, allow_unicode=True).strip(),
    )


def _front_matter(name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    base, sets = facts["base_model"], [part["source"]["path"] for part in facts["data"]]
    known = {"base_model": base} if not Path(base).exists() else {}  # the Hub knows no folder of ours
    published = [path for path in sets if "/" in path and not Path(path).exists()]
    return {
        "model_name": one_line(name, 80),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        **known,
        **({"datasets": published} if published else {}),
        "tags": ["code", "oss-instruct", "sft", "trl"],
    }
