from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavis.domain.ids import plain_id


@given(st.uuids())
def test_a_guid_is_the_id_without_its_dashes(guid: UUID) -> None:
    assert plain_id(str(guid)) == guid.hex
    assert plain_id(str(guid).upper()) == guid.hex
    assert plain_id(guid.hex) == guid.hex


@pytest.mark.parametrize("text", ["", "-", "a-b", "00000000-0000-0000-0000-00000000000g"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert plain_id(text) == text
