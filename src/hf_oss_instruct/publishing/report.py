"""A dataset's report on the Hub: page, numbers and charts of exactly the rows that are published."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.storage.workdir import LOCK
from hf_oss_instruct.structured import read_object

FOLDER, NUMBERS, PAGE, PICTURES = "report", "report.json", "index.html", "pictures"
OWNED = (f"{FOLDER}/{PICTURES}/", f"{FOLDER}/{PAGE}", f"{FOLDER}/{NUMBERS}")
"""Prefixes of files that are deleted if a new revision lacks them."""
OPTIONS: dict[str, type | tuple[type, ...]] = {
    "benchmarks": list,
    "tokenizer": (str, type(None)),
    "embedding_model": (str, type(None)),
}
"""Options of an earlier report that the published one repeats, and their types."""


class SavedReport(Protocol):
    """The parts of a report that are published."""

    @property
    def pictures(self) -> Mapping[str, str]:
        """File name → title of the charts that a card shows."""
        ...

    def save(self, out: Path, *, browser: bool) -> Path:
        """Write page, numbers, pictures and, for a browser, the rows."""
        ...


MakeReport = Callable[[Path, Mapping[str, Any]], SavedReport]
"""(folder with `data/` and `run.json`, options) → its report."""


@dataclass(frozen=True)
class PublishedReport:
    """Files of a report.

    Attributes:
        files: path in the dataset repository → content: the page without the row browser, numbers, pictures.
        pictures: path → title of the charts that the card shows.
        space: path in a Space → content: the page with the row browser; empty if there is no Space.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    space: dict[str, bytes] = field(default_factory=dict)


def options_of(folder: Path) -> dict[str, Any] | None:
    """The options of the report that a folder has in `report/`; None without one.

    Raises:
        PublishError: `report.json` cannot be read.
    """
    path = folder / FOLDER / NUMBERS
    if not path.is_file():
        return None
    try:
        options = read_object(path, {"options": dict})["options"]
        return {name: options[name] for name, kind in OPTIONS.items() if isinstance(options.get(name), kind)}
    except ValueError as error:
        raise PublishError(f"{error}. Delete the folder, run report again, or pass --no-report.") from error


def published_report(
    tables: Mapping[str, Path | bytes], name: str, make: MakeReport, options: Mapping[str, Any], *, space: bool = False
) -> PublishedReport:
    """Make the report of a dataset as it will be on the Hub, without the parts left out there (snippets, rejected rows).

    Args:
        tables: `data/…`, `rejected/…` and `run.json`: path in the repository → content.
        name: name of the dataset.
        make: makes a report of a folder.
        options: benchmarks, tokenizer, model.
        space: whether a Space will show it.
    """
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work, name)
        for path, content in tables.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                (folder / path).write_bytes(content)
            else:
                # Linked, because tables can be large.
                (folder / path).symlink_to(content.resolve())
        report = make(folder, options)
        report.save(Path(work, "page"), browser=False)
        files = {f"{FOLDER}/{path}": content for path, content in _read(Path(work, "page")).items()}
        pictures = {f"{FOLDER}/{PICTURES}/{path}": title for path, title in report.pictures.items()}
        if space:
            report.save(Path(work, "space"), browser=True)
        return PublishedReport(files, pictures, _read(Path(work, "space")) if space else {})


def _read(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != LOCK]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
