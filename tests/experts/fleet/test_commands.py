from maestro.experts.fleet.gpus import parse_gpus
from maestro.experts.fleet.plan import plan_fleet
from maestro.experts.fleet.services import Elsewhere, Wanted, services_of
from maestro.types import Expert, Serve


def card(name: str = "reader", port: int = 2364, key: str | None = None, **serve) -> Expert:
    endpoint = f"http://localhost:{port}/v1"
    return Expert(id=name, summary=name, kind="openai", endpoint=endpoint, target=name.title(), api_key_env=key, serve=Serve(**serve))


def launches(gpus: str, *cards: Expert):
    wanted = services_of({one.id: one for one in cards})
    return {launch.name: launch for launch in plan_fleet(wanted, parse_gpus(gpus) if gpus else (), "/opt/vllm/bin/python").launches}


def test_vllm_on_a_gpu():
    serve = {"model": "org/m", "revision": "abc", "gpu_gib": 12, "quantization": "fp8", "dtype": "bfloat16", "context_tokens": 8192}
    launch = launches("1x24", card(key="READER_KEY", **serve, weights_gib=9, arguments=("--trust-remote-code",)))["reader"]
    assert " ".join(launch.command) == (
        "/opt/vllm/bin/python -m vllm.entrypoints.openai.api_server --model org/m --served-model-name Reader --host 127.0.0.1 --port 2364 "
        "--revision abc --dtype bfloat16 --max-model-len 8192 --quantization fp8 --gpu-memory-utilization 0.500 --trust-remote-code"
    )
    assert launch.environment == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "0", "PYTHONUNBUFFERED": "1"}
    assert launch.secrets == {"VLLM_API_KEY": "READER_KEY"}


def test_tensor_parallel():
    launch = launches("2x24", card(model="m", gpu_gib=12, tensor_parallel=2))["reader"]
    assert "--tensor-parallel-size 2" in " ".join(launch.command)
    assert launch.environment["CUDA_VISIBLE_DEVICES"] == "0,1"


def test_vllm_on_the_cpu():
    launch = launches("", card(model="m", device="cpu", parameters_billions=1, kv_cache_gib=0.7))["reader"]
    assert " ".join(launch.command).endswith("--port 2364 --dtype float32 --max-model-len 16384 --enforce-eager")
    assert launch.environment | {"CUDA_DEVICE_ORDER": ""} == {
        "CUDA_DEVICE_ORDER": "",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONUNBUFFERED": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    }


def test_a_command_of_its_own_has_its_places_filled_in():
    command = ("{python}", "-m", "other", "--at={host}:{port}", "{target}", "{model}", '{"image": 4}')
    launch = launches("", card(model="m", command=command, environment={"MODE": "x"}))["reader"]
    assert launch.command == ("/opt/vllm/bin/python", "-m", "other", "--at=127.0.0.1:2364", "Reader", "m", '{"image": 4}')
    assert (launch.environment["MODE"], launch.secrets) == ("x", {})


def test_those_who_take_turns_listen_behind_their_gate():
    both = launches("1x24", card("a", 2364, model="m", gpu_gib=14), card("b", 2365, model="m", gpu_gib=12))
    assert (both["a"].port, both["b"].port) == (12364, 12365)
    assert "--enable-sleep-mode" in both["a"].command
    assert both["a"].environment["VLLM_SERVER_DEV_MODE"] == "1"
    gate = both["gate-gpu0"]
    assert gate.command[1:3] == ("-m", "maestro.experts.fleet.gate")
    assert '{"name":"a","host":"127.0.0.1","port":2364,"inner_host":"127.0.0.1","inner_port":12364}' in gate.command[3]


def test_a_plan_adds_up():
    wanted = services_of(
        {"a": card("a", 1, model="m", gpu_gib=14, weights_gib=10), "b": card("b", 2, model="m", gpu_gib=12, weights_gib=9)}
    )
    plan = plan_fleet(Wanted(wanted.services, (Elsewhere("c", "http://x", "far"),)), parse_gpus("1x24"))
    assert (plan.fits, plan.gpu_gib, plan.host_gib, plan.advice) == (True, 26.0, 10.0, ())
    assert [gate.name for gate in plan.gates] == ["gate-gpu0"]
    assert plan_fleet(wanted, ()).advice
