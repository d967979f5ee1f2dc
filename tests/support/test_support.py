"""Can the other tests trust their teacher, their Hub and their corpora?"""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import huggingface_hub
import pyarrow.parquet as pq
import pytest
from huggingface_hub import AsyncInferenceClient, HfApi, HfFileSystem, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.support.warm import TRAIN, WarmPython

from . import corpora
from .hub import LocalHub
from .teacher import Answer, LocalTeacher, well_formed


@pytest.fixture(autouse=True)
def _loopback_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test suite may run with HF_HUB_OFFLINE=1, which stops huggingface_hub from talking to anyone, us included."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)


def ask(teacher: LocalTeacher, *prompts: str, timeout: float = 10.0) -> list[Any]:
    """All prompts at once; what came back, exceptions included, in the order of the prompts."""

    async def all_of_them() -> list[Any]:
        async with AsyncInferenceClient(base_url=teacher.base_url, api_key="EMPTY", timeout=timeout) as client:
            chats = [client.chat_completion([{"role": "user", "content": prompt}], model="m") for prompt in prompts]
            return await asyncio.gather(*chats, return_exceptions=True)

    return asyncio.run(all_of_them())


class TestTeacher:
    def test_answers_are_well_formed_and_depend_on_the_prompt_alone(self) -> None:
        with LocalTeacher() as teacher:
            first, second, again = ask(teacher, "one", "two", "one")
        text = first.choices[0].message.content
        assert text == again.choices[0].message.content != second.choices[0].message.content
        assert (first.system_fingerprint, first.choices[0].finish_reason) == ("fp_test", "stop")
        assert first.usage.prompt_tokens > 0
        assert text.startswith("[Problem Description]\n")
        names: dict[str, Any] = {}
        exec(text.split("```python\n")[1].split("```")[0], names)  # the solution is a program that runs
        assert [callable(value) for name, value in names.items() if name.startswith("transform_")] == [True]

    def test_distinct_prompts_get_distinct_answers(self) -> None:
        assert len({well_formed([{"role": "user", "content": str(number)}]) for number in range(2000)}) == 2000

    def test_records_requests_and_how_many_waited_at_once(self) -> None:
        with LocalTeacher(lambda body: Answer(latency_s=0.3)) as teacher:
            ask(teacher, *map(str, range(40)))
        assert teacher.max_in_flight == 40
        assert {request["body"]["messages"][0]["content"] for request in teacher.requests} == set(map(str, range(40)))
        assert {(request["path"], request["headers"]["authorization"]) for request in teacher.requests} == {
            ("/v1/chat/completions", "Bearer EMPTY")
        }

    def test_refuses_with_status_headers_and_message(self) -> None:
        with LocalTeacher(lambda body: Answer(status=429, text="slow down", headers={"Retry-After": "7"})) as teacher:
            [error] = ask(teacher, "x")
        assert isinstance(error, HfHubHTTPError)
        assert (error.response.status_code, error.response.headers["retry-after"]) == (429, "7")
        assert error.response.json() == {"error": {"message": "slow down"}}

    def test_misbehaves_as_told(self) -> None:
        ways = {
            "raw": Answer(raw=b"no json"),
            "reset": Answer(reset=True),
            "empty": Answer(choices_empty=True, usage=False, fingerprint=None),
            "cut": Answer(text="half a", finish_reason="length"),
        }
        with LocalTeacher(lambda body: ways[body["messages"][0]["content"]]) as teacher:
            raw, reset, empty, cut = ask(teacher, *ways)
        assert isinstance(raw, ValueError)
        assert isinstance(reset, Exception)
        assert (empty.choices, empty.usage, empty.system_fingerprint) == ([], None, None)
        assert (cut.choices[0].message.content, cut.choices[0].finish_reason) == ("half a", "length")

    def test_a_hanging_request_does_not_hold_up_the_end(self) -> None:
        with LocalTeacher(lambda body: Answer(hang=True)) as teacher:
            [error] = ask(teacher, "x", timeout=0.3)
            start = time.monotonic()
        assert "Timeout" in type(error).__name__  # InferenceTimeoutError with hub 2.x, httpx's own with hub 1.x
        assert time.monotonic() - start < 1

    def test_a_bug_in_the_callback_is_seen_by_the_client(self) -> None:
        with LocalTeacher(lambda body: Answer(text=body["nothing here"])) as teacher:
            [error] = ask(teacher, "x")
        assert "KeyError: 'nothing here'" in error.response.json()["error"]["message"]


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    """A little of The Stack."""
    corpora.the_stack_v1(tmp_path / "v1", n_files_per_shard=100, languages=("python", "rust"), row_group=25)
    return tmp_path / "v1"


class TestHub:
    def test_tells_about_repositories_and_pins_revisions(self) -> None:
        with LocalHub() as hub:
            api = HfApi(endpoint=hub.endpoint)
            old = hub.put("ns/code", "data/a.txt", b"a")
            new = hub.put("ns/code", "data/b.parquet", b"b")
            assert new == hub.revision("ns/code") == api.dataset_info("ns/code").sha != old
            assert api.dataset_info("ns/code", revision=old).sha == old
            assert api.list_repo_files("ns/code", repo_type="dataset") == ["data/a.txt", "data/b.parquet"]
            assert api.list_repo_files("ns/code", repo_type="dataset", revision=old) == ["data/a.txt"]
            assert [entry.path for entry in api.list_repo_tree("ns/code", repo_type="dataset")] == ["data"]
            [regular, lfs] = api.dataset_info("ns/code", files_metadata=True).siblings
            assert (regular.size, regular.lfs, lfs.lfs.size) == (1, None, 1)

    def test_says_no_as_the_hub_does(self) -> None:
        with LocalHub() as hub:
            api = HfApi(endpoint=hub.endpoint)
            hub.put("ns/code", "a.txt", b"a")
            with pytest.raises(RepositoryNotFoundError):
                api.dataset_info("ns/nothing")
            with pytest.raises(RevisionNotFoundError):
                api.dataset_info("ns/code", revision="v9")
            with pytest.raises(EntryNotFoundError):
                api.hf_hub_download("ns/code", "b.txt", repo_type="dataset")
            with pytest.raises(FileNotFoundError):
                HfFileSystem(endpoint=hub.endpoint).ls("datasets/ns/code/nowhere")

    def test_a_gate_closes_contents_to_all_but_its_tokens(self, tmp_path: Path) -> None:
        with LocalHub() as hub:
            hub.put("ns/code", "a.txt", b"a")
            hub.gate("ns/code", "hf_friend")
            assert HfApi(endpoint=hub.endpoint).dataset_info("ns/code").gated == "manual"
            files = HfFileSystem(endpoint=hub.endpoint, token="hf_stranger")
            assert files.find("datasets/ns/code") == ["datasets/ns/code/a.txt"]
            with pytest.raises(GatedRepoError, match="restricted"):
                files.read_bytes("datasets/ns/code/a.txt")
            assert HfFileSystem(endpoint=hub.endpoint, token="hf_friend").read_bytes("datasets/ns/code/a.txt") == b"a"

    def test_downloads(self, v1: Path, tmp_path: Path) -> None:
        path = "data/python/train-00000-of-00002.parquet"
        with LocalHub() as hub:
            sha = hub.put_folder("ns/code", v1)
            for name in (path, "data/rust/train-00001-of-00002.parquet"):
                where = {"endpoint": hub.endpoint, "cache_dir": tmp_path / "cache"}
                got = hf_hub_download("ns/code", name, repo_type="dataset", **where)
                assert (Path(got).read_bytes(), sha in got) == ((v1 / name).read_bytes(), True)

    def test_random_reads_and_column_projection_move_only_some_bytes(self, v1: Path) -> None:
        path = "data/python/train-00001-of-00002.parquet"
        local = v1 / path
        with LocalHub() as hub:
            sha = hub.put_folder("ns/code", v1)
            files = HfFileSystem(endpoint=hub.endpoint)
            assert len(files.find("datasets/ns/code/data", detail=True)) == 4
            with files.open(f"datasets/ns/code@{sha}/{path}", block_size=1024) as file:
                file.seek(-4, 2)
                assert file.read() == b"PAR1"
                file.seek(100)
                assert file.read(50) == local.read_bytes()[100:150]
            hub.requests.clear()
            with files.open(f"datasets/ns/code/{path}", block_size=4096) as file:
                assert pq.read_table(file, columns=["hexsha"]).equals(pq.read_table(local, columns=["hexsha"]))
            assert {status for _, url, status, _ in hub.requests if "/resolve/" in url} == {206}
            assert sum(size for _, _, _, size in hub.requests) < local.stat().st_size / 2

    def test_load_dataset_finds_it_by_hf_endpoint(self, v1: Path, tmp_path: Path) -> None:
        program = (
            "from datasets import load_dataset\n"
            "whole = load_dataset('ns/code', data_dir='data/python', split='train')\n"
            "lazy = load_dataset('ns/code', split='train', streaming=True)\n"
            "print(len(whole), whole[0]['hexsha'], sum(1 for _ in lazy))\n"
        )
        with LocalHub() as hub:
            hub.put_folder("ns/code", v1)
            done = TRAIN.run(["-c", program], env=os.environ | hub.environment(tmp_path / "home"))
        first = pq.read_table(v1 / "data/python/train-00000-of-00002.parquet")["hexsha"][0].as_py()
        assert (done.returncode, done.stdout.split()) == (0, ["200", first, "400"]), done.stderr[-2000:]


class TestWarmPython:
    def test_workers_share_one_process_that_ends_when_none_holds_it(self) -> None:
        imports = "import json, sys; sys.modules['imported_once'] = sys"
        one, other = WarmPython(imports), WarmPython(imports)
        code = ["-c", "import imported_once, os; print(os.getcwd(), os.getsid(os.getppid()))"]
        said = [warm.run(code, cwd="/").stdout for warm in (one, other)]
        assert said[0] == said[1] != ""
        server = int(said[0].split()[1])
        one.close()
        assert other.run(["-c", "import sys; sys.exit(3)"]).returncode == 3
        other.close()
        deadline = time.monotonic() + 60
        while Path(f"/proc/{server}").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def test_a_script_is_whole_while_another_worker_asks_for_it(self, tmp_path: Path) -> None:
        script, stop = tmp_path / "hello", threading.Event()
        script.write_text("print('hello')")
        one, other = WarmPython("import json"), WarmPython("import json")

        def ask_again() -> None:
            while not stop.is_set():
                other.on_path(script)

        asking = threading.Thread(target=ask_again)
        asking.start()
        try:
            said = [subprocess.run([Path(one.on_path(script), "hello")], capture_output=True, text=True) for _ in range(10)]
        finally:
            stop.set()
            asking.join()
            one.close()
            other.close()
        assert [done.stdout for done in said] == ["hello\n"] * 10


class TestCorpora:
    def test_every_corpus_has_its_schema_and_about_as_many_documents_as_asked(self, tmp_path: Path) -> None:
        written = corpora.write_all(tmp_path, documents=60)
        schemas = {
            "the-stack": corpora.THE_STACK_V1,
            "starcoderdata": corpora.STARCODERDATA,
            "stack-v3-train": corpora.THE_STACK_V3,
            "the-stack-v2": corpora.THE_STACK_V2_IDS,
            "stack-edu": corpora.STACK_EDU_IDS,
        }
        for name, paths in written.items():
            assert {tuple(pq.read_schema(path).names) for path in paths} == {tuple(schemas[name].names)}
        for name in ("starcoderdata", "the-stack-v2", "stack-edu"):
            assert sum(pq.read_metadata(path).num_rows for path in written[name]) == 60
        repositories = pq.read_table(written["stack-v3-train"][0]).to_pylist()
        assert (sum(row["num_files"] for row in repositories), len(repositories)) == (60, 8)

    def test_documents_are_distinct_even_past_the_end_of_the_standard_library(self) -> None:
        n = len(corpora._stdlib()) + 10
        contents = [file.text for file in corpora.files("python", n)]
        assert len(contents) == n
        assert len(set(contents)) > 0.98 * n  # the library itself holds a few equal files
        assert len({file.text for file in corpora.files("go", 50)}) == 50

    def test_starcoderdata_rows_carry_metadata_in_every_shape(self, tmp_path: Path) -> None:
        [path] = corpora.starcoderdata(tmp_path, documents=4, languages=("python",))
        rows, code = pq.read_table(path).to_pylist(), list(corpora.files("python", 4))
        heads = [row["content"].removesuffix(file.text) for row, file in zip(rows, code, strict=True)]
        assert [head.count("<") for head in heads] == [3, 1, 2, 0]
        assert heads[1] == f"<filename>{code[1].path}\n"

    def test_v3_mixes_languages_vendored_and_unlicensed_files(self, tmp_path: Path) -> None:
        rows = pq.read_table(corpora.the_stack_v3(tmp_path)[0]).to_pylist()
        assert len({file["language"] for file in rows[0]["files"]}) > 3
        assert {(file["is_vendor"], file["license_type"]) for row in rows for file in row["files"]} == {
            (False, "permissive"),
            (True, "permissive"),
            (False, "no_license"),
        }
