"""Lists by hand, and what nvidia-smi says on good and bad days."""

import os

import pytest

from maestro.errors import ConfigError
from maestro.experts.fleet.gpus import Gpu, find_gpus, gpu_memory_by_process, parse_gpus, parse_query, visible

TWO = """\
0, GPU-aaaa, 81559, 80994, Disabled, NVIDIA H100 80GB HBM3
1, GPU-bbbb, 24564, 20000, [N/A], NVIDIA GeForce RTX 4090
"""


@pytest.mark.parametrize(
    ("text", "sizes"), [("1x24", [24]), ("4x80", [80] * 4), ("2x24, 1x80GB", [24, 24, 80]), ("48", [48]), ("2*22.5GiB", [22.5, 22.5])]
)
def test_lists_by_hand(text, sizes):
    gpus = parse_gpus(text)
    assert [gpu.total_gib for gpu in gpus] == sizes
    assert [gpu.index for gpu in gpus] == list(range(len(sizes)))


@pytest.mark.parametrize("text", ["", "x80", "4x", "0x80", "4x80,", "four", "9999x80", "1x0.5"])
def test_what_is_no_list(text):
    with pytest.raises(ConfigError, match="Write COUNTxGIB, as in 1x24, 4x80"):
        parse_gpus(text)


def test_a_plan_hands_out_less_than_is_free():
    assert Gpu(0, 80, 80).usable_gib == 76
    assert Gpu(0, 80, 30).usable_gib == pytest.approx(29.4)
    assert Gpu(0, 80, 0.1).usable_gib == 0


def test_the_query_is_parsed():
    first, second = parse_query(TWO).gpus
    assert (first.index, first.name, first.uuid, round(first.total_gib, 2)) == (0, "NVIDIA H100 80GB HBM3", "GPU-aaaa", 79.65)
    assert (second.index, round(second.free_gib, 2)) == (1, 19.53)


@pytest.mark.parametrize(
    ("output", "note"),
    [
        ("", "nvidia-smi lists no GPU"),
        ("No devices were found\n", "nvidia-smi says: No devices were found"),
        ("0, GPU-a, [N/A], [N/A], [N/A], Thor\n", "GPU 0 (Thor) does not tell its memory"),
        ("0, GPU-a, 81559, 80994, Enabled, H100\n", "GPU 0 (H100) is split by MIG"),
        ("Unable to determine the device handle for GPU 0000:01:00.0: Unknown Error\n", "nvidia-smi says: Unable to determine"),
    ],
)
def test_what_cannot_be_used_is_noted(output, note):
    found = parse_query(output)
    assert found.gpus == ()
    assert found.notes[0].startswith(note)


def test_free_memory_that_is_not_told_counts_as_all_of_it():
    assert parse_query("0, GPU-a, 24564, [N/A], Disabled, X\n").gpus[0].free_gib == pytest.approx(23.99, abs=0.01)


@pytest.mark.parametrize(("allowed", "kept"), [(None, [0, 1]), ("1", [1]), ("GPU-aa", [0]), ("", []), ("1,0", [0, 1])])
def test_cuda_visible_devices_is_kept_to(allowed, kept):
    found = visible(parse_query(TWO), allowed)
    assert [gpu.index for gpu in found.gpus] == kept
    assert bool(found.notes) == (len(kept) < 2)


def nvidia_smi(folder, monkeypatch, script: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_the_program_is_asked(tmp_path, monkeypatch):
    nvidia_smi(tmp_path, monkeypatch, f"cat <<'E'\n{TWO}E")
    assert [gpu.index for gpu in find_gpus().gpus] == [0, 1]


def test_an_old_driver_is_asked_without_mig(tmp_path, monkeypatch):
    refusal = "echo 'Field \"mig.mode.current\" is not a valid field to query.'; exit 2"
    script = f'case "$1" in *mig*) {refusal};; esac; echo "0, GPU-a, 24564, 24000, K80"'
    nvidia_smi(tmp_path, monkeypatch, script)
    assert [gpu.name for gpu in find_gpus().gpus] == ["K80"]


def test_a_broken_driver_is_a_note_and_no_crash(tmp_path, monkeypatch):
    said = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
    nvidia_smi(tmp_path, monkeypatch, f'echo "{said}"; exit 9')
    assert find_gpus().notes == (f"nvidia-smi failed: {said}",)
    assert gpu_memory_by_process() == {}


def test_memory_by_process(tmp_path, monkeypatch):
    nvidia_smi(tmp_path, monkeypatch, 'echo "11, 1024"; echo "11, 512"; echo "12, [N/A]"; echo "nonsense"')
    assert gpu_memory_by_process() == {11: 1.5}


def test_no_program(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_gpus().notes == ("nvidia-smi is not installed, so no NVIDIA GPU can be found",)
