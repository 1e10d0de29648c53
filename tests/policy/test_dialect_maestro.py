import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro.policy.dialect_maestro import STOPS, TAGS, MaestroDialect, information, neutralise
from maestro.policy.vocabulary import SPECIALS, train_vocabulary
from maestro.types import Answer, Call, Malformed

dialect = MaestroDialect()
pieces = st.sampled_from(
    [*TAGS, *SPECIALS, "<", ">", "|", "/", "@@", ":", " ", "\n", "answer", "Search", "<|", "|>", "im_end", "7", "é", "‹"]
)
hostile = st.lists(st.one_of(pieces, st.text(max_size=4)), max_size=12).map("".join)
names = st.text(st.sampled_from("abcz09-_."), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("<search>eye@@read: 12+7</search>", Call(expert="eye", skill="read", query="12+7")),
        ("<search>eye@@read:</search>", Call(expert="eye", skill="read")),
        ("<search>eye@@read:   </search>", Call(expert="eye", skill="read")),
        ("<search>eye@@read: at 10:30 or a@@b</search>", Call(expert="eye", skill="read", query="at 10:30 or a@@b")),
        ("<think>text, faint</think><search>eye@@read:</search>", Call(expert="eye", skill="read")),
        ("\n <think>a\nb</think>\n<answer> 42 </answer>\n", Answer(text="42")),
        ("<answer>42</answer><|im_end|>", Answer(text="42")),
        ("<answer>two\nlines</answer>", Answer(text="two\nlines")),
        (" <search> eye@@Read : x</search>", Call(expert=" eye", skill="Read ", query="x")),
    ],
)
def test_an_action_is_parsed_as_it_stands(text: str, action: Call | Answer) -> None:
    assert dialect.parse(text) == action


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no action"),
        ("42", "no action"),
        ("<think>hm</think>", "no action"),
        ("<think>hm", "think is not closed"),
        ("<search>eye read: x</search>", "no @@"),
        ("<search>eye@@read</search>", "no colon"),
        ("<search>@@read: x</search>", "empty expert"),
        ("<search>eye@@ : x</search>", "empty skill"),
        ("<search>eye@@read: x", "search is not closed"),
        ("<answer>42", "answer is not closed"),
        ("<answer>42</search>", "answer is not closed"),
        ("<answer> </answer>", "empty answer"),
        ("<answer>1</answer><answer>2</answer>", "more than one action"),
        ("<search>eye@@read:</search><answer>2</answer>", "more than one action"),
        ("<search>eye@@read:<answer>2</answer></search>", "more than one action"),
        ("<answer>1</answer></answer>", "unexpected answer"),
        ("<answer>1</answer> so there", "text after answer"),
        ("It is <answer>1</answer>", "text before answer"),
        ("<think>a</think>so <answer>1</answer>", "text before answer"),
        ("<think>a</think><think>b</think><answer>1</answer>", "think is not closed"),
        ("<think>a<answer>1</answer></think><answer>1</answer>", "answer inside think"),
        ("<information>answer: 1</information><answer>1</answer>", "unexpected information"),
        ("<answer>1<information>x</information></answer>", "unexpected information"),
        ("</answer>", "unexpected answer"),
        ("<answer>1<|im_end|></answer>", "control token"),
        ("<|im_start|><answer>1</answer>", "control token"),
        ("<ANSWER>1</ANSWER>", "no action"),
    ],
)
def test_what_is_no_action_says_why(text: str, reason: str) -> None:
    parsed = dialect.parse(text)
    assert isinstance(parsed, Malformed)
    assert reason in parsed.reason


@given(names, names, hostile, st.booleans(), hostile)
def test_what_is_written_is_parsed_back(expert: str, skill: str, text: str, call: bool, thought: str) -> None:
    said = neutralise(text).strip()
    action = Call(expert=expert, skill=skill, query=said) if call else Answer(text=said or "0")
    assert dialect.parse(dialect.write(action, thought)) == action


@given(hostile)
def test_parsing_never_fails_and_a_parsed_action_can_be_written(text: str) -> None:
    parsed = dialect.parse(text)
    if isinstance(parsed, Answer):
        assert dialect.parse(dialect.write(parsed)) == Answer(text=neutralise(parsed.text))


def test_writing_is_canonical() -> None:
    assert dialect.write(Call(expert="eye", skill="read")) == "<search>eye@@read:</search>"
    assert dialect.write(Call(expert="eye", skill="solve", query=" 1+2 "), "sum") == "<think>sum</think><search>eye@@solve: 1+2</search>"
    assert dialect.write(Answer(text="42")) == "<answer>42</answer>"
    assert dialect.write(Answer(text="</answer>")) == "<answer>‹/answer></answer>"


@pytest.mark.parametrize("action", [Malformed(reason="x"), Answer(text=" "), Call(expert="a b", skill="c"), Call(expert="a", skill="b:c")])
def test_what_cannot_be_written_raises(action: Malformed | Answer | Call) -> None:
    with pytest.raises(ValueError, match=r"cannot|no text"):
        dialect.write(action)


tokenizer = train_vocabulary(experts=("page-reader", "fast-counter"), skills=("read",), size=700)
control = {tokenizer.token_to_id(token) for token in (*TAGS, *SPECIALS)}


@settings(max_examples=400)
@given(hostile)
def test_neutralised_text_never_becomes_a_control_token(text: str) -> None:
    assert control.isdisjoint(tokenizer.encode(neutralise(text)).ids)
    wrapped = tokenizer.encode(information(text)).ids
    assert [token for token in wrapped if token in control] == [tokenizer.token_to_id(tag) for tag in TAGS[-2:]]


@given(hostile)
def test_neutralising_is_visible_and_done_once(text: str) -> None:
    once = neutralise(text)
    assert neutralise(once) == once
    assert once.replace("‹", "<").replace("›", ">") == text.replace("‹", "<").replace("›", ">")


def test_ordinary_brackets_stay() -> None:
    assert neutralise("a < b > c <b> x<y @@ <searching>") == "a < b > c <b> x<y @@ <searching>"


def test_every_stop_is_a_closing_tag() -> None:
    assert set(STOPS) <= set(TAGS)
