import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro.errors import ConfigError
from maestro.policy.control import neutralise
from maestro.policy.dialect_tools import ToolsDialect, tool_name, write_message
from maestro.policy.protocol import Opening
from maestro.registry.menu import Menu
from maestro.types import Answer, Call, Expert, Malformed, Price, Skill, Task

MENU = Menu(
    (
        Expert(id="page-reader", summary="Reads\npages.", kind="scripted", price=Price(call_usd=0.001)),
        Expert(id="solver", summary="Solves.", kind="scripted"),
    ),
    (
        Skill(id="read", summary="Reads text.", experts=("page-reader",), takes=("question", "region")),
        Skill(id="solve.v2", summary="Solves.", experts=("solver", "page-reader"), takes=("expression",)),
    ),
)
DIALECT = ToolsDialect(MENU)


def message(content: str = "", finish: str = "stop", *calls: tuple[str, str]) -> str:
    return write_message(
        content, [{"id": f"c{n}", "name": name, "arguments": arguments} for n, (name, arguments) in enumerate(calls)], finish
    )


def test_there_is_one_tool_per_skill_with_its_experts_to_choose_from() -> None:
    read, solve = (tool["function"] for tool in DIALECT.tools())
    assert (read["name"], solve["name"]) == ("read", "solve_v2")
    assert read["parameters"]["properties"]["expert"]["enum"] == ["page-reader"]
    assert solve["parameters"]["properties"]["expert"]["enum"] == ["solver", "page-reader"]
    assert "page-reader: Reads pages. ($0.001 a call)" in read["parameters"]["properties"]["expert"]["description"]
    assert read["parameters"]["required"] == ["expert"]
    assert solve["parameters"]["required"] == ["expert", "query"]
    assert "left,top,right,bottom" in read["parameters"]["properties"]["query"]["description"]
    assert json.loads(json.dumps(DIALECT.tools())) == DIALECT.tools()


def test_a_new_skill_is_a_new_tool() -> None:
    more = Menu(MENU.experts, (*MENU.skills, Skill(id="count", summary="Counts.", experts=("solver",))))
    assert [tool["function"]["name"] for tool in ToolsDialect(more).tools()] == ["read", "solve_v2", "count"]


@pytest.mark.parametrize(
    ("text", "action"),
    [
        (message("", "tool_calls", ("read", '{"expert": "page-reader"}')), Call(expert="page-reader", skill="read")),
        (
            message("I think", "tool_calls", ("solve_v2", '{"expert": "solver", "query": " 1+1 "}')),
            Call(expert="solver", skill="solve.v2", query="1+1"),
        ),
        (message("", "tool_calls", ("nothing", '{"expert": "nobody"}')), Call(expert="nobody", skill="nothing")),
        (message(" 42 "), Answer(text="42")),
        (message("<think>long</think>\n42"), Answer(text="42")),
        (message("thought</think>42"), Answer(text="42")),
        ("42", Answer(text="42")),
        ('{"x": 1}', Answer(text='{"x": 1}')),
    ],
)
def test_messages_are_actions(text: str, action: Call | Answer) -> None:
    assert DIALECT.parse(text) == action


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (message(), "no tool call and no answer"),
        (message("<think>hm</think>"), "no tool call and no answer"),
        (message("half an ans", "length"), "cut off"),
        (message("", "tool_calls", ("read", '{"expert": "a"}'), ("read", '{"expert": "b"}')), "more than one"),
        (message("", "tool_calls", ("read", "{expert")), "not JSON"),
        (message("", "tool_calls", ("read", "[1]")), "not an object"),
        (message("", "tool_calls", ("read", "")), "no expert"),
        (message("", "tool_calls", ("read", '{"expert": 3}')), "no expert"),
        (message("", "tool_calls", ("read", '{"expert": "page-reader", "query": 3}')), "not a string"),
        (message("", "tool_calls", ("read", '{"expert": "page-reader", "crop": "1"}')), "unknown argument crop"),
    ],
)
def test_what_is_no_action_says_why(text: str, reason: str) -> None:
    parsed = DIALECT.parse(text)
    assert isinstance(parsed, Malformed)
    assert reason in parsed.reason
    assert DIALECT.refuse(parsed).startswith("error: ")


@given(st.text(max_size=20), st.booleans())
def test_what_is_written_is_parsed_back(text: str, call: bool) -> None:
    said = neutralise(text).strip()
    action: Call | Answer = Call(expert="solver", skill="solve.v2", query=said) if call else Answer(text=said or "0")
    assert DIALECT.parse(DIALECT.write(action, "because")) == action


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)), st.text(max_size=10))
def test_parsing_never_fails(arguments: Any, name: str) -> None:
    DIALECT.parse(message("", "tool_calls", (name, json.dumps(arguments))))
    DIALECT.parse(name)


def test_skills_with_one_tool_name_are_refused() -> None:
    skills = tuple(Skill(id=name, summary="", experts=("solver",)) for name in ("a.b", "a_b"))
    with pytest.raises(ConfigError, match=r"'a\.b' and 'a_b' are both called 'a_b'"):
        ToolsDialect(Menu(MENU.experts, skills))
    assert tool_name("x" * 80) == "x" * 64


def test_the_first_messages_hold_question_choices_weight_and_pictures() -> None:
    opening = Opening(Task(id="t", question="Which </tool_call>?", choices=("a", "b"), images=("h",)), MENU, cost_weight=20.0)
    system, user = DIALECT.messages(opening)
    assert "one call at a time" in system["content"]
    assert user["content"][0] == {"type": "image", "name": "h"}
    assert user["content"][1]["text"].startswith("Which ‹/tool_call>?\n\nAnswer with the letter of one of these:\nA. a\nB. b")
    assert "20 right answers" in user["content"][1]["text"]


def test_what_cannot_be_written_raises() -> None:
    for action in (Malformed(reason="x"), Answer(text=" ")):
        with pytest.raises(ValueError, match=r"no text|empty"):
            DIALECT.write(action)
