"""How far a program gets beyond each limit: what was asked for, and what was reached, in each tier of this machine.

    python benchmarks/limits.py

Each row is one program that takes a resource step by step and says how far it came. `asked` is the limit, `reached` the last
step it announced (or the figure the run reports); the status is what ended it. Prints a Markdown table.
"""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass
from typing import Any

from hf_oss_instruct.sandbox.backends import available_tiers
from hf_oss_instruct.sandbox.limits import Execution, Limits
from hf_oss_instruct.sandbox.run import run_program

HEAD = """
import ctypes, fcntl, mmap, os, signal, socket, threading, time
libc = ctypes.CDLL(None); libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
MIB, kept = 1 << 20, []
def reached(amount): os.write(1, b'REACHED %d\\n' % amount)
"""
MEMORY = "for n in range(100):\n    {take}\n    reached(4 * (n + 1))"
SPIN = "    while time.process_time() < {each}: pass\n    os._exit(0)"


@dataclass(frozen=True)
class Row:
    """One resource: what is taken, which limit is asked for, in which unit, and where the figure comes from."""

    resource: str
    limit: str
    asked: float
    unit: str
    source: str
    figure: str = "said"  # by the program; `wall` for seconds to the answer, or a field of the execution


ROWS = (
    Row("wall time, asleep", "wall_s", 1, "s", "time.sleep(9)", "wall"),
    Row("wall time, 24 sessions that spin", "wall_s", 1, "s",
        "for _ in range(24):\n    if not os.fork():\n        os.setsid()\n        while True: pass\nwhile True: pass", "wall"),
    Row("CPU time, one process", "cpu_s", 1, "s", "while True: pass", "cpu_s"),
    Row("CPU time, four processes", "cpu_s", 1, "s", "os.fork(); os.fork()\nwhile True: pass", "cpu_s"),
    Row("CPU time, children that the kernel reaps", "cpu_s", 1, "s",
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nwhile True:\n  if not os.fork():\n" + SPIN.format(each=0.2)
        + "\n  try: os.wait()\n  except OSError: pass\n  reached(0)", "cpu_s"),
    Row("CPU time, grandchildren", "cpu_s", 1, "s",
        "while True:\n  a, b = os.pipe()\n  if not os.fork():\n    if os.fork(): os._exit(0)\n" + SPIN.format(each=0.2)
        + "\n  os.close(b); os.wait(); os.read(a, 1); os.close(a)", "cpu_s"),
    Row("memory, one process", "memory_mib", 96, "MiB", MEMORY.format(take="kept.append(bytearray(b'x') * (4 * MIB))")),
    Row("memory, a name that is no text", "memory_mib", 96, "MiB",
        "libc.prctl(15, b'\\xff)')\n" + MEMORY.format(take="kept.append(bytearray(b'x') * (4 * MIB))")),
    Row("memory, shared pages out of view", "memory_mib", 96, "MiB", MEMORY.format(
        take="m = mmap.mmap(-1, 4 * MIB); m.write(bytes(4 * MIB)); m.madvise(mmap.MADV_DONTNEED); kept.append(m)")),
    Row("memory, one page kept of each shared mapping", "memory_mib", 96, "MiB", MEMORY.format(
        take="p = libc.mmap(None, 4 * MIB, 3, 33, -1, 0); ctypes.memset(p, 1, 4 * MIB); libc.munmap(p + 4096, 4 * MIB - 4096)")),
    Row("memory, many processes", "memory_mib", 96, "MiB",
        "for n in range(40):\n    a, b = os.pipe()\n    if not os.fork():\n        x = bytearray(b'x') * (8 * MIB)\n"
        "        os.write(b, b'.'); time.sleep(9)\n    os.read(a, 1); reached(8 * (n + 1))"),
    Row("memory, buffers of sockets", "memory_mib", 96, "MiB",
        "held = 0\nfor n in range(240):\n    for s in socket.socketpair():\n        s.setblocking(False); kept.append(s)\n"
        "        try:\n            while True: held += s.send(bytes(4096))\n        except OSError: pass\n"
        "    reached(held >> 20)"),
    Row("memory, buffers of pipes", "memory_mib", 48, "MiB",
        "held = 0\nfor n in range(240):\n    a, b = os.pipe(); os.set_blocking(b, False)\n    try: fcntl.fcntl(b, 1031, MIB)\n"
        "    except OSError: pass\n    try:\n        while True: held += os.write(b, bytes(4096))\n    except OSError: pass\n"
        "    reached(held >> 20)"),
    Row("processes", "processes", 16, "", "for n in range(200):\n    if not os.fork(): time.sleep(9)\n    reached(n + 2)"),
    Row("threads", "processes", 16, "",
        "for n in range(200):\n    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n    reached(n + 2)"),
    Row("one file", "disk_mib", 8, "MiB",
        "f = open('f', 'wb', 0)\nfor n in range(40):\n    f.write(bytes(MIB)); reached(f.tell() >> 20)"),
    Row("many files", "disk_mib", 8, "MiB",
        "for n in range(400):\n    open(str(n), 'wb').write(bytes(MIB)); reached(n + 1)"),
    Row("files that are removed and mapped", "disk_mib", 8, "MiB",
        "for n in range(400):\n    f = os.open('f', 66); os.write(f, bytes(MIB)); libc.mmap(None, 4096, 1, 1, f, 0)\n"
        "    os.unlink('f'); os.close(f); reached(n + 1)"),
    Row("number of files (16,384 at most)", "disk_mib", 64, "MiB",
        "for n in range(60_000):\n    open(str(n), 'w').close()\n    if n % 100 == 0: reached(n)"),
    Row("`/dev/shm`", "disk_mib", 8, "MiB",
        "f = open('/dev/shm/f', 'wb', 0)\nfor n in range(40):\n    f.write(bytes(MIB)); reached(f.tell() >> 20)"),
    Row("output", "output_bytes", 65_536, "bytes", "while True: os.write(1, b'x' * 4096)", "kept"),
)  # fmt: skip


def reached(row: Row, ran: Execution, seconds: float) -> float:
    """The figure of a row."""
    if row.figure == "said":
        return max(map(int, re.findall(r"^REACHED (\d+)$", ran.stdout, re.MULTILINE)), default=0)
    figures: dict[str, Any] = {"wall": seconds, "cpu_s": ran.cpu_s, "kept": len(ran.stdout) + len(ran.stderr)}
    return float(figures[row.figure])


def main() -> None:
    """Print the table."""
    tiers = [tier.name for tier in available_tiers()]
    if not tiers:
        sys.exit("this machine has no sandbox: hf-oss-instruct env says why")
    print(f"| resource | asked | {' | '.join(f'reached in {tier}' for tier in tiers)} |\n|---|--:|{'---|' * len(tiers)}")
    for row in ROWS:
        cells = []
        limits = Limits(**({"cpu_s": 8, "wall_s": 10} | {row.limit: row.asked}))  # type: ignore[arg-type]
        for tier in tiers:
            started = time.monotonic()
            ran = run_program(HEAD + row.source, limits=limits, tier=tier)
            amount = reached(row, ran, time.monotonic() - started)
            cells.append(f"{amount:,.4g} ({ran.status})" if amount < 10_000 else f"{amount:,.0f} ({ran.status})")
        print(f"| {row.resource} | {row.asked:,g} {row.unit} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
