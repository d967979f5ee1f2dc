"""Reading and extracting seeds, as multiples of the CPU that bare pyarrow needs to decode the same columns.

    python benchmarks/seeds.py                       # this Python's standard library and packages, /usr: 500 MB and more
    python benchmarks/seeds.py --roots ~/code --keep /tmp/stack

It first writes a corpus of distinct local files in the shape of The Stack v1 (zstd, row groups of 1,000), in a temporary folder
unless `--keep` says where. CPU seconds, the best of five rounds that take turns.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sysconfig
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hf_oss_instruct.code.languages import find_language, language_of_path
from hf_oss_instruct.seeds.map_step import SEEDS, HashSeeds
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.seeds.sampling import sample
from hf_oss_instruct.spec.seeds import SeedPlan

REPOSITORY = "max_stars_repo_"
COLUMNS = ["hexsha", "lang", *(REPOSITORY + name for name in ("path", "name", "head_hexsha", "licenses")), "content"]
SHARD, ROW_GROUP, ROUNDS = 5000, 1000, 5


def local_files(roots: list[str], megabytes: int) -> Iterator[tuple[str, str, str]]:
    """Path, language and text of distinct source files below 1 MB."""
    seen, size = set(), 0
    for root in roots:
        for folder, inner, names in os.walk(root):
            inner.sort()
            for path in (Path(folder, name) for name in sorted(names) if language_of_path(name)):
                try:
                    if path.is_symlink() or not 0 < path.stat().st_size < 1_000_000:
                        continue
                    text = path.read_text("utf-8")
                except (OSError, UnicodeDecodeError):
                    continue
                key = hashlib.sha1(text.encode()).digest()
                if key not in seen:
                    seen.add(key)
                    yield str(path), language_of_path(path).name, text  # type: ignore[union-attr]
                    if (size := size + len(text)) > megabytes * 1_000_000:
                        return


def write_corpus(folder: Path, roots: list[str], megabytes: int) -> None:
    by_lang: dict[str, list[dict[str, object]]] = {}
    for path, lang, text in local_files(roots, megabytes):
        key = hashlib.sha1(text.encode()).hexdigest()
        told = {"path": path[1:], "name": f"local/{path.split('/')[-2]}", "head_hexsha": key, "licenses": ["MIT"]}
        title = find_language(lang).title  # type: ignore[union-attr]
        row = {"hexsha": key, "size": len(text), "lang": title, "content": text, "max_stars_count": 3}
        by_lang.setdefault(lang, []).append(row | {REPOSITORY + name: value for name, value in told.items()})
    for lang, rows in by_lang.items():
        random.Random(0).shuffle(rows)
        for shard, at in enumerate(range(0, len(rows), SHARD)):
            target = folder / "data" / lang / f"train-{shard:05}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(rows[at : at + SHARD]), target, compression="zstd", row_group_size=ROW_GROUP)


def exhaust(items: object) -> None:
    deque(items, maxlen=0)  # type: ignore[call-overload]


def bare(files: list[str]) -> None:
    for file in files:
        exhaust(pq.ParquetFile(file).iter_batches(ROW_GROUP, columns=COLUMNS, use_threads=False))


def step(files: list[str]) -> None:
    draw = HashSeeds("stack")
    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(ROW_GROUP, columns=COLUMNS, use_threads=False):
            draw(pa.Table.from_batches([batch]))


def streamed(files: list[str]) -> None:
    from datasets import Features, load_dataset

    rows = load_dataset("parquet", data_files=files, split="train", streaming=True, columns=COLUMNS, batch_size=ROW_GROUP)
    made = {
        "remove_columns": [name for name in COLUMNS if name not in SEEDS.names],
        "features": Features.from_arrow_schema(SEEDS),
    }
    seeds = rows.with_format("arrow").map(HashSeeds("stack"), batched=True, batch_size=ROW_GROUP, **made)
    exhaust(seeds.with_format("arrow").iter(ROW_GROUP))


def ours(folder: str, **plan: object) -> Callable[[list[str]], None]:
    return lambda files: exhaust(sample(open_source(folder), SeedPlan(**plan)))  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    packages = sysconfig.get_path("purelib")
    parser.add_argument("--roots", nargs="+", default=[sysconfig.get_path("stdlib"), packages, "/usr", "/opt"])
    parser.add_argument("--megabytes", type=int, default=600)
    parser.add_argument("--keep", type=Path, help="folder of the corpus; used as it is if it holds one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        if not (folder / "data").exists():
            write_corpus(folder, options.roots, options.megabytes)
        files = sorted(map(str, folder.rglob("*.parquet")))
        tables = [pq.read_table(file, columns=["content"])["content"] for file in files]
        print(f"{sum(table.nbytes for table in tables) / 1e6:,.0f} MB of source in {sum(map(len, tables)):,} files")
        del tables
        ways: dict[str, Callable[[list[str]], None]] = {
            "bare pyarrow, decoding only": bare,
            "the step HashSeeds over pyarrow batches": step,
            "the same through datasets streaming": streamed,
            "read_seeds, every document an object": ours(str(folder), filters=()),
            "read_seeds, one document in 100": ours(str(folder), filters=(), one_in=100),
            "the same, permissive, all filters": ours(str(folder), licenses="permissive", one_in=100),
        }
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(ROUNDS):
            for name, way in ways.items():
                start = time.process_time()
                way(files)
                best[name] = min(best[name], time.process_time() - start)
        bound = best["bare pyarrow, decoding only"]
        for name, seconds in best.items():
            print(f"{name:42} {seconds:6.2f} CPU-s  {seconds / bound:5.2f} ×")


if __name__ == "__main__":
    main()
