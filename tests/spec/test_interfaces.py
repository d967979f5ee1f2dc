"""Every option of a run can be set through every interface that may set it, takes effect, and is refused through every other."""

from __future__ import annotations

import inspect
import pydoc
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import click
import pytest
import yaml
from click.testing import CliRunner

import hf_oss_instruct as oss
from hf_oss_instruct import OssInstruct, read_seeds, synthesize, synthesize_to_disk
from hf_oss_instruct.cli import cli
from hf_oss_instruct.curation.denylist import Denylist
from hf_oss_instruct.embeddings import EmbeddingModel
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.loading.arguments import OssInstructConfig
from hf_oss_instruct.seeds.repo_config import read_repo_config
from hf_oss_instruct.spec.declare import Interface, Option, options_of
from hf_oss_instruct.spec.evolution import EvolutionSpec
from hf_oss_instruct.spec.flags import RunFlags, run_options
from hf_oss_instruct.spec.judging import JudgingSpec
from hf_oss_instruct.spec.option_types import Choice, Folder, JsonObject, Names
from hf_oss_instruct.spec.prompts import Prompt, PromptSpec, PromptTemplateType
from hf_oss_instruct.spec.run import OPTIONS, RunSpec
from hf_oss_instruct.spec.shard import Shard

DENY, TEMPLATE = "repo: octocat/hello-world\n", "Write a problem: {code}"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
VALUES: dict[str, tuple[str, Any, Any]] = {
    # option: words of the flag, value in YAML, value of the field
    "source": ("stdlib", "ns/code", "ns/code"),
    "revision": ("main", "main", "main"),
    "n": ("5", 5, 5),
    "languages": ("python=2,rust=1", {"python": 2, "rust": 1}, (("python", 2), ("rust", 1))),
    "sampler": ("functions", "functions", "functions"),
    "snippets_per_document": ("3", 3, 3),
    "rng_seed": ("7", 7, 7),
    "licenses": ("MIT", "MIT", "MIT"),
    "filters": ("secrets", ["secrets"], ("secrets",)),
    "one_in": ("2", 2, 2),
    "balance": ("", True, True),
    "embedding_model": (f"o/m@{COMMIT}", f"o/m@{COMMIT}", EmbeddingModel("o/m", COMMIT)),
    "deny": ("deny.txt", Denylist.of(DENY).hash, Denylist.of(DENY)),
    "max_document_bytes": ("99", 99, 99),
    "max_snippet_chars": ("98", 98, 98),
    "encoding": ("latin-1", "latin-1", "iso8859-1"),
    "code_column": ("text", "text", "text"),
    "shard": ("1/3", "1/3", Shard(1, 3)),
    "teacher": ("comment-function", "comment-function", "comment-function"),
    "model": ("m", "m", "m"),
    "base_url": ("http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1", ("http://127.0.0.1:9/v1",)),
    "api_key_env": ("MY_KEY", "MY_KEY", ("MY_KEY",)),
    "concurrency": ("3", 3, 3),
    "timeout": ("30", 30.0, 30.0),
    "prompt": ("prompt.txt", TEMPLATE, Prompt(TEMPLATE)),
    "parser": ("magicoder", "magicoder", "magicoder"),
    "keep_reasoning": ("", True, True),
    "thoughts": ("keep", "keep", "keep"),
    "answer_format": ("json", "json", "json"),
    "concepts": ("", True, True),
    "style": ("class", "class", "class"),
    "temperature": ("0.5", 0.5, 0.5),
    "top_p": ("0.9", 0.9, 0.9),
    "max_tokens": ("99", 99, 99),
    "send_seed": ("", False, False),
    "extra_body": ('{"top_k": 20}', {"top_k": 20}, {"top_k": 20}),
    "duplicates": ("", False, False),
    "near_duplicates": ("no", False, False),
    "benchmarks": ("mbpp", ["mbpp"], ("mbpp",)),
    "rule": ("magicoder", "magicoder", "magicoder"),
    "contaminated": ("flag", "flag", "flag"),
    "max_requests": ("9", 9, 9),
    "max_total_tokens": ("1000", 1000, 1000),
    "max_cost": ("5", 5.0, 5.0),
    "price_in": ("1", 1.0, 1.0),
    "price_out": ("2", 2.0, 2.0),
    "batch": ("", True, True),
    "batch_requests": ("9", 9, 9),
    "give_up_after": ("60", 60.0, 60.0),
    "verify": ("", True, True),
    "tests": ("given", "given", "given"),
    "solutions": ("3", 3, 3),
    "solver": ("other", "other", "other"),
    "tester": ("other", "other", "other"),
    "select": ("codet", "codet", "codet"),
    "keep": ("all", "all", "all"),
    "min_pass_rate": ("0.5", 0.5, 0.5),
    "min_tests": ("3", 3, 3),
    "min_mutation_score": ("0.5", 0.5, 0.5),
    "mutants": ("4", 4, 4),
    "repair": ("2", 2, 2),
    "unverifiable": ("keep", "keep", "keep"),
    "packages": ("code", "code", "code"),
    "unsafe_no_sandbox": ("", True, True),
}
NEED_A_SOLVER = {"solutions": ("verify", "model"), "repair": ("verify", "model")}
VERIFIED = [option.name for option in OPTIONS["verification"] if option.name != "verify"]
TOGETHER = {
    "max_cost": ("price_in", "price_out"),
    "base_url": ("model",),
    "embedding_model": ("balance",),
    "api_key_env": ("model",),
    **dict.fromkeys(VERIFIED, ("verify",)),
    **NEED_A_SOLVER,
}
"""Options that make sense only beside others."""
EVERY = [(part, option) for part, options in OPTIONS.items() for option in options]
CONTROL = "no_such_option"


def params(interface: Interface, may: bool) -> Any:
    chosen = [(part, option) for part, option in EVERY if (interface in option.set_by) is may]
    return pytest.mark.parametrize(("part", "option"), chosen, ids=[option.name for _, option in chosen])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_KEY", "a-key")
    Path("deny.txt").write_text(DENY)
    Path("prompt.txt").write_text(TEMPLATE)
    Path("code").mkdir()
    Path("code/a.py").write_text('def f(x):\n    """Return x."""\n    return x\n')


def set_to(spec: RunSpec, part: str, name: str) -> Any:
    return getattr(getattr(spec, part), name)


def test_every_option_has_a_value_to_try_that_is_not_its_default() -> None:
    assert sorted(VALUES) == sorted(option.name for _, option in EVERY), "an option is new: add a value to try"
    for _, option in EVERY:
        assert VALUES[option.name][2] != option.default
        assert option.help[-1] in ".)"


@click.command()
@run_options("seeds", "teacher", "prompt", "sampling", "limits", "checks", "verification")
@click.pass_context
def probe(context: click.Context, flags: RunFlags) -> None:
    context.obj.append(flags)


def words(option: Option) -> list[str]:
    assert option.flag
    value = VALUES[option.name][0]
    switch = option.flag.split("/")[-1 if value == "no" else 0]
    return [switch] if value in ("", "no") else [switch, value]


@params(Interface.COMMAND, True)
def test_the_command_line_sets_what_it_may(part: str, option: Option) -> None:
    said = words(option)
    for name in TOGETHER.get(option.name, ()):
        said += words(next(other for _, other in EVERY if other.name == name))
    found: list[RunFlags] = []
    done = CliRunner().invoke(probe, said, obj=found)
    assert done.exit_code == 0, done.output
    [flags] = found
    beside = {"source": flags.seeds, "revision": flags.revision, "benchmarks": flags.benchmarks}
    expected = "stdlib" if option.name == "source" else VALUES[option.name][2]
    assert beside.get(option.name, set_to(flags.spec, part, option.name)) == expected
    assert any(option.flag and option.flag.split("/")[0] in param.opts for param in cli.commands["synthesize"].params)


@params(Interface.COMMAND, False)
def test_the_command_line_has_no_flag_for_others(part: str, option: Option) -> None:
    done = CliRunner().invoke(cli, ["synthesize", f"--{option.name.replace('_', '-')}", "x", "--out", "out"])
    assert done.exit_code == 2
    assert "No such option" in done.output
    assert not option.flag


def config(part: str, option: Option, key: str | None = None) -> str:
    return yaml.safe_dump({"version": 1, part: {key or option.yaml or option.name: VALUES[option.name][1]}})


@params(Interface.RUN_CONFIG, True)
def test_a_run_config_sets_what_it_may_and_gives_it_back(part: str, option: Option) -> None:
    spec = RunSpec.from_yaml(config(part, option))
    assert set_to(spec, part, option.name) == VALUES[option.name][2]
    assert RunSpec.from_yaml(spec.to_yaml()) == spec
    assert spec.hash != RunSpec().hash


@params(Interface.RUN_CONFIG, False)
@pytest.mark.parametrize("place", ["own part", "seeds", "sampling", ""])
def test_no_run_config_names_a_server_key_price_or_path(part: str, option: Option, place: str) -> None:
    for name in {option.name, option.keyword}:
        if place:
            text = config(part if place == "own part" else place, option, name)
        else:
            text = yaml.safe_dump({"version": 1, name: VALUES[option.name][1]})
        with pytest.raises(UsageError, match="unknown keys"):
            RunSpec.from_yaml(text)
    assert option.name not in RunSpec().to_yaml()


@params(Interface.REPO_CONFIG, False)
def test_a_run_config_from_a_repository_sets_nothing_that_the_caller_decides(part: str, option: Option) -> None:
    Path("some.ossi").write_text(config(part, option))
    with pytest.raises(UsageError, match=r"unknown keys|which only the caller may"):
        read_repo_config("some.ossi")


@params(Interface.REPO_CONFIG, True)
def test_a_run_config_from_a_repository_sets_the_rest(part: str, option: Option) -> None:
    Path("some.ossi").write_text(config(part, option))
    assert set_to(read_repo_config("some.ossi").spec, part, option.name) == VALUES[option.name][2]


def python_value(option: Option) -> Any:
    """What a program writes: plain types."""
    special = {"deny": "deny.txt", "prompt": TEMPLATE, "languages": {"python": 2, "rust": 1}, "filters": ["secrets"]}
    return special.get(option.name, VALUES[option.name][2])


def loaded(**arguments: Any) -> OssInstruct:
    return OssInstruct(cache_dir="cache", **({"seeds": "code"} | arguments))


@params(Interface.LOAD_DATASET, True)
def test_load_dataset_sets_what_it_may(part: str, option: Option) -> None:
    arguments = {option.keyword: python_value(option)}
    for name in TOGETHER.get(option.name, ()):
        arguments[name] = VALUES[name][2]
    if part in ("seeds", "sampling", "prompt") and option.name != "sampler":
        arguments["model"] = "m"
    if option.name == "source":
        arguments = {"seeds": "code/a.py"}
    builder = loaded(**arguments)
    if option.name == "source":
        assert builder.opened.sources["train"].size == 1
    elif option.name != "revision":  # of a Hub dataset: `HubTables` is asked for it
        assert set_to(builder.opened.spec, part, option.name) == VALUES[option.name][2]
    same_rows = (
        part in ("teacher", "limits") and option.name != "base_url"
    ) or option.name == "revision"  # a teacher's kind counts
    plain = loaded(model="m") if "model" in arguments else loaded()
    changed = builder.config_id != plain.config_id
    assert changed is not (same_rows or option.name in ("source", "sampler")), (
        "what changes rows is in the cache key, and only that"
    )


@params(Interface.LOAD_DATASET, False)
def test_load_dataset_refuses_the_rest(part: str, option: Option) -> None:
    with pytest.raises(ValueError, match=f"doesn't have a '{option.keyword}' key"):
        loaded(**{option.keyword: python_value(option)})


def test_a_card_sets_no_argument() -> None:
    for _, option in EVERY:
        if Interface.LOAD_DATASET in option.set_by:
            with pytest.raises(UsageError, match=f"card sets {option.keyword}"):
                OssInstructConfig(**{option.keyword: python_value(option)}).refuse_settings()


CLASSES = {"sampling": oss.Sampling, "limits": oss.RunLimits, "checks": oss.Checks, "verification": oss.VerificationSpec}
"""Parts that Python functions take whole, as objects of these public classes."""
METHODS = {"evolution": options_of(EvolutionSpec), "judging": options_of(JudgingSpec)}
IN_PYTHON = [
    (part, option) for part, options in {**OPTIONS, **METHODS}.items() for option in options if Interface.PYTHON in option.set_by
]
WRONG: dict[str, tuple[Any, str]] = {
    "teacher": ("gpt", "must be an object, not 'gpt'"),
    "judges": (["gpt"], "must be an object, not 'gpt'"),
    "rubric": ("no.yaml", "no.yaml"),
    "languages": ({"python": "3"}, "languages must be"),
}
"""Values that are refused by another message than that of their option's kind."""

LEFT_OUT = {
    ("judge_rows", "teacher"),  # its teachers are the judges
    ("verify", "verify"),  # always on
    ("synthesize", "thoughts"),  # of the config sft, which only a folder has
}


def wrong_value(option: Option) -> tuple[Any, str]:
    """A value that no kind of option accepts, and part of the message that refuses it."""
    if option.name in WRONG:
        return WRONG[option.name]
    if isinstance(option.kind, Choice):
        return "no such name", option.kind.wrong.format(value="no such name")
    return (5 if isinstance(option.kind, PromptTemplateType | Names | Folder | JsonObject) else ["x"]), f"{option.name} must be"


def functions_with(part: str) -> dict[str, Callable[..., object]]:
    """The public functions whose arguments are options of a part: each called with one of them and what it needs besides."""
    seeds, embedded = read_seeds("code", sampler="functions"), oss.CommentFunctionTeacher()
    Path("rows.jsonl").write_text('{"problem": "Add a and b.", "solution": "a + b"}\n')

    def making(function: Callable[..., object], *more: Any) -> Callable[..., object]:
        return lambda **argument: function(seeds, *(() if "teacher" in argument else (embedded,)), *more, **argument)

    def over_rows(function: Callable[..., object], **more: Any) -> Callable[..., object]:
        return lambda **argument: function("rows.jsonl", "out", **(more | argument))

    stream, folder = making(synthesize), making(lambda seeds, *teacher, **how: to_disk(seeds, *teacher, **how))
    of_rows = {
        "verify": over_rows(oss.verify),
        "evolve": over_rows(oss.evolve, teacher=embedded),
        "judge_rows": over_rows(oss.judge_rows, judges=[oss.InferenceTeacher("m", "http://127.0.0.1:9/v1")]),
    }
    found: dict[str, dict[str, Callable[..., object]]] = {
        "seeds": {"read_seeds": read_seeds},
        "teacher": {"synthesize": stream, "synthesize_to_disk": folder, **of_rows},
        "prompt": {"synthesize": stream, "synthesize_to_disk": folder},
        "verification": {"verify": of_rows["verify"]},
        "evolution": {"evolve": of_rows["evolve"]},
        "judging": {"judge_rows": of_rows["judge_rows"]},
    }
    return found.get(part, {})


def to_disk(seeds: Any, teacher: Any = None, **how: Any) -> object:
    return synthesize_to_disk(seeds, how.pop("teacher", teacher), "out", **how)


@pytest.mark.parametrize(("part", "option"), IN_PYTHON, ids=[option.name for _, option in IN_PYTHON])
def test_python_takes_what_it_may_and_the_value_reaches_the_option(part: str, option: Option) -> None:
    """A wrong value is refused by the message of its own option, so that no argument is lost or exchanged for another."""
    name, (wrong, message) = option.name, wrong_value(option)
    places = functions_with(part)
    if part in CLASSES:
        assert (
            getattr(CLASSES[part](**beside(option), **{option.name: python_value(option)}), option.name) == VALUES[option.name][2]
        )
        places[CLASSES[part].__name__] = CLASSES[part]
    assert places
    for function, call in places.items():
        if name not in inspect.signature(getattr(oss, function)).parameters:
            assert (function, name) in LEFT_OUT, f"{function} has no argument {name}"
            continue
        with pytest.raises(UsageError, match=re.escape(message)):
            call(**{name: wrong})
    assert not Path("out").exists()


def beside(option: Option) -> dict[str, Any]:
    """Values without which the option makes no sense."""
    return {"price_in": 1, "price_out": 2} if option.name == "max_cost" else {}


OWN = {
    ("synthesize", "parser"),
    *((function, "teacher") for function in ("synthesize", "synthesize_to_disk", "evolve", "verify")),
}
"""Arguments that take more, or other things, than the option of the same name, and say so: a function, a teacher object."""


@pytest.mark.parametrize(("part", "option"), IN_PYTHON, ids=[option.name for _, option in IN_PYTHON])
def test_python_has_the_defaults_and_the_help_of_the_declaration(part: str, option: Option) -> None:
    for name in functions_with(part):
        function = getattr(oss, name)
        argument = inspect.signature(function).parameters.get(option.name)
        if argument and (name, option.name) not in OWN:
            # None stands for the default prompt, which is long.
            assert argument.default in (option.default, inspect.Parameter.empty) or option.name == "prompt"
            if option.name not in ("judges", "rubric") and (name, option.name) != ("verify", "tests"):  # a table has no answer
                assert f" {option.name}: {option.python_help} " in " ".join((function.__doc__ or "").split()) + " "


@pytest.mark.parametrize("part", CLASSES)
def test_functions_take_the_parts_that_are_classes(part: str) -> None:
    assert part in inspect.signature(synthesize_to_disk).parameters
    assert (part in inspect.signature(synthesize).parameters) is (part != "checks")


def test_help_in_python_describes_every_option_and_names_no_flag() -> None:
    parts = [type(getattr(RunSpec(), part.name)) for part in fields(RunSpec)]
    for part in [*parts, EvolutionSpec, JudgingSpec]:
        described = " ".join((inspect.getdoc(part) or "").split())
        for option in options_of(part):
            assert f"{option.name}: {option.python_help}" in described
            assert not re.search(r"--|command|repeat the flag", option.python_help), option.name
    assert "n: Number of seeds. Default: one per document, for all documents." in pydoc.plain(pydoc.render_doc(read_seeds))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda seeds, teacher: synthesize(seeds, teacher, then=3), "then must be a list of GenerationTask objects, not 3."),
        (
            lambda seeds, teacher: synthesize(seeds, teacher, then=[teacher]),
            "then must be a list of GenerationTask objects, not [",
        ),
        (lambda seeds, teacher: synthesize(seeds, teacher, journal=3), "journal must be a path, not 3."),
        (lambda seeds, teacher: synthesize_to_disk(seeds, teacher, 3), "out must be a path, not 3."),
        (lambda seeds, teacher: oss.verify(None, "out"), "source must be a path, not None."),
        (lambda seeds, teacher: oss.verify("rows.jsonl", "out", language=3), "language must be a string, not 3."),
        (lambda seeds, teacher: oss.evolve("rows.jsonl", "out", teacher=teacher, n="3"), "n must be a whole number, not '3'."),
        (lambda seeds, teacher: oss.judge_rows("rows.jsonl", "out", judges=[], n=0), "n must be at least 1, not 0."),
        (lambda seeds, teacher: oss.Prompt(3), "A prompt template is a string, not 3."),
    ],
)
def test_arguments_that_are_no_options_are_validated_too(call: Callable[..., object], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        call(read_seeds("code", sampler="functions"), oss.CommentFunctionTeacher())
    assert not Path("out").exists()


@pytest.mark.parametrize("function", [read_seeds, synthesize, synthesize_to_disk, oss.verify, oss.evolve, oss.judge_rows])
def test_the_types_of_arguments_can_be_read(function: Callable[..., object]) -> None:
    types = get_type_hints(function)
    assert list(types) == [*inspect.signature(function).parameters, "return"]
    assert inspect.unwrap(function) is function
    assert types["n" if "n" in types else "concurrency"] in (int, int | None)


def test_none_stands_for_the_default_prompt() -> None:
    assert inspect.signature(synthesize).parameters["prompt"].default is None
    assert PromptSpec(prompt=None) == PromptSpec()  # type: ignore[arg-type]
    seeds = read_seeds("code", sampler="functions")
    for nothing in ({"prompt": None, "sampling": None, "limits": None, "verification": None}, {}):
        assert list(synthesize(seeds, oss.CommentFunctionTeacher(), **nothing)) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: synthesize(read_seeds("code"), oss.CommentFunctionTeacher(), promt="x"),
            "synthesize() got an unexpected keyword argument 'promt'",
        ),
        (lambda: synthesize(read_seeds("code")), "synthesize() missing a required argument: 'teacher'"),
        (lambda: oss.evolve("rows.jsonl", "out", None, teacher=None), "evolve() too many positional arguments"),
        (lambda: oss.verify("rows.jsonl", "out", source="x"), "verify() got multiple values for argument 'source'"),
        (lambda: oss.judge_rows("rows.jsonl", "out"), "judge_rows() missing a required argument: 'judges'"),
        (lambda: read_seeds("code", N=3), "read_seeds() got an unexpected keyword argument 'N'"),
    ],
)
def test_a_wrong_call_names_the_function_that_was_called(call: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        call()


def test_a_stream_takes_what_a_folder_takes_but_checks_of_the_whole_set() -> None:
    stream, folder = (set(inspect.signature(function).parameters) for function in (synthesize, synthesize_to_disk))
    assert folder - stream == {"out", "checks", "progress", "thoughts"}  # a stream has no config sft to put thoughts into
    assert stream - folder == {"journal", "on_left_out"}


@params(Interface.PYTHON, False)
def test_python_has_no_argument_for_the_rest(part: str, option: Option) -> None:
    for function in (read_seeds, synthesize, synthesize_to_disk, oss.verify, oss.evolve, oss.judge_rows):
        assert option.name not in inspect.signature(function).parameters


def test_read_seeds_takes_pythons_own_types() -> None:
    seeds = list(read_seeds("code", 1, languages=["Python"], sampler="functions", filters=[], deny="deny.txt"))
    assert [seed.origin.file_path for seed in seeds] == ["a.py"]
    Path("deny.txt").write_text("path: a.py\n")
    assert not list(read_seeds("code", languages={"python": None}, deny="deny.txt"))
    with pytest.raises(TypeError, match=CONTROL):
        read_seeds("code", **{CONTROL: 1})  # type: ignore[arg-type]


def test_help_lists_the_options_of_each_part_under_its_heading() -> None:
    said = CliRunner().invoke(cli, ["synthesize", "--help"]).output
    assert re.findall(r"^(\w+):$", said, re.MULTILINE) == ["Options", "Seeds", "Model", "Limits", "Checks", "Verification"]
    order = ["Options:", "--out", "Seeds:", "--licenses", "Model:", "--base-url", "Limits:", "--max-cost", "Checks:", "--rule"]
    places = [said.index(f"\n{word}" if word.endswith(":") else f"\n  {word} ") for word in order]
    assert places == sorted(places)
