import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro.errors import ConfigError
from maestro.policy.dialect_maestro import TAGS
from maestro.policy.vocabulary import SPECIALS, check_first_tokens, train_vocabulary

EXPERTS = ("page-reader", "sparse-reader", "fast-counter")
SKILLS = ("read", "count", "solve")
tokenizer = train_vocabulary(["The total is 12.40 dollars."] * 3, experts=EXPERTS, skills=SKILLS)


def ids(text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False).ids


def test_tags_specials_and_expert_names_are_single_tokens() -> None:
    for token in (*TAGS, *SPECIALS, "@@", *EXPERTS, *SKILLS):
        assert len(ids(token)) == 1, token


def test_tags_survive_decoding_as_ordinary_tokens() -> None:
    text = "<think>a</think><search>page-reader@@read: 12</search>"
    assert tokenizer.decode(ids(text) + ids("<|im_end|>"), skip_special_tokens=True) == text


def test_digits_stay_single() -> None:
    assert [tokenizer.id_to_token(token) for token in ids("2019-12.40")] == list("2019-12.40")


@given(st.text(st.sampled_from("ABCdefgh019.,-+%° é"), min_size=1, max_size=12).map(str.strip).filter(bool))
def test_a_value_has_the_same_ids_wherever_it_stands(value: str) -> None:
    wanted = ids(value)
    for before, after in (("answer: ", "\nconfidence: 0.9"), ("<answer>", "</answer>"), ('says "', '".'), ("@@read: ", "</search>")):
        whole = ids(before + value + after)
        start = len(ids(before))
        assert whole[start : start + len(wanted)] == wanted


@given(st.text(max_size=40))
def test_any_text_comes_back(text: str) -> None:
    assert tokenizer.decode(ids(text), skip_special_tokens=False) == text


def test_names_added_later_still_encode() -> None:
    later = ids("<search>brand-new_expert2@@my-skill: x</search>")
    assert tokenizer.decode(later, skip_special_tokens=False) == "<search>brand-new_expert2@@my-skill: x</search>"


def test_names_that_share_words_or_are_plain_words_are_told_apart_by_one_token() -> None:
    experts, skills = ("eye", "page-ocr", "page-ocr-2", "page"), ("chart-bar", "chart-pie", "chart")
    made = train_vocabulary(experts=experts, skills=skills)
    for name in (*experts, *skills):
        assert len(made.encode(f"<search>{name}@@").ids) == 3
    added = {token.content for token in made.get_added_tokens_decoder().values()}
    assert {"page-ocr", "page-ocr-2", "chart-bar", "chart-pie"} <= added
    assert {"eye", "page", "chart"}.isdisjoint(added)


def test_training_is_repeatable() -> None:
    again = train_vocabulary(["The total is 12.40 dollars."] * 3, experts=EXPERTS, skills=SKILLS)
    assert again.to_str() == tokenizer.to_str()


def test_names_that_start_alike_are_refused() -> None:
    with pytest.raises(ConfigError, match="start with the same token"):
        check_first_tokens(tokenizer, ["page-reader"], ["zq-one", "zq-two"])


def test_a_size_that_cannot_hold_the_bytes_is_refused() -> None:
    with pytest.raises(ConfigError, match="256 bytes"):
        train_vocabulary(size=200)
