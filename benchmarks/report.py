"""What a report costs: 75,000 rows to a page with its rows, and a million rows to the numbers and the served browser.

    python benchmarks/report.py                      # 75,000 rows
    python benchmarks/report.py --rows 1000000 --serve

The rows are about as long as those of OSS-Instruct-75K, their words drawn by Zipf's law. Each figure is of a process of its own:
CPU seconds, peak of memory, and bytes written.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__)
BIN = Path(sys.executable).parent
WORDS, PROBLEM, SOLUTION = 200_000, 190, 170


def rows(count: int, folder: Path) -> None:
    """A run's folder with so many rows, a seventh of them rejected."""
    from hf_oss_instruct.schemas import REJECTED_SCHEMA, SCHEMA
    from hf_oss_instruct.shards import Shards

    random = np.random.default_rng(0)
    words = np.array([f"w{number:x}" for number in range(WORDS)])
    languages = ["python"] * 6 + ["cpp", "java", "typescript", "shell", "csharp", "rust", "php", "swift"]
    tables = {"data": Shards(folder / "data", SCHEMA), "rejected": Shards(folder / "rejected", REJECTED_SCHEMA)}
    for number in range(count):
        drawn = words[np.minimum(random.zipf(1.25, PROBLEM + SOLUTION), WORDS) - 1]
        row: dict[str, Any] = {
            "seed_id": f"{number:032x}",
            "lang": languages[number % len(languages)],
            "raw_index": number,
            "index": number,
            "seed": " ".join(drawn[:60]),
            "problem": " ".join(drawn[:PROBLEM]),
            "solution": "```\n"
            + "\n".join(" ".join(drawn[at : at + 4]) + ";" for at in range(PROBLEM, PROBLEM + SOLUTION, 4))
            + "\n```",
            "teacher": "teacher/1",
            "prompt_hash": "0",
            "seed_dataset": "code",
            "repo_name": f"owner/repository{number % 30_000}",
            "file_path": f"src/file{number}.py",
            "start_line": 1,
            "end_line": 9,
            "licenses": ["MIT"],
            "sampler": "hash/1",
            "rng_seed": 0,
            "pass_rate": number % 5 / 4,
        }
        name = "rejected" if number % 7 == 0 else "data"
        if name == "rejected":
            row = {column: value for column, value in row.items() if column in REJECTED_SCHEMA.names} | {"reason": "duplicate"}
        tables[name].add(row)
    for shards in tables.values():
        shards.finish()
    kept = count - -(-count // 7)
    report = {
        "format_version": 1,
        "requested": count,
        "kept": kept,
        "pending": 0,
        "checks": [],
        "requests_sent": count,
        "teacher": "t",
    }
    (folder / "run.json").write_text(json.dumps(report))


def timed(words: list[str], folder: Path) -> None:
    """Run `report` in a process of its own and print what it took."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([BIN / "hf-oss-instruct", "report", folder, "--out", folder / "report", *words], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    page = (folder / "report" / "index.html").stat().st_size
    beside = sum(path.stat().st_size for path in (folder / "report" / "rows").glob("*.js"))
    print(f"report: {cpu:.0f} CPU-s, {time.perf_counter() - started:.0f} s, peak {after.ru_maxrss / 1e6:.2f} GB, ", end="")
    print(f"page {page / 1e6:.2f} MB, rows beside it {beside / 1e6:.0f} MB")


def served(folder: Path) -> None:
    """Start the server and print how soon it answers each question."""
    command = [BIN / "hf-oss-instruct", "report", folder, "--serve", "--port", "0"]
    started = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        address = next(word for line in server.stderr for word in line.split() if word.startswith("http://"))
        print(f"served: address after {time.perf_counter() - started:.2f} s (of which Python's imports are most)")
        questions: list[tuple[str, str, dict[str, str]]] = [
            ("page", "", {}),
            ("first rows", "api/rows", {"limit": "50"}),
            ("values of the filters", "api/facets", {}),
            ("filter by language", "api/rows", {"lang": "rust", "limit": "50"}),
            ("filter by repository", "api/rows", {"repository": "owner/repository777", "limit": "50"}),
            ("filter by reason and page 100", "api/rows", {"reason": "duplicate", "limit": "50", "offset": "5000"}),
            ("filter by pass rate", "api/rows", {"rate": "1", "limit": "50"}),
            ("search a common word", "api/rows", {"text": "w1f", "limit": "50"}),
            ("a row by its id", "api/row", {"key": f"{12345:032x}"}),
        ]
        for name, path, asked in questions:
            start = time.perf_counter()
            with urllib.request.urlopen(f"{address}{path}?{urllib.parse.urlencode(asked)}") as answer:
                size = len(answer.read())
            print(f"  {name}: {1000 * (time.perf_counter() - start):.0f} ms, {size / 1000:,.0f} kB")
        server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=75_000)
    parser.add_argument("--serve", action="store_true", help="also time the server")
    parser.add_argument("--benchmarks", default="none", help="as in `report`")
    parser.add_argument("--folder", type=Path, help="keep the rows here, and use them again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = arguments.folder or Path(place)
        if not (folder / "run.json").exists():
            rows(arguments.rows, folder)
        print(
            f"{arguments.rows:,} rows, {sum(path.stat().st_size for path in folder.glob('*/*.parquet')) / 1e6:.0f} MB of Parquet",
            flush=True,
        )
        if arguments.serve:
            served(folder)
        timed(["--benchmarks", arguments.benchmarks], folder)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
