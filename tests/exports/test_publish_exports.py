"""Every export goes to the Hub as a command does it, its card names format and repository, and it loads from there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

import hf_oss_instruct
from hf_oss_instruct.exports.card import TITLES
from hf_oss_instruct.exports.export import Exported
from hf_oss_instruct.terminal.display import plural
from tests.support.hub import LocalHub
from tests.support.warm import BASE

WRITE = "hf_writer"
LOADS = """
import json
from datasets import load_dataset
found = {}
for kind in ("trl", "dpo", "verl", "harbor", "verifiers"):
    rows = load_dataset(f"me/pairs-of-{kind}", split="train")
    found[kind] = [rows.num_rows, rows.column_names]
print(json.dumps(found))
"""
COLUMNS = {
    "trl": {"prompt", "id", "lang", "solution", "entry_point", "tests"},
    "dpo": {"prompt", "chosen", "rejected"},
    "verl": {"data_source", "prompt", "ability", "reward_model", "extra_info"},
    "harbor": {"id", "lang", "instruction"},
    "verifiers": {"id", "prompt", "tests"},
}


def test_each_format_loads_from_the_hub_under_a_card_that_names_it(
    exported: Callable[[str], tuple[Exported, Path]], tmp_path: Path
) -> None:
    with LocalHub(tokens={WRITE: "write"}) as hub:
        for kind, title in TITLES.items():
            found, out = exported(kind)
            options: dict[str, Any] = {"allow_unchecked": True, "license": "apache-2.0"}
            assert hf_oss_instruct.publish(out, f"me/pairs-of-{kind}", endpoint=hub.endpoint, token=WRITE, **options)
            held = hub.files(f"me/pairs-of-{kind}")
            card = bytes(held["README.md"]).decode()
            front = yaml.safe_load(card.split("---")[1])
            assert {kind, "oss-instruct"} <= set(front["tags"])
            assert (front["license"], front["pretty_name"]) == ("apache-2.0", f"pairs-of-{kind}")
            assert f"{title}, {plural(found.rows, 'row')}." in card
            assert f"pairs-{kind}`" not in card
            if kind in ("trl", "dpo"):
                assert f"--data me/pairs-of-{kind}`" in card
            own = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
            assert {name for name in own if not name.startswith(".")} <= set(held)
            # The same again changes nothing.
            assert hf_oss_instruct.publish(out, f"me/pairs-of-{kind}", endpoint=hub.endpoint, token=WRITE, **options) is None
        done = BASE.run(["-c", LOADS], env=os.environ | hub.environment(tmp_path / "home"), check=True)
    loaded = json.loads(done.stdout.splitlines()[-1])
    for kind, columns in COLUMNS.items():
        rows, names = loaded[kind]
        assert rows == exported(kind)[0].rows
        assert set(names) == columns
