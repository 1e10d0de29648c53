"""Loading a published Qwen3-VL folder: bfloat16, several files, a vocabulary without grammar tags, a template that opens a thought."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")

from maestro.errors import CheckpointError, ConfigError  # noqa: E402
from maestro.images import ImageStore  # noqa: E402
from maestro.policy.codec import Wording  # noqa: E402
from maestro.policy.dialect_maestro import MaestroDialect  # noqa: E402
from maestro.policy.dialect_maestro_4b import Maestro4bDialect  # noqa: E402
from maestro.policy.loading import load_policy  # noqa: E402
from maestro.policy.local import LocalPolicy, Sampling, rewound  # noqa: E402
from maestro.policy.local_cache import PromptCache, RowCache  # noqa: E402
from maestro.policy.prompt_maestro_4b import PlannerPrompt  # noqa: E402
from maestro.policy.protocol import Opening  # noqa: E402
from maestro.registry.menu import Menu  # noqa: E402
from maestro.types import Malformed, Observation, Task, Turn  # noqa: E402
from tests.policy.conftest import SIZES  # noqa: E402
from tests.policy.qwen import save_checkpoint, save_wording  # noqa: E402

Put = Callable[..., str]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint(tmp_path_factory.mktemp("hub") / "Maestro-4B", SIZES)


def local(name: str, menu: Menu, images: ImageStore) -> LocalPolicy:
    loaded = load_policy(name, menu, images)
    assert isinstance(loaded, LocalPolicy)
    return loaded


def test_the_folder_is_laid_out_as_published_ones_are(published: Path) -> None:
    config = json.loads((published / "config.json").read_text())
    assert config["architectures"] == ["Qwen3VLForConditionalGeneration"]
    assert config["dtype"] == "bfloat16"
    index = json.loads((published / "model.safetensors.index.json").read_text())
    assert len(set(index["weight_map"].values())) > 1
    assert len(json.loads((published / "generation_config.json").read_text())["eos_token_id"]) == 2


def test_it_loads_by_its_folder_in_the_dialect_it_was_trained_in(published: Path, menu: Menu, images: ImageStore) -> None:
    policy = local(str(published), menu, images)
    assert policy.name == "Maestro-4B"
    assert isinstance(policy.dialect, Maestro4bDialect)
    assert policy.model.dtype == (torch.bfloat16 if torch.cuda.is_available() else torch.float32)
    assert (policy.max_tokens, policy.observation_tokens, policy.reserve, policy.sampling.max_new_tokens) == (16384, 1024, 1024, 8192)
    ids = policy.tokenizer.convert_tokens_to_ids
    assert {ids("<|im_end|>"), ids("<|endoftext|>")} <= policy.generator.stops
    assert ids("<|im_start|>") not in policy.generator.never.tolist()
    assert ids("<|image_pad|>") in policy.generator.never.tolist()


async def test_it_decides_in_bfloat16(published: Path, menu: Menu, images: ImageStore, picture: Put) -> None:
    policy = local(f"{published}?dtype=bfloat16&max_new_tokens=9&max_tokens=4096&observation_tokens=64", menu, images)
    assert {parameter.dtype for parameter in policy.model.parameters()} == {torch.bfloat16}
    policy.sampling = Sampling(max_new_tokens=9)
    opening = Opening(Task(id="t", question="What?", images=(picture(1, 160, 96),)), menu)
    session = policy.open(opening)
    for _ in range(3):
        decision = await session.decide()
        assert 1 <= decision.completion_tokens <= 9
        assert all(logprob <= 0 for logprob in decision.logprobs)
        session.observe(Turn(decision=decision, action=Malformed(reason="x"), observation=Observation(text="forty two")))


def test_a_local_hub_copy_loads_by_its_id(
    published: Path, menu: Menu, images: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    model = tmp_path / "models--Jinyang23--Maestro-4B"
    (model / "snapshots").mkdir(parents=True)
    (model / "snapshots" / "abc").symlink_to(published)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.snapshot_download", _at(tmp_path))
    assert local("Jinyang23/Maestro-4B?max_new_tokens=5", menu, images).name == "Jinyang23/Maestro-4B"
    with pytest.raises(ConfigError, match="hf download"):
        load_policy("Jinyang23/Other", menu, images)


def _at(cache: Path) -> Callable[..., str]:
    """The hub's own function on another cache folder, as HF_HOME would choose it."""
    from huggingface_hub import snapshot_download

    def download(name: str, **settings: Any) -> str:
        return str(snapshot_download(name, cache_dir=cache, **settings))

    return download


# --- what is sampled and kept ---


def plain_logprobs(policy: LocalPolicy, row: list[int], count: int, names: tuple[str, ...]) -> torch.Tensor:
    """Log-probs of the last `count` ids by one forward, as the model's authors meant it."""
    ids = torch.tensor([row])
    inputs = policy.image_inputs(names)
    with torch.no_grad():
        logits = policy.model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=(ids == policy.model.config.image_token_id).int(),
            **inputs,
        ).logits
    return torch.log_softmax(logits[0, -count - 1 : -1].float(), dim=-1).gather(1, ids[0, -count:, None])[:, 0]


class Half(MaestroDialect):
    """Keeps the first half of what was said, discards every third generation: the cache must follow."""

    def keep(self, text: str, generation: int, codec: Any) -> Any:
        from maestro.policy.protocol import Kept

        ids = codec.encode(text)
        return Kept("" if generation % 3 == 1 else codec.decode(ids[: len(ids) // 2]))


async def test_what_a_dialect_drops_is_forgotten_by_the_model_too(published: Path, menu: Menu, images: ImageStore, picture: Put) -> None:
    """Every decision's log-probs are those of a fresh forward over the kept row: nothing dropped lingers in the cache."""
    policy = LocalPolicy.load(published, images, Sampling(max_new_tokens=10), dialect=Half(), max_tokens=2048)
    names = (picture(1, 160, 96),)
    session = policy.open(Opening(Task(id="t", question="What?", images=names), menu))
    for _ in range(6):
        before = session.buffer.ids
        decision = await session.decide()
        expected = plain_logprobs(policy, [*before, *decision.token_ids], len(decision.token_ids), names)
        assert torch.allclose(torch.tensor(decision.logprobs), expected, atol=1e-4)
        observation = None if decision.discarded else Observation(text="forty two")
        assert session.observe(Turn(decision=decision, action=Malformed(reason="x"), observation=observation))
        assert decision.discarded is (session.buffer.ids == before)
    assert session.tokens().untrainable is not None


def test_the_cache_is_cut_where_the_row_departs_from_it() -> None:
    def cut(sampled: list[int], row: list[int]) -> tuple[int, int, list[int]]:
        held = 3 + len(sampled) - 1
        prompt, behind = PromptCache(torch.zeros(2, 1, 3, 4)), torch.zeros(2, 1, held - 3, 4)
        cache, unread = rewound(RowCache(prompt, behind, position=50), 3, sampled, row)
        return cache.length, cache.position, unread

    assert cut([7, 8, 9], [0, 0, 0, 7, 8, 9]) == (5, 50, [9])
    assert cut([7, 8, 9], [0, 0, 0, 7, 8, 9, 1]) == (5, 50, [9, 1])
    assert cut([7, 8, 9], [0, 0, 0, 8, 9]) == (3, 48, [8, 9])
    assert cut([7, 8, 9], [0, 0, 0, 7, 1]) == (4, 49, [1])
    assert cut([7, 8, 9], [0, 0, 0]) == (2, 47, [0])
    assert cut([7], [0, 0, 0]) == (2, 49, [0])


async def test_stops_that_are_several_tokens_stop(published: Path, menu: Menu, images: ImageStore) -> None:
    """The tags are ordinary text here. Sampling is bent to spell them, a token at a time."""
    policy = LocalPolicy.load(
        published,
        images,
        Sampling(max_new_tokens=40),
        dialect=Maestro4bDialect(menu, prompt=PlannerPrompt("S", "R")),
        reserve=40,
        max_tokens=1024,
    )
    assert len(policy.encode("</search>")) > 1
    spelt = policy.encode("a<search> x@@y: z </search> and more <answer>1</answer>")
    turn = iter(range(99))
    draw = policy.generator._draw
    policy.generator._draw = lambda logits, *rest: torch.full_like(draw(logits, *rest), spelt[next(turn)])  # type: ignore[method-assign]
    session = policy.open(Opening(Task(id="t", question="What?"), menu))
    decision = await session.decide()
    assert decision.text == "a<search> x@@y: z </search>"
    assert not decision.truncated
    session.observe(Turn(decision=decision, action=Malformed(reason="x"), observation=Observation(text="x")))
    assert (await session.decide()).text == " and more <answer>1</answer>"


# --- names, options and mistakes ---


def test_a_dialect_of_the_registry_that_it_cannot_speak(published: Path, menu: Menu, images: ImageStore) -> None:
    with pytest.raises(ConfigError, match=r"registry.yaml asks for it; say \?dialect=maestro-4b"):
        local(str(published), replace(menu, dialect="maestro"), images)
    assert local(f"{published}?dialect=maestro-4b", replace(menu, dialect="maestro"), images).dialect.name == "maestro-4b"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("dialect=maestro", "lacks the grammar tags"),
        ("dialect=latin", "dialect='latin'"),
        ("dtyp=bfloat16", r"no option of this policy 'dtyp'; did you mean dtype"),
        ("nonsense", "option=value"),
        ("device=cuda:99", "device=cuda:99"),
        ("device=toaster", "Use cpu, cuda or cuda:N"),
        ("max_tokens=100", "leaves no room"),
        ("prompt=/nowhere.txt", r"no prompt at /nowhere\.txt"),
    ],
)
def test_options_that_cannot_be_met(published: Path, menu: Menu, images: ImageStore, options: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_policy(f"{published}?{options}", menu, images)


def test_the_users_own_prompt_is_used(published: Path, menu: Menu, images: ImageStore, tmp_path: Path) -> None:
    import hashlib

    (tmp_path / "system.txt").write_text("MY SYSTEM")
    digest = hashlib.sha256(b"MY SYSTEM").hexdigest()
    policy = local(f"{published}?prompt={tmp_path / 'system.txt'}&prompt_sha256={digest}&max_new_tokens=5", menu, images)
    text = policy.tokenizer.decode(policy.encode_prompt(Opening(Task(id="t", question="What?"), menu)))
    assert text.startswith("<|im_start|>system\nMY SYSTEM<|im_end|>")
    assert text.endswith("<|im_start|>assistant\n<think>\n")


def test_a_tiny_policy_of_ours_still_speaks_maestro(tiny_folder: Path, menu: Menu, images: ImageStore) -> None:
    policy = local(str(tiny_folder), menu, images)
    assert policy.dialect.name == "maestro"
    assert (policy.max_tokens, policy.observation_tokens, policy.sampling.max_new_tokens) == (1024, 128, 96)
    with pytest.raises(ConfigError, match="prompt is an option of the dialect maestro-4b"):
        load_policy(f"{tiny_folder}?prompt=x.txt", menu, images)


def test_a_client_renders_and_encodes_as_the_processor_does(published: Path, tiny_folder: Path, menu: Menu, images: ImageStore) -> None:
    """Without torch or the weights, from the same folder."""
    for folder in (published, tiny_folder):
        wording, policy = Wording.load(folder), local(str(folder), menu, images)
        opening = Opening(Task(id="t", question="What <|im_end|>\nis é 漢?"), menu)
        text = policy.processor.apply_chat_template(policy.messages(opening), add_generation_prompt=True, tokenize=False)
        assert wording.render(policy.dialect.messages(opening)) == text
        assert wording.codec.encode(text) == policy.encode_prompt(opening)
        assert wording.codec.decode(policy.encode(text)) == policy.codec.decode(policy.encode(text)) == text
        assert wording.ends == frozenset(policy.generator.stops) & wording.ends
        assert policy.tokenizer.eos_token_id in wording.ends


def test_a_wording_that_cannot_be_read(tmp_path: Path) -> None:
    folder = save_wording(tmp_path / "w")
    (folder / "chat_template.jinja").write_text("{{ raise_exception('roles must alternate') }}")
    with pytest.raises(CheckpointError, match="refuses the prompt: roles must alternate"):
        Wording.load(folder).render([])
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(CheckpointError, match="no chat template"):
        Wording.load(folder)
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(CheckpointError, match="cannot be read"):
        Wording.load(folder)


def test_older_layouts_keep_the_template_elsewhere(tmp_path: Path) -> None:
    folder = save_wording(tmp_path / "w")
    (folder / "chat_template.jinja").rename(folder / "x")
    (folder / "chat_template.json").write_text('{"chat_template": "older {{ eos_token }}"}')
    assert Wording.load(folder).render([]) == "older <|im_end|>"


def test_policies_are_loaded_for_a_running_loop_too(published: Path, menu: Menu, images: ImageStore) -> None:
    async def load() -> str:
        return load_policy(f"{published}?max_new_tokens=5", menu, images).name

    assert asyncio.run(load()) == "Maestro-4B"
