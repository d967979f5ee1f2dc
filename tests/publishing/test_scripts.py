"""The jobs of `dataset_scripts/` under `uv run`: in an environment of their own with the built wheel, as their headers say."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from tests.evaluation import toys
from tests.publishing.conftest import WRITE
from tests.support.hub import LocalHub
from tests.support.warm import COMMAND, EVALUATE

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "dataset_scripts"
UV = Path(sys.executable).with_name("uv")
OWN = ("synthesize", "curate")
"""Scripts that run in an environment of their own here; the others need torch, gigabytes of it, and use the one of the tests."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what `uv build` makes of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run([UV, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def warm(hub: LocalHub, tmp_path: Path) -> Run:
    """Runs a script, given by name, and its arguments on this Hub; the commands it calls are forks of a warm Python."""
    environment = os.environ | hub.environment(tmp_path / "home") | {"HF_TOKEN": WRITE}
    environment["PYTHONPATH"] = sysconfig.get_path("purelib")  # what a script itself imports

    def run(name: str, *words: str) -> subprocess.CompletedProcess[str]:
        script = [EVALUATE.python_beside(COMMAND), SCRIPTS / f"{name}.py", *words]
        return subprocess.run(script, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=600)

    return run


@pytest.fixture
def under_uv(hub: LocalHub, tmp_path: Path, wheel: Path) -> Run:
    """Runs a script, given by name, and its arguments as its header says, on this Hub."""
    return functools.partial(_under_uv, hub, tmp_path, wheel)


def _under_uv(hub: LocalHub, where: Path, wheel: Path, name: str, *words: str) -> subprocess.CompletedProcess[str]:
    own = ("--no-project", "--find-links", str(wheel)) if name in OWN else ("--active", "--offline")
    environment = os.environ | hub.environment(where / "home") | {"HF_TOKEN": WRITE, "VIRTUAL_ENV": sys.prefix}
    script = [UV, "run", "--quiet", *own, "--python", sys.executable, "--script", SCRIPTS / f"{name}.py", *words]
    return subprocess.run(script, capture_output=True, text=True, cwd=where, env=environment, timeout=600)


def header(path: Path) -> dict[str, Any]:
    """The inline metadata of a script (PEP 723)."""
    found = re.search(r"^# /// script\n((?:#.*\n)+?)# ///$", path.read_text(), re.M)
    assert found
    return tomllib.loads("".join(line.removeprefix("#").removeprefix(" ") for line in found[1].splitlines(True)))


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.name)
def test_headers_ask_for_what_there_is(path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted, *hosts = header(path)["dependencies"]
    name, extra = re.fullmatch(r"([\w-]+)(?:\[(\w+)\])?", wanted).groups()  # type: ignore[union-attr]
    assert name == project["name"]
    assert extra is None or extra in project["optional-dependencies"]
    known = [one for extra in project["optional-dependencies"].values() for one in extra]
    assert set(hosts) <= set(known)
    assert header(path)["requires-python"].split(",")[0] == project["requires-python"].split(",")[0]


FLAGS = ("--benchmarks", "none", "--publish=--allow-unchecked")
LAUNCHERS = pytest.mark.parametrize("launcher", ["warm", pytest.param("under_uv", marks=pytest.mark.long)])


def test_pairs_are_made_and_published_by_the_wheel(hub: LocalHub, under_uv: Run) -> None:
    done = under_uv("synthesize", "--to", "me/pairs", "--n", "48", *FLAGS)
    assert done.returncode == 0, done.stderr
    assert json.loads(hub.files("me/pairs")["run.json"])["kept"] > 10


@LAUNCHERS
def test_published_pairs_are_curated_and_published(launcher: str, hub: LocalHub, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(launcher)
    synthesized = run("synthesize", "--to", "me/pairs", "--n", "48", *FLAGS)
    assert synthesized.returncode == 0, synthesized.stderr
    again = run("curate", "me/pairs", "--to", "me/clean", "--threshold", "0.2", *FLAGS)
    assert again.returncode == 0, again.stderr
    clean = json.loads(hub.files("me/clean")["run.json"])
    assert clean["requested"] == json.loads(hub.files("me/pairs")["run.json"])["kept"]
    assert "oss_instruct.yaml" in hub.files("me/clean")
    failed = run("synthesize", "--to", "me/more", "--n", "nothing")
    assert (failed.returncode, "'nothing' is not a valid integer" in failed.stderr) == (2, True)


@LAUNCHERS
def test_a_model_is_trained_published_and_evaluated(
    launcher: str, hub: LocalHub, model: Path, pairs: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run: Run = request.getfixturevalue(launcher)
    small = ("--set", "max_steps=1", "--set", "max_length=4096")
    words = ("smoke", "--model", str(model), "--data", str(pairs), "--to", "me/model", *small, "--train=--allow-unchecked")
    done = run("train", *words, "--publish=--allow-unchecked --license mit")
    assert done.returncode == 0, done.stderr
    assert json.loads(hub.files("me/model", repo_type="model")["training.json"])["steps"] == 1
    assert run("train", "no-such-recipe", "--to", "me/model").returncode == 2
    toys.plus(tmp_path / "bench")
    words = ("me/model", "--task", "humaneval_plus", "--data", "bench", "--max-tokens", "16")
    done = run("evaluate", *words)
    assert done.returncode == 0, done.stderr
    card = ModelCard(hub.files("me/model", repo_type="model")["README.md"].decode())
    (plus,) = [one for one in card.data.eval_results if one.metric_name == "pass@1 (plus)"]
    assert (plus.metric_value, plus.metric_args["problems"]) == (0.0, 3)
    assert "me/model at " in plus.metric_args["how"]
    assert "temperature 0, n = 1" in plus.metric_args["how"]
