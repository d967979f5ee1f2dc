"""The options that `synthesize`, `preview`, `seeds` and `curate` share; `opening.py` says what they mean."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
COMMENT_FUNCTION, TRANSFORMERS = "comment-function", "transformers"
"""Values of `--teacher`."""


class Timeout(click.ParamType[float | None]):
    """Seconds, or None for `auto`."""

    name = "timeout"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """See `click.ParamType.convert`."""
        if value == "auto":
            return None
        seconds: float = click.FloatRange(min=0, min_open=True).convert(value, param, ctx)
        return seconds


class JsonObject(click.ParamType[dict[str, Any]]):
    """A JSON object."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """See `click.ParamType.convert`."""
        try:
            found = json.loads(value)
        except (ValueError, RecursionError) as error:
            self.fail(f"{value!r} is no JSON: {error}. Quote it for the shell: '{{\"top_k\": 20}}'.", param, ctx)
        if not isinstance(found, dict):
            self.fail(f"{value!r} is no JSON object. Write names and values: '{{\"top_k\": 20}}'.", param, ctx)
        return found


def together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator, in the order they are listed."""
    return lambda command: functools.reduce(lambda inner, option: option(inner), reversed(options), command)


seed_options = together(
    click.option(
        "--seeds",
        metavar="SOURCE",
        help="Where snippets come from: 'stdlib' (Python's own library, the default), a file or folder of source code, "
        "tables (parquet, JSON Lines, JSON, CSV), or a Hub dataset such as bigcode/the-stack.",
    ),
    click.option("--revision", metavar="REV", help="Branch, tag or commit of a Hub data set."),
    click.option("--n", type=click.IntRange(1), help="Number of seeds."),
    click.option(
        "--languages",
        metavar="L[=N],…",
        help="Only these languages; with counts, e.g. python=4000,cpp=500, instead of --n.",
    ),
    click.option(
        "--sampler",
        type=click.Choice(["hash", "functions", "magicoder"]),
        help="How lines are chosen: hash (1–15 lines, reproducible in any order), functions (documented functions), "
        "magicoder (the paper's, bit-identical). Default: hash; functions for the embedded teacher.",
    ),
    click.option(
        "--snippets-per-document",
        metavar="K|auto",
        help="At most K of one document; auto (default): as many as --n asks for.",
    ),
    click.option(
        "--rng-seed",
        type=click.IntRange(0),
        help="Random number of the draw. Default: 0; 976, the paper's, with --sampler magicoder.",
    ),
    click.option("--one-in", type=click.IntRange(1), metavar="K", help="Look at one document in K, drawn by hash. Default: 1."),
    click.option(
        "--licenses",
        metavar="permissive|any|SPDX,…",
        help="Licences of seeds: permissive (default for Hub data sets), any (default for what is local), or names.",
    ),
    click.option(
        "--filters",
        metavar="all|none|NAME,…",
        help="What is refused as a seed: parses (documents with gross errors or no definition), secrets, boilerplate. "
        "Default: all; none for magicoder.",
    ),
    click.option(
        "--max-document-bytes",
        type=click.IntRange(0),
        metavar="BYTES",
        help="Leave out larger documents; 0: no limit. Default: 1000000; 0 with --preset magicoder.",
    ),
    click.option(
        "--max-snippet-chars",
        type=click.IntRange(0),
        metavar="CHARS",
        help="Refuse longer snippets (minified code, data on one line); 0: no limit. Default: 10000; 0 with --preset magicoder.",
    ),
    click.option(
        "--encoding",
        metavar="NAME",
        help="Encoding of files that are not UTF-8 and neither begin with a byte order mark nor declare one (latin-1, cp1252, "
        "gb18030, …). Default: leave them out.",
    ),
    click.option(
        "--code-column",
        metavar="NAME",
        help="Column of a table that holds the code. Default: content, code, whole_func_string, …, the first that is there.",
    ),
    click.option(
        "--deny",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Repositories, paths and ids to leave out, one a line: repo: OWNER/NAME, path: PATH, id: ID.",
    ),
    click.option(
        "--preset",
        type=click.Choice(["magicoder"]),
        help="The paper's languages and counts, sampler, parser and random seed.",
    ),
    click.option(
        "--config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Run config (oss_instruct.yaml, *.ossi); flags win over it.",
    ),
)
teacher_options = together(
    click.option(
        "--teacher",
        type=click.Choice([COMMENT_FUNCTION, TRANSFORMERS]),
        help="comment-function mines pairs and needs no model (the default); transformers runs --model in this process.",
    ),
    click.option(
        "--model",
        help="Model that writes the pairs: alone through Inference Providers, with --base-url on that server.",
    ),
    click.option(
        "--base-url",
        metavar="URL",
        help="Any OpenAI-compatible server: vLLM, SGLang, llama.cpp, TGI, transformers serve, or a provider's base URL as its "
        "documentation has it. /v1 is added only to a URL without a path; a query (Azure's api-version) is kept.",
    ),
    click.option("--api-key-env", metavar="NAME", help="Environment variable that holds the server's key."),
    click.option("--concurrency", type=click.IntRange(1), default=16, show_default=True, help="Requests in flight at once."),
    click.option(
        "--timeout",
        type=Timeout(),
        default="auto",
        show_default=True,
        metavar="SECONDS|auto",
        help="Deadline of one request. auto: 600 s until the first answer, then five times the slowest one seen lately (twenty "
        "times, for the first 16), from 30 to 600 s.",
    ),
    click.option(
        "--prompt-template",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Text file with {code} for the snippet; lines [system] and [user] open messages.",
    ),
    click.option("--temperature", type=click.FloatRange(0), help="Default: 0, as in the paper."),
    click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), help="Default: the server's."),
    click.option("--max-tokens", type=click.IntRange(1), help="Cap of one answer. Default: 2500, as in the paper."),
    click.option("--no-seed", is_flag=True, help="Send no random seed, for a server that takes none or stops at one."),
    click.option(
        "--extra-body",
        type=JsonObject(),
        metavar="JSON",
        help='Further fields of every request, e.g. \'{"chat_template_kwargs": {"enable_thinking": false}}\'. They are part of '
        "what was asked: kept in the run config, and another value is another question.",
    ),
    click.option(
        "--keep-reasoning/--no-keep-reasoning",
        default=None,
        help="Put a reasoning model's thoughts, which are never part of a pair, into the column reasoning. Default: it is null.",
    ),
)
limit_options = together(
    click.option("--max-requests", type=click.IntRange(1), help="Stop before more requests than this, retries included."),
    click.option("--max-total-tokens", type=click.IntRange(1), help="Stop before prompts and answers could hold more tokens."),
    click.option("--max-cost", type=click.FloatRange(0, min_open=True), help="Stop before it could cost more; needs prices."),
    click.option("--price-in", type=click.FloatRange(0), metavar="PRICE", help="Price of a million prompt tokens."),
    click.option("--price-out", type=click.FloatRange(0), metavar="PRICE", help="Price of a million completion tokens."),
    click.option(
        "--give-up-after",
        type=click.FloatRange(0, min_open=True),
        default=300.0,
        show_default=True,
        metavar="SECONDS",
        help="End, resumable, when nothing but failures came for so long.",
    ),
)
check_options = together(
    click.option(
        "--benchmarks",
        metavar="B,…|none",
        help="Benchmarks that no row may quote: names (humaneval, mbpp, multipl-e, …), files, folders, Hub data sets; "
        "'default' is every small one, 'none' switches it off.",
    ),
    click.option(
        "--rule",
        type=click.Choice(["default", "magicoder"]),
        help="How quotes are found; magicoder: the paper's substrings, decision for decision.",
    ),
    click.option(
        "--contaminated",
        type=click.Choice(["drop", "flag"]),
        help="drop (default) rejects rows that quote a benchmark; flag only fills contaminated_by.",
    ),
)
