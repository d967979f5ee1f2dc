"""The test Hub refuses what the real Hub refuses: each refusal provoked by a raw HTTP request."""

from __future__ import annotations

import base64
import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from tests.support.hub import LocalHub

WRITE, READ = "hf_writer", "hf_reader"


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(tokens={WRITE: "write", READ: "read"}) as hub:
        hub.put("me/set", "README.md", b"# hello\n")
        yield hub


def ask(hub: LocalHub, method: str, path: str, body: Any = None, token: str | None = WRITE) -> tuple[int, str]:
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(hub.endpoint + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def commit(hub: LocalHub, *entries: tuple[str, dict[str, Any]], query: str = "", token: str | None = WRITE) -> tuple[int, str]:
    lines = [json.dumps({"key": key, "value": value}) for key, value in entries]
    return ask(hub, "POST", f"/api/datasets/me/set/commit/main{query}", "\n".join(lines).encode(), token)


def file(path: str, content: bytes) -> tuple[str, dict[str, Any]]:
    return "file", {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}


HEADER = ("header", {"summary": "a change", "description": ""})


def test_a_commit_takes_everything_or_nothing(hub: LocalHub) -> None:
    before = hub.files("me/set")
    missing = ("lfsFile", {"path": "data/a.parquet", "algo": "sha256", "oid": "0" * 64, "size": 3})
    status, said = commit(hub, HEADER, file("a.txt", b"a"), missing)
    assert (status, "never uploaded" in said) == (400, True)
    assert hub.files("me/set") == before
    assert commit(hub, HEADER, file("a.txt", b"a"))[0] == 200
    assert hub.files("me/set") == before | {"a.txt": b"a"}
    assert hub.messages("me/set") == ["a change"]
    assert commit(hub, HEADER, ("deletedFile", {"path": "a.txt"}))[0] == 200
    assert hub.files("me/set") == before


def test_a_stale_parent_is_refused(hub: LocalHub) -> None:
    old = hub.revision("me/set")
    hub.put("me/set", "other.txt", b"somebody else")
    stale = ("header", {"summary": "mine", "description": "", "parentCommit": old})
    status, said = commit(hub, stale, file("a.txt", b"a"))
    assert (status, "A commit has happened since" in said) == (412, True)
    assert "a.txt" not in hub.files("me/set")


@pytest.mark.parametrize("card", [b"---\na: [\n---\n", b"---\n- a list\n---\n", b"---\nlicense: Not A Licence\n---\n"])
def test_an_invalid_card_is_refused(hub: LocalHub, card: bytes) -> None:
    assert commit(hub, HEADER, file("README.md", card))[0] == 400
    status, said = ask(hub, "POST", "/api/validate-yaml", {"content": card.decode(), "repoType": "dataset"})
    assert (status, len(json.loads(said)["errors"])) == (400, 1)
    assert hub.files("me/set")["README.md"] == b"# hello\n"


def test_tokens_are_looked_at(hub: LocalHub) -> None:
    assert commit(hub, HEADER, file("a.txt", b"a"), token="hf_stranger")[0] == 401
    assert commit(hub, HEADER, file("a.txt", b"a"), token=None)[0] == 401
    assert commit(hub, HEADER, file("a.txt", b"a"), token=READ)[0] == 403
    assert ask(hub, "GET", "/api/whoami-v2", token="hf_stranger")[0] == 401
    assert json.loads(ask(hub, "GET", "/api/whoami-v2", token=READ)[1])["auth"]["accessToken"]["role"] == "read"
    assert ask(hub, "GET", "/api/datasets/me/set", token=None)[0] == 200
    assert ask(hub, "GET", "/api/datasets/me/set", token="hf_stranger")[0] == 401


def test_names_and_revisions_are_looked_at(hub: LocalHub) -> None:
    assert ask(hub, "POST", "/api/repos/create", {"name": "set", "organization": "me", "type": "dataset"})[0] == 409
    assert ask(hub, "POST", "/api/repos/create", {"name": "set", "organization": "me"})[0] == 200  # a model is another repository
    assert ask(hub, "POST", "/api/datasets/me/nothing/commit/main", b"")[0] == 404
    assert ask(hub, "POST", "/api/datasets/me/set/commit/nowhere", b"")[0] == 404
    sha = hub.revision("me/set")
    assert ask(hub, "POST", f"/api/datasets/me/set/commit/{sha}", b"")[0] == 400  # a commit is no branch
    assert ask(hub, "POST", "/api/datasets/me/set/branch/v2", {})[0] == 200
    assert ask(hub, "POST", "/api/datasets/me/set/branch/v2", {})[0] == 409


def test_repositories_of_others_take_pull_requests_alone(hub: LocalHub) -> None:
    hub.put("them/model", "README.md", b"# theirs\n", "model")
    body = "\n".join(json.dumps({"key": key, "value": value}) for key, value in (HEADER, file("a.txt", b"a"))).encode()
    status, said = ask(hub, "POST", "/api/models/them/model/commit/main", body)
    assert (status, "Open a pull request" in said) == (403, True)
    status, said = ask(hub, "POST", "/api/models/them/model/commit/main?create_pr=1", body)
    assert (status, json.loads(said)["pullRequestUrl"]) == (200, f"{hub.endpoint}/them/model/discussions/1")
    assert ask(hub, "POST", "/api/models/them/model/branch/v2", {})[0] == 403
    assert ask(hub, "PUT", "/api/models/them/model/settings", {"gated": "auto"})[0] == 403
    assert ask(hub, "POST", "/api/repos/create", {"name": "other", "organization": "them"})[0] == 403
    assert ask(hub, "POST", "/api/repos/create", {"name": "other", "organization": "club"})[0] == 200
    assert hub.files("them/model", repo_type="model") == {"README.md": b"# theirs\n"}


def test_a_file_over_the_limit_is_refused_before_it_travels(hub: LocalHub) -> None:
    asked = {"files": [{"path": "a.bin", "sample": "", "size": 500 * 10**9 + 1}]}
    status, said = ask(hub, "POST", "/api/datasets/me/set/preupload/main", asked)
    assert (status, "500000000000 bytes at most" in said) == (400, True)


def test_access_can_be_asked_for(hub: LocalHub) -> None:
    assert json.loads(ask(hub, "GET", "/api/datasets/me/set")[1])["gated"] is False
    assert ask(hub, "PUT", "/api/datasets/me/set/settings", {"gated": "sometimes"})[0] == 400
    assert ask(hub, "PUT", "/api/datasets/me/set/settings", {"gated": "auto"}, token=READ)[0] == 403
    assert ask(hub, "PUT", "/api/datasets/me/set/settings", {"gated": "auto"})[0] == 200
    assert json.loads(ask(hub, "GET", "/api/datasets/me/set")[1])["gated"] == "auto"


def test_evaluation_results_are_told_and_broken_ones_by_name(hub: LocalHub) -> None:
    hub.put("me/model", ".eval_results/good.yaml", b"- dataset: {id: them/bench, task_id: x}\n  value: 3\n", "model")
    hub.put("me/model", ".eval_results/bad.yaml", b"- dataset: {id: them/bench}\n  value: 3\n", "model")
    hub.put("me/model", ".eval_results/worse.yaml", b"- [", "model")
    results = json.loads(ask(hub, "GET", "/api/models/me/model")[1])["evalResults"]
    assert [one["filename"] for one in results if "error" in one] == [".eval_results/bad.yaml", ".eval_results/worse.yaml"]
    assert [one["data"]["value"] for one in results if "data" in one] == [3]


def test_an_upload_must_be_what_its_name_says(hub: LocalHub) -> None:
    oid = hashlib.sha256(b"whole").hexdigest()
    assert ask(hub, "PUT", f"/datasets/me/set.git/info/lfs/{oid}", b"torn")[0] == 400
    assert ask(hub, "PUT", f"/datasets/me/set.git/info/lfs/{oid}?signature=forged", b"whole", token=None)[0] == 401
    _, said = ask(hub, "POST", "/datasets/me/set.git/info/lfs/objects/batch", {"objects": [{"oid": oid, "size": 5}]})
    place = json.loads(said)["objects"][0]["actions"]["upload"]["href"].removeprefix(hub.endpoint)
    assert ask(hub, "PUT", place, b"whole", token=None)[0] == 200
    _, said = ask(hub, "POST", "/datasets/me/set.git/info/lfs/objects/batch", {"objects": [{"oid": oid, "size": 5}]})
    [known] = json.loads(said)["objects"]
    assert "actions" not in known  # there already: a second try uploads only what is missing


def test_official_clients_commit_and_open_pull_requests(hub: LocalHub) -> None:
    api = HfApi(endpoint=hub.endpoint, token=WRITE)
    done = api.create_commit(
        "me/set",
        [CommitOperationAdd("data/a.parquet", b"PAR1"), CommitOperationAdd("note.txt", b"hi")],
        commit_message="two",
        repo_type="dataset",
    )
    assert done.oid == hub.revision("me/set")
    assert hub.files("me/set")["data/a.parquet"] == b"PAR1"
    request = api.create_commit(
        "me/set", [CommitOperationAdd("b.txt", b"b")], commit_message="please", repo_type="dataset", create_pr=True
    )
    assert request.pr_url
    assert "b.txt" not in hub.files("me/set")
    assert hub.files("me/set", "refs/pr/1")["b.txt"] == b"b"


def test_it_fails_on_purpose(hub: LocalHub) -> None:
    hub.break_next("GET", "/api/datasets", status=503, times=2)
    assert [ask(hub, "GET", "/api/datasets/me/set")[0] for _ in range(3)] == [503, 503, 200]
