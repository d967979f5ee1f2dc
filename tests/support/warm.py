"""A Python that is warm: what is heavy is imported once, and each command that a test runs is a fork, not a start.

A command runs as in a process of its own: its arguments, environment, working directory, input, output files, signals and exit
code. What libraries read from the environment while they are imported (`HF_HOME`, `HF_ENDPOINT`) they read anew; a test that sets
another such variable, such as `HF_HUB_OFFLINE`, starts a real process.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
"""The run of the suite: its workers share what is warm."""
ROOT = Path(__file__).parents[2]
SERVER = Path(__file__).with_name("warm_server.py")
HOLD = b"hold"
"""What a connection says that only keeps the server alive."""
COMMAND = Path(sys.executable).with_name("hf-oss-instruct")
_SHIM = """#!{python} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.connect({socket!r})
asked = {{"argv": [*{script!r}, *(word for word in sys.argv[1:] if word != "-u")], "env": dict(os.environ), "cwd": os.getcwd()}}
socket.send_fds(server, [json.dumps(asked).encode()], [0, 1, 2])
server.recv(64)
sys.exit(int(server.recv(64)) % 256)
"""


class Running:
    """A command that was started.

    Attributes:
        pid: its process id, of a session of its own.
    """

    def __init__(self, argv: list[str], connection: socket.socket, folder: str) -> None:
        self.argv, self._connection, self._folder = argv, connection, folder
        self.pid, self._code = int(connection.recv(64)), None

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        return self._ended(0.0)

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it and its children, and wait for that."""
        if self.poll() is None:
            self._kill()
        self.wait()

    def wait(self, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Wait for its end.

        Args:
            timeout: seconds after which it is killed.

        Returns:
            Exit code, and what was written to the outputs that no file was given for.

        Raises:
            subprocess.TimeoutExpired: it had not ended.
        """
        if self._ended(timeout) is None:
            self._kill()
            self._ended(None)
            raise subprocess.TimeoutExpired(self.argv, timeout)
        texts = [path.read_text(errors="surrogateescape") if path.exists() else "" for path in self._files()]
        return subprocess.CompletedProcess(self.argv, self._code or 0, *texts)

    def _kill(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has no group of its own yet, or has just ended
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _files(self) -> list[Path]:
        return [Path(self._folder, name) for name in ("stdout", "stderr")]

    def _ended(self, timeout: float | None) -> int | None:
        if self._code is None:
            self._connection.settimeout(timeout)
            try:
                self._code = int(self._connection.recv(64))
            except (BlockingIOError, TimeoutError):
                return None
            self._connection.close()
        return self._code


class WarmPython:
    """A Python that has run these imports.

    Args:
        imports: statements, run once, at the first command.
        env: variables beside those of this process, for the imports.
        after: another one, whose imports it begins with.
    """

    def __init__(self, imports: str, env: Mapping[str, str] | None = None, after: WarmPython | None = None) -> None:
        self._imports, self._env, self._after = imports, dict(env or {}), after
        key = hashlib.sha256(repr((imports, self._env, after and after._known)).encode()).hexdigest()[:12]
        self._known = Path(tempfile.gettempdir(), f"warm-{RUN}-{key}")
        self._folder = ""
        self._held: socket.socket | None = None
        atexit.register(self.close)

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        timeout: float = 600.0,
        check: bool = False,
        stdout: IO[bytes] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command and wait for its end.

        Args:
            argv: `-c CODE`, `-m MODULE` or the path of a Python script, such as a console script, then the arguments.
            env: its whole environment; that of this process by default.
            cwd: its working directory; this process' own by default.
            timeout: seconds after which it is killed.
            check: whether another exit code than 0 is an error.
            stdout: file for its output, which is returned by default.
        """
        done = self.start(argv, env=env, cwd=cwd, stdout=stdout).wait(timeout)
        if check and done.returncode:
            raise AssertionError(f"{done.args} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        stdout: IO[bytes] | None = None,
        stderr: IO[bytes] | None = None,
        terminal: int | None = None,
    ) -> Running:
        """Start a command; see `run`. A terminal is its input, its standard error, and its output where no file is given."""
        folder = tempfile.mkdtemp(dir=self._running())
        words = list(map(str, argv))
        asked = {"argv": words, "env": dict(os.environ if env is None else env), "cwd": str(cwd or Path.cwd())}
        connection = _connected(self._folder)
        with open(os.devnull, "rb") as empty, open(f"{folder}/stdout", "wb") as out, open(f"{folder}/stderr", "wb") as error:
            files = [empty.fileno(), (stdout or out).fileno(), (stderr or error).fileno()]
            if terminal is not None:
                files = [terminal, stdout.fileno() if stdout else terminal, terminal]
            socket.send_fds(connection, [json.dumps(asked).encode()], files)
            return Running(words, connection, folder)

    def test(self, function: Callable[..., None]) -> Callable[..., None]:
        """Decorate a test that runs here, so that no worker imports what is heavy.

        Its fixtures are paths, plain values and `monkeypatch`, which is another one here.
        """

        @functools.wraps(function)
        def forked(**given: Any) -> None:
            name, own = function.__name__, ", monkeypatch=MonkeyPatch()" if given.pop("monkeypatch", None) else ""
            imports = f"from pathlib import PosixPath\nfrom pytest import MonkeyPatch\nfrom {function.__module__} import {name}"
            self.run(["-c", f"{imports}\n{name}.__wrapped__(**{given!r}{own})"], cwd=ROOT, check=True)

        return forked

    def on_path(self, script: Path) -> str:
        """A folder for `PATH`, with a script of the same name that is run here."""
        return str(self._shim(script.name, [str(script)]).parent)

    def interpreter(self) -> Path:
        """A Python whose `-m MODULE` and `-c CODE` are run here, for a launcher that is told which Python to start."""
        return self._shim("warm-python", [])

    def python_beside(self, script: Path) -> Path:
        """A Python for programs that call the script beside their own Python: there it is one that is run here."""
        python = Path(self.on_path(script), "python")
        with suppress(FileExistsError):
            python.symlink_to(Path(sys.executable).resolve())
        return python

    def _shim(self, name: str, first: list[str]) -> Path:
        """A script that is whole from the moment it is there: another worker may start it while this one asks for it."""
        shim = Path(self._running(), "bin", name)
        if not shim.exists():
            shim.parent.mkdir(exist_ok=True)
            written = Path(tempfile.mkdtemp(dir=self._folder), name)
            written.write_text(_SHIM.format(python=sys.executable, socket=f"{self._folder}/socket", script=first))
            written.chmod(0o755)
            written.replace(shim)
        return shim

    def _running(self) -> str:
        """The folder of the server, which runs from now on; the first worker that asks starts it for all of them."""
        if self._held is None:
            with open(self._known, "a+") as known:
                fcntl.flock(known, fcntl.LOCK_EX)
                known.seek(0)
                self._folder = known.read()
                try:
                    self._held = _connected(self._folder)
                except OSError:  # nobody has started it, or whoever did has ended
                    self._folder = self._started()
                    self._held = _connected(self._folder)
                    known.truncate(0)
                    known.write(self._folder)
                self._held.send(HOLD)
        return self._folder

    def _started(self) -> str:
        """The folder of a server that has imported all."""
        folder = tempfile.mkdtemp(prefix="warm-")
        words = [SERVER, f"{folder}/socket", self._imports]
        placeholders = {"HF_HOME": f"{folder}/home", "HF_ENDPOINT": f"http://{Path(folder).name}.invalid"}
        env, null = os.environ | placeholders | self._env, subprocess.DEVNULL
        if self._after:
            self._after.run(words, env=env, cwd=folder, check=True)
        else:
            subprocess.run([sys.executable, "-P", *words], stdin=null, stdout=null, env=env, cwd=folder, check=True)
        return folder

    def close(self) -> None:
        """Hold the server no longer: it ends when nobody does."""
        if self._held is not None:
            self._held.close()
            self._held = None
            self._known.unlink(missing_ok=True)


def _connected(folder: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(f"{folder}/socket")
    except OSError:
        connection.close()
        raise
    return connection


BASE = WarmPython(
    "import aiohttp, datasets, detect_secrets.core.secrets_collection, huggingface_hub, license_expression, requests\n"
    "import tree_sitter_python, hf_oss_instruct.cli, hf_oss_instruct.synthesis.console, hf_oss_instruct.publishing.dataset\n"
    "import hf_oss_instruct.synthesis.run, hf_oss_instruct.synthesis.export, hf_oss_instruct.seeds.tables.hub\n"
    "import hf_oss_instruct.curation.run, hf_oss_instruct.loading.builder\n"
    "import hf_oss_instruct.evaluation.scoring.run, hf_oss_instruct.evaluation.console"
)
"""For commands and programs that need no model."""
TRAIN = WarmPython(
    # Tests that run here import pytest; at the end of every process torch imports tabulate, where lighteval has brought it.
    "import contextlib, pytest\n"
    "with contextlib.suppress(ImportError):\n    import tabulate\n"
    "from trl import SFTConfig, SFTTrainer",
    after=BASE,
)
"""For commands that train, and for other work with torch."""
EVALUATE = WarmPython(
    # lighteval in a copy, with an empty file in place of one that a task of it downloads when it is imported.
    "import importlib.util, pathlib, shutil, sys, huggingface_hub\n"
    "(folder,) = importlib.util.find_spec('lighteval').submodule_search_locations\n"
    "copied = shutil.copytree(folder, pathlib.Path('lighteval').resolve())\n"
    "(copied / 'tasks' / 'tasks' / 'tinyBenchmarks.pkl').touch(); sys.path.insert(0, str(copied.parent))\n"
    "from hf_oss_instruct.evaluation.integrations.lighteval_models import _imported\n"
    "_imported('litellm'); _imported('transformers')\n"
    "if huggingface_hub.__version__ < '2':  # lighteval's tasks need huggingface_hub 1\n"
    "    import lighteval.main_accelerate, lighteval.pipeline, lighteval.tasks.registry\n"
    "    import inspect_ai._cli.main, inspect_ai.model, hf_oss_instruct.evaluation.integrations.inspect_tasks",
    after=TRAIN,
)
"""For commands and programs that evaluate a model, through lighteval or inspect, and for programs that also train one."""
