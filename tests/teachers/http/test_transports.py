"""Connections of both transports: kept alive, as many as asked for, cut anywhere; where a request may go, how much is read."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.data import Completion
from hf_oss_instruct.errors import RetryableError, TeacherError
from hf_oss_instruct.teachers.http.client import MAX_ANSWER_BYTES, HttpClient
from hf_oss_instruct.teachers.http.transports import CONNECTIONS, AiohttpTransport, HubTransport, Transport
from tests.support.teacher import Answer, Exchange, LocalTeacher, Loopback, chat_completion

MESSAGES = [{"role": "user", "content": "Teach."}]
BODY = json.dumps(chat_completion({"messages": MESSAGES}, Answer(text="fine"))).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture(autouse=True)
def _plain_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy, and no certificates: nothing here speaks TLS, and each client would read the machine's."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


def aiohttp_transport(base_url: str, concurrency: int = 1, timeout_s: float = 30.0) -> Transport:
    return AiohttpTransport(HttpClient(base_url, "sk-1", timeout_s))


def hub_transport(base_url: str, concurrency: int = 1, timeout_s: float = 30.0) -> Transport:
    return HubTransport(base_url, "sk-1", timeout_s, concurrency)


Make = Callable[..., Transport]
BOTH = pytest.mark.parametrize("make", [aiohttp_transport, hub_transport])


def using(transport: Transport, work: Callable[[Transport], Awaitable[Any]]) -> Any:
    """Run some work in an event loop of its own, and close the transport."""

    class Closing:
        aclose = transport.close

    async def main() -> Any:
        async with aclosing(Closing()):
            return await work(transport)

    return asyncio.run(main())


async def ask(transport: Transport) -> Completion | Exception:
    try:
        return await transport.chat("m", MESSAGES, {"max_tokens": 9})
    except Exception as error:
        return error


def one_after_another(number: int) -> Callable[[Transport], Awaitable[list[Any]]]:
    async def work(transport: Transport) -> list[Any]:
        return [await ask(transport) for _ in range(number)]

    return work


class Gathering(Loopback):
    """Answers only when a number of requests are there at once."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._all_here = threading.Barrier(number, timeout=20)

    def respond(self, exchange: Exchange) -> None:
        self._all_here.wait()
        exchange.send(200, BODY)


class Scripted:
    """A server that sends the same bytes to every request and closes the connection, in the client's own event loop."""

    def __init__(self, sent: bytes) -> None:
        self._sent, self.requests = sent, 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        self.requests += 1
        writer.write(self._sent)
        writer.close()


def answers_of(script: Scripted, make: Make, number: int = 1) -> list[Any]:
    async def main() -> list[Any]:
        async with await asyncio.start_server(script, "127.0.0.1", 0) as server:
            transport = make(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
            try:
                return [await ask(transport) for _ in range(number)]
            finally:
                await transport.close()

    return asyncio.run(main())


class TestPool:
    @BOTH
    def test_one_connection_serves_one_request_after_another(self, make: Make) -> None:
        with LocalTeacher() as server:
            answers = using(make(server.base_url), one_after_another(20))
        assert [type(answer) for answer in answers] == [Completion] * 20
        assert server.connections == 1

    @BOTH
    def test_more_than_a_hundred_requests_are_in_flight_at_once_and_their_connections_are_used_again(self, make: Make) -> None:
        """Both libraries stop at 100 unless told otherwise."""
        number = 8 * CONNECTIONS

        async def two_waves(transport: Transport) -> list[Any]:
            return [await asyncio.gather(*(ask(transport) for _ in range(number))) for _ in range(2)]

        with Gathering(number) as server:
            waves = using(make(server.url, concurrency=number), two_waves)
        assert [type(answer) for wave in waves for answer in wave] == [Completion] * 2 * number
        assert server.connections == number

    @BOTH
    def test_each_event_loop_has_connections_of_its_own_and_closing_closes_them(self, make: Make) -> None:
        with LocalTeacher() as server:
            transport = make(server.base_url)
            for _ in range(2):
                [answer] = using(transport, one_after_another(1))
                assert isinstance(answer, Completion)
            asyncio.run(transport.close())  # nothing is open any more
        assert server.connections == 2

    @BOTH
    def test_a_copy_for_another_process_takes_no_connections_along(self, make: Make) -> None:
        with LocalTeacher() as server:
            transport = make(server.base_url)

            async def from_a_copy(_: Transport) -> Any:
                first = await ask(transport)
                copy = pickle.loads(pickle.dumps(transport))
                second = await ask(copy)
                await copy.close()
                return first, second

            assert [type(answer) for answer in using(transport, from_a_copy)] == [Completion] * 2
        assert server.connections == 2


class TestCut:
    @BOTH
    @pytest.mark.parametrize(
        "sent",
        [
            pytest.param(b"", id="before the head"),
            pytest.param(HEAD, id="in the head"),
            pytest.param(WHOLE[:-1], id="in the body"),
            pytest.param(HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"id\r\n', id="between chunks"),
        ],
    )
    def test_a_connection_that_is_cut_means_ask_again_a_server_that_was_there(self, make: Make, sent: bytes) -> None:
        script = Scripted(sent)
        [error] = answers_of(script, make)
        assert isinstance(error, RetryableError), repr(error)
        assert error.reached
        assert script.requests == 1  # retries are counted and paid for one place above

    @BOTH
    def test_a_server_that_closes_after_each_answer_is_served_by_new_connections(self, make: Make) -> None:
        script = Scripted(WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        assert [type(answer) for answer in answers_of(script, make, 3)] == [Completion] * 3
        assert script.requests == 3

    @BOTH
    def test_no_answer_in_time_frees_the_line_for_the_next(self, make: Make) -> None:
        answers = iter([Answer(hang=True), Answer(text="fine")])
        with LocalTeacher(lambda _: next(answers)) as server:
            late, next_one = using(make(server.base_url, timeout_s=0.3), one_after_another(2))
        assert isinstance(late, RetryableError)
        assert str(late) == "no answer within 0.3 s"
        assert isinstance(next_one, Completion)


class TestAiohttp:
    """What only our own transport guarantees."""

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_refused_with_its_host(self, status: int) -> None:
        with LocalTeacher() as other:
            away = Answer(status=status, raw=b"", headers={"Location": f"{other.base_url}/chat/completions"})
            with LocalTeacher(lambda _: away) as server:
                [error] = using(aiohttp_transport(server.base_url), one_after_another(1))
        assert isinstance(error, TeacherError)
        assert f"redirects to {other.url.removeprefix('http://')}, which is not followed" in str(error)
        assert not other.requests

    @pytest.mark.parametrize("framing", [b"Content-Length: %d\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n%x\r\n", b"\r\n"])
    @pytest.mark.parametrize(("size", "taken"), [(MAX_ANSWER_BYTES, True), (MAX_ANSWER_BYTES + 1, False)])
    def test_an_answer_is_read_up_to_a_size_however_it_is_framed(self, framing: bytes, size: int, taken: bool) -> None:
        body = BODY + b" " * (size - len(BODY))
        end = b"\r\n0\r\n\r\n" if b"chunked" in framing else b""
        [answer] = answers_of(Scripted(HEAD + (framing % size if b"%" in framing else framing) + body + end), aiohttp_transport)
        if taken:
            assert isinstance(answer, Completion), repr(answer)
        else:
            assert isinstance(answer, RetryableError), repr(answer)
            assert str(answer) == "the answer is larger than 16,777,216 bytes"

    def test_neither_cookies_nor_netrc_are_used(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password s3cret\n")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        with LocalTeacher(lambda _: Answer(headers={"Set-Cookie": "session=s3cret"})) as server:
            using(AiohttpTransport(HttpClient(server.base_url, None, 30.0)), one_after_another(2))
        for request in server.requests:
            assert "cookie" not in request["headers"]
            assert "authorization" not in request["headers"]

    def test_a_header_of_32_kb_is_read(self) -> None:
        with LocalTeacher(lambda _: Answer(headers={"Content-Security-Policy": "x" * 2**15})) as server:
            [answer] = using(aiohttp_transport(server.base_url), one_after_another(1))
        assert isinstance(answer, Completion)

    @BOTH
    def test_a_proxy_of_the_environment_keeps_its_connection_too(self, monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
        class Proxy(Loopback):
            def respond(self, exchange: Exchange) -> None:
                paths.append(exchange.path)
                exchange.send(200, BODY)

        paths: list[str] = []
        with Proxy() as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            answers = using(make("http://teacher.example.org/v1"), one_after_another(3))
        assert [type(answer) for answer in answers] == [Completion] * 3
        assert paths == ["http://teacher.example.org/v1/chat/completions"] * 3
        assert proxy.connections == 1
