"""How errors show the options of a run whose folder belongs to another run: by flag, with values as the user types them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from hf_oss_instruct.spec.declare import Option, options_of
from hf_oss_instruct.spec.evolution import EvolutionSpec
from hf_oss_instruct.spec.judging import JudgingSpec
from hf_oss_instruct.spec.option_types import AUTO, JsonObject, Switch
from hf_oss_instruct.storage.workdir import Setting, Settings, format_value


def settings_of(parts: Mapping[str, Iterable[Option]]) -> Settings:
    """How errors show the options of a run config, of a job that contains one, and of `evolve` and `judge`.

    Args:
        parts: part of a run config → its options.
    """
    own = {f"{part}.{option.yaml}": _setting(option) for part, options in parts.items() for option in options}
    methods = {option.name: _setting(option) for of in (EvolutionSpec, JudgingSpec) for option in options_of(of) if option.yaml}
    return {**own, **{f"config.{key}": setting for key, setting in own.items()}, **methods}


def _setting(option: Option) -> Setting:
    flag = (option.flag or str(option.yaml)).split("/")[0]
    default = option.default if option.default is None else option.kind.to_yaml(option.default)
    if default is None and option.auto:
        default = AUTO
    return Setting(flag, default, partial(_text, option, flag))


def _text(option: Option, flag: str, value: Any) -> str:
    if isinstance(option.kind, Switch):
        # A flag such as `--no-seed` is on where its option is off.
        return "on" if bool(value) != flag.startswith("--no-") else "off"
    if isinstance(option.kind, JsonObject):
        return json.dumps(value) if value else "not given"
    if isinstance(value, dict):
        return ",".join(key if count is None else f"{key}={count}" for key, count in value.items())
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or "none"
    return "not given" if value is None else format_value(value)
