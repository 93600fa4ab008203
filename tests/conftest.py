"""One real PostgreSQL for the whole run, migrated once; a savepoint for each test."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy.orm import Session

from service import prepare
from service.core import config, db, scope
from service.core.config import Settings
from service.core.embedded import Embedded
from tests import make

# A collection in the midst of ast.parse may let another thread or a finaliser format a traceback, which parses too; both
# share one recursion count in CPython 3.11 and the outer tree is refused ("AST constructor recursion depth mismatch").
# So garbage is collected between tests and at no other moment.
gc.disable()

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # a Monday, nine in the morning in Shanghai


def in_ci() -> bool:
    """True where a missing tool is a failure, not a reason to skip."""
    return os.environ.get("CI", "").lower() == "true"


def pytest_collection_finish() -> None:
    """What was loaded by now stays; collections need not look at it again."""
    gc.freeze()


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """The garbage of a test goes with it, the long-lived kind with its file."""
    gc.collect(1 if nextitem is not None and nextitem.path == item.path else 2)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder of this run's own, gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix="ringdesk-tests-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[Embedded]:
    """The embedded server, fast because nothing here must survive a power cut."""
    server = Embedded(folder / "postgresql", unsafe_but_fast=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def settings(folder: Path, postgres: Embedded) -> Settings:
    """Settings of a migrated database with its three roles."""
    loaded = config.load({"RINGDESK_DATA": str(folder / "data"), "RINGDESK_SECRET_KEY": "k" * 48, "RINGDESK_PORT": "0"})
    resolved = prepare.resolve(loaded, postgres)
    prepare.migrate(resolved)
    return replace(resolved, threads=6)


@pytest.fixture(scope="session")
def database(settings: Settings) -> Iterator[db.Database]:
    """The three engines."""
    found = db.Database(settings, "tests")
    db.use(found.app)
    yield found
    found.close()


@pytest.fixture
def session(database: db.Database) -> Iterator[Session]:
    """A session as the app role that sees all branches; whatever it commits is gone after the test."""
    with database.app.connect() as connection:
        outer = connection.begin()
        scope.declare(connection, scope.ALL)
        with Session(bind=connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as work:
            yield work
        outer.rollback()


@pytest.fixture
def clean(database: db.Database) -> Iterator[db.Database]:
    """The database for tests of several processes or connections: emptied before and after."""
    make.empty(database)
    yield database
    make.empty(database)


@pytest.fixture
def cast(session: Session) -> SimpleNamespace:
    """Ada, Ben, Cleo, Wang and the others, inside the test's savepoint."""
    return make.cast(session, AT)


@pytest.fixture
def committed_cast(clean: db.Database) -> SimpleNamespace:
    """The same people for tests that go through HTTP or other processes; emptied afterwards."""
    with db.begin(scope.ALL, clean.app) as work:
        return make.cast(work, AT)
