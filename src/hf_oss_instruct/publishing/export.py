"""The files of an export (`export --to …`): tables, tasks or a package, with their card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.publishing.hub import CARD, Push
from hf_oss_instruct.publishing.rules import Rules, check_checks
from hf_oss_instruct.publishing.scan import check_regular_files, check_secrets
from hf_oss_instruct.structured import read_object
from hf_oss_instruct.terminal.display import markdown, plural

REPORT = "export.json"
REPORTED: Mapping[str, type | tuple[type, ...]] = {"format": str, "rows": int, "skipped": dict, "source": (dict, type(None))}
OWNED = ("data/", "tasks/")


def is_export(folder: Path) -> bool:
    """Whether a folder was written by `export --to`."""
    return (folder / REPORT).is_file() and (folder / CARD).is_file()


def export_push(folder: Path, rules: Rules, *, repo_id: str, license: str | None = None) -> Push:
    """Collect the repository of an export.

    Args:
        folder: `--out` of `export --to`.
        rules: conditions for publishing.
        repo_id: the repository, for the card.
        license: the Hub's identifier of the license; `other` by default.

    Raises:
        PublishError: the folder is damaged, or a condition is not met.
    """
    try:
        report: dict[str, Any] = read_object(folder / REPORT, REPORTED)
    except ValueError as error:
        raise PublishError(f"{error}. Run the same export again: it rewrites the file.") from error
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _is_hidden(path.relative_to(folder))]
    check_regular_files(folder, paths)
    # Nobody has checked rows that are not of a run, so only --allow-unchecked lets them pass.
    source = report["source"] or {"checks": [{"name": "curation", "status": "unknown", "why": "the rows are not of a run"}]}
    check_checks({"checks": source.get("checks", [])}, rules)
    files: dict[str, Path | bytes] = {path.relative_to(folder).as_posix(): path for path in paths}
    card = _with_repo_id((folder / CARD).read_text("utf-8"), folder.resolve().name, repo_id)
    if license:
        card = card.replace("\nlicense: other\n", f"\nlicense: {license}\n", 1)
    files[CARD] = card.encode()
    check_secrets(files, rules.secret_in)
    summary = f"{plural(report['rows'], 'row')} for {report['format']}"
    return Push("dataset", summary, files, [], (CARD, REPORT), OWNED)


def _with_repo_id(card: str, name: str, repo_id: str) -> str:
    """The card with the repository in its heading and in the lines that load it, instead of the folder's name."""
    title = repo_id.split("/")[-1]
    for before, after in (
        (f"\npretty_name: {name}\n", f"\npretty_name: {title}\n"),
        (f"# {markdown(name)}\n", f"# {markdown(title)}\n"),
    ):
        card = card.replace(before, after, 1)
    for before, after in (("dataset_name: ", "\n"), ("--data ", "`"), ('load_dataset("', '"')):
        card = card.replace(f"{before}{name}{after}", f"{before}{repo_id}{after}")
    return card


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)
