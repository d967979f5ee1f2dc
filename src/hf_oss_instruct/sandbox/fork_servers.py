"""The fork servers of this process: one for each tier and set of libraries, started when needed, kept, replaced when broken."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import socket
import subprocess
import tempfile
import threading

from hf_oss_instruct.errors import SandboxError
from hf_oss_instruct.sandbox import monitor
from hf_oss_instruct.sandbox.inside import folders
from hf_oss_instruct.sandbox.job_spec import ForkServerKey
from hf_oss_instruct.sandbox.mounts import INSIDE, PASSWD, PYTHON, bubblewrap, readable, shown_at

START_S = 60.0  # seconds a fork server may need to load its libraries on a busy machine
# As -I, but for PYTHONHASHSEED; the environment is empty.
_BOOT = ("-s", "-P", "-c", "import sys; sys.path.insert(0, sys.argv.pop(1)); from inside.fork_server import main; main()")

_kept: dict[tuple[int, ForkServerKey], ForkServer] = {}
_retired: list[tuple[int, ForkServer]] = []
_lock = threading.Lock()


class ForkServer:
    """A fork server that is running.

    Args:
        key: name of the tier, libraries to load beforehand, folders they lie in, further files and folders a program may read,
            and the seed of the hashes of strings.

    Attributes:
        given_up: whether this process gave it up, so that what it was running is not tried again.

    Raises:
        SandboxError: it did not start; the message holds what it said.
    """

    given_up = False

    def __init__(self, key: ForkServerKey) -> None:
        self._base: str | None = None
        self._said = os.memfd_create("fork-server")
        try:
            self._control, self._process = self._start(key)
        except OSError as error:
            raise SandboxError(f"the sandbox {key[0]} could not be started: {error}") from error
        if not select.select([self._control], [], [], START_S)[0] or self._control.recv(16) != b"ready":
            self.close()
            raise SandboxError(f"the sandbox {key[0]} does not start here: {self.said() or 'it gave no reason'}")

    def _start(self, key: ForkServerKey) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        tier, preload, packages, roots, hash_seed = key
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        passwd = os.memfd_create("passwd")
        os.write(passwd, PASSWD)
        os.lseek(passwd, 0, os.SEEK_SET)
        reach = readable([*packages, *roots])
        if tier != "bubblewrap":
            self._base = tempfile.mkdtemp(prefix="oss-instruct-runs-")
            os.chmod(self._base, 0o711)  # an ordinary user, as which root's programs run, must get through
        spec = {
            "tier": tier,
            "preload": preload,
            "packages": [shown_at(path, tier) for path in packages],
            "reach": reach,
            "control": theirs.fileno(),
            "base": self._base,
        }
        seeded = ["/usr/bin/env", f"PYTHONHASHSEED={hash_seed}"] if hash_seed is not None else []
        serve = [*seeded, shown_at(PYTHON, tier), *_BOOT, shown_at(str(INSIDE.parent), tier), "serve", json.dumps(spec)]
        then = bubblewrap([*packages, *roots], passwd, serve) if tier == "bubblewrap" else serve
        first = {"tier": tier, "reach": [*reach, *([self._base] if self._base else [])], "then": then}
        with theirs, open(passwd, "rb"):
            process = subprocess.Popen(
                [PYTHON, *_BOOT, str(INSIDE.parent), "descend", json.dumps(first)],
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                pass_fds=[theirs.fileno(), passwd],
                start_new_session=True,
            )
        return ours, process

    def launch(self, fds: list[int]) -> None:
        """Start a run.

        Raises:
            OSError: the fork server is gone.
        """
        socket.send_fds(self._control, [b"run"], fds)

    def said(self) -> str:
        """What it wrote to stderr."""
        return os.pread(self._said, 2000, 0).decode(errors="replace").strip()

    def retire(self) -> None:
        """Give it no more runs; it ends by itself when the last one is over."""
        self._control.close()

    @property
    def ended(self) -> bool:
        """Whether it is gone, and everything it ran."""
        return self._process.poll() is not None

    def close(self) -> None:
        """End it and everything it runs."""
        self.retire()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._base:
            with contextlib.suppress(OSError):
                folders.remove(self._base)


def fork_server(key: ForkServerKey) -> ForkServer:
    """The fork server of this process for a key, started if there is none. Safe to call from threads."""
    with _lock:
        place = (os.getpid(), key)  # a fork of this process starts its own
        if place not in _kept:
            _kept[place] = ForkServer(key)
        return _kept[place]


def discard(key: ForkServerKey, broken: ForkServer) -> None:
    """Give no more runs to a fork server in which one failed; the next run starts another. Those that it still runs go on."""
    with _lock:
        if _kept.get((os.getpid(), key)) is broken:
            del _kept[(os.getpid(), key)]
            _retired.append((os.getpid(), broken))
            broken.retire()
        for gone in [place for place in _retired if place[0] == os.getpid() and place[1].ended]:
            _retired.remove(gone)
            gone[1].close()


@atexit.register
def close_all() -> None:
    """End every fork server of this process."""
    for one in _taken():
        with contextlib.suppress(OSError):
            one.close()


def give_up() -> None:
    """End what runs now, which fails with a `SandboxError`, and the fork servers of this process; later runs start others."""
    mine = _taken()
    for one in mine:
        one.given_up = True
    monitor.stop_all()
    for one in mine:
        with contextlib.suppress(OSError):
            one.close()


def _taken() -> list[ForkServer]:
    """The fork servers of this process, which from now on nobody else has."""
    with _lock:
        mine = [_kept.pop(place) for place in list(_kept) if place[0] == os.getpid()]
        mine += [one for pid, one in _retired if pid == os.getpid()]
        _retired.clear()
    return mine
