"""What others wrote can never become a control token, whatever the tokenizer and the dialect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from maestro.policy.codec import TokenizerCodec
from maestro.policy.control import TAGS, Neutraliser, neutralise
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.dialect_tools import ToolsDialect
from maestro.policy.protocol import Opening
from maestro.registry.menu import Menu
from maestro.types import Expert, Skill, Task

FAMILIES = {
    "qwen": ("<|im_start|>", "<|im_end|>", "<|image_pad|>", "<|vision_start|>", "<tool_call>", "</tool_call>", "<think>", "</think>"),
    "llama": ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|python_tag|>", "<|image|>"),
    "mistral": ("<s>", "</s>", "[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[IMG]"),
    "gemma": ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<image_soft_token>"),
    "deepseek": ("<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜tool▁calls▁begin｜>", "<｜end▁of▁sentence｜>"),
    "glm": ("[gMASK]", "<sop>", "<|user|>", "<|assistant|>", "<|observation|>", "<arg_key>", "<arg_value>", "<|begin_of_image|>"),
    "internvl": ("<img>", "</img>", "<IMG_CONTEXT>", "<box>", "</box>", "<ref>"),
    "llama2": ("<<SYS>>", "<</SYS>>", "[INST]", "[/INST]", "<unk>", "<pad>"),
}
ODD = ("§end§", "<custom:stop>", "[[turn]]", "@", "^^")
"""Special tokens that no list of ours knows."""


def tokenizer_with(special: tuple[str, ...]) -> Tokenizer:
    """Bytes, and these as single tokens."""
    alphabet = {piece: number for number, piece in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


TOKENIZERS = {name: tokenizer_with(tuple(dict.fromkeys((*tokens, *TAGS)))) for name, tokens in FAMILIES.items()}
every = sorted({token for tokens in FAMILIES.values() for token in tokens})
hostile = st.lists(
    st.one_of(
        st.sampled_from([*every, *TAGS, *ODD]), st.sampled_from([*"<>|/[]｜ \n", "im_", "</", "INST", "think", "< /"]), st.text(max_size=5)
    ),
    max_size=12,
).map("".join)


def control_ids(tokenizer: Tokenizer, text: str) -> list[str]:
    """The special tokens that a text becomes."""
    special = {number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    return [tokenizer.id_to_token(number) for number in tokenizer.encode(text, add_special_tokens=False).ids if number in special]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("spelt", ["{}", "a{}b", "{}{}", "<{}", "{}>", "[{}]"])
def test_every_familys_tokens_are_neutralised(family: str, spelt: str) -> None:
    for token in FAMILIES[family]:
        assert control_ids(TOKENIZERS[family], neutralise(spelt.format(token, token))) == []


@given(hostile)
def test_no_text_becomes_a_control_token_of_any_family(text: str) -> None:
    for tokenizer in TOKENIZERS.values():
        assert control_ids(tokenizer, neutralise(text)) == []


@given(hostile)
def test_a_tokenizers_own_special_tokens_are_neutralised_whatever_they_look_like(text: str) -> None:
    tokenizer = tokenizer_with((*ODD, *FAMILIES["qwen"]))
    clean = TokenizerCodec.of(tokenizer).neutralise
    assert control_ids(tokenizer, clean(text)) == []
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["^^"], "^^^^"),
        (["^^"], "^^^" * 5000),
        (["ab", "bc"], "abc"),
        (["ab", "x"], "axb"),
        (["ab", "\u2060"], "ab a\u2060b"),
        (["ab", "\u2060", "\u200b"], "ab"),
        (["ab", "\u2060", "\u200b", "\u00b7"], "aabb"),
        (["<x", ">y"], "<<x>y"),
    ],
)
def test_tokens_that_overlap_or_close_up_are_broken_too(tokens: list[str], text: str) -> None:
    clean = Neutraliser(tokens)
    assert not [token for token in tokens if token in clean(text)]
    assert clean(clean(text)) == clean(text)


def test_neutralising_is_visible_and_leaves_ordinary_text_alone() -> None:
    assert neutralise("<answer>[INST]<｜User｜>") == "‹answer>⟦INST]‹｜User｜›"
    ordinary = "if a < b and c > d: x[0] = <div> [INSTALL] 1|2 <searching> [1, 2]"
    assert neutralise(ordinary) == ordinary
    assert Neutraliser([])(ordinary) == ordinary


# --- the same through the dialects ---

MENU = Menu(
    (Expert(id="eye", summary="sees", kind="scripted"),),
    (Skill(id="read", summary="reads", experts=("eye",), takes=("question", "region")),),
)


@given(hostile)
def test_no_observation_forges_anything_in_the_dialect_maestro(text: str) -> None:
    for tokenizer in TOKENIZERS.values():
        codec = TokenizerCodec.of(tokenizer)
        ids = MaestroDialect().encode_observation(text, codec, 4096)
        assert control_ids(tokenizer, codec.decode(ids)) == ["<information>", "</information>"]


@given(hostile, hostile)
def test_no_question_or_reply_forges_anything_in_the_dialect_tools(question: str, reply: str) -> None:
    """As a server would write it: the messages between markers, then tokenised as one text."""
    messages = ToolsDialect(MENU).messages(Opening(Task(id="t", question=question, choices=(reply,)), MENU))
    said = "".join(part["text"] for part in messages[1]["content"] if part["type"] == "text") + neutralise(reply)
    for family, tokenizer in TOKENIZERS.items():
        marker = FAMILIES[family][0]
        assert control_ids(tokenizer, f"{marker}{said}{marker}") == [marker, marker]
