"""One switch with a folder of recordings, for the tests of this folder."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from service.core.config import Settings, SwitchSettings
from tests.recordings.shelf import LONG_AGO, SOUND
from tests.recordings.sounds import leave


@pytest.fixture
def shelf(committed_cast: SimpleNamespace, settings: Settings, tmp_path: Path) -> Settings:
    """Settings with one switch whose recordings lie in a folder of this test."""
    switch = SwitchSettings(name="pbx1", recordings=tmp_path / "monitor")
    (tmp_path / "monitor").mkdir()
    return replace(settings, data=tmp_path / "data", switches=(switch,))


@pytest.fixture
def there(shelf: Settings) -> Callable[..., Path]:
    """Leaves a file in the switch's folder."""
    folder = shelf.switches[0].recordings
    assert folder is not None
    return lambda relative, content=SOUND, at=LONG_AGO: leave(folder, relative, content, at)
