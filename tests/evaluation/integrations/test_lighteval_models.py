"""What we work around in lighteval, and that the prompts it is given are those of training."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from hf_oss_instruct.errors import EvaluationError, UsageError
from hf_oss_instruct.evaluation.prompts import build_prompt
from hf_oss_instruct.templates import MAGICODER, ChatTemplate, template_for
from tests.evaluation import toys
from tests.support.extras import needs
from tests.support.models import save_model
from tests.support.tokenizers import tokenizer_of
from tests.support.warm import EVALUATE

needs("lighteval")


def test_loading_a_model_leaves_gradients_and_the_folder_as_they_were(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model", tokenizer_of("qwen"))
    before = sorted(path.name for path in folder.iterdir())
    code = (
        "import os, sys, torch\n"
        "from hf_oss_instruct.evaluation.integrations.lighteval_models import LightevalModel, ModelChoice, GenerationSampling\n"
        "LightevalModel(ModelChoice(sys.argv[1]), GenerationSampling()); print(torch.is_grad_enabled(), os.listdir())"
    )
    (tmp_path / "here").mkdir()
    done = EVALUATE.run(["-c", code, folder], cwd=tmp_path / "here", check=True)
    assert done.stdout.splitlines()[-1] == "True []"
    assert sorted(path.name for path in folder.iterdir()) == before


@EVALUATE.test
def test_lighteval_still_does_what_we_work_around(tmp_path: Path) -> None:
    """When this fails, the line of `lighteval_models` that it names can go."""
    assert version("lighteval").startswith("0.13.")
    from lighteval.models.transformers.transformers_model import TransformersModel, TransformersModelConfig

    folder = save_model(tmp_path / "model", tokenizer_of("qwen"))
    model = TransformersModel(TransformersModelConfig(model_name=str(folder), skip_special_tokens=False))
    assert model.skip_special_tokens  # set to False by `LightevalModel.__init__`
    assert "do_sample" not in model.generation_config_dict  # the same
    assert Path(model._cache.cache_dir).is_relative_to(folder)  # `_without_cache`


@pytest.mark.parametrize("family", ["qwen", "llama", "deepseek-coder"])
@EVALUATE.test
def test_a_prompt_is_to_the_byte_what_training_saw(family: str, tmp_path: Path) -> None:
    from hf_oss_instruct.evaluation.integrations.lighteval_models import GenerationSampling, LightevalModel, ModelChoice

    tokenizer = tokenizer_of(family, [row["prompt"] for row in toys.PLUS], 600)
    folder = save_model(tmp_path / "model", tokenizer)
    model = LightevalModel(ModelChoice(str(folder)), GenerationSampling())
    assert model.style() == "chat"
    problem = toys.plus(tmp_path / "data").problems["HumanEval/901"]
    put = build_prompt(problem, "magicoder")
    text, stop = model.prompt(put, "magicoder")
    assert text == MAGICODER.replace("{instruction}", put.text) + put.prefix
    assert stop == (tokenizer.eos_token, "\n```")
    text, stop = model.prompt(build_prompt(problem, "chat"), "chat")
    chat = ChatTemplate.of(tokenizer)
    assert (text, stop) == (chat.prompt(build_prompt(problem, "chat").text), (chat.stop,))
    assert model.prompt(build_prompt(problem, "completion"), "completion") == (problem.prompt, problem.stop_tokens)


@EVALUATE.test
def test_a_model_that_was_saved_with_our_template_is_asked_in_it(tmp_path: Path) -> None:
    from hf_oss_instruct.evaluation.integrations.lighteval_models import GenerationSampling, LightevalModel, ModelChoice

    tokenizer = tokenizer_of("starcoder2")
    tokenizer.chat_template = template_for("magicoder", tokenizer).chat_template
    model = LightevalModel(ModelChoice(str(save_model(tmp_path / "model", tokenizer))), GenerationSampling())
    assert model.style() == "magicoder"


@EVALUATE.test
def test_a_prompt_that_would_be_cut_and_an_option_that_is_none_are_errors(tmp_path: Path) -> None:
    from hf_oss_instruct.evaluation.integrations.lighteval_models import GenerationSampling, LightevalModel, ModelChoice

    folder = save_model(tmp_path / "model", tokenizer_of("qwen"), max_position_embeddings=16)
    model = LightevalModel(ModelChoice(str(folder)), GenerationSampling())
    put = build_prompt(toys.plus(tmp_path / "data").problems["HumanEval/900"], "completion")
    with pytest.raises(EvaluationError, match="but the model accepts 16"):
        model.answers([put], "completion")
    with pytest.raises(UsageError, match="transformers has no option 'devices'"):
        LightevalModel(ModelChoice(str(folder), options={"devices": 1}), GenerationSampling())
    with pytest.raises(EvaluationError, match="cannot be loaded by transformers"):
        LightevalModel(ModelChoice(str(tmp_path / "data")), GenerationSampling())


@EVALUATE.test
def test_a_key_comes_from_the_environment_alone(tmp_path: Path) -> None:
    from hf_oss_instruct.evaluation.integrations.lighteval_models import GenerationSampling, LightevalModel, ModelChoice

    url = "http://127.0.0.1:9/v1"
    with pytest.raises(UsageError, match="'NO_SUCH_KEY' is not set"):
        LightevalModel(ModelChoice("m", "litellm", base_url=url, api_key_env="NO_SUCH_KEY"), GenerationSampling())
    with pytest.raises(UsageError, match="api_key cannot be an option"):
        LightevalModel(ModelChoice("m", "litellm", base_url=url, options={"api_key": "secret"}), GenerationSampling())
