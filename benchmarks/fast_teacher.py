"""A teacher that costs next to nothing: OpenAI protocol on the loopback, a well-formed answer after a set latency.

python benchmarks/fast_teacher.py --latency-ms 200        # prints its port; GET /stats for counters
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import deque

try:
    import uvloop
except ImportError:  # the server takes more of the machine then
    uvloop = None

WORDS = "queue cache parser index buffer matrix graph token socket shard tensor ledger route session".split()


class Teacher(asyncio.Protocol):
    """One connection."""

    stats = {"total": 0, "answered": 0, "in_flight": 0, "max_in_flight": 0, "connections": 0}  # noqa: RUF012  # shared on purpose
    latency_s = 0.2
    faults = tested = False
    rpm = 0
    accepted: deque[float] = deque()  # noqa: RUF012  # when requests of the last second were let in

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.received, self.keeps_alive = transport, b"", True
        self.stats["connections"] += 1

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end].lower()
            self.keeps_alive = b"connection: close" not in head
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0]) if b"content-length:" in head else 0
            if len(self.received) < end + 4 + length:
                return
            self.received = self.received[end + 4 + length :]
            if head.startswith(b"get"):
                self.write(json.dumps(self.stats).encode())
            else:
                self.ask()

    def ask(self) -> None:
        stats = self.stats
        stats["total"] += 1
        stats["in_flight"] += 1
        stats["max_in_flight"] = max(stats["max_in_flight"], stats["in_flight"])
        later = asyncio.get_running_loop().call_later
        chance = random.random() if self.faults else 1.0
        if self.rpm and self.too_many():
            later(0.002, self.refuse, b"429 Too Many Requests")
        elif chance < 0.12:  # 10 % busy, 2 % broken, at once
            later(
                0.002, self.refuse, b"429 Too Many Requests\r\nRetry-After: 1" if chance < 0.10 else b"500 Internal Server Error"
            )
        elif chance < 0.14:
            later(self.latency_s, self.drop if chance < 0.13 else id, None)  # connection reset; never answered
        else:
            later(self.latency_s, self.answer, stats["total"], "cut" if chance < 0.16 else "garbage" if chance < 0.18 else "")

    def too_many(self) -> bool:
        now = time.monotonic()
        while self.accepted and self.accepted[0] <= now - 1:
            self.accepted.popleft()
        if len(self.accepted) >= self.rpm / 60:
            return True
        self.accepted.append(now)
        return False

    def refuse(self, status: bytes) -> None:
        self.stats["in_flight"] -= 1
        body = b'{"error": {"message": "not now"}}'
        self.transport.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))

    def drop(self, _: None) -> None:
        self.stats["in_flight"] -= 1
        self.transport.abort()

    def answer(self, number: int, fault: str = "") -> None:
        self.stats["in_flight"] -= 1
        self.stats["answered"] += 1
        words = " ".join(WORDS[(number * step) % len(WORDS)] for step in range(1, 120))
        code = "\n".join(f"    step_{step} = {number} * {step}" for step in range(20))
        text = f"[Problem Description]\nProblem {number}: {words}.\n\n[Solution]\n```python\ndef solve_{number}():\n{code}\n```"
        if self.tested:
            words = " ".join(random.Random(number).choices(WORDS, k=60))  # no near duplicates
            text = f"[Problem Description]\nProblem {number}: {words}.\n\n{tested(number)}"
        text = text[:300] if fault == "cut" else "I am sorry." if fault == "garbage" else text
        finish = "length" if fault == "cut" else "stop"
        message = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        usage = {"prompt_tokens": 400, "completion_tokens": 560, "total_tokens": 960}
        body = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "system_fingerprint": "fp"}
        self.write(json.dumps(body | {"choices": [message], "usage": usage}).encode())

    def write(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        if not self.transport.is_closing():
            self.transport.write(head + body)  # type: ignore[attr-defined]
            if not self.keeps_alive:
                self.transport.close()


def tested(number: int) -> str:
    """A solution with 8 mutants and its 10 tests, as sections of an answer."""
    code = (
        f"def clamp_{number}(x, low=0, high={number + 9}):\n    if low > high:\n        raise ValueError('low > high')\n"
        "    if x < low:\n        return low\n    if x > high:\n        return high\n    return x * 1\n"
    )
    values = [-2, -1, 0, 1, 5, number + 8, number + 9, number + 10, number + 11, number + 50]
    tests = "\n".join(
        f"def test_{at}():\n    assert clamp_{number}({value}) == {min(max(value, 0), number + 9)}\n"
        for at, value in enumerate(values)
    )
    return f"[Solution]\n```python\n{code}```\n\n[Tests]\n```python\n{tests}```"


async def serve(latency_s: float, faults: bool, rpm: int, with_tests: bool) -> None:
    Teacher.latency_s, Teacher.faults, Teacher.rpm, Teacher.tested = latency_s, faults, rpm, with_tests
    server = await asyncio.get_running_loop().create_server(Teacher, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--latency-ms", type=float, default=200.0)
    options.add_argument(
        "--faults", action="store_true", help="10 %% 429, 2 %% 500, 2 %% cut, 2 %% garbage, 1 %% reset, 1 %% hang"
    )
    options.add_argument("--rpm", type=int, default=0, help="requests per minute, by the last second; 429 above")
    options.add_argument("--tests", action="store_true", help="answers with a solution and ten tests of it")
    chosen = options.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if uvloop else None) as runner:
        runner.run(serve(chosen.latency_ms / 1000, chosen.faults, chosen.rpm, chosen.tests))
