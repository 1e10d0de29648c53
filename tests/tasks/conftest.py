import pytest

from maestro.images import ImageStore


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """The index of known images in a folder of the test's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def images():
    return ImageStore()
