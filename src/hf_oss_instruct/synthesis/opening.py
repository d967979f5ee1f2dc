"""What options mean: a run config, the source of its seeds, its teacher."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.synthesis.options import COMMENT_FUNCTION, TRANSFORMERS

if TYPE_CHECKING:
    from hf_oss_instruct.seeds.sampling import SeedPlan, Source
    from hf_oss_instruct.synthesis.config import RunConfig
    from hf_oss_instruct.teachers.protocol import Teacher


def open_run(flags: dict[str, Any]) -> tuple[RunConfig, Source, Teacher]:
    """The run config, seed source and teacher that the flags name; arguments and errors as of `open_seeds`."""
    teacher = _open_teacher(flags)
    embedded = teacher.identity.startswith(COMMENT_FUNCTION)
    config, source = open_seeds(flags, default_sampler="functions" if embedded else "hash")
    if embedded and config.seeds.sampler != "functions":
        raise UsageError(
            f"The embedded teacher {COMMENT_FUNCTION} needs documented functions, not the sampler {config.seeds.sampler!r}. "
            "Name a real teacher with --model, or pass --sampler functions."
        )
    return config, source, teacher


def _open_teacher(flags: dict[str, Any]) -> Teacher:
    from hf_oss_instruct.credentials import key_from
    from hf_oss_instruct.synthesis.timeouts import LONGEST_S
    from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
    from hf_oss_instruct.teachers.inference import InferenceTeacher

    model, base_url = flags["model"], flags["base_url"]
    if flags["teacher"] == TRANSFORMERS:
        return _open_local_model(flags)
    if model and flags["teacher"]:
        raise UsageError(f"--teacher {flags['teacher']} is embedded and takes no --model. Leave one of them out.")
    if model:
        key = key_from(flags["api_key_env"], base_url)
        longest_s = max(flags["timeout"] or 0.0, LONGEST_S)  # the run keeps the deadline, and may learn it
        return InferenceTeacher(model, base_url, api_key=key, concurrency=flags["concurrency"], timeout_s=longest_s)
    if base_url or flags["api_key_env"]:
        raise UsageError("--base-url and --api-key-env need --model, the model's name on that server.")
    return CommentFunctionTeacher()


def _open_local_model(flags: dict[str, Any]) -> Teacher:
    from hf_oss_instruct.teachers.transformers_model import TransformersTeacher

    if not flags["model"] or flags["base_url"] or flags["api_key_env"]:
        raise UsageError("--teacher transformers takes --model, a folder or a Hub id, and neither --base-url nor --api-key-env.")
    if flags["extra_body"] is not None:
        raise UsageError("--teacher transformers sends no requests and takes no --extra-body. Leave it out.")
    return TransformersTeacher(flags["model"], batch_size=flags["concurrency"])


def open_seeds(flags: dict[str, Any], default_sampler: str) -> tuple[RunConfig, Source]:
    """The run config and seed source that the flags name.

    Args:
        flags: the values of `options.seed_options`, and of other groups where a command has them.
        default_sampler: where no flag, preset or config names one.

    Raises:
        UsageError: they contradict each other, or do not say where the seeds are.
        SeedError: the seeds cannot be read.
    """
    from hf_oss_instruct.seeds.folders import HUB_ID, STDLIB_NAME, open_named, open_source
    from hf_oss_instruct.synthesis.repo_config import INSIDE, open_inside

    config = _config(flags, default_sampler)
    spec, reading = flags["seeds"] or config.dataset, config.seeds.reading
    if flags["config"] and not flags["seeds"] and spec.startswith(INSIDE):
        return config, open_inside(flags["config"].parent, spec, reading=reading)
    on_the_hub = HUB_ID.fullmatch(spec) is not None
    if flags["config"] and not flags["seeds"] and not on_the_hub and spec not in ("stdlib", STDLIB_NAME):
        raise UsageError(f"The run config was made from the local folder {spec!r}. Say where it is: --seeds PATH.")
    revision = flags["revision"] or (config.revision if spec == config.dataset else None)
    opened = open_named if flags["config"] and not flags["seeds"] else open_source
    source = opened(spec, revision=revision, reading=reading)
    if flags["revision"] or source.name != config.dataset or on_the_hub:  # a branch stands for the commit that was opened
        config = replace(config, dataset=source.name, revision=None)
    return config, source


def _config(flags: dict[str, Any], default_sampler: str) -> RunConfig:
    """The preset or config file, with the flags that were given put over it."""
    from hf_oss_instruct.synthesis.config import RunConfig, magicoder
    from hf_oss_instruct.synthesis.prompts import Prompt

    if flags["preset"] and flags["config"]:
        raise UsageError("--preset and --config both say what the run is. Leave one of them out.")
    if flags["config"]:
        base = RunConfig.from_file(flags["config"])
    elif flags["preset"]:
        base = magicoder()
    else:
        base = replace(RunConfig(), seeds=replace(RunConfig().seeds, sampler=default_sampler))
    template = flags.get("prompt_template")
    asked = {name: flags[name] for name in ("temperature", "top_p", "max_tokens", "extra_body") if flags.get(name) is not None}
    if flags.get("no_seed"):
        asked["send_seed"] = False
    plain = ("rule", "contaminated", "near_duplicates", "keep_reasoning")
    checks = {name: flags[name] for name in plain if flags.get(name) is not None}
    return replace(
        base,
        **checks,
        seeds=_plan(base.seeds, flags),
        prompt=Prompt.from_file(template) if template else base.prompt,
        sampling=replace(base.sampling, **asked),
    )


def _plan(base: SeedPlan, flags: dict[str, Any]) -> SeedPlan:
    from hf_oss_instruct.curation.denylist import Denylist
    from hf_oss_instruct.seeds.filters import FILTERS

    plain = (
        "n",
        "sampler",
        "rng_seed",
        "one_in",
        "licenses",
        "max_document_bytes",
        "max_snippet_chars",
        "encoding",
        "code_column",
    )
    changes = {name: flags[name] for name in plain if flags[name] is not None}
    if names := flags["filters"]:
        changes["filters"] = {"all": FILTERS, "none": ()}.get(names, tuple(names.split(",")))
    if flags["deny"]:
        changes["deny"] = Denylist.from_file(flags["deny"])
    if flags["languages"]:
        changes |= {"languages": _counts(flags["languages"]), "n": flags["n"] if flags["n"] else None}
    elif flags["n"] and any(n for _, n in base.languages):
        raise UsageError(
            "The preset or config has a count for each language. Change them with --languages python=100,… instead of --n."
        )
    if per_document := flags["snippets_per_document"]:
        if per_document != "auto" and not per_document.isdigit():
            raise UsageError(f"--snippets-per-document takes a number or 'auto', not {per_document!r}.")
        changes["snippets_per_document"] = None if per_document == "auto" else int(per_document)
    return replace(base, **changes)


def _counts(text: str) -> tuple[tuple[str, int | None], ...]:
    from hf_oss_instruct.languages import named

    found: dict[str, int | None] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if number and not number.isdigit():
            raise UsageError(f"--languages {part!r}: the count must be a number. Write it as python=4000,cpp=500.")
        found[named(name).name] = int(number) if number else None
    return tuple(found.items())
