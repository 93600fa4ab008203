"""The firm with its rules for signing in, and what is kept of each person's proofs. Secrets are sealed or hashed."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, key, ts
from service.core.seen import OPEN


class Firm(Base):
    """The firm whose Ringdesk this is, in one row: its name, and how old passwords get and how guessing is stopped."""

    __tablename__ = "firm"
    __scope__ = OPEN
    __table_args__ = (CheckConstraint("id = 1", name="is_one"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, server_default=text("1"))
    name: Mapped[str] = mapped_column(Text, server_default=text("''"))
    password_days: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    lock_after: Mapped[int] = mapped_column(Integer, server_default=text("10"))
    lock_minutes: Mapped[int] = mapped_column(Integer, server_default=text("15"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))


class OldPassword(Base):
    """A password that somebody has or had, hashed, so that it is not taken again too soon."""

    __tablename__ = "staff_password"
    __scope__ = OPEN
    id: Mapped[key]
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"), index=True)
    password: Mapped[str] = mapped_column(Text)
    at: Mapped[ts]


class Totp(Base):
    """The secret that a person's authenticator app shares with us, sealed; it counts once a code of it was typed."""

    __tablename__ = "staff_totp"
    __scope__ = OPEN
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"), primary_key=True, autoincrement=False)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class RecoveryCode(Base):
    """One of the codes for a person whose app is lost; good once."""

    __tablename__ = "recovery_code"
    __scope__ = OPEN
    __table_args__ = (UniqueConstraint("staff_id", "digest"),)
    id: Mapped[key]
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    digest: Mapped[str] = mapped_column(Text)
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Passkey(Base):
    """A key in a person's device or browser; we keep its public half."""

    __tablename__ = "passkey"
    __scope__ = OPEN
    id: Mapped[key]
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"), index=True)
    credential: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(Text)
    made_at: Mapped[ts]
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Challenge(Base):
    """What a passkey has to sign now; gone once it was answered."""

    __tablename__ = "passkey_challenge"
    __scope__ = OPEN
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    challenge: Mapped[bytes] = mapped_column(LargeBinary)
    staff_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    at: Mapped[ts]


class Step(Base):
    """A browser with the right password that has still something to do before it is signed in."""

    __tablename__ = "sign_in_step"
    __scope__ = OPEN
    __table_args__ = (CheckConstraint("awaits in ('code', 'enrol', 'password')", name="awaits"),)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"), index=True)
    awaits: Mapped[str] = mapped_column(Text)
    factor: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    began_at: Mapped[ts]


class SetupToken(Base):
    """The way in for whoever starts an empty Ringdesk, hashed; there is one at most, and none once somebody administers."""

    __tablename__ = "setup_token"
    __scope__ = OPEN
    __table_args__ = (CheckConstraint("id = 1", name="is_one"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, server_default=text("1"))
    digest: Mapped[str] = mapped_column(Text)
    made_at: Mapped[ts]
