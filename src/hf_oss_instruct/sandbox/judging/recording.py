"""Record the checks of Python tests, with the values they expect, in a run without the program."""

from __future__ import annotations

import json
import secrets
from functools import lru_cache
from typing import Any

from hf_oss_instruct.sandbox.inside import values
from hf_oss_instruct.sandbox.judging.python_checks import read
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.sandbox.run import run_program

MAX_CHECKS = 10_000
RECORDING = Limits(cpu_s=10.0, wall_s=120.0, memory_mib=2048, output_bytes=16 << 20)


@lru_cache(maxsize=256)
def recorded(
    tests: tuple[str, ...], entry_point: str = "", tier: str | None = None, packages: tuple[str, ...] = ()
) -> tuple[list[Any] | None, ...]:
    """Record the checks of several tests, in one run without the program.

    Args:
        tests: source code of each test; they share no names.
        entry_point: the tested function, if known.
        tier: name of a sandbox tier, see `run_program`.
        packages: as of `run_program`.

    Returns:
        For each test, its checks with expected values, for `judge_checks`; None if it must run in the program's process.
    """
    scripts = [read(text, entry_point) for text in tests]
    texts = [script for script in scripts if script is not None]
    if not texts:
        return (None,) * len(tests)
    nonce = secrets.token_hex(16)
    harness = f"if __name__ == '__main__':\n    from inside import record_checks\n    record_checks.record({nonce!r})\n"
    files = {"tests.json": json.dumps(texts).encode()}
    ran = run_program(harness, files=files, limits=RECORDING, tier=tier, packages=packages)
    parts = iter(ran.stdout.split(f"{nonce}\n") if ran.status == "ok" else [])
    return tuple(None if script is None else _trees(next(parts, "")) for script in scripts)


def _trees(text: str) -> list[Any] | None:
    lines = text.split("\n")[:-1]
    # Without a check, a test would pass with every program.
    if not 0 < len(lines) <= MAX_CHECKS or lines[-1] == "other":
        return None
    try:
        return [values.loads(line) for line in lines]
    except values.NotPlainValueError:
        return None
