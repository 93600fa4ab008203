"""One index for whatever is looked for by a few typed letters: names and their pinyin, codes, serials, phones, addresses.

A context puts an entry beside each thing of its own; whoever types gets the closest entries of their branches. PostgreSQL's
function `ringdesk_search` asks, because under row-level security no index serves `@@` (it is not leakproof); the function
keeps to the declared branches by itself.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from typing import Any, Literal, Protocol

from pypinyin import Style, lazy_pinyin, pinyin
from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from service.core import db, phone, scope
from service.core.model import SearchEntry

LONGEST = 100  # letters typed; more says nothing more
WORDS = 6
BATCH = 500
KNOWN = 4096  # names whose signs are remembered by a process
IN_LIST = 2000  # hits that a list goes through; where more fit, it says so
READINGS = 8  # of a name whose signs can be read in several ways
CJK = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff]+")
LETTERS = re.compile(r"[^\W_㐀-鿿豈-﫿\U00020000-\U0003ffff]+")  # of any script that is written in letters
PIECES = re.compile(rf"({CJK.pattern})|({LETTERS.pattern})")
NUMBER = re.compile(r"\+?[\d\s().\-–—]{4,}")


Phones = Literal["parts", "whole", "none"]


@dataclass(frozen=True)
class Entry:
    """A thing as it is looked for: `label` and `hint` are shown; `codes` and `phones` are found by any part of four signs.

    Phones and mails are found by their parts for those alone who may see them, for others by the whole.

    `owners` are the people who find it although they see only their own; None when whoever sees the branch finds it.
    """

    kind: str
    ref_id: int
    branch_id: int
    label: str
    hint: str = ""
    code: str = ""
    names: Sequence[str] = ()
    codes: Sequence[str] = ()
    phones: Sequence[str] = ()
    mails: Sequence[str] = ()
    weight: int = 0
    owners: Sequence[int] | None = None
    department_id: int | None = None


@dataclass(frozen=True)
class Hit:
    """An entry that fits; the smaller `distance`, the closer."""

    kind: str
    ref_id: int
    label: str
    hint: str
    code: str
    distance: int


# One statement for all of them; an entry that says the same already is left alone, since each new version goes into every index.
_PUT = text("""
    insert into search_entry as e (kind, ref_id, branch_id, label, label_key, hint, code, reading, weight, tokens, owners, department_id)
    select kind, ref_id, branch_id, label, label_key, hint, code, reading, weight, cast(tokens as tsvector), owners, department_id
    from jsonb_to_recordset(cast(:rows as jsonb)) as given(kind text, ref_id bigint, branch_id bigint, label text, label_key text, hint text, code text,
        reading text, weight integer, tokens text, owners bigint[], department_id bigint)
    on conflict (kind, ref_id) do update set branch_id = excluded.branch_id, label = excluded.label, label_key = excluded.label_key, hint = excluded.hint,
        code = excluded.code, reading = excluded.reading, weight = excluded.weight, tokens = excluded.tokens, owners = excluded.owners,
        department_id = excluded.department_id
    where (e.branch_id, e.label, e.label_key, e.hint, e.code, e.reading, e.weight, e.tokens, e.owners, e.department_id)
        is distinct from (excluded.branch_id, excluded.label, excluded.label_key, excluded.hint, excluded.code, excluded.reading, excluded.weight,
            excluded.tokens, excluded.owners, excluded.department_id)
""")


def put(session: Session, entries: Iterable[Entry]) -> None:
    """The things are found as they are now; of two entries of one thing the last counts."""
    rows = {(entry.kind, entry.ref_id): _row(entry) for entry in entries}
    if rows:
        session.execute(_PUT, {"rows": json.dumps(list(rows.values()), ensure_ascii=False)})


def drop(session: Session, kind: str, ids: Collection[int]) -> None:
    """The things are found no more."""
    session.execute(delete(SearchEntry).where(SearchEntry.kind == kind, SearchEntry.ref_id.in_(ids)))


_FIND = text("select * from ringdesk_search(cast(:query as tsquery), :typed, :written, :exact, cast(:kinds as text[]), :most,"
             " cast(:me as bigint), cast(:whole as bigint[]), cast(:departments as bigint[]), cast(:of_branches as bigint[]), cast(:among as bigint[]))")


def find(session: Session, typed: str, *, kinds: Sequence[str], most: int = 20, phones: Phones = "whole", among: Sequence[int] | None = None) -> list[Hit]:
    """What fits all words of `typed`, closest first; digits may be any part of a telephone's number, the whole one, or none.

    `among` are the things of one kind that are looked through at all; None is all of them.
    """
    asked = normal(typed)[:LONGEST]
    query = " & ".join(f"({one})" for one in islice(_questions(asked, phones), WORDS))
    if not query:
        return []
    number = _national(asked) if phones == "parts" and NUMBER.fullmatch(asked) else ""
    values = {"query": query, "typed": asked, "written": _bare(asked) or "-", "exact": f"p{number}" if number else "", "kinds": list(kinds), "most": most, "among": None if among is None else list(among)}
    values |= _narrowed(scope.of(session))
    return [Hit(*row) for row in session.execute(_FIND, values)]


_EXACTLY = text("select label_key, ref_id from search_entry where kind = :kind and label_key = any(:keys) order by ref_id")


def exactly(session: Session, kind: str, labels: Collection[str]) -> dict[str, list[int]]:
    """By each of the labels the things that are called exactly so, but for capitals, widths and blanks."""
    keys = {label: normal(label)[:200] for label in labels}
    found: dict[str, list[int]] = {}
    for key, ref_id in session.execute(_EXACTLY, {"kind": kind, "keys": sorted(set(keys.values()) - {""})}):
        found.setdefault(key, []).append(ref_id)
    return {label: found.get(key, []) for label, key in keys.items()}


def _narrowed(seen: scope.Scope) -> dict[str, Any]:
    """Whose things are found by somebody who sees less than a branch; nobody's name means everybody's."""
    fine = seen.fine
    if fine is None:
        return {"me": None, "whole": None, "departments": None, "of_branches": None}
    return {"me": fine.staff_id, "whole": list(fine.whole), "departments": list(fine.departments), "of_branches": list(fine.department_branches)}


class Source(Protocol):
    """A context that indexes its things in the order of their ids."""

    def __call__(self, session: Session, after: int, most: int) -> int | None:
        """The next things are indexed; returns the last id, None when there is none left."""


def rebuild(sources: Sequence[Source], args: dict[str, Any]) -> None:
    """Every thing of every context has its entry as of now; a batch is a transaction, so nobody waits for it."""
    for source in sources:
        after: int | None = 0
        while after is not None:
            with db.begin(scope.ALL) as session:
                after = source(session, after, BATCH)


# ---- what is written down


def _row(entry: Entry) -> dict[str, object]:
    return {
        "kind": entry.kind,
        "ref_id": entry.ref_id,
        "branch_id": entry.branch_id,
        "label": entry.label[:200],
        "label_key": normal(entry.label)[:200],
        "hint": entry.hint[:200],
        "code": _bare(entry.code)[:80],
        "reading": reading(entry.label),
        "weight": entry.weight,
        "owners": None if entry.owners is None else list(entry.owners),
        "department_id": entry.department_id,
        "tokens": " ".join(_quoted(token) for token in sorted(tokens(entry))),
    }


def tokens(entry: Entry) -> set[str]:
    """Every lexeme under which the thing is found: c signs and pairs, i initials, y syllables, w words, n codes, p parts of phones, t whole ones, m words of mails, a whole ones."""
    found: set[str] = set()
    for name in {entry.label, *entry.names}:
        found.update(_tokens_of_name(normal(name)))
    for code in {entry.code, *entry.codes}:
        found.update("n" + part for part in _parts(_bare(code), 3))
    for number in entry.phones:
        found.update("p" + part for part in _parts(_national(number), 4))
        found.add("t" + _national(number)[:40])
    for mail in map(normal, entry.mails):
        found.update("m" + word[:40] for word in LETTERS.findall(mail))
        found.add("a" + mail[:80])
    return found


@lru_cache(KNOWN)
def _tokens_of_name(name: str) -> frozenset[str]:
    """Those of one name: a hundred printers of one model are read once."""
    return frozenset(_of_name(name))


def _of_name(name: str) -> Iterator[str]:
    for run in CJK.findall(name):
        yield from ("c" + sign for sign in run)
        yield from ("c" + run[at : at + 2] for at in range(len(run) - 1))
        for syllables in _readings(run[:24]):
            for at in range(len(syllables)):
                yield "i" + "".join(syllable[0] for syllable in syllables[at : at + 16])
                yield "y" + "".join(syllables[at:])[:40]
    yield from ("w" + word[:40] for word in LETTERS.findall(CJK.sub(" ", name)))


def _readings(run: str) -> list[list[str]]:
    """The syllables of the name as a whole, and for short names, most of them people's, each other reading of its signs."""
    usual = [syllable for syllable in lazy_pinyin(run) if syllable.isascii() and syllable]
    if len(run) > 4:
        return [usual]
    each = [[one for one in options if one.isascii() and one] or [""] for options in pinyin(run, style=Style.NORMAL, heteronym=True)]
    others = ([syllable for syllable in way if syllable] for way in islice(product(*each), READINGS))
    return [usual, *others]


@lru_cache(KNOWN)
def reading(label: str) -> str:
    """Initials, a space, and the full reading, for order and closeness: 王丽华 is 'wlh wanglihua'."""
    syllables = lazy_pinyin(normal(label)[:100])
    return f"{''.join(one[:1] for one in syllables)} {''.join(syllables)}".lower()[:200]


def _parts(whole: str, least: int) -> Iterator[str]:
    """The whole and each of its ends of at least so many signs: with prefixes asked for, any part is found."""
    whole = whole[:40]
    yield from (whole[at:] for at in range(max(1, len(whole) - least + 1)) if whole)


def _national(number: str) -> str:
    """Digits as people dial them at home: no +86, no 0086, no 0 in front."""
    digits = re.sub(r"\D", "", phone.parse(number).e164 or number)
    return re.sub(r"^(?:00)?86(?=\d{8,})", "", digits).lstrip("0")


# ---- what is asked


def normal(typed: str) -> str:
    """Wide letters are narrow, capitals small, blanks single."""
    return " ".join(unicodedata.normalize("NFKC", typed).replace("\x00", "").lower().split())


def _bare(code: str) -> str:
    """A code as it is compared: letters and digits alone."""
    return re.sub(r"[\W_]", "", normal(code))


def _questions(asked: str, phones: Phones) -> Iterator[str]:
    """One condition a word; a number with gaps is one word."""
    if NUMBER.fullmatch(asked):
        digits = re.sub(r"\D", "", asked)
        yield _any([("n", digits), ("w", digits)], _numbers(asked, phones))
        return
    for word in asked.split():
        yield from _question(word, phones)


def _question(word: str, phones: Phones) -> Iterator[str]:
    """Who may not see mails must know the whole of one, as with numbers."""
    found = list(_words_of(word, phones))
    if "@" not in word or phones == "none":
        yield from found
        return
    whole = _quoted("a" + word[:80])
    yield f"{whole} | ({' & '.join(f'({one})' for one in found)})" if found else whole


def _words_of(word: str, phones: Phones) -> Iterator[str]:
    code = _bare(word)
    numbered = any(sign.isdigit() for sign in code)
    if numbered and code.isascii():
        yield _any([("n", code), ("w", code), *_mails(code, phones)], _numbers(code, phones) if code.isdigit() else [])
        return
    pieces = list(_pieces(word, phones))
    if numbered:  # 册B0917 may be a book's number, or a name with a number in it
        yield " | ".join([_any([("n", code)]), *([" & ".join(f"({one})" for one in pieces)] if pieces else [])])
    else:
        yield from pieces


def _pieces(word: str, phones: Phones) -> Iterator[str]:
    """One condition a run of signs or letters."""
    for signs, letters in PIECES.findall(word):
        if signs:
            pairs = [signs[at : at + 2] for at in range(len(signs) - 1)] or [signs]
            yield " & ".join(_quoted("c" + pair) for pair in pairs)
        else:
            yield _any([("w", letters), ("i", letters), ("y", letters), ("n", letters), *_mails(letters, phones)])


def _mails(typed: str, phones: Phones) -> list[tuple[str, str]]:
    return [("m", typed)] if phones == "parts" else []


def _numbers(typed: str, phones: Phones) -> list[str]:
    """Who may not see whole numbers must know the whole of it: else any part could be tried until all of it is known."""
    number = _national(typed)
    if phones == "none" or not number:
        return []
    return [f"{_quoted('p' + number)}:*" if phones == "parts" else _quoted("t" + number)]


def _any(options: Iterable[tuple[str, str]], numbers: Sequence[str] = ()) -> str:
    return " | ".join([*(f"{_quoted(kind + part)}:*" for kind, part in options if part), *numbers])


def _quoted(lexeme: str) -> str:
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
