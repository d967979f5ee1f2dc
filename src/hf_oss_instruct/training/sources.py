"""Training datasets, and whether they were decontaminated."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.hub import check_endpoint, client, reason, transport_error
from hf_oss_instruct.storage.run_report import RUN_REPORT
from hf_oss_instruct.structured import read_object

CHECK = "decontamination"
FORMATS = {".parquet": "parquet", ".jsonl": "json", ".json": "json", ".ndjson": "json", ".csv": "csv", ".arrow": "arrow"}
"""File suffix → the builder of `load_dataset` that reads it."""


@dataclass(frozen=True)
class TrainingSource:
    """One dataset, with the arguments of `datasets.load_dataset` and of TRL's `datasets:` key.

    Attributes:
        path: Hub id, folder, file (Parquet, JSON, CSV), or a format such as `parquet` with `data_files`.
        name, data_dir, data_files, split: as for `load_dataset`.
        fraction: share of a mixture; None to use all rows.
    """

    path: str
    name: str | None = None
    data_dir: str | None = None
    data_files: Any = None
    split: str = "train"
    fraction: float | None = None

    def open(self, streaming: bool) -> Any:
        """Load the rows.

        Raises:
            UsageError: the dataset, config, split or file does not exist, or the token would be sent unencrypted to another
                machine.
        """
        from datasets import load_dataset
        from datasets.exceptions import DatasetsError

        words = {name: getattr(self, name) for name in ("name", "data_dir", "data_files", "split") if getattr(self, name)}
        path = self.path
        if self._asks_hub:
            check_endpoint()
        if kind := self._file_format:
            if not Path(path).is_file():
                raise UsageError(f"The file {path!r} does not exist. Pass an existing file, a folder, or a Hub id.")
            # Escaped, because `load_dataset` reads `[` and `*` in names as patterns.
            path, words["data_files"] = kind, glob.escape(str(Path(path).absolute()))
        try:
            return load_dataset(path, streaming=streaming, **words)
        except (DatasetsError, OSError, ValueError) as error:
            # `datasets` wraps errors; the cause names what is wrong with the file.
            why = reason(error.__cause__ or error)
            raise UsageError(
                f"The dataset {self.path!r} cannot be loaded: {why}. Check the name, or convert the rows to parquet."
            ) from error

    @property
    def _file_format(self) -> str | None:
        """The builder of `load_dataset` for the path; None if the path is not a file."""
        if self.data_files or Path(self.path).is_dir():
            return None
        suffixes = [suffix for suffix in Path(self.path.lower()).suffixes if suffix in FORMATS]
        return FORMATS[suffixes[-1]] if suffixes else None

    @property
    def _asks_hub(self) -> bool:
        is_local = self._file_format or Path(self.path).exists() or (self.data_files and "/" not in self.path)
        return not is_local or "://" in str(self.data_files)

    @property
    def folders(self) -> list[Path]:
        """Local folders that may contain its report."""
        files = [self.data_files] if isinstance(self.data_files, str) else self.data_files
        named = [Path(file) for file in (files.values() if isinstance(files, dict) else files or ()) if isinstance(file, str)]
        paths = [
            Path(self.path).parent if self._file_format else Path(self.path),
            *(Path(self.data_dir) for _ in [0] if self.data_dir),
        ]
        return [*paths, *(folder for file in named for folder in (file.parent, file.parent.parent))]

    @cached_property
    def on_the_hub(self) -> dict[str, Any] | None:
        """Id and revision of a dataset on the Hub; None for a local one."""
        return None if self.data_files or self._file_format else on_the_hub(self.path, "dataset")

    @property
    def revision(self) -> str | None:
        """Identifies this state of the rows: the commit on the Hub, or the hash of a folder's run config."""
        if self.on_the_hub:
            recorded: str | None = self.on_the_hub["revision"]
            return recorded
        report = _report(self) or {}
        return f"run config {report['config_hash']}" if report.get("config_hash") else None


def on_the_hub(name: str, repo_type: str, revision: str | None = None) -> dict[str, Any] | None:
    """Resolve a Hub id to its commit. The commit is None if the Hub cannot be reached.

    Args:
        name: a Hub id, or a folder.
        repo_type: `model` or `dataset`.
        revision: branch, tag or commit.

    Returns:
        `{"id": …, "revision": …}`; None for a local folder.
    """
    from huggingface_hub.errors import HFValidationError

    # A local folder comes first, as in `from_pretrained` and `load_dataset`.
    if Path(name).exists() or "/" not in name:
        return None
    try:
        return {"id": name, "revision": client().repo_info(name, repo_type=repo_type, revision=revision).sha}
    except (HFValidationError, transport_error(), OSError):
        return {"id": name, "revision": None}


def sources_of(script: Any, mixture: Any) -> list[TrainingSource]:
    """The datasets of a training YAML, from `dataset_name` or `datasets`.

    Args:
        script: TRL's `ScriptArguments`.
        mixture: TRL's `DatasetMixtureConfig`.

    Raises:
        UsageError: it names none, or gives a fraction to some datasets only.
    """
    if mixture.datasets:
        names = ("path", "name", "data_dir", "data_files", "split", "fraction")
        sources = [TrainingSource(**{name: getattr(dataset, name) for name in names}) for dataset in mixture.datasets]
        if len({source.fraction is None for source in sources}) > 1:
            raise UsageError("Some entries of `datasets` have a fraction and some do not. Set it for all of them or for none.")
        return sources
    if not script.dataset_name:
        raise UsageError("The recipe names no data. Set dataset_name to a Hub id, or to a folder that synthesize wrote.")
    return [TrainingSource(script.dataset_name, script.dataset_config, split=script.dataset_train_split)]


def refuse_unchecked(sources: Iterable[TrainingSource]) -> None:
    """Reject data whose report does not say that it was decontaminated.

    Raises:
        UsageError: the message names the dataset, the reason, and the flag that overrides this.
    """
    for source in sources:
        if why := why_unchecked(source):
            raise UsageError(
                f"{source.path!r} may contain benchmark solutions: {why}. Scores of a model trained on it would be meaningless. "
                "Decontaminate it, or pass --allow-unchecked, which is then stated on the model card."
            )


def why_unchecked(source: TrainingSource) -> str | None:
    """Why a dataset counts as not decontaminated; None if its `run.json` says that it was."""
    report = _report(source)
    if report is None:
        return f"it has no {RUN_REPORT}"
    checks = report.get("checks")
    named = (check for check in checks if isinstance(check, dict)) if isinstance(checks, list) else ()
    entry = next((check for check in named if check.get("name") == CHECK), None)
    if entry is None:
        return f"its {RUN_REPORT} does not name the check {CHECK!r}"
    if entry.get("status") == "done":
        return None
    status = str(entry.get("status", "unknown")).replace("_", " ")
    return f"its {RUN_REPORT} says {CHECK} {status} ({entry.get('why', 'no reason given')})"


def _report(source: TrainingSource) -> dict[str, Any] | None:
    path = next((folder / RUN_REPORT for folder in source.folders if (folder / RUN_REPORT).is_file()), None)
    if path is None:
        if Path(source.path).exists() or source.data_files or source._file_format:
            return None
        path = _from_hub(source.path)
    if path is None:
        return None
    try:
        return read_object(path)
    except ValueError as error:
        raise RunError(f"{error}. Restore the file that the run wrote.") from error


def _from_hub(repo: str) -> Path | None:
    from huggingface_hub.errors import HFValidationError, RemoteEntryNotFoundError, RepositoryNotFoundError

    try:
        return Path(client().hf_hub_download(repo, RUN_REPORT, repo_type="dataset"))
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UsageError(f"The dataset {repo!r} is not a local folder, and {reason(error)}.") from error
    except RemoteEntryNotFoundError:
        return None
    except (transport_error(), OSError) as error:
        raise RunError(
            f"The dataset {repo!r} is not a local folder, and cannot be read: {reason(error)}. Pass a folder, or try again."
        ) from error
