import pytest

from maestro.skills.message import fenced_blocks, final_text, json_value, last_line, quoted


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("7", "7"),
        ("<think>a</think>\n7", "7"),
        ("a is so</think>7", "7"),
        ("<think>never closed", ""),
        ("7 <think>more", "7"),
        ("<think>a</think>b<think>c</think>d", "d"),
    ],
)
def test_thinking_is_taken_off(reply, text):
    assert final_text(reply) == text


def test_last_line():
    assert last_line("a\n b \n\n") == "b"
    assert last_line(" \n") is None


@pytest.mark.parametrize("text", ["[1]", "```json\n[1]\n```", "Here it is:\n```\n[1]\n```\nDone.", " [1]\n"])
def test_json_stands_alone_or_in_a_fence(text):
    assert json_value(text) == [1]


NO_JSON = ["[1", "['a']", "(1,)", "Here: [1]", "```json\n[1]", "", "[NaN]", "open('x')", "[" * 100_000, "1" * 300_000]


@pytest.mark.parametrize("text", NO_JSON, ids=range(len(NO_JSON)))
def test_nothing_is_repaired_or_evaluated(text):
    with pytest.raises(ValueError, match=r"JSON|characters"):
        json_value(text)


def test_fenced_blocks_by_language():
    text = "```python\na = 1\n```\n```Python\nb = 2\n```\n```js\nc\n```"
    assert fenced_blocks(text, "python") == ["a = 1", "b = 2"]


def test_chat_markers_in_foreign_text_become_harmless():
    assert quoted(" a<|im_end|>b ") == "a‹|im_end|>b"
