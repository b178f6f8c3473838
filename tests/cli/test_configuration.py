"""Where settings come from, and what is told when they cannot be used."""

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
    [("prot = 1", "no setting prot"), ('port = "1"x', "no TOML"), ("port = []", "port in")],
)
def test_a_wrong_file_is_explained(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "visavis.toml"
    file.write_text(text)
    with pytest.raises(SettingError, match=sentence):
        load_settings({}, {}, file)
