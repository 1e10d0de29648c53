import subprocess
import sys

from maestro.cli.demo import _program


def test_without_recorded_calls_it_says_how_to_make_them(maestro, tmp_path):
    code, printed = maestro("demo", "--out", str(tmp_path / "demo"), "--store", str(tmp_path / "none.sqlite"))
    assert code == 1
    assert "maestro record" in printed.err


def test_verbs_load_no_heavy_library_before_they_run():
    heavy = ["torch", "transformers", "trl", "cv2", "sklearn", "matplotlib", "onnxruntime", "rapidocr", "tesserocr", "sympy"]
    program = (
        "import sys, importlib\n"
        "for verb in ('ask', 'demo', 'eval', 'headroom', 'record', 'tasks'): importlib.import_module(f'maestro.cli.{verb}')\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_next_step_starts_the_program_as_this_one_was(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    for started, told in ((".venv/bin/maestro", ".venv/bin/maestro"), ("/x/maestro/__main__.py", "python -m maestro")):
        monkeypatch.setattr(sys, "argv", [started, "demo"])
        assert _program() == told
