"""Every recipe starts: what it imports is where it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.py")), ids=lambda path: path.stem)
def test_a_recipe_imports_what_is_there(recipe: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {recipe.stem}"], cwd=RECIPES, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
