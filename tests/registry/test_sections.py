from maestro.registry.sections import sections


def test_sections_by_heading():
    body = "# Title\nAbove.\n\n## one\nFirst.\n### deeper\n\n## two ##\n```\n## no heading\n```\nSecond.\n\n## one\nAgain."
    assert sections(body) == ("# Title\nAbove.", {"one": "First.\n### deeper", "two": "```\n## no heading\n```\nSecond."})
    assert sections("") == ("", {})
