"""A model whose card was edited is built anew."""

from maestro.experts.worker import Job, ModelHost


class Scaled:
    def __init__(self, by: int = 1) -> None:
        self.by = by

    def do_scale(self, images: list[object], value: int) -> int:
        return value * self.by


def test_other_options_are_another_model():
    host = ModelHost()
    target = "tests.experts.test_worker_rebuilds:Scaled"

    def scaled(by: int) -> str:
        return host.perform(Job("scaled", target, {"by": by}, "scale", {"value": 7}), []).text

    assert scaled(2) == "14"
    first = host.models["scaled"]
    assert scaled(2) == "14"
    assert host.models["scaled"] is first
    assert scaled(3) == "21"
    assert host.models["scaled"] is not first
