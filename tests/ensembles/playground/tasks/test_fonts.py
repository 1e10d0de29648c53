import random

import pytest

from maestro.ensembles.playground.tasks.fonts import SHIFTED_FONTS, TRAIN_FONTS, Fonts, missing, require
from maestro.ensembles.playground.tasks.palette import SHIFTED_SHADES, TRAIN_SHADES
from maestro.errors import MissingDependency


def test_shifted_fonts_and_shades_are_withheld_from_training() -> None:
    assert not TRAIN_FONTS.stems & SHIFTED_FONTS.stems
    assert TRAIN_SHADES.keys() == SHIFTED_SHADES.keys()
    for name, shades in TRAIN_SHADES.items():
        assert not set(shades) & set(SHIFTED_SHADES[name])


def test_fonts_that_are_not_installed_are_named_with_their_debian_package() -> None:
    absent = Fonts(regular=("FreeNothing",), bold=("ComicNeue-Nothing",), mono=("DejaVuNothing",))
    assert missing(absent) == ["ComicNeue-Nothing", "DejaVuNothing", "FreeNothing"]
    with pytest.raises(MissingDependency, match="fonts-comic-neue, fonts-dejavu-core, fonts-freefont-ttf"):
        require(absent)


def test_fonts_are_chosen_from_the_kind_asked_for() -> None:
    rng = random.Random(1)
    assert all(TRAIN_FONTS.choose(rng, "mono") in TRAIN_FONTS.mono for _ in range(20))
