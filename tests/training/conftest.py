"""One dataset and one tiny model for the tests of this package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.templates import MAGICODER, OSS_INSTRUCTION
from tests.support.models import saved_model
from tests.support.warm import BASE, COMMAND


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `synthesize` leaves in a folder: about 24 pairs of the embedded teacher."""
    out = tmp_path_factory.mktemp("data") / "pairs"
    BASE.run([COMMAND, "synthesize", "--n", "64", "--out", out, "--format", "quiet"], check=True)
    return out


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of a few thousand parameters whose pad token is its end token."""
    texts = [MAGICODER + OSS_INSTRUCTION + row for row in Path(json.__file__).read_text().splitlines()]
    return saved_model(tmp_path_factory.mktemp("model"), "llama", texts, 600)


def decontaminated(folder: Path) -> None:
    """Say in a folder's report that its rows were checked."""
    report = json.loads((folder / "run.json").read_text())
    report["checks"] = [{"name": "decontamination", "version": 1, "status": "done"}]
    (folder / "run.json").write_text(json.dumps(report))


def smoke(**changes: Any) -> dict[str, Any]:
    """The recipe `smoke` with smaller steps, longer rows and other values."""
    from hf_oss_instruct.training.recipes import load_recipe

    small = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 1, "max_length": 4096}
    return load_recipe("smoke").values | small | changes  # TRL, which is heavy to import, is not asked about the keys here
