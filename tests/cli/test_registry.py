import json

import pytest
from click.testing import CliRunner

from maestro.cli.main import cli
from tests.registry.folders import replace, small_registry, write


@pytest.fixture
def folder(tmp_path):
    return small_registry(tmp_path / "small")


def run(*arguments: object, code: int = 0):
    result = CliRunner().invoke(cli, ["registry", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def test_list():
    row = next(row for row in json.loads(run("list", "--json").stdout)["registries"] if row["name"] == "playground")
    assert row["folder"].endswith("registry")
    assert "playground" in run("list").stdout


def test_show(folder):
    text = run("show", folder).stdout
    for word in ("small: Two experts.", "cheap-reader", "$0.001 a call", "strong-reader", "read-field", "Reads one line.", "as above"):
        assert word in text


def test_show_as_json(folder):
    content = json.loads(run("show", folder, "--json").stdout)
    assert [expert["id"] for expert in content["experts"]] == ["cheap-reader", "strong-reader"]
    assert [skill["id"] for skill in content["skills"]] == ["answer", "read", "read-field", "read-line"]
    assert (content["name"], content["dialect"], len(content["digest"])) == ("small", None, 64)


def test_show_one_card(folder):
    text = run("show", folder, "read-field").stdout
    assert "parent: read" in text
    assert text.endswith("Find the field and copy it.\n")
    assert "price:" in run("show", folder, "cheap-reader").stdout
    assert json.loads(run("show", folder, "cheap-reader", "--json").stdout)["price"]["call_usd"] == 0.001


def test_show_unknown_card(folder):
    assert "no expert or skill 'read-feild'; did you mean read-field" in run("show", folder, "read-feild", code=1).stderr


def test_text_in_brackets_is_shown_as_written(folder):
    replace(folder / "registry.yaml", "Reads plain print.", "Reads [bold]plain[/bold] print.")
    assert "Reads [bold]plain[/bold] print." in run("show", folder).stdout


def test_validate(folder, monkeypatch):
    monkeypatch.setenv("STRONG_KEY", "x")
    result = run("validate", folder)
    assert result.stdout.startswith("small is valid: 2 experts, 2 skills of level 1 and 2 of level 2, digest ")
    assert result.stderr == ""


def test_validate_warns_of_what_is_probably_not_meant(folder, monkeypatch):
    monkeypatch.delenv("STRONG_KEY", raising=False)
    replace(folder / "registry.yaml", "summary: Two experts.\n", "skills: [answer]\n")
    result = run("validate", folder)
    assert "expert cheap-reader is allowed by no skill" in result.stderr
    assert "the environment variable STRONG_KEY is not set" in result.stderr
    content = json.loads(run("validate", folder, "--json").stdout)
    assert (content["valid"], len(content["warnings"]), content["experts"], content["skills"]) == (True, 2, 2, 1)


def test_validate_a_broken_registry(folder):
    write(folder / "skills/answer/SKILL.md", "---\nname: answer\ndescription: x\nmetadata:\n  experts: [nobody]\n---\nBody\n")
    result = run("validate", folder, code=1)
    assert result.stdout == ""
    assert "skills/answer/SKILL.md:5: no expert 'nobody'" in result.stderr
    (problem,) = json.loads(run("validate", folder, "--json", code=1).stdout)["error"]["problems"]
    assert problem["line"] == 5
    assert problem["path"].endswith("skills/answer/SKILL.md")


def test_validate_finds_code_that_is_not_there(folder):
    replace(folder / "skills/answer/SKILL.md", "  gives: expression\n", "  target: maestro.nowhere:run\n")
    assert "skills/answer/SKILL.md:6: skill answer: target maestro.nowhere:run: no module" in run("validate", folder, code=1).stderr


def test_validate_reads_the_replies_of_scripted_experts(folder):
    replace(folder / "registry.yaml", 'replies: ["42"]', "repleis: [x]")
    assert "registry.yaml:7: scripted expert cheap-reader needs a list" in run("validate", folder, code=1).stderr


@pytest.mark.parametrize("named", ["maestro-redding", "./nowhere", "fixed:nobody@read"])
def test_validate_finds_a_policy_that_is_not_there(folder, named):
    replace(folder / "registry.yaml", "name: small\n", f"name: small\npolicy: {named}\n")
    assert "registry.yaml:2: policy: " in run("validate", folder, code=1).stderr


@pytest.mark.parametrize("named", ["random", "maestro-reading", "chat:http://localhost:1/v1#m"])
def test_validate_loads_no_policy_and_asks_no_server(folder, named):
    replace(folder / "registry.yaml", "name: small\n", f"name: small\npolicy: {named}\n")
    assert "small is valid" in run("validate", folder).stdout


def test_render(folder):
    assert run("render", folder).stdout.startswith("Experts:\n- cheap-reader: ")
    compact = run("render", folder, "--detail", "compact").stdout
    assert compact == "answer: strong-reader\nread: cheap-reader strong-reader\nprice: cheap-reader 1 strong-reader 10\n"
    content = json.loads(run("render", folder, "--detail", "compact", "--json").stdout)
    assert content["text"] + "\n" == compact
    assert content["characters"] == len(content["text"])


def test_wrong_detail_is_wrong_usage(folder):
    assert "'full', 'compact', 'brief'" in run("render", folder, "--detail", "tiny", code=2).stderr


@pytest.mark.parametrize("verb", ["show", "validate", "render"])
def test_unknown_registry(verb):
    result = run(verb, "playgroud", code=1)
    assert "did you mean playground?" in result.stderr
    assert json.loads(run(verb, "playgroud", "--json", code=1).stdout)["error"]["type"] == "RegistryError"
