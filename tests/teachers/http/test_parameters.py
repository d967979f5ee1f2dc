"""Which refusals are about a parameter that the server does not take, and what is sent then."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.data import Provenance, Seed
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.prompts import PromptSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask
from hf_oss_instruct.synthesis.stream import synthesize
from hf_oss_instruct.teachers.http.errors import BadRequestError, exception_for
from hf_oss_instruct.teachers.http.parameters import ServerParameters
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.teacher import Answer, LocalTeacher

SENT = {"temperature": 0.0, "top_p": 0.9, "max_tokens": 100, "seed": 7, "response_format": {"type": "json_schema"}}


def seed(index: int) -> Seed:
    return Seed(f"x = {index}", 1, 1, Provenance("corpus", "v1", f"{index}.py", 0, "python"), "hash/1", 0, index=index)


def learned(said: Any, sent: dict[str, Any] | None = None) -> dict[str, str | None]:
    parameters, refusal = ServerParameters(), exception_for(400, said if isinstance(said, str) else json.dumps(said), {})
    assert isinstance(refusal, BadRequestError)
    parameters.learn(refusal, sent or SENT)
    return parameters.changes


def test_what_a_server_repeats_of_the_request_is_no_word_of_its_own() -> None:
    repeated = {"temperature": 0, "messages": [{"content": "unknown or not allowed"}]}
    assert learned({"detail": [{"type": "missing", "loc": ["body", "user"], "msg": "Field required", "input": repeated}]}) == {}


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        ({"error": {"message": "Unsupported parameter", "param": "seed", "code": "unsupported_parameter"}}, {"seed": None}),
        ({"error": {"message": "'temperature' does not support 0. Only the default (1) is supported."}}, {"temperature": None}),
        ({"detail": [{"type": "extra_forbidden", "loc": ["body", "top_p"], "msg": "Extra inputs"}]}, {"top_p": None}),
        ({"message": "Unrecognized request argument supplied: seed"}, {"seed": None}),
        ({"error": {"message": "`temperature` and `top_p` cannot both be specified for this model."}}, {"top_p": None}),
        ("max_tokens is not supported, use max_completion_tokens", {"max_tokens": "max_completion_tokens"}),
        ("Use max_completion_tokens instead of max_tokens", {"max_tokens": "max_completion_tokens"}),
        ({"error": "Bad Request", "message": "body must NOT have additional properties: seed"}, {"seed": None}),
        ({"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"]}]}}, {"seed": None}),
        ([{"error": {"code": 400, "message": 'Unknown name "seed": Cannot find field.'}}], {"seed": None}),
        ("Invalid parameter: seed", {"seed": None}),
        (
            {"error": {"message": "'response_format.type' must be 'text'", "param": "response_format.type"}},
            {"response_format": None},
        ),
        ("This response_format type is unavailable now", {"response_format": None}),
        ({"detail": [{"type": "enum", "loc": ["body", "response_format", "type"], "msg": "Input"}]}, {"response_format": None}),
        ("Model m does not support structured outputs", {"response_format": None}),
        ("Grammar support is not enabled", {"response_format": None}),
        ("'seed' is not a valid parameter for this model", {"seed": None}),
        ({"detail": "Argument 'seed' does not exist"}, {"seed": None}),
        ("invalid temperature: only 1 is allowed for this model", {"temperature": None}),
        ({"error": {"message": "Expected a value <= 65535", "param": "seed", "code": "integer_above_max_value"}}, {"seed": None}),
    ],
)
def test_a_parameter_that_is_refused_by_name_is_known(said: Any, changes: dict[str, str | None]) -> None:
    assert learned(said) == changes


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"message": "max_tokens is too large: 2500. This model supports at most 2048 completion tokens."}},
        {"error": {"message": "This model's maximum context length is 2048 tokens. max_tokens: 2500."}},
        {"error": {"message": "'max_tokens' or 'max_completion_tokens' is too large: 2500."}},
        {"error": {"message": "Invalid parameter: max_tokens must be at most 2048"}},
        {"error": {"message": "temperature must be between 0 and 1"}},
        {"error": {"message": "Unknown model", "param": "model"}},
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "reasoning_effort"]}]},
        {"detail": "extra_forbidden"},
        {"detail": [1, {"loc": None, "type": None}]},
        "unseeded: not supported",
        "",
        "null",
    ],
)
def test_what_is_about_a_value_or_something_else_is_no_such_thing(said: Any) -> None:
    assert learned(said) == {}


def test_a_cap_is_renamed_once_and_never_left_out() -> None:
    assert learned("max_completion_tokens: unsupported, max_tokens too", {"max_completion_tokens": 100}) == {}
    parameters = ServerParameters()
    parameters.learn(BadRequestError("max_tokens unsupported", "max_tokens unsupported"), SENT)
    parameters.learn(BadRequestError("seed unsupported", "seed unsupported"), SENT)
    assert parameters.sent(SENT) == {
        "temperature": 0.0,
        "top_p": 0.9,
        "max_completion_tokens": 100,
        "response_format": {"type": "json_schema"},
    }


def test_a_run_says_once_what_it_leaves_out_and_goes_on_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def picky(body: dict[str, Any]) -> Answer:
        return Answer(status=400, text="seed is not supported") if "seed" in body else Answer()

    with LocalTeacher(picky) as server, caplog.at_level(logging.WARNING):
        rows = list(
            synthesize([seed(n) for n in range(8)], InferenceTeacher("m", server.base_url), journal=tmp_path, concurrency=2)
        )
    assert len(rows) == 8
    assert [json.loads(row["sampling"]).get("seed") for row in rows] == [None] * 8
    [said] = [record.getMessage() for record in caplog.records]
    assert said == "The teacher does not accept seed: it is left out from now on (HTTP 400: seed is not supported)."
    with LocalTeacher() as server:  # another server: what it is asked for is the same, so nothing is asked again
        again = list(synthesize([seed(n) for n in range(9)], InferenceTeacher("m", server.base_url), journal=tmp_path))
        assert (again[:8], len(server.requests)) == (rows, 1)
        assert "seed" in server.requests[0]["body"]


class TestExtraBody:
    EXTRA = {"top_k": 20, "chat_template_kwargs": {"enable_thinking": False}}  # noqa: RUF012

    def test_is_sent_and_part_of_the_key(self) -> None:
        plain, extra = Sampling(), Sampling(extra_body=self.EXTRA)
        assert extra.as_sent(1) == plain.as_sent(1) | self.EXTRA
        teacher = InferenceTeacher("m", "http://127.0.0.1:9/v1")
        keys = {OssInstructTask(teacher, sampling=one).key(seed(0)) for one in (plain, extra, Sampling(send_seed=False))}
        assert len(keys) == 3

    @pytest.mark.parametrize("transport", ["aiohttp", "huggingface_hub"])
    def test_travels_over_every_transport(self, tmp_path: Path, transport: str) -> None:
        with LocalTeacher() as server:
            teacher = InferenceTeacher("m", server.base_url, transport=transport)
            list(synthesize([seed(0)], teacher, sampling=Sampling(extra_body=self.EXTRA, send_seed=False), journal=tmp_path))
        body = server.requests[0]["body"]
        assert {name: body[name] for name in self.EXTRA} == self.EXTRA
        assert body.get("seed") is None

    @pytest.mark.parametrize("extra", [{"user": f"hf_{'a1' * 17}"}, {"metadata": [{"note": f"Bearer hf_{'a1' * 17}"}]}])
    def test_holds_no_hugging_face_token(self, extra: dict[str, Any]) -> None:
        with pytest.raises(UsageError, match="contains a Hugging Face token") as error:
            Sampling(extra_body=extra)
        assert "hf_" not in str(error.value)
        assert Sampling(extra_body={"preset": "hf_default"})

    def test_stands_in_the_run_config_only_where_it_is_used(self) -> None:
        assert RunSpec().as_dict()["sampling"] == {"temperature": 0.0, "top_p": None, "max_tokens": 2500}
        config = RunSpec(sampling=Sampling(send_seed=False, extra_body=self.EXTRA), prompt=PromptSpec(keep_reasoning=True))
        assert RunSpec.from_yaml(config.to_yaml()) == config
        assert config.hash != RunSpec().hash
        assert config.as_dict()["prompt"]["keep_reasoning"]
        assert "keep_reasoning" not in RunSpec().as_dict()["prompt"]

    @pytest.mark.parametrize(
        ("extra", "said"),
        [
            ({"model": "other"}, "'model'"),
            ({"messages": []}, "'messages'"),
            ({"stream": True}, "'stream'"),
            ({"max_completion_tokens": 9}, "'max_completion_tokens'"),
            ({"x": float("nan")}, "not JSON|not a JSON object"),
            ({"x": object()}, "not JSON|not a JSON object"),
            ({"api_key": "sk-1"}, "'api_key'"),
            ({"a": [{"access_token": "t"}]}, "'access_token'"),
        ],
    )
    def test_sets_nothing_that_has_an_option_and_holds_no_secret(self, extra: dict[str, Any], said: str) -> None:
        with pytest.raises(UsageError, match=said):
            Sampling(extra_body=extra)
