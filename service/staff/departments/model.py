"""Teams and their members; the department itself stands with the people, since sign-in reads it."""

from sqlalchemy import BigInteger, Boolean, ForeignKey, Integer, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key
from service.core.seen import BRANCH


class Team(Base):
    """People of a department who work together, with a leader."""

    __tablename__ = "team"
    __scope__ = BRANCH
    __table_args__ = (UniqueConstraint("department_id", "name"),)
    id: Mapped[key]
    department_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("department.id"))
    name: Mapped[str] = mapped_column(Text)
    leader_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    branch_id: Mapped[branch]


class TeamMember(Base):
    """A person who is in a team, perhaps in several."""

    __tablename__ = "team_member"
    __scope__ = BRANCH
    __table_args__ = (UniqueConstraint("team_id", "staff_id"),)
    id: Mapped[key]
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id", ondelete="CASCADE"))
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"), index=True)
    branch_id: Mapped[branch]
