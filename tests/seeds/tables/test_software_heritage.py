"""Rows that hold ids only: is their text fetched lazily, together, once, and is everything that can go wrong told?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.data import Document, Seed, Skipped
from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.seeds.resolve import open_source, read_seeds
from hf_oss_instruct.seeds.sampling import sample
from hf_oss_instruct.seeds.tables.hub import HubTables
from hf_oss_instruct.seeds.tables.local import LocalTables
from hf_oss_instruct.seeds.tables.software_heritage import MAX_DOWNLOADS, Archive
from hf_oss_instruct.spec.seeds import SeedPlan
from tests.support import corpora
from tests.support.archive import LocalBucket, packed
from tests.support.hub import LocalHub


def blob_id(text: bytes) -> str:
    return hashlib.sha1(text).hexdigest()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalBucket]:
    with LocalBucket() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        yield server


def fill(bucket: LocalBucket, language: str, n: int) -> list[str]:
    """Put a corpus' files into the bucket; their texts."""
    bucket.blobs |= packed({corpora._blob_id(file): file.text.encode() for file in corpora.files(language, n)})
    return [file.text for file in corpora.files(language, n)]


def ids(folder: Path, rows: list[dict[str, object]]) -> Path:
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet")
    return folder


@pytest.mark.parametrize("corpus", [corpora.the_stack_v2_ids, corpora.stack_edu_ids])
def test_the_text_of_every_row_comes_from_the_bucket(tmp_path: Path, bucket: LocalBucket, corpus: object) -> None:
    corpus(tmp_path, documents=9, languages=("python",))  # type: ignore[operator]
    texts = fill(bucket, "python", 9)
    found = [item for item in open_source(str(tmp_path)).documents(None, None) if isinstance(item, Document)]
    assert [document.content for document in found] == texts
    assert {(document.origin.licenses, document.origin.license_type) for document in found} == {(("PSF-2.0",), "permissive")}


def test_a_data_set_of_ids_on_the_hub_reads_the_same(tmp_path: Path, bucket: LocalBucket) -> None:
    corpora.the_stack_v2_ids(tmp_path, documents=3, languages=("go",))
    texts = fill(bucket, "go", 3)
    with LocalHub() as hub:
        hub.put_folder("ns/the-stack-v2", tmp_path)
        source = HubTables("ns/the-stack-v2", endpoint=hub.endpoint)
        assert [item.content for item in source.documents(None, None) if isinstance(item, Document)] == texts


def test_repositories_of_ids_read_too(tmp_path: Path, bucket: LocalBucket) -> None:
    """As bigcode/the-stack-v2-train-full-ids."""
    text = b"package a\n"
    bucket.blobs |= packed({blob_id(text): text})
    files = [{"blob_id": blob_id(text), "content_id": "b2", "path": "/a.go", "language": "Go"}]
    [document] = open_source(str(ids(tmp_path, [{"repo_name": "a/b", "files": files}]))).documents(None, None)
    assert isinstance(document, Document)
    assert (document.content, document.origin.repo_name, document.origin.lang) == ("package a\n", "a/b", "go")


def test_only_what_is_read_is_fetched_and_nothing_twice(tmp_path: Path, bucket: LocalBucket) -> None:
    corpora.the_stack_v2_ids(tmp_path, documents=300, languages=("rust",))
    fill(bucket, "rust", 300)
    first = list(read_seeds(str(tmp_path), 3))
    assert len(bucket.asked) < 20
    assert list(read_seeds(str(tmp_path), 3)) == first
    assert max(bucket.asked.values()) == 1
    bucket.latency_s = 0.05
    assert len(list(read_seeds(str(tmp_path), 300))) == 300
    assert set(bucket.asked.values()) == {1}
    assert 4 < bucket.most_at_once <= MAX_DOWNLOADS


def test_what_the_plan_refuses_is_not_fetched(tmp_path: Path, bucket: LocalBucket) -> None:
    good, gpl = b"def f():\n    return 1\n", b"def g():\n    return 2\n"
    bucket.blobs |= packed({blob_id(good): good, blob_id(gpl): gpl})
    outcomes = [(good, "MIT", 22), (gpl, "GPL-3.0-only", 22), (b"large", "MIT", 5_000_000)]
    rows = [
        {"blob_id": blob_id(text), "language": "Python", "detected_licenses": [license], "length_bytes": size}
        for text, license, size in outcomes
    ]
    items = list(sample(open_source(str(ids(tmp_path, rows))), SeedPlan(licenses="permissive")))
    assert [type(item) is Seed or item.reason for item in items] == [True, "license", "too_large"]  # type: ignore[union-attr]
    assert set(bucket.asked) == {f"content/{blob_id(good)}"}


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("s = 'é'\n".encode("latin-1"), "ISO-8859-1", "s = 'é'\n"),
        ("s = '字'\n".encode("gb18030"), "GB18030", "s = '字'\n"),
        ("s = 'é'\n".encode(), None, "s = 'é'\n"),
        ("s = 'é'\n".encode("latin-1"), "UTF-8", "wrong_encoding"),
        (b"s\n", "klingon", "unknown_encoding"),
        (b"s\n", "zip", "unknown_encoding"),
        (b"s\n", "punycode", "unknown_encoding"),
        (b"s\0\n", "UTF-8", "binary"),
        (b"#" * 2_000_000, "UTF-8", "too_large"),
    ],
)
def test_texts_are_decoded_as_their_row_says(
    tmp_path: Path, bucket: LocalBucket, text: bytes, encoding: str | None, expected: str
) -> None:
    bucket.blobs |= packed({blob_id(text): text})
    row = {"blob_id": blob_id(text), "language": "Python", "src_encoding": encoding}
    [item] = open_source(str(ids(tmp_path, [row]))).documents(None, None)
    assert (item.reason if isinstance(item, Skipped) else item.content) == expected


def test_a_blob_that_is_missing_broken_or_no_id_is_skipped_with_that_reason(tmp_path: Path, bucket: LocalBucket) -> None:
    bucket.blobs["content/" + "a" * 40] = b"\x1f\x8bnonsense"
    bucket.blobs["content/" + "b" * 40] = b"x = 1\n"  # as a client gets it that was told of the compression
    rows = [{"blob_id": name, "language": "Python"} for name in ("a" * 40, "b" * 40, "c" * 40, "../../secret", None)]
    items = list(open_source(str(ids(tmp_path, rows))).documents(None, None))
    outcomes = [item.reason if isinstance(item, Skipped) else item.content for item in items]
    assert outcomes == ["broken", "x = 1\n", "not_archived", "not_archived", "not_archived"]
    assert set(bucket.asked) == {f"content/{letter * 40}" for letter in "abc"}


def test_a_busy_bucket_is_asked_again(tmp_path: Path) -> None:
    with LocalBucket({blob_id(b"x"): b"x"}) as bucket:
        bucket.busy = 2
        found = Archive(bucket.url, tmp_path, longest_pause_s=0.01).fetch([blob_id(b"x")])
    assert list(found) == [blob_id(b"x")]
    assert bucket.asked == {f"content/{blob_id(b'x')}": 3}


def test_a_bucket_that_cannot_be_reached_is_an_error_with_the_way_out(tmp_path: Path) -> None:
    with LocalBucket() as bucket:
        url = bucket.url
    archive = Archive(url, tmp_path / "cache", longest_pause_s=0.01)
    ids(tmp_path / "t", [{"blob_id": "a" * 40, "language": "Python"}])
    source = LocalTables(tmp_path / "t", ["a.parquet"], archive=archive)
    with pytest.raises(SeedError, match=r"does not return the text of a{40}.*only ids.*stack-v3-train"):
        list(source.documents(None, None))


def test_offline_the_error_comes_at_once(tmp_path: Path, bucket: LocalBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    source = open_source(str(ids(tmp_path, [{"blob_id": "a" * 40, "language": "Python"}])))
    with pytest.raises(SeedError, match="HF_HUB_OFFLINE is set"):
        list(source.documents(None, None))
    assert not bucket.asked
