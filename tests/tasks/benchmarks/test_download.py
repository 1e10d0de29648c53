"""Fetching from the Hub, with the real client library and command line against a Hub on the loopback."""

import io
import json
import zipfile

from huggingface_hub import constants
from recipes.reproduce.stand_ins import picture, slake

from maestro.tasks.benchmarks.catalogue import BENCHMARKS
from maestro.tasks.benchmarks.revision import RECORD
from tests.tasks.benchmarks.hub_server import COMMIT, hub_server


def packed():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in (0, 1):
            archive.writestr(f"imgs/xmlab{number}/source.jpg", picture(number))
    return buffer.getvalue()


FILES = {"test.json": json.dumps(slake()).encode(), "imgs.zip": packed(), "KG.zip": b"not wanted", ".gitattributes": b""}


PIN = BENCHMARKS["slake"].hub.revision


def test_a_download_is_pinned_unpacked_and_found_by_name(maestro, own_places, tmp_path):
    with hub_server("BoKelvin/SLAKE", FILES, commits=(COMMIT, PIN)) as (address, asked):
        _, said, _ = maestro(address, "tasks", "download", "slake", "--dry-run", "--json")
        assert json.loads(said)["files"] == ["test.json", "imgs.zip"]
        assert not any("/resolve/" in path for path in asked)
        code, said, told = maestro(address, "tasks", "download", "slake")
        assert (code, f"slake?revision={PIN}" in said) == (0, True), told
        assert all(f"/resolve/{PIN}/" in path for path in asked if "/resolve/" in path)
        code, _, told = maestro(address, "tasks", "download", "slake", "--revision", "nowhere", "--out", str(tmp_path))
        assert (code, "has no revision nowhere; name a commit, tag or branch with --revision" in told) == (1, True)
        code, _, told = maestro(address, "tasks", "download", "slake", "--dataset", "no/where", "--out", str(tmp_path))
        assert (code, "no data set no/where" in told) == (1, True)
    folder = own_places / "data" / "maestro" / "benchmarks" / "slake"
    assert json.loads((folder / RECORD).read_text())["commit"] == PIN
    assert not (folder / "KG.zip").exists()
    code, said, told = maestro("http://127.0.0.1:9", "tasks", "show", f"slake?revision={PIN}", "--json")
    assert code == 0, told
    assert [task["id"] for task in json.loads(said)["tasks"]] == [f"slake/test/{number}" for number in range(3)]


def test_showing_a_benchmark_says_where_it_is_from(maestro, folders, tmp_path):
    code, said, _ = maestro("http://127.0.0.1:9", "tasks", "show", f"microvqa:{folders / 'microvqa'}")
    assert (code, "microvqa/test/0" in said) == (0, True)
    assert "MicroVQA: the files do not say which revision they are; licence cc-by-sa-4.0. The files call their only split train" in said
    out = tmp_path / "all.jsonl"
    code, _, told = maestro("http://127.0.0.1:9", "tasks", "build", f"slake:{folders / 'slake'}", "--out", str(out))
    assert (code, len(out.read_text(encoding="utf-8").splitlines())) == (0, 3), told


def test_a_folder_with_another_revision_is_left_alone(maestro, tmp_path):
    record = {"benchmark": "slake", "dataset": "BoKelvin/SLAKE", "commit": "ffff", "date": "2026-01-01T00:00:00+00:00"}
    (tmp_path / RECORD).write_text(json.dumps(record))
    with hub_server("BoKelvin/SLAKE", FILES, commits=(PIN,)) as (address, _):
        code, _, told = maestro(address, "tasks", "download", "slake", "--out", str(tmp_path))
    assert "keep to what is there with --revision ffff" in told
    assert (code, "holds the revision ffff" in told, [path.name for path in tmp_path.iterdir()]) == (1, True, [RECORD])


def test_without_internet_it_says_what_to_do(maestro, monkeypatch):
    for offline in (False, True):
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
        code, _, told = maestro("http://127.0.0.1:9", "tasks", "download", "slake")
        assert code == 1
        assert "could not be fetched" in told
        assert "copy the files here and name their folder: --tasks slake:FOLDER" in told


def test_an_unknown_benchmark_is_told_without_asking_anybody(maestro):
    code, _, told = maestro("http://127.0.0.1:9", "tasks", "download", "slak")
    assert (code, "did you mean slake" in told) == (1, True)


def test_the_list_has_every_benchmark(maestro):
    _, said, _ = maestro("http://127.0.0.1:9", "tasks", "list", "--json")
    found = {row["name"]: row for row in json.loads(said)["benchmarks"]}
    assert set(found) == set(BENCHMARKS)
    assert (found["mathvista"]["measured"], found["mathvista"]["hidden"]) == ("testmini", ["test"])
    _, said, _ = maestro("http://127.0.0.1:9", "tasks", "list")
    assert all(name in said for name in BENCHMARKS)
