import pytest

from maestro.errors import InfrastructureFault
from maestro.skills.dispatch import Retrieval, by_expert, by_keywords
from maestro.types import Skill

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
