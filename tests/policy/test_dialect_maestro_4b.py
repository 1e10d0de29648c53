"""The token stream of Maestro-4B, row by row of what is known about it. Expected rows are put together by hand from literals."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro.errors import ConfigError
from maestro.policy.codec import TokenizerCodec, Wording
from maestro.policy.dialect_maestro_4b import UNKNOWN_EXPERT, Excerpt, Maestro4bDialect
from maestro.policy.prompt_maestro_4b import PlannerPrompt
from maestro.policy.scripted import ScriptedTokens
from maestro.registry.menu import Menu
from maestro.rollout.episode import run_episode
from maestro.rollout.limits import Limits
from maestro.types import Answer, Call, Episode, Expert, Malformed, Observation, Skill, StopReason, Task
from tests.policy.qwen import save_wording

MENU = Menu(
    (Expert(id="Eye-Model", summary="sees", kind="scripted"), Expert(id="ear-model", summary="hears", kind="scripted")),
    (
        Skill(id="Read_Solver", summary="reads", experts=("Eye-Model", "ear-model")),
        Skill(id="Count_Solver", summary="counts", experts=("Eye-Model",)),
    ),
)
TASK = Task(id="t", question="What is it?")
PROMPT = "<|im_start|>system\nSYSTEM<|im_end|>\n<|im_start|>user\nWhat is it?\n\nREMINDER<|im_end|>\n<|im_start|>assistant\n<think>\n"
THOUGHT = "A sign.\n</think>\n\n"
SEARCH = "<search> Eye-Model@@Read_Solver: What does it say? </search>"
SECOND = "<search> ear-model@@Read_Solver: Again? </search>"
CALL = Call(expert="Eye-Model", skill="Read_Solver", query="What does it say?")
ANSWER = "<answer>42</answer>"
SEEN = "<|im_start|>user<information>forty two</information><|im_end|>"
END = "<|im_end|>"


class Ensemble:
    """Answers every call alike and counts them."""

    menu = MENU
    name = "fake@0"

    def __init__(self, text: str = "forty two") -> None:
        self.text = text
        self.calls: list[Call] = []

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        self.calls.append(call)
        return Observation(text=self.text)


@pytest.fixture(scope="module")
def wording(tmp_path_factory: pytest.TempPathFactory) -> Wording:
    return Wording.load(save_wording(tmp_path_factory.mktemp("wording")))


@pytest.fixture(scope="module")
def dialect() -> Maestro4bDialect:
    return Maestro4bDialect(MENU, prompt=PlannerPrompt("SYSTEM", "REMINDER"), aliases={"eye": "Eye-Model"})


async def played(wording: Wording, dialect: Maestro4bDialect, *script: str, ensemble: Ensemble | None = None, turns: int = 9) -> Episode:
    return await run_episode(TASK, ScriptedTokens(script, dialect, wording), ensemble or Ensemble(), Limits(turns=turns))


def stream(wording: Wording, episode: Episode) -> str:
    """The whole row as text; it must also be the row's only spelling as ids."""
    assert episode.tokens is not None
    row = [*episode.tokens.prompt_ids, *episode.tokens.completion_ids]
    text = wording.codec.decode(row)
    assert wording.codec.encode(text) == row
    return text


async def test_call_observation_answer(wording: Wording, dialect: Maestro4bDialect) -> None:
    episode = await played(wording, dialect, THOUGHT + SEARCH + END, ANSWER + END)
    assert stream(wording, episode) == PROMPT + THOUGHT + SEARCH + END + SEEN + ANSWER + END
    assert (episode.stop, episode.answer, episode.calls) == (StopReason.ANSWERED, "42", (CALL,))
    assert episode.tokens is not None
    assert episode.tokens.untrainable is None
    first, second = (turn.decision for turn in episode.turns)
    ends = wording.codec.encode(END)
    # The sampled ids carry their log-probs; the end of the message, which the stop came before, is put there.
    seen = wording.codec.encode(SEEN)
    assert list(episode.tokens.mask) == [1] * len(first.token_ids) + [0] * (len(ends) + len(seen)) + [1] * len(second.token_ids) + [0]
    assert [p for p, m in zip(episode.tokens.logprobs, episode.tokens.mask, strict=True) if m] == [*first.logprobs, *second.logprobs]


async def test_generation_0_without_a_search_is_discarded_and_sampled_again(wording: Wording, dialect: Maestro4bDialect) -> None:
    """Discarded by the rule of generation 0; the next one is generation 1, which may answer."""
    episode = await played(wording, dialect, "I know it.</think>" + ANSWER + END, "</think>" + ANSWER + END)
    assert stream(wording, episode) == PROMPT + ANSWER + END
    first, second = episode.turns
    assert first.decision.discarded
    assert first.decision.text == "I know it.</think>" + ANSWER + END
    assert (first.decision.kept, first.observation) == ("", None)
    assert isinstance(first.action, Malformed)
    assert second.action == Answer(text="42")
    assert second.decision.prompt_tokens == first.decision.prompt_tokens


async def test_generation_0_keeps_the_last_200_tokens_of_its_thought(wording: Wording, dialect: Maestro4bDialect) -> None:
    thought = "".join(f"word {n} " for n in range(150)) + "</think>\n"
    ids = wording.codec.encode(thought)
    assert len(ids) > 200
    episode = await played(wording, dialect, thought + SEARCH, ANSWER)
    tail = wording.codec.decode(ids[-200:])
    assert stream(wording, episode) == PROMPT + tail + SEARCH + END + SEEN + ANSWER + END
    assert episode.tokens is not None
    assert episode.tokens.untrainable is not None
    assert f"{len(ids) - 200} sampled ids before" in episode.tokens.untrainable
    assert episode.turns[0].decision.text == thought + SEARCH


async def test_a_thought_of_200_tokens_stays_whole(wording: Wording, dialect: Maestro4bDialect) -> None:
    thought = "7" * 200
    assert len(wording.codec.encode(thought)) == 200
    episode = await played(wording, dialect, thought + SEARCH, ANSWER)
    assert stream(wording, episode) == PROMPT + thought + SEARCH + END + SEEN + ANSWER + END


async def test_an_answer_tag_in_the_first_thought_is_no_answer(wording: Wording, dialect: Maestro4bDialect) -> None:
    thought = "In the end I write <answer>x</answer>, but first:\n</think>\n"
    episode = await played(wording, dialect, thought + SEARCH, ANSWER)
    assert stream(wording, episode) == PROMPT + thought + SEARCH + END + SEEN + ANSWER + END
    assert episode.calls == (CALL,)


async def test_later_generations_keep_their_last_block_alone(wording: Wording, dialect: Maestro4bDialect) -> None:
    header = "<|im_start|>assistant\n<think>\nnot sure\n</think>\n\n"
    episode = await played(wording, dialect, THOUGHT + SEARCH, header + SECOND + END, header + SEARCH, header + ANSWER + END)
    assert stream(wording, episode) == (PROMPT + THOUGHT + SEARCH + END + SEEN + SECOND + END + SEEN + SEARCH + END + SEEN + ANSWER + END)
    assert [turn.decision.kept for turn in episode.turns] == [None, SECOND, SEARCH, ANSWER]
    assert episode.tokens is not None
    assert episode.tokens.untrainable is not None
    assert "generation 2" in episode.tokens.untrainable


async def test_generation_1_looks_behind_its_thought_only(wording: Wording, dialect: Maestro4bDialect) -> None:
    text = "<answer>1</answer> perhaps</think>\n" + ANSWER
    kept = dialect.keep("<search>a@@b: c</search></think>" + ANSWER, 1, wording.codec)
    assert (kept.text, kept.final) == (ANSWER, False)
    assert dialect.keep(text, 1, wording.codec).text == ANSWER
    assert dialect.keep("no thought " + SECOND, 1, wording.codec).text == SECOND


@pytest.mark.parametrize(
    ("generation", "text", "kept", "final"),
    [
        (0, "a" + SEARCH + " b " + SECOND + "c", "a" + SEARCH + " b " + SECOND, False),
        (0, "</search> a <search>", "", False),
        (0, ANSWER, "", False),
        (1, SEARCH + ANSWER + SECOND + "tail", SECOND, False),
        (1, "<think>a</think>" + ANSWER + "<answer>2</answer>", "<answer>2</answer>", False),
        (1, "nothing", "", False),
        (1, "<search> not closed", "", False),
        (2, SEARCH + ANSWER, ANSWER, False),
        (2, ANSWER + SEARCH, ANSWER, False),
        (3, SEARCH + SECOND, SECOND, False),
        (2, "neither\n", "neither\n", True),
        (3, "neither<|im_end|>", "neither", True),
        (4, SEARCH, SEARCH, True),
        (4, ANSWER, ANSWER, True),
        (4, "", "", True),
    ],
)
def test_what_a_generation_keeps(wording: Wording, dialect: Maestro4bDialect, generation: int, text: str, kept: str, final: bool) -> None:
    found = dialect.keep(text, generation, wording.codec)
    assert (found.text, found.final) == (kept, final)


async def test_generation_2_with_neither_ends_the_episode_and_stays_whole(wording: Wording, dialect: Maestro4bDialect) -> None:
    episode = await played(wording, dialect, SEARCH, SECOND, "I give up." + END)
    assert stream(wording, episode) == PROMPT + SEARCH + END + SEEN + SECOND + END + SEEN + "I give up." + END
    assert episode.stop is StopReason.MALFORMED
    assert episode.turns[-1].observation is None
    assert episode.tokens is not None
    assert episode.tokens.untrainable is None


async def test_four_calls_and_five_generations(wording: Wording, dialect: Maestro4bDialect) -> None:
    ensemble = Ensemble()
    episode = await played(wording, dialect, *[SEARCH] * 9, ensemble=ensemble)
    assert len(ensemble.calls) == 4
    assert len(episode.turns) == 5
    assert episode.stop is StopReason.TURN_LIMIT
    assert episode.turns[-1].observation is None
    assert stream(wording, episode) == PROMPT + (SEARCH + END + SEEN) * 4 + SEARCH + END


async def test_a_discarded_generation_uses_up_one_of_the_five(wording: Wording, dialect: Maestro4bDialect) -> None:
    ensemble = Ensemble()
    episode = await played(wording, dialect, "hm", "hm", *[SEARCH] * 9, ensemble=ensemble)
    assert [turn.decision.discarded for turn in episode.turns] == [True, True, False, False, False]
    assert len(ensemble.calls) == 2
    assert stream(wording, episode) == PROMPT + (SEARCH + END + SEEN) * 2 + SEARCH + END


async def test_the_loops_own_limit_counts_discarded_generations_too(wording: Wording, dialect: Maestro4bDialect) -> None:
    episode = await played(wording, dialect, "hm", "hm", SEARCH, turns=2)
    assert len(episode.turns) == 2
    assert (episode.stop, episode.calls) == (StopReason.TURN_LIMIT, ())


async def test_what_was_generated_behind_the_stop_is_never_there(wording: Wording, dialect: Maestro4bDialect) -> None:
    """Without stops a checkpoint invents its own observation and goes on."""
    invented = "\n<|im_start|>user<information>a lie</information><|im_end|>" + ANSWER
    episode = await played(wording, dialect, THOUGHT + SEARCH + invented, ANSWER)
    assert "a lie" not in stream(wording, episode)
    assert episode.turns[0].decision.text == THOUGHT + SEARCH + "\n"


async def test_a_block_is_encoded_again_where_a_token_reaches_beyond_it(wording: Wording, dialect: Maestro4bDialect) -> None:
    """`>` and a line break are one token here, so the sampled ids are not the block's: kept, but not for training."""
    assert len(wording.codec.encode(">\n\n")) == 1
    episode = await played(wording, dialect, SEARCH + "\n\n", "\n" + ANSWER + "\n\n")
    assert stream(wording, episode) == PROMPT + SEARCH + END + SEEN + ANSWER + END
    assert episode.tokens is not None
    assert episode.tokens.untrainable == "generation 1: the ids of what was kept are not the sampled ones"
    assert set(episode.tokens.mask) == {0}


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("Eye-Model Read_Solver: x", "Format Error: Invalid skill call format"),
        ("Eye-Model@@Read_Solver", "Format Error: Invalid skill call format"),
        ("at 10:30 Eye-Model@@Read_Solver", "Format Error: Missing @@ separator"),
        ("Eye@@Read_Solver_Eval: x", "Skill Name Error"),
        ("Eye-Mode@@Read_Solver: x", "Model Name Error"),
        ("my Eye-Model please@@Read_Solver: x", "Model Name Error"),
        ("Eye-Model@@Read: x", "Skill Name Error"),
        ("Nobody@@Nothing: x", "Model Name Error"),
    ],
)
async def test_what_is_no_call_is_answered_with_the_short_strings(
    wording: Wording, dialect: Maestro4bDialect, inside: str, said: str
) -> None:
    ensemble = Ensemble()
    wrong = f"<search> {inside} </search>"
    episode = await played(wording, dialect, wrong, ANSWER, ensemble=ensemble)
    assert stream(wording, episode) == (
        PROMPT + wrong + END + f"<|im_start|>user<information>{said}</information><|im_end|>" + ANSWER + END
    )
    observation = episode.turns[0].observation
    assert observation is not None
    assert (observation.status, ensemble.calls) == ("policy_error", [])


@pytest.mark.parametrize(
    ("inside", "call"),
    [
        ("EYE-MODEL@@read_solver:x", Call(expert="Eye-Model", skill="Read_Solver", query="x")),
        (" eye @@ Count_Solver : at 10:30 or a@@b \n", Call(expert="Eye-Model", skill="Count_Solver", query="at 10:30 or a@@b")),
        ("ear-model@@Read_Solver:", Call(expert="ear-model", skill="Read_Solver")),
    ],
)
def test_names_are_exact_up_to_case_and_aliases(dialect: Maestro4bDialect, inside: str, call: Call) -> None:
    assert dialect.parse(f"thinking <search>{inside}</search>") == call


def test_the_first_search_of_what_was_kept_is_the_one_performed(dialect: Maestro4bDialect) -> None:
    assert dialect.parse(f"a {SEARCH} b {SECOND}") == CALL


def test_an_empty_answer_ends_the_episode_too(dialect: Maestro4bDialect) -> None:
    assert dialect.parse("<answer> </answer>") == Answer(text="")


async def test_a_long_reply_is_read_from_its_end(wording: Wording, dialect: Maestro4bDialect) -> None:
    episode = await played(wording, dialect, SEARCH, ANSWER, ensemble=Ensemble("x" * 500 + "y" * 1000))
    assert f"<information>{'y' * 1000}</information>" in stream(wording, episode)


def test_excerpts() -> None:
    text = "alpha beta gamma"
    assert Excerpt(20).of(text) == text
    assert Excerpt(7).of(text) == "a gamma"
    assert Excerpt(7, whole_words=True).of(text) == "gamma"
    assert Excerpt(5, whole_words=True).of(text) == "gamma"
    assert Excerpt(7, side="head").of(text) == "alpha b"
    assert Excerpt(7, side="head", whole_words=True).of(text) == "alpha"


def test_an_observation_of_too_many_tokens_keeps_its_tags_and_its_end(wording: Wording, dialect: Maestro4bDialect) -> None:
    ids = dialect.encode_observation("é" * 900 + " the end", wording.codec, 100)
    assert len(ids) == 100
    text = wording.codec.decode(ids)
    assert text.startswith("<|im_start|>user<information>")
    assert text.endswith("é the end</information><|im_end|>")
    assert text.count("<information>") == text.count("</information>") == 1


@pytest.mark.parametrize("limit", [8, 28, 29, 30, 47, 52, 53, 54, 80])
def test_the_tags_of_an_observation_stay_whatever_the_limit(dialect: Maestro4bDialect, limit: int) -> None:
    """Also where the tags alone are more tokens than that: here every character is one."""
    codec = TokenizerCodec(lambda text: [ord(sign) for sign in text], lambda ids: "".join(map(chr, ids)), [])
    tags = "<|im_start|>user<information></information><|im_end|>"
    written = codec.decode(dialect.encode_observation("word " * 300, codec, limit))
    assert len(written) == max(limit, len(tags))
    head, tail = tags[: tags.index("</")], tags[tags.index("</") :]
    assert written.startswith(head)
    assert written.endswith(tail)


def test_writing_is_canonical_and_read_back(dialect: Maestro4bDialect) -> None:
    assert dialect.write(CALL) == SEARCH
    for action in (CALL, Answer(text="42"), Call(expert="ear-model", skill="Count_Solver")):
        assert dialect.parse(dialect.write(action, "because")) == action
    for unwritable in (Call(expert="nobody", skill="Read_Solver"), Malformed(reason="x")):
        with pytest.raises(ValueError, match=r"has no|no text"):
            dialect.write(unwritable)


def test_names_that_cannot_be_told_apart_are_refused() -> None:
    twice = Menu((Expert(id="A", summary="", kind="scripted"), Expert(id="a", summary="", kind="scripted")), ())
    with pytest.raises(ConfigError, match="differ in nothing but case"):
        Maestro4bDialect(twice)
    with pytest.raises(ConfigError, match="alias 'x'"):
        Maestro4bDialect(MENU, aliases={"x": "nobody"})
    with pytest.raises(ConfigError, match="also the name of"):
        Maestro4bDialect(MENU, aliases={"ear-model": "Eye-Model"})


CONTROL = ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|image_pad|>", "<|vision_start|>", "<think>", "</think>", "<tool_call>")
TAGS = ("<search>", "</search>", "<answer>", "</answer>", "<information>", "</information>")
hostile = st.lists(
    st.one_of(st.sampled_from([*CONTROL, *TAGS, "<", ">", "|", "/", "im_end", "answer", "</", "｜", "\n"]), st.text(max_size=6)),
    max_size=12,
).map("".join)


@given(hostile, st.booleans())
def test_no_reply_can_forge_a_control_token_or_tag(wording: Wording, dialect: Maestro4bDialect, text: str, short: bool) -> None:
    ids = dialect.encode_observation(text, wording.codec, 24 if short else 1024)
    control = {wording.vocabulary[token] for token in (*CONTROL, *wording.specials)}
    start, end = wording.vocabulary["<|im_start|>"], wording.vocabulary["<|im_end|>"]
    assert [token for token in ids if token in control] == [start, end]
    written = wording.codec.decode(ids)
    assert [written.count(tag) for tag in TAGS] == [0, 0, 0, 0, 1, 1]


@given(st.text(max_size=30), st.integers(0, 5))
def test_keeping_never_fails(wording: Wording, dialect: Maestro4bDialect, text: str, generation: int) -> None:
    for said in (text, f"<search>{text}</search>", f"{text}</think><answer>{text}</answer>"):
        kept = dialect.keep(said, generation, wording.codec)
        dialect.parse(kept.text)


def test_a_client_needs_no_weights(tmp_path: Path) -> None:
    assert Wording.load(save_wording(tmp_path / "w")).render([{"role": "user", "content": "x"}]).endswith("<think>\n")


def test_it_speaks_about_another_menu_when_the_registry_was_edited(dialect: Maestro4bDialect) -> None:
    """Names come and go; an alias of what is gone is left out, and the rest of the dialect stays."""
    old = Maestro4bDialect(dialect.menu, prompt=PlannerPrompt("S", "R"), aliases={"eyes": dialect.menu.experts[0].id}, excerpt=Excerpt(9))
    fresh = Expert(id="new-model", summary="new", kind="openai")
    skills = tuple(skill.model_copy(update={"experts": ("new-model",)}) for skill in old.menu.skills)
    new = old.over(Menu((fresh,), skills))
    said = f"<search> New-Model@@{skills[0].id}: x </search>"
    assert old.parse(said) == Malformed(reason=UNKNOWN_EXPERT)
    assert new.parse(said) == Call(expert="new-model", skill=skills[0].id, query="x")
    assert isinstance(old.parse(f"<search> eyes@@{skills[0].id}: x </search>"), Call)
    assert new.parse(f"<search> eyes@@{skills[0].id}: x </search>") == Malformed(reason=UNKNOWN_EXPERT)
    assert (new.prompt, new.excerpt) == (old.prompt, old.excerpt)
    assert old.over(Menu(old.menu.experts, old.menu.skills, old.menu.digest)) is old
