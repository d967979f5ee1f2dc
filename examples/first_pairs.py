"""Five pairs from Python's own standard library, without a model.

For real pairs, replace the teacher:
    InferenceTeacher("Qwen/Qwen2.5-Coder-32B-Instruct")                              # Inference Providers, with your HF token
    InferenceTeacher("my-model", "http://localhost:8080/v1")                         # any OpenAI-compatible server
and leave `sampler` out, so that seeds are random lines as in the paper.
"""

from hf_oss_instruct import CommentFunctionTeacher, read_seeds, synthesize

seeds = read_seeds("stdlib", n=5, sampler="functions")
for row in synthesize(seeds, CommentFunctionTeacher()):
    print(f"── {row['file_path']}:{row['start_line']}-{row['end_line']}")
    print(row["problem"], row["solution"], sep="\n\n", end="\n\n")
