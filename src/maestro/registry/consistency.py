"""What must hold between the files of one registry."""

from __future__ import annotations

from collections.abc import Iterator

from maestro.document import Document, Problem
from maestro.errors import not_found
from maestro.registry.cards import RegistryFile
from maestro.registry.skill_file import SkillFile


def check_consistency(cards: RegistryFile, files: list[SkillFile], document: Document) -> list[Problem]:
    """Problems that only show when experts and skills are seen together."""
    problems: list[Problem] = []
    experts = {expert.id for expert in cards.experts}
    parents = {file.skill.id: file for file in files if file.skill.level == 1}
    problems += _duplicates(files)
    for file in files:
        problems += _unknown_experts(file, experts)
        if file.skill.level == 1:
            children = [other for other in files if other.skill.parent == file.skill.id]
            problems += _check_parent(file, children)
        else:
            problems += _check_child(file, parents.get(file.skill.parent or ""), experts)
    if not files:
        problems.append(document.problem(("skills",), "no level-1 skill on offer; a registry needs at least one"))
    return problems


def _duplicates(files: list[SkillFile]) -> Iterator[Problem]:
    first: dict[str, SkillFile] = {}
    for file in files:
        if file.skill.id in first:
            other = first[file.skill.id].document.path
            yield file.problem("name", f"duplicate skill id {file.skill.id!r}; {other} has it too, and ids are unique over both levels")
        first.setdefault(file.skill.id, file)


def _unknown_experts(file: SkillFile, experts: set[str]) -> Iterator[Problem]:
    for index, expert in enumerate(file.skill.experts):
        if expert not in experts:
            location = ("metadata", "experts", index)
            yield file.document.problem(location, not_found("expert", expert, experts, "Experts are listed in registry.yaml."))


def _check_parent(file: SkillFile, children: list[SkillFile]) -> Iterator[Problem]:
    skill = file.skill
    if not skill.experts:
        yield file.problem("experts", f"level-1 skill {skill.id} names no experts; add metadata.experts")
    if skill.dispatch == "none":
        if children:
            ids = ", ".join(child.skill.id for child in children)
            yield file.problem("dispatch", f"{skill.id} has level-2 skills ({ids}) but no dispatch; use retrieval, keywords or expert")
        elif not skill.body and skill.target is None:
            yield file.problem("name", f"{skill.id} does nothing: write the procedure below the front matter, or give metadata.target")
        return
    if not children:
        yield file.problem("dispatch", f"{skill.id} dispatches by {skill.dispatch} but has no level-2 skill in a sub-folder")
    if skill.target is not None:
        yield file.problem("target", f"{skill.id} has both dispatch and target; a skill is a procedure or dispatches, not both")


def _check_child(file: SkillFile, parent: SkillFile | None, known: set[str]) -> Iterator[Problem]:
    skill = file.skill
    if skill.dispatch != "none":
        yield file.problem("dispatch", f"level-2 skill {skill.id} may not dispatch; there are two levels")
    if not skill.body and skill.target is None:
        yield file.problem("name", f"{skill.id} does nothing: write the procedure below the front matter, or give metadata.target")
    if parent is None:
        return
    for index, expert in enumerate(skill.experts):
        if expert in known and expert not in parent.skill.experts:
            allowed = ", ".join(parent.skill.experts) or "none"
            message = f"{skill.id} allows {expert}, which its parent {parent.skill.id} does not (it allows {allowed})"
            yield file.document.problem(("metadata", "experts", index), message)
    if parent.skill.dispatch == "keywords" and not skill.keywords:
        yield file.problem("keywords", f"{skill.id} has no keywords, and its parent dispatches by keywords")
