"""What can be imported: the contexts' targets, handed in by wire(), and which heading means which of their fields."""

from collections.abc import Iterable, Mapping, Sequence

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.core.errors import NotFound
from service.core.intake.target import Field, Living, Target
from service.core.intake.values import folded

TARGETS: dict[str, Target] = {}


def use(targets: Iterable[Target]) -> None:
    """These can be imported, in this order; called by wire()."""
    TARGETS.clear()
    TARGETS.update({target.name: target for target in targets})


def of(name: str) -> Target:
    """The target of that name."""
    if name not in TARGETS:
        raise NotFound(_("Nothing of this kind can be imported. Choose from the list of imports."))
    return TARGETS[name]


def now(session: Session, name: str) -> Target:
    """The target of that name, with the choices that there are now."""
    target = of(name)
    return target.now(session) if isinstance(target, Living) else target


def words(one: Field) -> set[str]:
    """Every heading that means the field, as it is compared."""
    return {_bare(word) for word in (one.name.replace("_", " "), str(one.head), *one.also)}


def matched(target: Target, heads: Sequence[str]) -> dict[str, int]:
    """Field -> column, for headings that are a field's word; what is exact comes before what only contains it."""
    found: dict[str, int] = {}
    bare = [_bare(head) for head in heads]
    for exact in (True, False):
        for one in target.fields:
            if one.name in found:
                continue
            for at, head in enumerate(bare):
                if head and at not in found.values() and _fits(head, words(one), exact):
                    found[one.name] = at
                    break
    return found


def knows(target: Target, cell: str) -> bool:
    """True when the cell is a heading of the target's."""
    bare = _bare(cell)
    return bool(bare) and len(bare) < 40 and any(bare in words(one) for one in target.fields)


def missing(target: Target, mapping: Mapping[str, int]) -> list[Field]:
    """Fields that must come and have no column."""
    return [one for one in target.fields if one.must and one.name not in mapping]


def _fits(head: str, wanted: set[str], exact: bool) -> bool:
    if exact:
        return head in wanted
    return any(len(word) > 3 and (head.startswith(word) or head.endswith(word)) for word in wanted)


def _bare(head: str) -> str:
    """A heading without blanks, case, stars and what stands in brackets."""
    text = folded(head).split("(")[0].split("[")[0]
    return "".join(sign for sign in text if sign.isalnum())
