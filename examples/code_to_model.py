"""From a folder of source code to a trained and scored model on the Hub.

    python examples/code_to_model.py my_code/ --to you --teacher Qwen/Qwen2.5-Coder-32B-Instruct --base Qwen/Qwen2.5-Coder-0.5B

Minutes on a laptop with `--recipe smoke`, a tiny base model and `--base-url` of your own server. Needs the extras `train` and
`eval`, and a token with write access: hf auth login. The same steps as commands: README.md.
"""

import argparse
from pathlib import Path

import yaml

import hf_oss_instruct as oss

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("code", help="a folder of source code")
parser.add_argument("--to", required=True, help="your name on the Hub, or an organization of yours")
parser.add_argument("--teacher", required=True, help="the model that writes the pairs")
parser.add_argument("--base-url", help="its server; default: Inference Providers")
parser.add_argument("--n", type=int, default=2000, help="number of seeds")
parser.add_argument("--base", required=True, help="the model to train")
parser.add_argument("--recipe", default="lora", help="`hf-oss-instruct recipe` lists them")
parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="a key of trl sft; can be repeated")
parser.add_argument("--benchmark", help="a local file of HumanEval+; default: the Hub's")
args = parser.parse_args()
dataset, model = f"{args.to}/pairs", f"{args.to}/coder"


def main() -> None:
    """Each step continues where an earlier attempt stopped."""
    seeds, teacher = oss.read_seeds(args.code, n=args.n), oss.InferenceTeacher(args.teacher, args.base_url)
    report = oss.synthesize_to_disk(seeds, teacher, "pairs", checks=oss.Checks(benchmarks=()))
    print(f"{report['kept']} pairs of {report['requested']} seeds")

    report = oss.curate("pairs", "clean", benchmarks=[args.benchmark or "default"])
    print(f"{report['kept']} pairs after curation; rejected: {report['rejected']}")
    oss.publish("clean", dataset, no_seeds=True)

    changes = {"output_dir": "coder"} | {key: yaml.safe_load(value) for key, value in (pair.split("=", 1) for pair in args.set)}
    facts = oss.train(oss.load_recipe(args.recipe, model=args.base, data=dataset, changes=changes), say=print)
    print(f"Trained {facts['steps']} steps")
    oss.publish("coder", model)

    data = Path(args.benchmark) if args.benchmark else None
    results = oss.evaluate(model, "humaneval_plus", "results", max_new_tokens=512, data=data, trained_on="clean")
    for task, (score, _) in results.items():
        print(task, score.scores)
    oss.publish("results", model)


if __name__ == "__main__":
    main()
