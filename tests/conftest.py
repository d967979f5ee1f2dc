"""The world that tests see: no network, no account, a home of their own."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

# Host libraries read these at import, so they are set before any test module is loaded.
_HOME = Path(tempfile.mkdtemp(prefix="oss-instruct-tests-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ |= {
    "HF_HOME": str(_HOME / "huggingface"),
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # A Hub that is never there. HF_HUB_OFFLINE would also forbid the servers that tests start on the loopback.
    "HF_ENDPOINT": "http://127.0.0.1:9",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "NO_PROXY": "127.0.0.1,localhost",
    # A worker has a core: more threads of torch only wait for each other, which costs half of its time.
    "OMP_NUM_THREADS": "1",
}
for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE"):
    os.environ.pop(name, None)

import gc  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from typing import Any  # noqa: E402

import hypothesis  # noqa: E402
import pytest  # noqa: E402

# An example's first call imports or builds things, and machines are busy: how long one takes is no property of the code.
# The same tree gives the same verdict; `make test-long` looks for new examples, and for twice as many.
hypothesis.settings.register_profile("fixed", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.register_profile("random", deadline=None)
hypothesis.settings.load_profile("fixed")

# Under `nohup` and in the background of a script these signals are ignored, also by what a process starts. Tests send them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _stay_at_home(event: str, arguments: tuple[Any, ...]) -> None:
    """Fail loudly if anything here ever talks to another machine."""
    if event == "socket.connect" and isinstance(address := arguments[1], tuple):
        assert address[0] in ("127.0.0.1", "::1", "localhost"), f"a test reached for {address}"


sys.addaudithook(_stay_at_home)


@pytest.fixture(scope="session")
def prebuilt_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What compilers start from, for all tests of all workers: a C++ header takes six seconds to build."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "prebuilt"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prebuilt_files: Path) -> Path:
    """A cache of its own for every test: what one test was answered must not answer another. Only compilers' files are shared."""
    home = tmp_path.with_name(f"{tmp_path.name}-hf-home")  # beside it: tests look at everything in their folder
    (home / "oss-instruct").mkdir(parents=True)
    (home / "oss-instruct" / "prebuilt").symlink_to(prebuilt_files)
    monkeypatch.setenv("HF_HOME", str(home))
    return home


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """Look for garbage neither while a million objects are made that stay, nor among them afterwards, and then rarely."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, *gc.get_threshold()[1:])
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """`-n auto`: a worker more than cores, since attacks on the sandbox wait more than they compute."""
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else (os.cpu_count() or 1) + 1


def _changed_files() -> set[str]:
    """What git calls changed or untracked in the checkout; nothing where this is no checkout."""
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return set()
    return set(done.stdout.splitlines())


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remember what is changed before the first test."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[_CHANGED] = _changed_files()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session if tests left files in the checkout."""
    if not hasattr(session.config, "workerinput") and (left := _changed_files() - session.config.stash[_CHANGED]):
        print("\nThe tests changed the checkout:", *sorted(left), sep="\n  ", file=sys.stderr)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


_CHANGED = pytest.StashKey[set[str]]()
