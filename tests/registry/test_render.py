import pytest

from maestro.registry.registry import Registry
from maestro.registry.render import price_text, render
from maestro.types import Price
from tests.registry.folders import replace, small_registry


@pytest.fixture
def folder(tmp_path):
    return small_registry(tmp_path)


def test_full(folder):
    assert render(Registry.load(folder).menu()) == (
        "Experts:\n"
        "- cheap-reader: Reads plain print. Price: $0.001 a call.\n"
        "- strong-reader: Reads anything. Price: $0.01 a call.\n"
        "\n"
        "Skills:\n"
        "- answer: Answers anything.\n"
        "  takes question; gives expression; experts: strong-reader\n"
        "- read: Reads text.\n"
        "  takes question or region; gives answer; experts: cheap-reader, strong-reader"
    )


def test_compact(folder):
    assert render(Registry.load(folder).menu(), "compact") == (
        "answer: strong-reader\nread: cheap-reader strong-reader\nprice: cheap-reader 1 strong-reader 10"
    )


def test_compact_prices_of_every_kind(folder):
    replace(folder / "registry.yaml", "call_usd: 0.001", "call_usd: 0.00002, megapixel_usd: 0.0015")
    replace(folder / "registry.yaml", "call_usd: 0.01}", "input_mtok_usd: 0.2, output_mtok_usd: 3}")
    last = render(Registry.load(folder).menu(), "compact").splitlines()[-1]
    assert last == "price: cheap-reader .02+1.5/mp strong-reader 0+.2/kin+3/kout"


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (Price(), "free"),
        (Price(call_usd=0.0002), "$0.0002 a call"),
        (Price(call_usd=1), "$1 a call"),
        (Price(input_mtok_usd=0.2, output_mtok_usd=0.6), "$0.2 per million input tokens + $0.6 per million output tokens"),
        (Price(megapixel_usd=0.1), "$0.1 per megapixel"),
    ],
)
def test_price_in_words(price, text):
    assert price_text(price) == text


def test_brief_names_skills_and_prices_only(folder):
    menu = Registry.load(folder).menu()
    first, last = render(menu, "brief").splitlines()
    assert first == "skills: " + " ".join(skill.id for skill in menu.skills)
    assert last == render(menu, "compact").splitlines()[-1]
