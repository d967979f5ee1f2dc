"""Errors of the Hub while something is published, as `PublishError`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.hub import reason, root_cause, status_of, transport_error
from hf_oss_instruct.terminal.display import error_message


@contextmanager
def hub_errors(repo_id: str) -> Iterator[None]:
    """Translate errors of the Hub into `PublishError`, with a way out. Programming errors pass through."""
    try:
        yield
    except PublishError:
        raise
    except Exception as raised:
        ours = _publish_error(root_cause(raised), repo_id)
        if ours is None:
            raise
        raise ours from raised


def _publish_error(error: BaseException, repo_id: str) -> PublishError | None:
    """The `PublishError` for an error of huggingface_hub, None for an error that is not about the Hub."""
    from huggingface_hub.errors import GatedRepoError

    match status_of(error):
        case 403 if not isinstance(error, GatedRepoError):  # for which the Hub sends 403, too
            return PublishError(
                f"This token cannot write to {repo_id}. Use a token that can, or open a pull request with --create-pr."
            )
        case 412:
            return PublishError(f"Somebody committed to {repo_id} in the meantime. Publish again, on top of that commit.")
        case None if isinstance(error, ValueError):  # raised by huggingface_hub for a card that the Hub rejects
            return PublishError(f"The Hub rejects the card: {error_message(error)}. Fix it; the repository is unchanged.")
    if isinstance(error, (transport_error(), OSError)):
        return PublishError(f"{repo_id} is unchanged: {reason(error)}. Once that is resolved, publish again.")
    return None
