"""The data types of a run: documents, seeds, requests, completions, pairs and rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

import orjson
import xxhash

if TYPE_CHECKING:
    from typing_extensions import TypeIs

FORMAT_VERSION = 1
"""Version of the file formats: columns, `run.json`, keys, statuses."""

PER_MESSAGE = 16
"""Maximum number of tokens that a chat template adds to a message."""
EMBEDDED_TEACHER = "comment-function/2"
"""Identity of the teacher that mines pairs without a model, in rows, keys and `run.json`: name and version."""

REASONS = (
    "truncated",
    "unparsable",
    "empty",
    "thin_documentation",
    "refused",
    "duplicate",
    "near_duplicate",
    "contaminated",
    "license",
    "denied",
    "seed_filter",
    "tests_vacuous",
    "tests_failed",
    "tests_missing",
    "tests_flaky",
    "not_verifiable",
    "unchanged",
    "too_short",
    "prompt_leaked",
    "copied",
    "wrong_style",
    "judged_low",
)
"""Every reason for rejecting a row permanently. All other rows are kept or pending."""


def digest(*parts: Any) -> str:
    """Hash JSON values to a 128-bit hex key; they are hashed as a JSON list, which keeps the parts apart."""
    # Sorted, so that the order in which a mapping was filled does not change the key.
    return xxhash.xxh3_128_hexdigest(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))


def storable(text: str) -> str:
    """Replace lone surrogates, which JSON may contain but UTF-8 cannot encode."""
    # `isascii` looks at a flag; encoding would copy every text, most of which are ASCII.
    return text if text.isascii() else text.encode(errors="replace").decode()


def is_embedded(identity: str) -> bool:
    """Whether the teacher with a recorded identity is the embedded one, in any version; of a `Teacher`, see its `embedded`."""
    return identity.partition("/")[0] == EMBEDDED_TEACHER.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a document comes from. Unknown fields are None.

    Attributes:
        dataset: name of the dataset (`python-stdlib`, a Hub id, a folder's name).
        revision: its commit, version or content hash.
        row_id: the document's own id in its dataset.
        raw_index: number of the document among those of its language in the source, from 0.
        lang: language name of `languages.LANGUAGES`.
        repo_name: the repository.
        repo_commit: its commit.
        file_path: the path in it.
        licenses: SPDX names as the source gives them.
        license_type: the source's own word, such as `permissive`.
    """

    dataset: str
    revision: str | None
    row_id: str
    raw_index: int
    lang: str
    repo_name: str | None = None
    repo_commit: str | None = None
    file_path: str | None = None
    licenses: tuple[str, ...] | None = None
    license_type: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A source file.

    Attributes:
        content: its text.
        origin: where it comes from.
    """

    content: str
    origin: Provenance


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document without a seed, or a snippet that a filter refused and that was replaced by the document's next.

    Attributes:
        reason: why (`binary`, `vendored`, `license`, `secret`, …).
        lang: its language, None if that is the question.
        snippet: whether only a snippet was refused.
    """

    reason: str
    lang: str | None = None
    snippet: bool = False


@dataclass(frozen=True, slots=True)
class Seed:
    """A seed snippet.

    Attributes:
        snippet: consecutive whole lines of one document.
        start_line: its first line, counted from 1.
        end_line: its last line, included.
        origin: where the document comes from.
        sampler: name and version of the rule that chose the lines (`hash/1`).
        rng_seed: the random number the rule was given.
        index: position in seed order, from 0.
        seed_id: key of the snippet, made of dataset, revision, row id and lines.
    """

    snippet: str
    start_line: int
    end_line: int
    origin: Provenance
    sampler: str
    rng_seed: int
    index: int = -1
    seed_id: str = ""

    def __post_init__(self) -> None:
        if not self.seed_id:
            source = self.origin
            key = digest(source.dataset, source.revision, source.row_id, self.start_line, self.end_line)
            # The class is frozen, also for itself.
            object.__setattr__(self, "seed_id", key)

    def at(self, index: int) -> Seed:
        """Return the same seed with another index in seed order."""
        where = self.start_line, self.end_line
        return Seed(self.snippet, *where, self.origin, self.sampler, self.rng_seed, index, self.seed_id)


Message: TypeAlias = dict[str, str]
"""One chat message: `role` and `content`."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a teacher.

    Attributes:
        seed: the seed snippet behind the request.
        messages: the chat messages to answer.
        sampling: sampling parameters as they are sent (`temperature`, `top_p`, `max_tokens`, `seed`).
        attempt: 0 for the first answer to this request, 1 for the second, …
        key: key of its answer in the journal, by which a later session finds a request that is still being answered.
    """

    seed: Seed
    messages: tuple[Message, ...]
    sampling: dict[str, Any]
    attempt: int = 0
    key: str = ""

    @property
    def most_tokens(self) -> tuple[int, int]:
        """Upper bound of the tokens that the request can use, in the prompt (each has at least one byte) and the answer."""
        prompt = sum(len(message["content"].encode()) + PER_MESSAGE for message in self.messages)
        if schema := self.sampling.get("response_format"):  # servers count it as part of the prompt
            prompt += len(orjson.dumps(schema))
        return prompt, int(self.sampling.get("max_tokens", 0))


@dataclass(frozen=True, slots=True)
class Completion:
    """A teacher's answer.

    Attributes:
        text: the answer, which may contain the model's reasoning.
        finish_reason: why it ended, in the server's own word.
        model: the model's name, as reported by the server.
        fingerprint: version of the server's configuration, as reported by it (`system_fingerprint`).
        prompt_tokens: tokens of the prompt, as counted by the server; None if it gives no count.
        completion_tokens: tokens of the answer, counted likewise.
        reasoning: the reasoning that the server returned separately from the text.
        raw: the whole response if it was not understood; the text is then empty.
        changes: sampling parameters that were sent under another name, or omitted (None), since the server does not support them.
    """

    text: str
    finish_reason: str | None
    model: str | None = None
    fingerprint: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning: str | None = None
    raw: str | None = None
    changes: dict[str, str | None] | None = None

    def __post_init__(self) -> None:
        for name in ("text", "reasoning", "raw"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, storable(value))


@dataclass(frozen=True, slots=True)
class Pair:
    """A parsed completion.

    Attributes:
        problem: the self-contained problem.
        solution: its solution.
        tests: the tests that came with them; None if there are none.
    """

    problem: str
    solution: str
    tests: str | None = None


class Row(TypedDict, total=False):
    """A kept pair with its metadata: one row of the config `default`, with the names of its columns.

    Columns of verification, lineage, concepts and judging are missing, or None, in rows that did not go through these steps.

    Attributes:
        seed_id: key of the seed, a hash of its dataset, revision, document and lines; of an evolved row, a hash of its parent's
            id, the round and the operation.
        index: position in seed order, from 0.
        seed: the snippet.
        lang: language of the snippet.
        seed_dataset: name of the dataset that the snippet comes from: `python-stdlib`, a Hub id, or a folder's name.
        seed_revision: its commit, version or content hash; None if unknown.
        raw_index: number of the document among those of its language there, from 0.
        repo_name: repository of the document; None if unknown, as are the next four.
        repo_commit: its commit.
        file_path: path of the document in it.
        licenses: SPDX names, as the source gives them.
        license_type: the source's own word, such as `permissive`.
        start_line: first line of the snippet, counted from 1.
        end_line: last line of the snippet, included.
        sampler: name and version of the rule that chose the lines (`hash/1`).
        rng_seed: random seed of the sampler.
        problem: the self-contained problem.
        solution: its solution, in Markdown as the teacher wrote it.
        teacher: identity of the teacher: kind, model and revision.
        prompt_hash: hash of the prompts that lead to the row, 32 hex digits.
        sampling: sampling parameters as they were sent, as JSON.
        openai_fingerprint: version of the server's configuration, as reported by it; None if it gives none.
        prompt_tokens: tokens of the prompts, as counted by the server; None if it gives no count.
        completion_tokens: tokens of the answers, counted likewise.
        reasoning: the model's reasoning; None unless it was requested (`keep_reasoning`, `thoughts`).
        contaminated_by: benchmark tasks that the row quotes (`humaneval:HumanEval/23:words`); None without any.
        flags: remarks of checks and tasks, such as `style:function`; None without any.
        tests: single tests, each on its own, where rows were verified; else the text that came with the pair; None without tests.
        test_results: whether the kept solution passes each test.
        test_marks: for each test `weak`, `repeated`, `flaky` or an empty text.
        solutions: `text`, `teacher`, `status` and `results` of each solution, the row's own first.
        execution_status: `passed`, `tests_failed`, `tests_vacuous`, `tests_flaky`, `tests_missing`, `not_verifiable` or
            `sandbox_error`.
        detail: why the solution did not pass, in one line; None if it did.
        pass_rate: share of the tests that the kept solution passes, 0 to 1; None without tests.
        attempts: number of solutions.
        passes: number of solutions that pass every test.
        mutation_score: share of the mutants that a test killed, 0 to 1; None without mutants.
        mutants: number of mutants.
        flaky: number of tests whose result changed between runs.
        reruns: number of these runs.
        selected_by: method that selected the kept solution, such as `majority`.
        stderr_tail: end of its standard error.
        sandbox: sandbox tier that ran the tests.
        toolchain: compiler or interpreter that ran them.
        parent_id: `seed_id` of the row that this one was evolved from.
        round: how often it was evolved.
        operation: the operation of the last round.
        concepts: concepts that the problem was made from.
        judge_scores: `judge`, `criterion` and `score` of each judge.
        judge_mean: weighted mean over criteria of the mean over judges.
        judge: the judges that scored the row.
    """

    seed_id: str
    lang: str
    raw_index: int
    index: int
    seed: str
    problem: str
    solution: str
    teacher: str
    prompt_hash: str
    openai_fingerprint: str | None
    seed_dataset: str
    seed_revision: str | None
    repo_name: str | None
    repo_commit: str | None
    file_path: str | None
    start_line: int
    end_line: int
    licenses: list[str] | None
    license_type: str | None
    sampler: str
    rng_seed: int
    sampling: str
    prompt_tokens: int | None
    completion_tokens: int | None
    reasoning: str | None
    contaminated_by: list[str] | None
    flags: list[str] | None
    tests: str | list[str] | None
    execution_status: str | None
    detail: str | None
    attempts: int | None
    passes: int | None
    pass_rate: float | None
    stderr_tail: str | None
    sandbox: str | None
    test_results: list[bool] | None
    solutions: list[dict[str, Any]] | None
    mutation_score: float | None
    mutants: int | None
    flaky: int | None
    test_marks: list[str] | None
    reruns: int | None
    selected_by: str | None
    toolchain: str | None
    parent_id: str | None
    round: int | None
    operation: str | None
    concepts: list[str]
    judge_scores: list[dict[str, Any]] | None
    judge_mean: float | None
    judge: list[str] | None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that is rejected permanently.

    Attributes:
        seed: the seed it would have grown from.
        reason: one of `REASONS`.
        detail: why, in one line.
        received: the teacher's text, None if there was none.
        verified: what verification found, to be counted; None if there was none.
        columns: further columns of the rejected row, such as an evolved row's lineage or a judged row's scores.
    """

    seed: Seed
    reason: str
    detail: str
    received: str | None = None
    verified: Mapping[str, Any] | None = None
    columns: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        assert self.reason in REASONS, self.reason

    @property
    def why(self) -> str:
        """Reason and detail."""
        return f"{self.reason}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Pending:
    """A row without an answer yet; the next run requests it again."""

    seed: Seed
    why: str


Outcome: TypeAlias = Row | Rejection | Pending | Skipped
"""The outcome of an item."""


def is_row(outcome: object) -> TypeIs[Row]:
    """Whether an outcome is a row: the item was kept."""
    # A TypedDict is a plain dict at runtime, and no other outcome is one.
    return isinstance(outcome, dict)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a check: keep the row, or drop it for a reason."""

    reason: str | None = None
    detail: str = ""


KEEP = CheckResult()
