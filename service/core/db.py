"""Engines, sessions and the shapes every table shares."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, TypeVar

from sqlalchemy import (
    BigInteger,
    DateTime,
    Engine,
    ForeignKey,
    Identity,
    MetaData,
    Numeric,
    create_engine,
    event,
    select,
)
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session, SessionTransaction, mapped_column, sessionmaker

from service.core import scope as scopes
from service.core import seen
from service.core.config import Settings

BESIDE = 6  # connections of a process for what is not a page: streams that open, sounds, watchers
OWNER, APP, NIGHT = "ringdesk_owner", "ringdesk_app", "ringdesk_night"

key = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
ts = Annotated[datetime, mapped_column(DateTime(timezone=True))]
amount = Annotated[Decimal, mapped_column(Numeric(18, 2))]
seconds = Annotated[Decimal, mapped_column(Numeric(12, 3))]
branch = Annotated[int, mapped_column(BigInteger, ForeignKey("branch.id"), index=True)]


class Base(DeclarativeBase):
    """All tables; constraints are named so that an error can be told in words."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def engine(dsn: str, *, name: str, pool_size: int = 5) -> Engine:
    """A pool that notices dead connections and tells PostgreSQL who is calling."""
    return create_engine(
        dsn,
        pool_pre_ping=True,
        pool_size=pool_size,
        max_overflow=2,
        pool_timeout=10,
        pool_recycle=1800,
        hide_parameters=True,  # callers' names and numbers do not belong in a log
        connect_args={"application_name": f"ringdesk {name}", "connect_timeout": 5, "options": "-c timezone=UTC"},
    )


def raw_dsn(dsn: str) -> str:
    """The same address for psycopg2 itself."""
    return make_url(dsn).set(drivername="postgresql").render_as_string(hide_password=False)


@dataclass(frozen=True)
class Database:
    """The three ways in: owner migrates, app works under row-level security, night only reads."""

    settings: Settings
    name: str = "process"

    @cached_property
    def owner(self) -> Engine:
        """For migrations alone."""
        return engine(self.settings.dsn_owner, name=f"{self.name} owner", pool_size=2)

    @cached_property
    def app(self) -> Engine:
        """For everything that people and processes do."""
        return engine(self.settings.dsn_app, name=self.name, pool_size=self.settings.threads + BESIDE)

    @cached_property
    def night(self) -> Engine:
        """For extraction: SELECT only, past the policies."""
        return engine(self.settings.dsn_night, name=f"{self.name} night", pool_size=2)

    def close(self) -> None:
        """No connection is left open."""
        for part in ("owner", "app", "night"):
            if part in self.__dict__:
                self.__dict__[part].dispose()


Row = TypeVar("Row", bound=Base)


class ScopedSession(Session):
    """A session that declares its scope at the start of each transaction."""


@event.listens_for(ScopedSession, "after_begin")
def _declare(session: Session, transaction: SessionTransaction, connection: object) -> None:
    """Savepoints inherit the setting; only the outermost transaction sets it."""
    if transaction.nested:
        return
    scopes.declare(connection, session.info.get("scope", scopes.NONE))  # type: ignore[arg-type]


@event.listens_for(ScopedSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    """Whoever sees less than a branch finds, changes and deletes less."""
    fine = scopes.of(state.session).fine
    if fine is not None:
        seen.narrow(state, fine, Base.registry)


def locked(session: Session, of: type[Row], row_id: int) -> Row | None:
    """The row as it is now, ours until the transaction ends.

    `Session.get` would refuse a row that was read before and saved by another one since, and nobody could be told in words.
    """
    key = of.__table__.c.id
    return session.scalars(select(of).where(key == row_id).with_for_update().execution_options(populate_existing=True)).first()


_factory = sessionmaker(class_=ScopedSession, expire_on_commit=False)
_bound: dict[str, Engine] = {}


def use(bind: Engine) -> None:
    """This process talks to PostgreSQL through `bind`."""
    _bound["app"] = bind
    _factory.configure(bind=bind)


def bound() -> Engine:
    """The engine this process uses."""
    return _bound["app"]


def let_go() -> None:
    """This process keeps no connection, until it asks for one again."""
    if "app" in _bound:
        _bound["app"].dispose()


def open_session(scope: scopes.Scope, bind: Engine | None = None) -> Session:
    """A session whose every transaction sees exactly `scope`; the caller closes it."""
    session = _factory(**({"bind": bind} if bind is not None else {}))
    session.info["scope"] = scope
    return session


@contextmanager
def begin(scope: scopes.Scope, bind: Engine | None = None) -> Iterator[Session]:
    """One transaction: committed at the end, or nothing of it happened."""
    with open_session(scope, bind) as session, session.begin():
        yield session
