"""Options of seeds: source, number, sampler, licenses and filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.declare import Interface, documented, normalize, option
from hf_oss_instruct.spec.name_types import CountByLanguage, EmbeddingModelName, FilterNames, LanguageCounts, OptOuts
from hf_oss_instruct.spec.option_types import AutoInteger, Choice, Integer, Switch, Text
from hf_oss_instruct.spec.shard import Shard, ShardOf

if TYPE_CHECKING:
    from hf_oss_instruct.curation.denylist import Denylist
    from hf_oss_instruct.embeddings import EmbeddingModel

MAGICODER_SEED = 976
"""The paper's random seed (`Args.seed` in ise-uiuc/magicoder, generate_data.py)."""
MAX_DOCUMENT_BYTES = 1_000_000
"""Default maximum size of a document; The Stack contains no larger files."""
MAX_SNIPPET_CHARS = 10_000
"""Default maximum length of a snippet, about 3,000 tokens. Fifteen lines of ordinary code have a tenth of that."""
ANY, PERMISSIVE = "any", "permissive"
SAMPLERS = ("hash", "functions", "magicoder")


@documented
@dataclass(frozen=True, slots=True)
class SeedPlan:
    """Which seeds to draw: source, number, sampler, licenses and filters.

    Raises:
        UsageError: the values contradict each other.
    """

    source: str = option(
        "stdlib",
        Text(),
        "Where snippets come from: 'stdlib' (Python's own library, the default), a file or folder of source code, "
        "tables (parquet, JSON Lines, JSON, CSV), or a Hub dataset such as bigcode/the-stack.",
        flag="--seeds",
        metavar="SOURCE",
        yaml="dataset",
        keyword="seeds",
    )
    revision: str | None = option(
        None,
        Text(),
        "Branch, tag or commit of a Hub dataset.",
        flag="--revision",
        metavar="REV",
        yaml="revision",
        keyword="seeds_revision",
        kw_only=True,
    )
    n: int | None = option(
        None,
        Integer(1),
        "Number of seeds. synthesize and plan need it, or counts in --languages. Default of preview: 3; of seeds: 5.",
        python_help="Number of seeds. Default: one per document, for all documents.",
        flag="--n",
        yaml="n",
    )
    _: KW_ONLY
    languages: Mapping[str, int | None] | Sequence[str] | CountByLanguage = option(
        (),
        LanguageCounts(),
        "Only these languages; with counts, e.g. python=4000,cpp=500, instead of --n.",
        python_help="Only these languages: names, or a dict of names and numbers of seeds, which replaces `n`.",
        flag="--languages",
        metavar="L[=N],…",
        yaml="languages",
        section="2.1",
    )
    sampler: str = option(
        "hash",
        Choice(SAMPLERS, "Unknown sampler {value!r}"),
        "How lines are chosen: hash (1–15 lines, reproducible in any order), functions (documented functions), "
        "magicoder (the paper's, bit-identical). Default: hash; functions for the embedded teacher.",
        python_help="How lines are chosen: `hash` (1–15 lines, reproducible in any order), `functions` (documented functions), "
        "`magicoder` (the paper's, bit-identical). Default: `hash`. The embedded teacher needs `functions`.",
        flag="--sampler",
        yaml="sampler",
        section="2.1",
    )
    snippets_per_document: int | None = option(
        None,
        AutoInteger("--snippets-per-document", 1),
        "At most K per document; auto (default): as many as --n requires.",
        python_help="Maximum number of snippets per document. Default: as many as `n` requires.",
        flag="--snippets-per-document",
        metavar="K|auto",
        yaml="snippets_per_document",
        auto=True,
        section="2.1",
    )
    rng_seed: int | None = option(
        None,
        Integer(0),
        "Random seed of the sampler. Default: 0; 976, the paper's, with --sampler magicoder.",
        python_help="Random seed of the sampler. Default: 0; 976, the paper's, with the sampler `magicoder`.",
        flag="--rng-seed",
        yaml="rng_seed",
        auto=True,
    )
    balance: bool = option(
        False,
        Switch(),
        "Draw about the same number of seeds from each language, each of the paper's ten categories (by words), and each cluster "
        "of similar snippets. About four snippets are drawn for each seed.",
        flag="--balance",
        yaml="balance",
        rare=True,
        after="rng_seed",
    )
    embedding_model: EmbeddingModel | None = option(
        None,
        EmbeddingModelName(),
        "With --balance: form clusters from the embeddings of this text encoder, a folder or OWNER/NAME[@REVISION] on the Hub, "
        "instead of from words. Needs the extra local.",
        python_help="With `balance`: form clusters from the embeddings of this text encoder, a folder or "
        "`OWNER/NAME[@REVISION]` on the Hub, instead of from words. Needs the extra `local`.",
        flag="--embedding-model",
        metavar="MODEL",
        yaml="embedding_model",
        set_by=Interface.COMMAND | Interface.RUN_CONFIG | Interface.LOAD_DATASET | Interface.PYTHON,
        rare=True,
        after="balance",
    )
    licenses: str | None = option(
        None,
        Text(),
        "Allowed licenses: permissive (default for Hub datasets), any (default for local files), or names.",
        flag="--licenses",
        metavar="permissive|any|SPDX,…",
        yaml="licenses",
        auto=True,
    )
    filters: Sequence[str] | None = option(
        None,
        FilterNames(),
        "Seed filters: parses (removes documents with many syntax errors or no definition), secrets, boilerplate. "
        "Default: all; none for magicoder.",
        flag="--filters",
        metavar="all|none|NAME,…",
        yaml="filters",
        auto=True,
    )
    one_in: int = option(
        1,
        Integer(1),
        "Use one document in K, chosen by a hash. Default: 1.",
        python_help="Use one document in this many, chosen by a hash. Default: 1.",
        flag="--one-in",
        metavar="K",
        yaml="one_in",
        after="rng_seed",
    )
    deny: Denylist | None = option(
        None,
        OptOuts(),
        "File with repositories, paths and ids to leave out, one per line: repo: OWNER/NAME, path: PATH, id: ID.",
        flag="--deny",
        metavar="FILE",
        yaml="deny",
        after="code_column",
    )
    max_document_bytes: int = option(
        MAX_DOCUMENT_BYTES,
        Integer(0),
        "Leave out larger documents; 0: no limit. Default: 1000000; 0 with --preset magicoder.",
        python_help="Leave out documents with more bytes; 0: no limit. Default: 1000000.",
        flag="--max-document-bytes",
        metavar="BYTES",
        yaml="max_document_bytes",
    )
    max_snippet_chars: int = option(
        MAX_SNIPPET_CHARS,
        Integer(0),
        "Leave out longer snippets (minified code, data on one line); 0: no limit. Default: 10000; 0 with --preset magicoder.",
        python_help="Leave out snippets with more characters (minified code, data on one line); 0: no limit. Default: 10000.",
        flag="--max-snippet-chars",
        metavar="CHARS",
        yaml="max_snippet_chars",
    )
    encoding: str | None = option(
        None,
        Text(),
        "Encoding of files that are not UTF-8, have no byte order mark and declare no encoding (latin-1, cp1252, gb18030, "
        "…). Default: leave them out.",
        flag="--encoding",
        metavar="NAME",
        yaml="encoding",
    )
    code_column: str | None = option(
        None,
        Text(),
        "Column of a table that contains the code. Default: the first of content, code, whole_func_string, ….",
        flag="--code-column",
        metavar="NAME",
        yaml="code_column",
    )
    shard: Shard | None = option(
        None,
        ShardOf(),
        "Only shard I of N, counted from 0: every N-th seed. Limits such as --max-cost apply to all shards together; "
        "merge combines the shards into one dataset.",
        python_help="Only shard I of N, counted from 0, written `I/N`: every N-th seed.",
        flag="--shard",
        metavar="I/N",
        yaml="shard",
        set_by=Interface.COMMAND | Interface.RUN_CONFIG | Interface.PYTHON,
        rare=True,
        after="n",
    )

    def __post_init__(self) -> None:
        normalize(self)
        if self.balance and self.sampler == "magicoder":
            raise UsageError(
                "The sampler 'magicoder' draws the paper's seeds in the paper's order. Leave out balance (--balance)."
            )
        if self.licenses not in (None, ANY, PERMISSIVE):
            from hf_oss_instruct.curation.licenses import allowed_names

            allowed_names(str(self.licenses).split(","))
        counted = [n for _, n in self.counts if n is not None]
        if counted and (self.n is not None or len(counted) < len(self.counts)):
            raise UsageError("Give a count for every language or for none, and n (--n) only without counts.")
        names = [name for name, _ in self.counts]
        if twice := {name for name in names if names.count(name) > 1}:
            raise UsageError(f"Languages given twice: {', '.join(sorted(twice))}. Give each once.")
        for name, number in self.counts:
            if number is not None and number < 1:
                raise UsageError(f"languages: the count of {name} must be at least 1, not {number}.")
        # The column `rng_seed` is a signed 64-bit integer.
        if self.random_seed >= 2**63:
            raise UsageError(f"rng_seed must be at most 2^63-1, not {self.rng_seed}.")
        if self.encoding is not None:
            from hf_oss_instruct.charsets import charset

            # Python's own name, so that two spellings of an encoding are the same run.
            object.__setattr__(self, "encoding", charset(self.encoding))

    @property
    def counts(self) -> CountByLanguage:
        """Language names, each with its number of seeds or None; empty for all languages."""
        return cast(CountByLanguage, self.languages)

    @property
    def random_seed(self) -> int:
        """The random seed of the draw."""
        if self.rng_seed is not None:
            return self.rng_seed
        return MAGICODER_SEED if self.sampler == "magicoder" else 0

    @property
    def requested(self) -> int | None:
        """Number of requested seeds, of this shard if there is one; None if the source decides."""
        counts = [n for _, n in self.counts if n is not None]
        total = sum(counts) if counts else self.n
        return total if total is None or self.shard is None else self.shard.size(total)

    def shares(self) -> list[tuple[tuple[str, ...] | None, int | None]]:
        """What to draw, one after the other: (languages, number of seeds)."""
        if any(n is not None for _, n in self.counts):
            return [((name,), n) for name, n in self.counts]
        return [(tuple(name for name, _ in self.counts) or None, self.n)]

    def changed(self, **given: Any) -> SeedPlan:
        """A copy with other values. Counts of languages replace `n`, unless both are given."""
        if "languages" in given and any(n is not None for _, n in LanguageCounts().from_python(given["languages"])):
            given.setdefault("n", None)
        return replace(self, **given)
