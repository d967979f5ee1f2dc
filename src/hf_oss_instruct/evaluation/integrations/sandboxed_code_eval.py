"""The metric for `evaluate.load(hf_oss_instruct.metric_path())`, which copies this file; the implementation is in `metric.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate

from hf_oss_instruct.evaluation.integrations.metric import code_eval


class SandboxedCodeEval(evaluate.Metric):
    """pass@k of Python programs in the sandbox."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="pass@k of Python programs by their tests, as code_eval, with every program in a sandbox.",
            citation="arXiv 2107.03374",
            inputs_description=code_eval.__doc__ or "",
            features=datasets.Features(
                {"predictions": datasets.Sequence(datasets.Value("string")), "references": datasets.Value("string")}
            ),
            homepage="https://arxiv.org/abs/2107.03374",
        )

    def _compute(
        self,
        predictions: Sequence[Sequence[str]],
        references: Sequence[str],
        k: Sequence[int] | int = (1, 10, 100),
        num_workers: int = 4,
        timeout: float = 3.0,
    ) -> Any:
        return code_eval(predictions, references, k, num_workers, timeout)
