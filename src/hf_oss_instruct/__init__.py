"""OSS-Instruct (Magicoder, arXiv 2312.02120) as a Hugging Face plugin: any code in, an instruction-tuned code model out.

    from hf_oss_instruct import CommentFunctionTeacher, read_seeds, synthesize

    for row in synthesize(read_seeds("stdlib", n=3, sampler="functions"), CommentFunctionTeacher()):
        print(row["problem"])

Importing this package makes `datasets.load_dataset("oss-instruct", …)` work; it imports `datasets` only when you do.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hf_oss_instruct.loading.registration import register_when_imported

# For type checkers, which cannot follow `__getattr__`: without this, every public name would be Any.
if TYPE_CHECKING:
    from hf_oss_instruct.api import curate, publish
    from hf_oss_instruct.data import Completion, Document, Pair, Provenance, Request, Row, Seed
    from hf_oss_instruct.errors import OssInstructError
    from hf_oss_instruct.evaluation.evaluate import evaluate
    from hf_oss_instruct.evaluation.integrations.metric import metric_path
    from hf_oss_instruct.evaluation.scoring.compare import PairedComparison
    from hf_oss_instruct.evaluation.scoring.pass_at_k import pass_at_k
    from hf_oss_instruct.evaluation.scoring.run import compare_runs, score
    from hf_oss_instruct.exports.export import Exported, export_to
    from hf_oss_instruct.loading.builder import OssInstruct
    from hf_oss_instruct.loading.registration import register
    from hf_oss_instruct.methods.evolve import evolve
    from hf_oss_instruct.methods.judge import judge_rows
    from hf_oss_instruct.methods.judging.rubric import Rubric
    from hf_oss_instruct.progress.show import show_progress
    from hf_oss_instruct.reporting.report import Report, report
    from hf_oss_instruct.sandbox.judging.judge import judge
    from hf_oss_instruct.sandbox.judging.judgement import Judgement
    from hf_oss_instruct.sandbox.limits import Execution, Limits
    from hf_oss_instruct.sandbox.run import run_program
    from hf_oss_instruct.seeds.resolve import read_seeds
    from hf_oss_instruct.seeds.sampling import SeedStream
    from hf_oss_instruct.seeds.source import Source
    from hf_oss_instruct.spec.checks import Checks
    from hf_oss_instruct.spec.limits import RunLimits
    from hf_oss_instruct.spec.prompts import Prompt, PromptSpec
    from hf_oss_instruct.spec.run import RunSpec
    from hf_oss_instruct.spec.sampling import Sampling
    from hf_oss_instruct.spec.seeds import SeedPlan
    from hf_oss_instruct.spec.teacher import TeacherSpec
    from hf_oss_instruct.spec.verification import VerificationSpec
    from hf_oss_instruct.synthesis.generation.task import GenerationTask
    from hf_oss_instruct.synthesis.stream import synthesize
    from hf_oss_instruct.synthesis.to_disk import synthesize_to_disk
    from hf_oss_instruct.synthesis.verify import verify
    from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
    from hf_oss_instruct.teachers.inference import InferenceTeacher
    from hf_oss_instruct.teachers.protocol import Teacher
    from hf_oss_instruct.teachers.resolve import configure
    from hf_oss_instruct.templates import to_prompt_completion
    from hf_oss_instruct.training.callbacks import Scoring
    from hf_oss_instruct.training.recipes import Recipe, load_recipe
    from hf_oss_instruct.training.run import train

# Names are imported when they are used (PEP 562), because the modules behind them import datasets, torch and others.
_HOMES = {
    "Checks": "spec.checks",
    "CommentFunctionTeacher": "teachers.comment_function",
    "Completion": "data",
    "Document": "data",
    "Execution": "sandbox.limits",
    "Exported": "exports.export",
    "GenerationTask": "synthesis.generation.task",
    "InferenceTeacher": "teachers.inference",
    "Judgement": "sandbox.judging.judgement",
    "Limits": "sandbox.limits",
    "OssInstruct": "loading.builder",
    "OssInstructError": "errors",
    "Pair": "data",
    "PairedComparison": "evaluation.scoring.compare",
    "Prompt": "spec.prompts",
    "PromptSpec": "spec.prompts",
    "Provenance": "data",
    "Recipe": "training.recipes",
    "Report": "reporting.report",
    "Request": "data",
    "Row": "data",
    "Rubric": "methods.judging.rubric",
    "RunLimits": "spec.limits",
    "RunSpec": "spec.run",
    "Sampling": "spec.sampling",
    "Scoring": "training.callbacks",
    "Seed": "data",
    "SeedPlan": "spec.seeds",
    "SeedStream": "seeds.sampling",
    "Source": "seeds.source",
    "Teacher": "teachers.protocol",
    "TeacherSpec": "spec.teacher",
    "VerificationSpec": "spec.verification",
    "compare_runs": "evaluation.scoring.run",
    "configure": "teachers.resolve",
    "curate": "api",
    "evaluate": "evaluation.evaluate",
    "evolve": "methods.evolve",
    "export_to": "exports.export",
    "judge": "sandbox.judging.judge",
    "judge_rows": "methods.judge",
    "load_recipe": "training.recipes",
    "metric_path": "evaluation.integrations.metric",
    "pass_at_k": "evaluation.scoring.pass_at_k",
    "publish": "api",
    "read_seeds": "seeds.resolve",
    "register": "loading.registration",
    "report": "reporting.report",
    "run_program": "sandbox.run",
    "score": "evaluation.scoring.run",
    "show_progress": "progress.show",
    "synthesize": "synthesis.stream",
    "synthesize_to_disk": "synthesis.to_disk",
    "to_prompt_completion": "templates",
    "train": "training.run",
    "verify": "synthesis.verify",
}

__all__ = [
    "Checks",
    "CommentFunctionTeacher",
    "Completion",
    "Document",
    "Execution",
    "Exported",
    "GenerationTask",
    "InferenceTeacher",
    "Judgement",
    "Limits",
    "OssInstruct",
    "OssInstructError",
    "Pair",
    "PairedComparison",
    "Prompt",
    "PromptSpec",
    "Provenance",
    "Recipe",
    "Report",
    "Request",
    "Row",
    "Rubric",
    "RunLimits",
    "RunSpec",
    "Sampling",
    "Scoring",
    "Seed",
    "SeedPlan",
    "SeedStream",
    "Source",
    "Teacher",
    "TeacherSpec",
    "VerificationSpec",
    "compare_runs",
    "configure",
    "curate",
    "evaluate",
    "evolve",
    "export_to",
    "judge",
    "judge_rows",
    "load_recipe",
    "metric_path",
    "pass_at_k",
    "publish",
    "read_seeds",
    "register",
    "report",
    "run_program",
    "score",
    "show_progress",
    "synthesize",
    "synthesize_to_disk",
    "to_prompt_completion",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__


register_when_imported()
