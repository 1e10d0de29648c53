import pytest
from huggingface_hub import constants
from recipes.reproduce import stand_ins

from maestro.cli.main import cli
from maestro.images import ImageStore


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """A folder a benchmark, of the fourteen of the reproduction, in the layouts of their Hub data sets."""
    folder = tmp_path_factory.mktemp("benchmarks")
    stand_ins.write(folder)
    return folder


@pytest.fixture(autouse=True)
def own_places(tmp_path_factory, monkeypatch):
    """No cache or data folder of the user's."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    monkeypatch.delenv("MAESTRO_BENCHMARKS", raising=False)
    return folder


@pytest.fixture
def images():
    return ImageStore()


@pytest.fixture
def maestro(capsys, monkeypatch, own_places):
    """Run the command line with a Hub at an address: exit code, stdout and stderr."""

    def run(address, *arguments):
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(own_places / "hf"))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main(list(arguments))
        return ended.value.code, *capsys.readouterr()

    return run
