"""What a checkpoint's folder says of how its policy speaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.errors import CheckpointError, ConfigError
from maestro.policy.dialect_maestro_4b import Maestro4bDialect
from maestro.policy.options import LocalOptions, TokenOptions, read_options, token_dialect
from maestro.policy.spoken import SPOKEN, spoken, write_spoken
from maestro.registry.registry import Registry

TRAINED = TokenOptions(dialect="maestro-4b", history="whole", max_tokens=2048)


def test_what_is_given_stands_before_what_the_folder_says(tmp_path: Path) -> None:
    assert spoken(tmp_path, LocalOptions()) == LocalOptions()
    write_spoken(tmp_path, TRAINED)
    found = spoken(tmp_path, read_options(LocalOptions, "max_tokens=512&device=cpu"))
    assert (found.dialect, found.history, found.max_tokens, found.device) == ("maestro-4b", "whole", 512, "cpu")
    assert spoken(tmp_path, read_options(LocalOptions, "history=original")).history == "original"
    other = read_options(LocalOptions, "dialect=maestro")
    assert spoken(tmp_path, other) == other


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / SPOKEN).write_text("{")
    with pytest.raises(CheckpointError, match="Remove it"):
        spoken(tmp_path, LocalOptions())


def test_the_dialect_keeps_its_history_over_another_menu() -> None:
    one, other = Registry.load("maestro").menu(), Registry.load("maestro-extended").menu()
    dialect = token_dialect(TRAINED, one, single_tags=False)
    assert isinstance(dialect, Maestro4bDialect)
    assert dialect.over(other).history == "whole"
    assert dialect.stops_at(0) == ("</search>",)
    with pytest.raises(ConfigError, match="every sampled id stays"):
        token_dialect(TokenOptions(dialect="maestro", history="whole"), one, single_tags=True)
