"""How rewards are computed, and where each option is set: in Python, or by environment variables under `trl grpo`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

from hf_oss_instruct.argument_types import check_type
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.spec.option_types import Choice, Integer, Number, OptionType, Switch, checked_value

VARIANTS = ("all", "share", "weighted")
MIN_MEMORY_MIB = 16
"""Below it every program would fail, and get 0.0 as if it were wrong."""
PREFIX = "HF_OSS_INSTRUCT_REWARD_"
"""Environment variables are this and the option's name in capitals; a YAML for `trl grpo` sets them under `env:`."""
TYPES: dict[str, OptionType] = {
    "variant": Choice(VARIANTS, "Unknown variant {value!r} of the reward"),
    "untrusted_tests": Number(0, 1),
    "cpu_s": Number(0, low_open=True),
    "wall_s": Number(0, low_open=True),
    "memory_mib": Integer(MIN_MEMORY_MIB),
    "call_wall_s": Number(0, low_open=True),
    "workers": Integer(0),
    "memoize": Switch(),
}
"""Option → the values that it takes, for options that are not texts."""


@dataclass(frozen=True, slots=True)
class RewardOptions:
    """How rewards are computed.

    Attributes:
        variant: `all` (1.0 if every test passes, else 0.0), `share` (share of tests passed), or `weighted` (the share, each test
            weighted by the mutants of the row's `solution` that it kills, or by the column `test_weights`).
        untrusted_tests: weight, from 0 to 1, of tests that can only run in the program's process. With 0 they are not run; rows
            without other tests get no reward.
        cpu_s: CPU time of a completion in seconds, over all of its tests.
        wall_s: wall time of a completion in seconds, over all of its tests.
        memory_mib: memory of a program in MiB.
        call_wall_s: wall time of a call in seconds; completions that are not scored by then get None.
        workers: completions that are run at the same time; 0 for the number of CPUs.
        memoize: whether the result of a program is reused when the same program answers the same tests again.
        url: address of a reward server (`hf-oss-instruct reward-server`); empty to run programs on this machine.
        token: bearer token of the server.
        tier: name of a sandbox tier, see `run_program`; the best available one if empty.

    Raises:
        UsageError: a value is out of its range or of another type, or the variant or tier is unknown.
    """

    variant: str = "all"
    untrusted_tests: float = 1.0
    cpu_s: float = 10.0
    wall_s: float = 30.0
    memory_mib: int = 1024
    call_wall_s: float = 600.0
    workers: int = 0
    memoize: bool = True
    url: str = ""
    token: str = ""
    tier: str = ""

    def __post_init__(self) -> None:
        for name, kind in TYPES.items():
            object.__setattr__(self, name, checked_value(name, kind, getattr(self, name)))
        for name in ("url", "token", "tier"):
            check_type(name, getattr(self, name), str | None, "a string")
            # None is what `os.environ.get` gives for nothing.
            object.__setattr__(self, name, getattr(self, name) or "")
        if self.tier:
            from hf_oss_instruct.sandbox.backends import chosen_tier

            chosen_tier(self.tier)  # which refuses unknown names
        _ = self.limits  # raises

    def __repr__(self) -> str:
        # The token must not get into logs and error messages.
        shown = ((field.name, getattr(self, field.name)) for field in fields(self) if field.name != "token")
        return f"RewardOptions({', '.join(f'{name}={value!r}' for name, value in shown)})"

    @property
    def limits(self) -> Limits:
        """The resource limits of a completion."""
        return Limits(cpu_s=self.cpu_s, wall_s=self.wall_s, memory_mib=self.memory_mib)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **given: Any) -> RewardOptions:
        """Read options from environment variables; options that are given come first.

        Raises:
            UsageError: a variable has a value that is not understood, or an option is unknown.
        """
        environment = os.environ if environment is None else environment
        # Annotations are text in this module, so types have to be resolved.
        kinds = get_type_hints(cls)
        values: dict[str, Any] = {}
        for name, text in environment.items():
            if not name.startswith(PREFIX):
                continue
            option = name.removeprefix(PREFIX).lower()
            if option not in kinds:
                known = ", ".join(PREFIX + field_name.upper() for field_name in kinds)
                raise UsageError(f"The environment variable {name} is unknown. Known variables: {known}.")
            values[option] = _read(name, text, kinds[option])
        if unknown := set(given) - set(kinds):
            raise UsageError(f"Unknown options {sorted(unknown)} of the reward. Known options: {', '.join(kinds)}.")
        return cls(**values | given)


def _read(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        values = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if text.lower() not in values:
            raise UsageError(f"{name} is {text!r}. Set it to 1 or 0.")
        return values[text.lower()]
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"{name} is {text!r}. It must be {'a whole number' if kind is int else 'a number'}.") from None
