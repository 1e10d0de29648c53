from pathlib import Path

import pytest

from maestro.experts.fleet.downloads import Download, downloads_of, free_gib, hub_cache, is_folder
from maestro.experts.fleet.services import services_of
from maestro.types import Expert, Serve


def card(name: str, model: str | None, **serve) -> Expert:
    block = Serve(model=model, gpu_gib=1, **serve)
    return Expert(id=name, summary=name, kind="openai", endpoint="http://localhost:1/v1", target=name, serve=block)


def test_each_model_of_the_hub_once(tmp_path):
    cards = [card("a", "org/m", replicas=2, download_gib=3), card("b", "org/m", download_gib=3), card("c", str(tmp_path), download_gib=9)]
    cards.append(card("d", None, command=("serve",)))
    services = services_of({one.id: one for one in cards}).services
    assert downloads_of(services, tmp_path / "cache") == [Download("org/m", 3, 0.0)]


def test_what_is_in_the_cache_counts_without_half_files(tmp_path):
    blobs = tmp_path / "models--org--m" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / "a").write_bytes(b"x" * (1 << 20))
    (blobs / "b.incomplete").write_bytes(b"x" * (1 << 20))
    (found,) = downloads_of(services_of({"a": card("a", "org/m", download_gib=1 / 512)}).services, tmp_path)
    assert found.here_gib == pytest.approx(1 / 1024)
    assert found.missing_gib == pytest.approx(1 / 1024)
    assert Download("m", 10, 9.2).missing_gib == 0


def test_where_the_hub_keeps_models(monkeypatch, tmp_path):
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert hub_cache() == Path.home() / ".cache/huggingface/hub"
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert hub_cache() == Path("/x/huggingface/hub")
    monkeypatch.setenv("HF_HOME", "/h")
    assert hub_cache() == Path("/h/hub")
    monkeypatch.setenv("HF_HUB_CACHE", "/c")
    assert hub_cache() == Path("/c")
    assert free_gib(tmp_path / "not" / "there") > 0


def test_folders_and_hub_ids(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    assert [is_folder(model) for model in ("org/m", "./m", "/m", "~/m", "weights")] == [False, True, True, True, True]
