"""Tables as people have them: formats, columns and Arrow types; and odd documents in every kind of file, each counted once."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.data import Document, Seed, Skipped
from hf_oss_instruct.errors import SeedError, SeedsExhaustedError
from hf_oss_instruct.seeds.reading import ReadOptions
from hf_oss_instruct.seeds.resolve import open_files, open_source, read_seeds
from hf_oss_instruct.seeds.sampling import sample
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.storage import formats

TEXTS = ["def half(x):\n    return x / 2\n", 'print("a,b")\n\n# größer\n', "x = 1\r\ny = 2\r\n"]
Row = dict[str, Any]


def zst(data: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as packed:
        packed.write(data)
    return bytes(out.getvalue())


def jsonl(rows: list[Row]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_csv(rows: list[Row], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode(encoding)


def parquet(rows: list[Row], kind: pa.DataType | None = None) -> bytes:
    table = pa.Table.from_pylist(rows)
    if kind:
        name = table.column_names[0]
        table = table.set_column(
            0, name, table[name].combine_chunks().cast(pa.binary() if pa.types.is_binary_view(kind) else kind).cast(kind)
        )
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def contents(path: Path, **reading: Any) -> list[str]:
    items = open_source(str(path), reading=ReadOptions(**reading)).documents(None, None, "python")
    return [item.content for item in items if isinstance(item, Document)]


WRITERS: dict[str, Callable[[list[Row]], bytes]] = {
    "a.jsonl": jsonl,
    "a.ndjson": jsonl,
    "a.jsonl.gz": lambda rows: gzip.compress(jsonl(rows)),
    "a.jsonl.zst": lambda rows: zst(jsonl(rows)),
    "a.jsonl.bz2": lambda rows: bz2.compress(jsonl(rows)),
    "a.jsonl.xz": lambda rows: lzma.compress(jsonl(rows)),
    "data.json": jsonl,  # the-stack-smol: JSON Lines under another name
    "file-000000000001.json.gz": lambda rows: gzip.compress(jsonl(rows)),  # codeparrot-clean
    "array.json": lambda rows: json.dumps(rows).encode(),
    "indented.json": lambda rows: json.dumps(rows, indent=2).encode(),
    "one-after-the-other.json": lambda rows: "\n".join(json.dumps(row, indent=1) for row in rows).encode(),
    "array.json.zst": lambda rows: zst(json.dumps(rows).encode()),
    "a.csv": as_csv,
    "a.CSV": lambda rows: as_csv(rows, "utf-8-sig"),
    "excel.csv": lambda rows: as_csv(rows, "utf-16"),
    "a.tsv": lambda rows: as_csv(rows, delimiter="\t"),
    "a.csv.gz": lambda rows: gzip.compress(as_csv(rows)),
    "a.parquet": parquet,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_documents(tmp_path: Path, name: str) -> None:
    rows = [{"content": text, "path": f"{n}.py", "license": "mit", "size": n} for n, text in enumerate(TEXTS)]
    source = open_source(str(put(tmp_path / name, WRITERS[name](rows))))
    documents = [item for item in source.documents(None, None) if isinstance(item, Document)]
    assert [document.content for document in documents] == TEXTS
    assert [(document.origin.file_path, document.origin.licenses) for document in documents] == [
        (f"{n}.py", ("mit",)) for n in range(3)
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"code": "x", "path": "a.py", "language": "Python", "license": "mit"},  # codeparrot/github-code
        {"whole_func_string": "x", "func_code_string": "y", "language": "python"},  # CodeSearchNet
        {"func_code_string": "x", "func_documentation_string": "y", "language": "python"},
        {"original_string": "x", "docstring": "y", "language": "python"},
        {"text": "a task in words", "code": "x"},  # XLCoST
        {"text": "x", "source": "github", "language": "Python"},
        {"body": "x"},
        {"source": "x", "docstring": "y"},
        {"file_content": "x"},
        {"code": 200, "source_code": "x"},  # an exit code is none
        {"code_tokens": ["a"], "snippet": "x"},
    ],
    ids=lambda row: next(iter(row)),
)
@pytest.mark.parametrize("write", [parquet, jsonl])
def test_the_column_of_code_is_found_in_the_sets_people_use(
    tmp_path: Path, row: Row, write: Callable[[list[Row]], bytes]
) -> None:
    assert contents(put(tmp_path / f"a.{write.__name__}", write([row]))) == ["x"]


def test_another_column_is_named(tmp_path: Path) -> None:
    rows = [{"content": "words", "completion": "x = 1\n"}]
    for name in ("a.parquet", "a.jsonl", "a.csv"):
        assert contents(put(tmp_path / name, WRITERS[name](rows)), code_column="completion") == ["x = 1\n"]
        with pytest.raises(SeedError, match=r"no text in a column 'answer'; it has completion, content"):
            contents(tmp_path / name, code_column="answer")
        (tmp_path / name).unlink()


def test_another_column_or_encoding_is_another_revision(tmp_path: Path) -> None:
    """Seeds are known by their place; the same place in another column is another snippet."""
    put(tmp_path / "t/a.jsonl", jsonl([{"content": "x", "body": "y"}]))
    put(tmp_path / "code/a.py", b"caf\xe9")
    for folder, other in (("t", {"code_column": "body"}), ("code", {"encoding": "latin-1"})):
        plain, changed = (open_source(str(tmp_path / folder), reading=ReadOptions(**options)) for options in ({}, other))
        assert plain.revision != changed.revision


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3)),
        *(pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.large_string())),
    ],
    ids=str,
)
def test_every_arrow_type_that_holds_text_is_read(tmp_path: Path, kind: pa.DataType) -> None:
    rows = [{"content": text} for text in ("abc", "def", "ghi")]
    if isinstance(kind, pa.FixedSizeBinaryType):
        rows = [{"content": row["content"].encode()} for row in rows]
    assert contents(put(tmp_path / "a.parquet", parquet(rows, kind))) == ["abc", "def", "ghi"]


def test_run_ends_and_extension_types_are_read_as_what_they_hold() -> None:
    from hf_oss_instruct.storage.arrow import flat, holds_text

    plain = pa.array(["a", "a", "b", None])
    for array in (pc.run_end_encode(plain), pa.ExtensionArray.from_storage(pa.json_(), plain)):
        assert holds_text(array.type)
        assert flat(array).to_pylist() == plain.to_pylist()


ODD = {
    "empty": (b"", "empty"),
    "blank": (b" \n\n\t\n", "empty"),
    "mark alone": (b"\xef\xbb\xbf", "empty"),
    "zero": (b"x = '\0'\n", "binary"),
    "minified": (b"!function(){" + b"a=1;" * 100_000 + b"}();", "too_long"),
    "old Mac": (b"\r".join(b"x%d = %d" % (n, n) for n in range(60)), "cr_line_ends"),
    "large": (b"x = 1\n" * 200_000, "too_large"),
    "latin-1": (b"x = '\xe9'\n", "not_utf8"),
    "half UTF-16": (b"\xff\xfea", "undecodable"),
    "UTF-16": ("x = 'é'\n".encode("utf-16"), None),
    "declared": (b"# coding: latin-1\nx = '\xe9'\n", None),
    "mark": (b"\xef\xbb\xbfx = 1\n", None),
    "CRLF": (b"x = 1\r\ny = 2\r\n" * 20, None),
    "plain": (b"x = 1\n", None),
}
"""Documents, and why each gives no seed."""


def folder(path: Path, documents: list[bytes]) -> Path:
    for number, data in enumerate(documents):
        put(path / f"{number:02}.py", data)
    return path


def typed(kind: pa.DataType) -> Callable[[Path, list[bytes]], Path]:
    """A parquet file with a column of a type; one of strings holds whatever was put into it, as sloppy writers do."""

    def write(path: Path, documents: list[bytes]) -> Path:
        plain = pa.array(documents, pa.large_binary() if kind in (pa.large_binary(), pa.large_string()) else pa.binary())
        column = plain.view(kind) if kind in (pa.string(), pa.large_string()) else plain.cast(kind)
        path.mkdir()
        pq.write_table(pa.table({"content": column, "lang": ["python"] * len(documents)}), path / "a.parquet", row_group_size=5)
        return path

    return write


def rows_in(name: str) -> Callable[[Path, list[bytes]], Path]:
    def write(path: Path, documents: list[bytes]) -> Path:
        rows = [{"content": data.decode("utf-8", "replace"), "lang": "python"} for data in documents]
        put(path / name, WRITERS[name](rows))
        return path

    return write


KINDS: dict[str, Callable[[Path, list[bytes]], Path]] = {
    "folder": folder,
    "binary": typed(pa.binary()),
    "large binary": typed(pa.large_binary()),
    "binary view": typed(pa.binary_view()),
    "string": typed(pa.string()),
    "large string": typed(pa.large_string()),
    **{name: rows_in(name) for name in ("a.jsonl", "a.jsonl.zst", "array.json")},
}


def test_a_row_of_json_without_text_does_not_show_another_column_for_its_code(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"content": "x", "source": "github"},
        {"content": None, "source": "github"},
        {"content": 5, "source": "github"},
    ]
    assert contents(put(tmp_path / "a.jsonl", jsonl(rows))) == ["x", "", ""]


@pytest.mark.parametrize("sampler", ["hash", "magicoder"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_odd_document_in_every_kind_of_file_is_counted_once(tmp_path: Path, kind: str, sampler: str) -> None:
    bytes_held = kind in ("folder", "binary", "large binary", "binary view", "string", "large string")
    cases = {name: case for name, case in ODD.items() if bytes_held or case[0].decode("utf-8", "replace").encode() == case[0]}
    source = open_source(str(KINDS[kind](tmp_path / "code", [data for data, _ in cases.values()])))
    if sampler == "magicoder" and kind != "folder":
        return  # it takes text as it is stored, as the paper did
    items = list(sample(source, SeedPlan(filters=(), sampler=sampler)))
    seeds = [item for item in items if isinstance(item, Seed)]
    expected = Counter(reason for _, reason in cases.values() if reason)
    if sampler == "magicoder":  # it draws blank lines too, and a long document's first
        blank = sum(not seed.snippet.strip() for seed in seeds)
        expected["empty"] -= blank
        seeds = [seed for seed in seeds if seed.snippet.strip()]
        del expected["cr_line_ends"]  # for `splitlines` these are lines
        seeds = [seed for seed in seeds if "\r" not in seed.snippet.replace("\r\n", "")]
    assert Counter(item.reason for item in items if isinstance(item, Skipped) and not item.snippet) == +expected
    assert len(seeds) == len([1 for _, reason in cases.values() if not reason])
    assert not [seed for seed in seeds if "\ufeff" in seed.snippet or "\0" in seed.snippet]
    assert len(items) == len(cases)


def test_the_same_limits_hold_in_a_stream(tmp_path: Path) -> None:
    from datasets import load_dataset

    import hf_oss_instruct  # noqa: F401

    documented = 'def half(x):\n    """Give half of the number x, rounded down to the next whole number."""\n    return x // 2\n'
    texts = {
        "small.py": documented,
        "long.py": documented.replace("    return", "    x += 0\n" * 2000 + "    return"),
        "big.py": documented * 12_000,
    }
    folder(tmp_path / "none", [])
    for name, text in texts.items():
        put(tmp_path / name, text.encode())
    rows = load_dataset("oss-instruct", data_files=str(tmp_path / "*.py"), split="train", streaming=True)
    assert [row["file_path"] for row in rows] == ["small.py"]
    rows = load_dataset("oss-instruct", data_files=str(tmp_path / "*.py"), split="train", streaming=True, max_snippet_chars=0)
    assert {row["file_path"] for row in rows} == {"small.py", "long.py"}


def test_limits_are_options(tmp_path: Path) -> None:
    folder(tmp_path, [b"x = 1\n" * 300, b"y = 2\n"])
    one = {"snippets_per_document": 1, "filters": ()}
    assert len(list(read_seeds(str(tmp_path), **one))) == 2
    assert [seed.snippet for seed in read_seeds(str(tmp_path), max_document_bytes=6, **one)] == ["y = 2"]
    assert [seed.snippet for seed in read_seeds(str(tmp_path), max_snippet_chars=5, **one)] == ["x = 1", "y = 2"]
    put(tmp_path / "2.py", b"z = 3\n" * 300_000)
    assert len(list(read_seeds(str(tmp_path), max_document_bytes=0, **one))) == 3


def test_a_source_that_gives_too_few_says_how_many_were_left_out_why_and_what_to_do(tmp_path: Path) -> None:
    folder(tmp_path / "code", [b"\0", b"\0", b"caf\xe9", b"a" * 20_000, b"x = 1\n", b"# @generated\n"])
    with pytest.raises(SeedsExhaustedError) as short:
        list(read_seeds(str(tmp_path / "code"), 4, filters=()))
    said = str(short.value)
    assert said.startswith("code yielded 1 of 4 requested seeds. Documents without a seed: 2 binary, ")
    assert {"1 not_utf8", "1 too_long", "1 generated"} <= set(said.split(": ")[1].split(". ")[0].split(", "))
    assert said.endswith(
        "Ask for fewer, pass a larger source, name the encoding of files that are not UTF-8: --encoding latin-1, or raise "
        "--max-snippet-chars."
    )
    assert len(list(read_seeds(str(tmp_path / "code"), 2, filters=(), encoding="latin-1", snippets_per_document=1))) == 2


def test_a_line_of_json_that_is_too_long_is_left_out_without_being_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MAX_LINE_BYTES", 1000)
    rows = [{"content": "x = 1\n"}, {"content": "y" * 5000}, {"content": "z = 3\n"}]
    items = list(open_source(str(put(tmp_path / "a.jsonl", jsonl(rows)))).documents(None, None, "python"))
    assert [item.reason if isinstance(item, Skipped) else item.content for item in items] == ["x = 1\n", "too_large", "z = 3\n"]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.json", b'{"content": "x"}\n{"content": ', "'a.json' is not JSON|Line 2 of 'a.json'"),
        ("a.json", b'[{"content": "x"}, ', "'a.json' is not JSON"),
        ("a.json", b'[["x"]]', "Value 1 of 'a.json' is not a JSON object"),
        ("a.json", b"[1, 2]", "Value 1 of 'a.json' is not a JSON object"),
        ("a.json", b'"text"', "not a JSON object"),
        ("a.json", b'{\n  "scripts": {},\n  "name": "app"\n}', r"it has name, scripts"),
        ("a.json", b"nonsense", "not JSON"),
        ("a.csv", b"content,lang\nx,python,3\n", "'a.csv' in .* cannot be read: .*Expected 2 columns, got 3"),
        ("a.csv", b"words,lang\nx,python\n", "it has lang, words"),
        ("a.jsonl.zst", zst(jsonl([{"content": "x" * 999}]))[:-9], "'a.jsonl.zst' in .* cannot be read"),
        ("a.jsonl.zst", b"plain", "'a.jsonl.zst' in .* cannot be read"),
        ("a.jsonl.xz", b"plain", "'a.jsonl.xz' in .* cannot be read"),
        ("a.jsonl.bz2", b"plain", "'a.jsonl.bz2' in .* cannot be read"),
    ],
)
def test_a_broken_file_is_an_error_with_its_name(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    with pytest.raises(SeedError, match=words):
        contents(put(tmp_path / name, data))


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.jsonl.zst"])
def test_an_empty_file_holds_no_documents(tmp_path: Path, name: str) -> None:
    assert contents(put(tmp_path / name, b"")) == []


def test_files_that_describe_a_dataset_are_no_tables(tmp_path: Path) -> None:
    put(tmp_path / "data/a.parquet", parquet([{"content": "x", "lang": "python"}]))
    put(tmp_path / "stats.json", b'{"rows": 1}')
    put(tmp_path / "dataset_infos.json", b"{}")
    assert contents(tmp_path) == ["x"]
    (tmp_path / "data/a.parquet").unlink()
    (tmp_path / "stats.json").unlink()
    with pytest.raises(SeedError, match="contains no source code and no tables"):
        open_source(str(tmp_path))


def test_json_beside_source_code_is_no_table_of_it(tmp_path: Path) -> None:
    files = [put(tmp_path / "a.py", b"x = 1\n"), put(tmp_path / "package.json", b"{}"), put(tmp_path / "rows.json", b"[]")]
    assert [item.content for item in open_files(files).documents(None, None) if isinstance(item, Document)] == ["x = 1\n"]
