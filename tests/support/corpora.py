"""What do seed corpora look like? Parquet with the columns of the real datasets, made of source that is at hand.

    python -m tests.support.corpora OUT [--documents N]

Python files are the standard library's own; other languages are the short snippets below. Column names and types are
those of the real datasets' cards (stored pages, November 2026); a comment at the schema says where they are a guess.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP = 1000
"""Rows of one row group, as in The Stack."""
MOMENT = datetime(2023, 9, 6, 10, 30, 54)

# `@@` stands for a number, so that no two files are equal.
C = """\
#include <stdlib.h>

/* A ring of integers: the newest entry overwrites the oldest. */
struct ring@@ {
    int *slots;
    size_t capacity, written;
};

struct ring@@ *ring@@_new(size_t capacity) {
    struct ring@@ *ring = malloc(sizeof *ring);
    if (!ring) return NULL;
    ring->slots = calloc(capacity, sizeof *ring->slots);
    ring->capacity = capacity;
    ring->written = 0;
    return ring;
}

void ring@@_push(struct ring@@ *ring, int value) {
    ring->slots[ring->written++ % ring->capacity] = value;
}

int ring@@_newest(const struct ring@@ *ring) {
    return ring->written ? ring->slots[(ring->written - 1) % ring->capacity] : @@;
}
"""
CPP = """\
#include <map>
#include <string>
#include <vector>

// Counts words and names those that were seen at least `atLeast` times.
class Tally@@ {
public:
    void add(const std::string& word) { ++counts_[word]; }

    std::vector<std::string> frequent(int atLeast = @@) const {
        std::vector<std::string> found;
        for (const auto& [word, count] : counts_)
            if (count >= atLeast) found.push_back(word);
        return found;
    }

private:
    std::map<std::string, int> counts_;
};
"""
JAVASCRIPT = """\
// A promise queue: at most `limit` tasks run at once.
export class Gate@@ {
  constructor(limit = @@) {
    this.limit = limit;
    this.running = 0;
    this.waiting = [];
  }

  async run(task) {
    if (this.running >= this.limit) {
      await new Promise((wake) => this.waiting.push(wake));
    }
    this.running += 1;
    try {
      return await task();
    } finally {
      this.running -= 1;
      const next = this.waiting.shift();
      if (next) next();
    }
  }
}
"""
TYPESCRIPT = """\
export interface Reading@@ {
  sensor: string;
  celsius: number;
}

/** Mean temperature of each sensor; readings below the limit are noise. */
export function means@@(readings: Reading@@[], limit = -@@): Map<string, number> {
  const sums = new Map<string, [number, number]>();
  for (const { sensor, celsius } of readings) {
    if (celsius < limit) continue;
    const [sum, count] = sums.get(sensor) ?? [0, 0];
    sums.set(sensor, [sum + celsius, count + 1]);
  }
  return new Map([...sums].map(([sensor, [sum, count]]) => [sensor, sum / count]));
}
"""
JAVA = """\
package org.example.accounts;

import java.util.ArrayList;
import java.util.List;

/** A ledger that never goes below its floor. */
public final class Ledger@@ {
    private final List<Long> entries = new ArrayList<>();
    private final long floor = -@@L;

    public boolean book(long amount) {
        if (balance() + amount < floor) {
            return false;
        }
        return entries.add(amount);
    }

    public long balance() {
        return entries.stream().mapToLong(Long::longValue).sum();
    }
}
"""
RUST = """\
use std::collections::HashMap;

/// Keeps the last value of each key and counts how often it changed.
#[derive(Default)]
pub struct Watch@@ {
    last: HashMap<String, i64>,
    changes: usize,
}

impl Watch@@ {
    pub fn see(&mut self, key: &str, value: i64) -> bool {
        let changed = self.last.insert(key.to_owned(), value) != Some(value);
        if changed {
            self.changes += 1;
        }
        changed && self.changes > @@
    }
}
"""
GO = """\
package window

// Sum@@ is a moving sum over the last values.
type Sum@@ struct {
	values []int
	size   int
}

// NewSum@@ makes an empty window.
func NewSum@@(size int) *Sum@@ {
	return &Sum@@{size: size + @@}
}

// Add puts a value in and returns the sum of what the window holds.
func (s *Sum@@) Add(value int) (total int) {
	s.values = append(s.values, value)
	if len(s.values) > s.size {
		s.values = s.values[1:]
	}
	for _, v := range s.values {
		total += v
	}
	return total
}
"""
SHELL = """\
#!/usr/bin/env bash
# Keep the newest backups of a folder, delete the rest.
set -euo pipefail

folder_@@=${1:?usage: prune FOLDER [KEEP]}
keep_@@=${2:-@@}

prune_@@() {
    local kept=0
    while IFS= read -r archive; do
        kept=$((kept + 1))
        if [ "$kept" -gt "$keep_@@" ]; then
            rm -- "$archive"
        fi
    done < <(ls -1t -- "$folder_@@"/*.tar.gz)
}

prune_@@
"""
PHP = """\
<?php

namespace Example\\Routing;

/** Finds the handler of a path; the longest prefix wins. */
final class Router@@
{
    private array $handlers = [];

    public function on(string $prefix, callable $handler): void
    {
        $this->handlers[$prefix] = $handler;
        uksort($this->handlers, fn ($a, $b) => strlen($b) <=> strlen($a));
    }

    public function dispatch(string $path): mixed
    {
        foreach ($this->handlers as $prefix => $handler) {
            if (str_starts_with($path, $prefix)) {
                return $handler(substr($path, strlen($prefix)));
            }
        }
        return @@;
    }
}
"""
CSHARP = """\
using System;
using System.Collections.Generic;

namespace Example.Text
{
    /// <summary>Splits a line into fields; quotes protect the separator.</summary>
    public static class Fields@@
    {
        public static IEnumerable<string> Split(string line, char separator = ';')
        {
            bool quoted = false;
            int start = @@ - @@;
            for (int at = 0; at < line.Length; at++)
            {
                if (line[at] == '"') quoted = !quoted;
                if (line[at] != separator || quoted) continue;
                yield return line.Substring(start, at - start).Trim('"');
                start = at + 1;
            }
            yield return line.Substring(start).Trim('"');
        }
    }
}
"""


@dataclass(frozen=True)
class Tongue:
    """One language: its name in prose (as in the columns), its folder in each dataset, its suffix, a snippet."""

    title: str
    stack: str
    starcoder: str
    edu: str
    ext: str
    snippet: str


TONGUES = {
    tongue.starcoder: tongue
    for tongue in (
        Tongue("Python", "python", "python", "Python", "py", ""),
        Tongue("C", "c", "c", "C", "c", C),
        Tongue("C++", "c++", "cpp", "Cpp", "cpp", CPP),
        Tongue("JavaScript", "javascript", "javascript", "JavaScript", "js", JAVASCRIPT),
        Tongue("TypeScript", "typescript", "typescript", "TypeScript", "ts", TYPESCRIPT),
        Tongue("Java", "java", "java", "Java", "java", JAVA),
        Tongue("Rust", "rust", "rust", "Rust", "rs", RUST),
        Tongue("Go", "go", "go", "Go", "go", GO),
        Tongue("Shell", "shell", "shell", "Shell", "sh", SHELL),
        Tongue("PHP", "php", "php", "PHP", "php", PHP),
        Tongue("C#", "c-sharp", "c-sharp", "CSharp", "cs", CSHARP),
    )
}
LANGUAGES = tuple(TONGUES)
"""The names that the functions below take in `languages`: starcoderdata's."""


@dataclass(frozen=True)
class File:
    """One source file of an imaginary repository."""

    tongue: Tongue
    path: str
    text: str

    @property
    def repo(self) -> str:
        """By package, so that several files share a repository."""
        package = self.path.split("/")[1].removesuffix(".py")
        return f"psf/{package}" if self.tongue.ext == "py" else f"example/{self.tongue.starcoder}"

    @property
    def license(self) -> str:
        return "PSF-2.0" if self.tongue.ext == "py" else "MIT"

    @property
    def size(self) -> int:
        return len(self.text.encode())

    @property
    def stars(self) -> int:
        return int(_sha1(self.path)[:3], 16)


STDLIB = Path(sysconfig.get_path("stdlib"))


@cache
def _stdlib() -> tuple[str, ...]:
    """Paths of the standard library's files, without tests and empty files, well mixed."""
    left_out = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"}
    found = []
    for folder, below, names in os.walk(STDLIB):
        below[:] = set(below) - left_out  # do not even enter site-packages: it may be huge
        found += [Path(folder, name) for name in names if name.endswith(".py")]
    return tuple(sorted((path.relative_to(STDLIB).as_posix() for path in found if path.stat().st_size), key=_sha1))


def files(language: str, n: int) -> Iterator[File]:
    """The first `n` files of a language: distinct, the same in every call.

    Past the end of the standard library its files come again under a new first line: distinct, but near-duplicates.
    """
    tongue = TONGUES[language]
    for number in range(n):
        if tongue.snippet:
            yield File(tongue, f"src/part{number}.{tongue.ext}", tongue.snippet.replace("@@", str(number)))
            continue
        copy, at = divmod(number, len(_stdlib()))
        path = _stdlib()[at]
        text = (STDLIB / path).read_bytes().decode(errors="replace")
        again = File(tongue, f"Lib/{path.removesuffix('.py')}_{copy}.py", f"# copy {copy}\n{text}")
        yield again if copy else File(tongue, f"Lib/{path}", text)


def shares(documents: int, languages: Sequence[str]) -> dict[str, int]:
    """How many files each language gives: the first one half, the others the rest, at least one each."""
    others = {language: max(documents // 2 // max(len(languages) - 1, 1), 1) for language in languages[1:]}
    return {languages[0]: max(documents - sum(others.values()), 1)} | others


_EVENTS = tuple(
    (f"max_{kind}_{name.format(kind)}", type_)
    for kind in ("stars", "issues", "forks")
    for name, type_ in (
        ("repo_path", pa.string()),
        ("repo_name", pa.string()),
        ("repo_head_hexsha", pa.string()),
        ("repo_licenses", pa.list_(pa.string())),
        ("count", pa.int64()),
        ("repo_{}_event_min_datetime", pa.string()),
        ("repo_{}_event_max_datetime", pa.string()),
    )
)
THE_STACK_V1 = pa.schema(
    [
        ("hexsha", pa.string()),
        ("size", pa.int64()),
        ("ext", pa.string()),
        ("lang", pa.string()),
        *_EVENTS,
        ("content", pa.string()),
        ("avg_line_length", pa.float64()),
        ("max_line_length", pa.int64()),
        ("alphanum_fraction", pa.float64()),
    ]
)
STARCODERDATA = pa.schema(
    [
        ("max_stars_repo_path", pa.string()),
        ("max_stars_repo_name", pa.string()),
        ("max_stars_count", pa.int64()),
        ("id", pa.string()),
        ("content", pa.string()),
    ]
)
# Inside `files` the names are the card's; the types from `content` on are our guess, and the card names more fields.
THE_STACK_V3 = pa.schema(
    [
        ("repo_path", pa.string()),
        ("repo_id", pa.int64()),
        ("commit_id", pa.string()),
        (
            "github_metadata",
            pa.struct(
                [
                    ("branch", pa.string()),
                    ("commit_count", pa.int32()),
                    ("repo_created_at", pa.string()),
                    ("is_fork", pa.bool_()),
                    ("is_org_owned", pa.bool_()),
                    ("forked_from", pa.string()),
                    ("stars", pa.int32()),
                    ("forks", pa.int32()),
                    ("issues", pa.int32()),
                    ("pull_requests", pa.int32()),
                ]
            ),
        ),
        ("num_files", pa.int64()),
        (
            "files",
            pa.list_(
                pa.struct(
                    [
                        ("content_id", pa.string()),
                        ("content", pa.string()),
                        ("size_bytes", pa.int64()),
                        ("file_path", pa.string()),
                        ("file_timestamp", pa.string()),
                        ("language", pa.string()),
                        ("is_vendor", pa.bool_()),
                        ("license_type", pa.string()),
                        ("detected_licenses", pa.list_(pa.string())),
                    ]
                )
            ),
        ),
    ]
)
THE_STACK_V2_IDS = pa.schema(
    [
        *((name, pa.string()) for name in ("blob_id", "directory_id", "path", "content_id")),
        ("detected_licenses", pa.list_(pa.string())),
        *((name, pa.string()) for name in ("license_type", "repo_name", "snapshot_id", "revision_id", "branch_name")),
        *((name, pa.timestamp("ns")) for name in ("visit_date", "revision_date", "committer_date")),
        *((name, pa.int64()) for name in ("github_id", "star_events_count", "fork_events_count")),
        ("gha_license_id", pa.string()),
        *((name, pa.timestamp("ns")) for name in ("gha_event_created_at", "gha_created_at")),
        *((name, pa.string()) for name in ("gha_language", "src_encoding", "language")),
        *((name, pa.bool_()) for name in ("is_vendor", "is_generated")),
        ("length_bytes", pa.int64()),
        ("extension", pa.string()),
    ]
)
STACK_EDU_IDS = pa.schema(
    [
        *((name, pa.large_string()) for name in ("blob_id", "language", "repo_name", "path", "src_encoding")),
        ("length_bytes", pa.int64()),
        ("score", pa.float64()),
        ("int_score", pa.int64()),
        ("detected_licenses", pa.large_list(pa.large_string())),
        ("license_type", pa.large_string()),
    ]
)


def the_stack_v1(
    folder: Path,
    *,
    n_files_per_shard: int = 4,
    languages: Sequence[str] = LANGUAGES,
    shards: int = 2,
    row_group: int = ROW_GROUP,
) -> list[Path]:
    """`data/<lang>/train-0000i-of-0000n.parquet` as in bigcode/the-stack; returns the files written."""
    written = []
    for language in languages:
        rows = map(_v1_row, files(language, n_files_per_shard * shards))
        for shard in range(shards):
            path = folder / f"data/{TONGUES[language].stack}/train-{shard:05}-of-{shards:05}.parquet"
            written.append(_write(path, THE_STACK_V1, islice(rows, n_files_per_shard), row_group))
    return written


def starcoderdata(
    folder: Path, *, documents: int = 60, languages: Sequence[str] = LANGUAGES, row_group: int = ROW_GROUP
) -> list[Path]:
    """`<lang>/train-00000-of-00001.parquet` as in bigcode/starcoderdata; three rows in four open with metadata."""
    written = []
    for language, n in shares(documents, languages).items():
        rows = map(_starcoder_row, range(n), files(language, n))
        written.append(_write(_only_shard(folder / language), STARCODERDATA, rows, row_group))
    return written


def the_stack_v3(
    folder: Path, *, documents: int = 60, languages: Sequence[str] = LANGUAGES, row_group: int = ROW_GROUP
) -> list[Path]:
    """`data/train-00000-of-00001.parquet` as in HuggingFaceCode/stack-v3-train: one repository per row.

    Every fourth repository has files without a license only; in the others every fifth file is vendored.
    """
    sources = [files(language, n) for language, n in shares(documents, languages).items()]
    return [_write(_only_shard(folder / "data"), THE_STACK_V3, _v3_rows(sources), row_group)]


def the_stack_v2_ids(folder: Path, *, documents: int = 60, languages: Sequence[str] = LANGUAGES) -> list[Path]:
    """`data/<Language>/train-00000-of-00001.parquet` as in bigcode/the-stack-v2: ids, no content."""
    return [
        _write(_only_shard(folder / f"data/{TONGUES[language].title}"), THE_STACK_V2_IDS, map(_v2_row, files(language, n)))
        for language, n in shares(documents, languages).items()
    ]


def stack_edu_ids(folder: Path, *, documents: int = 60, languages: Sequence[str] = LANGUAGES) -> list[Path]:
    """`<Config>/train-00000-of-00001.parquet` as in HuggingFaceTB/stack-edu: ids and a score, no content."""
    return [
        _write(_only_shard(folder / TONGUES[language].edu), STACK_EDU_IDS, map(_edu_row, files(language, n)))
        for language, n in shares(documents, languages).items()
    ]


def _v1_row(file: File) -> dict[str, Any]:
    lengths = [len(line) for line in file.text.split("\n")]
    row: dict[str, Any] = {
        "hexsha": _blob_id(file),
        "size": file.size,
        "ext": file.tongue.ext,
        "lang": file.tongue.title,
        "content": file.text,
        "avg_line_length": sum(lengths) / len(lengths),
        "max_line_length": max(lengths),
        "alphanum_fraction": sum(map(str.isalnum, file.text)) / len(file.text),
    }
    for kind in ("stars", "issues", "forks"):
        row |= {
            f"max_{kind}_repo_path": file.path,
            f"max_{kind}_repo_name": file.repo,
            f"max_{kind}_repo_head_hexsha": _sha1(file.repo),
            f"max_{kind}_repo_licenses": [file.license],
            f"max_{kind}_count": file.stars or None,  # The Stack has null, not 0
            f"max_{kind}_repo_{kind}_event_min_datetime": "2015-01-05T14:31:02.000Z",
            f"max_{kind}_repo_{kind}_event_max_datetime": "2022-03-30T21:09:54.000Z",
        }
    return row


def _starcoder_row(number: int, file: File) -> dict[str, Any]:
    repo, path, stars = f"<reponame>{file.repo}", f"<filename>{file.path}", f"<gh_stars>{_star_bucket(file.stars)}"
    metadata = (f"{repo}{path}{stars}\n", f"{path}\n", f"{repo}{stars}\n", "")[number % 4]
    return {
        "max_stars_repo_path": file.path,
        "max_stars_repo_name": file.repo,
        "max_stars_count": file.stars,
        "id": str(int(_blob_id(file)[:12], 16)),
        "content": metadata + file.text,
    }


def _v3_rows(sources: Sequence[Iterator[File]], per_repository: int = 8) -> Iterator[dict[str, Any]]:
    """Repositories of up to `per_repository` files, drawn from the languages in turn while they last."""
    mixed = (file for turn in _in_turn(sources) for file in turn)
    number = 0
    while batch := list(islice(mixed, per_repository)):
        yield _v3_row(number, batch)
        number += 1


def _in_turn(sources: Sequence[Iterator[File]]) -> Iterator[list[File]]:
    while turn := [file for source in sources for file in islice(source, 1)]:
        yield turn


def _v3_row(number: int, batch: list[File]) -> dict[str, Any]:
    repo, licensed = f"example/repository-{number}", number % 4 != 3
    inside = [
        {
            "content_id": _blob_id(file),
            "content": file.text,
            "size_bytes": file.size,
            "file_path": f"third_party/{file.path}" if licensed and at % 5 == 4 else file.path,
            "file_timestamp": MOMENT.isoformat(),
            "language": file.tongue.title,
            "is_vendor": licensed and at % 5 == 4,
            "license_type": "permissive" if licensed else "no_license",
            "detected_licenses": [file.license] if licensed else [],
        }
        for at, file in enumerate(batch)
    ]
    github = {
        "branch": "main",
        "commit_count": 12,
        "repo_created_at": MOMENT.isoformat(),
        "is_fork": False,
        "is_org_owned": True,
        "forked_from": None,
        "stars": 100 * number,
        "forks": number,
        "issues": 0,
        "pull_requests": 0,
    }
    return {
        "repo_path": repo,
        "repo_id": 1000 + number,
        "commit_id": _sha1(repo),
        "github_metadata": github,
        "num_files": len(inside),
        "files": inside,
    }


def _v2_row(file: File) -> dict[str, Any]:
    return {
        "blob_id": _blob_id(file),
        "directory_id": _sha1(file.repo + "/"),
        "path": f"/{file.path}",
        "content_id": _sha1(file.text),
        "detected_licenses": [file.license],
        "license_type": "permissive",
        "repo_name": file.repo,
        "snapshot_id": _sha1(file.repo + "@"),
        "revision_id": _sha1(file.repo),
        "branch_name": "refs/heads/main",
        "visit_date": MOMENT,
        "revision_date": MOMENT,
        "committer_date": MOMENT,
        "github_id": None,
        "star_events_count": file.stars,
        "fork_events_count": 0,
        "gha_license_id": None,
        "gha_event_created_at": None,
        "gha_created_at": None,
        "gha_language": None,
        "src_encoding": "UTF-8",
        "language": file.tongue.title,
        "is_vendor": False,
        "is_generated": False,
        "length_bytes": file.size,
        "extension": file.tongue.ext,
    }


def _edu_row(file: File) -> dict[str, Any]:
    shared = {name: value for name, value in _v2_row(file).items() if name in STACK_EDU_IDS.names}
    return shared | {"score": 3.4, "int_score": 3}


def _write(path: Path, schema: pa.Schema, rows: Iterable[dict[str, Any]], row_group: int = ROW_GROUP) -> Path:
    """One shard, a row group at a time, so that a corpus may be larger than memory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rest = iter(rows)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := list(islice(rest, row_group)):
            writer.write_table(pa.Table.from_pylist(batch, schema))
    return path


def _only_shard(folder: Path) -> Path:
    return folder / "train-00000-of-00001.parquet"


def _star_bucket(stars: int) -> str:
    return next((f"{low}-{low * 10}" for low in (1000, 100, 10, 1) if stars >= low), "0")


def _blob_id(file: File) -> str:
    data = file.text.encode()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def write_all(folder: Path, documents: int = 60) -> dict[str, list[Path]]:
    """Every corpus in a folder of its own, of about `documents` files each: name → files written."""
    per_shard = max(documents // (2 * len(LANGUAGES)), 1)
    return {
        "the-stack": the_stack_v1(folder / "the-stack", n_files_per_shard=per_shard),
        "starcoderdata": starcoderdata(folder / "starcoderdata", documents=documents),
        "stack-v3-train": the_stack_v3(folder / "stack-v3-train", documents=documents),
        "the-stack-v2": the_stack_v2_ids(folder / "the-stack-v2", documents=documents),
        "stack-edu": stack_edu_ids(folder / "stack-edu", documents=documents),
    }


def main() -> None:
    """Write every corpus and say where."""
    parser = argparse.ArgumentParser(description="Write parquet corpora in the shapes of the real seed datasets.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--documents", type=int, default=60, help="source files of each corpus, about (default 60)")
    options = parser.parse_args()
    for name, written in write_all(options.out, options.documents).items():
        size = sum(path.stat().st_size for path in written)
        sys.stdout.write(f"{options.out / name}: {len(written)} files, {size:,} bytes\n")


if __name__ == "__main__":
    main()
