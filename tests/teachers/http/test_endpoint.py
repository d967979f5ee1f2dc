"""Where a request goes: base URLs as providers document them, headers that carry the key, proxies."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from hf_oss_instruct.data import Completion, Provenance, Request, Seed
from hf_oss_instruct.errors import TeacherError, UsageError
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.teachers.http.endpoint import Endpoint
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.teacher import Answer, Exchange, LocalTeacher, Loopback, chat_completion

REQUEST = Request(
    Seed("x = 1", 1, 1, Provenance("corpus", None, "a.py", 0, "python"), "hash/1", 0),
    ({"role": "user", "content": "Teach."},),
    Sampling().as_sent(7),
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1/chat/completions"),
        ("http://[::1]:8000/v1/", "http://[::1]:8000/v1/chat/completions"),
        ("https://a.example.org/v1beta/openai/", "https://a.example.org/v1beta/openai/chat/completions"),
        ("https://a.example.org/api/paas/v4/", "https://a.example.org/api/paas/v4/chat/completions"),
        ("https://a.example.org/api/v3", "https://a.example.org/api/v3/chat/completions"),
        ("https://a.example.org/v1/chat/completions", "https://a.example.org/v1/chat/completions"),
        ("https://a.example.org/x/chat/completions/", "https://a.example.org/x/chat/completions"),
        (
            "https://a.openai.azure.com/openai/deployments/d?api-version=2024-06-01",
            "https://a.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-06-01",
        ),
        ("https://me:pw@a.example.org?x=1#part", "https://a.example.org/v1/chat/completions?x=1"),
    ],
)
def test_a_base_url_is_what_the_provider_says_it_is(base_url: str, url: str) -> None:
    assert Endpoint.of(base_url, None).url == url


@pytest.mark.parametrize(
    ("base_url", "headers"),
    [
        ("https://a.example.org/v1", {"Authorization": "Bearer sk-1"}),
        ("https://me:pw@a.example.org/v1", {"Authorization": "Bearer sk-1"}),
        ("https://a.openai.azure.com/openai/v1", {"api-key": "sk-1"}),
        ("http://gateway.example.org/openai/deployments/d?api-version=1", {"api-key": "sk-1"}),
        ("https://openai.azure.com.example.org/v1", {"Authorization": "Bearer sk-1"}),
    ],
)
def test_the_key_stands_in_the_header_that_the_server_reads(base_url: str, headers: dict[str, str]) -> None:
    endpoint = Endpoint.of(base_url, "sk-1")
    assert endpoint.headers == headers
    assert "sk-1" not in repr(endpoint)


def test_without_a_key_there_is_no_header_and_a_password_is_decoded() -> None:
    assert Endpoint.of("https://a.example.org/v1", None).headers == {}
    sent = Endpoint.of("https://me:p%40ss@a.example.org/v1", None).headers["Authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")) == b"me:p@ss"


class Proxy(Loopback):
    """A proxy that answers in the name of whoever is asked for."""

    def __init__(self, status: int = 200) -> None:
        super().__init__()
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.status = status

    def respond(self, exchange: Exchange) -> None:
        headers = {name.lower(): value for name, value in exchange.headers.items()}
        self.seen.append((exchange.command, exchange.path, headers))
        if self.status != 200 or exchange.command == "CONNECT":
            exchange.send(self.status if self.status != 200 else 502, b"Proxy says no", {"Content-Type": "text/plain"})
        else:
            exchange.send(200, json.dumps(chat_completion(json.loads(exchange.body), Answer(text="fine"))).encode())


def ask(base_url: str, transport: str = "aiohttp", **options: Any) -> Completion | Exception:
    async def once() -> Completion | Exception:
        teacher = InferenceTeacher("m", base_url, transport=transport, **options)
        try:
            return await teacher.complete(REQUEST)
        except Exception as error:
            return error
        finally:
            await teacher.close()

    return asyncio.run(once())


BOTH = pytest.mark.parametrize("transport", ["aiohttp", "huggingface_hub"])


@BOTH
def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, transport: str) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("//", "//me:pw@"))
        answer = ask("http://teacher.example.org/v1", transport, api_key="sk-1")
    assert isinstance(answer, Completion), repr(answer)
    [(command, path, headers)] = proxy.seen
    assert (command, path) == ("POST", "http://teacher.example.org/v1/chat/completions")
    assert headers["proxy-authorization"] == "Basic " + base64.b64encode(b"me:pw").decode()
    assert headers["authorization"] == "Bearer sk-1"


@BOTH
@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "*", "example.org,127.0.0.1"])
def test_no_proxy_goes_around_it(monkeypatch: pytest.MonkeyPatch, transport: str, no_proxy: str) -> None:
    with Proxy() as proxy, LocalTeacher() as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", no_proxy)
        assert isinstance(ask(server.base_url, transport), Completion)
        assert not proxy.seen


def test_a_tunnel_gets_the_proxys_password_and_not_the_servers_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy(status=407) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//me:s3cret@"))
        error = ask("https://teacher.example.org/v1", api_key="sk-1")
    [(command, path, headers)] = proxy.seen
    assert (command, path) == ("CONNECT", "teacher.example.org:443")
    assert headers["proxy-authorization"] == "Basic " + base64.b64encode(b"me:s3cret").decode()
    assert "authorization" not in headers
    assert isinstance(error, TeacherError)
    assert "HTTPS_PROXY" in str(error)
    assert "s3cret" not in str(error)


def test_a_proxy_that_is_none_is_said_at_once_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://me:s3cret@proxy.example.org:1080")
    with pytest.raises(UsageError, match="NO_PROXY") as caught:
        InferenceTeacher("m", "http://teacher.example.org/v1")
    assert "s3cret" not in str(caught.value)
