"""What the folder of a run puts on the Hub: its parquet, a card, the config that made it, and whose code it quotes."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from hf_oss_instruct.data import Row
from hf_oss_instruct.display import markdown
from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.publishing.cards import CONFIGS, dataset_card
from hf_oss_instruct.publishing.dataset_info import dataset_info
from hf_oss_instruct.publishing.hub import CARD, Push
from hf_oss_instruct.publishing.terms import Terms, terms_of

REPORT, CONFIG = "run.json", "oss_instruct.yaml"
OWNS = tuple(f"{folder}/" for folder in CONFIGS.values())
SAMPLES = 3
SHOWN = 5
"""Rows with a secret that an error names."""
READ = ("seed", "problem", "solution", "lang", "licenses", "repo_name", "seed_dataset", "file_path", "start_line", "end_line")


@dataclass(frozen=True)
class Rules:
    """What must hold of a data set that is published, unless its owner says otherwise.

    Attributes:
        secret_in: text and its language → what secret it holds, None for none.
        may_be_shown: licences of a row, in the source's words → whether its source code may be passed on.
        allow_unchecked: publish although a check was not done.
        allow_any_license: publish source code whose licence is unknown or forbids it.
    """

    secret_in: Callable[[str, str], str | None]
    may_be_shown: Callable[[list[str] | None], bool]
    allow_unchecked: bool = False
    allow_any_license: bool = False


@dataclass
class _Facts:
    """What the rows say, counted in one pass."""

    languages: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    repositories: dict[str, Counter[str]] = field(default_factory=dict)
    sources: Counter[str] = field(default_factory=Counter)
    samples: list[Row] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    not_to_show: int = 0


def is_run(folder: Path) -> bool:
    """Whether a folder is one that `synthesize` or `export` wrote."""
    return (folder / REPORT).is_file() and (folder / CONFIG).is_file()


def data_set(
    folder: Path,
    rules: Rules,
    *,
    prompt: str,
    repo_id: str,
    with_seeds: bool = True,
    with_rejected: bool = False,
    license: str | None = None,
    recipes: Mapping[str, str] | None = None,
) -> Push:
    """What a run's folder shall be on the Hub.

    Args:
        folder: `--out` of a `synthesize`; it may still be running, the set is then marked as partial.
        rules: what must hold of it.
        prompt: the prompt template in full.
        repo_id: where it goes, for the lines of the card that load it.
        with_seeds: pass on the snippets; without, their place alone (repository, file, lines).
        with_rejected: pass on what was left out, too.
        license: the Hub's identifier of the licence that the set is under; by default that of the terms its snippets carry, or
            `other`.
        recipes: training recipes to lay beside it, name → YAML.

    Raises:
        PublishError: the folder is no run, or a rule does not hold.
    """
    report, config = _read(folder)
    if not report["kept"]:
        raise PublishError(f"{str(folder)!r} holds no rows yet. Run synthesize until it has some.")
    _check_checks(report, rules)
    facts = _facts(folder, rules, with_seeds)
    if facts.secrets:
        raise PublishError(
            f"Rows hold what looks like secrets: {'; '.join(facts.secrets[:SHOWN])}"
            f"{f' and {len(facts.secrets) - SHOWN:,} more' if len(facts.secrets) > SHOWN else ''}. Remove them with curate."
        )
    if facts.not_to_show and with_seeds and not rules.allow_any_license:
        raise PublishError(
            f"{facts.not_to_show:,} rows quote code whose licence is unknown or forbids passing it on. Leave the snippets out "
            "with --no-seeds, or say --allow-any-license if you have the right."
        )
    files: dict[str, Path | bytes] = {name: folder / name for name in (REPORT, CONFIG)}
    files |= {f"recipes/{name}.yaml": text.encode() for name, text in (recipes or {}).items()}
    for name in ("data", "sft", *(["rejected"] if with_rejected and report["rejected"] else [])):
        for path in sorted((folder / name).glob("train-*.parquet")):
            files[f"{name}/{path.name}"] = path if with_seeds or name == "sft" else _without_seeds(path)
    terms = _terms(facts) if with_seeds else None
    card = dataset_card(
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
        info=[dataset_info(name, place, files) for name, place in CONFIGS.items()],
    )
    files |= {CARD: card.encode(), "NOTICE.md": _notice(facts).encode()}
    partial = f", {report['pending']:,} of {report['requested']:,} seeds pending" if report["pending"] else ""
    summary = f"{report['kept']:,} rows by {report['teacher']}{partial}"
    gated = terms is not None and terms.gate is not None
    return Push("dataset", summary, files, _notes(report, facts, with_seeds, terms), (CARD, REPORT), OWNS, gated=gated)


def _terms(facts: _Facts) -> Terms | None:
    """The terms that go with the snippets; where there are several, those that gate."""
    found = [terms for source in facts.sources if (terms := terms_of(source))]
    return next((terms for terms in found if terms.gate), found[0] if found else None)


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    if not is_run(folder):
        raise PublishError(f"{str(folder)!r} is no run: it has no {REPORT} and {CONFIG}. Name the --out of a synthesize.")
    try:
        report, config = json.loads((folder / REPORT).read_text("utf-8")), yaml.safe_load((folder / CONFIG).read_text("utf-8"))
        report["kept"], report["checks"], config["seeds"]["dataset"]  # a run that never wrote its rows lacks these
    except (ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise PublishError(
            f"The report in {str(folder)!r} cannot be read ({type(error).__name__}: {error}). Run the same synthesize again."
        ) from error
    return report, config


def _check_checks(report: dict[str, Any], rules: Rules) -> None:
    undone = [check for check in report["checks"] if check["status"] not in ("done", "unavailable")]
    if undone and not rules.allow_unchecked:
        what = "; ".join(f"{check['name']} ({check.get('why', 'no reason given')})" for check in undone)
        raise PublishError(f"Not every check was done: {what}. Do them with curate, or say --allow-unchecked: the card tells.")


def _facts(folder: Path, rules: Rules, with_seeds: bool) -> _Facts:
    facts = _Facts()
    for number, row in enumerate(_rows(folder / "data")):
        facts.languages[row["lang"]] += 1
        facts.licenses.update(row["licenses"] or ["not stated"])
        facts.sources[row["seed_dataset"]] += 1
        where = row["repo_name"] or row["seed_dataset"] or "unknown"
        facts.repositories.setdefault(where, Counter()).update(row["licenses"] or ["not stated"])
        facts.not_to_show += not rules.may_be_shown(row["licenses"])
        for column in ("problem", "solution", *(["seed"] if with_seeds else [])):
            if secret := rules.secret_in(row[column], row["lang"]):
                facts.secrets.append(f"row {number:,}, {column}: {secret}")
        if len(facts.samples) < SAMPLES:
            facts.samples.append(cast(Row, row if with_seeds else row | {"seed": ""}))
    return facts


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("train-*.parquet")):
        try:
            with pq.ParquetFile(path) as table:
                for batch in table.iter_batches(1000, columns=list(READ)):
                    yield from batch.to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise PublishError(f"{str(path)!r} cannot be read: {error}. Run the same synthesize again.") from error


def _without_seeds(path: Path) -> bytes:
    """The same file with empty snippets; equal rows give equal bytes."""
    table = pq.read_table(path)
    for name in {"seed", "received"} & set(table.column_names):
        empty = pa.array(["" if name == "seed" else None] * len(table), pa.string())
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), empty)
    with tempfile.TemporaryFile() as file:
        pq.write_table(table, file, compression="zstd", use_content_defined_chunking=True, write_page_index=True)
        file.seek(0)
        return file.read()


def _notice(facts: _Facts) -> str:
    lines = [
        f"| {markdown(name)} | {markdown(', '.join(licenses))} | {licenses.total():,} |"
        for name, licenses in sorted(facts.repositories.items())
    ]
    head = "# Sources\n\nThe seed snippets of this data set come from, and stay under the licences of:\n\n"
    return head + "| source | licences, in the source's words | mentions in rows |\n|---|---|---|\n" + "\n".join(lines) + "\n"


def _notes(report: dict[str, Any], facts: _Facts, with_seeds: bool, terms: Terms | None) -> list[str]:
    notes = [f"not done: {check['name']} ({check.get('why', '')})" for check in report["checks"] if check["status"] != "done"]
    if report["pending"]:
        notes.append(f"partial: {report['pending']:,} of {report['requested']:,} seeds have no answer yet")
    if with_seeds:
        notes.append("snippets of source code are passed on verbatim, under the licences in NOTICE.md (or --no-seeds)")
        if facts.not_to_show:
            notes.append(
                f"{facts.not_to_show:,} of them are under a licence that is unknown or forbids it: --no-seeds leaves them out"
            )
    if terms:
        gate = "; readers must accept them first (the repository is gated)" if terms.gate else ""
        notes.append(f"the terms of {terms.source} go with the snippets: {terms.link}{gate}")
    return notes
