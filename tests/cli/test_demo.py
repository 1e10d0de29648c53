import subprocess
import sys


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
