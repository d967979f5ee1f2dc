"""A run goes to the Hub in one commit, or not at all; what is loaded from there is what was made."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import load_dataset
from huggingface_hub import HfApi

import hf_oss_instruct
from hf_oss_instruct import hub as hub_calls
from hf_oss_instruct.curation.checks import CurationOptions
from hf_oss_instruct.curation.denylist import Denylist
from hf_oss_instruct.curation.run import curate
from hf_oss_instruct.errors import PublishError, UsageError
from hf_oss_instruct.publishing import hub as publishing
from hf_oss_instruct.publishing.dataset import dataset_push
from hf_oss_instruct.publishing.rules import Rules
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.prompts import Prompt
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
from hf_oss_instruct.training.recipes import read_yaml
from tests.publishing.conftest import READ, WRITE, command
from tests.support.hub import LocalHub
from tests.support.progress import Noted
from tests.support.warm import BASE, COMMAND, TRAIN

OPEN = Rules(lambda text, lang: None, lambda licenses: True, allow_unchecked=True)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "pairs"
    run(out, RunSpec(seeds=SeedPlan(n=40, sampler="functions")), open_source("stdlib"), CommentFunctionTeacher())
    return out


def push(folder: Path, **options: Any) -> publishing.Push:
    return dataset_push(folder, options.pop("rules", OPEN), prompt=Prompt.default().text, repo_id="me/pairs", **options)


def publish(hub: LocalHub, folder: Path, **options: Any) -> Any:
    kept = {name: options.pop(name) for name in ("with_seeds", "with_rejected", "rules", "license") if name in options}
    return publishing.publish(push(folder, **kept), "me/pairs", endpoint=hub.endpoint, **{"token": WRITE} | options)


def test_the_function_publishes_what_the_command_would(hub: LocalHub, pairs: Path) -> None:
    options = {"no_seeds": True, "allow_unchecked": True, "allow_any_license": True}
    commit = hf_oss_instruct.publish(pairs, "me/pairs", endpoint=hub.endpoint, token=WRITE, **options)
    assert commit is not None
    assert commit.oid == hub.revision("me/pairs")
    assert hf_oss_instruct.publish(pairs, "me/pairs", endpoint=hub.endpoint, token=WRITE, **options) is None
    with pytest.raises(UsageError, match="--results applies to a trained model"):
        hf_oss_instruct.publish(pairs, "me/pairs", results=[pairs])


def test_a_dry_run_from_python_checks_everything_and_sends_nothing(hub: LocalHub, pairs: Path) -> None:
    with pytest.raises(PublishError, match="Some checks did not run"):
        hf_oss_instruct.publish(pairs, "me/pairs", endpoint=hub.endpoint, dry_run=True)
    options = {"allow_unchecked": True, "allow_any_license": True}
    assert hf_oss_instruct.publish(pairs, "me/pairs", endpoint=hub.endpoint, dry_run=True, **options) is None
    assert not hub.requests


def test_a_name_is_looked_at_before_a_large_folder_is_scanned(pairs: Path) -> None:
    progress = Noted()
    for to, space in (("noowner", None), ("me/pairs", "noowner")):
        with pytest.raises(PublishError, match="'noowner' has no owner"):
            hf_oss_instruct.publish(pairs, to, space=space, progress=progress)
    assert not progress.stages


LOADED = """
import json, sys
from datasets import load_dataset
from huggingface_hub import HfApi
rows = {}
for name in ("default", "sft"):
    rows[name] = list(load_dataset("me/pairs", name, split="train"))
    assert rows[name] == list(load_dataset("me/pairs", name, split="train", streaming=True))
print(json.dumps(rows))
"""


def test_what_is_loaded_from_the_hub_is_what_was_made(hub: LocalHub, pairs: Path, tmp_path: Path) -> None:
    commit = publish(hub, pairs)
    assert commit.oid == hub.revision("me/pairs")
    assert hub.messages("me/pairs") == [push(pairs).summary]
    environment = os.environ | hub.environment(tmp_path / "home")
    done = TRAIN.run(["-c", LOADED], env=environment, check=True)  # a stream imports torch
    there = json.loads(done.stdout.splitlines()[-1])
    for name in ("default", "sft"):
        assert there[name] == list(load_dataset(str(pairs), name, split="train", cache_dir=str(tmp_path / "cache")))
    held = hub.files("me/pairs")
    assert {"README.md", "NOTICE.md", "CHANGELOG.md", "oss_instruct.yaml", "run.json"} <= held.keys()
    assert not [path for path in held if path.startswith(("rejected/", "journal/", "."))] or ".gitattributes" in held
    assert json.loads(held["run.json"])["kept"] == len(there["default"])


def test_an_owner_who_asks_is_left_out_of_the_next_commit(hub: LocalHub, pairs: Path, tmp_path: Path) -> None:
    publish(hub, pairs)
    there, unwanted = tmp_path / "there", pq.read_table(pairs / "data")["file_path"][0].as_py()
    for name, content in hub.files("me/pairs").items():
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_bytes(content)
    deny = tmp_path / "deny.txt"
    deny.write_text(f"path:{unwanted}\n")
    report = curate(str(there), tmp_path / "clean", options=CurationOptions(deny=Denylist.from_file(deny)))
    assert report["rejected"] == {"denied": report["requested"] - report["kept"]}
    publish(hub, tmp_path / "clean")
    held = hub.files("me/pairs")
    (shard,) = (content for name, content in held.items() if name.startswith("data/"))
    assert unwanted not in pq.read_table(pa.BufferReader(shard))["file_path"].to_pylist()
    card = held["README.md"].decode()
    assert f"which kept\n{report['source_counts']['kept']} of 40 seeds" in card
    assert "| rejected: denied |" in card


def test_the_card_says_where_it_lies_and_what_it_holds(hub: LocalHub, pairs: Path) -> None:
    publish(hub, pairs, with_rejected=True, license="apache-2.0")
    card = hub.files("me/pairs")["README.md"].decode()
    values = yaml.safe_load(card.split("---")[1])
    assert values["license"] == "apache-2.0"
    assert [config["config_name"] for config in values["configs"]] == ["default", "sft", "rejected"]
    assert 'load_dataset("me/pairs", split="train")' in card
    assert "PSF-2.0" in hub.files("me/pairs")["NOTICE.md"].decode()


def test_snippets_can_stay_at_home(hub: LocalHub, pairs: Path, tmp_path: Path) -> None:
    publish(hub, pairs, with_seeds=False, with_rejected=True)
    for name in ("data", "rejected"):
        path = tmp_path / f"{name}.parquet"
        path.write_bytes(hub.files("me/pairs")[f"{name}/train-00000-of-00001.parquet"])
        table, whole = pq.read_table(path), pq.read_table(pairs / name)
        assert set(table["seed"].to_pylist()) == {""}
        assert table.schema.names == whole.schema.names
        assert table["file_path"].to_pylist() == whole["file_path"].to_pylist()
    assert "left out" in hub.files("me/pairs")["README.md"].decode()


def test_publishing_again_is_a_revision_with_a_line_or_nothing(hub: LocalHub, pairs: Path, tmp_path: Path) -> None:
    first = publish(hub, pairs)
    assert publish(hub, pairs) is None
    assert hub.revision("me/pairs") == first.oid
    grown = tmp_path / "grown"
    run(grown, RunSpec(seeds=SeedPlan(n=60, sampler="functions")), open_source("stdlib"), CommentFunctionTeacher())
    hub.put("me/pairs", "data/train-00007-of-00008.parquet", b"PAR1 of a larger set")
    hub.put("me/pairs", "images/mine.txt", b"somebody's own file")
    publish(hub, grown)
    held = hub.files("me/pairs")
    assert "data/train-00007-of-00008.parquet" not in held
    assert "images/mine.txt" in held
    lines = [line for line in held["CHANGELOG.md"].decode().splitlines() if line.startswith("- ")]
    assert [line.split(": ", 1)[1] for line in lines] == [push(grown).summary, push(pairs).summary]


def test_a_branch_or_a_pull_request_leaves_main_alone(hub: LocalHub, pairs: Path) -> None:
    hub.put("me/pairs", "README.md", b"# theirs\n")
    request = publish(hub, pairs, create_pr=True)
    assert request.pr_url
    assert "run.json" in hub.files("me/pairs", "refs/pr/1")
    publish(hub, pairs, revision="v2")
    assert "run.json" in hub.files("me/pairs", "v2")
    assert hub.files("me/pairs") == {"README.md": b"# theirs\n"}


def test_a_hub_that_stumbles_is_asked_again(hub: LocalHub, pairs: Path) -> None:
    hub.break_next("POST", "/api/repos/create", 502)
    hub.break_next("POST", "/preupload/", 0)
    hub.break_next("POST", "/commit/", 503, times=2)
    publish(hub, pairs)
    assert "run.json" in hub.files("me/pairs")
    assert len(hub.messages("me/pairs")) == 1


def test_an_upload_that_breaks_leaves_the_repository_as_it_was_and_resumes(hub: LocalHub, pairs: Path) -> None:
    hub.put("me/pairs", "README.md", b"# before\n")
    before = hub.files("me/pairs")
    hub.break_next("POST", "/commit/", 500, times=hub_calls.ATTEMPTS)
    with pytest.raises(PublishError, match="is unchanged"):
        publish(hub, pairs)
    assert hub.files("me/pairs") == before
    sent = sum(method == "PUT" for method, *_ in hub.requests)
    publish(hub, pairs)
    assert sum(method == "PUT" for method, *_ in hub.requests) == sent  # what was uploaded is not uploaded again
    assert "run.json" in hub.files("me/pairs")


def test_somebody_elses_commit_is_not_overwritten(hub: LocalHub, pairs: Path) -> None:
    hub.put("me/pairs", "README.md", b"# before\n")
    hub.break_next("POST", "/commit/", 412)
    with pytest.raises(PublishError, match="Somebody committed"):
        publish(hub, pairs)


def test_tokens_and_names_are_looked_at_before_the_first_byte(hub: LocalHub, pairs: Path) -> None:
    for token, why in ((READ, "is read-only"), ("hf_stranger", "does not know this token")):
        with pytest.raises(PublishError, match=why):
            publish(hub, pairs, token=token)
    for name in ("pairs", "me/pairs/more", "me/..", "-/x y"):
        with pytest.raises(PublishError, match="namespace/name"):
            publishing.publish(push(pairs), name, endpoint=hub.endpoint, token=WRITE)
    assert not [method for method, *_ in hub.requests if method != "GET"]


def test_a_card_that_the_hub_refuses_changes_nothing(hub: LocalHub, pairs: Path) -> None:
    hub.put("me/pairs", "README.md", b"# before\n")
    with pytest.raises(PublishError, match="rejects the card"):
        publish(hub, pairs, license="Not A Licence")
    assert hub.files("me/pairs") == {"README.md": b"# before\n"}


def front_matter(card: str | bytes) -> dict[str, Any]:
    return yaml.safe_load((card if isinstance(card, str) else card.decode()).split("---")[1])


def test_a_card_that_lacks_a_field_and_a_file_too_large_stop_before_anybody_is_asked(
    hub: LocalHub, pairs: Path, tmp_path: Path
) -> None:
    def refused(why: str, **files: Path | bytes) -> None:
        whole = push(pairs)
        with pytest.raises(PublishError, match=why):
            publishing.publish(replace(whole, files=whole.files | files), "me/pairs", endpoint=hub.endpoint, token=WRITE)

    card = push(pairs).card.replace("\nlicense:", "\nlicence:").replace("\ntags:", "\ntag:")
    refused(
        "lacks license, tags",
        **{"README.md": card.replace("\nlicense:", "\nlicence:").replace("\ntags:", "\ntag:").encode()},
    )
    refused("front matter is not valid YAML", **{"README.md": b"---\na: [\n---\n"})
    with (large := tmp_path / "large.parquet").open("wb") as file:
        file.truncate(publishing.FILE_LIMIT + 1)  # a hole: it takes no room
    refused(r"large\.parquet has 500,000,000,001 bytes, and the Hub's limit is 500,000,000,000", **{"data/large.parquet": large})
    many = {f"data/{n}.txt": b"" for n in range(publishing.FOLDER_LIMIT + 1)}
    refused(r"data/ has 10,002 files, and the Hub's limit is 10,000", **many)
    assert not hub.requests


def test_one_name_for_two_things_is_refused(hub: LocalHub, pairs: Path) -> None:
    hub.put("me/pairs", "config.json", b"{}", "model")
    with pytest.raises(PublishError, match=r"me/pairs is a model, and this is a dataset\. Choose another name"):
        publish(hub, pairs)
    assert not [path for method, path, *_ in hub.requests if "/repos/" in path]


def test_a_token_of_which_the_hub_alone_knows_what_it_may_is_left_to_the_hub(pairs: Path) -> None:
    with LocalHub(tokens={"hf_fine": "fineGrained"}) as hub, pytest.raises(PublishError, match="cannot write to club/pairs"):
        publishing.publish(push(pairs), "club/pairs", endpoint=hub.endpoint, token="hf_fine")


def test_names_of_others_are_not_ours_to_create_repo(hub: LocalHub, pairs: Path) -> None:
    for create_pr, why in ((False, "belongs to them, and you are me"), (True, "The dataset them/pairs does not exist")):
        with pytest.raises(PublishError, match=why):
            publishing.publish(push(pairs), "them/pairs", endpoint=hub.endpoint, token=WRITE, create_pr=create_pr)
    publishing.publish(push(pairs), "club/pairs", endpoint=hub.endpoint, token=WRITE)
    assert "run.json" in hub.files("club/pairs")


def test_a_kill_in_the_middle_of_an_upload_leaves_what_was_there(hub: LocalHub, pairs: Path, tmp_path: Path) -> None:
    hub.put("me/pairs", "README.md", b"# before\n")
    hub.hold_next("PUT", "/info/lfs/")
    words = ["publish", str(pairs), "--to", "me/pairs", "--allow-unchecked", "--yes"]
    environment = os.environ | hub.environment(tmp_path) | {"HF_TOKEN": WRITE}
    process = BASE.start([COMMAND, *words], env=environment)
    assert hub.holding.wait(60)
    process.kill()
    assert hub.files("me/pairs") == {"README.md": b"# before\n"}
    done = command(hub, tmp_path, *words[1:])
    assert done.returncode == 0, done.stderr
    assert "run.json" in hub.files("me/pairs")


def test_columns_and_sizes_are_what_datasets_would_say(pairs: Path) -> None:
    from datasets import DatasetInfo, Features
    from datasets.info import DatasetInfosDict
    from huggingface_hub import DatasetCardData

    said = {one["config_name"]: one for one in front_matter(push(pairs, with_rejected=True).card)["dataset_info"]}
    assert set(said) == {"default", "sft", "rejected"}
    for name, folder in (("default", "data"), ("sft", "sft"), ("rejected", "rejected")):
        table, card = pq.read_table(pairs / folder), DatasetCardData()
        DatasetInfosDict({name: DatasetInfo(features=Features.from_arrow_schema(table.schema))}).to_dataset_card_data(card)
        assert said[name]["features"] == card.to_dict()["dataset_info"]["features"]
        assert said[name]["splits"][0]["num_examples"] == len(table)
        assert said[name]["download_size"] == sum(path.stat().st_size for path in (pairs / folder).iterdir())


def test_rows_that_quote_the_stack_carry_its_terms(hub: LocalHub, pairs: Path, tmp_path: Path) -> None:
    stack = Path(shutil.copytree(pairs, tmp_path / "stack"))
    (shard,) = (stack / "data").iterdir()
    table = pq.read_table(shard)
    column = pa.array(["bigcode/the-stack-dedup"] * len(table), pa.string())
    where = table.schema.get_field_index("seed_dataset")
    pq.write_table(table.set_column(where, table.schema.field(where), column), shard)
    prepared = push(stack)
    assert any("the terms of The Stack apply to the snippets" in note and "gated" in note for note in prepared.notes)
    publish(hub, stack)
    front = front_matter(hub.files("me/pairs")["README.md"])
    assert (front["license"], front["license_name"]) == ("other", "the-stack-terms")
    assert "have users agree to them" in front["extra_gated_prompt"]
    assert HfApi(endpoint=hub.endpoint).dataset_info("me/pairs").gated == "auto"
    publish(hub, stack, license="odc-by")
    front = front_matter(hub.files("me/pairs")["README.md"])
    assert (front["license"], "license_name" in front, "extra_gated_prompt" in front) == ("odc-by", False, True)
    without = push(stack, with_seeds=False)
    assert (without.gated, "extra_gated_prompt" in without.card) == (False, False)
    assert not push(pairs).gated


def test_a_licence_that_forbids_it_is_named_before_and_after_it_is_overruled(pairs: Path) -> None:
    forbids = Rules(OPEN.secret_in, lambda licenses: False, allow_unchecked=True, allow_any_license=True)
    assert any("an unknown license or one that forbids it: --no-seeds" in note for note in push(pairs, rules=forbids).notes)


def test_a_partial_run_says_so(pairs: Path, tmp_path: Path) -> None:
    partial = tmp_path / "partial"
    shutil.copytree(pairs, partial)
    report = json.loads((partial / "run.json").read_text())
    (partial / "run.json").write_text(json.dumps(report | {"requested": 50, "pending": 10}))
    prepared = push(partial)
    assert "**Partial.** 10 of 50" in prepared.card
    assert "10 of 50 seeds pending" in prepared.summary
    assert any("partial" in note for note in prepared.notes)


def test_rules_stop_it(pairs: Path) -> None:
    def refused(why: str, **changes: Any) -> None:
        rules = {"secret_in": OPEN.secret_in, "may_be_shown": OPEN.may_be_shown, "allow_unchecked": True} | changes
        with pytest.raises(PublishError, match=why):
            push(pairs, rules=Rules(**rules))

    refused(r"secrets: data/train-\S+, row 0, lang: a key", secret_in=lambda text, lang: "a key")
    refused("license is unknown", may_be_shown=lambda licenses: False)
    refused("Some checks did not run: decontamination", allow_unchecked=False)
    push(pairs, rules=Rules(OPEN.secret_in, lambda licenses: False, allow_unchecked=True), with_seeds=False)
    push(pairs, rules=Rules(OPEN.secret_in, lambda licenses: False, allow_unchecked=True, allow_any_license=True))


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, pairs: Path) -> None:
    with pytest.raises(PublishError, match="is not a run"):
        push(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "oss_instruct.yaml").write_text("seeds: {}\n")
    with pytest.raises(PublishError, match="cannot be read"):
        push(tmp_path)


# The command


def test_the_command_shows_asks_and_publishes(hub: LocalHub, pairs: Path, tmp_path: Path) -> None:
    words = [str(pairs), "--to", "me/pairs"]
    unchecked = command(hub, tmp_path, *words, "--dry-run")
    assert (unchecked.returncode, "Some checks did not run" in unchecked.stderr) == (1, True)
    shown = command(hub, tmp_path, *words, "--allow-unchecked", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert "data/train-00000-of-00001.parquet" in shown.stdout
    nobody = command(hub, tmp_path, *words, "--allow-unchecked")
    assert (nobody.returncode, "No terminal to ask for confirmation" in nobody.stderr) == (2, True)
    assert not hub.requests
    done = command(hub, tmp_path, *words, "--allow-unchecked", "--yes")
    assert done.returncode == 0, done.stderr
    assert "Published me/pairs → http" in done.stdout
    held = hub.files("me/pairs")
    assert "run.json" in held
    _, front, text = held["README.md"].decode().split("---\n", 2)
    heading, *card = shown.stdout[shown.stdout.index("── card") :].splitlines()
    assert heading == f"── card, after {len(front.splitlines()) + 2} lines of front matter"
    lines = text.strip("\n").splitlines()
    assert card == [*lines[:60], f"… ({len(lines) - 60} more lines)"]
    recipe = tmp_path / "recipe.yaml"
    recipe.write_bytes(held["recipes/magicoder.yaml"])
    assert read_yaml(recipe)["dataset_name"] == "me/pairs"  # whose keys TRL knows
    assert "trl sft --config recipes/magicoder.yaml" in held["README.md"].decode()
    again = command(hub, tmp_path, *words, "--allow-unchecked", "--yes")
    assert "is up to date" in again.stdout


def test_the_command_says_what_is_missing(hub: LocalHub, pairs: Path, tmp_path: Path) -> None:
    words = [str(pairs), "--to", "me/pairs", "--allow-unchecked", "--yes"]
    for token, why in ((None, "not logged in"), (READ, "is read-only"), ("hf_stranger", "does not know this token")):
        done = command(hub, tmp_path, *words, token=token)
        assert (done.returncode, why in done.stderr) == (1, True), done.stderr
    assert command(hub, tmp_path, str(tmp_path), "--to", "me/pairs").returncode == 1
    assert not [path for method, path, *_ in hub.requests if method != "GET"]


SECRET = '''def token(service):
    """Return the token {token} that the service named here is to be sent."""
    return service
'''


def test_rows_with_secrets_are_named_and_stay(hub: LocalHub, tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    token = "ghp_" + "a1B2c3D4e5" * 4  # no real one, in the form of one
    (code / "a.py").write_text(SECRET.format(token=token[:40]))
    out = tmp_path / "pairs"
    plan = SeedPlan(n=1, sampler="functions", filters=())
    run(out, RunSpec(seeds=plan), open_source(str(code)), CommentFunctionTeacher())
    done = command(hub, tmp_path / "home", str(out), "--to", "me/pairs", "--allow-unchecked", "--allow-any-license", "--yes")
    assert (done.returncode, "secrets: data/train-00000-of-00001.parquet, row 0, seed: secret" in done.stderr) == (1, True), (
        done.stderr
    )
    assert token[:40] not in done.stderr + done.stdout
    assert not hub.requests
