"""An app with folders of its own, and the two branches of which one is attacked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.core import db
from service.core.config import Settings, SwitchSettings
from tests.attack import world
from tests.signin import people


@pytest.fixture(scope="session")
def attacked(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose files lie apart; one switch takes orders."""
    switch = SwitchSettings(name="pbx1", actor_username="a", actor_secret="s")
    return replace(settings, data=tmp_path_factory.mktemp("attack"), switches=(switch,))


@pytest.fixture(scope="session")
def app(attacked: Settings, database: db.Database) -> Iterator[Flask]:
    """All pages."""
    yield create_app(attacked, database)


@pytest.fixture
def two(clean: db.Database, committed_cast: SimpleNamespace, attacked: Settings) -> SimpleNamespace:
    """Everything once in Suzhou (mine) and once in Pudong (foreign)."""
    attacked.attachments_dir.mkdir(parents=True, exist_ok=True)
    world.ATTACHMENTS[:] = [attacked.attachments_dir]
    return world.two(clean, committed_cast, attacked.imports_dir)


@pytest.fixture
def eve(app: Flask, attacked: Settings, two: SimpleNamespace) -> FlaskClient:
    """The browser of who may do everything, in Suzhou alone."""
    return people.browser(app, attacked, two.mine.boss)


@pytest.fixture
def eva(app: Flask, attacked: Settings, two: SimpleNamespace) -> FlaskClient:
    """The browser of the agent of Suzhou whose phone rings."""
    return people.browser(app, attacked, two.mine.agent)


@pytest.fixture
def here() -> Path:
    """The project."""
    return Path(__file__).parents[2]
