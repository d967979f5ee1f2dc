"""Build the model repository of a training run: weights, tokenizer, recipe and card, without checkpoints or pickles."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import NoneType
from typing import Any

import yaml
from jinja2 import TemplateError

from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.hub import client, commit_in, retried
from hf_oss_instruct.publishing.cards.loss_curve import loss_curve
from hf_oss_instruct.publishing.cards.model_card import CURVE, License, is_adapter, model_card, without_secrets
from hf_oss_instruct.publishing.errors import hub_errors
from hf_oss_instruct.publishing.hub import CARD, Push, download
from hf_oss_instruct.publishing.scan import SecretIn, check_regular_files, check_secrets
from hf_oss_instruct.publishing.scores import EVAL_RESULTS, read_results, with_scores
from hf_oss_instruct.storage.workdir import LOCK, OWNER
from hf_oss_instruct.structured import checked, read_object
from hf_oss_instruct.terminal.display import plural

FACTS, RECIPE = "training.json", "recipe.yaml"
REPORTED: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("data", "losses", "scores"), list),
    **dict.fromkeys(("recipe", "template", "versions"), dict),
    "base": (dict, NoneType),
    "base_model": str,
    "steps": int,
}
"""Keys that `training.json` must have, and their types."""
WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
COMPANION_FILES = (
    *("config.json", "generation_config.json", "adapter_config.json", "chat_template.jinja", "additional_chat_templates/*.jinja"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.json", "vocab.txt", "merges.txt", "*.model", "processor_config.json"),
)
"""What `from_pretrained` reads besides the weights; not `training_args.bin` (a pickle), optimizer states or checkpoints."""
OWNED = (f"{EVAL_RESULTS}/", "model.safetensors", "model-0", "adapter_")
"""Prefixes of files that are deleted if a new revision lacks them: stale shards or adapters would still be loaded."""


def is_model(folder: Path) -> bool:
    """Whether a folder was written by `train`, or contains the weights of any model."""
    return (folder / FACTS).is_file() or any(folder.glob(WEIGHTS[0]))


def model_push(
    folder: Path,
    *,
    repo_id: str,
    license: str | None = None,
    results: Sequence[Path] = (),
    allow_unchecked: bool = False,
    secret_in: SecretIn = lambda text, lang: None,
    token: str | None = None,
    endpoint: str | None = None,
) -> Push:
    """Build the model repository of a training run's folder.

    Args:
        folder: `output_dir` of `train`.
        repo_id: the repository, for the code in the card.
        license: the Hub's identifier of its license; by default that of the base model's card.
        results: folders written by `score`, for the card.
        allow_unchecked: publish even if its data was not decontaminated.
        secret_in: text and its language → the kind of secret it contains, or None; text files with a secret are refused.
        token: Hub token, to read the base model's card.
        endpoint: URL of another Hub than huggingface.co.

    Raises:
        PublishError: the folder is not a trained model, its training has not finished, or its license is unknown.
    """
    paths = [path for name in (FACTS, *WEIGHTS, *COMPANION_FILES) for path in sorted(folder.glob(name))]
    check_regular_files(folder, paths)
    own = _read(folder)
    facts = without_secrets(own)
    if not allow_unchecked and (cause := next((part["unchecked"] for part in facts["data"] if part["unchecked"]), None)):
        raise PublishError(
            f"The model was trained on data that was not decontaminated ({cause}). Pass --allow-unchecked, which the card then "
            "mentions."
        )
    files: dict[str, Path | bytes] = dict(_weights(folder, facts))
    files |= {path.relative_to(folder).as_posix(): path for name in COMPANION_FILES for path in sorted(folder.glob(name))}
    # Written anew, without the local paths and tokens that the file in the folder may contain.
    files[FACTS] = (json.dumps(facts, indent=2) + "\n").encode()
    files[RECIPE] = yaml.safe_dump(facts["recipe"], sort_keys=False, allow_unicode=True).encode()
    if curve := loss_curve(facts["losses"]):
        files[CURVE] = curve.encode()
    # From the facts with whole paths: the base model's card may be in a local folder.
    chosen_license = License(license) if license else license_of(own, token, endpoint)
    try:
        card = model_card(repo_id.split("/")[-1], facts, repo_id=repo_id, license=chosen_license)
    except (TemplateError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise PublishError(f"{str(folder / FACTS)!r} cannot be read: {error!r}. Run the same train command again.") from error
    if results:
        card = with_scores(card, [scored for path in results for scored in read_results(path)], repo_id)
    files[CARD] = card.encode()
    check_secrets(files, secret_in)
    what = "adapters for" if is_adapter(facts) else "a model from"
    summary = f"{what} {facts['base_model']}, {plural(facts['steps'], 'step')}"
    return Push("model", summary, files, _notes(folder, files, chosen_license, facts, bool(results)), (CARD, FACTS), OWNED)


def license_of(facts: dict[str, Any], token: str | None = None, endpoint: str | None = None) -> License:
    """The license stated by the base model's card. It is never guessed.

    Args:
        facts: the contents of `training.json`.
        token: Hub token; the one you are logged in with by default.
        endpoint: URL of another Hub than huggingface.co.

    Raises:
        PublishError: the card is missing, or states no license.
    """
    from huggingface_hub import ModelCard

    base, folder = facts["base"], Path(facts["base_model"])
    try:
        card = ModelCard(
            _hub_card(base, token, endpoint) if base else (folder / CARD).read_text("utf-8"), ignore_metadata_errors=True
        )
        license_fields = {name: card.data.get(name) for name in ("license", "license_name", "license_link")}
    except (OSError, ValueError, yaml.YAMLError):
        license_fields = {}
    if not isinstance(license_fields.get("license"), str):
        raise PublishError(
            f"The card of the base model {facts['base_model']!r} states no license. Look it up, and pass "
            "--license ID (apache-2.0, mit, other, …)."
        )
    where = f"the card of {base['id'] if base else folder.name}"
    return License(license_fields["license"], license_fields["license_name"], license_fields["license_link"], where)


def _hub_card(base: dict[str, Any], token: str | None, endpoint: str | None) -> str:
    from huggingface_hub.errors import RemoteEntryNotFoundError, RepositoryNotFoundError

    api = client(token, endpoint)
    with hub_errors(base["id"]):
        try:
            sha = base["revision"] or commit_in(retried(api.model_info, base["id"]))
            return download(api, "model", base["id"], sha, CARD).decode()
        except (RemoteEntryNotFoundError, RepositoryNotFoundError):
            return ""


def _read(folder: Path) -> dict[str, Any]:
    if not (folder / FACTS).is_file():
        raise PublishError(
            f"{str(folder)!r} has no {FACTS}, so nothing is known about its data. Train it with hf-oss-instruct train, or "
            "upload it with hf upload."
        )
    try:
        facts = read_object(folder / FACTS, REPORTED)
        for part in facts["data"]:
            checked(part, {"hub": (dict, NoneType), "source": dict, "unchecked": (str, NoneType)}, "a dataset")
            checked(part["source"], {"path": str}, "a dataset's source")
    except ValueError as error:
        raise PublishError(f"{error}. Run the same train command again.") from error
    return facts


def _weights(folder: Path, facts: dict[str, Any]) -> dict[str, Path]:
    """All files with weights; only the adapters' if adapters were trained."""
    weights = {path.name: path for pattern in WEIGHTS for path in sorted(folder.glob(pattern))}
    if is_adapter(facts):
        weights = {name: path for name, path in weights.items() if name.startswith("adapter_")}
    needed = {name for path in weights.values() if path.suffix == ".json" for name in _shards(path)}
    if not weights or (missing := needed - weights.keys()):
        what = f"lacks {', '.join(sorted(missing))}" if weights else "has no weights"
        raise PublishError(f"{str(folder)!r} {what}: its training has not finished. Run the same train command again.")
    return weights


def _shards(index: Path) -> set[str]:
    try:
        return {str(name) for name in read_object(index, {"weight_map": dict})["weight_map"].values()}
    except ValueError as error:
        raise PublishError(f"{error}. Run the same train command again.") from error


def _notes(folder: Path, files: dict[str, Any], license: License, facts: dict[str, Any], scored: bool) -> list[str]:
    known = {*files, LOCK, OWNER}
    left = sorted(path.name + "/" * path.is_dir() for path in folder.iterdir() if path.name not in known)
    notes = [f"license {license.title}, according to {license.source}"]
    notes += [f"not uploaded: {', '.join(left)}"] if left else []
    notes += [f"trained on {part['source']['path']}, which is not on the Hub" for part in facts["data"] if not part["hub"]]
    if not scored:
        notes.append("published scores of the previous weights are removed; --results DIR adds new ones")
    return notes
