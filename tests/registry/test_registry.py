import re

import pytest

from maestro.errors import RegistryError
from maestro.registry.registry import InvalidRegistry, Registry, locate
from tests.registry.folders import ANSWER, CARDS, READ_LINE, problems, replace, small_registry, write


@pytest.fixture
def folder(tmp_path):
    return small_registry(tmp_path / "small")


def test_load(folder):
    registry = Registry.load(folder)
    assert (registry.name, registry.summary, registry.folder) == ("small", "Two experts.", folder)
    assert list(registry.experts) == ["cheap-reader", "strong-reader"]
    assert list(registry.skills) == ["answer", "read", "read-field", "read-line"]
    assert [skill.id for skill in registry.level_one] == ["answer", "read"]
    assert [skill.id for skill in registry.children("read")] == ["read-field", "read-line"]
    assert registry.children("answer") == ()
    assert registry.skill("read-field").experts == ("strong-reader",)
    assert (registry.skill("read-line").level, registry.skill("read-line").parent) == (2, "read")


def test_level_two_inherits_its_parents_experts(folder):
    assert Registry.load(folder).skill("read-line").experts == ("cheap-reader", "strong-reader")


def test_menu_has_level_one_and_reachable_experts_only(folder):
    menu = Registry.load(folder).menu()
    assert [skill.id for skill in menu.skills] == ["answer", "read"]
    assert menu.pairs == (("strong-reader", "answer"), ("cheap-reader", "read"), ("strong-reader", "read"))
    assert menu.allows("cheap-reader", "read")
    assert not menu.allows("cheap-reader", "answer")
    replace(folder / "registry.yaml", "summary: Two experts.\n", "summary: Two experts.\nskills: [answer]\n")
    menu = Registry.load(folder).menu()
    assert [expert.id for expert in menu.experts] == ["strong-reader"]


def test_skills_on_offer_are_chosen_and_ordered_by_the_list(folder):
    replace(folder / "registry.yaml", "summary: Two experts.\n", "skills: [read, answer]\n")
    assert list(Registry.load(folder).skills) == ["read", "read-field", "read-line", "answer"]
    replace(folder / "registry.yaml", "skills: [read, answer]\n", "skills: [answer]\n")
    write(folder / "skills/read/SKILL.md", "broken, but not on offer")
    assert list(Registry.load(folder).skills) == ["answer"]


def test_unknown_skill_on_the_list(folder):
    replace(folder / "registry.yaml", "summary: Two experts.\n", "skills:\n  - answer\n  - raed\n")
    assert problems(folder) == ["registry.yaml:4: no level-1 skill 'raed'; did you mean read? There is answer, read."]


def test_lookups_say_what_exists(folder):
    registry = Registry.load(folder)
    with pytest.raises(
        RegistryError, match=r"registry small: no expert 'cheap-raeder'; did you mean cheap-reader\?.*maestro registry show"
    ):
        registry.expert("cheap-raeder")
    with pytest.raises(RegistryError, match=r"no skill 'Read'; did you mean read"):
        registry.skill("Read")
    with pytest.raises(RegistryError, match="no skill 'nothing'"):
        registry.children("nothing")


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        (
            "skills/answer/SKILL.md",
            "[strong-reader]",
            "[strong-raeder]",
            "skills/answer/SKILL.md:5: no expert 'strong-raeder'; did you mean strong-reader?",
        ),
        ("skills/answer/SKILL.md", "  experts: [strong-reader]\n", "", "skills/answer/SKILL.md:4: level-1 skill answer names no experts"),
        ("skills/answer/SKILL.md", "Answer in a few words.\n", "", "skills/answer/SKILL.md:2: answer does nothing: write the procedure"),
        ("skills/read/read-line/SKILL.md", "Copy the line.\n", "", "skills/read/read-line/SKILL.md:2: read-line does nothing"),
        (
            "skills/answer/SKILL.md",
            "  gives: expression\n",
            "  dispatch: retrieval\n",
            "skills/answer/SKILL.md:6: answer dispatches by retrieval but has no",
        ),
        (
            "skills/read/SKILL.md",
            "  dispatch: retrieval\n",
            "",
            "skills/read/SKILL.md:4: read has level-2 skills (read-field, read-line) but no dispatch",
        ),
        (
            "skills/read/SKILL.md",
            "  dispatch: retrieval\n",
            "  dispatch: retrieval\n  target: a.b:c\n",
            "skills/read/SKILL.md:7: read has both dispatch and target",
        ),
        (
            "skills/read/SKILL.md",
            "[cheap-reader, strong-reader]",
            "[cheap-reader]",
            "skills/read/read-field/SKILL.md:5: read-field allows strong-reader, which its parent read does not (it allows cheap-reader)",
        ),
        (
            "skills/read/read-field/SKILL.md",
            "metadata:\n",
            "metadata:\n  dispatch: keywords\n",
            "skills/read/read-field/SKILL.md:5: level-2 skill read-field may not dispatch",
        ),
    ],
)
def test_inconsistent_files(folder, path, old, new, expected):
    replace(folder / path, old, new)
    found = problems(folder)
    assert len(found) == 1, found
    assert found[0].startswith(expected)


def test_keyword_dispatch_needs_keywords_below(folder):
    replace(folder / "skills/read/SKILL.md", "dispatch: retrieval", "dispatch: keywords")
    assert [re.sub(r";.*", "", one) for one in problems(folder)] == [
        "skills/read/read-field/SKILL.md:4: read-field has no keywords, and its parent dispatches by keywords",
        "skills/read/read-line/SKILL.md:2: read-line has no keywords, and its parent dispatches by keywords",
    ]


def test_ids_are_unique_over_both_levels(folder):
    write(folder / "skills/read/answer/SKILL.md", ANSWER)
    (one,) = problems(folder)
    assert one.startswith("skills/read/answer/SKILL.md:2: duplicate skill id 'answer'; ")


def test_problems_of_several_files_come_at_once(folder):
    write(folder / "skills/answer/SKILL.md", "no front matter\n")
    replace(folder / "skills/read/read-field/SKILL.md", "[strong-reader]", "[nobody]")
    found = problems(folder)
    assert [re.match(r"[^:]+:\d+", one)[0] for one in found] == [
        "skills/answer/SKILL.md:1",
        "skills/read/read-field/SKILL.md:5",
    ]


def test_problems_are_listed_in_the_message(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    write(folder / "skills/answer/SKILL.md", "no front matter\n")
    with pytest.raises(InvalidRegistry) as caught:
        Registry.load("./small")
    lines = str(caught.value).splitlines()
    assert lines[0] == "the registry in small has 1 problem:"
    assert lines[1].startswith("  small/skills/answer/SKILL.md:1: no front matter")


def test_folder_without_a_skill_file(folder):
    (folder / "skills/empty").mkdir()
    assert problems(folder) == ["skills/empty:0: no SKILL.md in this folder; add one or remove the folder"]


@pytest.mark.parametrize("place", ["skills/other", "skills/read/other"])
def test_misspelt_skill_file(folder, place):
    write(folder / place / "skill.md", READ_LINE)
    assert problems(folder) == [f"{place}/skill.md:0: the file must be called SKILL.md, exactly"]


def test_third_level_is_refused(folder):
    write(folder / "skills/read/read-line/deeper/SKILL.md", READ_LINE)
    (one,) = problems(folder)
    assert one.startswith("skills/read/read-line/deeper/SKILL.md:0: skills have two levels")


def test_resources_and_hidden_folders_are_no_skills(folder):
    write(folder / "skills/read/references/table.md", "x")
    write(folder / "skills/.git/x", "x")
    assert list(Registry.load(folder).skills) == ["answer", "read", "read-field", "read-line"]


def test_no_skills_at_all(tmp_path):
    write(tmp_path / "registry.yaml", CARDS)
    assert problems(tmp_path) == ["skills:0: there is no such folder; a registry needs skills/<id>/SKILL.md"]
    (tmp_path / "skills").mkdir()
    assert problems(tmp_path) == ["registry.yaml:1: no level-1 skill on offer; a registry needs at least one"]


def test_digest_follows_what_matters(folder, tmp_path):
    first = Registry.load(folder).digest
    assert Registry.load(small_registry(tmp_path / "elsewhere")).digest == first
    replace(folder / "registry.yaml", "name: small\n", "# A comment changes nothing.\nname: small\n")
    assert Registry.load(folder).digest == first
    replace(folder / "registry.yaml", "call_usd: 0.001", "call_usd: 0.002")
    second = Registry.load(folder).digest
    replace(folder / "skills/read/read-line/SKILL.md", "Copy the line.", "Copy the whole line.")
    assert len({first, second, Registry.load(folder).digest}) == 3


def test_a_registry_may_name_its_policy_and_stays_the_same_registry(folder):
    before = Registry.load(folder)
    assert before.policy is None
    replace(folder / "registry.yaml", "name: small\n", "name: small\npolicy: maestro-mini\n")
    named = Registry.load(folder)
    assert (named.policy, named.digest) == ("maestro-mini", before.digest)
    replace(folder / "registry.yaml", "policy: maestro-mini", "policy: ./mine")
    assert Registry.load(folder).policy == str((folder / "mine").resolve())


def test_digests_of_registries_without_later_fields_stay_as_they_were(folder):
    assert Registry.load(folder).digest == "ce003b6f07400d5c615562ff72088aadb7e617d827bcd22f153823e7310bc101"
    replace(folder / "registry.yaml", "target: strong", "target: strong\n    sampling: {}\n    fallback: null")
    assert Registry.load(folder).digest.startswith("ce003b6f")
    replace(folder / "registry.yaml", "sampling: {}", "sampling: {max_tokens: 9}")
    changed = Registry.load(folder)
    assert not changed.digest.startswith("ce003b6f")
    assert changed.expert("strong-reader").model_dump()["sampling"]["max_tokens"] == 9


def test_lock_tells_what_changed(folder):
    before = Registry.load(folder).lock()
    replace(folder / "skills/read/read-line/SKILL.md", "Copy the line.", "Copy the whole line.")
    replace(folder / "registry.yaml", "call_usd: 0.001", "call_usd: 0.002")
    after = Registry.load(folder).lock()
    assert [key for key in before["skills"] if before["skills"][key] != after["skills"][key]] == ["read-line"]
    assert [key for key in before["experts"] if before["experts"][key] != after["experts"][key]] == ["cheap-reader"]


def test_a_registry_is_found_by_folder_file_and_name(folder, monkeypatch):
    assert locate(folder) == locate(str(folder)) == locate(folder / "registry.yaml") == folder
    monkeypatch.chdir(folder.parent)
    assert Registry.load("./small").name == "small"
    assert Registry.load("small").name == "small"
    assert locate("playground").name == "registry"


def test_a_registered_name_wins_over_a_folder(folder, monkeypatch):
    small_registry(folder.parent / "playground")
    monkeypatch.chdir(folder.parent)
    assert locate("playground") != locate("./playground")
    assert Registry.load("./playground").name == "small"


def test_what_is_no_registry(tmp_path, monkeypatch):
    with pytest.raises(RegistryError, match=r"no registry 'playgroud'; did you mean playground\?.*maestro init"):
        locate("playgroud")
    with pytest.raises(RegistryError, match=r"has no registry\.yaml\. Start one with: maestro init"):
        locate(tmp_path)
    (tmp_path / "Registry.yml").touch()
    with pytest.raises(RegistryError, match=r"has Registry\.yml, but the file must be called registry\.yaml; rename it"):
        locate(tmp_path)
    with pytest.raises(RegistryError, match="no registry"):
        locate("")
    with pytest.raises(RegistryError, match="no registry '/nowhere/at/all'"):
        locate("/nowhere/at/all")


def test_a_registry_file_that_is_a_folder(tmp_path):
    (tmp_path / "registry.yaml").mkdir()
    with pytest.raises(RegistryError, match=r"has no registry\.yaml"):
        Registry.load(tmp_path)


def test_the_shipped_registry_loads():
    registry = Registry.load("playground")
    assert registry.name == "playground"
    assert len(registry.experts) == 11
