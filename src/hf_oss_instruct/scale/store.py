"""A folder in a store that machines share without sharing a file system: the Hub, S3 and others, through fsspec."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from hf_oss_instruct.credentials import redacted
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.hub import check_endpoint, client, is_transient, reason, retrying, status_of
from hf_oss_instruct.terminal.display import error_message

T = TypeVar("T")
MAX_WORKERS = 16
"""Files read at the same time."""
CONFLICTS = (409, 412)
"""HTTP status codes for a commit that another machine came before."""
FINAL_ERRORS = (PermissionError, FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError)
PROBE = ".writable"
"""File that is written and removed to find out whether a store can be written."""


class StoreError(RunError):
    """A store refused a call, or could not be reached."""


def is_url(text: str | Path) -> bool:
    """Whether a name is the URL of a store, not a folder of this machine."""
    return "://" in str(text)


class Store:
    """A folder in a store.

    Files are written whole. On the Hub, all files of a call are written in one request, since it limits requests and commits.

    Args:
        url: `hf://datasets/me/run`, `hf://buckets/me/run`, `s3://bucket/run`, or any other that fsspec knows. Credentials come
            from the environment, as each library of fsspec reads them.

    Attributes:
        url: the URL without a slash at its end.

    Raises:
        UsageError: no library for this kind of URL is installed, or the URL has a password or key in it, which would be written
            into scripts and records; or the token would be sent unencrypted to another machine.
    """

    def __init__(self, url: str) -> None:
        from fsspec.core import url_to_fs

        if has_secret(url):
            raise UsageError(
                f"{redacted(url)!r} has a password or key in it, which others could read where the URL is recorded. Set it in "
                "the environment, as the library for this kind of URL describes."
            )
        self.url = url.rstrip("/")
        try:
            self._fs, root = url_to_fs(url)
        except ImportError as error:
            library = library_of(url)
            how = f"Install it with: pip install {library}" if library else f"{error}."
            raise UsageError(f"The store {self.url!r} needs a library that is not installed. {how}") from error
        except ValueError as error:
            raise UsageError(
                f"{self.url!r} is not the URL of a store: {error}. Write hf://datasets/NAME/RUN or s3://BUCKET/RUN."
            ) from error
        if self._on_hub():
            check_endpoint(self._fs.token, self._fs.endpoint)
        self._root = str(root).rstrip("/")

    def names(self, under: str = "") -> list[str]:
        """The files below a folder, relative to the store; none if there is no such folder.

        Raises:
            StoreError: it cannot be listed.
        """
        with self._refusals("read"):
            # fsspec keeps listings, and other machines write to the store.
            self._fs.invalidate_cache()
            try:
                paths = self._fs.find(f"{self._root}/{under}".rstrip("/"))
            except FileNotFoundError:
                return []
            return sorted(str(path).removeprefix(f"{self._root}/") for path in paths)

    def fetch(self, files: Mapping[str, Path]) -> None:
        """Copy files here. A file is complete when it has its name.

        Args:
            files: name in the store → where it goes.

        Raises:
            StoreError: one cannot be read.
        """

        def copy(name: str, path: Path) -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Under another name until it is complete, because a kill may cut it.
            part = path.with_name(f".{path.name}.part")
            self._fs.get_file(f"{self._root}/{name}", str(part))
            part.replace(path)

        with self._refusals("read"), ThreadPoolExecutor(MAX_WORKERS) as pool:
            # Iterated, since errors of the threads are raised only then.
            for _ in pool.map(lambda item: copy(*item), files.items()):
                pass

    def put(self, files: Mapping[str, bytes | Path], deleted: Sequence[str] = ()) -> None:
        """Write files, in their order, and remove others.

        Args:
            files: name → contents, or the file that has them.
            deleted: names to remove, which must be there.

        Raises:
            StoreError: the store refused; any of the files may have been written.
        """
        with self._refusals("written"):
            if self._on_hub():
                self._change(files, deleted)
                return
            for name, content in files.items():
                self._write(f"{self._root}/{name}", content if isinstance(content, bytes) else content.read_bytes())
            for name in deleted:
                with suppress(FileNotFoundError):  # another machine removed it in the meantime
                    self._fs.rm_file(f"{self._root}/{name}")

    def create(self) -> None:
        """Make the repository or bucket on the Hub, private, if it is missing; check that another store can be written.

        Raises:
            StoreError: this user may not, or there is no such bucket.
        """
        if not self._on_hub():
            # Other stores have no call that shows whether one may write there.
            self.put({PROBE: b""})
            self.put({}, [PROBE])
            return
        kind, *parts = self._root.split("/")
        api, repo_id = client(self._fs.token, self._fs.endpoint), "/".join(parts[:2]).split("@")[0]
        if kind not in ("datasets", "buckets") or len(parts) < 2:
            raise UsageError(f"{self.url!r} is not a dataset or bucket. Write hf://datasets/NAME/RUN or hf://buckets/NAME/RUN.")
        with self._refusals("written"):
            if kind == "datasets":
                api.create_repo(repo_id, repo_type="dataset", private=True, exist_ok=True)
            else:
                api.create_bucket(repo_id, private=True, exist_ok=True)

    def _write(self, path: str, data: bytes) -> None:
        try:
            self._fs.pipe_file(path, data)
        except FileNotFoundError:  # a new folder; or there is no such bucket, which `makedirs` would make
            if not self._fs.exists(self._root.split("/")[0] or "/"):
                raise
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._fs.pipe_file(path, data)

    def _on_hub(self) -> bool:
        from huggingface_hub import HfFileSystem

        return isinstance(self._fs, HfFileSystem)

    def _change(self, files: Mapping[str, bytes | Path], deleted: Sequence[str]) -> None:
        """Add and remove files on the Hub in one call, which its limits count."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        location = self._fs.resolve_path(self._root)
        inside = f"{location.path}/" if location.path else ""
        api = client(self._fs.token, self._fs.endpoint)
        if self._root.startswith("buckets/"):
            added: list[tuple[str | Path | bytes, str]] = [(content, inside + name) for name, content in files.items()]
            api.batch_bucket_files(location.bucket_id, add=added, delete=[inside + name for name in deleted])
            return
        operations: list[Any] = [CommitOperationAdd(inside + name, content) for name, content in files.items()]
        operations += [CommitOperationDelete(inside + name) for name in deleted]
        api.create_commit(
            location.repo_id,
            operations,
            repo_type=location.repo_type,
            revision=location.revision,
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
            why = reason(error) if self._on_hub() else error_message(error)
            raise StoreError(f"The store {self.url!r} could not be {done}: {redacted(why)}.") from error


def has_secret(url: str) -> bool:
    """Whether a URL has a password or key in it."""
    return bool(urlsplit(url).password) or "=***" in redacted(url)


def library_of(url: str) -> str | None:
    """The package that reads URLs of this kind, such as `s3fs`; None if fsspec itself or huggingface_hub does."""
    from fsspec.registry import known_implementations

    module = known_implementations.get(url.partition("://")[0], {}).get("class", "fsspec").split(".")[0]
    return None if module in ("fsspec", "huggingface_hub") else str(module)


def with_retries(call: Callable[..., T], *args: Any, say: Callable[[str], None] | None = None) -> T:
    """Call a store, and try again after failures that may pass.

    Args:
        call: what calls it.
        args: its arguments.
        say: called with a sentence about each failure that is retried.

    Raises:
        StoreError: it still fails after about a minute, or this user may not, or a folder is missing.
    """
    return retrying(_may_pass, say)(call, *args)  # type: ignore[no-any-return]


def _may_pass(error: BaseException) -> bool:
    cause = error.__cause__
    if not isinstance(error, StoreError) or cause is None or isinstance(cause, FINAL_ERRORS):
        return False
    # By name, since each cloud has its own: botocore's NoCredentialsError, google.auth's DefaultCredentialsError
    if "Credentials" in type(cause).__name__:
        return False
    return status_of(cause) in (None, *CONFLICTS) or is_transient(cause)
