"""Statistics of scores for `run.json`: means, agreement of judges, position bias, and comparison with test results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.extras import install_command, missing_packages
from hf_oss_instruct.methods.judging.rubric import Rubric

TESTED_STATUSES = ("passed", "tests_failed", "tests_flaky")
"""Values of `execution_status` of rows whose solution was run with tests."""


def require_libraries(judges: int, statuses: Sequence[Any]) -> None:
    """Check that the libraries which compute the statistics are installed, before a request is sent.

    Args:
        judges: their number; agreement of several needs nltk.
        statuses: `execution_status` of the rows; comparison with test results needs scikit-learn and scipy.

    Raises:
        UsageError: some are not.
    """
    needed = {"nltk": "nltk"} if judges > 1 else {}
    if any(status in TESTED_STATUSES for status in statuses):
        needed |= {"scikit-learn": "sklearn", "scipy": "scipy"}
    if missing := missing_packages(needed):
        raise UsageError(f"This judging needs {missing}: {install_command('judge')}")


def statistics(rubric: Rubric, judges: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The entry `judging` of `run.json`.

    Args:
        rubric: criteria and scale.
        judges: identities of the judges.
        rows: every judged row, kept or not: `seed_id`, the columns of judging, `judges_failed`, and where rows were verified
            `execution_status` and `pass_rate`.
    """
    scored = [row for row in rows if row["judge_scores"]]
    failed = Counter(judge for row in rows for judge, _ in row["judges_failed"])
    given = [
        (row["seed_id"], score["judge"], score["criterion"], score["score"]) for row in scored for score in row["judge_scores"]
    ]
    return {
        "rubric": rubric.as_dict(),
        "judges": {
            judge: {
                "scored": sum(judge in row["judge"] for row in scored),
                "unusable": failed[judge],
                "mean": _mean([score for _, by, _, score in given if by == judge]),
            }
            for judge in judges
        },
        "mean": _mean([row["judge_mean"] for row in scored]),
        "criteria": {
            criterion.name: {
                "mean": _mean(scores := [score for _, _, name, score in given if name == criterion.name]),
                "counts": {f"{score:g}": count for score, count in sorted(Counter(scores).items())},
            }
            for criterion in rubric.criteria
        },
        "agreement": agreement(rubric, judges, given),
        "positions": positions(rubric, given),
        "execution": execution(rubric, scored),
    }


def agreement(rubric: Rubric, judges: Sequence[str], given: Sequence[tuple[str, str, str, float]]) -> dict[str, Any]:
    """Krippendorff's alpha of the judges by criterion, with the interval metric: 1 is agreement, 0 is chance.

    Args:
        rubric: the criteria.
        judges: identities of the judges.
        given: (row, judge, criterion, score) of every score.

    Source:
        Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011; computed by nltk.
    """
    if len(judges) < 2:
        return {"alpha": None, "why": "there is one judge"}
    from nltk.metrics import AnnotationTask, interval_distance

    alpha: dict[str, float | None] = {}
    for criterion in rubric.criteria:
        scores = [(judge, row, score) for row, judge, name, score in given if name == criterion.name]
        # Alpha compares scores of the same row, so rows with the score of one judge say nothing.
        shared = {row for row, count in Counter(row for _, row, _ in scores).items() if count > 1}
        both = [(judge, row, score) for judge, row, score in scores if row in shared]
        alpha[criterion.name] = (
            round(float(AnnotationTask(both, distance=interval_distance).alpha()), 4) if len(shared) > 1 else None
        )
    return {"alpha": alpha, "metric": "interval"}


def positions(rubric: Rubric, given: Sequence[tuple[str, str, str, float]]) -> list[float | None]:
    """How much higher than its mean a criterion is scored at the first, second, … position of the prompt.

    The order is shuffled for each row and judge, so that the numbers are near 0 unless judges favor a position.
    """
    mean = {
        criterion.name: _mean([score for _, _, name, score in given if name == criterion.name]) or 0.0
        for criterion in rubric.criteria
    }
    differences_at: list[list[float]] = [[] for _ in rubric.criteria]
    orders: dict[tuple[str, str], dict[str, int]] = {}
    for row, judge, name, score in given:
        if (row, judge) not in orders:
            orders[row, judge] = {criterion.name: position for position, criterion in enumerate(rubric.order(row, judge))}
        differences_at[orders[row, judge][name]].append(score - mean[name])
    return [_mean(differences) for differences in differences_at]


def execution(rubric: Rubric, scored: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Agreement of scores with test results, for rows that were verified.

    `auc` is the chance that a row that passed its tests has a higher score than one that failed; `spearman` is the rank
    correlation of scores with the share of tests passed.
    """
    tested = [row for row in scored if row.get("execution_status") in TESTED_STATUSES]
    passed = [row["execution_status"] == "passed" for row in tested]
    facts: dict[str, Any] = {"rows": len(tested), "passed": sum(passed)}
    if not tested:
        return facts | {"why": "no judged row was verified"}
    scores = {"judge_mean": [row["judge_mean"] for row in tested]}
    for criterion in rubric.criteria:
        scores[criterion.name] = [
            fmean(s["score"] for s in row["judge_scores"] if s["criterion"] == criterion.name) for row in tested
        ]
    rates = [row.get("pass_rate") for row in tested]
    return facts | {
        "auc": {name: _auc(passed, values) for name, values in scores.items()},
        "spearman": {name: _spearman(rates, values) for name, values in scores.items()},
    }


def _auc(passed: Sequence[bool], scores: Sequence[float]) -> float | None:
    """None if all rows passed, or none did."""
    # The area is undefined without both outcomes.
    if len(set(passed)) < 2:
        return None
    from sklearn.metrics import roc_auc_score

    return round(float(roc_auc_score(passed, scores)), 4)


def _spearman(rates: Sequence[float | None], scores: Sequence[float]) -> float | None:
    """None if either has fewer than two values."""
    both = [(rate, score) for rate, score in zip(rates, scores, strict=True) if rate is not None]
    if len({rate for rate, _ in both}) < 2 or len({score for _, score in both}) < 2:
        return None
    from scipy.stats import spearmanr

    return round(float(spearmanr(*zip(*both, strict=True)).statistic), 4)


def _mean(numbers: Sequence[float]) -> float | None:
    return round(fmean(numbers), 4) if numbers else None
