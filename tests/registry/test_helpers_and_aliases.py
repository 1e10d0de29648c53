"""Helper roles, aliases, steps and ids of their own: what a registry may say, and what `validate` says of mistakes."""

import pytest

from maestro.registry.registry import Registry
from tests.registry.folders import problems, replace, small_registry

ANSWER = "skills/answer/SKILL.md"
LINE = "skills/read/read-line/SKILL.md"


@pytest.fixture
def folder(tmp_path):
    return small_registry(tmp_path / "small")


def test_an_id_may_differ_from_the_folder_and_children_know_it(folder):
    replace(folder / "skills/read/SKILL.md", "metadata:\n", "metadata:\n  id: Read_Anything\n")
    registry = Registry.load(folder)
    assert [skill.id for skill in registry.children("Read_Anything")] == ["read-field", "read-line"]
    assert registry.folders["read-line"] == folder / "skills/read/read-line"


def test_the_registry_names_helpers_by_role_before_the_cards_do(folder):
    replace(folder / ANSWER, "metadata:\n", "metadata:\n  helpers: {ocr: strong-reader, caption: null}\n")
    assert Registry.load(folder).skill("answer").helpers == {"ocr": "strong-reader", "caption": None}
    replace(folder / "registry.yaml", "summary: Two experts.\n", "helpers: {ocr: null, caption: cheap-reader}\n")
    assert Registry.load(folder).skill("answer").helpers == {"ocr": None, "caption": "cheap-reader"}


@pytest.mark.parametrize(
    ("path", "added", "expected"),
    [
        (ANSWER, "  helpers: {ocr: strong-raeder}\n", f"{ANSWER}:5: no expert 'strong-raeder'; did you mean strong-reader?"),
        (ANSWER, "  helpers: {ocrr: strong-reader}\n", f"{ANSWER}:5: no helper role 'ocrr'; did you mean ocr?"),
        ("skills/read/SKILL.md", "  helpers: {ocr: strong-reader}\n", "skills/read/SKILL.md:5: read dispatches; helpers belong on"),
        (
            "skills/read/SKILL.md",
            "  fallback: read-lime\n",
            "skills/read/SKILL.md:5: no level-2 skill 'read-lime'; did you mean read-line or read-field?",
        ),
        (ANSWER, "  aliases: [Read]\n", f"{ANSWER}:5: skill answer: alias 'Read' is taken by read (aliases match in any case)"),
        (ANSWER, "  aliases: [reply, REPLY]\n", f"{ANSWER}:5: skill answer: alias 'REPLY' is given twice"),
        (ANSWER, "  aliases: ['a b']\n", f"{ANSWER}:5: skill answer: alias 'a b': use up to 64 letters"),
        (LINE, "metadata:\n  aliases: [line]\n", f"{LINE}:5: read-line is a level-2 skill, which a policy never names"),
        (ANSWER, "  steps: [look]\n", f"{ANSWER}:5: no section 'look'; there is no section at all. Write it in the body under: ## look"),
        (ANSWER, "  id: 'no good'\n", f"{ANSWER}:5: metadata.id 'no good': use up to 64"),
        (ANSWER, "  bonuses: [{any: [x], adds: 0}]\n", f"{ANSWER}:5: metadata.bonuses[0].adds"),
        (ANSWER, "  observation: {side: middle}\n", f"{ANSWER}:5: metadata.observation.side"),
    ],
)
def test_mistakes_are_shown_where_they_are(folder, path, added, expected):
    before = "metadata:\n" if "metadata" in (folder / path).read_text() else "description: Reads one line.\n"
    replace(folder / path, before, before + added)
    assert any(problem.startswith(expected) for problem in problems(folder)), problems(folder)


@pytest.mark.parametrize(
    ("helpers", "expected"),
    [
        ("{orc: cheap-reader}", "registry.yaml:2: no helper role 'orc'; did you mean ocr?"),
        ("{ocr: nobody}", "registry.yaml:2: no expert 'nobody'"),
    ],
)
def test_the_registrys_own_table_of_helpers_is_checked(folder, helpers, expected):
    replace(folder / ANSWER, "metadata:\n", "metadata:\n  helpers: {ocr: strong-reader}\n")
    replace(folder / "registry.yaml", "summary: Two experts.\n", f"helpers: {helpers}\n")
    assert any(problem.startswith(expected) for problem in problems(folder)), problems(folder)


def test_an_experts_alias_is_checked_too(folder):
    replace(
        folder / "registry.yaml", "    summary: Reads plain print.\n", "    summary: Reads plain print.\n    aliases: [Strong-Reader]\n"
    )
    assert problems(folder) == [
        "registry.yaml:6: expert cheap-reader: alias 'Strong-Reader' is taken by strong-reader (aliases match in any case)"
    ]


def test_what_is_not_said_is_not_in_the_digest(folder):
    registry = Registry.load(folder)
    new = {"aliases", "helpers", "steps", "needs_image", "observation", "bonuses", "priority", "fallback", "similarity"}
    assert not new & registry.skill("answer").model_dump().keys()
    assert not new & registry.expert("cheap-reader").model_dump().keys()
    assert set(registry.settings.observation.model_dump()) == {"max_characters"}
    shipped = Registry.load("playground")
    assert shipped.digest == "7ff9873114f09ab4ee65269422708c384923ba52c6a10c936cb941164f8f0631"
