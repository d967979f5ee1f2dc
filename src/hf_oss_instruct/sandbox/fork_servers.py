"""The fork servers of this process: one per tier and set of libraries, started on demand, reused, replaced when broken."""

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

START_S = 60.0  # seconds a fork server may take to load its libraries on a busy machine
# Like -I, except that PYTHONHASHSEED is honored; the environment is otherwise empty.
_BOOT = ("-s", "-P", "-c", "import sys; sys.path.insert(0, sys.argv.pop(1)); from inside.fork_server import main; main()")

_kept: dict[tuple[int, ForkServerKey], ForkServer] = {}
_retired: list[tuple[int, ForkServer]] = []
_lock = threading.Lock()


class ForkServer:
    """A running fork server.

    Args:
        key: tier name, libraries to preload, the folders they are in, further files and folders a program may read, and the value
            of PYTHONHASHSEED.

    Attributes:
        given_up: whether this process stopped it on purpose, so that its runs are not retried.

    Raises:
        SandboxError: it did not start; the message includes its stderr.
    """

    given_up = False

    def __init__(self, key: ForkServerKey) -> None:
        self._base: str | None = None
        # Not a pipe: nobody reads it while runs go on, and a full pipe would block the fork server.
        self._stderr = os.memfd_create("fork-server")
        try:
            self._control, self._process = self._start(key)
        except OSError as error:
            raise SandboxError(f"the sandbox {key[0]} could not be started: {error}") from error
        if not select.select([self._control], [], [], START_S)[0] or self._control.recv(16) != b"ready":
            self.close()
            raise SandboxError(f"the sandbox {key[0]} does not start on this machine: {self.stderr_text() or 'no reason given'}")

    def _start(self, key: ForkServerKey) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        tier, preload, packages, roots, hash_seed = key
        # SEQPACKET keeps messages apart, each with its own file descriptors, and shows when the other side is closed.
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        passwd = os.memfd_create("passwd")
        os.write(passwd, PASSWD)
        os.lseek(passwd, 0, os.SEEK_SET)
        paths = readable([*packages, *roots])
        if tier != "bubblewrap":
            self._base = tempfile.mkdtemp(prefix="oss-instruct-runs-")
            os.chmod(self._base, 0o711)  # if we are root, programs run as an ordinary user, who must be able to pass through
        spec = {
            "tier": tier,
            "preload": preload,
            "packages": [shown_at(path, tier) for path in packages],
            "readable": paths,
            "control_fd": theirs.fileno(),
            "base": self._base,
        }
        # Python reads PYTHONHASHSEED when it starts, long before a run is known, so each seed needs its own fork server.
        seeded = ["/usr/bin/env", f"PYTHONHASHSEED={hash_seed}"] if hash_seed is not None else []
        serve = [*seeded, shown_at(PYTHON, tier), *_BOOT, shown_at(str(INSIDE.parent), tier), "serve", json.dumps(spec)]
        argv = bubblewrap([*packages, *roots], passwd, serve) if tier == "bubblewrap" else serve
        first = {"tier": tier, "readable": [*paths, *([self._base] if self._base else [])], "argv": argv}
        with theirs, open(passwd, "rb"):
            # The environment is empty already here: bwrap's --clearenv leaves that of bwrap's own processes readable from within.
            # The new session keeps Ctrl-C in the caller's terminal from ending runs that the caller wants to finish.
            process = subprocess.Popen(
                [PYTHON, *_BOOT, str(INSIDE.parent), "descend", json.dumps(first)],
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
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

    def stderr_text(self) -> str:
        """Return its standard error."""
        return os.pread(self._stderr, 2000, 0).decode(errors="replace").strip()

    def retire(self) -> None:
        """Send it no more runs; it exits when the last one is over."""
        self._control.close()

    @property
    def ended(self) -> bool:
        """Whether it has exited, with everything it ran."""
        return self._process.poll() is not None

    def close(self) -> None:
        """End it and everything it runs."""
        self.retire()
        try:
            # The closed socket tells it to end; its runs have ended already or are given up.
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._base:
            with contextlib.suppress(OSError):
                folders.remove(self._base)


def fork_server(key: ForkServerKey) -> ForkServer:
    """Return this process's fork server for a key, starting it if needed. Thread-safe."""
    with _lock:
        server_id = (os.getpid(), key)  # a fork of this process starts its own server
        if server_id not in _kept:
            _kept[server_id] = ForkServer(key)
        return _kept[server_id]


def discard(key: ForkServerKey, broken: ForkServer) -> None:
    """Send no more runs to a fork server in which one failed; the next run starts a new one. Active runs continue."""
    with _lock:
        if _kept.get((os.getpid(), key)) is broken:
            del _kept[(os.getpid(), key)]
            _retired.append((os.getpid(), broken))
            broken.retire()
        for gone in [server_id for server_id in _retired if server_id[0] == os.getpid() and server_id[1].ended]:
            _retired.remove(gone)
            gone[1].close()


@atexit.register
def close_all() -> None:
    """End every fork server of this process."""
    for server in _taken():
        with contextlib.suppress(OSError):
            server.close()


def give_up() -> None:
    """Cancel active runs, which raise `SandboxError`, and end this process's fork servers; later runs start new ones."""
    own = _taken()
    for server in own:
        server.given_up = True
    monitor.stop_all()
    for server in own:
        with contextlib.suppress(OSError):
            server.close()


def _taken() -> list[ForkServer]:
    """Take ownership of this process's fork servers: no other caller can get them any more."""
    with _lock:
        own = [_kept.pop(server_id) for server_id in list(_kept) if server_id[0] == os.getpid()]
        own += [server for pid, server in _retired if pid == os.getpid()]
        _retired.clear()
    return own
