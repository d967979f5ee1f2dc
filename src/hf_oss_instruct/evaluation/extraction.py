"""What program did the model write? A completion is cut, an answer's code is found, what it left out is restored."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.syntax import MINED_LANGUAGES, functions, parses

LINES = 400
"""How much of an answer without a fence is searched for code."""
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*\n(.*?)(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(
    r"^\s*(?:import|using|use|from|package|require|#include|#!|#lang|<\?php)\b.*$|^#include.*$|^<\?php.*$", re.MULTILINE
)
_CLASS = re.compile(
    r"^[ \t]*(?:(?:public|final|static|abstract|internal|sealed)\s+)*(?:class|object)\s+\w+[^{\n]*\{", re.MULTILINE
)
_FUTURE = re.compile(r"^from __future__ import .*$", re.MULTILINE)
IN_A_CLASS = ("java", "csharp", "scala")
MAIN = ("main", "Main")


@dataclass(frozen=True, slots=True)
class Extracted:
    """A program, and how it was made.

    Attributes:
        program: what is run, without tests.
        how: `solution` (as given), `completion` (prompt and completion), `fence` (the block that defines the entry point),
            `longest` (the longest block or lines that parse), `body` (a function's body under the prompt's signature).
        whole: whether the function is closed: tests that begin with its closing brace go without it.
    """

    program: str
    how: str
    whole: bool = True


def extract(problem: Problem, text: str, kind: str) -> Extracted:
    """The program in what a model wrote.

    Args:
        problem: what was asked.
        text: what came back.
        kind: `completion` of the prompt, `solution` (a whole program), `answer` (of a chat model), or `program` (MultiPL-E's
            results: prompt, completion and tests).

    Raises:
        EvaluationError: a `program` ends with other tests than the problem's.
    """
    if not text.strip():
        return Extracted("", kind)
    if kind == "completion":
        return _from_completion(problem, text)
    if kind == "program":
        return _before_tests(problem, text)
    if kind == "answer" or _FENCE.search(text):
        return from_answer(problem, text)
    return Extracted(text, "solution")


def cut(text: str, stop_tokens: Sequence[str]) -> str:
    """The text up to the first of these texts."""
    places = [place for token in stop_tokens if (place := text.find(token)) >= 0]
    return text[: min(places, default=len(text))]


def from_answer(problem: Problem, answer: str) -> Extracted:
    """The program in a chat model's answer, with the prompt's imports and signature restored.

    The first block that defines the entry point and parses is taken, else one that defines it, else the longest block that
    parses, else the longest run of lines that does.
    """
    blocks = [textwrap.dedent(match[2]) for match in _FENCE.finditer(answer)]
    defining = [block for block in blocks if defines(problem, block)]
    if defining:
        return _restored(problem, next((block for block in defining if _parses(problem, block)), defining[0]), "fence")
    parsing = sorted((block for block in blocks if block.strip() and _parses(problem, block)), key=len)
    lines = _longest_lines(problem, answer) if not parsing else ""
    return _restored(problem, parsing[-1] if parsing else lines or max(blocks, key=len, default=answer), "longest")


def defines(problem: Problem, source: str) -> bool:
    """Whether a source defines the problem's function."""
    name, lang = problem.entry_point, problem.language
    if lang in MINED_LANGUAGES and any(span.name == name for span in functions(source, lang)):
        return True
    words = r"(?:export|const|let|var|def|async|local|function|sub|func|fn)"
    spelled = rf"(?m)^[ \t]*(?:{words}[ \t]+)*\(?(?:define[ \t]*\(?)?{re.escape(name)}"
    if lang not in MINED_LANGUAGES and re.search(rf"{spelled}\b", source):
        return True
    return re.search(rf"{spelled}[ \t]*(?:=|<-|:)(?!=)", source) is not None


def _before_tests(problem: Problem, program: str) -> Extracted:
    place = program.rfind(problem.tests.strip())
    if place < 0 or not problem.tests.strip():
        raise EvaluationError(
            f"The program for {problem.task_id} ends with other tests than this version of the data has. Check --data."
        )
    return Extracted(program[:place], "solution", whole=False)


def _from_completion(problem: Problem, text: str) -> Extracted:
    text = text.removeprefix(problem.prompt)
    continues = text.lstrip("\n").startswith((" ", "\t"))
    if not continues and _FENCE.search(text):
        return from_answer(problem, text)
    if not continues and problem.language == "python" and "def " in problem.prompt and defines(problem, text):
        return _restored(problem, _longest_lines(problem, text) or text, "longest")
    return Extracted(problem.prompt + cut(text, problem.stop_tokens), "completion", whole=False)


def _parses(problem: Problem, source: str) -> bool:
    return problem.language not in MINED_LANGUAGES or parses(source, problem.language)


def _longest_lines(problem: Problem, text: str) -> str:
    """The longest run of lines that parses and defines the entry point, or else that parses and holds some function."""
    if problem.language not in MINED_LANGUAGES:
        return ""
    lines = text.split("\n")[:LINES]
    runs = [run for first in _beginnings(lines) if (run := _longest_from(problem, lines, first))]
    return max(runs, key=lambda run: (defines(problem, run), len(run)), default="")


def _beginnings(lines: Sequence[str]) -> Iterator[int]:
    """Lines at which code may begin: not indented, and no prose."""
    for number, line in enumerate(lines):
        if line[:1].strip() and re.match(
            r"[@#/<]|\w+\s*=|(?:\w+\s+)*[\w.:<>]+\s*[({]|(?:import|from|using|class|def|use)\b", line
        ):
            yield number


def _longest_from(problem: Problem, lines: Sequence[str], first: int) -> str:
    for last in range(len(lines), first, -1):
        run = "\n".join(lines[first:last])
        if lines[last - 1].strip() and parses(run, problem.language):
            return run + "\n" if functions(run, problem.language) else ""
    return ""


def _restored(problem: Problem, block: str, how: str) -> Extracted:
    if not defines(problem, block):
        return _under_signature(problem, block, how)
    if problem.language == "python":
        return Extracted(_with_preamble(problem, block), how)
    if problem.language in IN_A_CLASS:
        return Extracted(_in_class(problem, block), how)
    return Extracted("\n".join([*_missing_imports(problem, block), _without_main(problem, block)]), how)


def _under_signature(problem: Problem, block: str, how: str) -> Extracted:
    """A function's body under the prompt's signature; code without a `return` is no body."""
    if "return" not in block:
        return Extracted(block, how)
    if problem.language != "python":
        return Extracted(problem.prompt + cut(block, problem.stop_tokens), "body", whole=False)
    if "def " not in problem.prompt:
        return Extracted(block, how)
    return Extracted(problem.prompt + textwrap.indent(textwrap.dedent(block), "    "), "body")


def _with_preamble(problem: Problem, block: str) -> str:
    """A Python program under the prompt's imports and those of its helpers that it does not define itself."""
    try:
        statements = ast.parse(problem.prompt).body
    except SyntaxError:
        return block
    own = {span.name for span in functions(block, "python")} | {problem.entry_point}
    kept = [
        ast.unparse(node)
        for node in statements
        if isinstance(node, ast.Import | ast.ImportFrom) or (isinstance(node, ast.FunctionDef) and node.name not in own)
    ]
    future = [match[0] for match in _FUTURE.finditer(block)]  # has to stand before everything else
    return "\n".join([*future, *kept, _FUTURE.sub("", block)])


def _missing_imports(problem: Problem, block: str) -> list[str]:
    """Lines of the prompt that import something, without those that the block has too."""
    there = set(map(str.strip, block.split("\n")))
    head = problem.prompt.rstrip().rpartition("\n")[0]
    return [line for match in _IMPORT.finditer(head) if (line := match[0].strip()) and line not in there]


def _in_class(problem: Problem, block: str) -> str:
    """Methods inside the class that the tests go on with, whatever class the block had around them."""
    imports = [match[0].strip() for match in _IMPORT.finditer(block) if not match[0].lstrip().startswith("package")]
    block = _without_main(problem, _IMPORT.sub("", block))
    opening, own = _CLASS.search(problem.prompt), _CLASS.search(block)
    inside = block[own.end() : block.rfind("}")] if own else block
    outside = block[: own.start()] if own else ""
    return "\n".join([*_missing_imports(problem, "\n".join(imports)), *imports, outside, opening[0] if opening else "", inside])


def _without_main(problem: Problem, block: str) -> str:
    """The block without a `main` of its own: the tests bring theirs."""
    if problem.language not in MINED_LANGUAGES or problem.language in ("javascript", "typescript", "php"):
        return block
    for span in reversed(functions(block, problem.language)):
        if span.name in MAIN and span.name != problem.entry_point:
            block = block[: span.start] + block[span.end :]
    return block
