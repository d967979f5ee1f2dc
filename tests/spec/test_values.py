"""Values that a program passes for the options of a run: what is allowed, and what the refusal of the others says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from fractions import Fraction
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_oss_instruct import (
    Checks,
    CommentFunctionTeacher,
    OssInstruct,
    RunLimits,
    Sampling,
    read_seeds,
    synthesize,
    synthesize_to_disk,
)
from hf_oss_instruct.errors import TeacherError, UsageError
from hf_oss_instruct.spec.evolution import EvolutionSpec
from hf_oss_instruct.spec.name_types import filter_names
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.spec.verification import VerificationSpec

TEACHER_VALUES = [
    ({"concurrency": 0}, "concurrency must be at least 1, not 0."),
    ({"concurrency": "4"}, "concurrency must be a whole number, not '4'."),
    ({"concurrency": None}, "concurrency must be a whole number, not None."),
    ({"timeout": -5}, "timeout must be above 0, not -5."),
    ({"timeout": "30"}, "timeout must be a number of seconds, or 'auto', not '30'."),
]


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text('def f(x):\n    """Return x."""\n    return x\n')
    return tmp_path / "code"


@pytest.mark.parametrize(("values", "message"), TEACHER_VALUES)
def test_every_function_refuses_wrong_values_of_the_teacher_when_it_is_called(
    code: Path, tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    seeds, teacher = read_seeds(str(code), sampler="functions"), CommentFunctionTeacher()
    calls: list[Callable[[], object]] = [
        lambda: TeacherSpec(**values),
        lambda: synthesize(seeds, teacher, **values),
        lambda: synthesize_to_disk(seeds, teacher, tmp_path / "out", **values),
        lambda: OssInstruct(seeds=str(code), cache_dir=str(tmp_path), **values),  # None means the default there
    ]
    if None in values.values():
        del calls[-1]
    for call in calls:
        with pytest.raises(UsageError) as refused:
            call()
        assert str(refused.value) == message


def test_auto_means_the_same_in_python_as_on_the_command_line(code: Path, tmp_path: Path) -> None:
    opened = OssInstruct(seeds=str(code), cache_dir=str(tmp_path), timeout="auto", snippets_per_document="auto").opened.spec
    assert opened.teacher.timeout is opened.seeds.snippets_per_document is None
    assert SeedPlan(filters=["all"]).filters == SeedPlan(filters="all").filters == filter_names()
    assert SeedPlan(filters="none").filters == ()
    assert SeedPlan(filters="parses, secrets").filters == ("parses", "secrets")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SeedPlan(n=0), "n must be at least 1, not 0."),
        (lambda: SeedPlan(one_in=0), "one_in must be at least 1, not 0."),
        (lambda: SeedPlan(snippets_per_document=0), "snippets_per_document must be at least 1, not 0."),
        (lambda: SeedPlan(max_snippet_chars=-1), "max_snippet_chars must be at least 0, not -1."),
        (lambda: SeedPlan(rng_seed=2**63), "rng_seed must be at most 2^63-1, not 9223372036854775808."),
        (lambda: SeedPlan(languages={"Python": 0}), "languages: the count of python must be at least 1, not 0."),
        (lambda: Sampling(temperature=-1), "temperature must be at least 0, not -1."),
        (lambda: Sampling(top_p=0), "top_p must be above 0 and at most 1, not 0."),
        (lambda: Sampling(temperature=float("inf")), "temperature must be finite, not inf."),
        (lambda: RunLimits(max_requests=0), "max_requests must be at least 1, not 0."),
        (lambda: RunLimits(give_up_after=0), "give_up_after must be above 0, not 0."),
        (lambda: VerificationSpec(min_pass_rate=50), "min_pass_rate must be at least 0 and at most 1, not 50."),
        (lambda: EvolutionSpec(rounds=5), "rounds must be at least 1 and at most 4, not 5."),
    ],
)
def test_a_number_out_of_range_is_refused_by_the_name_of_its_option(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        make()
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TeacherSpec(model=3), "model must be a string, not 3."),
        (lambda: SeedPlan(filters=""), "'' contains no name. Pass names separated by commas, or none."),
        (lambda: Checks(benchmarks=" ,"), "' ,' contains no name. Pass names separated by commas, or none."),
        (
            lambda: SeedPlan(filters="parses,none"),
            "'parses,none' combines none with other names. Pass none alone, or leave it out.",
        ),
        (lambda: SeedPlan(languages=""), "--languages '' contains no language. Write it as python,cpp or python=4000,cpp=500."),
        (lambda: Sampling(temperature=float("nan")), "temperature must be a number, not nan."),
        (
            lambda: read_seeds(None),
            "source must be a path or a name, not NoneType. Seeds from a Source of your own: "
            "SeedStream(source, SeedPlan(n=100)).",
        ),
        (lambda: TeacherSpec(base_url=8080), "base_url must be a URL, a file of URLs, or a list of them, not 8080."),
        (lambda: TeacherSpec(api_key_env=[None]), "api_key_env must be a string, or a list of strings, not [None]."),
        (lambda: Sampling(extra_body={1: 2}), "extra_body must be a dict with string keys, not {1: 2}."),
        (
            lambda: Checks(benchmarks=["humaneval", 3]),
            "benchmarks must be a list of names, or a comma-separated string, not ['humaneval', 3].",
        ),
    ],
)
def test_a_value_of_another_type_is_refused_with_the_type_that_is_expected(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        make()
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "part",
    [
        Sampling(temperature=np.float32(0.5), top_p=np.float64(0.5), max_tokens=np.int64(5)),
        Sampling(temperature=np.int64(1), top_p=Fraction(1, 2)),
        RunLimits(max_cost=np.float32(0.5), price_in=np.int64(1), price_out=np.float64(2)),
        TeacherSpec(timeout=np.float32(30), concurrency=np.int32(4)),
    ],
)
def test_numbers_of_other_libraries_become_plain_ones_which_json_and_yaml_can_write(part: Any) -> None:
    """An answer that was paid for could not be written otherwise."""
    numbers = [value for value in (getattr(part, found.name) for found in fields(part)) if isinstance(value, Real)]
    assert {type(number) for number in numbers} <= {int, float, bool}


def test_an_integer_stays_one_so_that_run_configs_and_keys_stay_the_same() -> None:
    assert repr(Sampling(temperature=0).temperature) == "0"
    assert repr(Sampling(temperature=0.0).temperature) == "0.0"


def test_a_share_of_a_limit_may_be_none_of_it() -> None:
    shared = RunLimits(max_requests=3, max_total_tokens=10, max_cost=1, price_in=1, price_out=1).share(Fraction(1, 8))
    assert (shared.max_requests, shared.max_total_tokens, shared.max_cost) == (0, 1, 0.125)


def test_load_dataset_opens_the_teachers_that_its_help_lists(code: Path, tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match="code"):  # it looks for a model in that folder
        OssInstruct(seeds=str(code), cache_dir=str(tmp_path), teacher="transformers", model=str(code))
    with pytest.raises(UsageError, match=r"requires --model \(model=\)"):
        OssInstruct(seeds=str(code), cache_dir=str(tmp_path), teacher="transformers")
    with pytest.raises(UsageError, match=r"'gpt'. Use one of: comment-function, transformers"):
        OssInstruct(seeds=str(code), cache_dir=str(tmp_path), teacher="gpt")


@pytest.mark.parametrize("parser", ["bogus", 5, None])
def test_an_unknown_parser_is_refused_with_the_known_ones(code: Path, tmp_path: Path, parser: Any) -> None:
    seeds, teacher = read_seeds(str(code), sampler="functions"), CommentFunctionTeacher()
    calls: list[Callable[[], object]] = [
        lambda: synthesize(seeds, teacher, parser=parser),
        lambda: synthesize_to_disk(seeds, teacher, tmp_path / "out", parser=parser),
    ]
    for call in calls:
        with pytest.raises(UsageError, match=f"Unknown parser {parser!r}. Use one of: default, magicoder"):
            call()


@pytest.mark.parametrize("part", [field.name for field in fields(RunSpec) if field.name != "seeds"])
def test_the_options_of_a_part_are_passed_by_name_since_later_ones_are_declared_among_them(part: str) -> None:
    with pytest.raises(TypeError, match="positional"):
        type(getattr(RunSpec(), part))(1)
