import pytest

from maestro.errors import InfrastructureFault
from maestro.skills.dispatch import PooledRetrieval, Retrieval, by_expert, by_keywords, occurs
from maestro.types import Bonus, Skill

COUNT = Skill(
    id="count-shapes", summary="Count shapes of any colour", level=2, examples=("How many circles are there?",), keywords=("how many",)
)
COLOUR = Skill(id="tell-colour", summary="Name a colour", level=2, examples=("What colour is the square?",), keywords=("colour", "color"))
READ = Skill(
    id="read-sign",
    summary="Read text on a sign",
    level=2,
    examples=("What does the sign say?", "What is written here?"),
    keywords=("sign",),
)
CHILDREN = (COUNT, COLOUR, READ)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("how many discs can you see", "count-shapes"),
        ("Which colour does the triangle have?", "tell-colour"),
        ("Please tell me what's written on that sign", "read-sign"),
    ],
)
def test_retrieval_follows_paraphrases(question: str, expected: str) -> None:
    assert Retrieval(CHILDREN).choose(question).id == expected


def test_retrieval_without_any_similarity_is_the_first_child() -> None:
    assert Retrieval(CHILDREN).choose("\u4f60").id == "count-shapes"


def test_keywords_need_whole_words() -> None:
    assert by_keywords(CHILDREN, "what color is the design?").id == "tell-colour"
    assert by_keywords(CHILDREN, "a designer").id == "count-shapes"


async def test_expert_must_name_exactly_one_child() -> None:
    async def names(operation: str, **_: object) -> str:
        assert operation == "chat"
        return "read-sign."

    async def hedges(operation: str, **_: object) -> str:
        return "read-sign or tell-colour"

    assert (await by_expert(CHILDREN, "?", names)).id == "read-sign"
    with pytest.raises(InfrastructureFault, match="names 2"):
        await by_expert(CHILDREN, "?", hedges)


def test_pooled_retrieval_counts_all_texts_of_a_child() -> None:
    pooled = PooledRetrieval(CHILDREN)
    assert pooled.choose("how many squares and circles").id == "count-shapes"
    assert pooled.choose("is anything written on it").id == "read-sign"
    ranked = pooled.rank("What colour is the sign?")
    assert sum(probability for _, probability in ranked) == pytest.approx(1)
    assert ranked == sorted(ranked, key=lambda item: -item[1])
    assert pooled.choose("你").id == "count-shapes"  # nothing known: the first child


@pytest.mark.parametrize(
    ("keyword", "text", "there"),
    [
        ("table", "a vegetable", False),
        ("table", "the table.", True),
        ("rows={", "rows={5}", True),
        ("(row,column)", "as (row,column)", True),
        ("go from ", "they go from a", True),
        ("date", "an update", False),
    ],
)
def test_where_a_keyword_occurs(keyword: str, text: str, there: bool) -> None:
    assert occurs(keyword, text) is there


def test_keywords_score_bonuses_priority_and_fallback() -> None:
    one = Skill(id="one", summary="", level=2, keywords=("left",), priority=2)
    two = Skill(
        id="two", summary="", level=2, keywords=("arm",), bonuses=(Bonus(any=("move",), adds=2), Bonus(images=2, adds=1)), priority=1
    )
    assert by_keywords((one, two), "left arm").id == "two"
    assert by_keywords((one, two), "left").id == "one"
    assert by_keywords((one, two), "move left, left").id == "two"
    assert by_keywords((one, two), "left", images=2).id == "two"
    assert by_keywords((one, two), "nothing").id == "one"
    assert by_keywords((one, two), "nothing", fallback=two).id == "two"
