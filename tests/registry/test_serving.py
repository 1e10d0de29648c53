"""The `serve` block: read, checked line by line, and noticed by nobody but the fleet."""

from pathlib import Path

import pytest

from maestro.document import parse_document
from maestro.registry.cards import read_cards
from maestro.registry.registry import Registry
from maestro.registry.render import render
from maestro.registry.serving import replica_endpoints, replica_ports
from maestro.types import Expert, Serve
from tests.registry.folders import card_problems, replace, small_registry

CARD = """\
name: r
experts:
  - id: a
    summary: Does a.
    kind: openai
    endpoint: http://localhost:8000/v1
    target: model
    serve:
      model: org/model
      parameters_billions: 8
"""


def card(**fields) -> Expert:
    return Expert(id="a", summary="a", kind="openai", endpoint="http://localhost:8000/v1", target="m", serve=Serve(**fields))


def test_a_card_is_read():
    (expert,) = read_cards(parse_document(CARD, "registry.yaml")).experts
    assert (expert.serve.model, expert.serve.parameters_billions, expert.serve.tensor_parallel) == ("org/model", 8.0, 1)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (CARD + "      modle: x\n", 11, "unknown key experts[0].serve.modle; did you mean model?"),
        (CARD + "      parameters_billion: 9\n", 11, "did you mean parameters_billions?"),
        (CARD + "      replicas: 0\n", 11, "experts[0].serve.replicas: expected greater than or equal to 1, found 0"),
        (CARD + "      device: tpu\n", 11, "'tpu' is not allowed; use 'gpu' or 'cpu'"),
        (CARD.replace("      model: org/model\n", ""), 8, "expert a: serve needs model (a hub id or folder, for vLLM) or command"),
        (CARD.replace("      parameters_billions: 8\n", ""), 8, "serve needs parameters_billions, weights_gib or gpu_gib"),
        (CARD + "      quantization: novel\n", 11, "the size of novel weights is not known; give serve.weights_gib (known: fp8"),
        (CARD + "      device: cpu\n      gpu_gib: 3\n", 12, "serve.gpu_gib is for GPUs, and serve.device is cpu"),
        (CARD + "      device: cpu\n      tensor_parallel: 2\n", 12, "serve.tensor_parallel is for GPUs"),
        (
            CARD + "      arguments:\n        - --enforce-eager\n        - --port=1\n",
            13,
            "serve.arguments has --port, which is set from endpoint",
        ),
        (CARD + "      arguments: [--gpu_memory_utilization, '0.5']\n", 11, "--gpu_memory_utilization, which is set from serve.gpu_gib"),
        (CARD + "      arguments: [--api-key, x]\n", 11, "--api-key, which is set from api_key_env"),
        (CARD + "      environment:\n        CUDA_VISIBLE_DEVICES: '0'\n", 12, "may not set CUDA_VISIBLE_DEVICES: the plan decides"),
        (CARD + "      environment: {HF_TOKEN: hf_abc}\n", 11, "HF_TOKEN looks like a secret"),
        (CARD + "      command: [serve, '{prot}']\n", 11, "serve.command has {prot}; what is filled in is {host}, {port}"),
        (CARD + "      replicas: 3\n      ports: [8001]\n", 12, "serve.ports has 1 ports; 3 replicas need 2 beside the endpoint's"),
        (CARD.replace(":8000", ":65000") + "      replicas: 2\n", 11, "replica 2 would listen on port 66000; give serve.ports"),
        (CARD + "      replicas: 2\n      ports: [8000]\n", 12, "port 8000 of 127.0.0.1 is a's already"),
        (CARD.replace("kind: openai", "kind: scripted"), 8, "serve is for kind openai, this expert is scripted"),
    ],
)
def test_problems_have_their_line(text, line, words):
    assert any(problem.startswith(f"registry.yaml:{line}: ") and words in problem for problem in card_problems(text)), card_problems(text)


def test_a_command_needs_no_model_but_says_so_when_it_names_one():
    text = CARD.replace("model: org/model\n      parameters_billions: 8", "command: [serve, --port, '{port}']")
    assert read_cards(parse_document(text, "f")).experts[0].serve.command == ("serve", "--port", "{port}")
    assert "serve.model is not given" in card_problems(text.replace("{port}", "{model}"))[0]


def test_two_services_cannot_share_a_port():
    second = CARD.partition("experts:\n")[2].replace("id: a", "id: b").replace("localhost", "127.0.0.1")
    (problem,) = card_problems(CARD + second)
    assert problem == "registry.yaml:14: expert b: port 8000 of 127.0.0.1 is a's already; two services cannot share it"


def test_replicas_listen_on_ports_of_their_own():
    assert replica_ports(card(model="m", gpu_gib=1)) == (8000,)
    assert replica_ports(card(model="m", gpu_gib=1, replicas=3)) == (8000, 9000, 10000)
    assert replica_ports(card(model="m", gpu_gib=1, replicas=2, ports=(8123,))) == (8000, 8123)
    assert replica_endpoints(card(model="m", gpu_gib=1, replicas=2)) == ("http://localhost:8000/v1", "http://localhost:9000/v1")
    assert replica_endpoints(card(model="m").model_copy(update={"serve": None})) == ("http://localhost:8000/v1",)


def test_serve_changes_neither_digest_nor_lock_nor_menu(tmp_path):
    folder = small_registry(tmp_path / "small")
    before = Registry.load(folder)
    replace(folder / "registry.yaml", "    api_key_env: STRONG_KEY\n", "    api_key_env: STRONG_KEY\n    serve: {model: x/y, gpu_gib: 9}\n")
    after = Registry.load(folder)
    assert after.experts["strong-reader"].serve.gpu_gib == 9
    assert (after.digest, after.lock()) == (before.digest, before.lock())
    assert (after.menu(), render(after.menu())) == (before.menu(), render(before.menu()))


MANUAL = (Path(__file__).parents[2] / "docs" / "fleet.md").read_text(encoding="utf-8")


def test_the_example_of_the_manual_is_valid():
    text = "name: r\n" + MANUAL.partition("```yaml\n")[2].partition("```")[0]
    assert [expert.id for expert in read_cards(parse_document(text, "fleet.md")).experts] == ["chart-reader", "own-server"]


def test_every_field_is_in_the_manual():
    assert [name for name in Serve.model_fields if f"`{name}`" not in MANUAL] == []
