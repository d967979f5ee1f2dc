"""A stream costs what is read: requests counted at the teacher, over laziness, resume, ranks and workers."""

from __future__ import annotations

import json
import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from datasets import DatasetDict, concatenate_datasets, interleave_datasets, load_dataset
from datasets.distributed import split_dataset_by_node
from datasets.exceptions import DatasetGenerationError

from hf_oss_instruct.loading.datasets_compat import NAME, SHARDS, shards_for
from tests.support.teacher import Answer, LocalTeacher
from tests.support.warm import BASE, TRAIN

SEEDS = 60
WINDOW = 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    code = tmp_path / "code"
    code.mkdir()
    for n in range(SEEDS):
        (code / f"part_{n:02}.py").write_text(f"def part_{n}(value):\n    return value * {n}\n")
    return code


@pytest.fixture
def teacher() -> Iterator[LocalTeacher]:
    with LocalTeacher() as server:
        yield server


def stream(folder: Path, teacher: LocalTeacher, **options: Any) -> Any:
    options = {"streaming": True, "concurrency": WINDOW, "model": "m", "base_url": teacher.base_url} | options
    return load_dataset(NAME, data_dir=str(folder), split="train", **options)


def asked(teacher: LocalTeacher) -> list[str]:
    """Every prompt that arrived, after what is under way has had time to."""
    time.sleep(0.05)
    return [request["body"]["messages"][-1]["content"] for request in teacher.requests]


def only_once(teacher: LocalTeacher) -> bool:
    prompts = asked(teacher)
    return len(prompts) == len(set(prompts))


def sometimes_useless(body: dict[str, Any]) -> Answer:
    """About every third answer is no pair: rows are fewer than seeds."""
    return Answer(text="I cannot help.") if hash_of(body) % 3 == 0 else Answer()


def hash_of(body: dict[str, Any]) -> int:
    return sum(body["messages"][-1]["content"].encode())


# Laziness


def test_loading_asks_nobody_and_a_row_costs_a_row(folder: Path, teacher: LocalTeacher) -> None:
    rows = stream(folder, teacher)
    assert asked(teacher) == []
    reading = iter(rows)
    for number in range(1, 8):
        next(reading)
        assert number <= len(asked(teacher)) <= number + WINDOW - 1
    assert teacher.max_in_flight <= WINDOW


def test_take_reads_five_and_one_window(folder: Path, teacher: LocalTeacher) -> None:
    assert len(list(stream(folder, teacher).take(5))) == 5
    assert len(asked(teacher)) <= 5 + WINDOW


def test_rejected_seeds_count_as_seeds(folder: Path) -> None:
    with LocalTeacher(sometimes_useless) as teacher:
        row = next(row for place, row in enumerate(stream(folder, teacher)) if place == 5)
        assert row["index"] > 5
        assert len(asked(teacher)) <= row["index"] + 1 + WINDOW - 1


def test_nothing_runs_after_the_reader_left(folder: Path) -> None:
    """A closed iterator cancels what is in flight; what had arrived is in the journal and not asked again."""
    arrived = threading.Semaphore(0)

    def slowly(body: dict[str, Any]) -> Answer:
        arrived.release()
        return Answer(latency_s=0.2)

    with LocalTeacher(slowly) as teacher:
        reading = iter(stream(folder, teacher))
        next(reading)
        reading.close()
        left_at = len(asked(teacher))
        time.sleep(0.5)
        assert len(asked(teacher)) == left_at
        first = next(iter(stream(folder, teacher)))
        assert first["index"] == 0
        # Not of the request that arrived first, which may be another seed's, cancelled before its answer.
        assert sum(first["seed"] in text for text in asked(teacher)) == 1


# Resume


@pytest.mark.parametrize("stop_at", [0, 1, 7, 23])
def test_a_stream_goes_on_where_it_was(folder: Path, stop_at: int) -> None:
    with LocalTeacher(sometimes_useless) as teacher:
        whole = [row["seed_id"] for row in stream(folder, teacher)]
        paid = len(asked(teacher))
        rows = stream(folder, teacher)
        before = [row["seed_id"] for row in islice(rows, stop_at)]
        state = rows.state_dict()
        again = stream(folder, teacher)
        again.load_state_dict(json.loads(json.dumps(state)))
        assert before + [row["seed_id"] for row in again] == whole
        assert len(asked(teacher)) == paid == SEEDS


def test_resuming_does_not_even_look_into_the_journal_for_what_was_read(
    folder: Path, teacher: LocalTeacher, tmp_path: Path
) -> None:
    rows = stream(folder, teacher)
    assert len(list(islice(rows, 10))) == 10
    state, seen = rows.state_dict(), set(asked(teacher))
    for journal in (Path(os.environ["HF_HOME"]) / "oss-instruct" / "journal").rglob("*.jsonl"):
        journal.unlink()
    again = stream(folder, teacher)
    again.load_state_dict(state)
    assert len(list(again)) == SEEDS - 10
    repeated = [prompt for prompt in asked(teacher) if asked(teacher).count(prompt) > 1]
    assert len(set(repeated)) <= WINDOW - 1  # those in flight when the reader left, and nothing that was read
    assert len(seen) <= 10 + WINDOW - 1


NEW_PROCESS = """
import json, sys
import hf_oss_instruct
from datasets import load_dataset
folder, url, state, count = sys.argv[1:]
rows = load_dataset("oss-instruct", data_dir=folder, split="train", streaming=True, model="m", base_url=url, concurrency=4)
if json.loads(state):
    rows.load_state_dict(json.loads(state))
ids = []
for row in rows:
    ids.append(row["seed_id"])
    if len(ids) == int(count):
        break
print(json.dumps([ids, rows.state_dict()]))
"""


def test_a_new_process_goes_on(folder: Path) -> None:
    with LocalTeacher(sometimes_useless) as teacher:
        state, ids = {}, []
        for _ in range(20):
            words = ["-c", NEW_PROCESS, str(folder), teacher.base_url, json.dumps(state), "17"]
            some, state = json.loads(TRAIN.run(words, check=True).stdout.splitlines()[-1])
            ids += some
            if len(some) < 17:
                break
        assert len(ids) == len(set(ids))
        assert ids == [row["seed_id"] for row in stream(folder, teacher)]
        repeated = len(asked(teacher)) - len(set(asked(teacher)))
        assert repeated <= 3 * (WINDOW - 1)  # what was in flight when a process left was cancelled


@pytest.mark.parametrize("workers", [0, 2, 3])
@TRAIN.test
def test_a_loader_with_workers_gives_each_row_once_and_resumes(folder: Path, workers: int) -> None:
    from torchdata.stateful_dataloader import StatefulDataLoader

    with LocalTeacher(sometimes_useless) as teacher:
        whole = sorted(row["seed_id"] for row in stream(folder, teacher))
        assert len(asked(teacher)) == SEEDS
        loader = StatefulDataLoader(stream(folder, teacher), batch_size=4, num_workers=workers, collate_fn=ids_of)
        reading = iter(loader)
        before = [seed_id for _ in range(3) for seed_id in next(reading)]
        state = loader.state_dict()
        del reading
        again = StatefulDataLoader(stream(folder, teacher), batch_size=4, num_workers=workers, collate_fn=ids_of)
        again.load_state_dict(state)
        assert sorted(before + [seed_id for batch in again for seed_id in batch]) == whole
        assert len(asked(teacher)) == SEEDS


@TRAIN.test
def test_a_plain_loader_makes_rows_in_its_workers(folder: Path) -> None:
    from torch.utils.data import DataLoader

    with LocalTeacher() as teacher:
        ids = [seed_id for batch in DataLoader(stream(folder, teacher), num_workers=2, collate_fn=ids_of) for seed_id in batch]
        assert len(ids) == len(set(ids)) == SEEDS
        assert only_once(teacher)


def ids_of(rows: list[dict[str, Any]]) -> list[str]:
    return [row["seed_id"] for row in rows]


# Shards


@pytest.mark.parametrize("world", [2, 5, 16, *(pytest.param(world, marks=pytest.mark.long) for world in (3, 4, 6, 7, 8))])
def test_each_row_goes_to_one_rank_and_is_asked_once(folder: Path, teacher: LocalTeacher, world: int) -> None:
    rows, strategy = stream(folder, teacher), "auto" if world not in (5, 7) else "shards"
    parts = [[row["seed_id"] for row in split_dataset_by_node(rows, rank, world, strategy)] for rank in range(world)]
    ids = [seed_id for part in parts for seed_id in part]
    assert len(ids) == len(set(ids)) == SEEDS
    assert sum(bool(part) for part in parts) > world // 2
    assert only_once(teacher)
    assert len(asked(teacher)) == SEEDS


@pytest.mark.parametrize(("parts", "contiguous"), [(2, True), (3, False), (7, True), (16, False)])
def test_shard_divides_the_rows(folder: Path, teacher: LocalTeacher, parts: int, contiguous: bool) -> None:
    rows = stream(folder, teacher)
    assert rows.num_shards == 48
    shards = [rows.shard(parts, index, contiguous=contiguous) for index in range(parts)]
    assert sum(shard.num_shards for shard in shards) == 48
    ids = [row["seed_id"] for shard in shards for row in shard]
    assert sorted(ids) == sorted(row["seed_id"] for row in rows)
    assert only_once(teacher)


def test_the_number_of_shards_fits_the_number_of_seeds(folder: Path, teacher: LocalTeacher) -> None:
    assert [shards_for(seeds) for seeds in (0, 1, 8, 23, 24, 60, 1679, 1680, 10**9, None)] == [
        8,
        8,
        8,
        8,
        24,
        48,
        240,
        1680,
        1680,
        1680,
    ]
    assert all(count % world == 0 for world in (*range(2, 9), 16) for count in SHARDS[:1])
    counts = [stream(folder, teacher, **options).num_shards for options in ({}, {"n": 20}, {"n": 500}, {"num_shards": 35})]
    assert counts == [48, 8, 240, 35]
    assert len(asked(teacher)) == 0


def test_every_shard_of_a_few_rows_can_be_written(folder: Path, tmp_path: Path, teacher: LocalTeacher) -> None:
    rows = stream(folder, teacher, n=3)
    files = [str(tmp_path / f"{index}.parquet") for index in range(rows.num_shards)]
    for index, file in enumerate(files):
        rows.shard(rows.num_shards, index).select_columns(["index", "problem"]).to_parquet(file)
    again = load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert sorted(again["index"]) == [0, 1, 2]
    assert len(asked(teacher)) == 3


def test_a_stream_travels_to_worker_processes_that_are_spawned(folder: Path, teacher: LocalTeacher) -> None:
    """`spawn` and `forkserver` pickle the dataset; a fork does not need to."""
    rows = stream(folder, teacher, n=10)
    first = next(iter(rows))
    there = pickle.loads(pickle.dumps(rows))
    assert [row["seed_id"] for row in there] == [row["seed_id"] for row in rows]
    assert next(iter(there)) == first
    assert len(set(asked(teacher))) == 10  # what was in flight when the first iterator was left is asked again


def test_the_window_is_shared_out_among_shards(folder: Path) -> None:
    with LocalTeacher(lambda body: Answer(latency_s=0.05)) as teacher:
        ranks = [split_dataset_by_node(stream(folder, teacher, concurrency=8), rank, 4) for rank in range(4)]
        threads = [threading.Thread(target=list, args=(rank,)) for rank in ranks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 4 < teacher.max_in_flight <= 8


def test_ranks_inside_workers_and_resharding_still_give_each_row_once(folder: Path, teacher: LocalTeacher) -> None:
    rows = stream(folder, teacher).reshard()
    ids = [row["seed_id"] for rank in range(3) for half in (0, 1) for row in split_dataset_by_node(rows, rank, 3).shard(2, half)]
    # `shard` cuts the whole set before the ranks do, so both halves of a rank are other rows
    assert sorted(ids) == sorted(row["seed_id"] for row in rows)


# Order


def test_seeds_can_come_in_another_order_before_any_request(folder: Path, teacher: LocalTeacher) -> None:
    plain = [row["seed_id"] for row in stream(folder, teacher)]
    other = stream(folder, teacher, shuffle_seeds=1)
    one = [(row["index"], row["seed_id"]) for row in other]
    assert [index for index, _ in one] == list(range(SEEDS))
    assert [seed_id for _, seed_id in one] != plain
    assert sorted(seed_id for _, seed_id in one) == sorted(plain)
    assert [row["seed_id"] for row in stream(folder, teacher, shuffle_seeds=2)] != [seed_id for _, seed_id in one]
    assert len(asked(teacher)) == SEEDS


def test_a_shuffle_buffer_after_it_gives_each_row_once(folder: Path, teacher: LocalTeacher) -> None:
    rows = stream(folder, teacher)
    plain = [row["seed_id"] for row in rows]
    shuffled = rows.shuffle(seed=0, buffer_size=16)
    epochs = []
    for epoch in range(2):
        shuffled.set_epoch(epoch)
        epochs.append([row["seed_id"] for row in shuffled])
    assert epochs[0] != epochs[1]
    assert all(sorted(epoch) == sorted(plain) != epoch for epoch in epochs)
    ids = [row["seed_id"] for rank in range(3) for row in split_dataset_by_node(shuffled, rank, 3)]
    assert sorted(ids) == sorted(plain)
    assert len(asked(teacher)) == SEEDS


def test_the_buffer_reads_no_further_than_its_size(folder: Path, teacher: LocalTeacher) -> None:
    next(iter(stream(folder, teacher).shuffle(seed=0, buffer_size=10)))
    assert len(asked(teacher)) <= 10 + WINDOW - 1


# With what `datasets` does


@TRAIN.test
def test_streams_mix_map_filter_and_format(folder: Path) -> None:
    import torch

    with LocalTeacher() as teacher:
        rows = stream(folder, teacher)
        assert len(list(rows)) == SEEDS
        both = interleave_datasets([rows.take(3), rows.skip(3).take(3)], stopping_strategy="all_exhausted")
        assert [row["index"] for row in both] == [0, 3, 1, 4, 2, 5]
        joined = concatenate_datasets([rows.take(2), rows.skip(58)])
        assert [row["index"] for row in joined] == [0, 1, 58, 59]
        even = rows.filter(lambda row: row["index"] % 2 == 0).map(lambda row: {"length": len(row["solution"])})
        assert [row["index"] for row in even.take(3)] == [0, 2, 4]
        assert next(iter(even))["length"] > 0
        tensor = next(iter(rows.with_format("torch")))["index"]
        assert isinstance(tensor, torch.Tensor)
        assert rows.with_format("arrow").iter(batch_size=5).__next__().num_rows == 5
        assert len(asked(teacher)) == SEEDS


# Map style


def test_an_interrupted_load_goes_on_without_paying_twice(folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys, hf_oss_instruct\nfrom datasets import load_dataset\n"
        "load_dataset('oss-instruct', data_dir=sys.argv[1], split='train', model='m', base_url=sys.argv[2], concurrency=4,"
        " cache_dir=sys.argv[3])"
    )
    with LocalTeacher(lambda body: Answer(latency_s=0.05)) as teacher:
        words = ["-c", code, str(folder), teacher.base_url, str(tmp_path / "cache")]
        child = BASE.start(words)
        while len(teacher.requests) < 20 and child.poll() is None:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        assert child.wait(30).returncode != 0
        stopped_at = len(asked(teacher))
        assert 20 <= stopped_at < SEEDS
        rows = stream(folder, teacher, streaming=False, cache_dir=str(tmp_path / "cache"))
        assert len(rows) == SEEDS
        assert len(teacher.requests) <= SEEDS + 4  # those in flight at the interrupt


def test_a_row_without_an_answer_is_not_cached_as_none(folder: Path, tmp_path: Path) -> None:
    revoked = threading.Event()

    def answer(body: dict[str, Any]) -> Answer:
        return Answer(status=401) if revoked.is_set() and hash_of(body) % 5 == 0 else Answer()

    revoked.set()
    with LocalTeacher(answer) as teacher:
        with pytest.raises(DatasetGenerationError) as failed:
            stream(folder, teacher, streaming=False, cache_dir=str(tmp_path))
        assert "401" in str(failed.value.__cause__)
        revoked.clear()
        assert len(stream(folder, teacher, streaming=False, cache_dir=str(tmp_path))) == SEEDS


def test_processes_share_the_seeds(folder: Path, teacher: LocalTeacher, tmp_path: Path) -> None:
    rows = stream(folder, teacher, streaming=False, num_proc=3, cache_dir=str(tmp_path))
    assert sorted(rows["index"]) == list(range(SEEDS))
    assert only_once(teacher)


def test_a_budget_bounds_a_pass_and_is_shared_out(folder: Path, teacher: LocalTeacher, tmp_path: Path) -> None:
    with pytest.raises(DatasetGenerationError) as spent:
        stream(folder, teacher, streaming=False, max_requests=30, num_proc=3, cache_dir=str(tmp_path))
    assert "max_requests (--max-requests) of 10 does not allow another request" in str(spent.value.__cause__)
    assert len(asked(teacher)) <= 30


def test_a_stream_and_a_table_are_the_same_rows(folder: Path, tmp_path: Path) -> None:
    with LocalTeacher(sometimes_useless) as teacher:
        streamed, cached = stream(folder, teacher), stream(folder, teacher, streaming=False, cache_dir=str(tmp_path))
        assert list(streamed) == list(cached)
        assert streamed.features == cached.features
        whole = load_dataset(
            NAME, data_dir=str(folder), model="m", base_url=teacher.base_url, cache_dir=str(tmp_path), concurrency=2
        )
        assert isinstance(whole, DatasetDict)
        assert len(asked(teacher)) == SEEDS
