"""Options of `judge`: judges, rubric, and which rows are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hf_oss_instruct.spec.declare import Interface, documented, normalize, option
from hf_oss_instruct.spec.option_types import File, Number, Repeated

_BOTH = Interface.COMMAND | Interface.PYTHON


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingSpec:
    """How rows are judged."""

    judges: Sequence[Any] = option(
        (),
        Repeated(),
        "Model that judges; repeat the flag for several judges. Default: --model. --base-url MODEL=URL sets its server.",
        python_help="Teachers that judge.",
        flag="--judge",
        metavar="MODEL",
        set_by=_BOTH,
    )
    rubric: Any = option(
        None,
        File(),
        "YAML with scale, criteria and weights. Default: clarity, correctness, self-containedness, usefulness, difficulty.",
        flag="--rubric",
        metavar="FILE",
        set_by=_BOTH,
    )
    min_judge_mean: float | None = option(
        None,
        Number(float("-inf")),
        "Reject rows with a lower weighted mean score, as judged_low. Default: keep all.",
        flag="--min-judge-mean",
        yaml="min_judge_mean",
        set_by=_BOTH,
    )

    def __post_init__(self) -> None:
        normalize(self)
