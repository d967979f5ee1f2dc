"""A labelled test bed: texts that quote a benchmark by construction, and texts that do not."""

from __future__ import annotations

import ast
import gzip
import io
import json
import re
import sysconfig
import textwrap
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import xxhash

from hf_oss_instruct.curation.decontamination.benchmark_tasks import BenchmarkTask, statement, tasks_of

DATA = Path("/work/shared/data")
"""Real benchmarks, where this machine has them; nothing of them is in the repository."""
COMMENTED = ("cpp", "go", "java", "js", "rs", "php", "ts", "swift")
TRANSLATED = ("cpp", "java", "js")


class Case(NamedTuple):
    """One text, and the benchmark task that it was made from; None for clean ones."""

    kind: str
    task: str | None
    text: str
    held_out: bool


def read(path: Path) -> list[dict[str, Any]]:
    opened = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")
    with opened as lines:
        return [json.loads(line) for line in lines]


def humaneval() -> list[BenchmarkTask]:
    return list(tasks_of("humaneval", read(DATA / "humaneval" / "HumanEval.jsonl.gz")))


def mbpp() -> list[BenchmarkTask]:
    return list(tasks_of("mbpp", read(DATA / "mbppplus" / "MbppPlus.jsonl.gz")))


def is_held_out(key: str) -> bool:
    """Half of everything, by hash: no rule and no number was chosen by looking at it."""
    return bool(xxhash.xxh3_64_intdigest(f"held out/{key}".encode()) & 1)


def contaminated() -> Iterator[Case]:
    """Everything that is made from HumanEval: 164 problems, told in many ways."""
    for row in read(DATA / "humaneval" / "HumanEval.jsonl.gz"):
        task, prompt, code = f"humaneval:{row['task_id']}", row["prompt"], row["prompt"] + row["canonical_solution"]
        words = statement(prompt)
        taken = re.split(r"(?im)^\s*(?:>>>|(?:for )?examples?\b)", words)[0].strip()
        texts = {
            "prompt verbatim": prompt,
            "prompt and solution verbatim": code,
            "docstring reflowed": "Write a function.\n\n" + textwrap.fill(" ".join(words.split()), 60),
            "without doctests": "Please solve this in Python.\n" + (taken or words),
            "solution verbatim": row["canonical_solution"],
            "solution re-indented": row["canonical_solution"].replace("    ", "\t"),
            "solution renamed": renamed(prompt, row["canonical_solution"], keep=row["entry_point"]),
            "solution and function renamed": renamed(prompt, row["canonical_solution"]),
        }
        for kind, text in texts.items():
            yield Case(kind, task, text, is_held_out(task))
    for language in COMMENTED:
        for row in read(DATA / "multipl-e" / f"humaneval-{language}.jsonl"):
            task = f"humaneval:HumanEval/{row['task_id'].split('_')[1]}"
            yield Case(f"MultiPL-E {language}", task, row["prompt"], is_held_out(task))
    for language in TRANSLATED:
        for row in read(DATA / "humaneval-x" / f"humaneval_{language}.jsonl.gz"):
            task = f"humaneval:HumanEval/{row['task_id'].split('/')[1]}"
            yield Case(f"HumanEval-X {language} prompt", task, row["prompt"], is_held_out(task))
            yield Case(
                f"HumanEval-X {language} solution", task, row["declaration"] + row["canonical_solution"], is_held_out(task)
            )


def renamed(prompt: str, body: str, keep: str = "") -> str:
    """What a prompt and its solution make, without docstrings; only the names that it gives itself are changed."""
    lines, names = (prompt + body).split("\n"), dict[str, str]()
    for node in ast.walk(ast.parse(prompt + body)):
        is_stored = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        is_function = isinstance(node, ast.FunctionDef)
        name = node.arg if isinstance(node, ast.arg) else node.name if is_function else node.id if is_stored else keep
        if name != keep:
            names.setdefault(name, f"value_{len(names)}")
        if is_function and ast.get_docstring(node) is not None:
            lines[node.body[0].lineno - 1 : node.body[0].end_lineno] = [""] * (node.body[0].end_lineno - node.body[0].lineno + 1)
    code = "\n".join(line for line in lines if line.strip()) + "\n"
    tokens = []
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        is_attribute = tokens and tokens[-1][1] == "."
        tokens.append((token.type, token.string if is_attribute else names.get(token.string, token.string)))
    return tokenize.untokenize(tokens)


SUSPECT = re.compile(r"human_?eval|mbpp|evalplus|lighteval|bigcode|livecodebench", re.IGNORECASE)


def clean(limit: int = 20_000) -> Iterator[Case]:
    """Docstrings and windows of code from installed packages, `limit` of each; files that speak of benchmarks are left out."""
    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")]
    paths = sorted({path for folder in folders for path in Path(folder).rglob("*.py") if not SUSPECT.search(str(path))})
    paths.sort(key=lambda path: xxhash.xxh3_64_intdigest(path.name.encode() + str(path.stat().st_size).encode()))
    taken = seen = 0
    texts: set[str] = set()
    for path in paths:
        source = path.read_text("utf-8", "replace")
        if SUSPECT.search(source) or len(source) > 500_000 or source in texts:
            continue
        texts.add(source)
        held_out = is_held_out(path.name)
        lines = source.split("\n")
        for start in range(0, len(lines) - 20, 40):
            if seen < limit and len(window := "\n".join(lines[start : start + 35])) > 200:
                seen += 1
                yield Case("clean code", None, window, held_out)
        for docstring in docstrings(source) if taken < limit else ():
            taken += 1
            yield Case("clean prose", None, docstring, held_out)
        if taken >= limit and seen >= limit:
            return


def docstrings(source: str) -> Iterator[str]:
    """Docstrings of functions that say something."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and len((text := ast.get_docstring(node)) or "") > 80:
            yield text or ""
