import pytest

from maestro.document import parse_document
from maestro.registry.environment import endpoints_as_written, fill_in


def filled(endpoint: str, **environment: str) -> tuple[str, list[str]]:
    document = parse_document(f"name: x\nexperts:\n  - id: a\n    endpoint: {endpoint}\n", "registry.yaml")
    value, problems = fill_in(document, environment)
    return value.value["experts"][0]["endpoint"], [str(problem) for problem in problems]


def test_a_default_and_its_override():
    text = "'${A_URL:-http://127.0.0.1:2362/v1}'"
    assert filled(text) == ("http://127.0.0.1:2362/v1", [])
    assert filled(text, A_URL="") == ("http://127.0.0.1:2362/v1", [])
    assert filled(text, A_URL=" https://b/v1 ") == ("https://b/v1", [])
    assert filled("'http://${HOST:-localhost}:${PORT:-80}/v1'", PORT="81") == ("http://localhost:81/v1", [])
    assert filled("http://plain/v1") == ("http://plain/v1", [])


def test_a_variable_without_default_must_be_set():
    assert filled("'${A_URL}'", A_URL="http://b/v1") == ("http://b/v1", [])
    assert filled("'${A_URL}'")[1] == [
        (
            "registry.yaml:4: experts[0].endpoint: the environment variable A_URL is not set; "
            "set it, or give a default as in ${A_URL:-http://127.0.0.1:8000/v1}"
        )
    ]


@pytest.mark.parametrize("text", ["'${1A}'", "'${A'", "'${A:-${B}}'", "'${A-b}'"])
def test_what_cannot_be_read(text):
    assert any("cannot be read" in problem for problem in filled(text)[1])


def test_only_endpoints_are_filled_in():
    document = parse_document("experts:\n  - {id: a, target: '${MODEL}', options: {text: '${free}'}}\n  - 7\n", "f")
    problems = fill_in(document, {})[1]
    assert [str(problem) for problem in problems] == [
        "f:2: experts[0].target: only endpoint is filled in from the environment; write the value out"
    ]
    assert fill_in(parse_document("experts: 7\n", "f"), {})[1] == []


def test_what_is_written_is_kept_for_digests():
    document = parse_document("experts:\n  - {id: a, endpoint: '${A:-http://b}'}\n  - {id: c, endpoint: http://d}\n", "f")
    assert endpoints_as_written(document) == {"a": "${A:-http://b}"}
