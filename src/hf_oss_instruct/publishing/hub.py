"""One commit to the Hub, or none: what shall stand there, what stands there now, and putting it there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from hf_oss_instruct.credentials import check_hub
from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.publishing.asking import again, hub_errors

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo, HfApi

CARD, CHANGES = "README.md", "CHANGELOG.md"
TITLES = {"dataset": "data set", "model": "model", "space": "Space"}
FILE_LIMIT = 500 * 10**9
"""Bytes of one file. "500GB is the hard limit for a single file size" (huggingface.co/docs/hub/storage-limits, read 2026-11)."""
FOLDER_LIMIT = 10_000
"""Files of one folder, from the same page."""
FIELDS = {
    "dataset": ("license", "language", "pretty_name", "size_categories", "task_categories", "tags", "configs"),
    "model": ("license", "language", "library_name", "pipeline_tag", "tags"),
}
"""What a card that we write must say."""


@dataclass(frozen=True)
class Push:
    """What shall stand in a repository.

    Attributes:
        repo_type: `dataset` or `model`.
        summary: one line about it, for the commit and the changelog.
        files: path in the repository → a file on this machine, or its bytes. The card is among them.
        notes: what whoever publishes should know.
        proof: files by which one sees that all of it stands there already.
        owns: beginnings of paths that belong to us alone: files there that a new revision does not hold are removed.
        parent: the commit it was made for; None where it does not depend on what stands there.
        adds: whether it only adds to a repository that must be there: no new one, no changelog, and a card that is not ours.
        gated: readers must accept the terms of its card first.
    """

    repo_type: str
    summary: str
    files: Mapping[str, Path | bytes]
    notes: list[str] = field(default_factory=list)
    proof: tuple[str, ...] = (CARD,)
    owns: tuple[str, ...] = ()
    parent: str | None = None
    adds: bool = False
    gated: bool = False

    @property
    def card(self) -> str:
        """The README.md."""
        return _bytes(self.files[CARD]).decode()

    def size(self, path: str) -> int:
        """Bytes of one file."""
        content = self.files[path]
        return len(content) if isinstance(content, bytes) else content.stat().st_size


def check_name(repo_id: str) -> None:
    """Refuse what the Hub would refuse as a name.

    Raises:
        PublishError: it is no `namespace/name`.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # public, left out of its stub

    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise PublishError(f"--to {repo_id!r} is no name that the Hub takes. Write it as namespace/name.") from error
    if "/" not in repo_id:
        raise PublishError(f"--to {repo_id!r} names no owner. Write it as namespace/name, with your user or organisation.")


def check(push: Push) -> None:
    """What can be known before anybody is asked.

    Raises:
        PublishError: a file or folder over the Hub's limits, a card that is no YAML or lacks a field.
    """
    from huggingface_hub import DatasetCard, ModelCard

    for path in push.files:
        if (size := push.size(path)) > FILE_LIMIT:
            raise PublishError(
                f"{path} has {size:,} bytes and the Hub takes files of {FILE_LIMIT:,} at most. Split it, as save_pretrained "
                "does with max_shard_size."
            )
    for folder, count in Counter(path.rpartition("/")[0] for path in push.files).items():
        if count > FOLDER_LIMIT:
            raise PublishError(f"{folder or '.'}/ has {count:,} files and the Hub takes {FOLDER_LIMIT:,}. Merge some of them.")
    try:
        card = (DatasetCard if push.repo_type == "dataset" else ModelCard)(push.card)
    except (ValueError, yaml.YAMLError) as error:
        raise PublishError(
            f"The card's front matter cannot be read: {' '.join(str(error).split())}. Nothing was sent."
        ) from error
    missing = [name for name in FIELDS[push.repo_type] if not card.data.get(name)]
    if missing and not push.adds:
        raise PublishError(f"The card does not say {', '.join(missing)}. Nothing was sent.")


def api_of(token: str | None = None, endpoint: str | None = None) -> HfApi:
    """The client with which all of this package asks the Hub.

    Raises:
        UsageError: the Hub named by `endpoint`, or by `HF_ENDPOINT`, would get the token in plain text over the network.
    """
    from huggingface_hub import HfApi, constants

    check_hub(endpoint or constants.ENDPOINT)
    return HfApi(endpoint=endpoint, token=token, library_name="hf-oss-instruct", library_version=version("hf-oss-instruct"))


def publish(
    push: Push,
    repo_id: str,
    *,
    private: bool = False,
    create_pr: bool = False,
    revision: str = "main",
    message: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
) -> CommitInfo | None:
    """Put it there: everything in one commit, or nothing; the same call again uploads only what is missing.

    Args:
        push: what shall stand there.
        repo_id: `namespace/name`; made if it is not there.
        private: make a new repository private.
        create_pr: as a pull request, which may go to a repository of others.
        revision: the branch; made from `main` if it is not there.
        message: commit message; the summary by default.
        token: Hub token; the one you are logged in with by default.
        endpoint: another Hub than huggingface.co.

    Returns:
        The commit; None if all of it stands there already.

    Raises:
        PublishError: no token, no rights, an invalid card or name, a file over the limits, a repository of others or of another
            type, somebody else's commit in between, or a Hub that does not answer. The repository is as it was.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    check_name(repo_id)
    check(push)
    api = api_of(token, endpoint)
    with hub_errors(repo_id):
        again(_check_rights, api, repo_id, create_pr)
        again(_check_yaml, api, push)
        if not again(api.repo_exists, repo_id, repo_type=push.repo_type):
            _make(api, push, repo_id, private, must_be_there=create_pr or push.adds)
        if revision != "main":
            again(api.create_branch, repo_id, branch=revision, repo_type=push.repo_type, exist_ok=True)
        info: Any = again(api.repo_info, repo_id, repo_type=push.repo_type, revision=revision)
        if push.gated and not info.gated and not create_pr:
            again(api.update_repo_settings, repo_id, gated="auto", repo_type=push.repo_type)
        there = {file.rfilename for file in info.siblings or ()}
        if _stands_there(api, push, repo_id, info.sha, there):
            return None
        files = dict(push.files) | ({} if push.adds else {CHANGES: _changes(api, push, repo_id, info.sha, there)})
        operations: list[Any] = [CommitOperationAdd(path, content) for path, content in files.items()]
        gone = [path for path in sorted(there - files.keys()) if path.startswith(push.owns)]
        operations += [CommitOperationDelete(path) for path in gone]
        commit: CommitInfo = again(
            api.create_commit,
            repo_id,
            operations,
            commit_message=message or push.summary,
            repo_type=push.repo_type,
            revision=revision,
            create_pr=create_pr,
            parent_commit=push.parent or info.sha,
        )
        return commit


def _check_rights(api: HfApi, repo_id: str, create_pr: bool) -> None:
    me = api.whoami()
    role = me.get("auth", {}).get("accessToken", {}).get("role")
    if role == "read":
        raise PublishError("This token may only read. Make one that may write at https://huggingface.co/settings/tokens.")
    owner, own = repo_id.split("/")[0], {me["name"], *(org["name"] for org in me.get("orgs", ()))}
    if role == "write" and not create_pr and owner not in own:  # what a fine-grained token may, the Hub knows alone
        raise PublishError(
            f"{repo_id} belongs to {owner}, and you are {me['name']}. Propose it with --create-pr, or choose a name of yours."
        )


def _check_yaml(api: HfApi, push: Push) -> None:
    """Let the Hub read the card before anything is made; `RepoCard.validate` asks huggingface.co whatever the endpoint is."""
    from huggingface_hub import get_session
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]  # as above

    asked = {"repoType": push.repo_type, "content": push.card}
    headers = build_hf_headers(token=api.token)
    answer = get_session().post(f"{api.endpoint}/api/validate-yaml", json=asked, headers=headers)
    if answer.status_code == 400:
        said = "; ".join(str(error.get("message")) for error in answer.json().get("errors", ()))
        raise PublishError(f"The Hub refuses the card: {said}. Mend it; nothing was sent.")
    hf_raise_for_status(answer)


def _make(api: HfApi, push: Push, repo_id: str, private: bool, must_be_there: bool) -> None:
    """A new repository, unless somebody wrote the name of another thing."""
    others = [kind for kind in TITLES if kind != push.repo_type and again(api.repo_exists, repo_id, repo_type=kind)]
    if others:
        raise PublishError(
            f"{repo_id} is a {TITLES[others[0]]}, and this is a {TITLES[push.repo_type]}. Choose another name: one name for "
            "two things leads readers astray, though the Hub would take it."
        )
    if must_be_there:
        raise PublishError(f"There is no {TITLES[push.repo_type]} {repo_id}. Check the name, or publish it first.")
    again(api.create_repo, repo_id, repo_type=push.repo_type, private=private, exist_ok=True)


def _stands_there(api: HfApi, push: Push, repo_id: str, sha: str, there: set[str]) -> bool:
    """Whether a revision has the same report and card already."""
    return there.issuperset(push.proof) and all(
        fetched(api, push.repo_type, repo_id, sha, name) == _bytes(push.files[name]) for name in push.proof
    )


def _changes(api: HfApi, push: Push, repo_id: str, sha: str, there: set[str]) -> bytes:
    """The changelog with a line for this revision on top."""
    start = b"# Changelog\n\n"
    before = (fetched(api, push.repo_type, repo_id, sha, CHANGES) if CHANGES in there else start).decode(errors="replace")
    head, _, lines = before.partition("\n\n")
    return f"{head}\n\n- {datetime.now(UTC):%Y-%m-%d}: {push.summary}\n{lines}".encode()


def fetched(api: HfApi, repo_type: str, repo_id: str, sha: str, name: str) -> bytes:
    """One file of a revision."""
    return Path(again(api.hf_hub_download, repo_id, name, repo_type=repo_type, revision=sha)).read_bytes()


def _bytes(content: Path | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()
