"""The playground's own ids in a policy's vocabulary."""

import pytest

pytest.importorskip("tokenizers", reason="the extra `train` is not installed")

from maestro.policy.vocabulary import train_vocabulary
from maestro.registry.registry import Registry
from maestro.registry.render import render


def test_every_expert_and_skill_is_told_from_the_others_by_its_first_token() -> None:
    menu = Registry.load("playground").menu()
    experts, skills = [expert.id for expert in menu.experts], [skill.id for skill in menu.skills]
    tokenizer = train_vocabulary([render(menu, "compact")], experts=experts, skills=skills)
    for names, before in ((experts, "<search>"), (skills, "<search>page-tesseract@@")):
        start = len(tokenizer.encode(before).ids)
        firsts = {tokenizer.encode(before + name).ids[start] for name in names}
        assert len(firsts) == len(names) > 9
