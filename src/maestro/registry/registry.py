"""A registry: the experts and skills of one folder, checked and ready to use.

my-registry/
  registry.yaml                     experts, prices, limits, dialect, which skills
  skills/read/SKILL.md              level 1: what a policy sees
  skills/read/read-field/SKILL.md   level 2: what `read` dispatches to
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from maestro.document import Document, Problem, Problems, read_document
from maestro.errors import RegistryError, not_found
from maestro.registry.cards import RegistryFile, read_cards
from maestro.registry.consistency import check_consistency
from maestro.registry.environment import endpoints_as_written
from maestro.registry.menu import Menu
from maestro.registry.plugins import registered
from maestro.registry.skill_file import FILE_NAME, SkillFile, read_skill
from maestro.types import Expert, Skill

REGISTRY_FILE = "registry.yaml"
_MISNAMED = {"registry.yml", "registry.yaml", "registry.yaml.txt", "registry.json"}
"""What the file is called by mistake, in any case."""
SKILLS_FOLDER = "skills"
_UNNAMED_DIALECT = "maestro"
"""What digests and locks hold when the file names none."""


class InvalidRegistry(RegistryError):
    """A registry's files have problems; `problems` has all of them with file and line."""

    def __init__(self, folder: Path, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(f"the registry in {shown_path(folder)} has {count}:\n" + "\n".join(f"  {problem}" for problem in self.problems))


@dataclass(frozen=True)
class Registry:
    """Experts and skills by exact id. Immutable; load it with `Registry.load`."""

    name: str
    summary: str
    folder: Path
    settings: RegistryFile
    """registry.yaml as written: dialect, observation limits, the list of skills."""
    experts: Mapping[str, Expert]
    """By id, in the file's order."""
    skills: Mapping[str, Skill]
    """By id; every level-1 skill in menu order, each followed by its level-2 skills, whose inherited experts are filled in."""
    digest: str
    """SHA-256 over everything that a policy or expert can notice."""
    folders: Mapping[str, Path] = field(default_factory=dict)
    """Where each skill's SKILL.md is, by id."""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Endpoints that the environment may override, as written, by expert id; digests are over these."""

    @classmethod
    def load(cls, name_or_path: str | Path) -> Registry:
        """Load a registry by registered name or by folder (or its registry.yaml).

        A plain word is first looked up among the registered names; write `./word` for a folder of that name. Raises
        InvalidRegistry with every problem found, or RegistryError when there is no such registry.
        """
        folder = locate(name_or_path).absolute()  # a program that runs for long may change its directory
        document, cards = _read_cards(folder)
        skills, problems = _read_skills(folder, cards, document)
        problems += check_consistency(cards, skills, document) if skills or not problems else []
        if problems:
            raise InvalidRegistry(folder, problems)
        experts = {expert.id: expert for expert in cards.experts}
        by_id = _order([file.skill for file in skills], cards.helpers)
        endpoints = endpoints_as_written(document)
        digest = _digest(cards, experts, by_id, endpoints)
        folders = {file.skill.id: file.folder for file in skills}
        return cls(cards.name, cards.summary, folder, cards, experts, by_id, digest, folders, endpoints)

    @property
    def level_one(self) -> tuple[Skill, ...]:
        """What a policy sees, in menu order."""
        return tuple(skill for skill in self.skills.values() if skill.level == 1)

    def children(self, skill: str) -> tuple[Skill, ...]:
        """Level-2 skills of a level-1 skill, by id; empty for a procedure. Raises RegistryError for an unknown id."""
        parent = self.skill(skill)
        return tuple(child for child in self.skills.values() if child.parent == parent.id)

    def expert(self, expert: str) -> Expert:
        """The expert with exactly this id. Raises RegistryError saying which ids there are."""
        if expert not in self.experts:
            raise RegistryError(f"registry {self.name}: " + not_found("expert", expert, self.experts, self._advice()))
        return self.experts[expert]

    def skill(self, skill: str) -> Skill:
        """The skill with exactly this id, of either level. Raises RegistryError saying which ids there are."""
        if skill not in self.skills:
            raise RegistryError(f"registry {self.name}: " + not_found("skill", skill, self.skills, self._advice()))
        return self.skills[skill]

    def menu(self, systems: Container[str] = ()) -> Menu:
        """Level-1 skills and the experts that some skill allows.

        Recorded experts are offered when their system is one of `systems`, those whose outcomes are at hand; a skill that nobody is left
        for is not offered either.
        """
        absent = {card.id for card in self.experts.values() if card.kind == "recorded" and system_of(card) not in systems}
        skills = tuple(_without(skill, absent) for skill in self.level_one)
        skills = tuple(skill for skill in skills if skill.experts)
        used = {expert for skill in skills for expert in skill.experts}
        offered = (expert for expert in self.experts.values() if expert.id in used)
        cards = tuple(expert.model_copy(update={"serve": None}) if expert.serve else expert for expert in offered)
        offered_ids = {skill.id for skill in skills}
        children = tuple(skill for skill in self.skills.values() if skill.level == 2 and skill.parent in offered_ids)
        return Menu(cards, skills, self.digest, self.settings.dialect, children)

    @property
    def policy(self) -> str | None:
        """The policy that the registry names for itself, a folder as its absolute path; None when it names none."""
        named = self.settings.policy
        return str((self.folder / named).resolve()) if named is not None and named.startswith(".") else named

    def lock(self) -> dict[str, object]:
        """What `registry.lock` of a run folder holds: enough to tell what changed since, as JSON values."""
        return {
            "name": self.name,
            "digest": self.digest,
            "dialect": self.settings.dialect or _UNNAMED_DIALECT,
            "experts": {expert.id: _fingerprint(_as_written(expert, self.endpoints)) for expert in self.experts.values()},
            "skills": {skill.id: skill.digest for skill in self.skills.values()},
        }

    def _advice(self) -> str:
        known = registered().registries.get(self.name) == self.folder
        return f"See all with: maestro registry show {self.name if known else argument(self.folder)}"


def system_of(card: Expert) -> str:
    """The system in a folder's outcomes that a recorded expert stands for."""
    return card.target or card.id


def _without(skill: Skill, absent: Container[str]) -> Skill:
    """The skill without some of its experts."""
    left = tuple(expert for expert in skill.experts if expert not in absent)
    return skill if left == skill.experts else skill.model_copy(update={"experts": left})


def locate(name_or_path: str | Path) -> Path:
    """Folder of a registry given by registered name or path. Raises RegistryError saying what exists."""
    text = str(name_or_path)
    plain = isinstance(name_or_path, str) and "/" not in text and "\\" not in text and not text.startswith(".")
    if plain and text in registered().registries:
        return registered().registries[text]
    path = Path(name_or_path).expanduser()
    if path.name == REGISTRY_FILE and path.is_file():
        path = path.parent
    if text and (path / REGISTRY_FILE).is_file():
        return path
    if path.is_dir() and text:
        if other := next((found.name for found in path.iterdir() if found.name.lower() in _MISNAMED and found.is_file()), None):
            raise RegistryError(f"the folder {path} has {other}, but the file must be called {REGISTRY_FILE}; rename it.")
        raise RegistryError(f"the folder {path} has no {REGISTRY_FILE}. Start one with: maestro init NEW_FOLDER")
    step = f"A path to a folder with {REGISTRY_FILE} works too; start one with: maestro init NEW_FOLDER"
    raise RegistryError(registered().missing("registry", text, registered().registries, step))


def _read_cards(folder: Path) -> tuple[Document, RegistryFile]:
    path = folder / REGISTRY_FILE
    try:
        document = read_document(path, shown_path(path))
        return document, read_cards(document)
    except Problems as found:
        raise InvalidRegistry(folder, found.problems) from None
    except OSError as error:
        raise RegistryError(f"{path} cannot be read: {error.strerror}") from error


def _read_skills(folder: Path, cards: RegistryFile, document: Document) -> tuple[list[SkillFile], list[Problem]]:
    """Every skill on offer, with the problems of those that cannot be read."""
    root = folder / SKILLS_FOLDER
    files: list[SkillFile] = []
    problems: list[Problem] = []
    if not root.is_dir():
        return files, [Problem(shown_path(root), 0, f"there is no such folder; a registry needs skills/<id>/{FILE_NAME}")]
    folders = {path.name: path for path in _visible_folders(root)}
    for index, name in enumerate(cards.skills or ()):
        if name not in folders:
            problems.append(document.problem(("skills", index), not_found("level-1 skill", name, folders)))
    wanted = [folders[name] for name in (cards.skills or sorted(folders)) if name in folders]
    for one in wanted:
        _read_one(one, None, files, problems)
        parent = next((file.skill.id for file in files if file.folder == one), one.name)
        for two in _visible_folders(one):
            if _skill_file(two, problems, required=False):
                _read_one(two, parent, files, problems)
                deeper = (Problem(shown_path(path), 0, "skills have two levels; move it up") for path in two.glob(f"*/**/{FILE_NAME}"))
                problems.extend(deeper)
    return files, problems


def _read_one(folder: Path, parent: str | None, files: list[SkillFile], problems: list[Problem]) -> None:
    if not _skill_file(folder, problems, required=True):
        return
    try:
        files.append(read_skill(folder, parent, shown_path(folder / FILE_NAME)))
    except Problems as found:
        problems.extend(found.problems)


def _skill_file(folder: Path, problems: list[Problem], *, required: bool) -> bool:
    """Whether the folder is a skill; a missing file, or one spelt otherwise, is a problem."""
    names = [path.name for path in folder.iterdir()]
    if FILE_NAME in names:
        return True
    misspelt = next((name for name in names if name.lower() in {"skill.md", "skills.md", "skill.markdown"}), None)
    if misspelt:
        problems.append(Problem(shown_path(folder / misspelt), 0, f"the file must be called {FILE_NAME}, exactly"))
    elif required:
        below = ", ".join(path.name for path in _visible_folders(folder) if (path / FILE_NAME).exists())
        orphans = (
            f", so {below} in it has no level-1 skill above; add one, move {below} into another skill's folder," if below else "; add one"
        )
        problems.append(Problem(shown_path(folder), 0, f"no {FILE_NAME} in this folder{orphans} or remove the folder"))
    return False


def _visible_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__")))


def _order(skills: list[Skill], helpers: Mapping[str, str | None]) -> dict[str, Skill]:
    """Skills by id, children after their parent with inherited experts filled in; the registry's helpers stand before a card's."""
    ordered: dict[str, Skill] = {}
    skills = [_with_helpers(skill, helpers) for skill in skills]
    for parent in (skill for skill in skills if skill.level == 1):
        ordered[parent.id] = parent
        for child in (skill for skill in skills if skill.parent == parent.id):
            ordered[child.id] = child if child.experts else child.model_copy(update={"experts": parent.experts})
    return ordered


def _with_helpers(skill: Skill, helpers: Mapping[str, str | None]) -> Skill:
    own = {role: helpers.get(role, expert) for role, expert in skill.helpers.items()}
    return skill if own == skill.helpers else skill.model_copy(update={"helpers": own})


def shown_path(path: Path) -> str:
    """A path as messages show it: relative to the working directory when it is inside."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def argument(folder: Path) -> str:
    """A folder as an argument that is never taken for a registered name."""
    text = shown_path(folder)
    return text if "/" in text or text.startswith(".") else f"./{text}"


def _digest(cards: RegistryFile, experts: dict[str, Expert], skills: dict[str, Skill], endpoints: Mapping[str, str]) -> str:
    content = {
        "settings": cards.model_dump(mode="json", exclude={"experts", "skills", "policy"}) | {"dialect": cards.dialect or _UNNAMED_DIALECT},
        "experts": [_as_written(expert, endpoints) for expert in experts.values()],
        "skills": [skill.model_dump(mode="json") for skill in skills.values()],
    }
    return _fingerprint(content)


def _as_written(expert: Expert, endpoints: Mapping[str, str]) -> dict[str, object]:
    """A card for a digest, without what a policy cannot notice: where a model is served, and on which GPU it runs."""
    written = {"endpoint": endpoints[expert.id]} if expert.id in endpoints else {}
    return expert.model_dump(mode="json", exclude={"serve"}) | written


def _fingerprint(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
