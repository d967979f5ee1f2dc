"""A fork server for commands whose imports take longer than their work: what is heavy is imported once, each command is a fork.

A command runs as in a process of its own: its arguments, environment, working directory, output files and exit code. What a
library reads from the environment while it is imported (`HF_ENDPOINT`, `HF_HOME`) is that of the server's start, so tests that
need a Hub start a real process.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_SERVER = """
import atexit, gc, json, os, runpy, signal, sys, threading, time, traceback

def command(asked):
    os.setsid()
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    for number, path in ((1, asked["stdout"]), (2, asked["stderr"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = asked["argv"]
    try:
        if asked["module"]:
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        if ended.code is not None and not isinstance(ended.code, int):
            print(ended.code, file=sys.stderr)
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0

def finish(code):
    # All that Python does at its end but taking its modules apart, which costs seconds with so many of them.
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
exec(sys.argv[1])
gc.collect()
gc.freeze()
for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if not child:
        finish(command(asked))
    ends = time.monotonic() + asked["timeout"]
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > ends:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.01)
    print(json.dumps(os.waitstatus_to_exitcode(ended[1])), file=answers, flush=True)
"""


class WarmPython:
    """A Python that has run these imports.

    Args:
        imports: statements, run once, at the first command.
        env: variables beside those of this process, for the imports.
        cwd: working directory of the imports.
    """

    def __init__(self, imports: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        self._imports, self._env, self._cwd = imports, env or {}, cwd
        self._server: subprocess.Popen[str] | None = None
        atexit.register(self.close)

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        module: bool = False,
        more_env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        timeout: float = 600.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a Python script, such as a console script, or a module.

        Args:
            argv: the script's path or the module's name, then its arguments.
            module: whether it is a module, as with `python -m`.
            more_env: variables beside those of this process.
            cwd: working directory; this process' own by default.
            timeout: seconds after which it is killed.
        """
        if self._server is None or self._server.poll() is not None:
            start = [sys.executable, "-c", _SERVER, self._imports]
            pipe, env = subprocess.PIPE, os.environ | dict(self._env)
            self._server = subprocess.Popen(start, stdin=pipe, stdout=pipe, text=True, env=env, cwd=self._cwd)
        assert self._server.stdin
        assert self._server.stdout
        with tempfile.TemporaryDirectory() as folder:
            files = {name: f"{folder}/{name}" for name in ("stdout", "stderr")}
            asked: dict[str, Any] = {"argv": list(map(str, argv)), "module": module, "timeout": timeout, **files}
            asked |= {"env": dict(os.environ) | dict(more_env or {}), "cwd": str(cwd or Path.cwd())}
            self._server.stdin.write(json.dumps(asked) + "\n")
            self._server.stdin.flush()
            code = int(self._server.stdout.readline())
            stdout, stderr = (Path(path).read_text() if Path(path).exists() else "" for path in files.values())
        return subprocess.CompletedProcess(asked["argv"], code, stdout, stderr)

    def close(self) -> None:
        """End the server."""
        if self._server is not None:
            assert self._server.stdin
            assert self._server.stdout
            self._server.stdin.close()
            self._server.wait(timeout=30)
            self._server.stdout.close()
            self._server = None


EVALUATE = WarmPython(
    "from hf_oss_instruct.evaluation.lighteval_models import _imported; _imported('litellm'); _imported('transformers')"
)
"""For commands that let a model answer through lighteval."""
TRAIN = WarmPython("from trl import SFTConfig, SFTTrainer")
"""For commands that train."""
