"""Facts to a card: what the Hub page of a data set says."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from hf_oss_instruct.data import Row
from hf_oss_instruct.display import fenced, markdown, one_line
from hf_oss_instruct.languages import find

EMBEDDED = "comment-function"
SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
CONFIGS = {"default": "data", "sft": "sft", "rejected": "rejected"}
"""Config name → folder of its parquet files. A config without rows is left out: `datasets` cannot read an empty split."""


def dataset_card(
    *,
    name: str,
    report: dict[str, Any],
    config: dict[str, Any],
    prompt: str,
    languages: dict[str, int],
    licenses: dict[str, int],
    samples: list[Row],
) -> str:
    """The README.md of a data set: front matter that `load_dataset` reads, then what a reader wants to know.

    Args:
        name: name of the data set.
        report: the contents of `run.json`.
        config: the contents of `oss_instruct.yaml`.
        prompt: the prompt template in full.
        languages: language → kept rows.
        licenses: licence of the seeds, in the source's words → kept rows.
        samples: rows to show.
    """
    return (
        _environment()
        .get_template("dataset_card.md")
        .render(
            front_matter=yaml.safe_dump(_front_matter(name, report, config), sort_keys=False, allow_unicode=True).strip(),
            name=name,
            report=report,
            config=config,
            config_yaml=yaml.safe_dump(config, sort_keys=False, allow_unicode=True).strip(),
            prompt=prompt,
            languages={getattr(find(lang), "title", lang): count for lang, count in languages.items()},
            licenses=licenses,
            samples=samples,
            embedded=report["teacher"].startswith(EMBEDDED),
        )
    )


def curated_card(name: str, report: dict[str, Any]) -> str:
    """The README.md of a curated data set.

    Args:
        name: name of the data set.
        report: the contents of its `run.json`.
    """
    front = {
        "pretty_name": one_line(name, 80),
        "license": "other",
        "tags": ["code", "oss-instruct", "curated", "datasets"],
        "configs": _configs(report),
    }
    text = yaml.safe_dump(front, sort_keys=False, allow_unicode=True).strip()
    return _environment().get_template("curated_card.md").render(front_matter=text, name=name, report=report)


def _front_matter(name: str, report: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    source = config["seeds"]["dataset"]
    size = next((tag for bound, tag in SIZES if report["kept"] < bound), "n>10M")
    return {
        "pretty_name": one_line(name, 80),
        "language": ["en"],
        "license": "other",
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "size_categories": [size],
        "source_datasets": [source] if "/" in source else ["original"],
        "task_categories": ["text-generation"],
        "tags": ["code", "synthetic", "oss-instruct", "instruction-tuning", "datasets"],
        "configs": _configs(report),
    }


def _configs(report: dict[str, Any]) -> list[dict[str, Any]]:
    counts = {"rejected": len(report["rejected"]), "sft": report.get("pairs", report["kept"])}
    return [
        {"config_name": config_name, "data_files": [{"split": "train", "path": f"{folder}/train-*.parquet"}]}
        | ({"default": True} if config_name == "default" else {})
        for config_name, folder in CONFIGS.items()
        if counts.get(config_name, report["kept"])
    ]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("hf_oss_instruct.publishing"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"fenced": fenced, "markdown": lambda value: markdown(str(value)), "number": "{:,}".format}
    return environment
