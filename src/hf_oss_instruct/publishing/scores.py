"""Add scores to a model card: `model-index`, and `.eval_results/*.yaml` for benchmarks registered on the Hub."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from hf_oss_instruct.benchmarks.registry import BENCHMARKS
from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.hub import HUB_ID, client, commit_in, retried
from hf_oss_instruct.publishing.errors import hub_errors
from hf_oss_instruct.publishing.hub import CARD, Push, check_name, download
from hf_oss_instruct.publishing.scan import check_regular_files
from hf_oss_instruct.structured import checked, read_object
from hf_oss_instruct.terminal.display import error_message, markdown

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCard

RESULTS, VERDICTS = "results.json", "verdicts.jsonl"
EVAL_RESULTS = ".eval_results"
BEGIN, END = "<!-- scores: begin -->", "<!-- scores: end -->"
"""Delimit the table of scores in our cards; other cards get no table."""
KINDS = {"base": "the benchmark's own tests", "plus": "with the additional tests", "passed": "the benchmark's own tests"}
REPORTED: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("task", "version", "source"), str),
    **dict.fromkeys(("problems", "samples"), int),
    **dict.fromkeys(("scores", "facts"), dict),
}
"""Keys that `results.json` must have, and their types."""
HEADLINE = ("plus", "passed", "base")
"""Order of preference where only one score per benchmark can be stored."""


def is_results(folder: Path) -> bool:
    """Whether a folder was written by `score --out` or `evaluate --out`."""
    return bool(_tasks(folder))


def _tasks(folder: Path) -> list[Path]:
    """The folders with a task's results: the folder itself, or its subfolders."""
    return [path for path in (folder, *sorted(folder.glob("*/"))) if (path / RESULTS).is_file() and (path / VERDICTS).is_file()]


def read_results(folder: Path) -> list[dict[str, Any]]:
    """Read the scores in a folder, one entry per task, with the date of the file as `day` (YYYY-MM-DD).

    Raises:
        PublishError: the folder has no results, its run has not finished, or it has no score.
    """
    if not (folders := _tasks(folder)):
        raise PublishError(f"{str(folder)!r} has no {RESULTS} and {VERDICTS}. Pass a folder that score or evaluate wrote.")
    return list(map(_read, folders))


def _read(folder: Path) -> dict[str, Any]:
    check_regular_files(folder, [folder / RESULTS])
    try:
        results = read_object(folder / RESULTS)
        if results.get("pending") or results.get("scores") == {}:
            raise PublishError(f"{str(folder)!r} has no score yet. Run the same score command until it finishes.")
        _check(checked(results, REPORTED, RESULTS))
    except ValueError as error:
        raise PublishError(f"{str(folder / RESULTS)!r} cannot be used: {error}. Score again into a new folder.") from error
    made = datetime.fromtimestamp((folder / RESULTS).stat().st_mtime, UTC)
    return results | {"day": f"{made:%Y-%m-%d}"}


def _check(results: dict[str, Any]) -> None:
    """Check that scores are fractions within their intervals, and that facts have the types a card needs.

    Raises:
        ValueError: they do not.
    """
    for kind, measures in results["scores"].items():
        for measure, score in checked(measures, {}, kind).items():
            name = f"{kind}, {measure}"
            checked(score, dict.fromkeys(("mean", "low", "high", "problems"), (int, float)), name)
            # Rounded, because computed ends of an interval can miss the mean by the last bit.
            low, mean, high = (round(score[part], 6) for part in ("low", "mean", "high"))
            if not 0 <= low <= mean <= high <= 1:
                shown = f"low {low}, mean {mean}, high {high}"
                raise ValueError(f"{name}: {shown} are not fractions in this order")
    facts = results["facts"]
    if "sampling" in facts:
        checked(facts["sampling"], {"temperature": (int, float), "n": int}, "sampling")


def scores_push(
    folder: Path,
    repo_id: str,
    *,
    benchmark: str | None = None,
    revision: str = "main",
    token: str | None = None,
    endpoint: str | None = None,
) -> Push:
    """Build the update of a model card with the scores of a results folder. The rest of the card is unchanged.

    Args:
        folder: `--out` of `score` or `evaluate`.
        repo_id: the model.
        benchmark: `ns/dataset:task` of a benchmark that is registered on the Hub, for results of one task; adds a file in
            `.eval_results/`.
        revision: the branch; `main` is read if it does not exist yet.
        token: Hub token; the one you are logged in with by default.
        endpoint: URL of another Hub than huggingface.co.

    Raises:
        PublishError: the folder, the name or the model's card is invalid, or the Hub cannot be reached.
    """
    from huggingface_hub.errors import RemoteEntryNotFoundError, RepositoryNotFoundError

    check_name(repo_id)
    results, api = read_results(folder), client(token, endpoint)
    with hub_errors(repo_id):
        try:
            # A branch that does not exist yet will begin at main.
            base_revision = revision if retried(api.revision_exists, repo_id, revision) else "main"
            sha = commit_in(retried(api.model_info, repo_id, revision=base_revision))
            # At this commit, which is also the parent of the new one: nobody's change to the card gets lost.
            before = download(api, "model", repo_id, sha, CARD).decode()
        except (RepositoryNotFoundError, RemoteEntryNotFoundError) as error:
            what = "card" if isinstance(error, RemoteEntryNotFoundError) else "model"
            raise PublishError(f"No {what} found at {repo_id}. Publish the model first; scores are added to its card.") from error
    files: dict[str, Path | bytes] = {CARD: with_scores(before, results, repo_id).encode()}
    if benchmark:
        if len(results) > 1:
            raise PublishError(
                f"--benchmark is for a single task, and {str(folder)!r} has {len(results)}. Publish them one by one."
            )
        files[f"{EVAL_RESULTS}/{results[0]['task'].replace(':', '-')}.yaml"] = _entry(results[0], benchmark).encode()
    summary = "; ".join(
        f"{result.dataset_name} {result.metric_name} {100 * result.metric_value:.1f}" for result in model_index(results)
    )
    notes = [note for found in results for note in _notes(found)]
    return Push("model", f"Scores: {summary}", files, notes, tuple(files), parent=sha, update_only=True)


def with_scores(card: str, results: Sequence[dict[str, Any]], name: str) -> str:
    """Add scores to a card's `model-index`, and to its table if it has one.

    Scores of the same benchmark, revision and metric are replaced; the rest of the card is unchanged.

    Args:
        card: the README.md.
        results: contents of `results.json` files.
        name: name of the model if the card has none.

    Raises:
        PublishError: the card's own `model-index` cannot be read.
    """
    from huggingface_hub import ModelCard

    try:
        read = ModelCard(card)
    except (ValueError, yaml.YAMLError) as error:
        raise PublishError(f"The model's card cannot be read: {error_message(error)}. Fix it first.") from error
    fresh = model_index(results)
    known = [entry for entry in read.data.get("eval_results") or () if _identity(entry) not in set(map(_identity, fresh))]
    read.data["eval_results"] = [*known, *fresh]
    read.data["model_name"] = read.data.get("model_name") or name.split("/")[-1]
    _put_table(read)
    return str(read)


def model_index(results: Sequence[dict[str, Any]]) -> list[EvalResult]:
    """Convert results to entries of a `model-index`. Values are fractions, as pass@k is defined."""
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type="text-generation",
            task_name="Code generation",
            dataset_type=found["source"] if HUB_ID.fullmatch(found["source"]) else Path(found["source"]).name,
            dataset_name=_title(found["task"]),
            dataset_config=found["task"],
            dataset_revision=found["version"],
            metric_type=measure,
            metric_name=f"{measure} ({kind})",
            metric_value=round(score["mean"], 6),
            metric_args={
                "interval_95": [round(score["low"], 6), round(score["high"], 6)],
                "problems": int(score["problems"]),
                "of": found["problems"],
                "how": how(found, kind),
            },
            verified=False,
        )
        for found in results
        for kind, measures in found["scores"].items()
        for measure, score in measures.items()
    ]


def how(results: dict[str, Any], kind: str) -> str:
    """Describe in one line how a score was measured."""
    facts, base = results["facts"], kind.removesuffix(" without")
    tests = KINDS.get(base, base) + (", without the problems that the training set quotes" if kind != base else "")
    summary = [tests, f"{results['samples']} samples"]
    if "model" in facts:
        revision = f" at {facts['revision']}" if facts.get("revision") else ""
        summary.append(f"{facts['model']}{revision}, style {facts.get('style')}")
    if sampling := facts.get("sampling"):
        summary.append(f"temperature {sampling['temperature']:g}, n = {sampling['n']}")
    made = f"hf-oss-instruct {facts.get('hf_oss_instruct', 'of an unknown version')}"
    return "; ".join([*summary, f"judged by {made} in the sandbox {facts.get('sandbox', 'unknown')}"])


def _identity(result: EvalResult) -> tuple[Any, ...]:
    return (*result.unique_identifier, result.metric_type, result.metric_name)


def _title(task: str) -> str:
    name, _, language = task.partition(":")
    title = BENCHMARKS[name].title if name in BENCHMARKS else name
    return title + (f" ({language})" if language else "")


def _put_table(card: ModelCard) -> None:
    if BEGIN not in card.text or END not in card.text:
        return
    ours = {"interval_95", "problems", "of", "how"}  # our keys; entries of others are only in model-index
    rows = [entry for entry in card.data.get("eval_results") or () if ours <= set(entry.metric_args or ())]
    lines = ["| benchmark | measure | score | 95 % interval | problems | how |", "|---|---|--:|--:|--:|---|"]
    for row in rows:
        low, high = row.metric_args["interval_95"]
        cells = [row.dataset_name, row.metric_name, f"{100 * row.metric_value:.1f}", f"{100 * low:.1f}–{100 * high:.1f}"]
        cells += [f"{row.metric_args['problems']} of {row.metric_args['of']}", row.metric_args["how"]]
        lines.append(f"| {' | '.join(map(markdown, cells))} |")
    table = "\n".join([BEGIN, "", *lines, "", END])
    # A function, since backslashes in a replacement text would be escapes.
    card.text = re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: table, card.text, count=1, flags=re.S)


def _entry(results: dict[str, Any], benchmark: str) -> str:
    """One file of `.eval_results/`: a single value, in percent as in the Hub's own examples, and how it was measured."""
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    dataset, _, task = benchmark.partition(":")
    if dataset.count("/") != 1 or not task:
        raise PublishError(
            f"--benchmark {benchmark!r} has no task. Write it as NS/DATASET:TASK, as the benchmark's eval.yaml does."
        )
    kind = next((kind for kind in HEADLINE if "pass@1" in results["scores"].get(kind, {})), None)
    if kind is None:
        raise PublishError(f"{results['task']} has no pass@1, the only value that .eval_results/ stores. Score it with a k of 1.")
    score = results["scores"][kind]["pass@1"]
    entry = EvalResultEntry(
        dataset_id=dataset,
        task_id=task,
        value=round(100 * score["mean"], 2),
        date=results["day"],
        notes=f"pass@1 in percent, 95 % {100 * score['low']:.1f}–{100 * score['high']:.1f}; {how(results, kind)}",
    )
    text: str = yaml.safe_dump(eval_result_entries_to_yaml([entry]), sort_keys=False, allow_unicode=True)
    return text


def _notes(results: dict[str, Any]) -> list[str]:
    notes = []
    if results.get("missing"):
        notes.append(f"{len(results['missing']):,} problems have no sample and are excluded from the score")
    if results.get("not_evaluated"):
        notes.append(f"{len(results['not_evaluated']):,} problems could not be judged and are excluded from the score")
    if results.get("contaminated") is None:
        notes.append("the training set was not searched for this benchmark's problems (--trained-on)")
    return [f"{results['task']}: {note}" for note in notes]
