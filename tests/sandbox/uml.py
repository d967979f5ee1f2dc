"""A second kernel on this machine: user-mode Linux, which boots in two seconds and has what the kernel below it may lack."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

KERNEL = shutil.which("linux.uml")
INSTALL = "apt-get install user-mode-linux"
_NO_REGISTERS = "ptrace set fp regs failed"
"""What a kernel says that cannot set the registers of this processor: no program starts on it."""
_ENDED = "ENDED WITH"
_INIT = """
export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/mnt TMPDIR=/mnt LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 CI=
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /mnt
mkdir -p /dev/shm
mount -t tmpfs shm /dev/shm
mount -t cgroup2 groups /sys/fs/cgroup
cd {folder}
{command}
echo {ended} $?
echo o > /proc/sysrq-trigger
sleep 60
"""


class UnknownProcessorError(Exception):
    """The kernel is too old for the processor of this machine."""


def run(command: list[str], folder: Path, memory_mib: int = 2048, timeout_s: float = 600) -> tuple[int, str]:
    """Run a command as root of a kernel of its own, with the files of this machine, read-only, and control groups (v2).

    Args:
        command: what to run.
        folder: where.
        memory_mib: what the kernel has.
        timeout_s: seconds after which it is ended.

    Returns:
        The exit code, and everything that was said.

    Raises:
        UnknownProcessorError: no program starts on this kernel here.
    """
    with tempfile.TemporaryDirectory() as place:
        init = Path(place) / "init.sh"
        init.write_text(_INIT.format(folder=shlex.quote(str(folder)), command=shlex.join(command), ended=_ENDED))
        shape = f"mem={memory_mib}M root=/dev/root rootfstype=hostfs rootflags=/ ro quiet con=null con0=fd:0,fd:1".split()
        machine = subprocess.Popen(
            [str(KERNEL), *shape, "init=/bin/sh", "--", str(init)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            output = machine.communicate(timeout=timeout_s)[0].decode(errors="replace")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(machine.pid, signal.SIGKILL)
    if _NO_REGISTERS in output:
        raise UnknownProcessorError
    said, mark, code = output.rpartition(_ENDED)
    assert mark, output
    return int(code.split()[0]), said
