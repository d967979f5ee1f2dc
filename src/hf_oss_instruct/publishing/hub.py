"""One commit to the Hub, or none: what shall stand there, what stands there now, and putting it there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_oss_instruct.errors import PublishError

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo, HfApi

CARD, CHANGES, REPORT = "README.md", "CHANGELOG.md", "run.json"
OURS = ("data/", "sft/", "rejected/")
"""Folders whose files belong to us alone: what a new revision does not hold is removed from them."""
TRIES, FIRST_PAUSE_S, LONGEST_PAUSE_S = 6, 0.5, 20.0


@dataclass(frozen=True)
class Push:
    """What shall stand in a repository.

    Attributes:
        repo_type: `dataset` or `model`.
        summary: one line about it, for the commit and the changelog.
        files: path in the repository → a file on this machine, or its bytes. The card is among them.
        notes: what whoever publishes should know.
    """

    repo_type: str
    summary: str
    files: Mapping[str, Path | bytes]
    notes: list[str] = field(default_factory=list)

    @property
    def card(self) -> str:
        """The README.md."""
        card = self.files[CARD]
        return card.decode() if isinstance(card, bytes) else card.read_text("utf-8")

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
        create_pr: as a pull request.
        revision: the branch; made from `main` if it is not there.
        message: commit message; the summary by default.
        token: Hub token; the one you are logged in with by default.
        endpoint: another Hub than huggingface.co.

    Returns:
        The commit; None if all of it stands there already.

    Raises:
        PublishError: no token, no rights, an invalid card or name, somebody else's commit in between, or a Hub that does not
            answer. The repository is as it was.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    check_name(repo_id)
    _check_card(push)
    api = HfApi(endpoint=endpoint, token=token, library_name="hf-oss-instruct", library_version=version("hf-oss-instruct"))
    with _hub_errors(repo_id):
        _again(_check_rights, api)
        _again(api.create_repo, repo_id, repo_type=push.repo_type, private=private, exist_ok=True)
        if revision != "main":
            _again(api.create_branch, repo_id, branch=revision, repo_type=push.repo_type, exist_ok=True)
        info: Any = _again(api.repo_info, repo_id, repo_type=push.repo_type, revision=revision)
        there = {file.rfilename for file in info.siblings or ()}
        if _stands_there(api, push, repo_id, info.sha, there):
            return None
        files = dict(push.files) | {CHANGES: _changes(api, push, repo_id, info.sha, there)}
        operations: list[Any] = [CommitOperationAdd(path, content) for path, content in files.items()]
        operations += [CommitOperationDelete(path) for path in sorted(there - files.keys()) if path.startswith(OURS)]
        commit: CommitInfo = _again(
            api.create_commit,
            repo_id,
            operations,
            commit_message=message or push.summary,
            repo_type=push.repo_type,
            revision=revision,
            create_pr=create_pr,
            parent_commit=info.sha,
        )
        return commit


def _check_rights(api: HfApi) -> None:
    role = api.whoami().get("auth", {}).get("accessToken", {}).get("role")
    if role == "read":
        raise PublishError("This token may only read. Make one that may write at https://huggingface.co/settings/tokens.")


def _check_card(push: Push) -> None:
    """What can be known before the first byte leaves; the Hub checks the card's fields again."""
    from huggingface_hub import DatasetCard, ModelCard

    try:
        (DatasetCard if push.repo_type == "dataset" else ModelCard)(push.card)
    except ValueError as error:
        raise PublishError(f"The card's front matter is no YAML: {' '.join(str(error).split())}. Nothing was sent.") from error


def _stands_there(api: HfApi, push: Push, repo_id: str, sha: str, there: set[str]) -> bool:
    """Whether a revision has the same report and card already."""
    return {CARD, REPORT} <= push.files.keys() & there and all(
        _fetched(api, push, repo_id, sha, name) == _bytes(push.files[name]) for name in (CARD, REPORT)
    )


def _changes(api: HfApi, push: Push, repo_id: str, sha: str, there: set[str]) -> bytes:
    """The changelog with a line for this revision on top."""
    before = _fetched(api, push, repo_id, sha, CHANGES).decode(errors="replace") if CHANGES in there else "# Changelog\n\n"
    head, _, lines = before.partition("\n\n")
    return f"{head}\n\n- {datetime.now(UTC):%Y-%m-%d}: {push.summary}\n{lines}".encode()


def _fetched(api: HfApi, push: Push, repo_id: str, sha: str, name: str) -> bytes:
    return Path(_again(api.hf_hub_download, repo_id, name, repo_type=push.repo_type, revision=sha)).read_bytes()


def _bytes(content: Path | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def _again(call: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the Hub, and again after a broken connection or an error of its own."""
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

    waits = wait_random_exponential(multiplier=FIRST_PAUSE_S, max=LONGEST_PAUSE_S)
    return Retrying(retry=retry_if_exception(_may_pass), stop=stop_after_attempt(TRIES), wait=waits, reraise=True)(
        call, *args, **kwargs
    )


def _may_pass(error: BaseException) -> bool:
    from huggingface_hub.errors import HfHubHTTPError

    error = _behind(error)
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return error.response.status_code >= 500 or error.response.status_code == 429
    return isinstance(error, (_transport_error(), ConnectionError, TimeoutError)) and not isinstance(error, HfHubHTTPError)


def _behind(error: BaseException) -> BaseException:
    """The error of a request, which `create_commit` wraps in a RuntimeError if it was an upload."""
    return error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error


def _transport_error() -> type[Exception]:
    """Root of the errors of huggingface_hub's transport: httpx's with 1.x, httpx2's with 2.x."""
    from huggingface_hub.errors import HfHubHTTPError

    return HfHubHTTPError.__bases__[0]


@contextmanager
def _hub_errors(repo_id: str) -> Iterator[None]:
    """The Hub's errors as ours, each with the way out."""
    try:
        yield
    except PublishError:
        raise
    except Exception as raised:
        ours = _as_ours(_behind(raised), repo_id)
        if ours is None:
            raise
        raise ours from raised


def _as_ours(error: BaseException, repo_id: str) -> PublishError | None:
    """What an error of huggingface_hub means, None if it is a mistake of ours."""
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled

    as_it_was = "The repository is as it was; run the same command again."
    if isinstance(error, LocalTokenNotFoundError):
        return PublishError("You are not logged in. Run hf auth login, or set HF_TOKEN.")
    if isinstance(error, HfHubHTTPError):
        ways_out = {
            401: "The Hub does not know this token. Log in: hf auth login.",
            403: f"This token may not write to {repo_id}. Use one of an account that may.",
            412: f"Somebody committed to {repo_id} meanwhile. Run the same command again to publish on top of it.",
        }
        status = error.response.status_code if error.response is not None else 0
        return PublishError(ways_out.get(status, f"The Hub refused: {_one_line(error)}. {as_it_was}"))
    if isinstance(error, ValueError):  # huggingface_hub's word for a card that the Hub refuses
        return PublishError(f"The Hub refuses the card: {_one_line(error)}. Mend it; the repository is as it was.")
    if isinstance(error, (_transport_error(), OfflineModeIsEnabled, OSError)):
        return PublishError(f"The Hub cannot be reached: {_one_line(error)}. {as_it_was}")
    return None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
