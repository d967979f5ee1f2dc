"""Build the dataset repository of a run: Parquet files, card, run config, and a notice of whose code it quotes."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
from jinja2 import TemplateError

from hf_oss_instruct.data import Row
from hf_oss_instruct.display import markdown
from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.publishing.cards import CONFIGS, dataset_card
from hf_oss_instruct.publishing.dataset_info import dataset_info
from hf_oss_instruct.publishing.hub import CARD, Push
from hf_oss_instruct.publishing.report import FOLDER, NUMBERS, PublishedReport
from hf_oss_instruct.publishing.report import OWNED as OWNED_REPORT
from hf_oss_instruct.publishing.scan import check_regular_files, check_secrets, rows_of, secret_of
from hf_oss_instruct.publishing.space import check_space, space_push
from hf_oss_instruct.publishing.terms import Terms, terms_of
from hf_oss_instruct.run_report import RUN_REPORT, RunReport, read_run_report
from hf_oss_instruct.structured import checked, load_yaml, matching

CONFIG = "oss_instruct.yaml"
OWNED = (*(f"{folder}/" for folder in CONFIGS.values()), *OWNED_REPORT)
SAMPLES = 3
REPORTED: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("kept", "requested", "pending", "requests_sent"), int),
    **dict.fromkeys(("rejected", "versions", "tokens"), dict),
    **dict.fromkeys(("teacher", "prompt_hash", "started"), str),
    "checks": list,
}
"""Keys of `run.json` that the card needs, and their types."""
READ = ("seed", "problem", "solution", "lang", "licenses", "repo_name", "seed_dataset", "file_path", "start_line", "end_line")


@dataclass(frozen=True)
class Rules:
    """Conditions for publishing a dataset, unless its owner overrides them.

    Attributes:
        secret_in: text and its language → the kind of secret it contains, or None.
        may_be_shown: a row's licenses, as its source states them → whether its source code may be redistributed.
        allow_unchecked: publish even if a check did not run.
        allow_any_license: publish source code whose license is unknown or forbids redistribution.
    """

    secret_in: Callable[[str, str], str | None]
    may_be_shown: Callable[[list[str] | None], bool]
    allow_unchecked: bool = False
    allow_any_license: bool = False


@dataclass
class _Facts:
    """Facts about the rows, counted in one pass."""

    languages: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    repositories: dict[str, Counter[str]] = field(default_factory=dict)
    sources: Counter[str] = field(default_factory=Counter)
    samples: list[Row] = field(default_factory=list)
    not_to_show: int = 0


def is_run(folder: Path) -> bool:
    """Whether a folder was written by `synthesize` or `export`."""
    return (folder / RUN_REPORT).is_file() and (folder / CONFIG).is_file()


def dataset_push(
    folder: Path,
    rules: Rules,
    *,
    prompt: str,
    repo_id: str,
    with_seeds: bool = True,
    with_rejected: bool = False,
    license: str | None = None,
    recipes: Mapping[str, str] | None = None,
    report_of: Callable[[Mapping[str, Path | bytes]], PublishedReport] | None = None,
    space: str | None = None,
) -> Push:
    """Build the dataset repository of a run's folder.

    Args:
        folder: `--out` of `synthesize`. While the run is still going on, the dataset is marked as partial.
        rules: conditions for publishing.
        prompt: the full prompt template.
        repo_id: the repository, for the code in the card that loads it.
        with_seeds: include the snippets; otherwise only their location (repository, file, lines).
        with_rejected: include rejected rows, except those that are denied, contain a secret or may not be redistributed.
        license: the Hub's identifier of the dataset's license; by default that of the terms its snippets carry, or `other`.
        recipes: training recipes to include, name → YAML.
        report_of: the tables and `run.json`, as published → their report; None for a dataset without one.
        space: a Space to show the report in, `namespace/name`.

    Raises:
        PublishError: the folder is not a run, or a condition is not met.
    """
    shards = {name: sorted((folder / name).glob("train-*.parquet")) for name in CONFIGS.values()}
    if is_run(folder):
        check_regular_files(
            folder, [folder / RUN_REPORT, folder / CONFIG, *(path for paths in shards.values() for path in paths)]
        )
    report, config = _read(folder)
    if not report["kept"]:
        raise PublishError(f"{str(folder)!r} has no rows yet. Continue the run with the same synthesize command.")
    check_checks(report, rules)
    facts = _facts(folder, rules, with_seeds)
    if facts.not_to_show and with_seeds and not rules.allow_any_license:
        raise PublishError(
            f"{facts.not_to_show:,} rows quote code whose license is unknown or forbids redistribution. Leave the snippets out "
            "with --no-seeds, or pass --allow-any-license if you have the right."
        )
    terms = _terms(facts) if with_seeds else None
    if space:
        check_space(space, repo_id, terms)
    files: dict[str, Path | bytes] = {name: folder / name for name in (RUN_REPORT, CONFIG)}
    files |= {f"recipes/{name}.yaml": text.encode() for name, text in (recipes or {}).items()}
    for path in shards["data"]:
        files[f"data/{path.name}"] = path if with_seeds else _parquet(_without_seeds(pq.read_table(path)))
    files |= {f"{name}/{path.name}": path for name in ("sft", "preference") for path in shards[name]}
    withheld = Counter[str]()
    for path in shards["rejected"] if with_rejected and report["rejected"] else ():
        table, left_out = _shown(path, rules, with_seeds)
        withheld += left_out
        if len(table):
            files[f"rejected/{path.name}"] = path if with_seeds and not left_out else _parquet(table)
    made = report_of(_tables(files)) if report_of else PublishedReport()
    files |= made.files
    card = _card(
        folder,
        name=repo_id.split("/")[-1],
        repo_id=repo_id,
        license=license,
        terms=terms,
        report=report,
        config=config,
        prompt=prompt,
        languages=dict(facts.languages.most_common()),
        licenses=dict(facts.licenses.most_common()),
        samples=facts.samples,
        configs=[name for name, place in CONFIGS.items() if any(path.startswith(f"{place}/") for path in files)],
        with_seeds=with_seeds,
        recipes=list(recipes or {}),
        pictures=made.pictures,
        space=space,
        info=[dataset_info(name, place, files) for name, place in CONFIGS.items()],
    )
    notice = _notice(facts).encode()
    files |= {CARD: card.encode(), "NOTICE.md": notice}
    check_secrets(files, rules.secret_in)
    partial = f", {report['pending']:,} of {report['requested']:,} seeds pending" if report["pending"] else ""
    summary = f"{report['kept']:,} rows by {report['teacher']}{partial}"
    gated = terms is not None and terms.gate is not None
    notes = _notes(report, facts, with_seeds, terms, withheld)
    compared = (CARD, RUN_REPORT, *(name for name in made.files if name == f"{FOLDER}/{NUMBERS}"))
    shown = space_push(made, dataset=repo_id, facts=report, notice=notice) if space else None
    return Push("dataset", summary, files, notes, compared, OWNED, gated=gated, space=shown)


def _tables(files: Mapping[str, Path | bytes]) -> dict[str, Path | bytes]:
    return {name: content for name, content in files.items() if name == RUN_REPORT or name.startswith(("data/", "rejected/"))}


def _card(folder: Path, **facts: Any) -> str:
    """Render the card.

    Raises:
        PublishError: the report lacks something that the card needs.
    """
    try:
        return dataset_card(**facts)
    except (TemplateError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable(folder, error) from error


def _unreadable(folder: Path, error: Exception) -> PublishError:
    said = error if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return PublishError(f"The report in {str(folder)!r} cannot be read ({said}). Run the same synthesize again.")


def _terms(facts: _Facts) -> Terms | None:
    """The terms of the snippets' source; if there are several, those that require gating."""
    found = [terms for source in facts.sources if (terms := terms_of(source))]
    return next((terms for terms in found if terms.gate), found[0] if found else None)


def _read(folder: Path) -> tuple[RunReport, dict[str, Any]]:
    if not is_run(folder):
        raise PublishError(f"{str(folder)!r} is not a run: it has no {RUN_REPORT} and {CONFIG}. Pass the --out of synthesize.")
    try:
        report = read_run_report(folder, REPORTED)
        for check in report["checks"]:
            checked(check, {"name": str, "status": str}, "a check")
        checked(report["rejected"], dict.fromkeys(report["rejected"], int), "'rejected'")
        matching(report.get("teachers", {}), {...: {"share": (int, float), "rows": int}}, "'teachers'")
        config = checked(load_yaml((folder / CONFIG).read_text("utf-8")), {"seeds": dict}, CONFIG)
        checked(config["seeds"], {"dataset": str}, f"{CONFIG}, seeds")
    except (ValueError, OSError) as error:
        raise _unreadable(folder, error) from error
    return report, config


def check_checks(report: Mapping[str, Any], rules: Rules) -> None:
    """Check that every check of a run was done.

    Raises:
        PublishError: one was not, and the rules do not allow that.
    """
    undone = [check for check in report["checks"] if check["status"] not in ("done", "unavailable")]
    if undone and not rules.allow_unchecked:
        what = "; ".join(f"{check['name']} ({check.get('why', 'no reason given')})" for check in undone)
        raise PublishError(
            f"Some checks did not run: {what}. Run them with curate, or pass --allow-unchecked, which the card then mentions."
        )


def _facts(folder: Path, rules: Rules, with_seeds: bool) -> _Facts:
    facts = _Facts()
    for row in _rows(folder / "data"):
        facts.languages[row["lang"]] += 1
        facts.licenses.update(row["licenses"] or ["not stated"])
        facts.sources[row["seed_dataset"]] += 1
        where = row["repo_name"] or row["seed_dataset"] or "unknown"
        facts.repositories.setdefault(where, Counter()).update(row["licenses"] or ["not stated"])
        facts.not_to_show += not rules.may_be_shown(row["licenses"])
        if len(facts.samples) < SAMPLES:
            facts.samples.append(cast(Row, row if with_seeds else row | {"seed": ""}))
    return facts


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("train-*.parquet")):
        for _, table in rows_of(str(path), path):
            if missing := [name for name in READ if name not in table.column_names]:
                raise PublishError(f"{str(path)!r} has no column {missing[0]!r}. Run the same synthesize again.")
            yield from table.select(list(READ)).to_pylist()


def _shown(path: Path, rules: Rules, with_seeds: bool) -> tuple[pa.Table, Counter[str]]:
    """The publishable rejected rows of a file, and how many others there are by reason."""
    whole = pa.concat_tables(table for _, table in rows_of(str(path), path))
    table = whole if with_seeds else _without_seeds(whole)
    withheld, keep = Counter[str](), []
    for row in table.to_pylist():
        why = None
        if row.get("reason") == "denied":
            why = "denied"
        elif secret_of(row, rules.secret_in):
            why = "with a secret"
        elif with_seeds and not rules.allow_any_license and not rules.may_be_shown(row.get("licenses")):
            why = "whose license is unknown or forbids it"
        withheld.update([why] if why else [])
        keep.append(why is None)
    return table.filter(pa.array(keep, pa.bool_())), withheld


def _without_seeds(table: pa.Table) -> pa.Table:
    """The same rows with empty snippets."""
    for name in {"seed", "received"} & set(table.column_names):
        empty = pa.array(["" if name == "seed" else None] * len(table), pa.string())
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), empty)
    return table


def _parquet(table: pa.Table) -> bytes:
    """A table as a Parquet file. Equal rows yield equal bytes, so a repeated upload is recognized."""
    with tempfile.TemporaryFile() as file:
        pq.write_table(table, file, compression="zstd", use_content_defined_chunking=True, write_page_index=True)
        file.seek(0)
        return file.read()


def _notice(facts: _Facts) -> str:
    lines = [
        f"| {markdown(name)} | {markdown(', '.join(licenses))} | {licenses.total():,} |"
        for name, licenses in sorted(facts.repositories.items())
    ]
    head = "# Sources\n\nThe seed snippets of this dataset come from these sources and remain under their licenses:\n\n"
    return head + "| source | licenses, as stated by the source | mentions in rows |\n|---|---|---|\n" + "\n".join(lines) + "\n"


def _notes(report: RunReport, facts: _Facts, with_seeds: bool, terms: Terms | None, withheld: Mapping[str, int]) -> list[str]:
    notes = [f"not done: {check['name']} ({check.get('why', '')})" for check in report["checks"] if check["status"] != "done"]
    if report["pending"]:
        notes.append(f"partial: {report['pending']:,} of {report['requested']:,} seeds have no answer yet")
    if with_seeds:
        notes.append(
            "snippets of source code are included verbatim, under the licenses in NOTICE.md (--no-seeds leaves them out)"
        )
        if facts.not_to_show:
            notes.append(
                f"{facts.not_to_show:,} of them have an unknown license or one that forbids it: --no-seeds leaves them out"
            )
    notes += [f"withheld from rejected/: {count:,} rows {why}" for why, count in withheld.items()]
    if terms:
        gate = "; readers must accept them first (the repository is gated)" if terms.gate else ""
        notes.append(f"the terms of {terms.source} apply to the snippets: {terms.link}{gate}")
    return notes
