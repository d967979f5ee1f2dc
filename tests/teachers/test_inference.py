"""What a server may say, what we make of it, and who is told a secret."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.credentials import redacted
from hf_oss_instruct.data import Completion, Provenance, Request, Seed
from hf_oss_instruct.errors import OssInstructError, RetryableError, RowRejectedError, TeacherError, UsageError
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.teachers.http.errors import exception_for
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.teacher import Answer, LocalTeacher, chat_completion

SECRET = "hf_planted_secret"
ORIGIN = Provenance("corpus", None, "a.py", 0, "python")
MESSAGES = ({"role": "system", "content": "You teach."}, {"role": "user", "content": "Teach é."})
REQUEST = Request(
    Seed("x = 1", 1, 1, ORIGIN, "hash/1", 0), MESSAGES, Sampling(temperature=0.5, top_p=0.9, max_tokens=100).as_sent(7)
)


@pytest.fixture(autouse=True)
def _no_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing here speaks TLS, and reading the machine's certificates for each client would take most of the time."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


TRANSPORT = "auto"


@pytest.fixture(autouse=True, params=["aiohttp", "huggingface_hub"])
def _both_transports(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a server says means the same over both."""
    global TRANSPORT
    TRANSPORT = request.param
    yield
    TRANSPORT = "auto"


def teacher_of(model: str, base_url: str | None = None, **options: Any) -> InferenceTeacher:
    return InferenceTeacher(model, base_url, transport=TRANSPORT if base_url else "auto", **options)


def ask(teacher: InferenceTeacher) -> Completion | Exception:
    """One question: the answer, or what was raised instead."""

    async def once() -> Completion | Exception:
        try:
            return await teacher.complete(REQUEST)
        except Exception as error:
            return error
        finally:
            await teacher.close()

    return asyncio.run(once())


def outcome_of(answer: Answer, **options: Any) -> Any:
    """What becomes of one question that the server answers so."""
    with LocalTeacher(lambda body: answer) as server:
        return ask(teacher_of("m", server.base_url, **options))


def body(**changes: Any) -> Answer:
    """A well-formed completion with some fields changed."""
    return Answer(raw=json.dumps(chat_completion({"messages": []}, Answer(text="fine")) | changes).encode())


def choice(content: Any, finish_reason: Any = "stop") -> list[Any]:
    return [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish_reason}]


class TestQuestion:
    def test_says_what_was_decided_and_nothing_else(self) -> None:
        with LocalTeacher() as server:
            ask(teacher_of("some/model", server.base_url))
        [request] = server.requests
        sent = {name: value for name, value in request["body"].items() if value is not None}
        assert sent.pop("stream", False) is False
        assert sent == {
            "model": "some/model",
            "messages": list(MESSAGES),
            "temperature": 0.5,
            "top_p": 0.9,
            "max_tokens": 100,
            "seed": 7,
        }
        assert request["path"] == "/v1/chat/completions"

    @pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
    def test_finds_the_server_with_or_without_v1(self, path: str) -> None:
        with LocalTeacher() as server:
            assert isinstance(ask(teacher_of("m", server.url + path)), Completion)

    def test_defaults_are_the_papers(self) -> None:
        assert Sampling().as_sent(1) == {"temperature": 0.0, "max_tokens": 2500, "seed": 1}

    @pytest.mark.parametrize("wrong", [{"temperature": -0.1}, {"top_p": 0.0}, {"top_p": 1.1}, {"max_tokens": 0}])
    def test_a_parameter_out_of_range_is_refused_with_its_value(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(UsageError, match=f"^{next(iter(wrong))} must be") as caught:
            Sampling(**wrong)
        assert str(next(iter(wrong.values()))) in str(caught.value)

    @pytest.mark.parametrize("concurrency", [0, -1])
    def test_room_for_no_request_at_all_is_refused(self, concurrency: int) -> None:
        with pytest.raises(UsageError):
            teacher_of("m", "http://127.0.0.1:9/v1", concurrency=concurrency)

    def test_one_teacher_serves_one_event_loop_after_another(self) -> None:
        with LocalTeacher() as server:
            teacher = teacher_of("m", server.base_url, concurrency=40)
            assert [type(ask(teacher)) for _ in range(3)] == [Completion] * 3


class TestAnswer:
    def test_is_taken_with_what_the_server_says_of_it(self) -> None:
        with LocalTeacher(lambda _: Answer(text="hello", fingerprint="fp_1")) as server:
            completion = ask(teacher_of("m", server.base_url))
        assert isinstance(completion, Completion)
        assert (completion.text, completion.finish_reason, completion.model) == ("hello", "stop", "m")
        assert (completion.fingerprint, completion.completion_tokens) == ("fp_1", 1)
        assert completion.prompt_tokens

    def test_what_the_server_does_not_say_is_null(self) -> None:
        completion = outcome_of(Answer(text="hello", fingerprint=None, usage=False))
        assert (completion.fingerprint, completion.prompt_tokens, completion.completion_tokens) == (None, None, None)
        assert outcome_of(body(system_fingerprint="")).fingerprint is None

    @pytest.mark.parametrize("said", ["eos_token", "STOP", "length", "a word of its own", None])
    def test_keeps_the_servers_word_for_its_end(self, said: str | None) -> None:
        assert outcome_of(body(choices=choice("fine", said))).finish_reason == said

    @pytest.mark.parametrize(
        ("counted", "meant"), [(100.0, 100), ("50", 50), (1.5, None), ("many", None), (True, None), (-1, None), (2**70, None)]
    )
    def test_token_counts_may_be_numbers_in_disguise(self, counted: Any, meant: int | None) -> None:
        assert outcome_of(body(usage={"prompt_tokens": counted, "completion_tokens": 1})).prompt_tokens == meant

    def test_in_another_charset_or_loose_json_is_read_and_in_no_charset_is_kept(self) -> None:
        if TRANSPORT == "huggingface_hub":
            return  # it reads the body itself
        whole = json.loads(body(choices=choice("café\n“x”")).raw or b"")
        said, lines = json.dumps(whole, ensure_ascii=False), json.dumps(whole).replace("\\n", "\n")
        for charset in ("windows-1252", "utf-8", "utf-16"):
            answer = Answer(raw=said.encode(charset), headers={"Content-Type": f"application/json; charset={charset}"})
            assert outcome_of(answer).text == "café\n“x”"
        assert [outcome_of(Answer(raw=text.encode())).text for text in (lines, said + "\n[DONE]")] == ["café\n“x”"] * 2
        damaged = outcome_of(Answer(raw=said.encode("cp1252")))
        assert (damaged.text, "caf" in damaged.raw, damaged.completion_tokens) == ("", True, 1)

    def test_half_a_surrogate_pair_becomes_text_that_a_file_can_hold(self) -> None:
        completion = outcome_of(body(choices=choice("one \ud83d two 🙂")))
        assert completion.text == "one ? two 🙂"

    def test_without_content_is_an_empty_text(self) -> None:  # so thinking models end when they run out of tokens
        assert outcome_of(body(choices=choice(None, "length"))) == Completion(
            "", "length", "local-teacher", "fp_test", *(outcome_of(body()).prompt_tokens, outcome_of(body()).completion_tokens)
        )

    @pytest.mark.parametrize(
        "odd",
        [
            {"system_fingerprint": {"build": 7}},
            {"system_fingerprint": 7},
            {"system_fingerprint": "\ud800"},
            {"usage": {"prompt_tokens": "twelve", "completion_tokens": "many"}},
            {"usage": {"prompt_tokens": 1.5, "completion_tokens": [1]}},
            {"usage": {"prompt_tokens": 10**30, "completion_tokens": True}},
            {"usage": []},
            {"usage": {}},
            {"model": {"name": "m"}},
        ],
        ids=str,
    )
    def test_an_odd_remark_beside_the_text_spoils_neither_row_nor_run(self, odd: dict[str, Any]) -> None:
        completion = outcome_of(body(**odd))
        assert isinstance(completion, Completion)
        assert completion.text == "fine"
        for words in (completion.fingerprint, completion.model):
            assert words is None or (isinstance(words, str) and words.encode())
        for number in (completion.prompt_tokens, completion.completion_tokens):
            assert number is None or (type(number) is int and 0 <= number < 2**63)


NO_COMPLETIONS = {
    "no JSON": b"<html>busy</html>",
    "nothing": b"",
    "no UTF-8": b"\xff\xfe\x00",
    "half": b'{"choices": [{"message": {"content": "x',
    "another object": b'{"hello": 1}',
    "a list": b"[]",
    "a string": b'"x"',
    "a number": b"5",
    "null": b"null",
    "a huge number": b"1" * 6000,
    "deep": b"[" * 100_000,
    "no choices, no tokens": body(choices=[], usage=None).raw,
    "null choices, no tokens": body(choices=None, usage={"prompt_tokens": 0, "completion_tokens": 0}).raw,
}


@pytest.mark.parametrize("raw", NO_COMPLETIONS.values(), ids=NO_COMPLETIONS)
def test_what_is_no_completion_is_asked_again(raw: bytes) -> None:
    error = outcome_of(Answer(raw=raw))
    assert isinstance(error, RetryableError), repr(error)
    assert error.reached


@pytest.mark.parametrize("raw", [b"<html>Sign in to Wi-Fi</html>", b'{"hello": "Wi-Fi"}'])
def test_what_is_no_completion_shows_its_first_words(raw: bytes) -> None:
    if TRANSPORT == "aiohttp" or raw.startswith(b"<"):
        assert "Wi-Fi" in str(outcome_of(Answer(raw=raw)))


NOT_UNDERSTOOD: dict[str, Any] = {
    "null choices": body(choices=None),
    "odd choices": body(choices=[5]),
    "an object for choices": body(choices={"0": 1}),
    "no message": body(choices=[{"index": 0, "finish_reason": "stop"}]),
    "a picture for content": body(choices=choice([{"type": "image_url", "image_url": "x"}])),
    "a number for content": body(choices=choice(5)),
}


@pytest.mark.parametrize("answer", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_an_answer_that_is_not_understood_is_kept_as_it_came_with_its_tokens(answer: Answer) -> None:
    completion = outcome_of(answer)
    if TRANSPORT == "huggingface_hub" and isinstance(completion, RetryableError):
        return  # huggingface_hub keeps the body of what it cannot read to itself
    assert isinstance(completion, Completion), repr(completion)
    assert answer.raw
    assert completion.raw
    assert (completion.text, completion.completion_tokens) == ("", 1)
    if TRANSPORT == "aiohttp":
        assert json.loads(completion.raw) == json.loads(answer.raw)


def test_an_answer_without_choices_is_empty() -> None:
    assert outcome_of(body(choices=[])).text == ""


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "ab", None),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "a"}]},
            "a",
            "hm",
        ),
        ({"content": [{"type": "reasoning", "summary": [{"text": "hm"}]}, {"type": "output_text", "text": "a"}]}, "a", "hm"),
        ({"content": [{"thought": True, "text": "hm"}, {"text": "a"}]}, "a", "hm"),
        ({"content": {"type": "text", "text": "a"}}, "a", None),
        ({"content": ["a", {"type": "audio", "id": 1}]}, "a", None),
        ({"content": []}, "", None),
        ({"content": "a", "reasoning_content": "hm"}, "a", "hm"),
        ({"content": "a", "reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}, "a", "hm"),
        ({"content": "a", "thinking_blocks": [{"type": "thinking", "thinking": "hm"}]}, "a", "hm"),
        ({"content": None, "reasoning_content": "hm"}, "", "hm"),
        ({"content": "a", "reasoning_content": ""}, "a", None),
        ({"content": None, "tool_calls": [{"id": "1"}]}, "", None),
    ],
)
def test_text_and_thoughts_are_told_apart_in_every_shape(message: dict[str, Any], text: str, reasoning: str | None) -> None:
    completion = outcome_of(body(choices=[{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}]))
    assert isinstance(completion, Completion), repr(completion)
    assert (completion.text, completion.reasoning, completion.raw) == (text, reasoning, None)


def test_the_models_own_refusal_is_its_text() -> None:
    completion = outcome_of(body(choices=[{"message": {"content": None, "refusal": "I'd rather not."}, "finish_reason": "stop"}]))
    assert (completion.text, completion.finish_reason) == ("I'd rather not.", "refusal")


def error_inside(**fields: Any) -> Answer:
    return Answer(raw=json.dumps({"id": None, "choices": None} | fields).encode())


class TestErrorInAnAnswer:
    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (error_inside(error={"message": "no credit left", "code": 402}), TeacherError),
            (error_inside(error={"message": "no credit left", "code": "insufficient_quota"}), TeacherError),
            (error_inside(error="Insufficient credits: no credit left"), TeacherError),
            (error_inside(error={"message": "no credit left", "code": "401"}), TeacherError),
            (error_inside(error={"message": "no credit left", "type": "AuthenticationError"}), TeacherError),
            (error_inside(error={"message": "no credit left", "code": 400}), RowRejectedError),
            (error_inside(error={"message": "no credit left", "type": "invalid_request_error"}), RowRejectedError),
            (error_inside(object="error", message="no credit left", code=404), TeacherError),
            (
                error_inside(choices=[{"message": {"content": ""}, "error": {"message": "no credit left", "code": 403}}]),
                TeacherError,
            ),
        ],
    )
    def test_is_the_error_that_it_says_it_is(self, answer: Answer, kind: type[Exception]) -> None:
        error = outcome_of(answer)
        assert isinstance(error, kind), repr(error)
        assert "no credit left" in str(error)
        assert "HTTP 200 with error" in str(error)

    @pytest.mark.parametrize(
        ("error", "busy"),
        [
            ({"message": "slow down", "code": 429}, True),
            ({"message": "slow down", "status": "RESOURCE_EXHAUSTED"}, True),
            ({"message": "slow down: rate limit reached, see your billing page"}, True),
            ({"message": "slow down", "code": 502}, False),
            ({"message": "slow down"}, False),
        ],
    )
    def test_that_passes_is_waited_for(self, error: dict[str, Any], busy: bool) -> None:
        found = outcome_of(error_inside(error=error))
        assert isinstance(found, RetryableError), repr(found)
        assert (found.busy, "slow down" in str(found)) == (busy, True)

    def test_beside_a_whole_answer_is_none(self) -> None:
        assert outcome_of(body(error={"message": "a provider was skipped", "code": 502})).text == "fine"

    def test_no_waiting_helps_against_a_spent_quota(self) -> None:
        raw = json.dumps({"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}).encode()
        assert isinstance(outcome_of(Answer(status=429, raw=raw)), TeacherError)
        busy = {"error": {"message": "Rate limit reached. Add a payment method at /billing.", "code": "rate_limit_exceeded"}}
        assert isinstance(outcome_of(Answer(status=429, raw=json.dumps(busy).encode())), RetryableError)


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "way_out"), [(401, "--api-key-env"), (402, "credit"), (403, "key"), (404, "--model"), (405, "--base-url")]
    )
    def test_that_no_row_survives_stops_the_run_in_the_servers_words(self, status: int, way_out: str) -> None:
        error = outcome_of(Answer(status=status, text="You shall\nnot pass."))
        assert isinstance(error, TeacherError)
        assert f"HTTP {status}: You shall not pass. " in str(error)
        assert way_out in str(error)

    @pytest.mark.parametrize("status", [400, 413, 422, 451])
    def test_of_a_bad_request_refuses_the_row(self, status: int) -> None:
        error = outcome_of(Answer(status=status, text="context length exceeded"))
        assert isinstance(error, RowRejectedError)
        assert (error.reason, error.detail) == ("refused", f"HTTP {status}: context length exceeded")

    @pytest.mark.parametrize("status", [408, 409, 424, 425, 429, 499, 500, 502, 503, 504, 529])
    def test_of_a_passing_trouble_is_asked_again(self, status: int) -> None:
        error = outcome_of(Answer(status=status, text="busy"))
        assert isinstance(error, RetryableError)
        assert (str(error), error.after_s, error.reached) == (f"HTTP {status}: busy", None, True)

    @pytest.mark.parametrize(
        ("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None)]
    )
    def test_429_may_say_when_to_come_back(self, header: str, seconds: float | None) -> None:
        error = outcome_of(Answer(status=429, headers={"Retry-After": header}))
        assert isinstance(error, RetryableError)
        assert error.after_s == seconds

    @pytest.mark.parametrize(
        ("status", "error", "kind"),
        [
            (
                400,
                {"type": "invalid_request_error", "message": "Your credit balance is too low to access the API."},
                TeacherError,
            ),
            (400, {"code": "Arrearage", "message": "Make sure your account is in good standing."}, TeacherError),
            (429, {"type": "exceeded_current_quota_error", "message": "Insufficient balance, please recharge"}, TeacherError),
            (400, {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}, TeacherError),
            (429, {"code": 429, "message": "You exceeded your current quota, see your plan and billing details"}, RetryableError),
            (403, {"code": 403, "message": "Your input was flagged by moderation"}, RowRejectedError),
        ],
    )
    def test_is_what_the_words_say_where_the_number_says_something_else(
        self, status: int, error: dict[str, Any], kind: type[Exception]
    ) -> None:
        for shape in ({"error": error}, [{"error": error}]):
            found = outcome_of(Answer(status=status, raw=json.dumps(shape).encode()))
            assert type(found).__mro__.count(kind) == 1, repr(found)
            assert error["message"].rstrip(".") in str(found)

    def test_a_date_is_compared_with_the_servers_clock(self) -> None:
        headers = {"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
        assert exception_for(429, "", {name.lower(): value for name, value in headers.items()}).after_s == 30.0  # type: ignore[attr-defined]
        ahead = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
        error = outcome_of(Answer(status=503, headers={"Retry-After": ahead}))
        assert 58 <= error.after_s <= 61

    @pytest.mark.parametrize(
        ("raw", "said"),
        [
            (b'{"error": {"message": "no"}}', "no"),
            (b'{"error": "no"}', "no"),
            (b'{"message": "no"}', "no"),
            (b'{"detail": [{"loc": ["body", "n"], "msg": "no"}]}', "body.n: no"),
            (b'{"error": "Bad Request", "message": "no"}', "Bad Request: no"),
            (b'[{"error": {"message": "no"}}]', "422: no"),
            (b"plain words", "plain words"),
            (b"", "(no message)"),
            (b"[1, 2]", "[1, 2]"),
            (b'"no"', "no"),
            (b"x" * 10_000, "x" * 500),
        ],
        ids=["openai", "string", "message", "fastapi", "title", "gemini", "plain", "nothing", "list", "JSON string", "long"],
    )
    def test_the_servers_words_are_found_in_any_shape_of_body(self, raw: bytes, said: str) -> None:
        error = outcome_of(Answer(status=422, raw=raw))
        assert isinstance(error, RowRejectedError)
        assert said in error.detail
        assert len(error.detail) < 600

    @pytest.mark.parametrize(
        "raw",
        [b"\xff\xff", b"[" * 100_000, b'{"error":' + b"1" * 6000 + b"}", b"null", b'{"error": "\\ud800"}'],
        ids=["no UTF-8", "deep", "a huge number", "null", "half a surrogate pair"],
    )
    def test_no_body_hides_the_status(self, raw: bytes) -> None:
        refused = outcome_of(Answer(status=400, raw=raw))
        assert isinstance(refused, RowRejectedError), repr(refused)
        assert refused.detail.encode()
        stopped = outcome_of(Answer(status=401, raw=raw))
        assert isinstance(stopped, TeacherError), repr(stopped)
        assert str(stopped).encode()


class TestLine:
    def test_silence_is_a_time_out_of_a_server_that_was_there(self) -> None:
        error = outcome_of(Answer(hang=True), timeout_s=0.3)
        assert isinstance(error, RetryableError)
        assert (str(error), error.reached) == ("no answer within 0.3 s", True)

    def test_a_broken_connection_is_asked_again(self) -> None:
        error = outcome_of(Answer(reset=True))
        assert isinstance(error, RetryableError)
        assert error.reached

    def test_a_server_that_is_down_was_not_reached(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        error = ask(teacher_of("m", f"http://127.0.0.1:{port}/v1"))
        assert isinstance(error, RetryableError)
        assert not error.reached

    def test_without_a_login_inference_providers_say_how_to_get_one(self) -> None:
        error = ask(teacher_of("org/model"))
        assert isinstance(error, TeacherError), repr(error)
        assert "hf auth login" in str(error)

    def test_another_companys_key_is_none_for_inference_providers(self) -> None:
        with pytest.raises(OssInstructError) as caught:
            raise ask(teacher_of("org/model", api_key="sk-theirs"))  # type: ignore[misc]
        assert isinstance(caught.value, UsageError | TeacherError), repr(caught.value)
        assert "sk-theirs" not in str(caught.value)

    @pytest.mark.parametrize("url", ["localhost:8080", "ftp://127.0.0.1", "/v1", "", "http://[::1", "http://127.0.0.1:9x/v1"])
    def test_an_address_that_is_none_is_refused_with_its_value(self, url: str) -> None:
        with pytest.raises(UsageError) as caught:
            teacher_of("m", url)
        assert repr(url) in str(caught.value)

    @pytest.mark.parametrize("key", ["sk-é", "sk-x\n", "sk-\u2026"])
    def test_a_key_that_no_header_can_carry_is_an_error_that_does_not_show_it(self, key: str) -> None:
        with LocalTeacher() as server:
            try:
                error = ask(teacher_of("m", server.base_url, api_key=key))
            except OssInstructError as early:
                error = early
        assert isinstance(error, OssInstructError), repr(error)
        assert not isinstance(error, RetryableError)
        assert key.strip() not in str(error)


class TestSecrets:
    def everything_sent(self, server: LocalTeacher) -> str:
        assert server.requests
        return json.dumps([server.requests])

    def test_the_hugging_face_token_goes_to_no_other_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_TOKEN", SECRET)
        with LocalTeacher() as server:
            assert isinstance(ask(teacher_of("m", server.base_url)), Completion)
        assert SECRET not in self.everything_sent(server)
        assert server.requests[0]["headers"].get("authorization", "Bearer EMPTY") == "Bearer EMPTY"

    def test_the_client_below_would_send_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without this danger the test above would show nothing."""
        from huggingface_hub import InferenceClient

        monkeypatch.setenv("HF_TOKEN", SECRET)
        with LocalTeacher() as server:
            InferenceClient(base_url=server.base_url).chat_completion([{"role": "user", "content": "x"}])
        assert SECRET in self.everything_sent(server)

    def test_a_url_in_place_of_the_models_name_does_not_get_it_either(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_TOKEN", SECRET)
        with LocalTeacher() as server:
            with pytest.raises(UsageError, match=r"is a URL\. Pass it as the server \(--base-url, or base_url in Python\)"):
                ask(teacher_of(server.base_url))
        assert server.requests == []

    def test_a_key_of_the_server_is_sent_to_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_TOKEN", SECRET)
        with LocalTeacher() as server:
            ask(teacher_of("m", server.base_url, api_key="sk-theirs"))
        assert server.requests[0]["headers"]["authorization"] == "Bearer sk-theirs"
        assert SECRET not in self.everything_sent(server)

    def test_a_redirect_carries_no_key_to_another_host(self) -> None:
        with LocalTeacher() as other:
            away = Answer(
                status=307, raw=b"", headers={"Location": f"{other.base_url}/chat/completions".replace("127.0.0.1", "localhost")}
            )
            with LocalTeacher(lambda _: away) as server:
                answer = ask(teacher_of("m", server.base_url, api_key="sk-theirs"))
        assert server.requests[0]["headers"]["authorization"] == "Bearer sk-theirs"
        if TRANSPORT == "aiohttp":
            assert isinstance(answer, TeacherError)
            assert "redirects to localhost:" in str(answer)
            assert not other.requests
        else:
            assert "sk-theirs" not in self.everything_sent(other)

    def test_identity_tells_kind_and_model_but_no_address_path_or_key(self) -> None:
        teacher = teacher_of("org/model", "http://user:pw@127.0.0.1:9/v1", api_key="sk-theirs", concurrency=99)
        assert teacher.identity == "openai-compatible:org/model"
        assert teacher_of("org/model").identity == "inference-providers:org/model"
        local = [teacher_of(path, "http://127.0.0.1:9").identity for path in ("/home/me/tiny", "/home/you/tiny")]
        assert not [name for name in local if "home" in name]
        assert len(set(local)) == 2


class TestAiohttp:
    """What only our own transport promises."""

    def test_user_and_password_of_an_address_travel_as_basic_authentication_and_are_never_shown(self) -> None:
        with LocalTeacher() as server:
            address = server.base_url.replace("//", "//me:s3cret@")
            if TRANSPORT == "aiohttp":
                assert isinstance(ask(teacher_of("m", address)), Completion)
                assert server.requests[0]["headers"]["authorization"] == "Basic bWU6czNjcmV0"
        assert "s3cret" not in redacted(f"synthesize --base-url {address} --out o")
        with pytest.raises(UsageError) as refused:
            teacher_of("m", "http://me:s3cret@127.0.0.1:9x/v1")
        assert "s3cret" not in str(refused.value)
