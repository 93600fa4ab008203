"""The doors of the house: who may import whom. This dictionary is the table in docs/architecture.md."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("service", "telephony", "recordings", "etl", "warehouse", "dashboards")
CONTEXTS = (
    "staff", "hours", "catalogue", "parties", "devices", "sites", "calls", "ledger", "stock", "trade", "workflow", "sla", "imports", "tickets",
    "maintenance", "knowledge", "messages", "shipping", "office", "outsourcing", "settlement", "portal", "field", "api",
    "desk", "reports",
)
# The front door may open every room; it holds no business rule.
FRONT_DOOR = ("service.__main__", "service.app", "service.asgi", "service.answers", "service.boards", "service.start", "service.wire",
              "service.supervisor", "service.prepare", "service.doctor", "service.demo", "service.migrations", "telephony.__main__")
PURE_EAR = ("wire", "event", "livecall", "step", "grouping", "floor", "facts", "guard", "switch", "feed", "timeline",
             "members", "phones", "acts", "records", "book", "retelling")
DOORS: dict[str, tuple[str, ...]] = {
    "service.core": (),
    "service.<context>": ("service.core", "lower contexts: actions, queries, schemas"),
    "service.reports": ("warehouse.read",),
    "telephony": ("service.core",),
    "telephony.sink": ("service.calls.actions",),
    "telephony.pops": ("service.calls.actions",),
    "telephony.orders": ("service.calls.actions",),
    "telephony.listener": ("service.calls.actions",),
    "telephony.backfill": ("service.calls.actions",),
    "telephony.rows": ("service.calls.actions",),
    "recordings": ("service.core", "service.calls.shelf.actions", "service.calls.shelf.queries"),
    "warehouse": ("service.core",),
    "etl": ("service.core", "warehouse"),
    "dashboards": ("service.core", "warehouse.read"),
}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "stuff"}


def modules() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


def imports(path: Path) -> set[str]:
    """Every module of ours that the file names, from-imports resolved to modules where they are modules."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {_resolved(node.module, alias.name) for alias in node.names}
    return {name for name in found if name.split(".")[0] in ROOMS}


def _resolved(module: str, name: str) -> str:
    inner = ROOT.joinpath(*module.split("."), name)
    return f"{module}.{name}" if inner.with_suffix(".py").exists() or (inner / "__init__.py").exists() else module


def under(name: str, parents: tuple[str, ...]) -> bool:
    return any(name == parent or name.startswith(parent + ".") for parent in parents)


def allowed(module: str, wanted: str) -> bool:
    """True when the table opens this door."""
    room = module.split(".", maxsplit=1)[0]
    if under(module, FRONT_DOOR):
        return True
    if room == "service":
        return _inside_service(module, wanted)
    if wanted.split(".", maxsplit=1)[0] == room:
        return not (room == "telephony" and module.split(".")[1:2] and module.split(".")[1] in PURE_EAR) or (
            wanted.split(".")[1:2] == [] or wanted.split(".")[1] in PURE_EAR)
    doors = DOORS[room] + DOORS.get(".".join(module.split(".")[:2]), ())
    if room == "telephony" and module.split(".")[1:2] and module.split(".")[1] in PURE_EAR:
        return False
    return under(wanted, doors)


def _inside_service(module: str, wanted: str) -> bool:
    parts, target = module.split("."), wanted.split(".")
    here = parts[1] if len(parts) > 1 else ""
    if here == "core":
        return under(wanted, ("service.core",))
    if here not in CONTEXTS:
        return target[0] == "service"
    if target[0] != "service":
        return under(wanted, DOORS.get(f"service.{here}", ()))
    there = target[1] if len(target) > 1 else ""
    if there in ("core", here):
        return True
    # A context that has become several folders opens the same doors in each.
    return there in CONTEXTS and CONTEXTS.index(there) < CONTEXTS.index(here) and (
        target[2:3] == [] or bool({"actions", "queries", "schemas"} & {target[2], *target[3:4]}))


def test_every_import_goes_through_a_door() -> None:
    closed = [f"{module} imports {wanted}" for module, path in modules() for wanted in sorted(imports(path))
              if not allowed(module, wanted)]
    assert closed == []


@pytest.mark.parametrize(("module", "wanted", "open_"), [
    ("service.core.db", "service.staff.model", False),
    ("service.parties.queries", "service.tickets.queries", False),
    ("service.tickets.actions", "service.parties.queries", True),
    ("service.tickets.actions", "service.parties.model", False),
    ("service.sites.actions", "service.devices.places.actions", True),
    ("service.sites.actions", "service.devices.places.model", False),
    ("telephony.step", "service.core.phone", False),
    ("telephony.sink", "service.calls.actions", True),
    ("telephony.journal", "service.calls.actions", False),
    ("dashboards.app", "service.core.identity", True),
    ("dashboards.app", "service.staff.queries", False),
    ("dashboards.app", "warehouse.engine", False),
    ("etl.extract", "service.calls.model", False),
    ("recordings.collect", "telephony.wire", False),
])
def test_the_doors_are_where_the_table_says(module: str, wanted: str, open_: bool) -> None:
    assert allowed(module, wanted) is open_


def test_no_file_is_named_for_nothing() -> None:
    bad = [str(path.relative_to(ROOT)) for _, path in modules() if path.stem in FORBIDDEN_NAMES]
    assert bad == []


def test_nobody_imports_the_tests() -> None:
    assert [name for name, path in modules() if "from tests" in path.read_text("utf-8")] == []


def test_the_top_level_holds_only_what_the_house_lists() -> None:
    listed = {"README.md", "pyproject.toml", "constraints.txt", "hatch_build.py", "LICENSE", "CHANGELOG.md", "docs", "bench",
              "web", "tests", *ROOMS}
    made = {"ringdesk-data", "dist", "build"}
    assert {p.name for p in ROOT.iterdir() if not p.name.startswith(".")} - listed - made == set()
