"""The commands as functions, as a notebook calls them: inside a running event loop, without `__main__`."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from datasets import Dataset, load_dataset

import hf_oss_instruct as oss
from hf_oss_instruct.cli import cli
from hf_oss_instruct.curation.checks import CurationOptions
from hf_oss_instruct.data import Document, Provenance, Skipped
from hf_oss_instruct.errors import BudgetReachedError, RunError, SeedError, UsageError
from hf_oss_instruct.rewards.options import RewardOptions
from hf_oss_instruct.seeds.sampling import SeedStream
from hf_oss_instruct.seeds.source import Source
from hf_oss_instruct.spec.declare import options_of
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.terminal.signals import DUPLICATE_S
from tests.evaluation import toys
from tests.support.progress import Noted
from tests.support.teacher import Answer, LocalTeacher


def in_a_notebook(tmp_path: Path) -> dict[str, Any]:
    """One after the other; a cell of a notebook runs while the loop of its kernel does."""
    rows = list(oss.synthesize(oss.read_seeds("stdlib", n=3, sampler="functions"), oss.CommentFunctionTeacher()))
    Dataset.from_list([dict(row) for row in rows]).to_parquet(tmp_path / "rows.parquet")
    curated = oss.curate(str(tmp_path / "rows.parquet"), tmp_path / "clean", steps=["duplicates", "near_duplicates"])
    exam = toys.write_lines(tmp_path / "exam.jsonl", [{"prompt": "Return the sum of the two largest numbers of a list."}])
    progress = Noted()
    report = oss.synthesize_to_disk(
        oss.read_seeds("stdlib", n=6, sampler="functions"),
        oss.CommentFunctionTeacher(),
        tmp_path / "pairs",
        checks=oss.Checks(benchmarks=[str(exam)], near_duplicates=False),
        progress=progress,
    )
    toys.plus(tmp_path / "data")
    samples = toys.write_lines(tmp_path / "samples.jsonl", toys.canonical()[:2])
    scored, verdicts = oss.score("humaneval_plus", samples, data=tmp_path / "data", allow_missing=True)
    return {
        "rows": len(rows),
        "kept": curated["kept"],
        "run": report["kept"] + sum(report["rejected"].values()),
        "checked": [one["name"] for one in report["checks"] if one["status"] == "done"],
        "dataset": len(load_dataset(str(tmp_path / "pairs"), split="train")) - report["kept"],
        "progress": max(counts.done for counts in progress.stages.values()),
        "table": len(load_dataset(str(tmp_path / "clean"), split="train")),
        "statuses": [verdict.status for verdict in verdicts],
        "score": scored.scores["plus"]["pass@1"]["mean"],
        "ran": oss.run_program("print(6 * 7)").stdout,
        "judged": oss.judge("def add(a, b):\n    return a + b\n", "add", [(1, 2), (2, 2)], [3, 5]).per_input,
        "pass@1": oss.pass_at_k(n=4, c=1, k=1),
        "recipe": yaml.safe_load(oss.load_recipe("smoke", data=str(tmp_path / "clean")).to_yaml())["dataset_name"],
    }


def test_what_commands_do_works_in_a_notebook(tmp_path: Path) -> None:
    async def cell() -> dict[str, Any]:
        return in_a_notebook(tmp_path)

    assert asyncio.run(cell()) == {
        "rows": 2,
        "kept": 2,
        "run": 6,
        "checked": ["duplicates", "decontamination"],
        "dataset": 0,
        "progress": 6,
        "table": 2,
        "statuses": ["passed", "passed"],
        "score": 1.0,
        "ran": "42\n",
        "judged": [True, False],
        "pass@1": 0.25,
        "recipe": str(tmp_path / "clean"),
    }


def members(name: str) -> Iterator[tuple[str, Callable[..., object]]]:
    """A public function, or a public class with its public methods."""
    public = getattr(oss, name)
    if not inspect.isclass(public) or inspect.isfunction(public.__init__):  # others have no signature
        yield name, public
    if inspect.isclass(public):
        for method in vars(public):
            if not method.startswith("_") and callable(function := getattr(public, method)):
                yield f"{name}.{method}", function


def test_a_path_may_be_a_text_wherever_one_is_taken(tmp_path: Path) -> None:
    given = {
        f"{name}({parameter.name})": str(parameter.annotation)
        for public in oss.__all__
        for name, function in members(public)
        for parameter in inspect.signature(function).parameters.values()
        if "Path" in str(parameter.annotation)
    }
    assert "RunSpec.from_file(path)" in given
    # The engine calls it.
    assert [name for name, annotation in given.items() if "str" not in annotation] == ["Teacher.begin(journal)"]
    (tmp_path / "run.yaml").write_text(oss.RunSpec(seeds=oss.SeedPlan(n=3)).to_yaml())
    assert oss.RunSpec.from_file(str(tmp_path / "run.yaml")).seeds.n == 3
    with pytest.raises(UsageError, match=r"'.*no-such' does not exist\. Pass a folder that score wrote"):
        oss.compare_runs(str(tmp_path / "no-such"), str(tmp_path / "no-such"))
    with pytest.raises(UsageError, match=r"'.*no-such' has no Parquet files"):
        oss.export_to("trl", str(tmp_path / "no-such"), str(tmp_path / "out"))


def test_curate_has_the_defaults_of_the_checks_of_a_run_and_of_its_command() -> None:
    parameters = inspect.signature(oss.curate).parameters
    for option in options_of(oss.Checks):
        if option.name in parameters:
            assert parameters[option.name].default == option.default
            assert option.python_help.split(".")[0] in " ".join((oss.curate.__doc__ or "").split())
    (flag,) = (given for given in cli.commands["curate"].params if given.name == "threshold")
    assert parameters["threshold"].default == flag.default == CurationOptions().threshold


def test_every_part_of_a_run_has_a_public_name() -> None:
    for part in fields(oss.RunSpec):
        kind = type(getattr(oss.RunSpec(), part.name))
        assert getattr(oss, kind.__name__) is kind


def pairs(out: Path, teacher: oss.Teacher, **changes: Any) -> dict[str, Any]:
    checks = oss.Checks(benchmarks=(), near_duplicates=False)
    return oss.synthesize_to_disk(oss.read_seeds("stdlib", n=8, rng_seed=3), teacher, out, checks=checks, **changes)


def test_a_run_from_python_and_one_from_the_command_line_continue_each_other(tmp_path: Path) -> None:
    with LocalTeacher() as server:
        teacher = oss.InferenceTeacher("m", server.base_url)
        with pytest.raises(BudgetReachedError):
            pairs(tmp_path / "o", teacher, limits=oss.RunLimits(max_requests=3))
        assert json.loads((tmp_path / "o" / "run.json").read_text())["pending"] == 5
        words = ["--n", "8", "--rng-seed", "3", "--model", "m", "--base-url", server.base_url]
        words += ["--benchmarks", "none", "--no-near-duplicates", "--out", str(tmp_path / "o")]
        done = CliRunner().invoke(cli, ["synthesize", *words])
        assert done.exit_code == 0, done.output
        assert len(server.requests) == 8
        assert pairs(tmp_path / "o", teacher)["kept"] == 8
        assert len(server.requests) == 8
        with pytest.raises(RunError, match=r"--keep-reasoning: off in the folder, on now"):
            pairs(tmp_path / "o", teacher, keep_reasoning=True)


def test_a_run_from_python_says_why_it_is_not_finished(tmp_path: Path) -> None:
    with LocalTeacher(lambda body: Answer(status=503)) as server:
        teacher = oss.InferenceTeacher("m", server.base_url)
        with pytest.raises(oss.OssInstructError, match="503"):
            pairs(tmp_path / "pairs", teacher, limits=oss.RunLimits(give_up_after=0.1))
    with pytest.raises(oss.OssInstructError, match="needs documented functions"):
        pairs(tmp_path / "other", oss.CommentFunctionTeacher())
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("heeds", [True, False], ids=["the teacher heeds it", "the teacher ignores the first"])
def test_ctrl_c_in_a_notebook_ends_a_run_in_good_order(tmp_path: Path, heeds: bool) -> None:
    """The kernel gets SIGINT while the loop of the notebook runs in its main thread."""
    asked, cancelled = threading.Event(), threading.Event()

    class Slow(oss.Teacher):
        identity = "slow"

        async def complete(self, request: Any) -> oss.Completion:
            asked.set()
            try:
                await asyncio.sleep(3600)
            finally:
                if not heeds and not cancelled.is_set():
                    cancelled.set()
                    await asyncio.sleep(3600)
            raise AssertionError

    def interrupt() -> None:
        assert asked.wait(30)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(DUPLICATE_S + 0.1)  # two signals at once count as one
        os.kill(os.getpid(), signal.SIGINT)  # does not wait for what is in flight

    async def cell() -> None:
        with pytest.raises(oss.OssInstructError, match="the same call continues"):
            pairs(tmp_path / "pairs", Slow())

    user = threading.Thread(target=interrupt)
    user.start()
    asyncio.run(cell())
    user.join()
    assert json.loads((tmp_path / "pairs" / "run.json").read_text())["pending"] == 8


def test_values_may_be_written_as_on_the_command_line(tmp_path: Path) -> None:
    toys.write_lines(tmp_path / "rows.jsonl", [{"instruction": "Add a and b.", "response": "a + b"}])
    assert len(list(oss.read_seeds("stdlib", n=2, languages="python", filters="none"))) == 2
    assert oss.Checks(benchmarks="none").benchmarks == ()
    report = oss.curate(tmp_path / "rows.jsonl", tmp_path / "clean", columns="instruction", benchmarks="none", steps="duplicates")
    assert report["columns"] == ["instruction"]
    tested = oss.verify(tmp_path / "rows.jsonl", tmp_path / "verified", columns="problem=instruction,solution=response")
    assert tested["columns"] == ["instruction", "response"]


def test_a_value_of_the_wrong_type_is_refused_with_what_is_expected(tmp_path: Path) -> None:
    functions = oss.read_seeds("stdlib", n=3, sampler="functions")
    name: Any = "comment-function"
    nowhere = str(tmp_path / "no/**/*.py")
    calls: dict[str, Any] = {
        "n must be a whole number, not '3'": lambda: oss.read_seeds(n="3"),  # type: ignore[arg-type]
        "max_requests must be a whole number": lambda: oss.RunLimits(max_requests="3"),  # type: ignore[arg-type]
        "temperature must be a number": lambda: oss.Sampling(temperature="0"),  # type: ignore[arg-type]
        "must be an object, not 'comment-function'": lambda: oss.synthesize_to_disk(functions, name, tmp_path),
        "result of read_seeds": lambda: oss.synthesize("my_code", oss.CommentFunctionTeacher()),  # type: ignore[arg-type]
        "--sampler functions": lambda: oss.synthesize(oss.read_seeds("stdlib", n=3), oss.CommentFunctionTeacher()),
        "No file matches data_files=": lambda: load_dataset("oss-instruct", data_files=nowhere, streaming=True),
    }
    for message, call in calls.items():
        with pytest.raises(oss.OssInstructError, match=message):
            call()


FIVE: Any = 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda out: oss.run_program(FIVE), "source must be the text of a program, not 5."),
        (lambda out: oss.run_program("print(1)", limits=FIVE), "limits must be a Limits, such as Limits(wall_s=5), not 5."),
        (lambda out: oss.run_program("print(1)", files=FIVE), "files must be a dict of paths and contents, not 5."),
        (lambda out: oss.run_program("print(1)", files={"a.txt": FIVE}), "Each content in files must be bytes, not 5."),
        (lambda out: oss.run_program("print(1)", packages=FIVE), "packages must be a list of folders, not 5."),
        (lambda out: oss.run_program("print(1)", FIVE), "language must be the name of a language, not 5."),
        (lambda out: oss.run_program("print(1)", tier=cast(Any, ["landlock"])), "Unknown sandbox tier ['landlock']. Use one of"),
        (lambda out: oss.judge(FIVE, "f", [[1]], [1]), "program must be the text of a program, not 5."),
        (lambda out: oss.judge("def f(x): return x", "f", FIVE, [1]), "inputs must be a list with the arguments of each call"),
        (lambda out: oss.judge("def f(x): return x", "f", [FIVE], [1]), "Each of inputs must be a list of arguments, not 5."),
        (lambda out: oss.InferenceTeacher(FIVE), "model must be the name of a model, not 5."),
        (lambda out: oss.InferenceTeacher("m", FIVE), "base_url must be a URL, not 5."),
        (lambda out: oss.InferenceTeacher("m", api_key=FIVE), "api_key must be a string, not 5."),
        (lambda out: oss.InferenceTeacher("m", concurrency=cast(Any, "5")), "concurrency must be a whole number, not '5'."),
        (lambda out: oss.SeedStream(Torn(), FIVE), "plan must be a SeedPlan, such as SeedPlan(n=100), not 5."),
        (lambda out: oss.curate(FIVE, out), "source must be a path, not 5."),
        (lambda out: oss.curate("rows.jsonl", FIVE), "out must be a path, not 5."),
        (lambda out: oss.curate("rows.jsonl", out, steps=FIVE), "steps must be a list of names, or a comma-separated string"),
        (lambda out: oss.curate("rows.jsonl", out, threshold=FIVE, benchmarks="none"), "threshold must be above 0 and at most 1"),
        (lambda out: oss.curate("rows.jsonl", out, threshold=cast(Any, "1"), benchmarks="none"), "must be a number, not '1'."),
        (lambda out: oss.publish(FIVE, "me/pairs"), "folder must be a path, not 5."),
        (lambda out: oss.publish(out, FIVE), "to must be the name of a repository, namespace/name, not 5."),
        (lambda out: oss.report([], benchmarks=cast(Any, [5])), "benchmarks must be a list of names"),
        (lambda out: oss.report([], benchmarks="none", tokenizer=FIVE), "tokenizer must be the name of a tokenizer, not 5."),
        (lambda out: oss.score(FIVE, out), "task must be the name of a benchmark, not 5."),
        (lambda out: oss.score("humaneval", out, facts=FIVE), "facts must be a dict, not 5."),
        (lambda out: oss.score("humaneval", FIVE), "samples must be a path, not 5."),
        (lambda out: oss.evaluate(FIVE, "humaneval", out), "model must be the name of a model, or a folder, not 5."),
        (lambda out: oss.evaluate("m", FIVE, out), "tasks must be a list of names"),
        (lambda out: oss.pass_at_k(cast(Any, "3"), 1, 1), "n must be a whole number, not '3'."),
        (lambda out: oss.load_recipe(FIVE), "name must be the name of a recipe, not 5."),
        (lambda out: oss.load_recipe("fast", gpus=cast(Any, "2")), "gpus must be a whole number, not '2'."),
        (lambda out: oss.load_recipe("fast", rows=cast(Any, "x")), "rows must be a whole number, not 'x'."),
        (lambda out: oss.load_recipe("fast", rows=0), "rows must be at least 1, not 0."),
        (lambda out: oss.Scoring(FIVE, FIVE, 5), "tasks must be a list of dicts, not 5."),
        (lambda out: oss.Scoring([{"instruction": "x"}], FIVE, cast(Any, "5")), "every must be a whole number, not '5'."),
        (lambda out: oss.to_prompt_completion(FIVE), "row must be a dict of columns and values, not 5."),
        (
            lambda out: oss.to_prompt_completion({"problem": "x", "solution": None}),
            "The column 'solution' of a row must be a string",
        ),
    ],
)
def test_an_argument_of_another_type_is_refused_by_its_name_and_value(
    tmp_path: Path, call: Callable[[Path], object], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        call(tmp_path / "out")
    assert not (tmp_path / "out").exists()


ADD = "def add(a, b):\n    return a + b\n"


@pytest.mark.parametrize(
    "call",
    [
        lambda: oss.judge(ADD, "add", cast(Any, np.array([[1, 2], [3, 4]])), cast(Any, np.array([3, 7]))).status == "passed",
        lambda: oss.judge(ADD, "add", cast(Any, [iter([1, 2])]), (3,)).status == "passed",
        lambda: oss.run_program("print(open('a').read())", files={"a": bytearray(b"x")}, packages=[]).stdout == "x\n",
        lambda: oss.run_program("print(1)", hash_seed=cast(Any, np.int64(3))).stdout == "1\n",
        lambda: oss.to_prompt_completion(pd.Series({"problem": "p", "solution": "s"}))["completion"] == "s",
        lambda: RewardOptions(token=None, url=None, tier=None) == RewardOptions(),  # type: ignore[arg-type]
        lambda: oss.InferenceTeacher("m", "http://127.0.0.1:9/v1", timeout_s=cast(Any, None)).model == "m",
        lambda: len(oss.Scoring(cast(Any, Dataset.from_list([{"instruction": "x"}])), cast(Any, None)).tasks) == 1,
        lambda: oss.load_recipe("smoke", data=cast(Any, Path("pairs"))).values["dataset_name"] == "pairs",
    ],
)
def test_arrays_columns_paths_and_none_are_accepted_where_they_work(call: Callable[[], bool]) -> None:
    assert call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda gone: oss.curate(cast(Any, Entry(gone)), gone.with_name("out")), "gone' "),
        (lambda gone: oss.publish(gone, "me/pairs", results=(path for path in [gone])), "gone"),
        (lambda gone: oss.score("humaneval", gone, trained_on=gone, data=gone), "gone"),
    ],
)
def test_paths_that_are_no_strings_get_to_the_check_of_what_they_name(
    tmp_path: Path, call: Callable[[Path], object], message: str
) -> None:
    with pytest.raises(oss.OssInstructError, match=message) as caught:
        call(tmp_path / "gone")
    assert "must be" not in str(caught.value)


class Entry(os.PathLike[str]):
    """A path that is not a `Path`, such as an entry of `os.scandir`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


def test_a_group_of_options_of_another_class_is_refused_by_the_name_of_its_argument(tmp_path: Path) -> None:
    seeds, teacher = oss.read_seeds("stdlib", n=3, sampler="functions"), oss.CommentFunctionTeacher()
    wrong: dict[str, Any] = {"sampling": {"temperature": 1}, "limits": 5, "verification": True}
    for name, value in wrong.items():
        for call in (
            lambda **part: oss.synthesize_to_disk(seeds, teacher, tmp_path / "o", **part),
            partial(oss.synthesize, seeds, teacher),
        ):
            with pytest.raises(oss.OssInstructError, match=f"{name} must be a .*, not {re.escape(repr(value))}. Pass "):
                call(**{name: value})
    with pytest.raises(oss.OssInstructError, match="checks must be a Checks, not 'none'"):
        oss.synthesize_to_disk(seeds, teacher, tmp_path / "o", checks="none")  # type: ignore[arg-type]
    assert not (tmp_path / "o").exists()


def answers_text(request: Any) -> Any:
    return "a text"


def exits(request: Any) -> Any:
    sys.exit(3)


@pytest.mark.parametrize(
    ("identity", "answer", "message"),
    [
        ("own/1", answers_text, r"Own.complete must return a Completion, not str."),
        ("own/1", exits, r"A request ended with SystemExit: 3."),
        (None, answers_text, r"Own needs an identity, not None."),
    ],
)
def test_a_mistake_in_a_teacher_of_ones_own_is_named_and_ends_the_run(
    tmp_path: Path, identity: Any, answer: Callable[[Any], Any], message: str
) -> None:
    class Own(oss.Teacher):
        async def complete(self, request: Any) -> oss.Completion:
            return cast(oss.Completion, answer(request))

    own = Own()
    if identity:
        own.identity = identity
    seeds = oss.read_seeds("stdlib", n=3)
    with pytest.raises(oss.OssInstructError, match=message):
        list(oss.synthesize(seeds, own))
    with pytest.raises(oss.OssInstructError, match=message):
        oss.synthesize_to_disk(seeds, own, tmp_path / "o", checks=oss.Checks(benchmarks="none"))


@pytest.mark.parametrize("name", ["tester", "solver"])
def test_the_name_of_a_model_is_no_teacher_and_the_corrected_call_finds_its_folder_free(tmp_path: Path, name: str) -> None:
    seeds, embedded, out = oss.read_seeds("stdlib", n=3, sampler="functions"), oss.CommentFunctionTeacher(), tmp_path / "out"
    rows = str(toys.write_lines(tmp_path / "rows.jsonl", [{"problem": "Add a and b.", "solution": "a + b"}]))
    model, named = oss.InferenceTeacher("m", "http://127.0.0.1:9/v1"), cast(Any, {name: "abc"})
    how = oss.VerificationSpec(verify=True, tests="apart", solutions=2, **({"tester": model} | named))
    calls: list[Callable[[], object]] = [
        lambda: oss.synthesize(seeds, embedded, verification=how),
        lambda: oss.synthesize_to_disk(seeds, embedded, out, verification=how),
        lambda: oss.verify(rows, out, **named),
        lambda: oss.evolve(rows, out, teacher=model, verification=how),
        lambda: oss.evolve(rows, out, teacher=model, solver=cast(Any, "abc")),
    ]
    for call in calls:
        with pytest.raises(UsageError, match=r"^The teacher must be an object, not 'abc'"):
            call()
        assert not out.exists()
    with pytest.raises(UsageError, match=rf"^{name} must be a teacher, not 3\.$"):
        oss.VerificationSpec(verify=True, **{name: 3})


class Almost:
    """It has the members of a teacher that are needed, but not those with defaults."""

    identity = "almost"

    async def complete(self, request: Any) -> oss.Completion:
        raise AssertionError("nobody is asked")


def test_a_teacher_that_is_no_subclass_is_refused_wherever_one_is_passed(tmp_path: Path) -> None:
    almost: Any = Almost()
    seeds, embedded = oss.read_seeds("stdlib", n=3, sampler="functions"), oss.CommentFunctionTeacher()
    rows = str(toys.write_lines(tmp_path / "rows.jsonl", [{"problem": "Add a and b.", "solution": "a + b"}]))
    solved_by = VerificationSpec(verify=True, tests="answer", solutions=2, solver=almost)
    calls: list[Callable[[], object]] = [
        lambda: oss.synthesize(seeds, almost),
        lambda: oss.synthesize_to_disk(seeds, almost, tmp_path / "out"),
        lambda: oss.synthesize(seeds, embedded, verification=solved_by),
        lambda: oss.OssInstruct(seeds="stdlib", cache_dir=str(tmp_path), teacher=almost),
        lambda: oss.configure(teacher=almost),
        lambda: oss.verify(rows, tmp_path / "out", teacher=almost),
        lambda: oss.evolve(rows, tmp_path / "out", teacher=almost),
        lambda: oss.judge_rows(rows, tmp_path / "out", judges=[almost]),
    ]
    for call in calls:
        with pytest.raises(UsageError, match=r"^Almost is not a teacher.*subclass of hf_oss_instruct\.Teacher"):
            call()
    assert not (tmp_path / "out").exists()


def ended(call: Callable[[], object], within_s: float = 20) -> BaseException | None:
    """The exception that ends a call, which must not take longer."""
    raised: list[BaseException | None] = []

    def work() -> None:
        try:
            call()
        except BaseException as error:
            raised.append(error)
        else:
            raised.append(None)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(within_s)
    assert raised, f"it was still running after {within_s} s"
    return raised[0]


def first_seeds(then: Any) -> Iterator[Any]:
    """Two seeds, and then another item or an exception."""
    yield from oss.read_seeds("stdlib", n=2, sampler="functions")
    if isinstance(then, BaseException):
        raise then
    yield then


@pytest.mark.parametrize("item", ["def f(): pass", {"code": "x"}, None, 3])
@pytest.mark.parametrize("alone", [True, False])
def test_items_that_are_no_seeds_are_refused_with_their_type(item: Any, alone: bool) -> None:
    items = [item] if alone else first_seeds(item)
    error = ended(lambda: list(oss.synthesize(items, oss.CommentFunctionTeacher())))
    assert isinstance(error, UsageError)
    assert str(error).startswith(f"seeds must yield Seed objects, not {type(item).__name__}. Pass the result of read_seeds(")


@pytest.mark.parametrize(("raised", "kind"), [(ValueError("boom"), ValueError), (SystemExit(3), SeedError)])
def test_what_a_source_of_seeds_raises_reaches_the_caller_after_the_rows_before(
    raised: BaseException, kind: type[Exception]
) -> None:
    rows: list[oss.Row] = []
    error = ended(lambda: rows.extend(oss.synthesize(first_seeds(raised), oss.CommentFunctionTeacher())))
    assert isinstance(error, kind)
    assert error is raised or error.__cause__ is raised
    assert rows == list(oss.synthesize(oss.read_seeds("stdlib", n=2, sampler="functions"), oss.CommentFunctionTeacher()))
    assert rows


def test_a_run_in_a_folder_takes_only_seeds_that_can_be_drawn_again(tmp_path: Path) -> None:
    teacher = oss.CommentFunctionTeacher()
    for seeds in (["def f(): pass"], list(oss.read_seeds("stdlib", n=2, sampler="functions")), 5, None):
        wrong: Any = seeds
        error = ended(lambda: oss.synthesize_to_disk(wrong, teacher, tmp_path / "out"))  # noqa: B023  # called at once
        assert isinstance(error, UsageError)
        assert "read_seeds(FOLDER, n=100)" in str(error)
    assert not (tmp_path / "out").exists()


class Torn(Source):
    """A source with a bug after its first documents."""

    name, revision, untrusted = "torn", "1", False

    def documents(
        self, languages: Collection[str] | None, order_seed: int | None, assumed: str | None = None
    ) -> Iterator[Document | Skipped]:
        for number in range(3):
            text = f'def area_{number}(width, height):\n    """Return the area of a rectangle with this width and height."""\n'
            yield Document(f"{text}    return width * height\n", Provenance("torn", "1", str(number), number, "python"))
        raise ZeroDivisionError("a bug in the source")


class Numbers(Torn):
    """A source that yields what is no document."""

    def documents(self, *arguments: Any, **options: Any) -> Any:
        yield 5


@pytest.mark.parametrize("sampler", ["hash", "magicoder"])
def test_a_source_that_yields_no_documents_is_named(sampler: str) -> None:
    with pytest.raises(UsageError, match=r"What Numbers.documents yields must be Document or Skipped objects, not 5\."):
        list(SeedStream(Numbers(), SeedPlan(n=1, sampler=sampler)))


def test_a_bug_in_a_source_ends_a_run_in_a_folder_with_its_own_exception(tmp_path: Path) -> None:
    seeds = SeedStream(Torn(), SeedPlan(n=9, sampler="functions"))
    error = ended(lambda: oss.synthesize_to_disk(seeds, oss.CommentFunctionTeacher(), tmp_path / "out"))
    assert isinstance(error, ZeroDivisionError)
