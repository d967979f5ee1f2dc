"""Are the lines that are drawn over Arrow buffers those of the plain definition, for any text and any layout of a column?"""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_oss_instruct.data import Document, Provenance, Seed, Skipped
from hf_oss_instruct.errors import SeedError, UsageError
from hf_oss_instruct.seeds import vectorized
from hf_oss_instruct.seeds.map_step import SEEDS, HashSeeds
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.seeds.sampling import hash_spans, sample
from hf_oss_instruct.seeds.source import Source
from hf_oss_instruct.seeds.vectorized import TextBuffer, first_spans
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.storage.arrow import flat

pieces = st.sampled_from(["\n", "\n\n", "\r\n", "\f", "\u2028", " ", "x = 1", "é😀", "}", "a" * 70, "<reponame>a/b\n", "<"])
contents = st.lists(pieces, max_size=40).map("".join) | st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
columns = st.lists(st.none() | contents, max_size=12)
rng_seeds = st.integers(0, 2**63 - 1)
kinds = st.sampled_from([pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])


def plain_first_draw(content: str, row_id: str, rng_seed: int) -> tuple[int, int, str]:
    """The plain definition without its redraws: the picker of the fact sheet."""
    import xxhash

    lines = content.removesuffix("\n").split("\n")
    value = xxhash.xxh3_64_intdigest(row_id.encode(), rng_seed)
    start = ((value >> 32) * len(lines)) >> 32
    end = min(start + 1 + (value & 0xFFFFFFFF) % 15, len(lines))
    return start + 1, end, "\n".join(lines[start:end])


@settings(max_examples=300)
@given(columns, kinds, rng_seeds, st.data())
def test_a_column_gives_the_lines_of_the_plain_definition(
    texts: list[str | None], kind: pa.DataType, rng_seed: int, data: st.DataObject
) -> None:
    before, after = data.draw(columns), data.draw(columns)
    array = pa.array([*before, *texts, *after], pa.string()).cast(kind)[len(before) : len(before) + len(texts)]
    row_ids = data.draw(st.lists(st.text(max_size=4), min_size=len(texts), max_size=len(texts)))
    expected = [plain_first_draw(text or "", row_id, rng_seed) for text, row_id in zip(texts, row_ids, strict=True)]
    assert first_spans(TextBuffer.of(flat(array), as_stored=True), row_ids, rng_seed) == expected
    some = data.draw(st.lists(st.integers(0, len(texts) - 1), unique=True)) if texts else []
    few = first_spans(TextBuffer.of(flat(array), as_stored=True).only(some), [row_ids[row] for row in some], rng_seed)
    assert few == [expected[row] for row in some]


def test_line_ends_across_blocks_are_found() -> None:
    text = ("x" * 97 + "\n") * (3 * vectorized.BLOCK_BYTES // 98)
    array, row_ids = pa.array([text, "a\nb", text]), ["1", "2", "3"]
    assert first_spans(TextBuffer.of(flat(array), as_stored=True), row_ids, 5) == [
        plain_first_draw(content, row_id, 5) for content, row_id in zip(array.to_pylist(), row_ids, strict=True)
    ]


@given(st.lists(contents, max_size=12), rng_seeds)
def test_the_step_draws_what_the_sampler_draws(texts: list[str], rng_seed: int) -> None:
    table = pa.table({"content": pa.array(texts, pa.string()), "id": pa.array([f"{n}" for n in range(len(texts))], pa.string())})
    step = pickle.loads(pickle.dumps(HashSeeds("shelf", "r1", rng_seed)))
    stripped = TextBuffer.of(table["content"].combine_chunks())
    expected = []
    for row in range(len(texts)):
        document = Document(stripped[row], Provenance("shelf", "r1", f"{row}", 0, "python"))
        # NUL marks a binary file, which no source gives as a document.
        if "\0" not in document.content and document.content.strip() and (span := next(hash_spans(document, rng_seed), None)):
            start, end, text = span
            expected.append(Seed(text, start, end, document.origin, "hash/1", rng_seed))
    drawn = step(table)
    assert drawn.schema == SEEDS
    assert drawn["seed_id"].to_pylist() == [seed.seed_id for seed in expected]
    assert drawn["seed"].to_pylist() == [seed.snippet for seed in expected]


@settings(max_examples=30)
@given(st.lists(contents, min_size=1, max_size=30), rng_seeds)
def test_tables_give_the_seeds_that_their_documents_give_one_by_one(texts: list[str], rng_seed: int) -> None:
    """Batches take the vectorised way; the plain one is what any other source takes."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        rows = [{"content": text, "lang": "python", "id": str(number)} for number, text in enumerate(texts)]
        pq.write_table(pa.Table.from_pylist(rows), Path(name, "a.parquet"), row_group_size=7)
        source = open_source(name)

        class Plain(Source):
            name, revision, untrusted, documents = source.name, source.revision, source.untrusted, source.documents

        plan = SeedPlan(rng_seed=rng_seed, filters=())
        assert list(sample(source, plan)) == list(sample(Plain(), plan))


def test_the_step_runs_in_datasets_streaming(tmp_path: Path) -> None:
    from datasets import Features, load_dataset

    rows = [{"content": f"def f{n}():\n    return {n}\n", "id": f"{n}", "lang": "Python", "license": "MIT"} for n in range(50)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    stream = load_dataset("parquet", data_files=str(tmp_path / "a.parquet"), split="train", streaming=True).with_format("arrow")
    options = {"remove_columns": ["content", "id", "license"], "features": Features.from_arrow_schema(SEEDS)}
    seeds = list(stream.map(HashSeeds("here"), batched=True, batch_size=7, **options).with_format(None))
    whole = HashSeeds("here")(pa.Table.from_pylist(rows)).to_pylist()
    assert seeds == whole
    assert (whole[0]["lang"], whole[0]["licenses"]) == ("Python", ["MIT"])


def test_the_step_refuses_documents_without_ids_and_tables_without_text() -> None:
    with pytest.raises(UsageError, match="needs a unique ID"):
        HashSeeds("here")(pa.table({"content": ["x"]}))
    with pytest.raises(SeedError, match="no text in a column called content, code"):
        HashSeeds("here")(pa.table({"words": ["x"]}))


def test_one_in_k_is_a_fair_draw_by_id_whatever_the_batches(tmp_path: Path) -> None:
    rows = [{"content": f"x = {n}\n", "id": f"{n}", "lang": "python"} for n in range(2000)]
    for shard in range(4):
        part = "".join(json.dumps(row) + "\n" for row in rows[shard::4])
        (tmp_path / f"{shard}.jsonl").write_text(part)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "whole.parquet")

    def drawn(source: str) -> set[str]:
        found = sample(open_source(source), SeedPlan(one_in=10, filters=()))
        return {item.origin.row_id for item in found if not isinstance(item, Skipped)}

    whole = drawn(str(tmp_path / "whole.parquet"))
    (tmp_path / "whole.parquet").unlink()
    assert whole == drawn(str(tmp_path))
    assert 150 < len(whole) < 250
