"""Plans for the four lists of GPUs, and the rules behind them. Sizes of the ten services are estimates (see services/registry.yaml)."""

from pathlib import Path

import pytest

from maestro.experts.fleet.advice import advice, fitting_subset
from maestro.experts.fleet.gpus import Gpu, parse_gpus
from maestro.experts.fleet.memory import ASLEEP_GIB
from maestro.experts.fleet.placement import Placed, place
from maestro.experts.fleet.services import Service, services_of
from maestro.registry.registry import Registry
from maestro.types import Expert, Serve

REGISTRY = Path(__file__).parent / "services"
GOLDEN = {
    "1x80": {
        "Intern-S1-mini": ((0,), 0.286, True),
        "GLM-4.6V-Flash": ((0,), 0.344, True),
        "qwen3-VL-8B-Instruct": ((0,), 0.293, True),
        "Chart-R1": ((0,), 0.247, True),
        "medgemma-1.5-4b-it": ((0,), 0.185, False),
        "DeepEyes-7B": ((0,), 0.247, True),
        "GLM-OCR": ((0,), 0.074, False),
        "PR1-Qwen2.5-VL-3B-Detection": ((0,), 0.134, False),
        "Qwen3.5-9B": ((0,), 0.326, True),
        "Step3-VL-10B": ((0,), 0.341, True),
    },
    "4x80": {
        "Intern-S1-mini": ((3,), 0.286, False),
        "GLM-4.6V-Flash": ((0,), 0.344, False),
        "qwen3-VL-8B-Instruct": ((3,), 0.293, False),
        "Chart-R1": ((2,), 0.247, False),
        "medgemma-1.5-4b-it": ((0,), 0.185, False),
        "DeepEyes-7B": ((1,), 0.247, False),
        "GLM-OCR": ((2,), 0.074, False),
        "PR1-Qwen2.5-VL-3B-Detection": ((0,), 0.134, False),
        "Qwen3.5-9B": ((2,), 0.326, False),
        "Step3-VL-10B": ((1,), 0.341, False),
    },
    "8x80": {
        "Intern-S1-mini": ((4,), 0.286, False),
        "GLM-4.6V-Flash": ((0,), 0.344, False),
        "qwen3-VL-8B-Instruct": ((3,), 0.293, False),
        "Chart-R1": ((5,), 0.247, False),
        "medgemma-1.5-4b-it": ((7,), 0.185, False),
        "DeepEyes-7B": ((6,), 0.247, False),
        "GLM-OCR": ((5,), 0.074, False),
        "PR1-Qwen2.5-VL-3B-Detection": ((7,), 0.134, False),
        "Qwen3.5-9B": ((2,), 0.326, False),
        "Step3-VL-10B": ((1,), 0.341, False),
    },
}


@pytest.fixture(scope="module")
def services() -> tuple[Service, ...]:
    return services_of(Registry.load(REGISTRY).experts).services


def service(name: str, gib: float, *, replica: int = 0, **serve) -> Service:
    block = Serve(**{"model": "m", "gpu_gib": gib, "weights_gib": gib / 2, **serve})
    card = Expert(id=name, summary=name, kind="openai", endpoint="http://localhost:8000/v1", target=name, serve=block)
    return services_of({name: card}).services[replica]


def shape(placement) -> dict[str, tuple[tuple[int, ...], float | None, bool]]:
    return {placed.service.name: (placed.gpus, placed.utilization, placed.takes_turns) for placed in placement.placed}


@pytest.mark.parametrize("gpus", GOLDEN)
def test_the_ten_services_fit(services, gpus):
    placement = place(services, parse_gpus(gpus))
    assert placement.unplaced == ()
    assert shape(placement) == GOLDEN[gpus]


def test_the_ten_services_do_not_fit_one_24_gib_card_and_the_plan_says_what_would(services):
    gpus = parse_gpus("1x24")
    placement = place(services, gpus)
    assert shape(placement) == {
        "Chart-R1": ((0,), 0.822, True),
        "medgemma-1.5-4b-it": ((0,), 0.615, True),
        "DeepEyes-7B": ((0,), 0.822, True),
    }
    reasons = {one.service.name: one.reason for one in placement.unplaced}
    assert len(reasons) == 7
    assert reasons["GLM-4.6V-Flash"] == "it needs 27.48 GiB on one GPU; the largest has 22.80 GiB to give"
    assert reasons["GLM-OCR"] == "it needs 5.86 GiB on one GPU in turns, beside 1.5 GiB for each service asleep there; 1.4 GiB are lacking"
    assert advice(services, gpus) == (
        "here and now: --expert medgemma-1.5-4b-it --expert GLM-OCR --expert PR1-Qwen2.5-VL-3B-Detection",
        "as the cards are: no number of 24 GiB GPUs, for a service needs more than one of them has",
        "with quantization: fp8: 3 x 24 GiB hold all of them in turns, 7 x 24 GiB hold all of them awake",
        "with sequences: 1 and quantization: fp8: 2 x 24 GiB hold all of them in turns, 6 x 24 GiB hold all of them awake",
    )
    subset = fitting_subset(services, gpus)
    assert place(subset, gpus).unplaced == ()


@pytest.mark.parametrize("gpus", ["1x24", "1x80", "2x80", "4x80", "8x80", "3x24,1x80"])
def test_no_card_is_promised_more_than_it_has(services, gpus):
    placement = place(services, parse_gpus(gpus))
    for gpu in placement.gpus:
        assert placement.used_gib(gpu.index) <= gpu.usable_gib
        awake = [placed for placed in placement.on(gpu.index) if not placed.takes_turns]
        turns = [placed.utilization * gpu.total_gib for placed in placement.turns(gpu.index)]
        promised = sum(placed.utilization * gpu.total_gib for placed in awake) + (
            max(turns) + ASLEEP_GIB * (len(turns) - 1) if turns else 0
        )
        assert promised <= gpu.total_gib


def test_the_order_of_the_registry_does_not_matter(services):
    gpus = parse_gpus("4x80")
    assert shape(place(services[::-1], gpus)) == shape(place(services, gpus))


def test_what_can_be_spread_is_spread_and_else_packed_tightly():
    spread = place([service("a", 10), service("b", 10)], parse_gpus("2x24"))
    assert shape(spread) == {"a": ((0,), 0.417, False), "b": ((1,), 0.417, False)}
    # Spread out, b and c would block both cards for a.
    tight = place([service("a", 20), service("b", 12), service("c", 10)], parse_gpus("2x24"))
    assert {name: gpus for name, (gpus, _, _) in shape(tight).items()} == {"a": (0,), "b": (1,), "c": (1,)}


def test_replicas_go_to_different_cards():
    twins = [service("a", 5, replica=k, replicas=3) for k in range(3)]
    assert {placed.gpus for placed in place(twins, parse_gpus("4x24")).placed} == {(0,), (1,), (2,)}


def test_tensor_parallel_takes_several_cards_and_is_placed_first():
    placement = place([service("small", 20), service("wide", 15, tensor_parallel=2)], parse_gpus("3x24"))
    assert {name: gpus for name, (gpus, _, _) in shape(placement).items()} == {"wide": (0, 1), "small": (2,)}


def test_cards_of_different_sizes_share_by_the_smallest():
    placement = place([service("wide", 12, tensor_parallel=2)], parse_gpus("1x24,1x80"))
    assert placement.placed[0].utilization == 0.5


def test_a_command_takes_no_turns():
    command = service("command", 10, command=("serve",))
    placement = place([command, service("a", 12), service("b", 11)], parse_gpus("1x24"))
    assert {name: turns for name, (_, _, turns) in shape(placement).items()} == {"command": False, "a": False}
    both = place([service("command", 4, command=("serve",)), service("a", 12), service("b", 11)], parse_gpus("1x24"))
    assert {name: turns for name, (_, _, turns) in shape(both).items()} == {"command": False, "a": True, "b": True}


def test_what_other_programs_use_is_left_alone():
    placement = place([service("a", 10)], [Gpu(0, 24, 8), Gpu(1, 24, 20)])
    assert placement.placed[0].gpus == (1,)


def test_what_runs_stays():
    a, b = service("a", 10), service("b", 10)
    placement = place([a, b], parse_gpus("2x24"), [Placed(b, (0,), 0.5)])
    assert {name: gpus for name, (gpus, _, _) in shape(placement).items()} == {"a": (1,), "b": (0,)}


def test_services_of_the_cpu_need_no_card():
    cpu = service("cpu", 1, gpu_gib=None, weights_gib=None, command=("serve",))
    assert shape(place([cpu], ())) == {"cpu": ((), None, False)}


def test_without_a_card_the_reason_says_so():
    assert place([service("a", 10)], ()).unplaced[0].reason == "it needs 10.00 GiB on one GPU, and there is no GPU"
    wide = place([service("a", 10, tensor_parallel=4)], parse_gpus("2x24")).unplaced[0].reason
    assert wide == "it needs 10.00 GiB on each of 4 GPUs; there are 2"


def test_the_weights_of_those_asleep_are_in_main_memory():
    placement = place([service("a", 19), service("b", 18), service("c", 16)], parse_gpus("1x24"))
    assert all(placed.takes_turns for placed in placement.placed)
    assert placement.asleep_host_gib == 9.5 + 9
