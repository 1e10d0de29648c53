"""`maestro registry probe`: which calls it makes, what it shows, and what it says of the dead."""

import json
import subprocess

import pytest

from maestro.cli.probe import Trial, shortened, trials
from maestro.cli.probe_picture import SIZE, probe_picture
from maestro.registry.registry import Registry
from tests.cli.conftest import write_registry
from tests.cli.fleet_registry import card, write_fleet
from tests.experts.fleet.places import echo, free_ports, until
from tests.registry.folders import small_registry


@pytest.fixture
def probe(maestro):
    def run(*arguments: object) -> tuple[int, str, str]:
        code, printed = maestro("registry", "probe", *map(str, arguments))
        return code, printed.out, printed.err

    return run


@pytest.mark.parametrize("name", ["playground", "small"])
def test_every_expert_and_every_skill_is_called_at_least_once(name, tmp_path):
    registry = Registry.load(small_registry(tmp_path / "small") if name == "small" else name)
    made = trials(registry)
    assert {trial.expert for trial in made} == {expert.id for expert in registry.menu().experts}
    assert {trial.skill for trial in made} | {trial.leaf for trial in made if trial.leaf} == set(registry.skills)
    assert len(made) == len(set(made)) < len(trials(registry, every_pair=True))
    for trial in made:
        assert trial.expert in registry.skill(trial.leaf or trial.skill).experts


def test_every_pair_and_choices(tmp_path):
    registry = Registry.load(small_registry(tmp_path))
    strong, cheap = "strong-reader", "cheap-reader"
    assert trials(registry, every_pair=True) == [
        Trial(strong, "answer"),
        Trial(cheap, "read"),
        Trial(strong, "read"),
        Trial(strong, "read", "read-field"),
        Trial(cheap, "read", "read-line"),
        Trial(strong, "read", "read-line"),
    ]
    assert trials(registry, [cheap]) == [Trial(cheap, "read"), Trial(cheap, "read", "read-line")]
    assert trials(registry, skills=["read-field"]) == [Trial(strong, "read", "read-field")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-e", "nobody"), "no expert 'nobody'"),
        (("-s", "nothing"), "no skill 'nothing'"),
        (("-e", "cheap-reader", "-s", "answer"), "none of these skills allows any of these experts"),
        (("--image", "/no/picture.png"), "no image at /no/picture.png"),
    ],
)
def test_what_cannot_be_probed(probe, tmp_path, words, message):
    code, _, err = probe(small_registry(tmp_path), *words)
    assert (code, message in err) == (1, True), err


def test_what_came_back_is_shown_and_a_failure_is_told(probe, registry):
    code, out, err = probe(registry)
    assert code == 1
    assert "ok" in out
    assert "answer: The sign says 42." in out
    assert "2 calls: 1 ok, 1 failed; $0.010" in out
    assert "broken@read: the reader is on fire" in err


def test_a_sound_registry(probe, sound_registry, picture):
    code, out, err = probe(sound_registry, "--image", picture)
    assert (code, err) == (0, "")
    assert "2 calls: 2 ok" in out


def test_for_machines(probe, registry):
    code, out, _ = probe(registry, "--json")
    content = json.loads(out)
    assert (code, content["ok"], content["cost_usd"], content["never_called"]) == (1, False, 0.01, [])
    first, second = content["calls"]
    assert (first["expert"], first["skill"], first["outcome"], first["asked"]) == ("reader", "read", "ok", ["read"])
    assert (second["outcome"], second["text"]) == ("failed", "the reader is on fire")


def test_control_characters_do_not_reach_the_terminal(probe, tmp_path):
    folder = write_registry(tmp_path / "evil", reply='"\\e[31mred\\e[0m \\a\\e]0;title\\a and more"', failure='"x"')
    _, out, _ = probe(folder)
    assert "answer: red and more" in out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert shortened("a\nb\x00\t" + "c" * 200, 10) == "a b ccccc…"


def test_a_dead_served_expert_says_how_to_start_it(probe, tmp_path):
    ports = free_ports(2)
    other = card("far", ports[1])
    del other["serve"]
    registry = write_fleet(tmp_path / "r", card("near", ports[0]), other)
    code, out, err = probe(registry, "--all")
    assert (code, out.count("failed")) == (1, 3)
    assert f"near@answer: nothing listens at http://127.0.0.1:{ports[0]}/v1" in err
    assert f"next: maestro experts up {registry} --expert near" in err
    assert f"next: start the server at http://127.0.0.1:{ports[1]}/v1" in err


def test_one_replica_that_is_well_is_enough(probe, tmp_path):
    ports = free_ports(2)
    server = subprocess.Popen(echo(ports[1], "near"), stdout=subprocess.PIPE, text=True)
    try:
        registry = write_fleet(tmp_path / "r", card("near", ports[0], replicas=2, ports=[ports[1]]))
        until(lambda: probe(registry)[0] == 0, "an answer of the second replica")
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_a_served_expert_under_another_name_is_told(probe, tmp_path):
    (port,) = free_ports(1)
    server = subprocess.Popen(echo(port, "near"), stdout=subprocess.PIPE, text=True)
    try:
        until(lambda: "loading" in server.stdout.readline(), "the start")
        registry = write_fleet(tmp_path / "r", card("Near", port))
        texts: list[str] = []
        until(lambda: texts.append(probe(registry)[2]) or "nothing listens" not in texts[-1], "the answer")
        assert "Near@answer: it serves near, and the card's target is Near (near differs in upper and lower case only)" in texts[-1]
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_the_playground_answers(probe):
    code, out, err = probe("playground", "-e", "algebra-solver", "-e", "code-sandbox", "--json")
    calls = {call["expert"]: call for call in json.loads(out)["calls"]}
    assert code == 0, err
    assert calls["code-sandbox"]["text"].startswith("answer: 42")
    assert calls["algebra-solver"]["outcome"] == "ok"


def test_the_picture_is_the_same_every_time():
    first, second = probe_picture(), probe_picture()
    assert first.size == SIZE
    assert first.tobytes() == second.tobytes()
