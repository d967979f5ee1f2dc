"""Render dataset cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from hf_oss_instruct.code.languages import title_of
from hf_oss_instruct.data import Row, digest, is_embedded
from hf_oss_instruct.publishing.cards.terms import Terms
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.terminal.display import fenced, markdown, one_line

SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
TAGS = {"evolve": "evol-instruct", "judge": "llm-as-a-judge"}
"""Command → its tag on a card; other commands have `curated`."""
CONFIGS = {"default": "data", "sft": "sft", "preference": "preference", "rejected": "rejected"}
"""Config name → folder of its Parquet files. Configs without rows are left out: `datasets` cannot read an empty split."""


def dataset_card(
    *,
    name: str,
    report: RunReport,
    config: dict[str, Any],
    prompt: str,
    languages: dict[str, int],
    licenses: dict[str, int],
    samples: list[Row],
    repo_id: str | None = None,
    license: str | None = None,
    terms: Terms | None = None,
    configs: list[str] | None = None,
    with_seeds: bool = True,
    recipes: Sequence[str] = (),
    pictures: Mapping[str, str] | None = None,
    space: str | None = None,
    info: list[dict[str, Any]] | None = None,
) -> str:
    """Render the README.md of a dataset, with the front matter that `load_dataset` reads.

    Args:
        name: name of the dataset.
        report: the contents of `run.json`.
        config: the contents of `oss_instruct.yaml`.
        prompt: the full prompt template.
        languages: language → kept rows.
        licenses: license of the seeds, as the source states it → kept rows.
        samples: rows to show.
        repo_id: its repository on the Hub; None for an unpublished folder.
        license: the Hub's identifier of the dataset's license; that of the terms, or `other`, by default.
        terms: the terms of the snippets' source.
        configs: names of the configs to include; by default all that have rows.
        with_seeds: whether rows contain the snippets, or only their location.
        recipes: names of the training recipes in its folder `recipes/`.
        pictures: path in the repository → title of the charts to show.
        space: the Space that shows its rows.
        info: columns and sizes of each config, as `dataset_info` returns them.
    """
    configs_with_rows = _configs_with_rows(report, configs)
    front_matter = _front_matter(name, report, config, _license(license, terms, published=repo_id is not None), configs_with_rows)
    if info := [entry for entry in info or () if entry["config_name"] in configs_with_rows]:
        front_matter["dataset_info"] = info
    return (
        environment()
        .get_template("dataset_card.md")
        .render(
            front_matter=yaml.safe_dump(front_matter, sort_keys=False, allow_unicode=True).strip(),
            name=name,
            report=report,
            config=config,
            config_yaml=yaml.safe_dump(config, sort_keys=False, allow_unicode=True).strip(),
            prompt=prompt,
            languages={title_of(lang): count for lang, count in languages.items()},
            licenses=licenses,
            samples=samples,
            embedded=is_embedded(report["teacher"]),
            path=repo_id or "PATH_OR_HUB_ID",
            published=repo_id is not None,
            held=configs_with_rows,
            with_seeds=with_seeds,
            recipes=recipes,
            pictures=list((pictures or {}).items()),
            space=space,
            terms=terms,
        )
    )


def _license(license: str | None, terms: Terms | None, published: bool) -> dict[str, Any]:
    notice = {"license_name": "of-the-sources", "license_link": "NOTICE.md"} if published else {}
    fields = terms.fields if terms else {"license": "other"} | notice
    if license and license != "other":
        # The gate stays: another license does not end the source's terms.
        fields = {name: value for name, value in fields.items() if name.startswith("extra_")} | {"license": license}
    return fields


def curated_card(name: str, report: RunReport, by: str = "curate") -> str:
    """Render the README.md of a curated or verified dataset.

    Args:
        name: name of the dataset.
        report: the contents of its `run.json`.
        by: the command that wrote it: `curate`, `verify`, `evolve` or `judge`.
    """
    front = {
        "pretty_name": one_line(name, 80),
        "license": "other",
        "size_categories": [size_category(report["kept"])],
        "task_categories": ["text-generation"],
        "tags": ["code", "oss-instruct", TAGS.get(by, "curated"), "datasets"],
        "configs": _configs(_configs_with_rows(report), report),
    }
    text = yaml.safe_dump(front, sort_keys=False, allow_unicode=True).strip()
    return environment().get_template("curated_card.md").render(front_matter=text, name=name, report=report, by=by)


def _front_matter(
    name: str, report: RunReport, config: dict[str, Any], license: dict[str, Any], configs_with_rows: list[str]
) -> dict[str, Any]:
    source = config["seeds"]["dataset"]
    return {
        "pretty_name": one_line(name, 80),
        "language": ["en"],
        **license,
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "size_categories": [size_category(report["kept"])],
        # The Hub's values are ids of datasets and `original`.
        "source_datasets": [source] if "/" in source else ["original"],
        "task_categories": ["text-generation"],
        "tags": ["code", "synthetic", "oss-instruct", "instruction-tuning", "datasets"],
        "configs": _configs(configs_with_rows, report),
    }


def size_category(rows: int) -> str:
    """The Hub's category of a dataset with this many rows."""
    return next((tag for bound, tag in SIZES if rows < bound), "10M<n<100M")


def _configs_with_rows(report: RunReport, names: list[str] | None = None) -> list[str]:
    """The configs, among those named, that have rows."""
    counts = {
        "rejected": len(report["rejected"]),
        "sft": report.get("pairs", report["kept"]),
        "preference": report.get("preferences", 0),
    }
    return [name for name in names or CONFIGS if counts.get(name, report["kept"])]


def _configs(configs_with_rows: list[str], report: RunReport) -> list[dict[str, Any]]:
    """The configs' files, each with a description that identifies the state of the folder.

    The cache of `datasets` 5.2 identifies a local folder by its last path component and its card. Without the state, it would
    return the rows of an earlier state, or of another folder with the same name.
    """
    names = ("config_hash", "teacher", "source", "columns", "kept", "rejected", "tokens")
    state = digest(*(report.get(name) for name in names), *([report["verification"]] if "verification" in report else []))
    return [
        {
            "config_name": name,
            "description": f"state {state[:16]}",
            "data_files": [{"split": "train", "path": f"{CONFIGS[name]}/train-*.parquet"}],
        }
        | ({"default": True} if name == "default" else {})
        for name in configs_with_rows
    ]


@cache
def environment() -> Environment:
    """The Jinja environment for `templates/`, with filters that show untrusted text as text."""
    made = Environment(
        loader=PackageLoader(__package__),
        # A missing value is an error, not an empty place on a published card.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "fenced": fenced,
        # Inline code cannot escape a backtick.
        "inline": lambda value: f"`{one_line(str(value)).replace('`', chr(39))}`",
        "markdown": lambda value: markdown(str(value)),
        "number": "{:,}".format,
    }
    return made
