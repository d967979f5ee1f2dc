"""The reward function for TRL: `trl grpo --reward_funcs hf_oss_instruct.rewards.code_reward`.

Options come from environment variables (`env:` in the YAML), or `make_code_reward` makes a function with options in Python.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from hf_oss_instruct.argument_types import check_type
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.terminal.display import plural

if TYPE_CHECKING:
    from hf_oss_instruct.errors import OssInstructError
    from hf_oss_instruct.rewards.options import RewardOptions
    from hf_oss_instruct.rewards.outcome import RewardOutcome
    from hf_oss_instruct.rewards.scorer import ScorerItem

TRL_ARGUMENTS = ("completion_ids", "environments")
"""Lists that TRL passes beside the columns of the dataset."""
RewardFunction = Callable[..., Coroutine[Any, Any, list[float | None]]]


class Backend(Protocol):
    """Scores batches: `scorer.Scorer` on this machine, `client.RemoteScorer` on another."""

    async def score(self, items: Sequence[ScorerItem]) -> list[RewardOutcome | OssInstructError]:
        """Score a batch."""


async def code_reward(
    prompts: Sequence[Any] | None = None, completions: Sequence[Any] | None = None, **columns: Any
) -> list[float | None]:
    """Run the program in each completion with the tests of its row, in the sandbox.

    Args:
        prompts: the prompts, plain or conversational.
        completions: the completions, plain text or lists of messages.
        columns: the other columns of the dataset, see `columns.TEST_COLUMNS`; and what TRL passes (`log_metric`, …).

    Returns:
        A reward from 0.0 to 1.0 for each completion; None if the sandbox failed, which TRL leaves out.

    Raises:
        UsageError: in the first call, a row has no tests, its tests cannot be used, or completions have another shape.
        SandboxError: in the first call, no sandbox works on this machine.
    """
    return await _default()(prompts=prompts, completions=completions, **columns)


@functools.cache
def _default() -> RewardFunction:
    return make_code_reward()


def make_code_reward(options: RewardOptions | None = None, **given: Any) -> RewardFunction:
    """Make a reward function for `GRPOTrainer(reward_funcs=…)`.

        GRPOTrainer(reward_funcs=make_code_reward(variant="share", untrusted_tests=0), …)

    Args:
        options: all options; those in environment variables by default.
        given: fields of `RewardOptions`, which come before environment variables; not together with `options`.

    Raises:
        UsageError: an option is unknown or has a wrong value, or there are both `options` and fields.
    """
    from hf_oss_instruct.rewards.options import RewardOptions

    if options is not None:
        check_type("options", options, RewardOptions, "RewardOptions(NAME=VALUE)")
        if given:
            raise UsageError(f"Both options and {', '.join(given)} are given. Pass one of them: RewardOptions has all fields.")
    chosen = options or RewardOptions.from_environment(**given)
    function = _RewardFunction(chosen)

    # Of the same name as the function above: TRL calls its metrics by the name of the function.
    async def code_reward(
        prompts: Sequence[Any] | None = None, completions: Sequence[Any] | None = None, **columns: Any
    ) -> list[float | None]:
        return await function.rewards(prompts, completions, columns)

    return code_reward


class _RewardFunction:
    """Between TRL's arguments and a backend."""

    def __init__(self, options: RewardOptions) -> None:
        from hf_oss_instruct.rewards.row_reader import RowTestsReader
        from hf_oss_instruct.rewards.scorer import FirstBatchErrors

        self._options = options
        self._reader, self._first_batch_errors = RowTestsReader(), FirstBatchErrors()
        self._backend: Backend | None = None

    async def rewards(
        self, prompts: Sequence[Any] | None, completions: Sequence[Any] | None, columns: Mapping[str, Any]
    ) -> list[float | None]:
        from hf_oss_instruct.rewards.outcome import metrics
        from hf_oss_instruct.rewards.scorer import timed

        if completions is None:
            raise UsageError("The reward function was called without completions. TRL passes them by name.")
        completions = as_list("completions", completions)
        if not completions:
            return []
        prompts = None if prompts is None else as_list("prompts", prompts)
        clock = timed()
        items = self._items(prompts, completions, columns)
        backend = self._backend = self._backend or await self._open_backend()
        whole = [item for item in items if not isinstance(item, UsageError)]
        # Rows that cannot be read keep their place in the batch; only the others are scored.
        scored = iter(await backend.score(whole))
        results = [item if isinstance(item, UsageError) else next(scored) for item in items]
        outcomes = self._first_batch_errors.outcomes(results, self._options)
        if log_metric := columns.get("log_metric"):
            for name, value in metrics(outcomes, clock()).items():
                log_metric(f"code_reward/{name}", value)
        return [outcome.reward for outcome in outcomes]

    async def _open_backend(self) -> Backend:
        if self._options.url:
            from hf_oss_instruct.rewards.serving.client import RemoteScorer

            return await RemoteScorer.connected(self._options)
        from hf_oss_instruct.rewards.scorer import Scorer

        return Scorer(self._options)

    def _items(
        self, prompts: Sequence[Any] | None, completions: Sequence[Any], columns: Mapping[str, Any]
    ) -> list[ScorerItem | UsageError]:
        from hf_oss_instruct.rewards.row_reader import READ_COLUMNS
        from hf_oss_instruct.rewards.scorer import ScorerItem

        # Columns that are read must hold a value for each completion. Other arguments are TRL's, and may be anything.
        lists = {name: as_list(name, value) for name, value in columns.items() if name in READ_COLUMNS and value is not None}
        lists |= {name: value for name, value in columns.items() if name not in READ_COLUMNS and isinstance(value, (list, tuple))}
        for name, value in (lists | ({"prompts": prompts} if prompts else {})).items():
            if name != "environments" and len(value) != len(completions):
                counts = f"{plural(len(value), 'value')} for {plural(len(completions), 'completion')}"
                raise UsageError(f"The column {name!r} has {counts}. Pass one value for each completion.")
        for name in TRL_ARGUMENTS:
            lists.pop(name, None)
        items: list[ScorerItem | UsageError] = []
        for number, completion in enumerate(completions):
            prompt = prompts[number] if prompts else ""
            try:
                text = text_of(completion)
                tests = self._reader.read({name: value[number] for name, value in lists.items()})
                items.append(ScorerItem(text, tests, prompt if isinstance(prompt, str) else ""))
            except UsageError as error:
                items.append(error)
        return items


def as_list(name: str, value: Any) -> Sequence[Any]:
    """What TRL passes for a batch: a list with a value for each completion; arrays and columns of libraries become one.

    Raises:
        UsageError: it is a single value.
    """
    if hasattr(value, "tolist"):  # NumPy, pandas, PyTorch
        value = value.tolist()
    elif hasattr(value, "to_pylist"):  # Arrow
        value = value.to_pylist()
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return value
    raise UsageError(
        f"{name!r} is {value!r:.60}, of type {type(value).__name__}, and not a list. Pass a list with one value for "
        "each completion."
    )


def text_of(completion: Any) -> str:
    """The text of a completion: plain, or the last message of the assistant.

    Raises:
        UsageError: it has another shape.
    """
    if isinstance(completion, str):
        return completion
    if isinstance(completion, Mapping):
        completion = [completion]
    if isinstance(completion, Sequence):
        messages = [message for message in completion if isinstance(message, Mapping) and "content" in message]
        own = [message for message in messages if message.get("role", "assistant") == "assistant"]
        if len(messages) == len(completion) and own:
            return _content(own[-1]["content"])
        if not completion:
            return ""
    raise UsageError(
        f"A completion is {completion!r:.100}. It must be a string, or a list of messages with 'role' and 'content', as TRL "
        "passes them for plain and conversational prompts."
    )


def _content(content: Any) -> str:
    """The text of a message; some chat formats hold a list of parts."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        parts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
        texts = [part for part in parts if isinstance(part, str)]
        if texts or not content:  # other parts are thoughts, or pictures
            return "".join(texts)
    raise UsageError(f"The content of a message is {content!r:.100}. It must be a string or a list of text parts.")
