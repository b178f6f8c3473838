from __future__ import annotations

from dataclasses import fields

from visavis.domain.config import Config, ConfigField, ConfigUpdate


def test_a_new_site_is_switched_off_and_records_nothing() -> None:
    config = Config(site_id=1)
    assert not config.is_enabled
    assert not config.is_recording
    assert config.recording_server_url is None
    assert config.version == 0


def test_an_update_leaves_everything_as_it_is_unless_told() -> None:
    update = ConfigUpdate()
    assert [getattr(update, one.name) for one in fields(update)] == [None] * len(ConfigField)


def test_fields_have_the_names_of_the_api() -> None:
    assert [str(field) for field in ConfigField] == [
        "isEnabled",
        "isAutomaticallyRecordingAudioVideoChatsEnabled",
        "recordingServerUrl",
        "recordingServerSecret",
    ]
