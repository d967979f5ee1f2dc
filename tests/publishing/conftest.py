"""One Hub and one trained model for the tests of this package."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hf_oss_instruct import hub as hub_calls
from tests.support.hub import LocalHub
from tests.support.warm import BASE, COMMAND, TRAIN
from tests.training.conftest import model, pairs, smoke  # noqa: F401  # fixtures

WRITE, READ = "hf_writer", "hf_reader"
BASE_CARD = "---\nlicense: other\nlicense_name: tiny\nlicense_link: https://example.org/tiny\n---\n# A tiny base\n"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """A Hub with one token that writes and one that reads; stumbles are waited for shortly."""
    monkeypatch.setattr(hub_calls, "FIRST_PAUSE_S", 0.01)
    with LocalHub(tokens={WRITE: "write", READ: "read"}) as hub:
        yield hub


def command(hub: LocalHub, home: Path, *words: str, token: str | None = WRITE) -> subprocess.CompletedProcess[str]:
    """`hf-oss-instruct publish`, as people type it, on this Hub."""
    environment = {name: value for name, value in os.environ.items() if name != "HF_TOKEN"} | hub.environment(home)
    environment |= {"HF_TOKEN": token} if token else {}
    return BASE.run([COMMAND, "publish", *words], env=environment)


def trained_in(folder: Path, base: Path, data: Path, **changes: Any) -> Path:
    """What `train` leaves of two steps."""
    values = smoke(model_name_or_path=str(base), dataset_name=str(data), output_dir=str(folder / "out"))
    (folder / "x.yaml").write_text(yaml.safe_dump(values | {"max_steps": 2, "save_steps": 1} | changes))
    TRAIN.run([COMMAND, "train", folder / "x.yaml", "--allow-unchecked"], check=True)
    return folder / "out"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, model: Path, pairs: Path) -> Path:  # noqa: F811
    """A whole model, trained for two steps, with a checkpoint of each."""
    (model / "README.md").write_text(BASE_CARD)
    return trained_in(tmp_path_factory.mktemp("whole"), model, pairs)
