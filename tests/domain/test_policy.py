"""The origin of the server for which a secret is stored."""

from __future__ import annotations

from visavis.domain.policy import RecordingPolicy, origin_of


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin_of("https://A.example/x") == origin_of("https://a.example:443/y?z")
    assert origin_of("https://a.example") != origin_of("http://a.example:443")
    assert origin_of("https://a.example:8443") == "https://a.example:8443"
    assert origin_of("") == ""


def test_a_secret_is_for_one_server() -> None:
    policy = RecordingPolicy(1, secret="s", secret_origin="https://a.example:443")
    assert policy.secret_for("https://a.example/files") == "s"
    assert policy.secret_for("https://b.example/files") is None
    assert RecordingPolicy(1).secret_for("") is None
