"""Sources of settings, and messages about unusable ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from visavis.cli.configuration import SETTINGS, SettingError, load_settings
from visavis.settings import INTERNAL, Settings


def test_every_setting_can_be_given_and_is_described() -> None:
    assert {s.name for s in SETTINGS} == set(Settings.__struct_fields__) - INTERNAL
    assert all(setting.description.endswith(".") for setting in SETTINGS)


def test_an_option_wins_over_the_environment_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "visavis.toml"
    file.write_text('port = 1\nhost = "file"\nrate_limit = 3\ntrusted_proxies = ["10.0.0.0/8"]\n')
    environment = {"VISAVIS_HOST": "env", "VISAVIS_PORT": "2", "VISAVIS_CONFIG": str(file)}
    given = load_settings({"port": 0, "cors_origins": ()}, environment, None)
    assert given == {
        "port": 0,
        "host": "env",
        "rate_limit": 3,
        "trusted_proxies": ("10.0.0.0/8",),
    }
    assert Settings(**given).cors_origins == ()


def test_text_becomes_what_the_setting_is() -> None:
    environment = {
        "VISAVIS_CORS_ORIGINS": "https://a.example, https://b.example",
        "VISAVIS_ARCHIVE": "false",
        "VISAVIS_DATA_DIR": "/var/lib/visavis",
    }
    given = load_settings({}, environment, None)
    assert given["cors_origins"] == ("https://a.example", "https://b.example")
    assert given["archive"] is False
    assert given["data_dir"] == Path("/var/lib/visavis")


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"VISAVIS_PORT": "http"}, "VISAVIS_PORT"),
        ({"VISAVIS_PORT": "70000"}, "VISAVIS_PORT"),
        ({"VISAVIS_RATE_LIMIT": "-1"}, "VISAVIS_RATE_LIMIT"),
        ({"VISAVIS_ARCHIVE": "maybe"}, "VISAVIS_ARCHIVE"),
        ({"VISAVIS_LOG_LEVEL": "loud"}, "VISAVIS_LOG_LEVEL"),
        ({"VISAVIS_CONFIG": "/nowhere/visavis.toml"}, "/nowhere/visavis.toml"),
    ],
)
def test_a_wrong_value_is_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(SettingError, match=named):
        load_settings({}, environment, None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("prot = 1", "no setting prot"),
        ('port = "1"x', "is not a TOML file"),
        ("port = []", "port in"),
    ],
)
def test_a_wrong_file_is_explained(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "visavis.toml"
    file.write_text(text)
    with pytest.raises(SettingError, match=sentence):
        load_settings({}, {}, file)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PUBLIC_URL", "chat.example.com", "takes a URL such as https://chat.example.com"),
        ("PUBLIC_URL", "ftp://chat.example.com", "takes a URL such as"),
        ("PUBLIC_URL", "https://", "takes a URL such as"),
        ("PUBLIC_URL", "https://chat.example.com:port", "takes a URL such as"),
        ("PUBLIC_URL", "https://chat.example.com/visavis", "cannot be served below a path"),
        ("PUBLIC_URL", "https://chat.example.com?x=1", "cannot be served below a path"),
        ("DATABASE", "postgresq://chat@db/chat", "begins with postgresql://, not postgresq:"),
        ("DATABASE", "sqlite:///visavis.db", "begins with postgresql://"),
        ("DATABASE", "postgresql://chat@db:many/chat", "has an invalid host or port"),
        ("TRUSTED_PROXIES", "proxy", "takes IP addresses and networks"),
        ("TRUSTED_PROXIES", "10.0.0.0/33", "takes IP addresses and networks"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "the network is 10.0.0.0/8"),
        ("CORS_ORIGINS", "https://a.example/", "takes origins"),
        ("CORS_ORIGINS", "https://a.example, b.example", "not b.example"),
        ("ADVERTISE_ADDRESSES", "media.example.com", "not a name"),
        ("LOG_LEVEL", "debugging", "pattern|regex"),
    ],
)
def test_a_value_that_cannot_work_is_refused_in_words(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingError, match=f"VISAVIS_{name}: .*({sentence})"):
        load_settings({}, {f"VISAVIS_{name}": value}, None)


def test_values_that_work_are_taken() -> None:
    environment = {
        "VISAVIS_PUBLIC_URL": "https://chat.example.com:8443/",
        "VISAVIS_DATABASE": "postgresql:///visavis?host=/run/postgresql",
        "VISAVIS_TRUSTED_PROXIES": "127.0.0.1, ::1, 10.0.0.0/8",
        "VISAVIS_CORS_ORIGINS": "*, https://a.example:444",
    }
    assert len(load_settings({}, environment, None)) == 4
    assert load_settings({}, {"VISAVIS_PUBLIC_URL": ""}, None) == {"public_url": ""}


def test_an_unknown_variable_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(SettingError, match=r"VISAVIS_PROT\. Do you mean VISAVIS_PORT\?"):
        load_settings({}, {"VISAVIS_PROT": "80"}, None)
    with pytest.raises(SettingError, match=r"no setting VISAVIS_XYZZYPLUGH\.$"):
        load_settings({}, {"VISAVIS_XYZZYPLUGH": "80"}, None)
    assert load_settings({}, {"VISAVIS_PASSWORD": "secret"}, None) == {}


def test_variables_of_kubernetes_are_none_of_ours() -> None:
    environment = {
        "VISAVIS_PORT": "tcp://10.96.0.1:8080",
        "VISAVIS_SERVICE_HOST": "10.96.0.1",
        "VISAVIS_SERVICE_PORT_HTTP": "8080",
        "VISAVIS_PORT_8080_TCP_ADDR": "10.96.0.1",
        "VISAVIS_MEDIA_PORT": "udp://10.96.0.1:8081",
    }
    assert load_settings({}, environment, None) == {}


def test_a_file_in_another_encoding_is_explained(tmp_path: Path) -> None:
    file = tmp_path / "visavis.toml"
    file.write_bytes('host = "é"'.encode("latin-1"))
    with pytest.raises(SettingError, match="not encoded in UTF-8"):
        load_settings({}, {}, file)
