"""Conditions for publishing a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hf_oss_instruct.errors import PublishError


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


def check_checks(report: Mapping[str, Any], rules: Rules) -> None:
    """Check that every check of a run was done.

    Raises:
        PublishError: one was not, and the rules do not allow that.
    """
    # A check that was unavailable could not have run, so it was not left out.
    undone = [check for check in report["checks"] if check["status"] not in ("done", "unavailable")]
    if undone and not rules.allow_unchecked:
        what = "; ".join(f"{check['name']} ({check.get('why', 'no reason given')})" for check in undone)
        raise PublishError(
            f"Some checks did not run: {what}. Run them with curate, or pass --allow-unchecked, which the card then mentions."
        )
