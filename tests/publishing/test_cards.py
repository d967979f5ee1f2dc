"""The card as the Hub will show it, and text of strangers in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt

from hf_oss_instruct.data import SCHEMA, Row
from hf_oss_instruct.publishing.cards import dataset_card

SNAPSHOT = Path(__file__).parents[2] / "model_cards" / "dataset.md"


def facts(**changes: Any) -> dict[str, Any]:
    row = dict.fromkeys(SCHEMA.names) | {
        "lang": "python",
        "seed": "def mean(values):\n    return sum(values) / len(values)",
        "problem": "Write a function that returns the mean of a list of numbers.",
        "solution": "```python\ndef mean(values):\n    return sum(values) / len(values)\n```",
        "seed_dataset": "my_code",
        "file_path": "statistics/mean.py",
        "start_line": 3,
        "end_line": 4,
    }
    report = {
        "kept": 1957,
        "requested": 2000,
        "pending": 0,
        "rejected": {"duplicate": 40, "truncated": 3},
        "requests_sent": 2011,
        "tokens": {"prompt": 800_000, "completion": 1_120_000},
        "started": "2026-01-01T00:00:00+00:00",
        "versions": {"hf-oss-instruct": "0.1.0"},
        "teacher": "openai-compatible:my-model",
        "prompt_hash": "0123456789abcdef0123456789abcdef",
        "checks": [
            {"name": "duplicates", "version": 1, "status": "done"},
            {
                "name": "decontamination",
                "version": 1,
                "status": "not_done",
                "why": "checked against humaneval, not against apps: the Hub cannot be reached: [Errno 111]",
                "rule": "default",
                "policy": "drop",
                "lists": [
                    {"name": "humaneval", "revision": "7dce6050a7d6", "tasks": 164, "needles": 328, "status": "done"},
                    {
                        "name": "apps",
                        "revision": "21e74ddf8de1",
                        "tasks": 0,
                        "needles": 0,
                        "status": "not_done",
                        "why": "the Hub cannot be reached: [Errno 111]",
                    },
                ],
            },
        ],
    }
    config = {
        "version": 1,
        "seeds": {"dataset": "my_code", "revision": "5c1f", "n": 2000, "sampler": "hash", "rng_seed": 0},
        "sampling": {"temperature": 0.0, "top_p": None, "max_tokens": 2500},
    }
    return {
        "name": "my-pairs",
        "report": report,
        "config": config,
        "prompt": "Invent a problem from this:\n{code}",
        "languages": {"python": 1900, "rust": 57},
        "licenses": {"MIT": 1900, "not stated": 57},
        "samples": [Row(**row)],  # type: ignore[typeddict-item]
    } | changes


def test_the_card_is_the_committed_snapshot() -> None:
    assert dataset_card(**facts()) == SNAPSHOT.read_text()


def test_front_matter_is_yaml_that_names_the_three_configs() -> None:
    _, front, _ = dataset_card(**facts()).split("---\n", 2)
    matter = yaml.safe_load(front)
    assert [config["config_name"] for config in matter["configs"]] == ["default", "sft", "rejected"]
    assert matter["size_categories"] == ["1K<n<10K"]


def test_a_card_of_mined_pairs_opens_with_a_warning() -> None:
    report = facts()["report"] | {"teacher": "comment-function/1"}
    card = dataset_card(**facts(report=report))
    assert card.index("Made without a model") < card.index("1,957 pairs")
    assert "Made without a model" not in dataset_card(**facts())


def test_text_of_strangers_stays_text() -> None:
    evil = "x\n---\n# Owned ````\n<script>alert(1)</script> [click](http://evil) \x1b[31m | ```\n```\n<img src=x>"
    row = facts()["samples"][0] | {"seed": evil, "problem": evil, "solution": evil, "file_path": evil, "repo_name": evil}
    config = facts()["config"]
    config["seeds"] |= {"dataset": evil, "revision": evil}
    report = facts()["report"] | {"teacher": evil, "rejected": {evil: 1}}
    card = dataset_card(
        **facts(name=evil, samples=[row], config=config, report=report, prompt=evil, languages={evil: 1}, licenses={evil: 1})
    )
    assert "\x1b" not in card
    _, front, body = card.split("\n---\n", 2) if card.startswith("\n") else ("", *card[4:].split("\n---\n", 1))
    assert yaml.safe_load(front)["pretty_name"].startswith("x --- # Owned")
    assert yaml.safe_load(front)["license"] == "other"
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(body)
    inline = [child for token in tokens for child in token.children or ()]
    assert not [token for token in [*tokens, *inline] if token.type.startswith("html")]
    assert not [token for token in inline if token.type == "link_open" and "evil" in str(token.attrs)]
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    assert not any(heading.startswith("Owned") for heading in headings)
    assert headings[-1] == "Citation"


if __name__ == "__main__":
    SNAPSHOT.write_text(dataset_card(**facts()))
