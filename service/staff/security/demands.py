"""What a person's roles demand of them at the door: those that hold in one branch demand it as the others do."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.staff.model import Role, staff_role


@dataclass(frozen=True)
class Demands:
    """A second factor or none, and the ranges of each role that has some."""

    second_factor: bool = False
    addresses: tuple[str, ...] = ()


def of(session: Session, staff_id: int) -> Demands:
    """What all roles of the person together demand now."""
    held = roles(session, staff_id)
    return Demands(any(role.second_factor for role in held), tuple(role.addresses for role in held if role.addresses))


def roles(session: Session, staff_id: int) -> Sequence[Role]:
    """The roles that the person holds, wherever they hold."""
    link = staff_role.c
    held = select(link.role_id).where(link.staff_id == staff_id)
    return session.scalars(select(Role).where(Role.id.in_(held), Role.active).order_by(Role.id)).all()
