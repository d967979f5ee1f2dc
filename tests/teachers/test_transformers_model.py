"""A model in this process: a tiny random Llama, real tokenizer, real `generate`."""

from __future__ import annotations

import asyncio
import functools
import json
import shutil
import threading
import weakref
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from hf_oss_instruct.data import Completion, Provenance, Request, Seed
from hf_oss_instruct.errors import RetryableError, RowRejectedError, TeacherError, UsageError
from hf_oss_instruct.extras import install_command
from hf_oss_instruct.reasoning import split_reasoning
from hf_oss_instruct.seeds.resolve import stdlib
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.teachers import transformers_model
from hf_oss_instruct.teachers.transformers_model import TransformersTeacher, text_of
from tests.support.extras import needs
from tests.support.tokenizers import tokenizer_of
from tests.support.warm import BASE, ROOT, TRAIN, WarmPython

needs("torch")
needs("transformers")

T = TypeVar("T")
CONTEXT = 4096
SEED = Seed("x = 1", 1, 1, Provenance("corpus", None, "a.py", 0, "python"), "hash/1", 0)
TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}{% if add_generation_prompt %}>{% endif %}"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `save_tiny`, which a warm Python makes: no worker imports torch."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save = f"import pathlib, sys\nfrom {__name__} import save_tiny\nsave_tiny(pathlib.Path(sys.argv[1]))"
    TRAIN.run(["-c", save, folder], cwd=ROOT, check=True)
    return folder


def save_tiny(folder: Path) -> None:
    """A Llama with random weights, and a tokenizer in which every byte is a token."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE(vocab={word: number for number, word in enumerate(["<eos>", *letters])}, merges=[]))
    words.pre_tokenizer, words.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<eos>", chat_template=TEMPLATE).save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=257,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        eos_token_id=0,
        max_position_embeddings=CONTEXT,
        initializer_range=0.5,  # answers that differ
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)
    model.lm_head.weight.data[0] = 0  # its greedy answers never end
    model.save_pretrained(folder)


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(tiny, tmp_path / "copy"))


def asking(text: str, **sampling: Any) -> Request:
    return Request(SEED, ({"role": "user", "content": text},), {"temperature": 0.0, "max_tokens": 8, "seed": 1} | sampling)


def with_teacher(model: Path | str, work: Callable[[TransformersTeacher], Coroutine[Any, Any, T]], **arguments: Any) -> T:
    """Do some work with a teacher, close it, and see that no thread is left."""

    async def all_of_it() -> T:
        teacher = TransformersTeacher(str(model), **{"device": "cpu"} | arguments)
        try:
            return await work(teacher)
        finally:
            await teacher.close()

    result = asyncio.run(all_of_it())
    assert not [thread for thread in threading.enumerate() if thread.name == "oss-instruct-model"]
    return result


def answers(model: Path | str, *requests: Request, **arguments: Any) -> tuple[list[Completion], int]:
    """Answers to requests made at once, and the batches it took."""

    async def work(teacher: TransformersTeacher) -> tuple[list[Completion], int]:
        return await asyncio.gather(*map(teacher.complete, requests)), teacher.batches

    return with_teacher(model, work, **arguments)


def watched_batches(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Prompt lengths of every batch, as they are answered."""
    seen: list[list[int]] = []
    really = transformers_model._Model.answers

    def answers(self: Any, batch: Any) -> Any:
        seen.append([len(asked.tokens) for asked in batch])
        return really(self, batch)

    monkeypatch.setattr(transformers_model._Model, "answers", answers)
    return seen


# What is answered


@TRAIN.test
def test_tokens_are_counted_without_padding_and_the_prompt_ends_as_the_template_says(tiny: Path) -> None:
    (short, long), batches = answers(tiny, asking("ab"), asking("c" * 40), batch_size=2, max_wait_s=5)
    assert batches == 1
    assert (short.prompt_tokens, long.prompt_tokens) == (3, 41)  # a byte is a token; `>` from the template
    assert (short.completion_tokens, short.finish_reason) == (8, "length")
    assert short.text
    assert short.fingerprint is None


@TRAIN.test
def test_without_a_template_messages_are_joined_by_blank_lines(copy: Path) -> None:
    (copy / "chat_template.jinja").unlink()
    request = Request(SEED, ({"role": "system", "content": "be"}, {"role": "user", "content": "ab"}), asking("").sampling)
    ((answer,), _) = answers(copy, request)
    assert answer.prompt_tokens == len("be\n\nab")


@pytest.mark.parametrize("template", [True, False])
@TRAIN.test
def test_control_tokens_in_a_prompt_are_text(copy: Path, template: bool) -> None:
    if not template:
        (copy / "chat_template.jinja").unlink()
    ((answer,), _) = answers(copy, asking("a<eos>b"))
    assert answer.prompt_tokens == len("a<eos>b") + template


@TRAIN.test
def test_marks_of_thoughts_stay_where_they_are_special_tokens_and_others_go() -> None:
    tokenizer = tokenizer_of("qwen")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<think>", "</think>", "<|other|>"]})

    def written(text: str) -> str:
        return text_of(tokenizer, tokenizer(text, add_special_tokens=False)["input_ids"])

    assert split_reasoning(written("<think>a draft</think>the answer")) == ("a draft", "the answer")
    assert written("the<|other|> answer") == "the answer"


@pytest.mark.parametrize("text", ["what is this?", "z" * 70])
@TRAIN.test
def test_a_greedy_answer_does_not_depend_on_its_batch(tiny: Path, text: str) -> None:
    others = [asking(letter * length, max_tokens=32) for letter, length in [("a", 1), ("b", 30), ("c", 200), ("d", 7)]]
    ((alone,), _) = answers(tiny, asking(text, max_tokens=32))
    (among, batches) = answers(tiny, *others[:2], asking(text, max_tokens=32), *others[2:], batch_size=5, max_wait_s=5)
    assert batches == 1
    assert among[2] == alone
    assert len({answer.text for answer in among}) == 5


@TRAIN.test
def test_any_end_token_of_the_model_ends_an_answer(copy: Path) -> None:
    ((before,), _) = answers(copy, asking("hello"))
    vocabulary = json.loads((copy / "tokenizer.json").read_text())["model"]["vocab"]
    end = next(letter for letter in before.text[1:] if letter.isascii() and letter.isprintable() and letter != " ")
    (copy / "generation_config.json").write_text(json.dumps({"eos_token_id": [0, vocabulary[end]]}))
    (after, other), _ = answers(copy, asking("hello"), asking("hello", max_tokens=1))
    assert before.finish_reason == "length"
    assert (after.finish_reason, after.text) == ("stop", before.text[: before.text.index(end)])
    assert 1 < after.completion_tokens <= 8  # the end token was made, too
    assert (other.finish_reason, other.completion_tokens) == ("length", 1)


@TRAIN.test
def test_the_models_own_sampling_parameters_do_not_count(copy: Path, tiny: Path) -> None:
    loud = {"eos_token_id": 0, "do_sample": True, "temperature": 5.0, "repetition_penalty": 9.0, "max_new_tokens": 2}
    (copy / "generation_config.json").write_text(json.dumps(loud))
    request = asking("hello", max_tokens=64)
    assert answers(copy, request)[0][0].text == answers(tiny, request)[0][0].text


@TRAIN.test
def test_sampled_answers_follow_the_seed_and_leave_the_programs_random_numbers_alone(tiny: Path) -> None:
    import torch

    def sampled(**sampling: Any) -> str:
        return answers(tiny, asking("hello", temperature=1.0, max_tokens=16, **sampling))[0][0].text

    torch.manual_seed(7)
    state = torch.get_rng_state()
    assert sampled(seed=1) == sampled(seed=1)
    assert len({sampled(seed=number) for number in range(4)}) > 1
    assert sampled(seed=1, top_p=1e-6) == answers(tiny, asking("hello", max_tokens=16))[0][0].text  # the most likely one alone
    assert torch.equal(state, torch.get_rng_state())


@TRAIN.test
def test_an_answer_ends_where_the_context_does(tiny: Path) -> None:
    texts = ["a" * (CONTEXT - 3), "b" * 10, "c" * (CONTEXT - 1)]

    async def work(teacher: TransformersTeacher) -> list[Any]:
        return await asyncio.gather(*(teacher.complete(asking(text)) for text in texts), return_exceptions=True)

    cut, whole, refused = with_teacher(tiny, work)
    assert (cut.completion_tokens, cut.finish_reason) == (2, "length")
    assert whole.completion_tokens == 8  # not cut with its neighbour
    assert isinstance(refused, RowRejectedError)
    assert refused.reason == "refused"
    assert f"{CONTEXT} tokens" in refused.detail


# How it is answered


@TRAIN.test
def test_requests_share_batches_and_the_loop_stays_free(tiny: Path) -> None:
    async def work(teacher: TransformersTeacher) -> tuple[int, int]:
        asked = asyncio.gather(*(teacher.complete(asking(f"{n}", max_tokens=100)) for n in range(12)))
        turns = 0
        while not asked.done():
            await asyncio.sleep(0.001)
            turns += 1
        return teacher.batches, turns

    batches, turns = with_teacher(tiny, work, batch_size=4, max_wait_s=5)
    assert batches == 3
    assert turns > 10


@TRAIN.test
def test_a_batch_pads_little(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = watched_batches(monkeypatch)
    answers(tiny, *(asking("a" * length) for length in (9, 499, 11, 479, 10, 489)), batch_size=3, max_wait_s=5)
    assert [sorted(batch) for batch in batches] == [[10, 11, 12], [480, 490, 500]]


@TRAIN.test
def test_a_batch_holds_one_kind_of_sampling(tiny: Path) -> None:
    kinds: list[dict[str, Any]] = [{"max_tokens": 8}, {"max_tokens": 6}, {"temperature": 0.5}, {"seed": 2}]
    completions, batches = answers(tiny, *(asking("hello", **kind) for kind in kinds))
    assert batches == 3
    assert [answer.completion_tokens for answer in completions] == [8, 6, 8, 8]
    assert completions[0] == completions[3]  # greedy: the seed is nothing


@TRAIN.test
def test_a_batch_that_does_not_fit_is_halved(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = watched_batches(monkeypatch)
    import torch

    really = transformers_model._Model.answers

    def short_of_memory(self: Any, batch: Any) -> Any:
        completions = really(self, batch)
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return completions

    monkeypatch.setattr(transformers_model._Model, "answers", short_of_memory)
    completions, number = answers(tiny, *(asking(letter) for letter in "abcdefgh"), batch_size=8, max_wait_s=0.2)
    assert (len(completions), number) == (8, 4)
    assert [len(batch) for batch in batches] == [8, 4, 2, 2, 2, 2]


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [("RuntimeError", "no kernel\nimage", "RuntimeError: no kernel image"), ("OutOfMemoryError", "full", "full")],
)
@TRAIN.test
def test_what_goes_wrong_is_to_be_tried_again(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, kind: str, text: str, said: str
) -> None:
    import torch

    error = {"RuntimeError": RuntimeError, "OutOfMemoryError": torch.OutOfMemoryError}[kind](text)

    def broken(self: Any, batch: Any) -> Any:
        raise error

    async def work(teacher: TransformersTeacher) -> Completion:
        with monkeypatch.context() as patch:
            patch.setattr(transformers_model._Model, "answers", broken)
            with pytest.raises(RetryableError, match=said) as caught:
                await teacher.complete(asking("hello"))
            assert caught.value.reached
        return await teacher.complete(asking("hello"))  # and it goes on

    assert with_teacher(tiny, work).text


@TRAIN.test
def test_messages_that_the_template_refuses_stop_the_run(copy: Path) -> None:
    (copy / "chat_template.jinja").write_text("{{ raise_exception('no system role') }}")
    with pytest.raises(TeacherError, match="no system role"):
        answers(copy, asking("hello"))


# When nobody waits any more


def watched_steps(monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[Any]]:
    """A list that grows with every step of the model, by a reference to it."""
    from transformers import LlamaForCausalLM

    seen: list[weakref.ref[Any]] = []
    really = LlamaForCausalLM.forward

    @functools.wraps(really)  # `generate` looks at the signature
    def forward(self: Any, *arguments: Any, **named: Any) -> Any:
        seen.append(weakref.ref(self))
        return really(self, *arguments, **named)

    monkeypatch.setattr(LlamaForCausalLM, "forward", forward)
    return seen


async def begun(teacher: TransformersTeacher, steps: list[Any], number: int) -> list[asyncio.Task[Completion]]:
    tasks = [asyncio.create_task(teacher.complete(asking(f"{n}", max_tokens=3000))) for n in range(number)]
    while len(steps) < 3:
        await asyncio.sleep(0.001)
    return tasks


@TRAIN.test
def test_cancelled_requests_take_no_time(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = watched_steps(monkeypatch)

    async def work(teacher: TransformersTeacher) -> tuple[int, int]:
        for task in (tasks := await begun(teacher, steps, 5)):
            task.cancel()
        assert all(isinstance(it, asyncio.CancelledError) for it in await asyncio.gather(*tasks, return_exceptions=True))
        await teacher.complete(asking("hello"))
        return len(steps), teacher.batches

    taken, batches = with_teacher(tiny, work, batch_size=2)
    assert taken < 1000
    assert batches == 2  # the one under way, and the one after; three requests never began


@TRAIN.test
def test_one_cancelled_request_leaves_its_neighbour_alone(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = watched_steps(monkeypatch)

    async def work(teacher: TransformersTeacher) -> Completion:
        wanted = asyncio.create_task(teacher.complete(asking("hello", max_tokens=60)))
        other = asyncio.create_task(teacher.complete(asking("other", max_tokens=60)))
        while len(steps) < 3:
            await asyncio.sleep(0)
        other.cancel()
        return await wanted

    among = with_teacher(tiny, work, batch_size=2, max_wait_s=5)
    assert among == answers(tiny, asking("hello", max_tokens=60))[0][0]


@TRAIN.test
def test_closing_stops_within_a_token_and_frees_the_model(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = watched_steps(monkeypatch)

    async def work(teacher: TransformersTeacher) -> None:
        tasks = await begun(teacher, steps, 3)
        await teacher.close()
        for task in tasks:
            with pytest.raises(RetryableError, match="closed"):
                await task
        assert len(steps) < 1000
        assert steps[0]() is None
        await teacher.close()  # a second time is nothing
        assert (await teacher.complete(asking("hello"))).text  # and it can be used again

    with_teacher(tiny, work, batch_size=2)


@TRAIN.test
def test_a_model_that_is_gone_when_it_is_needed_again(copy: Path) -> None:
    async def work(teacher: TransformersTeacher) -> None:
        await teacher.complete(asking("hello"))
        await teacher.close()
        shutil.rmtree(copy)
        for _ in range(2):
            with pytest.raises(TeacherError, match="cannot be loaded"):
                await teacher.complete(asking("hello"))

    with_teacher(copy, work)


# What is loaded


@TRAIN.test
def test_identity_keeps_paths_at_home(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absolute = TransformersTeacher(str(tiny)).identity
    name, _, number = absolute.removeprefix("transformers:").partition("#")
    assert (name, len(number)) == ("tiny", 8)
    monkeypatch.chdir(tiny.parent)
    assert TransformersTeacher("tiny").identity == TransformersTeacher("./tiny/").identity == absolute
    assert TransformersTeacher("tiny", "v1").identity == f"{absolute}@v1"
    monkeypatch.setattr(transformers_model, "_Model", lambda *arguments: None)
    assert TransformersTeacher("some/model").identity == "transformers:some/model"
    assert TransformersTeacher("some/model", "v1").identity == "transformers:some/model@v1"


@TRAIN.test
def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match=r"nowhere.* cannot be loaded: .*Pass a Hub id"):
        TransformersTeacher(str(tmp_path / "nowhere"))


@TRAIN.test
def test_pickled_weights_are_refused(copy: Path) -> None:
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    with pytest.raises(TeacherError, match=r"model\.safetensors"):
        TransformersTeacher(str(copy))


@TRAIN.test
def test_damaged_weights_are_refused(copy: Path) -> None:
    (copy / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(TeacherError, match="cannot be loaded"):
        TransformersTeacher(str(copy))


@TRAIN.test
def test_code_in_the_models_folder_is_not_run(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"}}
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "mine.py").write_text(f"open({str(copy / 'ran')!r}, 'w')\n")
    with pytest.raises(TeacherError, match="cannot be loaded"):
        TransformersTeacher(str(copy))
    assert not (copy / "ran").exists()


@TRAIN.test
def test_a_batch_of_none_makes_no_sense(tiny: Path) -> None:
    with pytest.raises(UsageError, match="at least 1, not 0"):
        TransformersTeacher(str(tiny), batch_size=0)


@pytest.mark.parametrize(
    ("missing", "python", "imported"), [("torch", BASE, set()), ("transformers", TRAIN, {"torch", "transformers"})]
)
def test_a_missing_extra_is_named(missing: str, python: WarmPython, imported: set[str]) -> None:
    code = (
        "import sys\n"
        "from hf_oss_instruct.teachers.transformers_model import TransformersTeacher\n"
        f"assert {{'torch', 'transformers'}} & set(sys.modules) == {imported}\n"
        f"sys.modules[{missing!r}] = None\n"
        "try: TransformersTeacher('some/model')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = python.run(["-c", code], check=True)
    assert done.stdout.startswith("UsageError The model 'some/model' needs transformers and torch.")
    assert done.stdout.endswith(f"Install them with: {install_command('local')}\n")


# The whole


@TRAIN.test
def test_babble_ends_as_counted_rejections(tiny: Path, tmp_path: Path) -> None:
    teacher = TransformersTeacher(str(tiny), device="cpu", batch_size=3)
    result = run(
        tmp_path / "out", RunSpec(SeedPlan(n=6), TeacherSpec(concurrency=6), sampling=Sampling(max_tokens=24)), stdlib(), teacher
    )
    assert (result.error, result.stats.pending, result.stats.kept) == (None, 0, 0)
    assert sum(result.report["rejected"].values()) == 6
    assert set(result.report["rejected"]) <= {"truncated", "unparsable", "empty", "refused"}
    assert result.report["teacher"] == teacher.identity
    assert result.report["tokens"]["completion"] > 0
    assert 2 <= teacher.batches < 6
    assert str(tiny) not in (tmp_path / "out" / "README.md").read_text()
