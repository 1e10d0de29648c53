"""Who decides where nobody says: the policy that reads any menu."""

from __future__ import annotations

from pathlib import Path

import orjson
from click.testing import CliRunner

from maestro.cli.main import cli


def test_a_registry_of_ones_own_is_answered_over_without_naming_a_policy(tmp_path: Path) -> None:
    own = tmp_path / "own"
    assert CliRunner().invoke(cli, ["init", str(own)]).exit_code == 0
    asked = ["ask", "What does the sign on the bus say?", "--image", str(own / "images" / "bus.png"), "--registry", str(own), "--json"]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    episode = orjson.loads(done.stdout)
    assert [turn["action"]["skill"] for turn in episode["turns"][:-1]] == ["read"]
    assert episode["answer"] == episode["turns"][0]["observation"]["value"], "a word that it learned elsewhere"
