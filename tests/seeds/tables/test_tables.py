"""Tables of code: do the real datasets' shapes come out as documents, and does everything else end in one clear sentence?"""

from __future__ import annotations

import gzip
import io
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.data import Document, Provenance, Seed, Skipped
from hf_oss_instruct.errors import SeedError, SeedsExhaustedError
from hf_oss_instruct.seeds.reading import ReadOptions
from hf_oss_instruct.seeds.resolve import open_source, read_seeds
from hf_oss_instruct.seeds.sampling import sample
from hf_oss_instruct.seeds.source import Source
from hf_oss_instruct.seeds.tables.hub import HubTables
from hf_oss_instruct.seeds.tables.local import LocalTables
from hf_oss_instruct.spec.seeds import SeedPlan
from tests.support import corpora
from tests.support.hub import LocalHub
from tests.support.teacher import Exchange

OK = {"content": "x = 1\n", "lang": "python"}


def documents(source: Source, *languages: str) -> list[Document]:
    return [item for item in source.documents(languages or None, None) if isinstance(item, Document)]


def reasons(source: Source, *languages: str) -> Counter[str]:
    return Counter(item.reason for item in source.documents(languages or None, None) if isinstance(item, Skipped))


def rows_of(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def parquet(rows: list[dict[str, Any]], schema: pa.Schema | None = None) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), file)
    return file.getvalue()


def jsonl(*rows: Any) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def opened(path: Path, data: bytes) -> Source:
    return open_source(str(put(path, data)))


def refusal(source: Source) -> str:
    """The words of the `SeedError` that reading this source ends in."""
    with pytest.raises(SeedError) as refused:
        list(source.documents(None, None))
    return str(refused.value)


class TestTheStackV1:
    @pytest.fixture
    def stack(self, tmp_path: Path) -> Path:
        corpora.the_stack_v1(tmp_path / "the-stack", n_files_per_shard=3, languages=("python", "c-sharp", "cpp"))
        return tmp_path / "the-stack"

    def test_a_row_tells_where_its_file_comes_from(self, stack: Path) -> None:
        source = open_source(str(stack))
        row = rows_of(stack / "data/python/train-00000-of-00002.parquet")[1]
        [first] = [file for file in documents(source) if file.origin.row_id == row["hexsha"]]
        assert first.content == row["content"]
        assert first.origin == Provenance(
            dataset="the-stack",
            revision=source.revision,
            row_id=row["hexsha"],
            raw_index=1,
            lang="python",
            repo_name=row["max_stars_repo_name"],
            repo_commit=row["max_stars_repo_head_hexsha"],
            file_path=row["max_stars_repo_path"],
            licenses=tuple(row["max_stars_repo_licenses"]),
            license_type=None,
        )

    def test_files_are_numbered_by_language_over_all_shards(self, stack: Path) -> None:
        origins = [(file.origin.lang, file.origin.raw_index) for file in documents(open_source(str(stack)))]
        assert origins == [(lang, n) for lang in ("cpp", "csharp", "python") for n in range(6)]  # c++, c-sharp, python

    def test_only_the_folders_of_the_languages_asked_for_are_opened(self, stack: Path) -> None:
        for shard in (stack / "data/c-sharp").iterdir():
            shard.write_bytes(b"unreadable")
        source = open_source(str(stack))
        assert {file.origin.lang for file in documents(source, "python", "cpp")} == {"python", "cpp"}
        assert "c-sharp" in refusal(source)

    def test_folders_of_languages_nobody_knows_are_not_opened_for_one_that_was_asked_for(self, stack: Path) -> None:
        """The Stack has `data/html`, `data/json`, …: terabytes that lie before `data/python` in the alphabet."""
        put(stack / "data/html/train-00000-of-00001.parquet", b"unreadable")
        assert len(documents(open_source(str(stack)), "python")) == 6


class TestStarcoderdata:
    @pytest.fixture
    def stars(self, tmp_path: Path) -> Path:
        corpora.starcoderdata(tmp_path / "starcoderdata", documents=16, languages=("python", "rust"))
        return tmp_path / "starcoderdata"

    def test_metadata_is_stripped_before_any_line_is_drawn(self, stars: Path) -> None:
        code = [file.text for language in ("python", "rust") for file in corpora.files(language, 8)]
        assert [file.content for file in documents(open_source(str(stars)))] == code
        for seed in read_seeds(str(stars), 100):
            assert "<reponame>" not in seed.snippet
            assert "<filename>" not in seed.snippet

    def test_metadata_stays_for_the_papers_own_sampler(self, stars: Path) -> None:
        raw = [row["content"] for name in ("python", "rust") for row in rows_of(stars / name / "train-00000-of-00001.parquet")]
        assert [file.content for file in documents(open_source(str(stars), reading=ReadOptions(as_stored=True)))] == raw
        assert sum(text.startswith("<") for text in raw) == 12

    def test_a_row_says_nothing_of_licenses_and_commits_so_they_are_null(self, stars: Path) -> None:
        source = open_source(str(stars))
        row = rows_of(stars / "rust/train-00000-of-00001.parquet")[2]
        found = documents(source, "rust")[2].origin
        assert found.row_id.endswith(row["id"])
        assert found == Provenance(
            dataset="starcoderdata",
            revision=source.revision,
            row_id=found.row_id,
            raw_index=2,
            lang="rust",
            repo_name=row["max_stars_repo_name"],
            file_path=row["max_stars_repo_path"],
        )

    @pytest.mark.parametrize(
        ("text", "stripped"),
        [
            ("<reponame>a/b<filename>c.py<gh_stars>10-100\nx = 1\n", "x = 1\n"),
            ("<filename>c.py<gh_stars>0\nx = 1\n", "x = 1\n"),
            ("<reponame>a/b<gh_stars>1-10\nx = 1\n", "x = 1\n"),
            ("<filename>c.py\nx = 1\n", "x = 1\n"),
            ("<filename>c.py\n\n\nx = 1\n", "\n\nx = 1\n"),
            ("<reponame>a/b\n", ""),
            ("<?php echo 1;\n", "<?php echo 1;\n"),
            ("<\nx = 1\n", "<\nx = 1\n"),
            ("x = '<reponame>'\n<filename>c.py\n", "x = '<reponame>'\n<filename>c.py\n"),
            ("\nx = 1\n", "\nx = 1\n"),
        ],
    )
    def test_only_metadata_at_the_very_beginning_is_stripped(self, tmp_path: Path, text: str, stripped: str) -> None:
        [file] = documents(opened(tmp_path / "a.jsonl", jsonl(OK | {"content": text})))
        assert file.content == stripped

    def test_the_folder_says_the_language_whatever_the_suffix_of_a_file(self, tmp_path: Path) -> None:
        """It has no language column; its folder `cpp` holds headers (`.h`), its folder `php` holds `.inc`."""
        row = dict.fromkeys(corpora.STARCODERDATA.names) | {"id": "7", "content": "int a;\n", "max_stars_repo_path": "src/a.h"}
        put(tmp_path / "cpp/train-00000-of-00001.parquet", parquet([row], corpora.STARCODERDATA))
        assert [file.origin.lang for file in documents(open_source(str(tmp_path)), "cpp")] == ["cpp"]

    def test_files_that_share_a_number_in_two_folders_are_two_seeds(self, tmp_path: Path) -> None:
        """Answers are kept under the seed's id: two snippets under one id would get one answer."""
        for lang, text in (("python", "x = 1\n"), ("rust", "let x = 1;\n")):
            row = dict.fromkeys(corpora.STARCODERDATA.names) | {"id": "7", "content": text}
            put(tmp_path / lang / "train-00000-of-00001.parquet", parquet([row], corpora.STARCODERDATA))
        one, other = read_seeds(str(tmp_path), filters=())
        assert one.snippet != other.snippet
        assert one.seed_id != other.seed_id


class TestTheStackV3:
    @pytest.fixture
    def stack(self, tmp_path: Path) -> Path:
        corpora.the_stack_v3(tmp_path / "stack-v3-train", documents=80, languages=("python", "go", "rust"))
        return tmp_path / "stack-v3-train"

    def test_each_file_of_a_repository_is_a_document_with_the_repositorys_name_and_commit(self, stack: Path) -> None:
        source = open_source(str(stack))
        repository = rows_of(stack / "data/train-00000-of-00001.parquet")[1]
        row = repository["files"][3]
        [found] = [file for file in documents(source) if file.origin.row_id == row["content_id"]]
        assert found.content == row["content"]
        assert found.origin == Provenance(
            dataset="stack-v3-train",
            revision=source.revision,
            row_id=row["content_id"],
            raw_index=found.origin.raw_index,
            lang=row["language"].lower(),
            repo_name=repository["repo_path"],
            repo_commit=repository["commit_id"],
            file_path=row["file_path"],
            licenses=tuple(row["detected_licenses"]),
            license_type="permissive",
        )

    def test_vendored_files_are_skipped_with_that_reason(self, stack: Path) -> None:
        files = [file for row in rows_of(stack / "data/train-00000-of-00001.parquet") for file in row["files"]]
        vendored = [file for file in files if file["is_vendor"]]
        source = open_source(str(stack))
        assert reasons(source) == {"vendored": len(vendored)}
        assert len(documents(source)) == len(files) - len(vendored) > len(vendored) > 0

    def test_a_file_without_a_license_says_so(self, stack: Path) -> None:
        origins = {(file.origin.license_type, bool(file.origin.licenses)) for file in documents(open_source(str(stack)))}
        assert origins == {("permissive", True), ("no_license", False)}

    @pytest.mark.parametrize("list_of", [pa.list_, pa.large_list])
    def test_lists_of_either_width_hold_files(self, tmp_path: Path, list_of: Any) -> None:
        file = pa.struct([("content", pa.large_string()), ("language", pa.string()), ("size_bytes", pa.int64())])
        rows = [
            {"repo_path": "a/b", "files": [{"content": "x = 1\n", "language": "Python"}] * 2},
            {"repo_path": "c", "files": []},
        ]
        data = parquet(rows, pa.schema([("repo_path", pa.string()), ("files", list_of(file))]))
        assert [found.origin.repo_name for found in documents(opened(tmp_path / "a.parquet", data))] == ["a/b", "a/b"]

    def test_jsonl_holds_repositories_too(self, tmp_path: Path) -> None:
        files = [{"content": "x = 1\n", "file_path": "a.py"}, {"content": "let x;\n", "language": "Rust", "is_generated": True}]
        source = opened(tmp_path / "a.jsonl", jsonl({"repo_path": "a/b", "commit_id": "c0ffee", "files": files}))
        [file] = documents(source)
        assert (file.origin.repo_name, file.origin.repo_commit, file.origin.lang) == ("a/b", "c0ffee", "python")
        assert reasons(source) == {"generated": 1}

    @pytest.mark.parametrize("nothing", [[], None])
    def test_a_repository_without_files_gives_none(self, tmp_path: Path, nothing: list[Any] | None) -> None:
        rows = [{"repo_path": "a/b", "files": [OK]}, {"repo_path": "c/d", "files": nothing}, {"repo_path": "e/f", "files": [OK]}]
        assert len(documents(opened(tmp_path / "1/a.parquet", parquet(rows)))) == 2
        assert len(documents(opened(tmp_path / "2/a.jsonl", jsonl(*rows)))) == 2


class TestPlainTables:
    def test_what_a_row_does_not_say_is_null_and_its_id_is_its_place(self, tmp_path: Path) -> None:
        source = opened(tmp_path / "mine/a.jsonl", jsonl(OK, OK))
        assert [file.origin for file in documents(source)] == [
            Provenance("mine", source.revision, f"a.jsonl:{number}", number, "python") for number in range(2)
        ]

    @pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".jsonl.gz", ".PARQUET", ".JSONL", ".Jsonl.GZ"])
    def test_files_are_read_by_their_suffix_in_any_case(self, tmp_path: Path, suffix: str) -> None:
        data = {".parquet": parquet([OK]), ".jsonl": jsonl(OK), ".jsonl.gz": gzip.compress(jsonl(OK))}[suffix.lower()]
        assert [file.content for file in documents(opened(tmp_path / f"a{suffix}", data))] == ["x = 1\n"]

    @pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
    def test_text_is_read_from_every_kind_of_string_column(self, tmp_path: Path, kind: pa.DataType) -> None:
        file = io.BytesIO()
        pq.write_table(pa.table({"content": pa.array(["x = 1\n", None]).cast(kind), "lang": ["Python"] * 2}), file)
        found = documents(opened(tmp_path / "a.parquet", file.getvalue()))
        assert [text.content for text in found if text.content] == ["x = 1\n"]

    def test_a_rows_own_word_for_its_language_comes_before_its_suffix(self, tmp_path: Path) -> None:
        rows = [
            {"content": "1", "language": "Rust", "path": "a.py"},
            {"content": "2", "language": None, "path": "a.py"},
            {"content": "3", "language": "HTML", "path": "a.py"},
        ]
        source = opened(tmp_path / "a.jsonl", jsonl(*rows))
        assert [file.origin.lang for file in documents(source)] == ["rust", "python"]
        assert reasons(source) == {"unknown_language": 1}

    def test_a_folder_named_after_a_language_says_it_for_rows_that_do_not(self, tmp_path: Path) -> None:
        put(tmp_path / "c-sharp/deeper/a.jsonl", jsonl({"content": "class A {}\n"}))
        assert [file.origin.lang for file in documents(open_source(str(tmp_path)))] == ["csharp"]

    def test_the_languages_that_were_found_include_those_nobody_asked_for(self, tmp_path: Path) -> None:
        rows = [{"content": "x\n", "lang": name} for name in ("Python", "Go", "Klingon")]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
        with pytest.raises(SeedsExhaustedError, match="It has no rust, only go and python"):
            list(sample(open_source(str(tmp_path)), SeedPlan(n=1, languages=["rust"])))

    def test_a_suffix_of_no_known_language_is_not_the_language_that_was_asked_for(self, tmp_path: Path) -> None:
        source = opened(tmp_path / "a.jsonl", jsonl({"content": "# Hi\n", "path": "README.md"}))
        assert documents(source, "python") == []

    def test_rows_in_no_known_language_are_skipped_with_that_reason(self, tmp_path: Path) -> None:
        rows = [OK, {"content": "<p>", "lang": "HTML"}, {"content": "all:", "path": "Makefile"}, {"content": "?"}]
        source = opened(tmp_path / "a.jsonl", jsonl(*rows))
        assert (len(documents(source)), reasons(source)) == (1, {"unknown_language": 3})

    def test_a_row_in_no_known_language_is_counted_once_however_many_languages_are_asked_for(self, tmp_path: Path) -> None:
        rows = [{"content": "<p>", "lang": "HTML"}, OK, {"content": "let x = 1;\n", "lang": "Rust"}]
        source = opened(tmp_path / "a.jsonl", jsonl(*rows))
        items = list(sample(source, SeedPlan(languages=(("python", 1), ("rust", 1)), filters=())))
        assert [item.reason for item in items if isinstance(item, Skipped)].count("unknown_language") <= 1

    def test_rows_that_say_nothing_are_in_the_one_language_that_was_asked_for(self, tmp_path: Path) -> None:
        source = opened(tmp_path / "a.jsonl", jsonl({"content": "x = 1\n"}))
        one, two = (SeedPlan(languages=named, filters=()) for named in ((("python", None),), (("python", None), ("rust", None))))
        assert [item.origin.lang for item in sample(source, one) if isinstance(item, Seed)] == ["python"]
        assert not [item for item in sample(source, two) if isinstance(item, Seed)]

    def test_rows_that_say_nothing_are_not_each_language_in_turn(self, tmp_path: Path) -> None:
        source = opened(tmp_path / "a.jsonl", jsonl({"content": "x = 1\n"}, {"content": "y = 1\n"}))
        items = before_an_error(sample(source, SeedPlan(languages=(("python", 2), ("rust", 2)), filters=())))
        ids = [item.seed_id for item in items if isinstance(item, Seed)]
        assert len(set(ids)) == len(ids)

    def test_of_two_columns_for_one_thing_the_real_data_sets_own_is_taken(self, tmp_path: Path) -> None:
        row = OK | {
            "path": "no.py",
            "max_stars_repo_path": "yes.py",
            "repo": "no",
            "repo_name": "yes",
            "id": "no",
            "hexsha": "yes",
        }
        source = opened(tmp_path / "a.jsonl", jsonl(row))
        [file] = documents(source)
        assert file.origin == Provenance(tmp_path.name, source.revision, "yes", 0, "python", "yes", file_path="yes.py")

    @pytest.mark.parametrize("files", [[], ["a.py"], [{"name": "a.py"}]], ids=str)
    def test_a_row_with_content_of_its_own_is_a_file_whatever_else_it_lists(self, tmp_path: Path, files: list[Any]) -> None:
        rows = [OK | {"files": files}]
        assert [file.content for file in documents(opened(tmp_path / "1/a.jsonl", jsonl(*rows)))] == ["x = 1\n"]
        if files:  # parquet does not hold a list of nothing
            assert [file.content for file in documents(opened(tmp_path / "2/a.parquet", parquet(rows)))] == ["x = 1\n"]

    def test_one_license_in_words_is_a_list_of_one(self, tmp_path: Path) -> None:
        rows = [OK | {"license": "MIT"}, OK | {"license": ["MIT", "ISC"]}, OK | {"license": []}, OK | {"license": None}]
        origins = [file.origin.licenses for file in documents(opened(tmp_path / "a.jsonl", jsonl(*rows)))]
        assert origins == [("MIT",), ("MIT", "ISC"), (), None]

    def test_blank_lines_between_json_objects_mean_nothing(self, tmp_path: Path) -> None:
        assert len(documents(opened(tmp_path / "a.jsonl", b"\n" + jsonl(OK) + b"  \n\n" + jsonl(OK)))) == 2

    def test_half_a_surrogate_pair_becomes_text_that_files_can_hold(self, tmp_path: Path) -> None:
        data = b'{"content": "a\\ud800b", "lang": "python"}\n{"content": "\\ud83d\\ude00", "lang": "python"}\n'
        assert [file.content for file in documents(opened(tmp_path / "a.jsonl", data))] == ["a?b", "😀"]

    @pytest.mark.parametrize("column", ["id", "path", "repo", "commit_id", "license", "license_type"])
    def test_so_does_one_in_what_a_row_says_of_its_origin(self, tmp_path: Path, column: str) -> None:
        data = f'{{"content": "x = 1", "lang": "python", "{column}": "a\\ud800.py"}}\n'.encode()
        [seed] = read_seeds(str(put(tmp_path / "a.jsonl", data)), filters=())
        origins = seed.origin
        words = [
            origins.row_id,
            origins.file_path,
            origins.repo_name,
            origins.repo_commit,
            origins.license_type,
            *(origins.licenses or ()),
        ]
        assert [word.encode() for word in words if word]

    @pytest.mark.parametrize("content", [5, ["x"], {"a": 1}, True], ids=str)
    def test_content_that_is_no_text_is_an_error_or_no_document(self, tmp_path: Path, content: Any) -> None:
        source = opened(tmp_path / "a.jsonl", jsonl(OK, OK | {"content": content}))
        read = [item for item in before_an_error(source.documents(None, None)) if isinstance(item, Document)]
        assert [file.content for file in read if file.content] == ["x = 1\n"]

    @pytest.mark.parametrize(
        "odd",
        [
            {"lang": 3},
            {"id": {"n": 1}},
            {"path": 7},
            {"license": 5},
            {"license": {"key": "mit"}},
            {"license": [None, 5]},
            {"repo": {"name": "a/b"}},
            {"commit_id": 12},
            {"files": 5},
            {"files": "a.py"},
            {"files": {"a.py": 1}},
            {"files": [None]},
            {"files": ["a.py"]},
            {"files": [{"content": "x = 1\n", "language": "Python"}, None]},
        ],
        ids=str,
    )
    def test_values_of_an_unexpected_kind_end_in_no_traceback_and_in_no_column(self, tmp_path: Path, odd: dict[str, Any]) -> None:
        put(tmp_path / "python/a.jsonl", jsonl({"content": "x = 1\n"} | odd))
        for item in before_an_error(open_source(str(tmp_path)).documents(None, None)):
            if isinstance(item, Document):
                origins = item.origin
                words = [
                    origins.row_id,
                    origins.repo_name,
                    origins.repo_commit,
                    origins.file_path,
                    origins.license_type,
                    *(origins.licenses or ()),
                ]
                assert all(word is None or isinstance(word, str) for word in words)

    @pytest.mark.parametrize(
        "columns",
        [
            {"content": [b"x = 1\n"], "lang": ["python"]},
            {"content": ["x = 1\n"], "lang": [1]},
            {"content": [1.5], "lang": ["python"]},
            {"content": ["x = 1\n"], "path": [7]},
            {"content": ["x = 1\n"], "lang": ["python"], "repo": [{"name": "a/b"}]},
        ],
        ids=str,
    )
    def test_columns_of_an_unexpected_type_end_in_no_traceback_and_in_no_column(
        self, tmp_path: Path, columns: dict[str, Any]
    ) -> None:
        pq.write_table(pa.table(columns), put(tmp_path / "data/a.parquet", b""))
        for item in before_an_error(open_source(str(tmp_path)).documents(None, None)):
            if isinstance(item, Document):
                assert isinstance(item.content, str)
                assert all(isinstance(word, str | None) for word in (item.origin.file_path, item.origin.repo_name))

    def test_a_list_that_holds_a_null_for_a_file_gives_the_others(self, tmp_path: Path) -> None:
        data = parquet([{"repo_path": "a/b", "files": [OK, None, OK]}])
        assert len(documents(opened(tmp_path / "a.parquet", data))) == 2


def before_an_error(items: Iterator[Any]) -> Iterator[Any]:
    """What comes before a `SeedError`, if there is one; any other error is not for users to see."""
    with suppress(SeedError):
        yield from items


class TestBrokenFiles:
    @pytest.mark.parametrize("data", [b"", b"def half(x): ...\n" * 20, parquet([OK])[:-30], parquet([OK])[:8], b"PAR1PAR1"])
    def test_a_parquet_file_that_is_none_is_an_error_with_its_name_and_the_way_out(self, tmp_path: Path, data: bytes) -> None:
        words = refusal(opened(tmp_path / "mine/cut.parquet", data))
        assert "'cut.parquet' in mine cannot be read" in words
        assert "Download it again, or leave it out" in words

    def test_a_parquet_file_with_a_spoilt_page_is_an_error_with_its_name(self, tmp_path: Path) -> None:
        rows = [OK | {"content": f"x = {n}\n" * 50} for n in range(100)]
        spoil(put(tmp_path / "a.parquet", parquet(rows)), "content")
        assert "'a.parquet'" in refusal(open_source(str(tmp_path)))

    def test_a_parquet_file_without_code_is_an_error_with_the_columns_it_has(self, tmp_path: Path) -> None:
        words = refusal(opened(tmp_path / "a.parquet", parquet([{"words": "x", "size": 1}])))
        assert "'a.parquet' has no text in a column called content, code, whole_func_string, …; it has size, words" in words
        assert "--code-column NAME" in words

    def test_a_json_object_without_code_is_an_error_with_the_keys_it_has(self, tmp_path: Path) -> None:
        assert "it has size, words. Name" in refusal(opened(tmp_path / "a.jsonl", jsonl({"words": "x", "size": 1})))

    def test_a_broken_line_is_an_error_with_its_number(self, tmp_path: Path) -> None:
        words = refusal(opened(tmp_path / "a.jsonl", jsonl(OK, OK) + b'{"content": "x", \n' + jsonl(OK)))
        assert "'a.jsonl'" in words
        assert "line 3" in words.lower()

    @pytest.mark.parametrize("line", ["[1, 2]", '"text"', "5", "null"])
    def test_a_line_that_is_no_object_is_an_error_with_its_number(self, tmp_path: Path, line: str) -> None:
        words = refusal(opened(tmp_path / "a.jsonl", jsonl(OK) + line.encode() + b"\n"))
        assert "Line 2 of 'a.jsonl' is not a JSON object" in words

    @pytest.mark.parametrize(
        "data",
        [
            gzip.compress(jsonl(*[OK | {"content": str(n)} for n in range(1000)]))[:-40],
            jsonl(OK),  # not compressed at all
            gzip.compress(jsonl(OK), mtime=0)[:10] + b"\xff" * 100,  # a good head, then nothing that inflates
            gzip.compress(jsonl(OK))[:-8] + b"\0" * 8,  # another checksum
            b"",
            b"\x1f",
        ],
        ids=["cut", "plain", "spoilt", "checksum", "empty", "one byte"],
    )
    def test_a_broken_gz_is_an_error_with_its_name(self, tmp_path: Path, data: bytes) -> None:
        source = opened(tmp_path / "a.jsonl.gz", data)
        if data:
            assert "'a.jsonl.gz'" in refusal(source)
        else:
            assert documents(source) == []  # as an empty file without .gz: no line, no document

    @pytest.mark.parametrize("data", [b'{"content": "\xe9", "lang": "python"}\n', b"\x80\x81\x82\n", b"\xff\xfe{\0\n"])
    def test_bytes_that_are_no_utf8_are_an_error_with_the_files_name(self, tmp_path: Path, data: bytes) -> None:
        assert "'a.jsonl'" in refusal(opened(tmp_path / "a.jsonl", data))

    @pytest.mark.parametrize("line", [b"[" * 200_000, b'{"size": ' + b"1" * 5000 + b"}"], ids=["nested", "a long number"])
    def test_json_that_python_will_not_hold_is_an_error_with_the_files_name(self, tmp_path: Path, line: bytes) -> None:
        assert "'a.jsonl'" in refusal(opened(tmp_path / "a.jsonl", line + b"\n"))

    def test_a_table_whose_name_is_not_utf8_is_read_or_refused_in_words(self, tmp_path: Path) -> None:
        (tmp_path / "caf\udce9.jsonl").write_bytes(jsonl(OK))
        try:
            [seed] = read_seeds(str(tmp_path), filters=())
        except SeedError as refused:
            origins = str(refused)
        else:
            origins = seed.origin.row_id
        assert origins.encode()

    def test_a_broken_shard_is_met_only_when_it_is_reached(self, tmp_path: Path) -> None:
        put(tmp_path / "0.parquet", parquet([OK | {"content": f"x = {n}\n"} for n in range(5)]))
        put(tmp_path / "1.parquet", b"nonsense")
        assert [seed.snippet for seed in read_seeds(str(tmp_path), 5, filters=())] == [f"x = {n}" for n in range(5)]
        seeds = read_seeds(str(tmp_path), 6, filters=())
        assert len([next(seeds) for _ in range(5)]) == 5
        with pytest.raises(SeedError, match=r"'1\.parquet'"):
            next(seeds)


class TestRevision:
    def test_it_is_a_function_of_names_and_content_wherever_they_lie(self, tmp_path: Path) -> None:
        files = {"a/0.parquet": parquet([OK]), "1.jsonl": jsonl(OK)}

        def revision(place: str, changed: dict[str, bytes]) -> str | None:
            for name, data in (files | changed).items():
                put(tmp_path / place / name, data)
            return open_source(str(tmp_path / place)).revision

        same = {revision("here/code", {}), revision("there/code", {}), revision("elsewhere", {"README.md": b"hi"})}
        assert len(same) == 1
        changes = [{"1.jsonl": jsonl(OK | {"content": "x = 2\n"})}, {"2.jsonl": b""}, {"a/0.parquet": parquet([OK, OK])}]
        others = {revision(f"{number}", change) for number, change in enumerate(changes)}
        assert len(same | others) == 4

    def test_a_change_in_the_middle_of_a_long_file_is_another_revision(self, tmp_path: Path) -> None:
        """JSONL has no footer that would tell; a stale revision would give new snippets the old answers."""
        rows = [OK | {"content": f"x = {n:06}\n"} for n in range(8000)]
        before = opened(tmp_path / "1/a.jsonl", jsonl(*rows)).revision
        rows[4000] = OK | {"content": "y = 004000\n"}
        assert opened(tmp_path / "2/a.jsonl", jsonl(*rows)).revision != before


def leaves(path: Path, *wanted: str) -> Iterator[pq.ColumnChunkMetaData]:
    meta = pq.read_metadata(path)
    for group in map(meta.row_group, range(meta.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            if column.path_in_schema in wanted:
                yield column


def spoil(path: Path, *columns: str) -> Path:
    """Overwrite the pages of these columns: who decodes one of them fails."""
    chunks = list(leaves(path, *columns))
    assert {chunk.path_in_schema for chunk in chunks} == set(columns)
    with path.open("r+b") as file:
        for chunk in chunks:
            file.seek(chunk.dictionary_page_offset or chunk.data_page_offset)
            file.write(b"\xff" * chunk.total_compressed_size)
    with pytest.raises((OSError, pa.ArrowException)):
        pq.read_table(path)
    return path


def names_of(path: Path) -> Iterable[str]:
    group = pq.read_metadata(path).row_group(0)
    return [group.column(number).path_in_schema for number in range(group.num_columns)]


class TestProjection:
    def test_of_the_stack_v1_only_the_columns_in_use_are_decoded(self, tmp_path: Path) -> None:
        [path] = corpora.the_stack_v1(tmp_path, n_files_per_shard=20, languages=("python",), shards=1)
        whole = documents(open_source(str(tmp_path)))
        unused = [
            name
            for name in names_of(path)
            if not name.startswith("max_stars_repo_") and name not in ("content", "hexsha", "lang")
        ]
        unused += [name for name in names_of(path) if name.endswith("_datetime") and name not in unused]
        assert len(unused) > 15
        spoil(path, *unused)
        assert [file.content for file in documents(open_source(str(tmp_path)))] == [file.content for file in whole]

    def test_of_the_stack_v3_only_the_columns_in_use_are_decoded(self, tmp_path: Path) -> None:
        [path] = corpora.the_stack_v3(tmp_path, documents=40, languages=("python", "go"))
        whole = documents(open_source(str(tmp_path)))
        unused = [name for name in names_of(path) if name.startswith("github_metadata.") or name in ("repo_id", "num_files")]
        unused += [name for name in names_of(path) if name.endswith((".size_bytes", ".file_timestamp"))]
        assert len(unused) == 14
        spoil(path, *unused)
        assert [file.content for file in documents(open_source(str(tmp_path)))] == [file.content for file in whole]


class Garbling(LocalHub):
    """A Hub that knows its datasets and answers with what no client can unpack when it is asked for a file.

    A connection that breaks ends the same way, after 23 seconds of `huggingface_hub`'s own attempts: too long for a test.
    """

    def respond(self, exchange: Exchange) -> None:
        if "/resolve/" in exchange.path:
            exchange.send(206, b"no gzip", {"Content-Encoding": "gzip"})
        else:
            super().respond(exchange)


class TestHub:
    def test_a_data_set_on_the_hub_reads_as_its_files_on_disk_do(self, tmp_path: Path) -> None:
        corpora.the_stack_v1(tmp_path, n_files_per_shard=3, languages=("python", "rust"))
        with LocalHub() as hub:
            sha = hub.put_folder("ns/the-stack", tmp_path)
            found = documents(HubTables("ns/the-stack", endpoint=hub.endpoint))
        local = documents(open_source(str(tmp_path)))
        assert [file.content for file in found] == [file.content for file in local]
        assert {(file.origin.dataset, file.origin.revision) for file in found} == {("ns/the-stack", sha)}
        assert [file.origin.row_id for file in found] == [file.origin.row_id for file in local]

    def test_rows_record_the_commit_that_a_branch_stands_for(self) -> None:
        with LocalHub() as hub:
            old = hub.put("ns/code", "a.jsonl", jsonl(OK))
            new = hub.put("ns/code", "a.jsonl", jsonl(OK | {"content": "y = 1\n"}))
            for revision, sha, content in ((None, new, "y = 1\n"), ("main", new, "y = 1\n"), (old, old, "x = 1\n")):
                source = HubTables("ns/code", revision, endpoint=hub.endpoint)
                [file] = documents(source)
                assert (source.name, source.revision, file.origin.revision, file.content) == ("ns/code", sha, sha, content)
                assert file.origin.row_id == "a.jsonl:0"

    def test_a_commit_that_comes_while_a_source_is_open_does_not_move_it(self) -> None:
        with LocalHub() as hub:
            old = hub.put("ns/code", "a.jsonl", jsonl(OK))
            source = HubTables("ns/code", endpoint=hub.endpoint)
            hub.put("ns/code", "a.jsonl", jsonl(OK | {"content": "y = 1\n"}))
            [file] = documents(source)
        assert (file.content, file.origin.revision) == ("x = 1\n", old)

    def test_only_the_bytes_of_the_columns_in_use_travel(self) -> None:
        rng = random.Random(0)
        ballast = [[rng.randbytes(60_000) for _ in range(200)] for _ in range(2)]
        columns = {"lang": ["python"] * 200, "ballast": ballast[0], "content": ["x = 1\n"] * 200, "ballast_2": ballast[1]}
        file = io.BytesIO()
        pq.write_table(pa.table(columns), file)
        with LocalHub() as hub:
            hub.put("ns/code", "a.parquet", file.getvalue())
            assert len(documents(HubTables("ns/code", endpoint=hub.endpoint))) == 200
            assert sum(size for *_, size in hub.requests) < len(file.getvalue()) / 2

    def test_only_the_files_of_the_languages_asked_for_travel(self) -> None:
        with LocalHub() as hub:
            for folder in ("data/html", "data/python", "data/rust"):  # html is no language we know
                hub.put("ns/code", f"{folder}/train.parquet", parquet([OK | {"lang": folder.split("/")[1]}]))
            assert len(documents(HubTables("ns/code", endpoint=hub.endpoint), "python")) == 1
            read = {path.split("/data/")[1] for _, path, *_ in hub.requests if "/resolve/" in path}
        assert read == {"python/train.parquet"}

    def test_a_data_set_that_is_missing_is_an_error_with_its_id_and_the_ways_out(self) -> None:
        with LocalHub() as hub, pytest.raises(SeedError, match=r"'ns/nothing'.*spelling, or log in: hf auth login"):
            HubTables("ns/nothing", endpoint=hub.endpoint)

    def test_a_revision_that_is_missing_is_an_error_with_its_name_and_the_way_out(self) -> None:
        with LocalHub() as hub:
            hub.put("ns/code", "a.jsonl", jsonl(OK))
            with pytest.raises(SeedError, match=r"'ns/code' has no revision 'v9'.*--revision"):
                HubTables("ns/code", "v9", endpoint=hub.endpoint)

    def test_a_data_set_without_tables_is_an_error_with_its_id_and_the_formats(self) -> None:
        with LocalHub() as hub:
            hub.put("ns/pictures", "a.png", b"\x89PNG")
            with pytest.raises(SeedError, match=r"'ns/pictures' contains no tables"):
                HubTables("ns/pictures", endpoint=hub.endpoint)

    def test_a_gated_data_set_is_an_error_with_its_id_and_the_way_in(self) -> None:
        with LocalHub() as hub:
            hub.put("ns/code", "a.parquet", parquet([OK]))
            hub.gate("ns/code", "hf_friend")
            words = refusal(HubTables("ns/code", endpoint=hub.endpoint))
        assert "The dataset 'ns/code' cannot be read: it is gated. Accept its terms" in words
        assert "hf auth login" in words

    def test_a_hub_that_is_down_is_an_error_with_the_id_and_the_way_out(self) -> None:
        with LocalHub() as hub:
            endpoint = hub.endpoint
        with pytest.raises(SeedError, match=r"'ns/code'.*Try again, or use the seeds 'stdlib'"):
            HubTables("ns/code", endpoint=endpoint)

    @pytest.mark.parametrize("name", ["a.parquet", "a.jsonl"])
    def test_a_transfer_that_fails_midway_is_an_error_with_the_files_name(self, name: str) -> None:
        with Garbling() as hub:
            hub.put("ns/code", name, jsonl(OK))
            assert f"'{name}' in ns/code cannot be read" in refusal(HubTables("ns/code", endpoint=hub.endpoint))

    def test_a_broken_file_on_the_hub_is_an_error_with_its_name_and_the_data_sets(self) -> None:
        with LocalHub() as hub:
            hub.put("ns/code", "data/a.parquet", parquet([OK])[:-30])
            assert "'data/a.parquet' in ns/code cannot be read" in refusal(HubTables("ns/code", endpoint=hub.endpoint))

    def test_metadata_is_kept_or_stripped_as_on_disk(self) -> None:
        text = "<reponame>a/b\nx = 1\n"
        with LocalHub() as hub:
            hub.put("ns/code", "python/a.jsonl", jsonl({"content": text}))
            kept, stripped = (
                HubTables("ns/code", reading=ReadOptions(as_stored=keep), endpoint=hub.endpoint) for keep in (True, False)
            )
            assert [file.content for source in (kept, stripped) for file in documents(source)] == [text, "x = 1\n"]


def test_tables_below_a_folder_are_read_in_the_order_of_their_paths(tmp_path: Path) -> None:
    names = ["b/0.jsonl", "a/1.jsonl", "a/0.jsonl"]
    for name in names:
        put(tmp_path / name, jsonl(OK | {"content": name}))
    assert [file.content for file in documents(LocalTables(tmp_path, names))] == sorted(names)
