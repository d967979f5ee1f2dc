"""Build the dataset repository of a run: Parquet files, card, run config, and a notice of whose code it quotes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from jinja2 import TemplateError

from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.publishing.cards.dataset_card import CONFIGS, dataset_card
from hf_oss_instruct.publishing.cards.dataset_info import dataset_info
from hf_oss_instruct.publishing.cards.terms import Terms, terms_of
from hf_oss_instruct.publishing.dataset_rows import RowFacts, as_parquet, row_facts, shown_rows, without_seeds
from hf_oss_instruct.publishing.hub import CARD, Push
from hf_oss_instruct.publishing.report import FOLDER, NUMBERS, PublishedReport
from hf_oss_instruct.publishing.report import OWNED as OWNED_REPORT
from hf_oss_instruct.publishing.rules import Rules, check_checks
from hf_oss_instruct.publishing.scan import check_regular_files, check_secrets
from hf_oss_instruct.publishing.space import check_space, space_push
from hf_oss_instruct.storage.run_report import RUN_REPORT, RunReport, missing_tables, read_run_report
from hf_oss_instruct.structured import checked, load_yaml, matching
from hf_oss_instruct.terminal.display import markdown, plural

CONFIG = "oss_instruct.yaml"
OWNED = (*(f"{folder}/" for folder in CONFIGS.values()), *OWNED_REPORT)
REPORTED: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("kept", "requested", "pending", "requests_sent"), int),
    **dict.fromkeys(("rejected", "versions", "tokens"), dict),
    **dict.fromkeys(("teacher", "prompt_hash", "started"), str),
    "checks": list,
}
"""Keys of `run.json` that the card needs, and their types."""


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
        folder: `--out` of `synthesize`. While the run is still in progress, the dataset is marked as partial.
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
    # Before anything is read: a link may lead to a file that is not meant to be published.
    if is_run(folder):
        check_regular_files(
            folder, [folder / RUN_REPORT, folder / CONFIG, *(path for paths in shards.values() for path in paths)]
        )
    report, config = _read(folder)
    if not report["kept"]:
        raise PublishError(f"{str(folder)!r} has no rows yet. Continue the run with the same synthesize command.")
    check_checks(report, rules)
    facts = row_facts(folder, rules, with_seeds)
    if facts.not_to_show and with_seeds and not rules.allow_any_license:
        raise PublishError(
            f"{facts.not_to_show:,} rows quote code whose license is unknown or forbids redistribution. Leave the snippets out "
            "with --no-seeds, or pass --allow-any-license if you have the right."
        )
    # Terms are about the snippets: without these there is nothing to accept.
    terms = _terms(facts) if with_seeds else None
    if space:
        check_space(space, repo_id, terms)
    files: dict[str, Path | bytes] = {name: folder / name for name in (RUN_REPORT, CONFIG)}
    files |= {f"recipes/{name}.yaml": text.encode() for name, text in (recipes or {}).items()}
    for path in shards["data"]:
        files[f"data/{path.name}"] = path if with_seeds else as_parquet(without_seeds(pq.read_table(path)))
    files |= {f"{name}/{path.name}": path for name in ("sft", "preference") for path in shards[name]}
    withheld = Counter[str]()
    for path in shards["rejected"] if with_rejected and report["rejected"] else ():
        table, left_out = shown_rows(path, rules, with_seeds)
        withheld += left_out
        if len(table):
            files[f"rejected/{path.name}"] = path if with_seeds and not left_out else as_parquet(table)
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
        configs=[name for name, inner in CONFIGS.items() if any(path.startswith(f"{inner}/") for path in files)],
        with_seeds=with_seeds,
        recipes=list(recipes or {}),
        pictures=made.pictures,
        space=space,
        info=[dataset_info(name, inner, files) for name, inner in CONFIGS.items()],
    )
    notice = _license_notice(facts).encode()
    files |= {CARD: card.encode(), "NOTICE.md": notice}
    # Last, so that everything is scanned in the form in which it will be sent, the card included.
    check_secrets(files, rules.secret_in)
    partial = f", {report['pending']:,} of {report['requested']:,} seeds pending" if report["pending"] else ""
    summary = f"{plural(report['kept'], 'row')} by {report['teacher']}{partial}"
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
    reason = error if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return PublishError(f"The report in {str(folder)!r} cannot be read ({reason}). Run the same synthesize command again.")


def _terms(facts: RowFacts) -> Terms | None:
    """The terms of the snippets' source; if there are several, those that require gating."""
    known_terms = [terms for source in facts.sources if (terms := terms_of(source))]
    return next((terms for terms in known_terms if terms.gate), known_terms[0] if known_terms else None)


def _read(folder: Path) -> tuple[RunReport, dict[str, Any]]:
    if not is_run(folder):
        raise PublishError(
            f"{str(folder)!r} is not a run: it has no {RUN_REPORT} and {CONFIG}. Pass a folder that synthesize wrote."
        )
    if reason := missing_tables(folder):
        raise PublishError(reason)
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


def _license_notice(facts: RowFacts) -> str:
    lines = [
        f"| {markdown(name)} | {markdown(', '.join(licenses))} | {licenses.total():,} |"
        for name, licenses in sorted(facts.repositories.items())
    ]
    head = "# Sources\n\nThe seed snippets of this dataset come from these sources and remain under their licenses:\n\n"
    return head + "| source | licenses, as stated by the source | mentions in rows |\n|---|---|---|\n" + "\n".join(lines) + "\n"


def _notes(report: RunReport, facts: RowFacts, with_seeds: bool, terms: Terms | None, withheld: Mapping[str, int]) -> list[str]:
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
    notes += [f"withheld from rejected/: {plural(count, 'row')} {reason}" for reason, count in withheld.items()]
    if terms:
        gate = "; readers must accept them first (the repository is gated)" if terms.gate else ""
        notes.append(f"the terms of {terms.source} apply to the snippets: {terms.link}{gate}")
    return notes
