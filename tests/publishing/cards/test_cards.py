"""The card as the Hub will show it, and untrusted text in it."""

from __future__ import annotations

import difflib
import functools
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from hf_oss_instruct.data import Row
from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.publishing.cards.dataset_card import curated_card, dataset_card
from hf_oss_instruct.publishing.cards.loss_curve import loss_curve
from hf_oss_instruct.publishing.cards.model_card import License, model_card
from hf_oss_instruct.publishing.cards.terms import terms_of
from hf_oss_instruct.publishing.hub import Push, check
from hf_oss_instruct.publishing.scores import with_scores
from hf_oss_instruct.schemas import SCHEMA, VERIFICATION_COLUMNS
from hf_oss_instruct.synthesis.verifying.stats import VerificationStats

SNAPSHOTS = Path(__file__).parents[3] / "model_cards"


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
                    {"name": "humaneval", "revision": "7dce6050a7d6", "tasks": 164, "patterns": 328, "status": "done"},
                    {
                        "name": "apps",
                        "revision": "21e74ddf8de1",
                        "tasks": 0,
                        "patterns": 0,
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


def training_facts(**changes: Any) -> dict[str, Any]:
    """What `train` leaves in `training.json`, of a run on two sets."""
    source = {"path": "me/pairs", "name": "sft", "data_dir": None, "data_files": None, "split": "train", "fraction": None}
    hub = {"id": "me/pairs", "revision": "7c1d93a2b0e4f5867c1d93a2b0e4f5867c1d93a2"}
    recipe = {"model_name_or_path": "them/base-1b", "dataset_name": "me/pairs", "max_length": 1216, "learning_rate": 5e-05}
    return {
        "format_version": 1,
        "base_model": "them/base-1b",
        "base": {"id": "them/base-1b", "revision": "0f3b5f9a0f3b5f9a0f3b5f9a0f3b5f9a0f3b5f9a"},
        "template": {"name": "magicoder", "stop": "<|endoftext|>"},
        "recipe": recipe,
        "arguments": {},
        "data": [
            {
                "source": source,
                "hub": hub,
                "revision": hub["revision"],
                "counts": {"kept": 1950, "too_long": 7},
                "drawn": None,
                "unchecked": None,
            }
        ],
        "versions": {"python": "3.11.7", "hf-oss-instruct": "0.1.0", "trl": "1.16.0", "torch": "2.13.0"},
        "scores": [],
        "steps": 122,
        "tokens_seen": 1_400_000,
        "losses": [[1, 1.41], [61, 0.82], [122, 0.73]],
    } | changes


def adapter_facts() -> dict[str, Any]:
    """The same of adapters, on a set of this machine that nobody checked, with scores taken while it trained."""
    whole = training_facts()
    part = whole["data"][0] | {"hub": None, "revision": None, "unchecked": "it has no run.json"}
    part["source"] = part["source"] | {"path": "rows"}
    figures = {"score/pass@1": 0.31, "score/low": 0.24, "score/high": 0.39, "score/parse_rate": 0.99, "score/stop_rate": 0.97}
    recipe = whole["recipe"] | {"use_peft": True, "lora_r": 16}
    return training_facts(data=[part], recipe=recipe, scores=[figures | {"step": 122, "score/tasks": 164}])


def verified_report() -> dict[str, Any]:
    """The same run with its pairs verified: four that passed, one each that failed, is vacuous, or cannot be run here."""
    stats = VerificationStats()
    empty = dict.fromkeys(VERIFICATION_COLUMNS) | {"sandbox": "bubblewrap"}
    passed = empty | {
        "execution_status": "passed",
        "solutions": [{"status": "failed"}, {"status": "passed"}],
        "test_results": [True, True, True],
        "test_marks": ["", "weak", "repeated"],
        "mutation_score": 0.75,
        "flaky": 0,
        "reruns": 2,
    }
    for language, toolchain in (
        ("python", "Python 3.11.2"),
        ("python", "Python 3.11.2"),
        ("go", "go1.24"),
        ("cpp", "g++ 12.2.0"),
    ):
        stats.count(passed | {"toolchain": toolchain}, language, "")
    stats.count(empty | {"execution_status": "tests_failed", "solutions": [{"status": "failed"}]}, "go", "")
    stats.count(passed | {"execution_status": "tests_vacuous", "mutation_score": 0.0}, "python", "")
    stats.count(empty | {"execution_status": "not_verifiable"}, "python", "third_party")
    counts = {"requested": 7, "kept": 4, "rejected": {"tests_failed": 1, "tests_vacuous": 1, "not_verifiable": 1}}
    execution = {"name": "execution", "version": 1, "status": "done"}
    return (
        facts()["report"]
        | counts
        | {
            "checks": [*facts()["report"]["checks"], execution],
            "sandbox": "bubblewrap",
            "preferences": 3,
            "verification": stats.report(4),
        }
    )


SCORED = {
    "task": "humaneval_plus",
    "version": "3b2c1d9",
    "source": "evalplus/humanevalplus",
    "problems": 164,
    "samples": 164,
    "facts": {"hf_oss_instruct": "0.1.0", "sandbox": "bubblewrap"},
    "scores": {"plus": {"pass@1": {"mean": 0.597561, "low": 0.521, "high": 0.6694, "problems": 164}}},
}


@functools.cache
def rendered() -> dict[str, str]:
    """Every snapshot, made anew: what stands in `model_cards/` and, so, on the Hub."""
    license = License("apache-2.0", source="the card of them/base-1b")
    model = model_card("my-model", training_facts(), repo_id="me/my-model", license=license)
    curated = facts()["report"] | {"source": "rows.parquet", "columns": ["instruction", "response"]}
    stack = facts(repo_id="me/my-pairs", terms=terms_of("bigcode/the-stack-v2-dedup"), recipes=["magicoder", "lora"])
    stack["config"]["seeds"]["dataset"] = "bigcode/the-stack-v2-dedup"
    return {
        "curated.md": curated_card("rows", curated),
        "dataset.md": dataset_card(**facts()),
        "dataset_of_the_stack.md": dataset_card(**stack),
        "dataset_verified.md": dataset_card(**facts(report=verified_report())),
        "model.md": with_scores(model, [SCORED], "me/my-model"),
        "model.svg": loss_curve(training_facts()["losses"]),
        "adapters.md": model_card("my-adapters", adapter_facts(), repo_id="me/my-adapters", license=license),
        "model_of_a_folder.md": model_card("out", training_facts(base=None, base_model="base")),
    }


@pytest.mark.parametrize("name", sorted(rendered()))
def test_cards_are_the_committed_snapshots(name: str) -> None:
    fresh, committed = rendered()[name], (SNAPSHOTS / name).read_text("utf-8")
    difference = "".join(difflib.unified_diff(committed.splitlines(True), fresh.splitlines(True), name, "rendered now"))
    assert not difference, f"{difference}\nIf this is what the Hub shall show: make cards"


def test_no_snapshot_is_left_over() -> None:
    assert {path.name for path in SNAPSHOTS.iterdir()} == set(rendered())


@pytest.mark.parametrize("name", [name for name in sorted(rendered()) if name.endswith(".md") and name != "curated.md"])
def test_every_card_says_what_the_hub_asks_for(name: str) -> None:
    repo_type, card = ("dataset" if name.startswith("dataset") else "model"), rendered()[name]
    if name == "model_of_a_folder.md":
        with pytest.raises(PublishError, match="lacks license"):
            check(Push(repo_type, "", {"README.md": card.encode()}))
    else:
        check(Push(repo_type, "", {"README.md": card.encode()}))


def test_front_matter_is_yaml_that_names_the_three_configs() -> None:
    _, front, _ = dataset_card(**facts()).split("---\n", 2)
    matter = yaml.safe_load(front)
    assert [config["config_name"] for config in matter["configs"]] == ["default", "sft", "rejected"]
    assert matter["size_categories"] == ["1K<n<10K"]


def test_a_card_of_mined_pairs_opens_with_a_warning() -> None:
    report = facts()["report"] | {"teacher": "comment-function/2"}
    card = dataset_card(**facts(report=report))
    assert card.index("Generated without a model") < card.index("1,957 pairs")
    for other in (facts()["report"]["teacher"], "comment-function-7b"):  # a name that only begins like it
        report = facts()["report"] | {"teacher": other}
        assert "Generated without a model" not in dataset_card(**facts(report=report))


def test_a_card_of_extracted_pairs_mentions_no_requests_and_no_terms_of_a_teacher() -> None:
    none = {"teacher": "comment-function/2", "requests_sent": 0, "tokens": {"prompt": 0, "completion": 0}}
    card = dataset_card(**facts(report=facts()["report"] | none))
    assert "Requests sent" not in card
    assert "govern the use of its answers" not in card
    assert "Problems and solutions were extracted from the same code" in card
    assert "Requests sent: 600." in dataset_card(**facts(report=facts()["report"] | none | {"requests_sent": 600}))  # for tests


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


def refresh() -> None:
    """Write the snapshots anew; `git diff model_cards` then shows what changes on the Hub."""
    for name, text in rendered().items():
        (SNAPSHOTS / name).write_text(text, "utf-8")


if __name__ == "__main__":
    refresh()
