"""Every benchmark that has a name, in any spelling: its repository on the Hub, pinned commit, files and columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hf_oss_instruct.code.languages import find_language
from hf_oss_instruct.errors import UsageError

MULTIPL_E_SCORED = {
    "cpp": "cpp",
    "cs": "csharp",
    "d": "d",
    "go": "go",
    "java": "java",
    "jl": "julia",
    "js": "javascript",
    "lua": "lua",
    "php": "php",
    "pl": "perl",
    "r": "r",
    "rb": "ruby",
    "rkt": "racket",
    "rs": "rust",
    "scala": "scala",
    "sh": "shell",
    "swift": "swift",
    "ts": "typescript",
}
"""MultiPL-E's key of a language that can be scored → the language's name in `languages.LANGUAGES`."""
MULTIPL_E_LANGUAGES = MULTIPL_E_SCORED | {
    "clj": "clojure",
    "dart": "dart",
    "elixir": "elixir",
    "hs": "haskell",
    "ml": "ocaml",
    "adb": "ada",
}
"""The same for all of its languages, which training data must not quote."""


@dataclass(frozen=True, slots=True)
class BenchmarkColumns:
    """The columns of a benchmark's rows. Where several are named, a row has one or more of them.

    Attributes:
        prompts: problem texts, or the beginnings of programs with them.
        solutions: reference solutions.
        ids: names of the problems.
        entry_points: the function to write.
        assertions: tests that call it, where no column names it.
    """

    prompts: tuple[str, ...]
    solutions: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    entry_points: tuple[str, ...] = ()
    assertions: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*self.prompts, *self.solutions, *self.ids, *self.entry_points, *self.assertions))


USUAL_COLUMNS = BenchmarkColumns(
    prompts=("prompt", "complete_prompt", "instruct_prompt", "text", "question", "question_content", "problem", "instruction"),
    solutions=("canonical_solution", "reference_code", "code", "solutions", "solution", "response"),
    ids=("task_id", "name", "problem_id", "question_id", "id"),
    entry_points=("entry_point",),
    assertions=("test_list", "assertion"),
)
"""Names that benchmarks use, by which the columns of other data are recognized: local files, and datasets without an entry."""


@dataclass(frozen=True, slots=True)
class HubBenchmark:
    """A benchmark on the Hub.

    Attributes:
        name: canonical name, such as `humaneval_plus`.
        title: the name that people read, such as `HumanEval+`.
        repo: dataset repository.
        revision: the commit that is read. It is pinned, since changed data would change what a score or a check means.
        files: patterns of the files with the prompts and solutions that training data must not quote.
        columns: the columns of its rows.
        recorded: name in run configs and `run.json`, if it differs from the canonical one.
        test_files: patterns of the files that are scored, if they differ from `files`.
        local_names: names of its files in a local folder; the first that is found wins.
        subset: its configuration on the Hub.
        gigabytes: download size, if large; decontamination reads such a benchmark only if it is named.
    """

    name: str
    title: str
    repo: str
    revision: str
    files: tuple[str, ...]
    columns: BenchmarkColumns = USUAL_COLUMNS
    recorded: str = ""
    test_files: tuple[str, ...] = ()
    local_names: tuple[str, ...] = ()
    subset: str = "default"
    gigabytes: float = 0

    @property
    def scored_files(self) -> tuple[str, ...]:
        """Patterns of the files that are scored."""
        return self.test_files or self.files


_HUMANEVAL = BenchmarkColumns(("prompt",), ("canonical_solution",), ("task_id",), ("entry_point",))
_ALL = (
    HubBenchmark(
        "humaneval",
        "HumanEval",
        "openai/openai_humaneval",
        "7dce6050a7d6d172f3cc5c32aa97f52fa1a2e544",
        ("openai_humaneval/test-*",),
        _HUMANEVAL,
        local_names=("HumanEval.jsonl*", "openai_humaneval/test-*.parquet"),
        subset="openai_humaneval",
    ),
    HubBenchmark(
        "humaneval_plus",
        "HumanEval+",
        "evalplus/humanevalplus",
        "d32357cf319e50e9c8d8dab5ea876c72b0fd321b",
        ("data/test-*",),
        _HUMANEVAL,
        recorded="humanevalplus",
        local_names=("HumanEvalPlus.jsonl*", "HumanEvalPlus-v*.jsonl*", "humanevalplus/**/test-*.parquet"),
    ),
    HubBenchmark(
        "mbpp",
        "MBPP",
        "google-research-datasets/mbpp",
        "4bb6404fdc6cacfda99d4ac4205087b89d32030c",
        # Rows of every split must not be quoted; those of the test split are scored.
        ("full/*.parquet",),
        BenchmarkColumns(("text", "prompt"), ("code",), ("task_id",), assertions=("test_list",)),
        test_files=("full/test-*",),
        local_names=("mbpp.jsonl*", "full/test-*.parquet"),
        subset="full",
    ),
    HubBenchmark(
        "mbpp_plus",
        "MBPP+",
        "evalplus/mbppplus",
        "b2d74c91837c3f2a20c1299ae98133cbe7cfa077",
        ("data/test-*",),
        # The second solution and the assertions are those of the Hub; evalplus' own files have the others.
        BenchmarkColumns(("prompt",), ("canonical_solution", "code"), ("task_id",), ("entry_point",), ("test_list",)),
        recorded="mbppplus",
        local_names=("MbppPlus.jsonl*", "MbppPlus-v*.jsonl*", "mbppplus/**/test-*.parquet"),
    ),
    HubBenchmark(
        "multipl_e",
        "MultiPL-E",
        "nuprl/MultiPL-E",
        "28441b6024e71d4a1c1c0f6bf171c935cd5a43f2",
        tuple(f"{origin}-{language}/test-*" for language in MULTIPL_E_LANGUAGES for origin in ("humaneval", "mbpp")),
        BenchmarkColumns(("prompt",), ids=("name", "task_id")),
        recorded="multipl-e",
    ),
    HubBenchmark(
        "ds1000",
        "DS-1000",
        "xlangai/DS-1000",
        "4416080ac5cb80bdf7576aefb8f9a0b4d5426a44",
        ("test.jsonl",),
        BenchmarkColumns(("prompt",), ("reference_code",)),
    ),
    HubBenchmark(
        "gsm8k",
        "GSM8K",
        "openai/gsm8k",
        "740312add88f781978c0658806c59bc2815b9866",
        ("main/test-*",),
        BenchmarkColumns(("question",)),
    ),
    HubBenchmark(
        "bigcodebench",
        "BigCodeBench",
        "bigcode/bigcodebench",
        "b74c0d0bf70d2c0bc459be537895cca163007f1a",
        ("data/v0.1.4-*",),
        BenchmarkColumns(("complete_prompt", "instruct_prompt"), ("canonical_solution",), ("task_id",), ("entry_point",)),
    ),
    HubBenchmark(
        "apps",
        "APPS",
        "codeparrot/apps",
        "21e74ddf8de1a21436da12e3e653065c5213e9d1",
        ("test.jsonl",),
        BenchmarkColumns(("question",), ("solutions",), ("problem_id", "id")),
        gigabytes=1.3,
    ),
    HubBenchmark(
        "livecodebench",
        "LiveCodeBench",
        "livecodebench/code_generation_lite",
        "0fe84c3912ea0c4d4a78037083943e8f0c4dd505",
        ("test*.jsonl",),
        BenchmarkColumns(("question_content",), ids=("question_id",)),
        gigabytes=4.5,
    ),
)
BENCHMARKS: Mapping[str, HubBenchmark] = {benchmark.name: benchmark for benchmark in _ALL}
"""Canonical name → benchmark."""
DECONTAMINATED: Mapping[str, HubBenchmark] = {benchmark.recorded or benchmark.name: benchmark for benchmark in _ALL}
"""Name in run configs and `run.json` → benchmark."""


def lookup(name: str) -> HubBenchmark | None:
    """The benchmark of a name in any spelling (`HumanEval+`, `humaneval-plus`, `humanevalplus`), or None."""
    return _BY_SPELLING.get(_spelling(name))


def parse(name: str) -> tuple[HubBenchmark, str] | None:
    """The benchmark that a name means in any spelling, and the part of it, such as `java` or `mbpp-java` of MultiPL-E.

    Args:
        name: such as `HumanEval+`, `multipl_e:java`, `MultiPL-E:MBPP-C++`. The part is empty if none is named.

    Returns:
        None if no benchmark has this name.

    Raises:
        UsageError: the benchmark has no such part.
    """
    family, colon, part = name.strip().partition(":")
    benchmark = lookup(family)
    if benchmark is None or not colon:
        return (benchmark, "") if benchmark else None
    if benchmark.name != "multipl_e":
        raise UsageError(f"{name!r} has a language, and only multipl_e has several. Write {benchmark.name}.")
    # The configurations on the Hub are `humaneval-java` and `mbpp-java`; a language alone means HumanEval.
    origin, language = re.fullmatch(r"(?s)(mbpp[-_ ])?(.*)", part.strip().lower()).groups()  # type: ignore[union-attr]  # matches all
    if not language:
        return benchmark, ""
    known = find_language(language)
    keys = [key for key, ours in MULTIPL_E_LANGUAGES.items() if language in (key, ours) or (known and known.name == ours)]
    if not keys:
        raise UsageError(f"MultiPL-E has no language {language!r}. Use one of: {', '.join(MULTIPL_E_LANGUAGES)}.")
    return benchmark, f"{'mbpp-' if origin else ''}{keys[0]}"


def part_of(benchmark: HubBenchmark, part: str) -> HubBenchmark:
    """The benchmark with the files of a part only, which `parse` returned."""
    if not part:
        return benchmark
    folder = part if part.startswith("mbpp-") else f"humaneval-{part}"
    names = (f"{folder}.jsonl*", f"{folder}/test-*.parquet")
    return replace(benchmark, files=(f"{folder}/test-*",), local_names=names, subset=folder)


def canonical(task: str) -> str:
    """A task's canonical name: `HumanEval+` is `humaneval_plus`, `MultiPL-E:MBPP-Java` is `multipl_e:mbpp-java`.

    A name that no benchmark has is returned as it is.

    Raises:
        UsageError: the benchmark has no such part.
    """
    if (parsed := parse(task)) is None:
        return task
    benchmark, part = parsed
    return f"{benchmark.name}:{part}" if part else benchmark.name


def recorded(name: str) -> str:
    """The name for run configs and `run.json`; a name that no benchmark has is returned as it is.

    Raises:
        UsageError: the benchmark has no such part.
    """
    if (parsed := parse(name)) is None:
        return name
    benchmark, part = parsed
    own = benchmark.recorded or benchmark.name
    return f"{own}:{part}" if part else own


def decontaminated(name: str) -> HubBenchmark | None:
    """The benchmark, or the part of one, that a name in a run config means; None for any other name."""
    family, _, part = name.partition(":")
    benchmark = DECONTAMINATED.get(family)
    return part_of(benchmark, part) if benchmark else None


def _spelling(name: str) -> str:
    """A name without case and separators, `+` spelled out."""
    return re.sub(r"[\s_-]", "", name.lower().replace("+", "plus"))


_BY_SPELLING = {_spelling(benchmark.name): benchmark for benchmark in _ALL}
