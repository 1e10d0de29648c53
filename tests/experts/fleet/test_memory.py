import pytest

from maestro.experts.fleet.memory import OVERHEAD_GIB, need_of
from maestro.types import Serve


def test_weights_cache_and_overhead_add_up():
    need = need_of(Serve(model="m", parameters_billions=8, kv_kib_per_token=144, context_tokens=16384, sequences=2))
    assert need.weights_gib == pytest.approx(8e9 * 2 / 2**30)
    assert need.kv_cache_gib == pytest.approx(4.5)
    assert need.gpu_gib == pytest.approx(need.weights_gib + 4.5 + OVERHEAD_GIB)
    assert (need.gpus, need.host_gib, need.can_sleep) == (1, 0.0, True)
    assert need.download_gib == pytest.approx(need.weights_gib)


def test_tensor_parallel_splits_weights_and_cache_but_not_the_overhead():
    whole, half = (need_of(Serve(model="m", parameters_billions=8, tensor_parallel=gpus)) for gpus in (1, 2))
    assert half.gpus == 2
    assert half.gpu_gib == pytest.approx((whole.weights_gib + whole.kv_cache_gib) / 2 + OVERHEAD_GIB)
    assert not half.can_sleep


@pytest.mark.parametrize(("quantization", "bytes_each", "download"), [("fp8", 1.0, 2.0), ("awq", 0.6, 0.6)])
def test_quantized_weights_are_smaller_and_their_download_depends_on_who_quantizes(quantization, bytes_each, download):
    need = need_of(Serve(model="m", parameters_billions=10, quantization=quantization))
    assert need.weights_gib == pytest.approx(10e9 * bytes_each / 2**30)
    assert need.download_gib == pytest.approx(10e9 * download / 2**30)


def test_what_the_card_gives_is_taken():
    need = need_of(Serve(model="m", weights_gib=5, kv_cache_gib=2, overhead_gib=1, download_gib=7))
    assert (need.weights_gib, need.kv_cache_gib, need.overhead_gib, need.gpu_gib, need.download_gib) == (5, 2, 1, 8, 7)
    assert need_of(Serve(model="m", parameters_billions=8, gpu_gib=30)).gpu_gib == 30


def test_without_a_known_cache_size_it_is_estimated_from_the_weights():
    by_parameters = need_of(Serve(model="m", parameters_billions=8))
    by_weights = need_of(Serve(model="m", weights_gib=8e9 * 2 / 2**30))
    assert by_parameters.kv_cache_gib == pytest.approx(by_weights.kv_cache_gib)


def test_a_service_of_the_cpu_needs_main_memory():
    need = need_of(Serve(model="m", parameters_billions=1, device="cpu", kv_cache_gib=1))
    assert (need.gpus, need.gpu_gib) == (0, 0.0)
    assert need.host_gib == pytest.approx(1e9 * 4 / 2**30 + 1 + need.overhead_gib)


def test_a_command_is_placed_on_a_gpu_only_when_it_says_how_much_it_needs():
    assert need_of(Serve(command=("serve",))).gpus == 0
    need = need_of(Serve(command=("serve",), gpu_gib=4, tensor_parallel=2))
    assert (need.gpus, need.gpu_gib, need.can_sleep, need.download_gib) == (2, 4, False, 0.0)
