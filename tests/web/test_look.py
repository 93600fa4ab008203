"""What can be proved of the look without a browser: contrast, icons, words."""

import json
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import service

SERVICE = Path(service.__file__).parent
ROOT = SERVICE.parent
WEB = ROOT / "web"
TOKENS = WEB / "src" / "tokens.css"

# (text, ground, least contrast): words 4.5, edges and icons that carry meaning 3.
PAIRS = [
    *((ink, ground, 4.5) for ink in ("tx", "tx2", "mut") for ground in ("bg", "sf", "mu")),
    *((ink, "sf", 4.5) for ink in ("ac", "red", "orange", "green", "blue", "violet", "grey")),
    *((ink, f"{ink}-tint", 4.5) for ink in ("red", "orange", "green", "blue", "violet", "grey", "note")),
    ("ac", "sel", 4.5), ("on-fill", "fill", 4.5), ("ln3", "sf", 3.0), ("call-tx", "call-2", 4.5),
]  # fmt: skip


def tokens(theme: str) -> dict[str, str]:
    """Name to colour; the dark block overrides the light one."""
    blocks = re.findall(r"([^{}]+)\{([^{}]*)\}", TOKENS.read_text("utf-8"))
    found: dict[str, str] = {}
    for selector, body in blocks:
        if ":root" in selector or (theme == "dark" and "dark" in selector):
            found |= dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{6})\b", body))
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_ink_can_be_read_on_its_ground(theme: str) -> None:
    found = tokens(theme)
    weak = {
        f"{ink} on {ground}": round(contrast(found[ink], found[ground]), 2)
        for ink, ground, least in PAIRS
        if contrast(found[ink], found[ground]) < least - 0.05
    }
    assert weak == {}


def templates() -> dict[str, str]:
    return {str(p.relative_to(SERVICE)): p.read_text("utf-8") for p in (SERVICE / "templates").rglob("*.html")}


def test_each_icon_that_is_asked_for_is_in_the_sprite() -> None:
    drawn = set(json.loads((WEB / "icons.json").read_text("utf-8")))
    asked = {name for body in templates().values() for name in re.findall(r'icon\(\s*"([\w-]+)"', body)}
    asked |= {
        name for p in (WEB / "src").glob("*.js") for name in re.findall(r'icon\("([\w-]+)"', p.read_text("utf-8"))
    }
    assert len(asked) > 30
    assert asked - drawn == set()


def test_no_template_holds_a_colour_a_style_or_a_script_of_its_own() -> None:
    """The policy forbids inline styles and scripts; colours have names."""
    wrong = {
        name: found
        for name, body in templates().items()
        if (
            found := re.findall(
                r"""\sstyle=|\son\w+=|<style|<script(?![^>]*(?:src=|type="application/json"))|#[0-9a-f]{6}\b""", body
            )
        )
    }
    assert wrong == {}


def said() -> set[str | tuple[str, ...]]:
    """Every sentence in the source that a person may read."""
    found: set[str | tuple[str, ...]] = set()
    rooms = {"**.py": "python", "templates/**.html": "jinja2"}
    keywords = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
    for room in ("service", "recordings", "dashboards", "etl"):
        methods = list(rooms.items())
        for _file, _line, message, _notes, _context in extract_from_dir(
            ROOT / room, methods, {"templates/**.html": {"trimmed": "true"}}, keywords
        ):
            found.add(message)
    return found


def test_every_sentence_is_also_said_in_chinese() -> None:
    with (SERVICE / "translations/zh_Hans_CN/LC_MESSAGES/messages.po").open("rb") as file:
        catalogue = read_po(file)
    known = {
        message.id if isinstance(message.id, str) else tuple(message.id) for message in catalogue if message.string
    }
    sentences = said()
    assert len(sentences) > 300
    assert {s for s in sentences if s not in known} == set()


def test_a_translation_keeps_the_places_of_its_values() -> None:
    with (SERVICE / "translations/zh_Hans_CN/LC_MESSAGES/messages.po").open("rb") as file:
        catalogue = read_po(file)
    place = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
    torn = [
        message.id
        for message in catalogue
        if isinstance(message.id, str) and message.id
        and set(place.findall(message.id)) != set(place.findall(str(message.string)))
    ]  # fmt: skip
    assert torn == []
