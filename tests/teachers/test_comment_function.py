"""Pairs without a model: documented functions, cut out of real sources."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.code.syntax import MINED_LANGUAGES
from hf_oss_instruct.data import Completion, Pair, Provenance, Rejection, Request, Row, Seed
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.seeds.resolve import read_seeds
from hf_oss_instruct.synthesis.stream import synthesize
from hf_oss_instruct.teachers.comment_function import MIN_WORDS, CommentFunctionTeacher
from hf_oss_instruct.teachers.parsing import parse

DOC = "Count how many of the given words are longer than the limit."

# File → (source with DOC for the documentation, name of the function, its code as the solution must show it).
FREE = {
    "free.py": (
        'import re\n\n\ndef longer(words, limit):\n    """DOC"""\n    return sum(len(w) > limit for w in words)\n',
        "longer",
        "def longer(words, limit):\n    return sum(len(w) > limit for w in words)",
    ),
    "free.js": (
        "// DOC\nexport const longer = (words, limit) => {\n  return words.filter((w) => w.length > limit).length;\n};\n",
        "longer",
        "export const longer = (words, limit) => {\n  return words.filter((w) => w.length > limit).length;\n};",
    ),
    "free.ts": (
        "/** DOC */\nexport function longer(words: string[], limit = 3): number {\n  return words.length - limit;\n}\n",
        "longer",
        "export function longer(words: string[], limit = 3): number {\n  return words.length - limit;\n}",
    ),
    "free.c": (
        "#include <string.h>\n\n/* DOC */\nstatic int longer(char **words, int n)\n{\n\treturn n;\n}\n",
        "longer",
        "static int longer(char **words, int n)\n{\n\treturn n;\n}",
    ),
    "free.cpp": (
        "namespace text {\n/// DOC\ntemplate <typename T>\nint longer(const T& words) {\n  return words.size();\n}\n}\n",
        "longer",
        "template <typename T>\nint longer(const T& words) {\n  return words.size();\n}",
    ),
    "free.go": (
        "package text\n\n// DOC\nfunc Longer(words []string) int {\n\treturn len(words)\n}\n",
        "Longer",
        "func Longer(words []string) int {\n\treturn len(words)\n}",
    ),
    "free.rs": (
        "/// DOC\n#[inline]\npub fn longer(words: &[String]) -> usize {\n    words.len()\n}\n",
        "longer",
        "#[inline]\npub fn longer(words: &[String]) -> usize {\n    words.len()\n}",
    ),
    "free.php": (
        "<?php\n/** DOC */\nfunction longer(array $words): int\n{\n    return count($words);\n}\n",
        "longer",
        "function longer(array $words): int\n{\n    return count($words);\n}",
    ),
}
METHODS = {
    "method.py": (
        'class Text:\n    @staticmethod\n    def longer(words):\n        """DOC"""\n        return len(words)\n',
        "longer",
        "@staticmethod\ndef longer(words):\n    return len(words)",
    ),
    "method.js": (
        "class Text {\n  /** DOC */\n  async longer(words) {\n    return words.length;\n  }\n}\n",
        "longer",
        "async longer(words) {\n  return words.length;\n}",
    ),
    "method.ts": (
        "class Text {\n  /** DOC */\n  private longer<T>(words: T[]): number {\n    return words.length;\n  }\n}\n",
        "longer",
        "private longer<T>(words: T[]): number {\n  return words.length;\n}",
    ),
    "Method.java": (
        "class Text {\n    /**\n     * DOC\n     */\n    @Override\n    public int longer() {\n        return 1;\n    }\n}\n",
        "longer",
        "@Override\npublic int longer() {\n    return 1;\n}",
    ),
    "method.cpp": (
        "struct Text : Base {\n  // DOC\n  virtual int longer() const override {\n    return n;\n  }\n};\n",
        "longer",
        "virtual int longer() const override {\n  return n;\n}",
    ),
    "method.rs": (
        "impl Text {\n    /// DOC\n    pub fn longer(words: &[String]) -> usize {\n        words.len()\n    }\n}\n",
        "longer",
        "pub fn longer(words: &[String]) -> usize {\n    words.len()\n}",
    ),
    "Method.cs": (
        "class Text\n{\n    /// <summary>DOC</summary>\n    public override int Longer<T>(T words)\n    {\n        return 1;\n"
        "    }\n}\n",
        "Longer",
        "public override int Longer<T>(T words)\n{\n    return 1;\n}",
    ),
    "method.php": (
        "<?php\nclass Text\n{\n    /** DOC */\n    public static function longer($words)\n    {\n        return 1;\n    }\n}\n",
        "longer",
        "public static function longer($words)\n{\n    return 1;\n}",
    ),
}
EXAMPLES = {file: (source.replace("DOC", DOC), name, code) for file, (source, name, code) in (FREE | METHODS).items()}


def mine(folder: Path, sources: dict[str, str]) -> tuple[list[Row], list[Any]]:
    """Rows of a folder with these files, and what gave none."""
    for name, source in sources.items():
        (folder / name).write_text(source)
    left_out: list[Any] = []
    seeds = read_seeds(str(folder), sampler="functions")
    rows = list(synthesize(seeds, CommentFunctionTeacher(), journal=folder / "journal", on_left_out=left_out.append))
    return rows, left_out


def asked(snippet: str, lang: str) -> Completion | RowRejectedError:
    """What the teacher makes of one snippet."""
    seed = Seed(snippet, 1, 1 + snippet.count("\n"), Provenance("here", None, "f", 0, lang), "functions/1", 0)
    try:
        return asyncio.run(CommentFunctionTeacher().complete(Request(seed, (), {})))
    except RowRejectedError as refusal:
        return refusal


def pair_of(snippet: str, lang: str) -> Pair:
    completion = asked(snippet, lang)
    assert isinstance(completion, Completion), completion
    return parse(completion)


def test_the_examples_are_in_every_language_we_mine() -> None:
    by_suffix = {"py", "js", "ts", "java", "c", "cpp", "go", "rs", "cs", "php"}
    assert {name.rpartition(".")[2] for name in EXAMPLES} == by_suffix
    assert len(MINED_LANGUAGES) == len(by_suffix)


def test_a_folder_in_ten_languages_becomes_pairs_methods_included(tmp_path: Path) -> None:
    rows, left_out = mine(tmp_path, {name: source for name, (source, _, _) in EXAMPLES.items()})
    assert left_out == []
    assert {row["file_path"] for row in rows} == set(EXAMPLES)
    for row in rows:
        source, name, code = EXAMPLES[row["file_path"] or ""]
        language = named(row["lang"])
        assert row["solution"] == f"```{language.fence}\n{code}\n```"
        assert row["problem"].startswith(f"Write the {language.title} function `{name}`.")
        assert DOC in row["problem"]
        assert DOC not in row["solution"]
        assert row["seed"] == "\n".join(source.split("\n")[row["start_line"] - 1 : row["end_line"]])
        assert row["teacher"] == "comment-function/2"
        assert (row["prompt_tokens"], row["completion_tokens"], row["openai_fingerprint"]) == (None, None, None)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("noop.py", 'class Mail:\n    def noop(self):\n        """DOC"""\n        return self._shortcmd("NOOP")\n'),
        ("limit.py", 'LIMIT = 3\n\n\ndef longer(words):\n    """DOC"""\n    return sum(len(w) > LIMIT for w in words)\n'),
        ("text.go", "package text\n\n// DOC\nfunc (t *Text[T]) Longer() int {\n\treturn t.n\n}\n"),
        ("text.rs", "impl Text {\n    /// DOC\n    pub fn longer(&mut self) -> usize {\n        self.n\n    }\n}\n"),
        ("Text.java", "class Text {\n    /** DOC */\n    int longer() {\n        return this.n;\n    }\n}\n"),
        ("text.cpp", "// DOC\nint Text::longer() const {\n  return n;\n}\n"),
        ("text.php", "<?php\nclass Text\n{\n    /** DOC */\n    function longer()\n    {\n        return $this->n;\n    }\n}\n"),
    ],
)
def test_what_cannot_stand_alone_is_rejected_with_that_reason(tmp_path: Path, file: str, source: str) -> None:
    rows, [rejection] = mine(tmp_path, {file: source.replace("DOC", DOC)})
    assert rows == []
    assert rejection.reason == "not_verifiable"
    wanted = "needs other names of its module: LIMIT" if file == "limit.py" else "is a method and needs its class"
    assert wanted in rejection.detail


def test_the_problem_shows_the_signature_but_not_the_code() -> None:
    problem = pair_of(EXAMPLES["free.ts"][0], "typescript").problem
    assert "function longer(words: string[], limit = 3): number" in problem
    assert "return" not in problem


def test_documentation_too_thin_to_state_a_problem_is_rejected_with_that_reason(tmp_path: Path) -> None:
    words = " ".join(["word"] * (MIN_WORDS - 1))
    thin = f'def thin():\n    """{words}."""\n    return 1\n'
    enough = f'def enough():\n    """{words} more."""\n    return 1\n'
    rows, left_out = mine(tmp_path, {"a.py": thin, "b.py": enough})
    assert [row["file_path"] for row in rows] == ["b.py"]
    [rejection] = left_out
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.seed.origin.file_path) == ("thin_documentation", "a.py")
    assert rejection.detail == f"{MIN_WORDS - 1} words of documentation, {MIN_WORDS} needed"


@pytest.mark.parametrize(
    "snippet", ["", "x = 1", "def f():\n    return 1", '"""No function, but words enough to state some problem."""']
)
def test_a_snippet_without_a_documented_function_names_the_sampler_to_use(snippet: str) -> None:
    refusal = asked(snippet, "python")
    assert isinstance(refusal, RowRejectedError)
    assert refusal.reason == "unparsable"
    assert "'functions'" in refusal.detail


def test_code_that_holds_a_fence_stands_in_a_longer_one() -> None:
    code = "def fence():\n    return '```'"
    pair = pair_of(code.replace("\n", f'\n    """{DOC}"""\n', 1), "python")
    assert pair.solution == f"````python\n{code}\n````"


@pytest.mark.parametrize(
    ("signature", "doc"),
    [
        ("def longer(words) -> list[Solution]:", DOC),
        ("def longer(words):", f"{DOC}\n\n    See [Solution] below."),
        ("def longer(words):", f"{DOC}\n\n    [Solution] is what it returns."),
        ("def longer(words):", f"{DOC} The [problem description] tells more."),
    ],
    ids=["type", "inside a line", "opens a line", "problem"],
)
def test_a_function_that_writes_our_markers_gives_its_own_code_or_no_pair(signature: str, doc: str) -> None:
    completion = asked(f'{signature}\n    """{doc}"""\n    return words\n', "python")
    if isinstance(completion, Completion):
        pair = parse(completion)
        assert pair.solution == f"```python\n{signature}\n    return words\n```"
        assert DOC in pair.problem


def test_a_method_is_mined_and_not_a_function_inside_it(tmp_path: Path) -> None:
    code = "run(tasks) {\n  /** Call a single one of all the tasks that are there to call. */\n  function call(task) {\n"
    code += "    return task();\n  }\n  return tasks.map(call);\n}"
    method = f"  /** {DOC} */\n  " + code.replace("\n", "\n  ")
    [row], left_out = mine(tmp_path, {"gate.js": f"class Gate {{\n{method}\n}}\n"})
    assert left_out == []
    assert row["solution"] == f"```javascript\n{code}\n```"
    assert DOC in row["problem"]


SOURCES = [source for source, _, _ in EXAMPLES.values()]
LINES = [line + "\n" for source in SOURCES for line in source.split("\n")]
PIECES = st.sampled_from(LINES) | st.sampled_from(SOURCES) | st.text(max_size=9)


@given(st.sampled_from(sorted(MINED_LANGUAGES)), st.lists(PIECES, max_size=8).map("".join))
@settings(max_examples=150)
def test_any_snippet_gives_a_pair_or_a_refusal(lang: str, snippet: str) -> None:
    completion = asked(snippet, lang)
    if isinstance(completion, RowRejectedError):
        assert completion.reason in ("unparsable", "thin_documentation", "not_verifiable")
    else:
        assert completion.finish_reason == "stop"
        assert parse(completion).solution.startswith("```")
