# /// script
# requires-python = ">=3.11"
# dependencies = ["hf-oss-instruct[train]"]
# ///
"""Train by a recipe and publish the model.

uv run train.py lora --model Qwen/Qwen2.5-Coder-1.5B --data me/pairs --to me/model
hf jobs uv run --flavor a100-large --secrets HF_TOKEN train.py magicoder --model … --data me/pairs --to me/model
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, epilog="All else goes to hf-oss-instruct recipe.", allow_abbrev=False)
parser.add_argument("recipe", help="its name: hf-oss-instruct recipe lists them")
parser.add_argument("--to", required=True, help="the model on the Hub")
parser.add_argument("--out", default="model", help="output_dir; an interrupted training goes on")
parser.add_argument("--train", default="", metavar="FLAGS", help="flags of train, such as '--template chat'")
parser.add_argument("--publish", default="", metavar="FLAGS", help="flags of publish, such as '--license mit'")
job, flags = parser.parse_known_args()

command = Path(sys.executable).with_name("hf-oss-instruct")
printed = subprocess.run([command, "recipe", job.recipe, *flags, "--set", f"output_dir={job.out}"], stdout=subprocess.PIPE)
Path("recipe.yaml").write_bytes(printed.stdout)
for words in (
    ["train", "recipe.yaml", *shlex.split(job.train)],
    ["publish", job.out, "--to", job.to, "--yes", *shlex.split(job.publish)],
):
    if code := printed.returncode or subprocess.run([command, *words]).returncode:
        sys.exit(code)
