import json
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")

from maestro.errors import CheckpointError, ConfigError  # noqa: E402
from maestro.images import ImageStore  # noqa: E402
from maestro.policy.dialect_maestro import TAGS  # noqa: E402
from maestro.policy.local_images import ImageEncoder  # noqa: E402
from maestro.policy.local_model import Sizes, build_model, build_processor, build_tiny, load_model  # noqa: E402
from tests.policy.conftest import EXPERTS, SIZES, SKILLS  # noqa: E402

SMALL = Sizes(hidden=32, layers=1, heads=2, kv_heads=1, head_width=16, intermediate=32, vision_hidden=32, vision_depth=2, vocabulary=600)


def test_a_policy_is_saved_as_a_hugging_face_folder_and_comes_back(tiny_folder: Path) -> None:
    from transformers import Qwen3VLForConditionalGeneration, Qwen3VLProcessor

    model, processor = load_model(tiny_folder)
    assert isinstance(model, Qwen3VLForConditionalGeneration)
    assert isinstance(processor, Qwen3VLProcessor)
    fresh = build_model(Sizes(**SIZES), processor.tokenizer, seed=3)
    for name, value in fresh.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name
    assert json.loads((tiny_folder / "config.json").read_text())["model_type"] == "qwen3_vl"
    assert {path.name for path in tiny_folder.iterdir()} >= {"model.safetensors", "tokenizer.json", "chat_template.jinja"}
    assert model.lm_head.weight is model.model.language_model.embed_tokens.weight


def test_the_default_sizes_make_one_to_three_million_parameters(tiny_folder: Path) -> None:
    model = build_model(Sizes(), load_model(tiny_folder)[1].tokenizer, seed=0)
    assert 1_000_000 < sum(parameter.numel() for parameter in model.parameters()) < 3_000_000


def test_the_saved_tokenizer_keeps_single_tags_and_digits(tiny_folder: Path) -> None:
    tokenizer = load_model(tiny_folder)[1].tokenizer
    for token in (*TAGS, *EXPERTS, *SKILLS):
        assert len(tokenizer.encode(token, add_special_tokens=False)) == 1
    assert not {*tokenizer.convert_tokens_to_ids(list(TAGS))} & {*tokenizer.all_special_ids}
    assert len(tokenizer.encode("20.00", add_special_tokens=False)) == 5
    assert (tokenizer.eos_token, tokenizer.pad_token, tokenizer.padding_side) == ("<|im_end|>", "<|endoftext|>", "left")


def test_weights_depend_on_the_seed_alone_and_leave_the_global_generator_alone() -> None:
    tokenizer = build_processor(SMALL).tokenizer
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    one, two, other = (build_model(SMALL, tokenizer, seed).state_dict() for seed in (5, 5, 6))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["lm_head.weight"], other["lm_head.weight"])


@pytest.mark.parametrize(
    ("width", "height", "least", "most"),
    [
        (320, 240, 35, 49),
        (448, 336, 35, 49),
        (400, 300, 35, 49),
        (224, 224, 49, 49),
        (1600, 900, 30, 49),
        (60, 40, 16, 49),
        (900, 60, 16, 49),
    ],
)
def test_pictures_of_any_size_cost_few_tokens(
    tiny_folder: Path, images: ImageStore, picture: Callable[..., str], width: int, height: int, least: int, most: int
) -> None:
    encoder = ImageEncoder(load_model(tiny_folder)[1], images)
    encoded = encoder.encode(picture(1, width, height))
    assert least <= encoded.tokens <= most
    assert encoded.pixel_values.shape == (4 * encoded.tokens, 3 * 2 * 16 * 16)


def test_images_are_processed_once_and_forgotten_in_order(tiny_folder: Path, images: ImageStore, picture: Callable[..., str]) -> None:
    encoder = ImageEncoder(load_model(tiny_folder)[1], images, capacity=2)
    first, second, third = (picture(seed) for seed in range(3))
    kept = encoder.encode(first)
    encoder.encode(second)
    assert encoder.encode(first) is kept
    encoder.encode(third)
    assert encoder.encode(first) is kept
    assert list(encoder._encoded) == [third, first]


def test_blank_images_have_the_same_shape_and_no_content(tiny_folder: Path, images: ImageStore, picture: Callable[..., str]) -> None:
    processor = load_model(tiny_folder)[1]
    names = [picture(seed) for seed in range(2)]
    seen, blank = ImageEncoder(processor, images), ImageEncoder(processor, images, blank=True)
    assert seen.inputs(names)["pixel_values"].shape == blank.inputs(names)["pixel_values"].shape
    assert blank.inputs(names)["pixel_values"].unique().numel() == 1
    assert seen.inputs(names)["pixel_values"].unique().numel() > 100


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json"):
        load_model(tmp_path)


def test_a_damaged_model_is_named(tiny_folder: Path, tmp_path: Path) -> None:
    for path in tiny_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load_model(tmp_path)


def test_missing_weights_are_never_replaced_by_random_ones(tiny_folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for path in tiny_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    del weights["model.visual.merger.linear_fc1.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"incomplete: model\.visual\.merger"):
        load_model(tmp_path)


@pytest.mark.parametrize("sizes", [{"head_width": 30}, {"heads": 3}, {"vision_hidden": 60}])
def test_sizes_that_do_not_fit_are_refused(tmp_path: Path, sizes: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="do not fit"):
        build_tiny(tmp_path, 0, **sizes)
