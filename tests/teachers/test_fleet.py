"""Which servers and models a command names, which key goes where, and which teacher a seed gets."""

from __future__ import annotations

import asyncio
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.data import Completion, Provenance, Request, Seed
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.teachers.fleet import key_variable
from hf_oss_instruct.teachers.mixture import MixedTeacher
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.teachers.resolve import open_teacher, requests_go_to
from tests.support.teacher import LocalTeacher

A, B = "http://gpu1:8000/v1", "http://gpu2:8000/v1"


class Named(Teacher):
    """A teacher that only has a name."""

    def __init__(self, identity: str) -> None:
        self.identity = identity

    async def complete(self, request: Request) -> Completion:
        raise AssertionError("nobody is asked")


def seed(number: int) -> Seed:
    return Seed(f"x = {number}", 1, 1, Provenance("corpus", "v1", f"{number}.py", 0, "python"), "hash/1", 0, index=number)


def opened(**options: Any) -> Teacher:
    return open_teacher(TeacherSpec(**options))


def mixed(**shares: str) -> MixedTeacher:
    return MixedTeacher([(Named(name), Fraction(share)) for name, share in shares.items()])


def test_servers_are_named_one_by_one_or_in_a_file(tmp_path: Path) -> None:
    listed = tmp_path / "servers.txt"
    listed.write_text(f"# two machines\n{A}\n\n{B}  # the slow one\n{A}\n")
    assert TeacherSpec(base_url=(str(listed),)).base_url == (A, B) == TeacherSpec(base_url=(A, B, A)).base_url  # type: ignore[comparison-overlap]
    assert TeacherSpec(base_url=A).base_url == (A,)  # type: ignore[arg-type]  # as `load_dataset` passes it
    (tmp_path / "none.txt").write_text("# nothing yet\n")
    with pytest.raises(UsageError, match="contains no URL"):
        TeacherSpec(base_url=(str(tmp_path / "none.txt"),))


def test_the_identity_is_the_models_however_many_servers_there_are() -> None:
    one, two = opened(model="m", base_url=(A,)), opened(model="m", base_url=(A, B))
    assert one.identity == two.identity == "openai-compatible:m"
    assert (one.servers, [server.name for server in two.servers]) == ((), [A, B])
    assert TeacherSpec(base_url=(A, B), concurrency=16).in_flight == 32


def test_a_server_can_be_for_one_model() -> None:
    both = opened(model="a=0.5,b=0.5", base_url=(f"a={A}", f"b={B}", "http://any/v1"))
    assert isinstance(both, MixedTeacher)
    at = {both.for_seed(seed(n)).identity: [server.name for server in both.for_seed(seed(n)).servers] for n in range(20)}
    assert at == {"openai-compatible:a": [A, "http://any/v1"], "openai-compatible:b": [B, "http://any/v1"]}
    with pytest.raises(UsageError, match="No server is named for the model 'c', only for a, b"):
        opened(model="c", base_url=(f"a={A}", f"b={B}"))


def test_a_key_goes_only_to_the_host_that_it_is_named_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_OF_ONE", "secret-of-one")
    with LocalTeacher() as one, LocalTeacher() as other:
        host = one.url.removeprefix("http://")
        teacher = opened(model="m", base_url=(one.base_url, other.base_url), api_key_env=(f"{host}=KEY_OF_ONE",))

        async def ask_both() -> None:
            for number in range(4):
                await teacher.complete(Request(seed(number), ({"role": "user", "content": "Hi."},), {"max_tokens": 9}))
            await teacher.close()

        asyncio.run(ask_both())
    assert [sent["headers"].get("authorization") for sent in one.requests] == ["Bearer secret-of-one"] * 2
    assert [sent["headers"].get("authorization") for sent in other.requests] == [None] * 2


def test_a_key_without_a_host_is_for_servers_of_one_host() -> None:
    assert key_variable(A, (A, "http://gpu1:8001/v1"), ("K",)) == "K"
    assert key_variable(B, (A, B), ("gpu1=K", "gpu2:8000=L")) == "L"
    assert key_variable(B, (A, B), ("gpu1=K",)) is None
    with pytest.raises(UsageError, match="goes only to the host that it is named for: --api-key-env gpu1=K"):
        key_variable(A, (A, B), ("K",))
    with pytest.raises(UsageError, match="is for 'gpu3', which no --base-url has"):
        key_variable(A, (A, B), ("gpu3=K",))


def test_a_hash_of_the_seed_chooses_among_mixed_teachers_by_share_and_in_no_order() -> None:
    teacher = mixed(a="0.7", b="0.3")
    chosen = [teacher.for_seed(seed(n)).identity for n in range(2000)]
    assert Counter(chosen)["a"] == pytest.approx(1400, abs=80)
    same = mixed(b="3", a="7")
    assert chosen == [same.for_seed(seed(n)).identity for n in range(2000)]
    assert teacher.identity == same.identity == "a=0.7,b=0.3"
    thirds = mixed(a="1", b="1", c="1")
    again = MixedTeacher([(Named(name), Fraction(share)) for name, share in thirds.shares.items()])
    assert [thirds.for_seed(seed(n)).identity for n in range(500)] == [again.for_seed(seed(n)).identity for n in range(500)]


@pytest.mark.parametrize("model", ["a=0.7,b", "a=0.7,b=0", "a=0.7,b=-1", "a=0.7,b=x", "a=0.7,=1"])
def test_a_share_must_be_a_number_above_zero(model: str) -> None:
    with pytest.raises(UsageError, match="is not a model with a share above 0"):
        opened(model=model, base_url=(A,))


def test_a_model_is_named_once() -> None:
    with pytest.raises(UsageError, match="contains a model twice"):
        opened(model="a=0.7,a=0.3", base_url=(A,))


def test_a_dry_run_says_where_requests_would_go() -> None:
    spec = TeacherSpec(model="a=7,b=3", base_url=("http://user:pw@gpu1/v1", B), concurrency=4)
    shares, servers = requests_go_to(spec, open_teacher(spec))
    assert "openai-compatible:a writes about 0.7 of the rows" in shares
    assert servers == f"# 2 servers, each with up to 4 requests in flight: http://***@gpu1/v1, {B}"
