"""What an attack may aim at: canaries of our own, made for one run and taken away after it. Nothing real is ever a target."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

ENV_SECRET = "secret-" + secrets.token_hex(8)
os.environ["OSS_CANARY"] = ENV_SECRET  # the caller's environment: one for the whole process, so that threads may share it
IPC_RMID, IPC_CREAT = 0, 0o1000


def _treatment(pid: int) -> tuple[object, ...]:
    """How the kernel treats a process, 0 being ours: priority, class, processors, limit of files."""
    files = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    return os.getpriority(os.PRIO_PROCESS, pid), os.sched_getscheduler(pid), os.sched_getaffinity(pid), files


class Scene:
    """A host in small: files, sockets, a sibling process, shared memory, open files and a port, each with a secret or a mark."""

    def __init__(self) -> None:
        self.hit, self.secret = "harm-" + secrets.token_hex(8), ENV_SECRET
        self.mark = "mark" + secrets.token_hex(4)
        self.folder = Path(tempfile.mkdtemp(prefix="conformance-"))
        self.work, self.home, self.loot = (self._folder(name) for name in ("work", "home", "loot"))
        self.file = self._write(self.folder / "secret.txt")
        self.shm_file = self._write(Path("/dev/shm") / self.mark)
        (self.folder / f"named-{self.secret}").touch()
        self._open_sockets()
        # In a session of its own: the scheduler's group of a session is a target, and ours must not be.
        self.sibling = subprocess.Popen(["sleep", "60"], env={"OSS_CANARY": self.secret}, cwd=self.folder, start_new_session=True)
        self.read_fd = os.open(self.file, os.O_RDONLY)
        self.dir_fd = os.open(self.folder, os.O_RDONLY)
        self.pipe, self.write_fd = os.pipe()
        for descriptor in (self.read_fd, self.dir_fd, self.write_fd):
            os.set_inheritable(descriptor, True)
        self._open_segment()
        self.port_opened, self._done = threading.Event(), threading.Event()

    def _folder(self, name: str) -> Path:
        (self.folder / name).mkdir()
        return self.folder / name

    def _write(self, path: Path) -> Path:
        path.write_text(self.secret + "\n")
        return path

    def _open_sockets(self) -> None:
        def listening(family: int, kind: int, address: object) -> socket.socket:
            opened = socket.socket(family, kind)
            opened.bind(address)  # type: ignore[arg-type]
            if kind == socket.SOCK_STREAM:
                opened.listen()
            opened.setblocking(False)
            return opened

        loopback, unix = ("127.0.0.1", 0), socket.AF_UNIX
        self.tcp = listening(socket.AF_INET, socket.SOCK_STREAM, loopback)
        self.udp = listening(socket.AF_INET, socket.SOCK_DGRAM, loopback)
        self.path_socket = listening(unix, socket.SOCK_STREAM, str(self.folder / "socket"))
        self.abstract = listening(unix, socket.SOCK_STREAM, "\0" + self.mark)
        self.datagram = listening(unix, socket.SOCK_DGRAM, "\0" + self.mark + "d")
        with socket.socket() as free:
            free.bind(loopback)
            self.free_port = free.getsockname()[1]

    def _open_segment(self) -> None:
        """A System V shared memory segment that holds the secret."""
        libc = ctypes.CDLL(None, use_errno=True)
        libc.shmat.restype = ctypes.c_void_p
        self.segment = libc.shmget(0, 4096, IPC_CREAT | 0o666)
        address = libc.shmat(self.segment, None, 0)
        ctypes.memmove(address, self.secret.encode() + b"\0", len(self.secret) + 1)
        libc.shmdt(ctypes.c_void_p(address))

    def fill(self, source: str, init_pid: str = "") -> str:
        """The program with the names of this scene's canaries in it; the init_pid is the sibling where nothing else is said."""
        names = {
            "INIT_PID": init_pid or self.sibling.pid,
            "HIT": self.hit, "MARK": self.mark, "FILE": self.file, "FOLDER": self.folder, "LOOT": self.loot, "PID": self.sibling.pid,
            "TCP": self.tcp.getsockname()[1], "UDP": self.udp.getsockname()[1], "FREE": self.free_port, "SHM": self.shm_file,
            "SOCKET": self.folder / "socket", "SEGMENT": self.segment, "SECRET_IS": "secret-",
        }  # fmt: skip
        return re.sub(r"@([A-Z_]+)@", lambda match: str(names[match[1]]), source)

    def watch_port(self) -> None:
        """From now on, try in the background whether somebody opens the free port."""

        def knock() -> None:
            while not self._done.wait(0.03):
                with suppress(OSError), socket.create_connection(("127.0.0.1", self.free_port), timeout=0.2):
                    self.port_opened.set()

        threading.Thread(target=knock, daemon=True).start()

    def contacted(self) -> bool:
        """Whether anything has connected or written to one of our sockets, or written to our pipe."""
        os.set_blocking(self.pipe, False)
        for listener in (self.tcp, self.path_socket, self.abstract):
            with suppress(OSError):
                listener.accept()[0].close()
                return True
        for receiver in (self.udp.recv, self.datagram.recv, lambda n: os.read(self.pipe, n)):
            with suppress(OSError):
                if receiver(64):
                    return True
        return False

    def sibling_touched(self) -> bool:
        """Whether the sibling process died, was slowed or was limited."""
        with suppress(subprocess.TimeoutExpired):
            self.sibling.wait(0.15)  # a signal takes its time
        return self.sibling.poll() is not None or _treatment(self.sibling.pid) != _treatment(0)

    def files_touched(self) -> bool:
        """Whether a file of ours was changed, moved or removed, or a new one lies in the loot."""
        texts = [path.read_text() if path.exists() else "" for path in (self.file, self.shm_file)]
        return texts != [self.secret + "\n"] * 2 or any(self.loot.iterdir()) or self.file.stat().st_mode & 0o001 != 0

    def survivors(self, wait_s: float = 0.3) -> list[int]:
        """Processes that still bear our mark after a moment's grace."""
        deadline = time.monotonic() + wait_s
        while (alive := self._marked()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return alive

    def _marked(self) -> list[int]:
        found = []
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and int(process.name) != os.getpid():
                with suppress(OSError):
                    if (process / "cmdline").read_bytes().startswith(self.mark.encode()):
                        found.append(int(process.name))
        return found

    def close(self) -> None:
        """Take everything away, survivors too: they are ours by their mark."""
        self._done.set()
        for pid in self._marked():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        self.sibling.kill()
        self.sibling.wait()
        for opened in (self.tcp, self.udp, self.path_socket, self.abstract, self.datagram):
            opened.close()
        for descriptor in (self.read_fd, self.dir_fd, self.pipe, self.write_fd):
            os.close(descriptor)
        ctypes.CDLL(None).shmctl(self.segment, IPC_RMID, None)
        self.shm_file.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
