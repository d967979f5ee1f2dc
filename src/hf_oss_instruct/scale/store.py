"""A folder in a store that machines share without sharing a file system: the Hub, S3 and others, through fsspec."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from hf_oss_instruct.credentials import redacted
from hf_oss_instruct.display import error_message
from hf_oss_instruct.errors import RunError, UsageError

T = TypeVar("T")
AT_ONCE = 16
"""Files read at the same time."""
ATTEMPTS, FIRST_PAUSE_S, LONGEST_PAUSE_S = 6, 0.5, 20.0
"""Of a call to a store that fails; pauses grow exponentially and are drawn at random, so that machines do not return together."""
FINAL = (401, 403, 404)
"""HTTP status codes that stay."""
FINAL_ERRORS = (PermissionError, FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError)


class StoreError(RunError):
    """A store refused a call, or could not be reached."""


def is_url(text: str | Path) -> bool:
    """Whether a name is the URL of a store, not a folder of this machine."""
    return "://" in str(text)


class Store:
    """A folder in a store.

    Files are written whole. On `hf://datasets/…` all files of a call are one commit, since the Hub limits commits an hour.

    Args:
        url: `hf://datasets/me/run`, `hf://buckets/me/run`, `s3://bucket/run`, or any other that fsspec knows. Credentials come
            from the environment, as each library of fsspec reads them.

    Attributes:
        url: the URL without a slash at its end, and without passwords.

    Raises:
        UsageError: no library for this kind of URL is installed.
    """

    def __init__(self, url: str) -> None:
        from fsspec.core import url_to_fs

        self.url = redacted(url.rstrip("/"))
        try:
            self._fs, root = url_to_fs(url)
        except ImportError as error:
            raise UsageError(f"The store {self.url!r} needs a library that is not installed: {error}.") from error
        except ValueError as error:
            raise UsageError(
                f"{self.url!r} is not the URL of a store: {error}. Write hf://datasets/NAME/RUN or s3://BUCKET/RUN."
            ) from error
        self._root = str(root).rstrip("/")

    def names(self, under: str = "") -> list[str]:
        """The files below a folder, relative to the store; none if there is no such folder.

        Raises:
            StoreError: it cannot be listed.
        """
        with self._refusals("read"):
            self._fs.invalidate_cache()
            try:
                found = self._fs.find(f"{self._root}/{under}".rstrip("/"))
            except FileNotFoundError:
                return []
            return sorted(str(path).removeprefix(f"{self._root}/") for path in found)

    def fetch(self, files: Mapping[str, Path]) -> None:
        """Copy files here. A file is complete when it has its name.

        Args:
            files: name in the store → where it goes.

        Raises:
            StoreError: one cannot be read.
        """

        def copy(name: str, path: Path) -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.part")
            self._fs.get_file(f"{self._root}/{name}", str(part))
            part.replace(path)

        with self._refusals("read"), ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(lambda item: copy(*item), files.items()):
                pass

    def put(self, files: Mapping[str, bytes | Path], gone: Sequence[str] = ()) -> None:
        """Write files, in their order, and remove others.

        Args:
            files: name → contents, or the file that has them.
            gone: names to remove, which must be there.

        Raises:
            StoreError: the store refused; any of the files may have been written.
        """
        with self._refusals("written"):
            if self._on_git():
                self._commit(files, gone)
                return
            for name, content in files.items():
                path = f"{self._root}/{name}"
                self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
                self._fs.pipe_file(path, content if isinstance(content, bytes) else content.read_bytes())
            for name in gone:
                with suppress(FileNotFoundError):  # another machine removed it in the meantime
                    self._fs.rm_file(f"{self._root}/{name}")

    def create(self) -> None:
        """Make the repository or bucket on the Hub, private, if it is missing; other stores must have theirs.

        Raises:
            StoreError: this user may not.
        """
        from huggingface_hub import HfApi, HfFileSystem

        if not isinstance(self._fs, HfFileSystem):
            return
        kind, *parts = self._root.split("/")
        api, repo_id = HfApi(endpoint=self._fs.endpoint, token=self._fs.token), "/".join(parts[:2]).split("@")[0]
        if kind not in ("datasets", "buckets") or len(parts) < 2:
            raise UsageError(f"{self.url!r} is not a dataset or bucket. Write hf://datasets/NAME/RUN or hf://buckets/NAME/RUN.")
        with self._refusals("written"):
            if kind == "datasets":
                api.create_repo(repo_id, repo_type="dataset", private=True, exist_ok=True)
            else:
                api.create_bucket(repo_id, private=True, exist_ok=True)

    def _on_git(self) -> bool:
        from huggingface_hub import HfFileSystem

        return isinstance(self._fs, HfFileSystem) and not self._root.startswith("buckets/")

    def _commit(self, files: Mapping[str, bytes | Path], gone: Sequence[str]) -> None:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

        at = self._fs.resolve_path(self._root)
        inside = f"{at.path_in_repo}/" if at.path_in_repo else ""
        operations: list[Any] = [CommitOperationAdd(inside + name, content) for name, content in files.items()]
        operations += [CommitOperationDelete(inside + name) for name in gone]
        HfApi(endpoint=self._fs.endpoint, token=self._fs.token, library_name="hf-oss-instruct").create_commit(
            at.repo_id,
            operations,
            repo_type=at.repo_type,
            revision=at.revision,
            commit_message=f"Add {len(files):,} files of a run",
        )

    @contextmanager
    def _refusals(self, done: str) -> Iterator[None]:
        """Raise whatever a store's library raises, which is not one kind, as ours."""
        try:
            yield
        except (StoreError, UsageError):
            raise
        except Exception as error:
            raise StoreError(f"The store {self.url!r} could not be {done}: {redacted(error_message(error))}.") from error


def patiently(call: Callable[..., T], *args: Any) -> T:
    """Call a store, and try again after failures that may pass.

    Raises:
        StoreError: it still fails after about a minute, or this user may not, or a folder is missing.
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

    waits = wait_random_exponential(multiplier=FIRST_PAUSE_S, max=LONGEST_PAUSE_S)
    retrying = Retrying(retry=retry_if_exception(_may_pass), stop=stop_after_attempt(ATTEMPTS), wait=waits, reraise=True)
    return retrying(call, *args)


def _may_pass(error: BaseException) -> bool:
    cause = error.__cause__
    status = getattr(getattr(cause, "response", None), "status_code", None)
    return isinstance(error, StoreError) and not isinstance(cause, FINAL_ERRORS) and status not in FINAL
