"""From cards to services, on this machine or elsewhere."""

import pytest

from maestro.errors import ConfigError
from maestro.experts.fleet.services import is_this_machine, services_of
from maestro.types import Expert, Serve


def served(name: str, host: str = "localhost", **serve) -> Expert:
    block = Serve(model="m", gpu_gib=1, **serve) if serve.pop("serve", True) else None
    return Expert(id=name, summary=name, kind="openai", endpoint=f"http://{host}:8000/v1", target=name.upper(), serve=block)


CARDS = {
    card.id: card
    for card in (
        served("near", replicas=2),
        served("far", host="gpu-box"),
        served("plain").model_copy(update={"serve": None}),
        Expert(id="script", summary="s", kind="scripted", options={"replies": ["x"]}),
    )
}


def test_one_service_a_replica_of_each_card_whose_endpoint_is_here():
    wanted = services_of(CARDS, here=lambda host: host == "localhost")
    assert [(one.name, one.host, one.port, one.target, one.prefix) for one in wanted.services] == [
        ("near", "127.0.0.1", 8000, "NEAR", "/v1"),
        ("near#2", "127.0.0.1", 9000, "NEAR", "/v1"),
    ]
    assert [(other.expert, other.reason.partition(":")[0]) for other in wanted.elsewhere] == [
        ("far", "gpu-box is another machine"),
        ("plain", "no serve block"),
    ]


def test_only_some_experts():
    assert [one.name for one in services_of(CARDS, ["far"], here=lambda _: True).services] == ["far"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("neer", "no expert 'neer'; did you mean near?"),
        ("script", "expert script .scripted. has no serve block, so it cannot be started; those that can be started are near, far"),
    ],
)
def test_an_expert_that_cannot_be_started(name, message):
    with pytest.raises(ConfigError, match=message):
        services_of(CARDS, [name])


def test_what_is_this_machine():
    assert all(is_this_machine(host) for host in ("localhost", "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0"))
    assert not is_this_machine("192.0.2.1")  # an address for documentation
    assert not is_this_machine("a..b")
