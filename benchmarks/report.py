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

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

HERE = Path(__file__)
BIN = Path(sys.executable).parent
WORDS, PROBLEM, SOLUTION = 200_000, 190, 170
BATCH = 50_000


def rows(count: int, folder: Path) -> None:
    """A run's folder with so many rows, an eighth of them rejected."""
    from hf_oss_instruct.schemas import REJECTED_SCHEMA, SCHEMA
    from hf_oss_instruct.storage.shards import FINAL_COMPRESSION, ROWS_PER_GROUP

    random = np.random.default_rng(0)
    words = pa.array([f"w{number:x}" for number in range(WORDS)])
    for number, first in enumerate(range(0, count, BATCH)):
        size = min(BATCH, count - first)
        table = columns(random, words, first, size)
        fallen = pc.equal(pc.bit_wise_and(table["index"], 7), 0)
        for name, schema, mask in (("data", SCHEMA, pc.invert(fallen)), ("rejected", REJECTED_SCHEMA, fallen)):
            part = table.filter(mask)
            whole = [
                part[field.name].cast(field.type) if field.name in part.column_names else pa.nulls(len(part), field.type)
                for field in schema
            ]
            (folder / name).mkdir(parents=True, exist_ok=True)
            path = folder / name / f"train-{number:05d}.parquet"
            pq.write_table(pa.table(whole, schema), path, row_group_size=ROWS_PER_GROUP, **FINAL_COMPRESSION)
    kept = count - -(-count // 8)
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


def columns(random: np.random.Generator, words: pa.Array, first: int, size: int) -> pa.Table:
    """Rows of both tables: texts of words drawn by Zipf's law."""
    drawn = pa.array(np.minimum(random.zipf(1.25, size * (PROBLEM + SOLUTION)), WORDS) - 1)
    texts = [
        pc.binary_join(pa.ListArray.from_arrays(np.arange(0, part * size + 1, part, np.int32), words.take(ids)), separator)
        for part, ids, separator in ((PROBLEM, drawn[: PROBLEM * size], " "), (SOLUTION, drawn[PROBLEM * size :], ";\n"))
    ]
    index = pa.array(np.arange(first, first + size))
    languages = pa.array(["python"] * 6 + ["cpp", "java", "typescript", "shell", "csharp", "rust", "php", "swift"])
    said = pc.cast(index, pa.string())
    same = {"teacher": "teacher/1", "prompt_hash": "0", "seed_dataset": "code", "sampler": "hash/1", "reason": "duplicate"}
    return pa.table(
        {
            "seed_id": pc.utf8_lpad(said, 32, "0"),
            "lang": languages.take(pa.array(np.arange(first, first + size) % len(languages))),
            "raw_index": index,
            "index": index,
            "seed": pc.utf8_slice_codeunits(texts[0], 0, 300),
            "problem": texts[0],
            "solution": pc.binary_join_element_wise("```\n", texts[1], "\n```", ""),
            "repo_name": pc.binary_join_element_wise(
                "owner/repository", pc.cast(pa.array(np.arange(first, first + size) % 30_000), pa.string()), ""
            ),
            "file_path": pc.binary_join_element_wise("src/file", said, ".py", ""),
            "licenses": pa.array([["MIT"], ["Apache-2.0"], None]).take(pa.array(np.arange(first, first + size) % 3)),
            "pass_rate": pa.array(np.arange(first, first + size) % 5 / 4),
            **{name: pa.array([value] * size) for name, value in same.items()},
            **{name: pa.array([value] * size) for name, value in (("start_line", 1), ("end_line", 9), ("rng_seed", 0))},
        }
    )


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


def cpu_of(process: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def served(folder: Path) -> None:
    """Start the server and print how soon it answers each question."""
    command = [BIN / "hf-oss-instruct", "report", folder, "--serve", "--port", "0"]
    started = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        address = next(word for line in server.stderr for word in line.split() if word.startswith("http://"))
        print(f"served: address after {time.perf_counter() - started:.2f} s, {cpu_of(server.pid):.2f} CPU-s (most are imports)")
        questions: list[tuple[str, str, dict[str, str]]] = [
            ("page", "", {}),
            ("first rows", "api/rows", {"limit": "50"}),
            ("which filters there are", "api/facets", {}),
            *(
                (f"values of {name}", "api/values", {"name": name})
                for name in ("lang", "license", "reason", "status", "rate", "repository")
            ),
            ("filter by language", "api/rows", {"lang": "rust", "limit": "50"}),
            ("filter by repository", "api/rows", {"repository": "owner/repository777", "limit": "50"}),
            ("filter by reason and page 100", "api/rows", {"reason": "duplicate", "limit": "50", "offset": "5000"}),
            ("filter by pass rate", "api/rows", {"rate": "1", "limit": "50"}),
            ("search a common word", "api/rows", {"text": "w1f", "limit": "50"}),
            ("a row by its id", "api/row", {"key": f"{12345:032x}"}),
        ]
        for name, path, asked in questions:
            start, cpu = time.perf_counter(), cpu_of(server.pid)
            with urllib.request.urlopen(f"{address}{path}?{urllib.parse.urlencode(asked)}") as answer:
                size = len(answer.read())
            took, spent = time.perf_counter() - start, cpu_of(server.pid) - cpu
            print(f"  {name}: {1000 * took:.0f} ms, {1000 * spent:.0f} CPU-ms, {size / 1000:,.0f} kB")
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
