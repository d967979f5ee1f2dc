"""What was asked to be left out: which lines deny which rows, in seeds and in tables that are made already."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from hf_oss_instruct.curation.denylist import Denylist, denied_rows
from hf_oss_instruct.data import Provenance
from hf_oss_instruct.errors import UsageError

TABLE = pa.table(
    {
        "seed_id": ["s1", "s2", "s3", "s4"],
        "repo_name": ["octocat/Hello-World", "a/b", "a/b", None],
        "file_path": ["src/a.py", "src/a.py", "/vendor/x/y.py", "lib/a.py"],
    }
)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("repo: octocat/hello-world", ["s2", "s3", "s4"]),
        ("octocat/hello-world  # by mail", ["s2", "s3", "s4"]),
        ("repo: octocat/*", ["s2", "s3", "s4"]),
        ("path: a/b/src/a.py", ["s1", "s3", "s4"]),
        ("path: src/a.py", ["s3", "s4"]),
        ("path: vendor/**", ["s1", "s2", "s4"]),
        ("id: s4", ["s1", "s2", "s3"]),
        ("s2", ["s1", "s3", "s4"]),
        ("repo: octocat", ["s1", "s2", "s3", "s4"]),
        ("# nobody\n\n", ["s1", "s2", "s3", "s4"]),
    ],
)
def test_a_line_denies_a_repository_a_path_or_an_id(line: str, left: list[str]) -> None:
    denied = denied_rows(TABLE, Denylist.of(line))
    assert [name for name, gone in zip(TABLE["seed_id"].to_pylist(), denied, strict=True) if not gone] == left


def test_a_rows_own_id_in_its_source_is_denied_too() -> None:
    origin = Provenance("d", None, "3fa1", 0, "python", repo_name="a/b")
    assert Denylist.of("id: 3fa1").denies(origin)
    assert not Denylist.of("id: 3fa").denies(origin)


@pytest.mark.parametrize("line", ["user: me", "repo:", "path: a b", "x: y: z"])
def test_a_line_that_denies_nothing_is_an_error_with_its_number(line: str) -> None:
    with pytest.raises(UsageError, match=r"Line 2 of the denylist.*Write repo: OWNER/NAME"):
        Denylist.of(f"# opted out\n{line}")


def test_a_table_in_which_nothing_could_be_found_is_an_error() -> None:
    with pytest.raises(UsageError, match="none of the columns repo_name"):
        denied_rows(pa.table({"text": ["a"]}), Denylist.of("a/b"))


def test_the_same_entries_in_another_order_are_the_same_list(tmp_path: Path) -> None:
    (tmp_path / "deny.txt").write_text("id: 1\n# so\na/b\n")
    assert Denylist.from_file(tmp_path / "deny.txt") == Denylist.of("repo: a/b\n1")
    assert Denylist.of("a/b") != Denylist.of("a/c")


def test_a_list_that_is_known_by_its_hash_only_denies_nothing_silently() -> None:
    known = Denylist(Denylist.of("a/b").hash)
    with pytest.raises(UsageError, match="--deny FILE"):
        denied_rows(TABLE, known)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Denylist.from_file(tmp_path / "missing")
