"""The card of an export: contents, code to load it, and skipped rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from hf_oss_instruct.publishing.cards.dataset_card import size_category
from hf_oss_instruct.terminal.display import markdown, one_line, plural

TITLES = {
    "trl": "Prompts with tests for TRL's GRPO trainer",
    "dpo": "Preference pairs for TRL's DPO trainer",
    "verl": "Prompts with tests for verl",
    "harbor": "Harbor tasks",
    "verifiers": "A taskset for verifiers",
}
TABLES = "data/train-*.parquet"
FILES = {"harbor": "tasks.jsonl", "verifiers": "*/tasks.jsonl"}
"""Format → what the Hub's viewer shows, for formats that are not tables."""
_USES = {
    "trl": """```yaml
dataset_name: NAME
reward_funcs: [hf_oss_instruct.rewards.code_reward]
```

`hf-oss-instruct recipe grpo --data NAME` prints a whole recipe for `trl grpo`. `tests` are test code, or JSON of inputs and
outputs; `code_reward` runs them in a sandbox.
""",
    "dpo": """
`hf-oss-instruct recipe dpo --data NAME` prints a recipe for `trl dpo`. The chosen solution passes its
tests; the rejected one passes some of them.
""",
    "verl": """```sh
python -m verl.trainer.main_ppo data.train_files=data/train-00000-of-00001.parquet \\
    custom_reward_function.path=pkg://hf_oss_instruct.rewards.integrations.verl custom_reward_function.name=compute_score …
```
""",
    "harbor": """```sh
harbor run --path tasks --agent oracle
```

Each folder in `tasks/` is a task. Its own scripts were run in a sandbox when it was exported: the solution gets 1, doing
nothing gets 0.
""",
    "verifiers": """```sh
pip install . && eval NAME
```

The package exports a `Taskset`; its reward runs answers in the sandbox of hf-oss-instruct, on the machine that scores.
""",
}


def card(name: str, report: Mapping[str, Any]) -> str:
    """The README.md of an export.

    Args:
        name: of its folder.
        report: the contents of `export.json`.
    """
    kind, source = report["format"], report["source"]
    front: dict[str, Any] = {
        "language": ["en"],
        "license": "other",
        "pretty_name": name,
        "tags": ["code", "oss-instruct", "synthetic", *(["reinforcement-learning"] if kind != "dpo" else []), kind],
        "size_categories": [size_category(report["rows"])],
        "task_categories": ["text-generation"],
        # The state changes with the rows, and so the card does: the cache of `datasets` tells folders apart by it.
        "configs": [
            {
                "config_name": "default",
                "description": f"state {report['state']}",
                "data_files": [{"split": "train", "path": FILES.get(kind, TABLES)}],
            }
        ],
    }
    head = f"---\n{yaml.safe_dump(front, sort_keys=False)}---"
    size = f"{TITLES[kind]}, {plural(report['rows'], 'row')}."
    lines = [head, f"# {markdown(name)}", size, _USES[kind].replace("NAME", name).strip()]
    if report["skipped"]:
        left_out = "\n".join(f"- {count:,}: {markdown(one_line(reason, 120))}" for reason, count in report["skipped"].items())
        lines.append(f"Skipped rows:\n\n{left_out}")
    if source:
        teacher = markdown(one_line(str(source.get("teacher", "unknown")), 120))
        checks = ", ".join(f"{check['name']} ({check['status']})" for check in source.get("checks", []))
        method = "[OSS-Instruct](https://arxiv.org/abs/2312.02120)"
        lines.append(f"Pairs by {teacher}, made by {method} with hf-oss-instruct. Checks: {checks or 'none'}.")
    return "\n\n".join(lines) + "\n"
