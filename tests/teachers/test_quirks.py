"""What comes of every quirk of `tests/support/quirks.py`: outcomes, words, tokens, requests, and the table in the docs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hf_oss_instruct.data import Completion, Outcome, Pending, Provenance, Rejection, Seed
from hf_oss_instruct.errors import OssInstructError
from hf_oss_instruct.spec.prompts import Prompt
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.budget import Usage
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.teachers.inference import InferenceTeacher
from hf_oss_instruct.teachers.parsing import parse
from tests.support.quirks import DRAFT, QUIRKS, Quirk, table
from tests.support.teacher import LocalTeacher, well_formed

DOCS = Path(__file__).parents[2] / "docs" / "teachers.md"
QUICK = RetryPolicy(tries=3, first_pause_s=0.0, longest_pause_s=0.0, deadline_s=0.5)
SAMPLING = Sampling(temperature=0.5, top_p=0.9, max_tokens=100)
FORMS = [(quirk, form) for quirk in QUIRKS for form in quirk.forms]


def seed(index: int) -> Seed:
    return Seed(f"x = {index}", 1, 1, Provenance("corpus", "v1", f"{index}.py", 0, "python"), "hash/1", 0, index=index)


def run(folder: Path, server: LocalTeacher) -> tuple[list[Outcome], OssInstructError | None, Usage]:
    """Two seeds against a server: what became of them, the error at the end, what was spent."""
    teacher, usage = InferenceTeacher("m", server.base_url), Usage()
    task = OssInstructTask(teacher, sampling=SAMPLING, keep_reasoning=True)

    async def collect() -> tuple[list[Outcome], OssInstructError | None, Usage]:
        found: list[Outcome] = []
        try:
            async for outcome in outcomes([seed(0), seed(1)], (task,), journal, concurrency=1, retry_policy=QUICK, usage=usage):
                found.append(outcome)
        except OssInstructError as error:
            return found, error, usage
        return found, None, usage

    with Journal(folder) as journal:
        return asyncio.run(asyncio.wait_for(collect(), 30))


def what(outcome: Outcome) -> str:
    if isinstance(outcome, Rejection):
        return f"rejected: {outcome.reason}"
    return "pending" if isinstance(outcome, Pending) else "kept"


def words(found: list[Outcome], error: Exception | None) -> str:
    """All that whoever runs it gets to read."""
    whys = [outcome.detail if isinstance(outcome, Rejection) else getattr(outcome, "why", "") for outcome in found]
    return " ".join([str(error), *whys])


@pytest.mark.parametrize(("quirk", "form"), FORMS, ids=[f"{quirk.does}-{form}" for quirk, form in FORMS])
def test_a_quirk_has_its_outcome(quirk: Quirk, form: str, tmp_path: Path) -> None:
    with LocalTeacher(quirk.forms[form]()) as server:
        found, error, usage = run(tmp_path, server)
        again, _, _ = run(tmp_path, server) if not error and "pending" not in quirk.comes else (found, None, usage)
    assert found
    expected = list(quirk.comes) * (2 // len(quirk.comes))
    assert ([what(outcome) for outcome in found][: len(expected)], bool(error)) == (expected[: len(found)], quirk.stops), error
    assert quirk.says in words(found, error)
    assert usage.prompt_tokens + usage.completion_tokens == quirk.tokens
    assert again == found  # and nothing was asked again
    assert quirk.requests in (None, len(server.requests)), len(server.requests)
    for outcome in found:
        if isinstance(outcome, dict):  # the pair of the plain answer, whatever came around it
            pair = parse(Completion(well_formed(list(Prompt.default().messages(outcome["seed"]))), "stop"))
            assert (outcome["problem"], outcome["solution"]) == (pair.problem, pair.solution)
            thinks = any(word in f"{quirk.does} {form}" for word in ("think", "reasons", "reasoning"))
            assert (DRAFT[:30] in (outcome["reasoning"] or "")) == thinks


def test_the_docs_have_the_table() -> None:
    assert table() in DOCS.read_text("utf-8"), f"Regenerate it: python -m {__name__}"


if __name__ == "__main__":
    before, _, rest = DOCS.read_text("utf-8").partition("| the server |")
    DOCS.write_text(before + table() + rest[rest.index("\n\n") + 1 :], "utf-8")
