"""inspect_ai finds the sandbox by its name, and files stay between commands while nothing reaches the host."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.extras import needs

needs("inspect_ai")


async def story() -> None:
    from inspect_ai.util import SandboxUserUnsupportedError

    from hf_oss_instruct.rewards.integrations.inspect_sandbox import OssInstructSandbox

    (sandbox,) = (await OssInstructSandbox.sample_init("task", None, {})).values()
    await sandbox.write_file("src/given.txt", "seven ✨\n")
    done = await sandbox.exec(["sh", "-c", "cat src/given.txt; wc -c < src/given.txt > size.txt; echo $WHO >&2; cat"],
                              input="typed", env={"WHO": "me"})  # fmt: skip
    assert (done.success, done.stdout, done.stderr) == (True, "seven ✨\ntyped", "me\n")
    assert (await sandbox.read_file("/tmp/size.txt")).strip() == "10"
    done = await sandbox.exec(["sh", "-c", "rm ../size.txt; pwd; exit 3"], cwd="src")
    assert (done.returncode, done.stdout) == (3, "/tmp/src\n")
    with pytest.raises(FileNotFoundError):
        await sandbox.read_file("size.txt")
    with pytest.raises(IsADirectoryError):
        await sandbox.read_file("src")
    await sandbox.write_file("binary", b"\xc3\x28")
    assert await sandbox.read_file("binary", text=False) == b"\xc3\x28"
    with pytest.raises(UnicodeDecodeError):
        await sandbox.read_file("binary")
    assert (await sandbox.exec(["no-such-command"])).returncode == 127
    with pytest.raises(TimeoutError):
        await sandbox.exec(["sleep", "60"], timeout=1)
    with pytest.raises(SandboxUserUnsupportedError):
        await sandbox.exec(["true"], user="root")
    for path in ("/etc/passwd", "../outside"):
        with pytest.raises(PermissionError):
            await sandbox.write_file(path, "x")
    assert (await sandbox.exec(["sh", "-c", f"cat {Path(__file__)}"])).returncode != 0


def test_files_stay_between_commands_and_the_host_is_out_of_reach() -> None:
    asyncio.run(story())
