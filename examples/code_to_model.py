"""From a folder of source code to a trained and scored model on the Hub, by the commands that one would type.

    python examples/code_to_model.py my_code/ --to you --teacher Qwen/Qwen2.5-Coder-32B-Instruct --base Qwen/Qwen2.5-Coder-0.5B

Minutes on a laptop with `--recipe smoke`, a tiny base model and `--base-url` of a server of your own. What else is given goes to
`recipe`. Needs the extras `train` and `eval`, and a token that may write: hf auth login.
"""

import argparse
import subprocess
import sys
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
parser.add_argument("code", help="a folder of source code")
parser.add_argument("--to", required=True, help="your name on the Hub, or an organization of yours")
parser.add_argument("--teacher", required=True, help="the model that writes the pairs")
parser.add_argument("--base-url", help="its server; without, Inference Providers")
parser.add_argument("--n", default="2000", help="seeds")
parser.add_argument("--base", required=True, help="the model to train")
parser.add_argument("--recipe", default="lora", help="hf-oss-instruct recipe lists them")
parser.add_argument("--benchmark", help="a copy of HumanEval+; without, the Hub's")
given, more = parser.parse_known_args()
data, model = f"{given.to}/pairs", f"{given.to}/coder"
teacher = ["--model", given.teacher, *(["--base-url", given.base_url] if given.base_url else [])]


def hf(*words: str, output: str | None = None) -> None:
    """Run one command, as typed; what it prints goes into a file or is seen."""
    print("\n$ hf-oss-instruct", *words, *([f"> {output}"] if output else []), flush=True)
    done = subprocess.run([Path(sys.executable).with_name("hf-oss-instruct"), *words], stdout=subprocess.PIPE if output else None)
    if done.returncode:
        sys.exit(done.returncode)
    if output:
        Path(output).write_bytes(done.stdout)


hf("synthesize", "--seeds", given.code, "--n", given.n, *teacher, "--benchmarks", "none", "--out", "pairs")
hf("curate", "pairs", "--benchmarks", given.benchmark or "default", "--out", "clean")
hf("publish", "clean", "--to", data, "--no-seeds", "--yes")
hf("recipe", given.recipe, "--model", given.base, "--data", data, "--set", "output_dir=coder", *more, output="coder.yaml")
hf("train", "coder.yaml")
hf("publish", "coder", "--to", model, "--yes")

local = ["--data", given.benchmark] if given.benchmark else []
asked = ["--model", model, "--task", "humaneval_plus", "--max-tokens", "512"]
hf("evaluate", *asked, *local, "--trained-on", "clean", "--out", "results")
hf("publish", "results", "--to", model, "--yes")
