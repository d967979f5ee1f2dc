"""Publish files to the Hub in a single commit, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.hub import client, commit_in, retried
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.publishing.errors import hub_errors
from hf_oss_instruct.terminal.display import error_message

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo, HfApi

CARD, CHANGES = "README.md", "CHANGELOG.md"
TITLES = {"dataset": "dataset", "model": "model", "space": "Space"}
FILE_LIMIT = 500 * 10**9
"""Bytes of one file. "500GB is the hard limit for a single file size" (huggingface.co/docs/hub/storage-limits, read 2026-11)."""
FOLDER_LIMIT = 10_000
"""Files of one folder, from the same page."""
FIELDS = {
    "dataset": ("license", "language", "pretty_name", "size_categories", "task_categories", "tags", "configs"),
    "model": ("license", "language", "library_name", "pipeline_tag", "tags"),
    "space": ("title", "emoji", "colorFrom", "colorTo", "sdk", "app_file"),
}
"""Fields that a card written by us must have."""


@dataclass(frozen=True)
class Push:
    """The content that a repository will have.

    Attributes:
        repo_type: `dataset`, `model` or `space`.
        summary: one line for the commit message and the changelog.
        files: path in the repository → a local file, or its bytes. Contains the card.
        notes: notes for the publisher.
        compared: files that differ if anything differs; if they are equal on the Hub, nothing is uploaded.
        owned: path prefixes whose files are deleted if a new revision lacks them.
        parent: the commit that the files were derived from; None if they do not depend on the repository's content.
        update_only: add to an existing repository: never create one, write no changelog, and accept a card that is not ours.
        gated: readers must accept the terms in the card first.
        space: a Space that shows it, to be published after it.
    """

    repo_type: str
    summary: str
    files: Mapping[str, Path | bytes]
    notes: list[str] = field(default_factory=list)
    compared: tuple[str, ...] = (CARD,)
    owned: tuple[str, ...] = ()
    parent: str | None = None
    update_only: bool = False
    gated: bool = False
    space: Push | None = None

    @property
    def card(self) -> str:
        """The README.md."""
        return _bytes(self.files[CARD]).decode()

    def size(self, path: str) -> int:
        """Bytes of one file."""
        content = self.files[path]
        return len(content) if isinstance(content, bytes) else content.stat().st_size


def check_name(repo_id: str, option: str = "--to") -> None:
    """Reject names that the Hub would reject.

    Raises:
        PublishError: it is not a valid `namespace/name`.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # public, left out of its stub

    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise PublishError(f"{option} {repo_id!r} is not a valid name. Write it as namespace/name.") from error
    if "/" not in repo_id:
        raise PublishError(f"{option} {repo_id!r} has no owner. Write it as namespace/name, with your user or organization.")


def check(push: Push) -> None:
    """Run the checks that need no Hub.

    Raises:
        PublishError: a file or folder exceeds the Hub's limits, or the card's YAML is invalid or lacks a field.
    """
    from huggingface_hub import DatasetCard, ModelCard, SpaceCard

    for path in push.files:
        if (size := push.size(path)) > FILE_LIMIT:
            raise PublishError(
                f"{path} has {size:,} bytes, and the Hub's limit is {FILE_LIMIT:,}. Split it, as save_pretrained does with "
                "max_shard_size."
            )
    for folder, count in Counter(path.rpartition("/")[0] for path in push.files).items():
        if count > FOLDER_LIMIT:
            raise PublishError(
                f"{folder or '.'}/ has {count:,} files, and the Hub's limit is {FOLDER_LIMIT:,}. Merge some of them."
            )
    try:
        card = {"dataset": DatasetCard, "model": ModelCard, "space": SpaceCard}[push.repo_type](push.card)
    except (ValueError, yaml.YAMLError) as error:
        raise PublishError(
            f"The card's front matter is not valid YAML: {error_message(error)}. Fix it; nothing was sent."
        ) from error
    missing = [name for name in FIELDS[push.repo_type] if not card.data.get(name)]
    if missing and not push.update_only:
        raise PublishError(f"The card lacks {', '.join(missing)}. Add the fields; nothing was sent.")


def publish_all(
    pushes: Mapping[str, Push],
    *,
    private: bool = False,
    create_pr: bool = False,
    revision: str = "main",
    message: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
    progress: Progress = SILENT,
) -> dict[str, CommitInfo | None]:
    """Publish each push in one commit, or nothing. Calling it again uploads only what is missing.

    Args:
        pushes: repository, `namespace/name`, → the content to publish; created if it does not exist.
        private: make a new repository private.
        create_pr: open a pull request, which also works for repositories of others.
        revision: the branch; created from `main` if it does not exist.
        message: commit message; the summary by default.
        token: Hub token; the one you are logged in with by default.
        endpoint: another Hub than huggingface.co.
        progress: a progress display.

    Returns:
        Repository → the commit; None if it is up to date.

    Raises:
        PublishError: no token, no write access, an invalid card or name, a file over the limits, a repository of another
            owner or type, a concurrent commit, or an unreachable Hub. The repository that the message names is unchanged.
    """
    # Everything that can be refused comes before the first repository is created, so that a failure leaves nothing behind.
    for repo_id, push in pushes.items():
        check_name(repo_id)
        check(push)
    api, new = client(token, endpoint), set()
    for repo_id, push in pushes.items():
        with hub_errors(repo_id):
            retried(_check_rights, api, repo_id, create_pr)
            retried(_check_yaml, api, push)
            if not retried(api.repo_exists, repo_id, repo_type=push.repo_type):
                _check_new(api, push, repo_id, must_be_there=create_pr or push.update_only)
                new.add(repo_id)
    commits = {}
    for repo_id, push in pushes.items():
        with hub_errors(repo_id):
            if repo_id in new:
                _create_repo(api, push, repo_id, private)
            commits[repo_id] = _send(api, push, repo_id, create_pr, revision, message, progress)
    return commits


def publish(push: Push, repo_id: str, **options: Any) -> CommitInfo | None:
    """Publish to a single repository, see `publish_all`."""
    return publish_all({repo_id: push}, **options)[repo_id]


def _send(
    api: HfApi, push: Push, repo_id: str, create_pr: bool, revision: str, message: str | None, progress: Progress
) -> CommitInfo | None:
    """Upload what a repository lacks and commit it; None if it lacks nothing."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    if revision != "main":
        retried(api.create_branch, repo_id, branch=revision, repo_type=push.repo_type, exist_ok=True)
    info: Any = retried(api.repo_info, repo_id, repo_type=push.repo_type, revision=revision)
    commit_before = commit_in(info)
    # Before the files arrive: nobody may download them without accepting the terms.
    if push.gated and not info.gated and not create_pr:
        retried(api.update_repo_settings, repo_id, gated="auto", repo_type=push.repo_type)
    existing = {file.rfilename for file in info.siblings or ()}
    if _is_up_to_date(api, push, repo_id, commit_before, existing):
        return None
    files = dict(push.files) | ({} if push.update_only else {CHANGES: _changes(api, push, repo_id, commit_before, existing)})
    operations: list[Any] = [CommitOperationAdd(path, content) for path, content in files.items()]
    # Only what this package puts there: other files in the repository are the owner's.
    obsolete = [path for path in sorted(existing - files.keys()) if path.startswith(push.owned)]
    operations += [CommitOperationDelete(path) for path in obsolete]
    size = sum(push.size(path) for path in push.files)
    with progress.stage(f"Uploading {len(files):,} files, {size / 1e6:,.1f} MB, to {repo_id}"):
        commit: CommitInfo = retried(
            api.create_commit,
            repo_id,
            operations,
            commit_message=message or push.summary,
            repo_type=push.repo_type,
            revision=revision,
            create_pr=create_pr,
            # The Hub refuses (412) if somebody has committed since the files were compared.
            parent_commit=push.parent or commit_before,
        )
    return commit


def _check_rights(api: HfApi, repo_id: str, create_pr: bool) -> None:
    me = api.whoami()
    role = me.get("auth", {}).get("accessToken", {}).get("role")
    if role == "read":
        raise PublishError("This token is read-only. Create one with write access at https://huggingface.co/settings/tokens.")
    owner, own = repo_id.split("/")[0], {me["name"], *(org["name"] for org in me.get("orgs", ()))}
    if role == "write" and not create_pr and owner not in own:  # only the Hub knows what a fine-grained token may do
        raise PublishError(
            f"{repo_id} belongs to {owner}, and you are {me['name']}. Open a pull request with --create-pr, or use your own name."
        )


def _check_yaml(api: HfApi, push: Push) -> None:
    """Let the Hub validate the card before a repository is created.

    `RepoCard.validate` cannot do it: it always asks huggingface.co, whatever the endpoint is.
    """
    from huggingface_hub import get_session
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]  # as above

    body = {"repoType": push.repo_type, "content": push.card}
    headers = build_hf_headers(token=api.token)
    answer = get_session().post(f"{api.endpoint}/api/validate-yaml", json=body, headers=headers)
    if answer.status_code == 400:
        messages = "; ".join(str(error.get("message")) for error in answer.json().get("errors", ()))
        raise PublishError(f"The Hub rejects the card: {messages}. Fix it; nothing was sent.")
    hf_raise_for_status(answer)


def _check_new(api: HfApi, push: Push, repo_id: str, must_be_there: bool) -> None:
    """Refuse to create a repository whose name is taken by another type of repository, or that had to exist."""
    others = [kind for kind in TITLES if kind != push.repo_type and retried(api.repo_exists, repo_id, repo_type=kind)]
    if others:
        raise PublishError(
            f"{repo_id} is a {TITLES[others[0]]}, and this is a {TITLES[push.repo_type]}. Choose another name: "
            "the Hub would allow it, but sharing a name confuses readers."
        )
    if must_be_there:
        raise PublishError(f"The {TITLES[push.repo_type]} {repo_id} does not exist. Check the name, or publish it first.")


def _create_repo(api: HfApi, push: Push, repo_id: str, private: bool) -> None:
    sdk = {"space_sdk": "static"} if push.repo_type == "space" else {}
    retried(api.create_repo, repo_id, repo_type=push.repo_type, private=private, exist_ok=True, **sdk)


def _is_up_to_date(api: HfApi, push: Push, repo_id: str, sha: str, existing: set[str]) -> bool:
    """Whether a revision already has the same files."""
    return existing.issuperset(push.compared) and all(
        download(api, push.repo_type, repo_id, sha, name) == _bytes(push.files[name]) for name in push.compared
    )


def _changes(api: HfApi, push: Push, repo_id: str, sha: str, existing: set[str]) -> bytes:
    """The changelog, with a line for this revision on top."""
    start = b"# Changelog\n\n"
    before = (download(api, push.repo_type, repo_id, sha, CHANGES) if CHANGES in existing else start).decode(errors="replace")
    head, _, lines = before.partition("\n\n")
    return f"{head}\n\n- {datetime.now(UTC):%Y-%m-%d}: {push.summary}\n{lines}".encode()


def download(api: HfApi, repo_type: str, repo_id: str, sha: str, name: str) -> bytes:
    """Download one file of a revision.

    Args:
        api: the client.
        repo_type: `dataset` or `model`.
        repo_id: `namespace/name`.
        sha: the commit.
        name: path in the repository.
    """
    return Path(retried(api.hf_hub_download, repo_id, name, repo_type=repo_type, revision=sha)).read_bytes()


def _bytes(content: Path | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()
