"""Small datasets for reports: rows as a run leaves them, with attacks in every column, and what lies beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from hf_oss_instruct.schemas import REJECTED_SCHEMA, SCHEMA
from hf_oss_instruct.storage.shards import Shards

ATTACK = (
    "</script><script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>"
    "<svg onload='window.pwned = 3'>\x1b[31mred\x1b]0;title\x07 \u202egnitirw\u202c \u2066inside\u2069 {{ 7 * 7 }} ${pwned}"
)
"""HTML, terminal escapes, bidirectional marks and templates: none may take effect."""
TOPICS = (
    (
        "python",
        "Sort the nodes of a binary tree by depth with recursion and a stack",
        "def walk(tree, depth):\n    return sorted(tree)",
    ),
    ("cpp", "Encrypt a password with a salt and hash it securely with sha256", "std::string hash(std::string password);"),
    ("java", "Query a database table with sql and join two tables in a transaction", "int rows(Connection sql) { return 1; }"),
    ("typescript", "Route an http request of a web server to its response as json", "const route = (request) => response;"),
)


def kept(number: int) -> dict[str, Any]:
    """One kept row; its words are those of its topic, and its number makes it differ."""
    lang, problem, solution = TOPICS[number % len(TOPICS)]
    return {
        "seed_id": f"{number:032x}",
        "lang": lang,
        "raw_index": number,
        "index": number,
        "seed": f"x = {number}\n",
        "problem": f"{problem}, variant {number} of case{number} word{number * 7} term{number * 13}.",
        "solution": f"```{lang}\n{solution}\n// {number}\n```",
        "teacher": "teacher/1",
        "prompt_hash": "0" * 32,
        "seed_dataset": "code",
        "repo_name": f"owner/repo{number % 7}",
        "repo_commit": "a" * 40,
        "file_path": f"src/a file{number}.{'py' if lang == 'python' else 'txt'}",
        "start_line": 3,
        "end_line": 9,
        "licenses": ["MIT"] if number % 3 else ["Apache-2.0", "MIT"],
        "sampler": "hash/1",
        "rng_seed": 0,
    }


def rejected(number: int, reason: str, detail: str = "why") -> dict[str, Any]:
    """One rejected row."""
    row = {name: value for name, value in kept(number).items() if name in REJECTED_SCHEMA.names}
    return row | {"reason": reason, "detail": detail, "received": f"answer {number}"}


def run_folder(
    folder: Path, rows: list[dict[str, Any]], fallen: list[dict[str, Any]] = (), schema: pa.Schema = SCHEMA, **facts: Any
) -> Path:  # type: ignore[assignment]
    """A folder as `synthesize` leaves it."""
    for name, content, columns in (("data", rows, schema), ("rejected", fallen, REJECTED_SCHEMA)):
        shards = Shards(folder / name, columns)
        for row in content:
            shards.add(row)
        shards.finish()
    report = {
        "format_version": 1,
        "requested": len(rows) + len(fallen),
        "kept": len(rows),
        "pending": 0,
        "requests_sent": 2 * len(rows),
        "tokens": {"prompt": 1000, "completion": 2000},
        "teacher": "teacher/1",
        "cost": 1.25,
        "seconds": 12.5,
        "checks": [{"name": "decontamination", "status": "done"}],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(report | facts))
    return folder


def verified(number: int) -> dict[str, Any]:
    """A kept row with two tests and two solutions that were run."""
    rate = (1.0, 0.5, 0.0, 0.8)[number % 4]
    return kept(number) | {
        "tests": [f"assert f({number}) == 1", "assert f(0) == 0"],
        "test_results": [True, number % 2 == 0],
        "solutions": [
            {"text": f"```python\nreturn {number}\n```", "status": "passed", "results": [True, number % 2 == 0]},
            {"text": f"```python\nreturn -{number}\n```", "status": "failed", "results": [False, None]},
        ],
        "execution_status": "passed" if rate == 1.0 else "failed",
        "pass_rate": rate,
        "mutation_score": 0.75,
        "flaky": 0,
        "reruns": 3,
        "attempts": 4,
        "passes": int(4 * rate),
    }


def judged(number: int) -> dict[str, Any]:
    """A kept row that two judges scored by two criteria: 3 and 3, or 3 and 5."""
    scores = [
        {"judge": judge, "criterion": criterion, "score": score}
        for judge in ("judge/1", ATTACK)
        for criterion, score in (("clarity", 3.0), ("use", 5.0 if number % 2 else 3.0))
    ]
    return kept(number) | {"judge_scores": scores, "judge_mean": 4.0 if number % 2 else 3.0, "judge": ["judge/1", ATTACK]}


def attacked(number: int) -> dict[str, Any]:
    """A kept row with an attack in every text column, its link among them."""
    row = verified(number) | {
        "solutions": [{"text": ATTACK, "status": ATTACK, "results": [None]}],
        "tests": [ATTACK],
        "licenses": [ATTACK],
    }
    return {name: ATTACK if isinstance(value, str) and name != "seed_id" else value for name, value in row.items()}


def benchmark(path: Path) -> Path:
    """A benchmark of three problems, the first of them about sorting a tree."""
    tasks = [
        ("Toy/0", 'def walk(tree):\n    """Sort the nodes of a binary tree by depth."""\n', "    return sorted(tree)\n"),
        (
            "Toy/1",
            'def gcd(a, b):\n    """Greatest common divisor of two integers."""\n',
            "    return a if not b else gcd(b, a % b)\n",
        ),
        ("Toy/2", 'def area(r):\n    """Area of a circle."""\n', "    return 3.14 * r * r\n"),
    ]
    lines = [json.dumps({"task_id": name, "prompt": prompt, "canonical_solution": solution}) for name, prompt, solution in tasks]
    path.write_text("\n".join(lines))
    return path
