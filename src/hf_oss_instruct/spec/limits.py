"""Limits of a run: requests, tokens, cost, and when to give up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.declare import CALLER, documented, normalize, option
from hf_oss_instruct.spec.option_types import Integer, Number
from hf_oss_instruct.spec.shard import Shard


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """Limits over all sessions of a run, None for no limit, and when to give up.

    Cost has the currency of the prices.

    Raises:
        UsageError: there is a cost limit, but no prices.
    """

    max_requests: int | None = option(
        None,
        Integer(1),
        "Stop before exceeding this many requests, retries included.",
        flag="--max-requests",
        set_by=CALLER,
    )
    max_total_tokens: int | None = option(
        None,
        Integer(1),
        "Stop before prompts and answers could exceed this many tokens.",
        flag="--max-total-tokens",
        set_by=CALLER,
    )
    max_cost: float | None = option(
        None,
        Number(0, low_open=True),
        "Stop before the cost could exceed this; requires prices.",
        flag="--max-cost",
        set_by=CALLER,
    )
    price_in: float | None = option(
        None,
        Number(0),
        "Price per million prompt tokens. With several models, the highest.",
        flag="--price-in",
        metavar="PRICE",
        set_by=CALLER,
    )
    price_out: float | None = option(
        None,
        Number(0),
        "Price per million completion tokens. With several models, the highest.",
        flag="--price-out",
        metavar="PRICE",
        set_by=CALLER,
    )
    give_up_after: float = option(
        300.0,
        Number(0, low_open=True),
        "Stop if all requests fail for this long; the same command resumes the run.",
        python_help="Stop if all requests fail for this many seconds; the same call resumes the run.",
        flag="--give-up-after",
        metavar="SECONDS",
        set_by=CALLER,
        shown=True,
    )

    def __post_init__(self) -> None:
        normalize(self)
        if self.max_cost is not None and (self.price_in is None or self.price_out is None):
            raise UsageError(
                "max_cost (--max-cost) needs price_in and price_out (--price-in, --price-out), the prices of a million tokens."
            )

    @property
    def bounded(self) -> bool:
        """Whether there is any limit on requests, tokens or cost."""
        return any(limit is not None for limit in (self.max_requests, self.max_total_tokens, self.max_cost))

    def of_shard(self, shard: Shard) -> RunLimits:
        """The limits of one shard: an equal share, so that all shards together stay within these.

        Raises:
            UsageError: there is less than one request or token for each shard.
        """
        shared = self.share(Fraction(1, shard.count))
        for flag, limit, share in (
            ("--max-requests", self.max_requests, shared.max_requests),
            ("--max-total-tokens", self.max_total_tokens, shared.max_total_tokens),
        ):
            if share == 0:
                raise UsageError(
                    f"{flag} {limit} is the limit of all {shard.count} shards together, which leaves nothing for each. "
                    f"Pass at least {shard.count}."
                )
        return shared

    def share(self, part: Fraction) -> RunLimits:
        """The limits of one of several concurrent workers, so that together they stay within these."""
        shared = replace(self)
        # Set afterwards, because a share may be 0, which nobody may pass as a limit.
        if self.max_requests is not None:  # rounded down, so that all shares together stay within the limit
            object.__setattr__(shared, "max_requests", int(self.max_requests * part))
        if self.max_total_tokens is not None:
            object.__setattr__(shared, "max_total_tokens", int(self.max_total_tokens * part))
        if self.max_cost is not None:
            object.__setattr__(shared, "max_cost", self.max_cost * float(part))
        return shared

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """Price of a number of tokens; None without prices."""
        if self.price_in is None or self.price_out is None:
            return None
        return (prompt_tokens * self.price_in + completion_tokens * self.price_out) / 1e6
