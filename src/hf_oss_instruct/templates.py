"""Row to prompt and completion: one template for data, training and evaluation."""

from __future__ import annotations

from hf_oss_instruct.data import Row

MAGICODER = (
    "You are an exceptionally intelligent coding assistant that consistently delivers accurate and reliable responses to user "
    "instructions.\n\n@@ Instruction\n{instruction}\n\n@@ Response\n"
)
"""Prompt of the published Magicoder models, needed to use them (ise-uiuc/magicoder, `prompt_template.py`)."""
OSS_INSTRUCTION = "Write a solution to the following coding problem:\n{problem}"
"""How an OSS-Instruct problem becomes an instruction (`preprocess_data.py` there)."""


def to_prompt_completion(row: Row) -> dict[str, str]:
    """A row as TRL's prompt–completion type, in the template the Magicoder models were trained on.

    Args:
        row: any row with `problem` and `solution`.

    Returns:
        `{"prompt": …, "completion": …}`; the completion is the solution alone, the trainer adds the end token.
    """
    instruction = OSS_INSTRUCTION.replace("{problem}", row["problem"])
    return {"prompt": MAGICODER.replace("{instruction}", instruction), "completion": row["solution"]}
