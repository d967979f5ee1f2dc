"""A language that cannot be judged here is said so, with the line that installs it."""

from __future__ import annotations

import pytest

from hf_oss_instruct.evaluation import preflight
from hf_oss_instruct.evaluation.benchmarks.multipl_e import KEYS
from hf_oss_instruct.evaluation.preflight import PROBES, toolchain_of, why_unavailable


def test_python_can_always_be_judged() -> None:
    assert why_unavailable("python") is None


@pytest.mark.parametrize("language", sorted(set(KEYS.values()) - {"swift", "scala", "julia", "d"}))
def test_each_language_can_be_judged_or_says_why_not(language: str) -> None:
    trouble = why_unavailable(language)
    if trouble:
        assert "nstall it with: " in trouble or "cannot be run" in trouble
        pytest.skip(trouble)
    assert toolchain_of(language).count("/")  # the executable, so that another one makes other keys


def test_a_missing_test_library_is_named_and_is_no_failed_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROBES, "javascript", "require('a-library-that-nobody-has')")
    trouble = preflight.why_unavailable.__wrapped__("javascript")
    assert trouble
    assert "a-library-that-nobody-has" in trouble or "not installed" in trouble
    assert "nstall it with: " in trouble


def test_a_language_without_rules_is_not_graded() -> None:
    assert "cannot be run" in (why_unavailable("haskell") or "")
