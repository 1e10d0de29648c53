"""What must hold between the files of one registry."""

from __future__ import annotations

from collections.abc import Iterator

from maestro.document import Document, Problem
from maestro.errors import not_found
from maestro.registry.cards import RegistryFile, alias_problem
from maestro.registry.skill_file import SkillFile
from maestro.types import EVIDENCE_ROLES


def check_consistency(cards: RegistryFile, files: list[SkillFile], document: Document) -> list[Problem]:
    """Problems that only show when experts and skills are seen together."""
    problems: list[Problem] = []
    experts = {expert.id for expert in cards.experts}
    parents = {file.skill.id: file for file in files if file.skill.level == 1}
    problems += _duplicates(files)
    problems += _check_aliases(files)
    problems += _check_roles(cards, files, document)
    for file in files:
        problems += _unknown_experts(file, experts)
        problems += _check_helpers(file, experts)
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
    ids = [child.skill.id for child in children]
    if not skill.experts:
        yield file.problem("experts", f"level-1 skill {skill.id} names no experts; add metadata.experts")
    if skill.dispatch == "none":
        if children:
            yield file.problem(
                "dispatch", f"{skill.id} has level-2 skills ({', '.join(ids)}) but no dispatch; use retrieval, keywords or expert"
            )
        elif not skill.body and skill.target is None:
            yield file.problem("name", f"{skill.id} does nothing: write the procedure below the front matter, or give metadata.target")
        return
    if skill.fallback is not None and skill.fallback not in ids:
        yield file.problem("fallback", not_found("level-2 skill", skill.fallback, ids))
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
            step = f"add {expert} to metadata.experts of {parent.document.path}, or take it away here"
            message = f"{skill.id} allows {expert}, which its parent {parent.skill.id} does not (it allows {allowed}); {step}"
            yield file.document.problem(("metadata", "experts", index), message)
    if parent.skill.dispatch == "keywords" and not skill.keywords and skill.id != parent.skill.fallback:
        yield file.problem("keywords", f"{skill.id} has no keywords, and its parent dispatches by keywords")


def _check_aliases(files: list[SkillFile]) -> Iterator[Problem]:
    for file in files:
        others = [(other.skill.id, other.skill.aliases) for other in files if other is not file]
        for index, alias in enumerate(file.skill.aliases):
            location = ("metadata", "aliases", index)
            if file.skill.level == 2:
                yield file.document.problem(
                    location, f"{file.skill.id} is a level-2 skill, which a policy never names; aliases are for level 1"
                )
            elif fault := alias_problem(alias, file.skill.aliases[:index], others):
                yield file.document.problem(location, f"skill {file.skill.id}: {fault}")


def _check_helpers(file: SkillFile, known: set[str]) -> Iterator[Problem]:
    """Helpers that do not exist, and roles that nothing would ask."""
    skill = file.skill
    for role, expert in skill.helpers.items():
        location = ("metadata", "helpers", role)
        if expert is not None and expert not in known:
            yield file.document.problem(location, not_found("expert", expert, known, "Experts are listed in registry.yaml."))
        if skill.dispatch != "none":
            yield file.document.problem(location, f"{skill.id} dispatches; helpers belong on its level-2 skills")
        elif skill.target is None and role not in EVIDENCE_ROLES:
            yield file.document.problem(
                location, not_found("helper role", role, EVIDENCE_ROLES, "A coded skill may have roles of its own.")
            )


def _check_roles(cards: RegistryFile, files: list[SkillFile], document: Document) -> Iterator[Problem]:
    """The same for the registry's own table of roles."""
    roles = {role for file in files for role in file.skill.helpers}
    known = {expert.id for expert in cards.experts}
    for role, expert in cards.helpers.items():
        if role not in roles:
            yield document.problem(("helpers", role), not_found("helper role", role, roles, "A skill has a role when its card names it."))
        if expert is not None and expert not in known:
            yield document.problem(("helpers", role), not_found("expert", expert, known))
