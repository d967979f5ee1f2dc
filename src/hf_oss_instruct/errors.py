"""Exceptions of this package.

    OssInstructError
    ├── UsageError               the arguments are invalid or contradict each other: change them
    ├── SeedError                the seed snippets cannot be read
    │   └── SeedsExhaustedError  the source has fewer seeds than requested
    ├── TeacherError             the teacher cannot continue; every unanswered row stays pending
    ├── BudgetReachedError       the budget is spent; every unanswered row stays pending
    ├── RetryableError           one request failed and may succeed later
    ├── RowRejectedError         one row is rejected permanently, with this reason
    ├── EvaluationError          a benchmark's data or a file of samples cannot be used
    ├── RunError                 the output folder cannot be used, or could not be written
    ├── PublishError             nothing was published: the folder, the name or the token is invalid, or the Hub refused it
    ├── RunInterruptedError      a signal ended the work cleanly; the same call resumes it
    ├── SandboxError             this machine has no sandbox, or the requested one does not work; nothing was run
    └── ToolchainMissingError    a language's compiler or interpreter is not installed; nothing was run

A message shows the value that was wrong and the way out, a sentence each.

    try:
        rows = list(synthesize(read_seeds("my_code", n=100), teacher))
    except OssInstructError as error:
        print(error)
"""


class OssInstructError(Exception):
    """Base class of every error that this package raises deliberately."""


class UsageError(OssInstructError):
    """The arguments contradict each other or name something that does not exist."""


class SeedError(OssInstructError):
    """A source of seeds is missing, unreadable or contains no code."""


class SeedsExhaustedError(SeedError):
    """The source has fewer seeds than requested."""


class TeacherError(OssInstructError):
    """The teacher cannot continue (bad key, unknown model, unreachable server). No row is rejected; the run can be resumed."""


class BudgetReachedError(OssInstructError):
    """The next request could exceed a limit. No row is rejected; the run can be resumed with a higher limit."""


class RetryableError(OssInstructError):
    """One request failed and may succeed later.

    Args:
        message: what happened, quoting the server's message if there is one.
        after_s: seconds the server asked us to wait (`Retry-After`), if it did.
        reached: whether a server was reached at all.
        busy: whether the server asked for fewer requests (HTTP 429), which counts against no row.
        changed: whether the next attempt is another request, which need not wait.
    """

    def __init__(
        self, message: str, after_s: float | None = None, *, reached: bool = False, busy: bool = False, changed: bool = False
    ) -> None:
        super().__init__(message)
        self.after_s, self.reached, self.busy, self.changed = after_s, reached, busy, changed


class RowRejectedError(OssInstructError):
    """The teacher permanently refuses one row.

    Args:
        reason: one of `data.REASONS`.
        detail: why, in one line.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


class EvaluationError(OssInstructError):
    """A benchmark's data or a file of samples cannot be read or is inconsistent."""


class RunError(OssInstructError):
    """The folder of a run belongs to something else, is in use, or could not be written."""


class PublishError(OssInstructError):
    """Nothing was published; the repository is unchanged."""


class RunInterruptedError(OssInstructError):
    """Interrupted by Ctrl-C, SIGTERM or SIGHUP. Finished work is on disk; the same call continues."""


class SandboxError(OssInstructError):
    """No sandbox is available. Says nothing about the program."""


class ToolchainMissingError(OssInstructError):
    """A compiler or interpreter is not installed. Says nothing about the program."""
