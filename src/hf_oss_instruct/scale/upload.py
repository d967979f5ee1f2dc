"""Copy a finished dataset to a store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from hf_oss_instruct.errors import RunError
from hf_oss_instruct.scale.store import Store, StoreError, with_retries
from hf_oss_instruct.spec.run import SETTINGS
from hf_oss_instruct.storage.workdir import JOB, differences
from hf_oss_instruct.structured import read_object

HUB_FILE = ".gitattributes"
"""File that the Hub puts into each new repository."""


def check_place(store: Store, job: Mapping[str, object] | None = None) -> None:
    """Check that a dataset may go to a store: there is nothing, or an earlier version of the same.

    Args:
        store: the store; made if it is on the Hub and missing.
        job: the settings that define the dataset, as in its folder's `.job.json`; None if that is not known yet.

    Raises:
        RunError: it has something else.
        StoreError: it cannot be read.
    """
    store.create()
    names = [name for name in with_retries(store.names) if name != HUB_FILE]
    # Files of an earlier version are removed, so nothing else may be there.
    if names and JOB not in names:
        raise RunError(f"The store {store.url!r} is not empty: it contains {', '.join(names[:3])}. Pass a new folder with --out.")
    if names and job:
        with TemporaryDirectory() as folder:
            with_retries(store.fetch, {JOB: Path(folder, JOB)})
            changed = differences(read_object(Path(folder, JOB)), job, SETTINGS, ("in the store", "now"))
        if changed:
            raise RunError(f"The store {store.url!r} has another dataset: {'; '.join(changed)}. Pass another folder with --out.")


def send_dataset(folder: Path, store: Store) -> None:
    """Copy a dataset, and remove files of an earlier version that it does not have.

    Raises:
        RunError: the store has another dataset.
        StoreError: the store refused; the dataset stays in its folder.
    """
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    # The job goes along, because `check_place` compares it with that of the next version.
    files = {name: path for name, path in paths.items() if name == JOB or not _is_hidden(name)}
    try:
        check_place(store, read_object(folder / JOB))
        obsolete = [name for name in with_retries(store.names) if name not in files and name != HUB_FILE]
        with_retries(store.put, files, obsolete)
    except StoreError as refused:
        raise StoreError(
            f"{refused} Nothing is lost: the dataset is in {str(folder)!r}, and the same command copies it."
        ) from refused


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
