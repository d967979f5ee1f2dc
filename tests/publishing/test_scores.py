"""Scores on a model's page: put there beside what stands there, read back by the official client, proposed to others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import HfApi, ModelCard

from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.evaluation.scoring.run import score
from hf_oss_instruct.publishing import hub as publishing
from hf_oss_instruct.publishing.cards.model_card import License, model_card
from hf_oss_instruct.publishing.scores import scores_push
from tests.evaluation import toys
from tests.publishing.cards.test_cards import training_facts
from tests.publishing.conftest import READ, WRITE, command
from tests.support.hub import LocalHub

THEIRS = """---
license: apache-2.0
tags:
- code
- theirs
model-index:
- name: theirs
  results:
  - task:
      type: text-generation
    dataset:
      name: MBPP
      type: google-research-datasets/mbpp
    metrics:
    - type: pass@1
      value: 0.5
---

# Their model

A text with `---` in it.

---
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `score --out` leaves: two of three small problems are solved."""
    folder = tmp_path_factory.mktemp("scored")
    toys.plus(folder / "data")
    wrong = {"task_id": "HumanEval/900", "completion": "    return 7\n"}
    samples = toys.write_lines(folder / "samples.jsonl", [wrong, *toys.canonical()[1:]])
    score("humaneval_plus", samples, data=folder / "data", out=folder / "results")
    return folder / "results"


def publish(hub: LocalHub, folder: Path, to: str = "me/model", create_pr: bool = False, **options: Any) -> Any:
    push = scores_push(folder, to, endpoint=hub.endpoint, token=WRITE, **options)
    return publishing.publish(push, to, endpoint=hub.endpoint, token=WRITE, create_pr=create_pr)


def card_of(hub: LocalHub, name: str = "me/model") -> str:
    return hub.files(name, repo_type="model")["README.md"].decode()


def test_scores_are_read_back_by_the_official_client(hub: LocalHub, results: Path) -> None:
    hub.put("me/model", "README.md", b"---\nlicense: mit\n---\n# A model\n", "model")
    publish(hub, results, benchmark="them/bench:humaneval_plus")
    (entry,) = HfApi(endpoint=hub.endpoint).model_info("me/model", expand=["evalResults"]).eval_results
    assert (entry.dataset_id, entry.task_id, entry.value) == ("them/bench", "humaneval_plus", 66.67)
    assert "95 %" in entry.notes
    found = {one.metric_name: one for one in ModelCard(card_of(hub)).data.eval_results}
    assert set(found) == {"pass@1 (base)", "pass@1 (plus)"}
    plus = found["pass@1 (plus)"]
    assert plus.metric_value == pytest.approx(2 / 3, abs=1e-6)
    low, high = plus.metric_args["interval_95"]
    assert low < 2 / 3 < high
    assert plus.metric_args["problems"] == plus.metric_args["of"] == 3
    assert "in the sandbox" in plus.metric_args["how"]
    assert (plus.dataset_name, plus.dataset_type) == ("HumanEval+", "HumanEvalPlus.jsonl")


def test_everything_else_of_a_card_stays(hub: LocalHub, results: Path) -> None:
    hub.put("me/model", "README.md", THEIRS.encode(), "model")
    publish(hub, results)
    before, after = (yaml.safe_load(card.split("---\n")[1]) for card in (THEIRS, card_of(hub)))
    theirs = before.pop("model-index")[0]["results"][0]
    index = after.pop("model-index")[0]
    assert before == after
    assert index["name"] == "theirs"
    assert index["results"][0] == theirs
    assert len(index["results"]) == 2
    assert card_of(hub).endswith(THEIRS.split("---\n", 2)[2])


def test_our_card_shows_them_in_its_table_and_again_is_nothing_new(hub: LocalHub, results: Path, tmp_path: Path) -> None:
    card = model_card("model", training_facts(), repo_id="me/model", license=License("mit"))
    hub.put("me/model", "README.md", card.encode(), "model")
    assert "No scores are published yet" in card
    publish(hub, results, benchmark="them/bench:x")
    shown = card_of(hub)
    assert "No scores are published yet" not in shown
    assert "| HumanEval+ | pass@1 (plus) | 66.7 | 20.8–93.9 | 3 of 3 |" in shown
    assert publish(hub, results, benchmark="them/bench:x") is None
    better = tmp_path / "better"
    found = json.loads((results / "results.json").read_text())
    found["scores"]["plus"]["pass@1"] |= {"mean": 1.0, "low": 0.4, "high": 1.0}
    better.mkdir()
    (better / "results.json").write_text(json.dumps(found))
    (better / "verdicts.jsonl").write_text("")
    publish(hub, better)
    assert len(ModelCard(card_of(hub)).data.eval_results) == 2  # replaced, not added
    assert "| HumanEval+ | pass@1 (plus) | 100.0 |" in card_of(hub)
    assert "CHANGELOG.md" not in hub.files("me/model", repo_type="model")


def test_what_evaluate_leaves_is_one_folder_for_each_task(hub: LocalHub, results: Path, tmp_path: Path) -> None:
    hub.put("me/model", "README.md", THEIRS.encode(), "model")
    found = json.loads((results / "results.json").read_text())
    drawn = {"model": "me/model", "revision": "5c1f", "style": "chat", "sampling": {"temperature": 0.8, "n": 20}}
    for task in ("humaneval_plus", "mbpp_plus"):
        (tmp_path / "out" / task).mkdir(parents=True)
        (tmp_path / "out" / task / "results.json").write_text(json.dumps(found | {"task": task, "facts": found["facts"] | drawn}))
        (tmp_path / "out" / task / "verdicts.jsonl").write_text("")
    publish(hub, tmp_path / "out")
    added = ModelCard(card_of(hub)).data.eval_results[1:]
    assert [one.dataset_name for one in added] == ["HumanEval+", "HumanEval+", "MBPP+", "MBPP+"]
    assert "me/model at 5c1f, style chat; temperature 0.8, n = 20;" in added[0].metric_args["how"]
    with pytest.raises(PublishError, match="is for a single task"):
        publish(hub, tmp_path / "out", benchmark="them/bench:x")


def test_a_model_of_others_gets_a_pull_request_or_nothing(hub: LocalHub, results: Path) -> None:
    hub.put("them/model", "README.md", THEIRS.encode(), "model")
    with pytest.raises(PublishError, match=r"belongs to them, and you are me.*--create-pr"):
        publish(hub, results, "them/model")
    assert not [path for method, path, *_ in hub.requests if "/commit/" in path]
    request = publish(hub, results, "them/model", create_pr=True, benchmark="them/bench:x")
    assert request.pr_url == f"{hub.endpoint}/them/model/discussions/1"
    assert hub.files("them/model", repo_type="model") == {"README.md": THEIRS.encode()}
    proposed = hub.files("them/model", "refs/pr/1", "model")
    assert set(proposed) == {"README.md", ".eval_results/humaneval_plus.yaml"}


def test_scores_need_a_model_with_a_card_that_can_be_read(hub: LocalHub, results: Path) -> None:
    hub.put("me/pairs", "README.md", b"# a dataset\n")
    hub.put("me/bare", "config.json", b"{}", "model")
    hub.put("me/broken", "README.md", b"---\nmodel-index: 3\n---\n", "model")
    for name, why in (("me/pairs", "No model found at me/pairs"), ("me/bare", "No card found"), ("me/broken", "cannot be read")):
        with pytest.raises(PublishError, match=why):
            publish(hub, results, name)
    assert not [method for method, *_ in hub.requests if method not in ("GET", "HEAD")]


def test_a_card_that_changed_meanwhile_is_not_overwritten(hub: LocalHub, results: Path) -> None:
    hub.put("me/model", "README.md", THEIRS.encode(), "model")
    push = scores_push(results, "me/model", endpoint=hub.endpoint, token=WRITE)
    hub.put("me/model", "README.md", b"---\nlicense: mit\n---\nanother card\n", "model")
    with pytest.raises(PublishError, match="Somebody committed"):
        publishing.publish(push, "me/model", endpoint=hub.endpoint, token=WRITE)
    assert card_of(hub).endswith("another card\n")


def test_a_branch_is_made_from_main_and_a_hub_that_stumbles_is_asked_again(hub: LocalHub, results: Path) -> None:
    hub.put("me/model", "README.md", THEIRS.encode(), "model")
    for method in ("HEAD", "GET"):
        hub.break_next(method, "/resolve/", 503)
        hub.break_next(method, "/resolve/", 0)
    push = scores_push(results, "me/model", revision="v2", endpoint=hub.endpoint, token=WRITE)
    publishing.publish(push, "me/model", endpoint=hub.endpoint, token=WRITE, revision="v2")
    assert card_of(hub) == THEIRS
    assert "HumanEval+" in hub.files("me/model", "v2", "model")["README.md"].decode()


def test_folders_without_a_score_are_refused(hub: LocalHub, results: Path, tmp_path: Path) -> None:
    def refused(why: str, content: str) -> None:
        (tmp_path / "results.json").write_text(content)
        (tmp_path / "verdicts.jsonl").write_text("")
        with pytest.raises(PublishError, match=why):
            publish(hub, tmp_path)

    found = json.loads((results / "results.json").read_text())
    refused("cannot be read", "{")
    refused("'version' is missing", '{"task": "x"}')
    refused("not a number", json.dumps(found).replace('"mean": ', '"mean": NaN, "was": '))
    refused("mean 2.0", json.dumps(found).replace('"mean": ', '"mean": 2.0, "was": '))
    refused("has no score|'scores'", json.dumps(found | {"scores": [1]}))
    refused("cannot be read", "[" * 100_000)
    refused("more than 64 bits", json.dumps(found | {"problems": 10**30}))
    refused("has no score yet", json.dumps(found | {"pending": True}))
    refused("has no score yet", json.dumps(found | {"scores": {}}))
    with pytest.raises(PublishError, match="has no results"):
        scores_push(tmp_path / "nowhere", "me/model", endpoint=hub.endpoint, token=WRITE)
    hub.put("me/model", "README.md", THEIRS.encode(), "model")
    with pytest.raises(PublishError, match="has no task"):
        publish(hub, results, benchmark="them/bench")


def test_the_command_recognizes_scores(hub: LocalHub, results: Path, tmp_path: Path) -> None:
    hub.put("me/model", "README.md", THEIRS.encode(), "model")
    words = (str(results), "--to", "me/model")
    look = command(hub, tmp_path, *words, "--dry-run")
    assert look.returncode == 0, look.stderr
    assert "Scores: HumanEval+ pass@1 (base) 66.7" in look.stdout
    assert card_of(hub) == THEIRS
    done = command(hub, tmp_path, *words, "--benchmark", "them/bench:x", "--yes")
    assert done.returncode == 0, done.stderr
    assert "HumanEval+" in card_of(hub)
    wrong = command(hub, tmp_path, *words, "--license", "mit", "--yes")
    assert (wrong.returncode, "--license applies to a dataset, an export and a trained model" in wrong.stderr) == (2, True)
    reader = command(hub, tmp_path, *words, "--benchmark", "them/bench:other", "--yes", token=READ)
    assert (reader.returncode, "is read-only" in reader.stderr) == (1, True)
