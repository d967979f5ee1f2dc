"""What `--seeds` names: the standard library, source code on disk, and what each left out and why."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.data import Document, Provenance, Seed, Skipped
from hf_oss_instruct.errors import SeedError, SeedsExhaustedError, UsageError
from hf_oss_instruct.seeds.folders import FolderSource
from hf_oss_instruct.seeds.resolve import open_files, open_source, read_seeds, stdlib
from hf_oss_instruct.seeds.source import Source

ORDINARY = 60123
"""A user id that owns nothing."""
PYTHON = "def half(x):\n    return x / 2\n"


def plant(folder: Path, files: dict[str, str | bytes]) -> Path:
    """A folder that holds these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def table(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"content": [PYTHON], "lang": ["Python"]}), path)
    return path


def documents(source: Source, order_seed: int | None = None) -> list[Document]:
    return [item for item in source.documents(None, order_seed) if isinstance(item, Document)]


def paths(source: Source, order_seed: int | None = None) -> list[str | None]:
    return [file.origin.file_path for file in documents(source, order_seed)]


def reasons(source: Source) -> Counter[str]:
    return Counter(item.reason for item in source.documents(None, None) if isinstance(item, Skipped))


@pytest.fixture
def for_everyone() -> Iterator[Path]:
    """A folder that other users may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        for path in Path(folder).rglob("*"):
            path.chmod(0o755)


@contextmanager
def as_an_ordinary_user() -> Iterator[None]:
    """Files that their mode closes are open to root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(ORDINARY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture(scope="module")
def library() -> list[Document | Skipped]:
    return list(stdlib().documents(None, None))


@pytest.fixture(scope="module")
def modules(library: list[Document | Skipped]) -> list[Document]:
    return [item for item in library if isinstance(item, Document)]


class TestStandardLibrary:
    def test_every_module_is_python_code_of_cpython_under_its_license(self, modules: list[Document]) -> None:
        shared = {(o.dataset, o.revision, o.repo_name, o.licenses, o.license_type) for o in (file.origin for file in modules)}
        assert shared == {("python-stdlib", platform.python_version(), "python/cpython", ("PSF-2.0",), "permissive")}
        assert {file.origin.repo_commit for file in modules} == {None}
        assert len(modules) > 300

    def test_a_module_is_named_by_its_path_in_cpythons_repository(self, modules: list[Document]) -> None:
        [decoder] = [file for file in modules if file.origin.file_path == "Lib/json/decoder.py"]
        assert decoder.origin.row_id == "json/decoder.py"
        assert "class JSONDecoder" in decoder.content
        assert all(re.fullmatch(r"Lib/[^/].*", str(file.origin.file_path)) for file in modules)

    def test_only_what_cpython_keeps_under_lib_claims_to_lie_there(self, modules: list[Document]) -> None:
        """An installation also holds what its build made (`_sysconfigdata_*.py`, `config-3*/config.c`): not source of CPython."""
        known = sys.stdlib_module_names | {"__hello__", "__phello__"}
        strangers = {path for file in modules if (path := str(file.origin.file_path)).split("/")[1].split(".")[0] not in known}
        assert strangers == set()

    def test_what_a_build_or_a_distribution_added_beside_it_is_left_out(self, tmp_path: Path) -> None:
        added = [
            "_sysconfigdata__linux.py",
            "config-3.11-x86_64-linux-gnu/config.c",
            "_distutils_system_mod.py",
        ]  # Debian's, the last
        plant(tmp_path, {"json/decoder.py": PYTHON, "os.py": PYTHON, "site-packages/a.py": PYTHON} | dict.fromkeys(added, PYTHON))
        assert paths(FolderSource(tmp_path, revision="3.11.2", stdlib=True)) == ["Lib/json/decoder.py", "Lib/os.py"]

    def test_tests_are_left_out_and_counted(self, modules: list[Document], library: list[Document | Skipped]) -> None:
        folders = {part for file in modules for part in str(file.origin.file_path).split("/")[:-1]}
        assert not folders & {"test", "tests", "idle_test"}
        counted = Counter(item.reason for item in library if isinstance(item, Skipped))
        assert set(counted) <= {"test", "generated", "own_license", "not_of_cpython"}
        if (Path(os.__file__).parent / "test").is_dir():  # some distributions package the tests apart
            assert counted["test"] > 0

    def test_installed_packages_are_not_the_standard_library(self, modules: list[Document]) -> None:
        assert not [file for file in modules if re.search(r"(site|dist)-packages", file.origin.row_id)]

    def test_modules_with_a_license_of_their_own_are_left_out_and_counted(
        self, modules: list[Document], library: list[Document | Skipped]
    ) -> None:
        own = {"Lib/optparse.py", "Lib/pstats.py", "Lib/profile.py", "Lib/wsgiref/validate.py"}
        assert not own & {file.origin.file_path for file in modules}
        assert Counter(item.reason for item in library if isinstance(item, Skipped))["own_license"] == 4

    @pytest.mark.parametrize("spec", ["stdlib", "python-stdlib"])
    def test_it_is_opened_by_either_name(self, spec: str) -> None:
        source = open_source(spec)
        assert (source.name, source.revision) == ("python-stdlib", platform.python_version())

    def test_seeds_of_it_come_without_a_network(self) -> None:
        first, second = read_seeds("stdlib", 2)
        assert first.origin.repo_name == second.origin.repo_name == "python/cpython"
        assert first.seed_id != second.seed_id


class TestFolder:
    def test_a_file_is_told_by_its_path_and_all_else_is_null(self, tmp_path: Path) -> None:
        source = open_source(str(plant(tmp_path / "shop", {"src/half.py": PYTHON})))
        [file] = source.documents(None, None)
        assert isinstance(file, Document)
        assert file.content == PYTHON
        assert file.origin == Provenance("shop", source.revision, "src/half.py", 0, "python", file_path="src/half.py")
        assert [file.origin.repo_name, file.origin.licenses, file.origin.license_type] == [None, None, None]

    def test_what_is_no_own_source_text_is_left_out_and_counted(self, tmp_path: Path) -> None:
        plant(
            tmp_path,
            {
                "src/half.py": PYTHON,
                "src/ring.c": "int ring;\n",
                "vendor/a.go": "package a\n",
                "src/third_party/b/b.cpp": "int b;\n",
                "web/node_modules/c/index.js": "let c;\n",
                "web/app.min.js": "let d;\n",
                "src/marked.py": "# @generated\nx = 1\n",
                "src/blob.py": b"x = '\0'\n",
                "src/latin.py": "x = 'é'\n".encode("latin-1"),
                "src/two\nlines.py": PYTHON,
                "README.md": "# Shop\n",
                "Makefile": "all:\n",
            },
        )
        source = open_source(str(tmp_path))
        assert paths(source) == ["src/half.py", "src/ring.c"]
        assert reasons(source) == {"vendored": 3, "generated": 2, "binary": 1, "not_utf8": 1, "odd_name": 1}

    @pytest.mark.parametrize(
        "name", ["shop_pb2.py", "shop_pb2_grpc.py", "shop.pb.go", "shop.pb.h", "Shop.Designer.cs", "Shop.g.cs", "shop.d.ts"]
    )
    def test_generated_files_are_known_by_name(self, tmp_path: Path, name: str) -> None:
        source = open_source(str(plant(tmp_path, {name: "x\n"})))
        assert (documents(source), reasons(source)) == ([], {"generated": 1})

    @pytest.mark.parametrize(
        ("header", "generated"),
        [
            ("// Code generated by protoc-gen-go. DO NOT EDIT.", True),
            ("/* AUTO-GENERATED FILE */", True),
            ("# This file is automatically generated", True),
            ("# autogenerated by a script", True),
            ("// @generated", True),
            ("# Generated reports are kept here", False),
            ("def generated_names(): ...", False),
            ("\n" * 10 + "# @generated", False),
        ],
    )
    def test_generated_files_are_known_by_their_first_lines(self, tmp_path: Path, header: str, generated: bool) -> None:
        source = open_source(str(plant(tmp_path, {"a.py": f"{header}\nx = 1\n"})))
        assert (len(documents(source)), reasons(source)) == ((0, {"generated": 1}) if generated else (1, {}))

    def test_a_file_whose_name_is_not_utf8_is_left_out_and_counted(self, tmp_path: Path) -> None:
        plant(tmp_path, {"a.py": PYTHON})
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.py")).write_text(PYTHON)
        source = open_source(str(tmp_path))
        assert (paths(source), reasons(source)) == (["a.py"], {"odd_name": 1})
        assert source.revision

    def test_a_name_in_any_alphabet_is_not_odd(self, tmp_path: Path) -> None:
        assert paths(open_source(str(plant(tmp_path, {"größe/サイズ.py": PYTHON})))) == ["größe/サイズ.py"]

    def test_links_are_not_followed(self, tmp_path: Path) -> None:
        outside = plant(tmp_path / "outside", {"secret.py": PYTHON})
        inside = plant(tmp_path / "inside", {"own.py": PYTHON})
        (inside / "linked.py").symlink_to(outside / "secret.py")
        (inside / "linked").symlink_to(outside)
        (inside / "loop").symlink_to(inside)
        source = open_source(str(inside))
        assert (paths(source), reasons(source)) == (["own.py"], {})

    def test_hidden_folders_caches_and_builds_are_not_entered(self, tmp_path: Path) -> None:
        names = [
            ".git/a.py",
            ".venv/a.py",
            ".cache/deep/a.py",
            "__pycache__/a.py",
            "build/a.py",
            "dist/a.js",
            "target/a.rs",
            "venv/a.py",
        ]
        source = open_source(str(plant(tmp_path, {"own.py": PYTHON} | dict.fromkeys(names, "x\n"))))
        assert (paths(source), reasons(source)) == (["own.py"], {})

    def test_documents_are_numbered_by_language_in_path_order(self, tmp_path: Path) -> None:
        files: dict[str, str | bytes] = {"b.py": PYTHON, "a.rs": "fn a() {}\n", "a/z.py": PYTHON, "c.rs": "fn c() {}\n"}
        source = open_source(str(plant(tmp_path, files)))
        origins = [(file.origin.row_id, file.origin.raw_index) for file in documents(source)]
        assert origins == [("a/z.py", 0), ("a.rs", 0), ("b.py", 1), ("c.rs", 1)]
        shuffled = [(file.origin.row_id, file.origin.raw_index) for file in documents(source, 5)]
        assert sorted(shuffled) == sorted(origins)

    def test_only_the_languages_asked_for_are_read_and_counted(self, tmp_path: Path) -> None:
        files: dict[str, str | bytes] = {"a.py": PYTHON, "b.rs": "fn b() {}\n", "c.go": b"\0", "d.py": b"\0"}
        items = list(open_source(str(plant(tmp_path, files))).documents(("python", "rust"), None))
        assert [item.reason if isinstance(item, Skipped) else item.origin.lang for item in items] == ["python", "rust", "binary"]

    def test_an_order_seed_gives_an_order_drawn_by_hash(self, tmp_path: Path) -> None:
        names = [f"{number:02}.py" for number in range(40)]
        source = open_source(str(plant(tmp_path, dict.fromkeys(names, PYTHON))))
        assert paths(source) == names
        assert sorted(map(str, paths(source, 1))) == names
        assert len({tuple(paths(source, order_seed)) for order_seed in (None, 0, 1)}) == 3
        # A function of each path alone: files that come or go leave the order of the others as it was.
        before = paths(source, 1)
        for name in names[::3]:
            (tmp_path / name).unlink()
        assert paths(open_source(str(tmp_path)), 1) == [name for name in before if name not in names[::3]]

    def test_the_first_seeds_of_a_folder_are_a_sample_of_all_of_it(self, tmp_path: Path) -> None:
        files = {f"{folder}/{number}.py": PYTHON for folder in "abcdefghij" for number in range(20)}
        plant(tmp_path, dict(files))
        folders = {str(seed.origin.file_path)[0] for seed in read_seeds(str(tmp_path), 60)}
        assert len(folders) >= 8

    def test_equal_content_has_an_equal_revision_wherever_it_lies(self, tmp_path: Path) -> None:
        files: dict[str, str | bytes] = {"a.py": PYTHON, "b/c.rs": "fn c() {}\n"}
        here, there = plant(tmp_path / "here/code", files), plant(tmp_path / "there/code", files)
        one, other = open_source(str(here)), open_source(str(there))
        assert one.revision == other.revision
        assert [s.seed_id for s in read_seeds(str(here))] == [s.seed_id for s in read_seeds(str(there))]

    @pytest.mark.parametrize(
        "change",
        [
            {"a.py": PYTHON.replace("2", "3")},
            {"a.py": PYTHON + "\n"},
            {"d.py": PYTHON},
            {"b/d.py": ""},
        ],
    )
    def test_another_content_has_another_revision(self, tmp_path: Path, change: dict[str, str | bytes]) -> None:
        files: dict[str, str | bytes] = {"a.py": PYTHON, "b/c.rs": "fn c() {}\n"}
        before, after = plant(tmp_path / "before/code", files), plant(tmp_path / "after/code", files | change)
        assert open_source(str(before)).revision != open_source(str(after)).revision

    def test_a_file_under_another_name_makes_another_revision(self, tmp_path: Path) -> None:
        before, after = plant(tmp_path / "1/code", {"a.py": PYTHON}), plant(tmp_path / "2/code", {"b.py": PYTHON})
        assert open_source(str(before)).revision != open_source(str(after)).revision

    def test_no_two_folders_run_together_into_one_revision(self, tmp_path: Path) -> None:
        two = plant(tmp_path / "1/code", {"a.py": b"x", "b.py": b"y"})
        one = plant(tmp_path / "2/code", {"a.py": b"xb.py\0y"})
        moved = plant(tmp_path / "3/code", {"a.py": b"xy", "b.py": b""})
        assert len({open_source(str(folder)).revision for folder in (two, one, moved)}) == 3

    def test_what_is_not_read_does_not_change_the_revision(self, tmp_path: Path) -> None:
        before, after = plant(tmp_path / "1/code", {"a.py": PYTHON}), plant(tmp_path / "2/code", {"a.py": PYTHON})
        plant(after, {"README.md": "hello\n", "vendor/b.py": PYTHON, "__pycache__/a.pyc": b"\0"})
        assert open_source(str(before)).revision == open_source(str(after)).revision

    def test_a_file_that_vanishes_while_it_is_read_is_an_error_with_its_path(self, tmp_path: Path) -> None:
        source = open_source(str(plant(tmp_path, {"a.py": PYTHON})))
        (tmp_path / "a.py").unlink()
        with pytest.raises(SeedError, match=r"a\.py' cannot be read: No such file"):
            list(source.documents(None, None))

    def test_what_this_user_may_not_read_is_counted_and_the_rest_is_read(self, for_everyone: Path) -> None:
        plant(for_everyone, {"a.py": PYTHON, "b.py": PYTHON, "c.h": "int c;\n", "none/d.py": PYTHON, "listed/e/f.py": PYTHON})
        for name, mode in {"b.py": 0, "c.h": 0, "none": 0, "listed": 0o744}.items():
            (for_everyone / name).chmod(mode)
        with as_an_ordinary_user():
            source = open_source(str(for_everyone))
            assert paths(source) == ["a.py"]
            assert reasons(source) == {"unreadable": 2, "unreadable_folder": 2}
            assert source.revision == open_source(str(for_everyone)).revision
        (for_everyone / "b.py").chmod(0o644)
        with as_an_ordinary_user():
            assert open_source(str(for_everyone)).revision != source.revision

    def test_a_folder_that_this_user_may_not_read_is_an_error_with_its_path(self, for_everyone: Path) -> None:
        plant(for_everyone, {"inner/a.py": PYTHON})
        (for_everyone / "inner").chmod(0)
        with as_an_ordinary_user(), pytest.raises(SeedError, match=r"inner' cannot be read: Permission denied\."):
            open_source(str(for_everyone / "inner"))


class TestOpening:
    def test_one_file_of_source_is_a_source(self, tmp_path: Path) -> None:
        plant(tmp_path, {"a.py": PYTHON, "b.py": PYTHON})
        assert paths(open_source(str(tmp_path / "a.py"))) == ["a.py"]

    def test_one_file_of_a_table_is_a_source(self, tmp_path: Path) -> None:
        table(tmp_path / "b.parquet")
        [file] = documents(open_source(str(table(tmp_path / "a.parquet"))))
        assert (file.content, file.origin.row_id) == (PYTHON, "a.parquet:0")

    def test_a_link_to_a_table_is_read_as_the_hubs_cache_holds_tables(self, tmp_path: Path) -> None:
        """`huggingface_hub` keeps a file as `snapshots/<commit>/train.parquet`, a link to `blobs/<hash>`."""
        blob = table(tmp_path / "blobs/a.parquet").rename(tmp_path / "blobs/4d5e6f")
        link = tmp_path / "snapshots/train.parquet"
        link.parent.mkdir()
        link.symlink_to(blob)
        assert [file.content for file in documents(open_files([link]))] == [PYTHON]

    def test_a_folder_of_tables_is_a_source(self, tmp_path: Path) -> None:
        table(tmp_path / "data/python/0.parquet")
        (tmp_path / "data/more.jsonl").write_text('{"content": "x = 1", "lang": "python"}\n')
        source = open_source(str(tmp_path))
        assert [file.content for file in documents(source)] == ["x = 1", PYTHON]
        assert source.name == tmp_path.name

    def test_a_folder_of_folders_named_as_tables_is_a_source(self, tmp_path: Path) -> None:
        """Spark and Dask write `corpus.parquet/part-0.parquet`."""
        table(tmp_path / "corpus.parquet/part-0.parquet")
        assert [file.content for file in documents(open_source(str(tmp_path)))] == [PYTHON]

    def test_several_files_are_one_source_below_their_common_folder(self, tmp_path: Path) -> None:
        plant(tmp_path, {"code/b/b.py": PYTHON, "code/a.rs": "fn a() {}\n", "code/c.py": PYTHON})
        source = open_files([tmp_path / "code/b/b.py", tmp_path / "code/a.rs"])
        assert (source.name, paths(source)) == ("code", ["a.rs", "b/b.py"])

    def test_the_order_in_which_files_are_named_changes_nothing(self, tmp_path: Path) -> None:
        plant(tmp_path, {"a.py": PYTHON, "b.py": PYTHON + "#\n"})
        one, other = (open_files([tmp_path / f"{name}.py" for name in names]) for names in ("ab", "ba"))
        assert (one.revision, paths(one)) == (other.revision, paths(other))

    def test_a_file_that_is_named_twice_is_read_once(self, tmp_path: Path) -> None:
        plant(tmp_path, {"code/a.py": PYTHON, "code/sub/b.py": PYTHON})
        twice = [tmp_path / "code/a.py", tmp_path / "code/a.py", tmp_path / "code/sub/../a.py"]
        assert paths(open_files(twice)) == ["a.py"]

    def test_tables_and_source_files_do_not_mix(self, tmp_path: Path) -> None:
        plant(tmp_path, {"a.py": PYTHON})
        with pytest.raises(SeedError, match=r"mix tables \('b.parquet'\) and source code.*one kind"):
            open_files([tmp_path / "a.py", table(tmp_path / "b.parquet")])

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        plant(tmp_path, {"a.py": PYTHON})
        with pytest.raises(SeedError, match=r"gone\.py.*Pass files"):
            open_files([tmp_path / "a.py", tmp_path / "gone.py"])

    @pytest.mark.parametrize("spec", ["no/such/folder", "nothing/", "nothing", "gone.parquet", "https://example.org/code"])
    def test_a_missing_folder_is_an_error_with_the_value_and_the_ways_out(self, spec: str) -> None:
        with pytest.raises(SeedError) as refused:
            open_source(spec)
        assert repr(spec) in str(refused.value)
        assert "existing path" in str(refused.value)
        assert "stdlib" in str(refused.value)

    @pytest.mark.parametrize("spec", ["code/my--app", "src/app.git", "my/a..b", "data/" + "x" * 120, "~nobody-here/code"])
    def test_a_path_that_can_be_no_hub_id_either_is_an_error_with_the_value(self, spec: str) -> None:
        with pytest.raises(SeedError) as refused:
            open_source(spec)
        assert spec[:20] in str(refused.value)

    @pytest.mark.parametrize("files", [{}, {"README.md": "# hi\n"}, {"node_modules/.keep": ""}, {".hidden/a.py": PYTHON}])
    def test_a_folder_without_source_is_an_error_with_the_known_suffixes(
        self, tmp_path: Path, files: dict[str, str | bytes]
    ) -> None:
        with pytest.raises(SeedError) as refused:
            open_source(str(plant(tmp_path, files)))
        assert repr(str(tmp_path)) in str(refused.value)
        assert ".py, .cpp, .java" in str(refused.value)

    def test_a_file_in_no_known_language_is_an_error(self, tmp_path: Path) -> None:
        plant(tmp_path, {"notes.md": "hi\n"})
        with pytest.raises(SeedError, match="no source code and no tables"):
            open_source(str(tmp_path / "notes.md"))

    def test_a_hub_that_is_down_is_an_error_with_the_id_and_the_way_out(self) -> None:
        with pytest.raises(SeedError, match=r"'ns/code'.*Try again, or use the seeds 'stdlib'"):
            open_source("ns/code")  # the tests' own Hub is never there


class TestReadSeeds:
    def test_seeds_come_with_their_place(self, tmp_path: Path) -> None:
        [seed] = read_seeds(str(plant(tmp_path / "shop", {"a.py": "x = 1\n"})), 1, rng_seed=3, filters=())
        assert isinstance(seed, Seed)
        assert (seed.snippet, seed.start_line, seed.end_line, seed.index) == ("x = 1", 1, 1, 0)
        assert (seed.origin.dataset, seed.sampler, seed.rng_seed) == ("shop", "hash/1", 3)

    def test_a_language_is_known_by_any_of_its_names(self, tmp_path: Path) -> None:
        plant(tmp_path, {"a.py": PYTHON, "b.cpp": "int b;\n", "c.cs": "class C {}\n"})
        seeds = read_seeds(str(tmp_path), languages={"C++": 1, "c-sharp": 1}, filters=())
        assert [seed.origin.lang for seed in seeds] == ["cpp", "csharp"]

    def test_wrong_arguments_are_refused_before_the_first_seed_is_asked_for(self, tmp_path: Path) -> None:
        plant(tmp_path, {"a.py": PYTHON})
        with pytest.raises(UsageError, match="'klingon'"):
            read_seeds(str(tmp_path), languages={"klingon": 1})
        with pytest.raises(UsageError, match="'dice'"):
            read_seeds(str(tmp_path), 1, sampler="dice")
        with pytest.raises(SeedError, match="gone"):
            read_seeds(str(tmp_path / "gone"), 1)

    def test_more_seeds_than_there_are_end_in_an_error_after_the_last(self, tmp_path: Path) -> None:
        seeds = read_seeds(str(plant(tmp_path / "shop", {"a.py": "x = 1\n"})), 2, filters=())
        assert next(seeds).snippet == "x = 1"
        with pytest.raises(SeedsExhaustedError, match="shop yielded 1 of 2"):
            next(seeds)

    def test_a_language_that_the_source_does_not_have_is_said_with_those_it_has(self, tmp_path: Path) -> None:
        plant(tmp_path / "shop", {"a.py": "x = 1\n", "b.cpp": "int x = 1;\n"})
        with pytest.raises(SeedsExhaustedError) as short:
            list(read_seeds(str(tmp_path / "shop"), 3, languages=["rust"]))
        assert str(short.value) == (
            "shop yielded 0 of 3 requested seeds in rust. It has no rust, only cpp and python. "
            "Pass another source or ask for other languages."
        )

    def test_without_any_seed_nobody_is_told_to_ask_for_fewer(self, tmp_path: Path) -> None:
        plant(tmp_path / "shop", {"a.py": b"\0"})
        with pytest.raises(SeedsExhaustedError) as short:
            list(read_seeds(str(tmp_path / "shop"), 3, snippets_per_document=1))
        assert str(short.value) == (
            "shop yielded 0 of 3 requested seeds. Documents without a seed: 1 binary. Pass another source."
        )

    def test_a_folder_that_holds_the_same_text_at_the_same_path_gives_the_same_ids(self, tmp_path: Path) -> None:
        files: dict[str, str | bytes] = {f"{n}.py": f"x = {n}\n" * 30 for n in range(10)}
        one, other = plant(tmp_path / "1/code", files), plant(tmp_path / "2/code", files)
        assert list(read_seeds(str(one), 25, filters=())) == list(read_seeds(str(other), 25, filters=()))

    def test_a_source_that_was_opened_by_hand_has_the_folders_files(self, tmp_path: Path) -> None:
        plant(tmp_path, {"a.py": PYTHON, "vendor/b.py": PYTHON, "c.txt": "hi\n"})
        found = FolderSource(tmp_path).files
        assert [(str(path), lang) for path, lang in found] == [("a.py", "python"), ("vendor/b.py", "python")]
