from email.utils import formatdate

import pytest

from maestro.errors import InfrastructureFault, RateLimited
from maestro.experts.http_faults import retry_after_seconds, server_message, status_fault


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "Retry-After": "7"}, 0.25),
        ({"Retry-After": formatdate(1_000_030, usegmt=True)}, 30),
        ({"Retry-After": formatdate(999_000, usegmt=True)}, 0),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"retry-after-ms": "x", "Retry-After": "2"}, 2),
    ],
)
def test_retry_after(headers, seconds):
    assert retry_after_seconds(headers, now=1_000_000) == seconds


@pytest.mark.parametrize(
    ("status", "headers", "kind", "retryable"),
    [
        (429, {}, RateLimited, True),
        (529, {}, RateLimited, True),
        (503, {"Retry-After": "1"}, RateLimited, True),
        (503, {}, InfrastructureFault, True),
        (500, {"Retry-After": "1"}, InfrastructureFault, True),
        (408, {}, InfrastructureFault, True),
        (501, {}, InfrastructureFault, False),
        (413, {}, InfrastructureFault, False),
        (422, {}, InfrastructureFault, False),
        (302, {}, InfrastructureFault, False),
    ],
)
def test_classes(status, headers, kind, retryable):
    fault = status_fault("x at h", status, headers, b"no", None)
    assert (type(fault), fault.retryable) == (kind, retryable)
    assert str(fault).startswith("x at h ")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":{"message":"a\\nb","code":1}}', "a b"),
        (b'{"object":"error","message":"old vLLM","code":404}', "old vLLM"),
        (b'{"error":"short"}', "short"),
        (b'{"detail":[1]}', '{"detail":[1]}'),
        (b"[1]", "[1]"),
        (b"", "nothing"),
        (b"\xff" * 3, "\ufffd" * 3),
        (b"x" * 999, "x" * 160 + "…"),
    ],
)
def test_what_the_server_said(body, message):
    assert server_message(body) == message
