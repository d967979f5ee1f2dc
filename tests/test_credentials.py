"""Who is told a key: one rule for every command."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hf_oss_instruct.cli import cli
from hf_oss_instruct.credentials import check_hub, check_key, is_hugging_face, is_secret_name, key_from, redacted
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.hub import transport_error
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.teachers.inference import InferenceTeacher
from hf_oss_instruct.teachers.resolve import open_teacher
from tests.support.teacher import LocalTeacher

SECRET = "hf_planted_secret"
ELSEWHERE = "https://teacher.example.org/v1"


@pytest.mark.parametrize(
    "url",
    [
        "https://huggingface.co",
        "https://router.huggingface.co/v1",
        "https://abc.us-east-1.aws.endpoints.huggingface.cloud/v1",
        "HTTPS://Router.HuggingFace.CO/v1",
        "https://router.huggingface.co:443/v1",
    ],
)
def test_hugging_face_is_known_by_its_hosts(url: str) -> None:
    assert is_hugging_face(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://huggingface.co",
        "http://router.huggingface.co/v1",
        "https://huggingface.co.evil.com",
        "https://evilhuggingface.co",
        "https://huggingface.co@evil.com",
        "https://huggingface.co:443@evil.com/v1",
        "https://user:huggingface.co@evil.com/",
        "https://evil.com/huggingface.co",
        "https://evil.com/.huggingface.co",
        "https://evil.com?.huggingface.co",
        "https://evil.com#.huggingface.co",
        "https://evil.com\\@huggingface.co.evil.com",
        "https://endpoints.huggingface.cloud.evil.com",
        "https://huggingface.com",
        "https://hf.co.evil.com",
        "//huggingface.co",
        "huggingface.co",
        "https://",
        "",
        "http://127.0.0.1:8080/v1",
    ],
)
def test_nobody_else_passes_for_hugging_face(url: str) -> None:
    assert not is_hugging_face(url)


@pytest.mark.parametrize("key", [f" {SECRET}", f"Bearer {SECRET}", f"'{SECRET}'"])
def test_a_token_is_known_with_what_was_copied_around_it(key: str) -> None:
    with pytest.raises(UsageError, match="never sent") as error:
        check_key(key, ELSEWHERE)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("where", ["/v1?key={}", "/v1?a=1&token={}", "/{}/v1"])
def test_a_token_in_a_url_is_none_for_a_foreign_host(where: str) -> None:
    with pytest.raises(UsageError, match="never sent") as error:
        check_key(None, "https://teacher.example.org" + where.format(token := "hf_" + "a1" * 17))
    assert token not in str(error.value)
    check_key(None, "https://teacher.example.org" + where.format("hf_deployment"))


URL_PIECES = [
    "https://",
    "http:",
    "huggingface.co",
    "x.huggingface.co",
    "evil.com",
    "@",
    ":",
    "/",
    "//",
    "\\",
    "#",
    "?",
    ".",
    ";",
]
URL_PIECES += ["%2e", "%40", "%2f", "\t", "\n", " ", "443", "[", "]", "user", "\u3002", "\uff0f", "\u2100", "\u00ad", "é"]


@given(st.lists(st.sampled_from(URL_PIECES), max_size=7).map("".join).map("https://".__add__))
@example("https://evil.com\\@huggingface.co")
@settings(max_examples=400)
def test_what_passes_for_hugging_face_is_where_the_transport_goes(url: str) -> None:
    transport = importlib.import_module(transport_error().__module__.partition(".")[0])  # httpx or httpx2
    if is_hugging_face(url):
        try:
            goes_to = transport.URL(url)
        except transport.InvalidURL:
            return  # it goes nowhere
        assert goes_to.scheme == "https"
        assert goes_to.host == "huggingface.co" or goes_to.host.endswith((".huggingface.co", ".endpoints.huggingface.cloud"))


class TestKeyFrom:
    def test_reads_the_variable_that_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MY_KEY", "sk-mine")
        assert key_from("MY_KEY", "http://127.0.0.1:9/v1") == "sk-mine"
        assert key_from("MY_KEY", None) == "sk-mine"
        assert key_from(None, "http://127.0.0.1:9/v1") is None

    @pytest.mark.parametrize("value", [None, ""])
    def test_a_variable_that_is_not_set_is_named(self, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
        monkeypatch.delenv("MY_KEY", raising=False)
        if value is not None:
            monkeypatch.setenv("MY_KEY", value)
        with pytest.raises(UsageError, match=r"'MY_KEY' is not set.+leave out --api-key-env"):
            key_from("MY_KEY", None)

    @pytest.mark.parametrize("variable", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
    def test_the_hugging_face_token_is_refused_to_other_servers(self, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
        monkeypatch.setenv(variable, SECRET)
        with pytest.raises(UsageError, match=r"never sent to 'huggingface\.co\.evil\.com'") as caught:
            key_from(variable, "https://huggingface.co.evil.com/v1")
        assert SECRET not in str(caught.value)
        assert key_from(variable, "https://router.huggingface.co/v1") == SECRET
        assert key_from(variable, None) == SECRET


class TestCheckKey:
    @pytest.mark.parametrize("key", [SECRET, "api_org_planted", "logged-in-with-this"])
    def test_a_hugging_face_token_is_known_by_its_value_too(self, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
        monkeypatch.setenv("HF_TOKEN", "logged-in-with-this")
        monkeypatch.setenv("MY_KEY", key)
        refusals: list[Callable[[], object]] = [
            lambda: check_key(key, ELSEWHERE),
            lambda: key_from("MY_KEY", ELSEWHERE),
            lambda: key_from("MY_KEY", "http://127.0.0.1:9/v1"),
            lambda: InferenceTeacher("m", ELSEWHERE, api_key=key),
            lambda: InferenceTeacher("m", f"https://me:{key}@teacher.example.org/v1"),
            lambda: open_teacher(TeacherSpec(model="m", base_url=ELSEWHERE, api_key_env="MY_KEY")),
        ]
        for refused in refusals:
            with pytest.raises(UsageError, match=r"never sent to '(teacher\.example\.org|127\.0\.0\.1)'") as caught:
                refused()
            assert key not in str(caught.value)
        assert key_from("MY_KEY", "https://router.huggingface.co/v1") == key

    @pytest.mark.parametrize(
        "command",
        [
            "synthesize --seeds stdlib --n 1 --model m --base-url URL --api-key-env NAME --out OUT",
            "preview --seeds stdlib --n 1 --model m --base-url URL --api-key-env NAME",
            "evaluate --task humaneval --model m --base-url URL --api-key-env NAME --out OUT",
        ],
        ids=lambda command: command.split()[0],
    )
    @pytest.mark.parametrize("name", ["HF_TOKEN", "MY_KEY"])
    def test_no_command_sends_it_to_another_host(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, name: str
    ) -> None:
        monkeypatch.setenv(name, SECRET)
        with LocalTeacher() as server:
            words = command.replace("URL", server.base_url).replace("NAME", name).replace("OUT", str(tmp_path / "out")).split()
            done = CliRunner().invoke(cli, words)
        assert isinstance(done.exception, UsageError), done.output
        assert "never sent to" in str(done.exception)
        assert SECRET not in str(done.exception) + done.output
        assert not server.requests
        assert not (tmp_path / "out").exists()

    def test_a_key_without_a_server_is_refused_by_evaluate(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("MY_KEY", "sk-mine")
        words = ["evaluate", "--task", "humaneval", "--model", "m", "--api-key-env", "MY_KEY", "--out", str(tmp_path / "out")]
        refused = CliRunner().invoke(cli, words).exception
        assert isinstance(refused, UsageError)
        assert "--base-url" in str(refused)
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("endpoint", ["http://hub.example.org", "http://huggingface.co", "http://127.0.0.1.example.org"])
def test_no_hub_gets_the_token_in_plain_text(endpoint: str) -> None:
    with pytest.raises(UsageError, match="not encrypted"):
        check_hub(endpoint)


def test_an_empty_address_of_the_hub_is_called_empty() -> None:
    with pytest.raises(UsageError, match="HF_ENDPOINT is empty"):
        check_hub("")


@pytest.mark.parametrize(
    "endpoint", ["https://huggingface.co", "https://hub.example.org", "http://127.0.0.1:9", "http://[::1]:9"]
)
def test_a_hub_of_ones_own_gets_the_token(endpoint: str) -> None:
    check_hub(endpoint)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:s3cret@host/v1", "https://***@host/v1"),
        ("https://host/v1?key=s3cret&alt=json", "https://host/v1?key=***&alt=json"),
        ("https://host/d1?api-version=2024-06-01&api-key=s3cret#x", "https://host/d1?api-version=2024-06-01&api-key=***#x"),
        ("--base-url 'https://host/?access_token=s3cret' --out o", "--base-url 'https://host/?access_token=***' --out o"),
        ("http://localhost:8080/v1", "http://localhost:8080/v1"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert redacted(url) == shown


@pytest.mark.parametrize("name", ["api_key", "API-KEY", "apikey", "key", "access_token", "Authorization", "password"])
def test_secrets_are_known_by_their_names(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["max_tokens", "top_k", "chat_template_kwargs", "keyboard", "monkey", "stop_token_ids"])
def test_other_names_hold_none(name: str) -> None:
    assert not is_secret_name(name)
