"""Who decides where nobody says: the policy for the playground there, the one that reads any menu elsewhere."""

from __future__ import annotations

from pathlib import Path

import orjson
from click.testing import CliRunner

from maestro.cli.main import cli
from maestro.images import ImageStore
from maestro.policy.loading import default_policy, load_policy
from maestro.registry.edits import renamed
from maestro.registry.registry import Registry
from tests.registry.folders import small_registry


def test_the_default_is_the_policy_that_knows_the_menu(tmp_path: Path) -> None:
    menu = Registry.load("playground").menu()
    assert default_policy(menu) == "maestro-mini"
    assert default_policy(renamed(menu, experts={card.id: f"my-{card.id}" for card in menu.experts})) == "maestro-reading"
    own = Registry.load(str(small_registry(tmp_path / "own"))).menu()
    assert default_policy(own) == "maestro-reading"
    assert load_policy("maestro-reading", own, ImageStore()).name == "maestro-reading"


def test_a_registry_of_ones_own_is_answered_over_without_naming_a_policy(tmp_path: Path) -> None:
    own = tmp_path / "own"
    assert CliRunner().invoke(cli, ["init", str(own)]).exit_code == 0
    asked = ["ask", "What does the sign on the bus say?", "--image", str(own / "images" / "bus.png"), "--registry", str(own), "--json"]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    episode = orjson.loads(done.stdout)
    assert [turn["action"]["skill"] for turn in episode["turns"][:-1]] == ["read"]
    assert episode["answer"] == episode["turns"][0]["observation"]["value"], "a word that it learned elsewhere"
