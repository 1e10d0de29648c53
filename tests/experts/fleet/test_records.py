import pytest

from maestro.errors import FleetError
from maestro.experts.fleet.gpus import Gpu
from maestro.experts.fleet.records import Record, StateFolder, all_fleets, clean, last_lines, state_folder, state_root


def record(name: str = "a", **fields) -> Record:
    known = {"expert": name, "target": name, "token": "t", "command": ("serve", "x"), "environment": {"A": "1"}, "host": "127.0.0.1"}
    known |= {"port": 1, "prefix": "/v1", "key_variable": "", "gpus": (0, 1), "gpu_gib": 2.0, "utilization": 0.5, "takes_turns": True}
    return Record(name=name, **{**known, "started": 3.0, **fields})


def test_records_come_back_as_written(tmp_path):
    state = StateFolder(tmp_path / "r-1")
    for one in (record("b"), record("a#2"), record("a")):
        state.write(one.running(7, 8.5))
    assert [one.name for one in state.records()] == ["a", "a#2", "b"]
    assert state.records()[0] == record("a").running(7, 8.5)
    state.forget("a")
    state.forget("never there")
    assert [one.name for one in state.records()] == ["a#2", "b"]


def test_the_fleet_remembers_its_registry_and_gpus(tmp_path):
    state = state_folder(tmp_path, "mine", tmp_path / "registry")
    assert (state.registry, state.gpus(), all_fleets(tmp_path)) == (state.name, (), [])
    state.write_fleet("mine", tmp_path / "registry", (Gpu(0, 24, 23, "card", "GPU-a"),))
    (found,) = all_fleets(tmp_path)
    assert (found.name, found.registry, found.gpus()) == (state.name, "mine", (Gpu(0, 24, 23, "card", "GPU-a"),))
    assert found.records() == []
    assert state_folder(tmp_path, "mine", tmp_path / "other").name != state.name


@pytest.mark.parametrize("content", ["{", '{"version": 1}', '{"version": 2}', "[]"])
def test_a_damaged_record_is_named(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(FleetError, match=r"a\.json"):
        StateFolder(tmp_path).records()


def test_one_at_a_time(tmp_path):
    state = StateFolder(tmp_path / "r")
    with (
        state.locked(),
        pytest.raises(FleetError, match=r"process .* is starting or stopping services of r right now"),
        StateFolder(state.path).locked(),
    ):
        pass
    with state.locked():
        pass


def test_the_state_is_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert state_root() == tmp_path / "maestro" / "fleet"
    assert state_root(tmp_path / "s") == tmp_path / "s"


def test_the_end_of_a_log_is_readable(tmp_path):
    path = tmp_path / "a.log"
    assert last_lines(path) == []
    path.write_bytes(b"first\n\x1b[31mred\x1b[0m\n\n10%\r50%\r100%\nbad \xff byte\x07\r\n\x1b]0;title\x07end")
    assert last_lines(path, 4) == ["red", "100%", "bad � byte", "end"]
    assert clean("a\tb\nc\x00\x9b") == "a\tb\nc"
