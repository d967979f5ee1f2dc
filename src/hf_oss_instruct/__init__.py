"""OSS-Instruct (Magicoder, arXiv 2312.02120) as a Hugging Face plugin: any code in, an instruction-tuned code model out.

    from hf_oss_instruct import CommentFunctionTeacher, read_seeds, synthesize

    for row in synthesize(read_seeds("stdlib", n=3, sampler="functions"), CommentFunctionTeacher()):
        print(row["problem"])

Importing this package makes `datasets.load_dataset("oss-instruct", …)` work; it imports `datasets` only when you do.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hf_oss_instruct.loading.registration import register_when_imported

if TYPE_CHECKING:
    from hf_oss_instruct.errors import OssInstructError
    from hf_oss_instruct.evaluation.metric import metric_path
    from hf_oss_instruct.loading.builder import OssInstruct
    from hf_oss_instruct.loading.registration import register
    from hf_oss_instruct.seeds.folders import read_seeds
    from hf_oss_instruct.spec.prompts import Prompt
    from hf_oss_instruct.spec.run import RunSpec
    from hf_oss_instruct.spec.sampling import Sampling
    from hf_oss_instruct.synthesis.lazy_rows import synthesize
    from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
    from hf_oss_instruct.teachers.inference import InferenceTeacher
    from hf_oss_instruct.teachers.protocol import Teacher
    from hf_oss_instruct.teachers.resolve import configure
    from hf_oss_instruct.templates import to_prompt_completion

_HOMES = {
    "CommentFunctionTeacher": "teachers.comment_function",
    "InferenceTeacher": "teachers.inference",
    "OssInstruct": "loading.builder",
    "OssInstructError": "errors",
    "Prompt": "spec.prompts",
    "RunSpec": "spec.run",
    "Sampling": "spec.sampling",
    "Teacher": "teachers.protocol",
    "configure": "teachers.resolve",
    "metric_path": "evaluation.metric",
    "read_seeds": "seeds.folders",
    "register": "loading.registration",
    "synthesize": "synthesis.lazy_rows",
    "to_prompt_completion": "templates",
}

__all__ = [
    "CommentFunctionTeacher",
    "InferenceTeacher",
    "OssInstruct",
    "OssInstructError",
    "Prompt",
    "RunSpec",
    "Sampling",
    "Teacher",
    "configure",
    "metric_path",
    "read_seeds",
    "register",
    "synthesize",
    "to_prompt_completion",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__


register_when_imported()
