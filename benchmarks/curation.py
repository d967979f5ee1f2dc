"""Deduplication against datasketch, decontamination against the paper's method, on the same rows in one run.

pip install datasketch                           # the peer
python benchmarks/curation.py                    # 75,000 rows, about two minutes
python benchmarks/curation.py --rows 750000      # deduplication alone, about four minutes
python benchmarks/curation.py --test-bed         # the table of docs/decontamination.md; needs the benchmarks' files

Rows are windows of the packages installed here in the shape of the paper's set (seed 10 lines, problem 22, solution 26); 5 % are
planted near duplicates. CPU seconds.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import sys
import sysconfig
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import feather

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.curation.annotations import not_rejected
from hf_oss_instruct.curation.decontamination import benchmark_index, quotes
from hf_oss_instruct.curation.decontamination.benchmarks import BenchmarkList
from hf_oss_instruct.curation.decontamination.magicoder_rule import MagicoderRule
from hf_oss_instruct.curation.duplicates import minhash
from hf_oss_instruct.curation.duplicates.exact import exact_duplicates
from hf_oss_instruct.curation.duplicates.near import THRESHOLD, near_duplicates
from hf_oss_instruct.curation.duplicates.same_names import same_names
from hf_oss_instruct.storage.spill import merged

PLANTED = 0.05
AT_ONCE = 25_000
WINDOWS = {"seed": 10, "problem": 22, "solution": 26}
COMPARED = 100_000
"""Up to so many rows there is more than deduplication."""
LISTS = {"humaneval": 164, "mbpp": 974, "multipl-e": 6000, "ds1000": 1000, "apps": 5000, "gsm8k": 1319, "bigcodebench": 1140}
"""Sizes of the real lists; their text is made up here, of words and of the same lengths, so that anyone can run this."""


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    value = work()
    return time.process_time() - start, value


def peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def shingles(text: str) -> set[str]:
    """The plain definition that MinHash approximates."""
    found = re.findall(r"[A-Za-z0-9_\u0080-\U0010ffff]+", text)
    return {" ".join(found[at : at + minhash.NGRAM]) for at in range(len(found) - minhash.NGRAM + 1)}


def edited(text: str, rng: random.Random) -> str:
    """A text with some words changed: often still nearly equal, sometimes not."""
    rate = rng.uniform(0, 0.06)
    return re.sub(r"\w+", lambda word: f"w{rng.randrange(99)}" if rng.random() < rate else word[0], text)


def rows(count: int) -> tuple[pa.Table, list[tuple[int, int]]]:
    """The rows, and which were made of which."""
    rng = random.Random(0)
    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")]
    paths = sorted({path for folder in folders for path in Path(folder).rglob("*.py")})
    cuts = {name: windows(paths, length) for name, length in WINDOWS.items()}
    parts, planted = [], []
    for first in range(0, count, AT_ONCE):
        columns: dict[str, list[str]] = {name: [] for name in WINDOWS}
        for number in range(min(AT_ONCE, count - first)):
            if number > 100 and rng.random() < PLANTED:
                origin = rng.randrange(number)
                planted.append((first + number, first + origin))
                for column in columns.values():
                    column.append(edited(column[origin], rng))
            else:
                for name, column in columns.items():
                    column.append(next(cuts[name]))
        ids = [f"{first + number:032x}" for number in range(len(columns["seed"]))]
        made = {name: ngrams.of_strings(column) for name, column in columns.items()}
        parts.append(pa.table({"seed_id": ids, **made}))
    return pa.concat_tables(parts), planted


def write_rows(count: int, path: Path) -> list[tuple[int, int]]:
    """`rows` into a file, by a process of its own: what making them takes is none of our memory."""
    table, planted = rows(count)
    feather.write_feather(table, path, compression="uncompressed")
    return planted


def windows(paths: list[Path], length: int) -> Iterator[str]:
    """Windows that do not overlap; where the files end before the rows do, again with other names in them."""
    for again in range(1000):
        for path in paths:
            lines = path.read_text("utf-8", "replace").split("\n")
            for start in range(0, len(lines) - length, length):
                text = "\n".join(lines[start : start + length])
                yield re.sub(r"\b([a-z]{3,})\b", rf"\g<1>{again}", text) if again else text


def deduplicate(table: pa.Table) -> pa.Table:
    return same_names(near_duplicates(exact_duplicates(table)))


def recall(
    column: pa.ChunkedArray, planted: list[tuple[int, int]], near: Callable[[pa.ChunkedArray], set[tuple[int, int]]]
) -> str:
    """Of planted pairs whose true similarity is at least 0.7, how many were found; and how many found ones are below it."""
    texts = column.to_pylist()
    found = near(column)

    def jaccard(pair: tuple[int, int]) -> float:
        one, other = (shingles(texts[row]) for row in pair)
        return len(one & other) / max(len(one | other), 1)

    enough = [pair for pair in planted if len(shingles(texts[pair[0]])) >= minhash.MIN_NGRAMS]
    true = [pair for pair in enough if jaccard(pair) >= THRESHOLD]
    wrong = sum(jaccard(pair) < THRESHOLD for pair in found)
    return (
        f"recall {sum(pair in found for pair in true) / len(true):.4f} of {len(true):,} pairs, {wrong:,} of {len(found):,} wrong"
    )


def ours(column: pa.ChunkedArray) -> set[tuple[int, int]]:
    found = set()
    for [pairs] in merged(minhash.candidates(column)):
        later, earlier = minhash.unpacked(pairs)
        near = minhash.exact(column, later, earlier) >= THRESHOLD
        found |= set(zip(later[near].tolist(), earlier[near].tolist(), strict=True))
    return found


def datasketchs(column: pa.ChunkedArray) -> set[tuple[int, int]]:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    found = set()
    for number, text in enumerate(column.to_pylist()):
        grams = shingles(text)
        if len(grams) < minhash.MIN_NGRAMS:
            continue
        sketch = MinHash(num_perm=128)
        sketch.update_batch([gram.encode() for gram in grams])
        found.update((number, other) for other in index.query(sketch))
        index.insert(number, sketch)
    return found


def made_up_lists() -> list[BenchmarkList]:
    """Lists of the real ones' sizes, about 15 MB: prompts of 60 to 200 words, solutions of 10 to 40 lines."""
    rng = random.Random(1)
    vocabulary = [
        f"{a}{b}" for a in "ab ac ad be co di fa ga ho in jo ka".split() for b in "ba ce di fo gu ha ki lo ma ne po".split()
    ]

    def sentence(length: int) -> str:
        return " ".join(rng.choice(vocabulary) for _ in range(length))

    def line() -> str:
        one, other, number = rng.choice(vocabulary), rng.choice(vocabulary), rng.randrange(99)
        forms = (
            f"for {one} in range({number}): {other}.append({one})",
            f"if {one} > {number} and not {other}: return [{one}, {number}]",
            f"{one} = sorted({other}, key=len)[:{number}]",
            f"while len({one}) < {number}: {other} += sum({one}) % {number}",
        )
        return f"    {rng.choice(forms)}"

    def program(length: int) -> str:
        return f"def {rng.choice(vocabulary)}_{rng.randrange(9999)}(a):\n" + "\n".join(line() for _ in range(length))

    return [
        BenchmarkList.of(
            name,
            "made-up",
            (
                {"task_id": at + 11, "prompt": sentence(rng.randrange(60, 200)), "question": sentence(40), "text": sentence(20),
                 "canonical_solution": program(rng.randrange(10, 40)), "code": program(5)}
                for at in range(count)
            ),
        )
        for name, count in LISTS.items()
    ]  # fmt: skip


def paper(table: pa.Table, substrings: list[str]) -> int:
    """The paper's loop: every substring is looked for in every row."""
    found = 0
    for problem, solution in zip(table["problem"].to_pylist(), table["solution"].to_pylist(), strict=True):
        content = f"{problem}\n\n{solution}".lower()
        found += any(substring in content for substring in substrings)
    return found


def test_bed() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.support import contamination as bed

    def checked(index: benchmark_index.BenchmarkIndex, cases: list[Any]) -> list[tuple[Any, list[str], list[str]]]:
        table = pa.table({"solution": ngrams.of_strings([case.text for case in cases])})
        out = quotes.Decontamination(index)(table)
        return list(zip(cases, out["contaminated_by"].to_pylist(), out["flags"].to_pylist(), strict=True))

    humaneval, mbpp = benchmark_index.build(bed.humaneval()), benchmark_index.build(bed.mbpp())
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * 6)
    for case, hits, flags in checked(humaneval, list(bed.contaminated())):
        own = any(hit.startswith(f"{case.task}:") for hit in hits or [])
        row = counts[case.kind]
        row[3 * case.held_out] += 1
        row[3 * case.held_out + 1] += own
        row[3 * case.held_out + 2] += own or any(flag.startswith(f"benchmark:{case.task}:") for flag in flags or [])
    print("| made from HumanEval | tuned on: n | dropped | dropped or flagged | held out: n | dropped | dropped or flagged |")
    print("|---|---|---|---|---|---|---|")
    for kind, (n, hit, seen, held, held_hit, held_seen) in counts.items():
        shares = [n, f"{hit / n:.1%}", f"{seen / n:.1%}", held, f"{held_hit / held:.1%}", f"{held_seen / held:.1%}"]
        print(f"| {kind} | {' | '.join(map(str, shares))} |")
    print(
        "\n| clean | index | tuned on: n | dropped | flagged | held out: n | dropped | flagged |"
        "\n|---|---|---|---|---|---|---|---|"
    )
    clean = list(bed.clean(20_000))
    cases = {
        "HumanEval": (humaneval, [*clean, *(bed.Case("MBPP's tasks", None, "\n".join(t.statements), True) for t in bed.mbpp())]),
        "MBPP+": (mbpp, [*clean, *(bed.Case("HumanEval's tasks", None, "\n".join(t.statements), True) for t in bed.humaneval())]),
    }
    for name, (index, texts) in cases.items():
        tally: dict[str, list[int]] = defaultdict(lambda: [0] * 6)
        for case, hits, flags in checked(index, texts):
            for at, happened in enumerate((True, bool(hits), bool(flags))):
                tally[case.kind][3 * case.held_out + at] += happened
        for kind, row in tally.items():
            print(f"| {kind} | {name} | {' | '.join(f'{value:,}' for value in row)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=75_000)
    parser.add_argument("--test-bed", action="store_true")
    parser.add_argument("--peer-rows", type=int, default=20_000, help="rows that datasketch sees")
    options = parser.parse_args()
    if options.test_bed:
        test_bed()
        return
    if options.rows <= COMPARED and not find_spec("datasketch"):
        parser.error("datasketch, which ours is compared with, is not installed. Install it with: pip install datasketch")
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        path = Path(folder) / "rows.arrow"
        planted = apart.submit(write_rows, options.rows, path).result()
        table = feather.read_table(path, memory_map=False)
    print(f"{len(table):,} rows, {sum(table[name].nbytes for name in WINDOWS) / 1e6:,.0f} MB; peak before {peak_gb():.2f} GB")
    seconds, out = spent(lambda: deduplicate(table))
    reasons = {reason: out["reason"].to_pylist().count(reason) for reason in ("duplicate", "near_duplicate")}
    print(f"deduplication       {seconds:7.1f} CPU s, peak {peak_gb():.2f} GB, {int(not_rejected(out).sum()):,} kept, {reasons}")
    if options.rows > COMPARED:
        return
    few = table.slice(0, options.peer_rows)
    pairs = [pair for pair in planted if pair[0] < options.peer_rows]
    for name, method in (("ours", ours), ("datasketch", datasketchs)):
        seconds, _ = spent(lambda method=method: method(few["solution"]))
        quality = recall(few["solution"], pairs, method)
        print(f"  near pairs, {name:10s} {options.peer_rows:,} solutions {seconds:6.1f} CPU s, {quality}")
    lists = made_up_lists()
    tasks = [task for listed in lists for task in listed.tasks]
    size = sum(len(text) for task in tasks for text in (*task.statements, *task.solutions))
    seconds, index = spent(lambda: benchmark_index.build(tasks))
    print(f"index of {len(tasks):,} tasks, {size / 1e6:.0f} MB: {seconds:.1f} CPU s, peak {peak_gb():.2f} GB")
    seconds, out = spent(lambda: quotes.Decontamination(index)(table))
    print(f"decontamination     {seconds:7.1f} CPU s for {len(table):,} rows, peak {peak_gb():.2f} GB")
    rule = MagicoderRule(lists)
    quick, out = spent(lambda: rule(table))
    substrings = [substring for _, substring in rule._substrings]
    some = table.slice(0, 300)
    slow, _ = spent(lambda: paper(some, substrings))
    whole = slow / len(some) * len(table)
    print(f"the paper's rule    {quick:7.1f} CPU s here; its own loop {whole:,.0f} s (from {len(some)} rows)")


if __name__ == "__main__":
    main()
