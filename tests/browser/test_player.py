"""The player in a real browser: picture, silence, seeking by hand and keys, speed, download, and what the log says of it."""

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from recordings import purge, transcode, vault
from recordings.wave import Wave
from service.calls import actions
from service.calls.pauses.model import RecordingPause
from service.core import clock, db, scope
from service.core.config import Settings
from tests import make
from tests.browser.site import Person
from tests.recordings.sounds import tone, wav

pytestmark = pytest.mark.browser
Opened = Callable[..., Person]
SOUND = wav(tone(6.0) + bytes(2 * 8000 * 4) + tone(10.0))
NOW = "document.querySelector('audio').currentTime"


@pytest.fixture
def call(firm: SimpleNamespace, settings: Settings) -> SimpleNamespace:
    """A call of twenty seconds that Ada took; from the sixth to the tenth nothing is heard."""
    now, wave = clock.now(), Wave(8000, 1)
    sealed = vault.of(settings).put(io.BytesIO(SOUND), wave.taste)
    shape = wave.shape()
    with db.begin(scope.ALL) as work:
        made = make.call(work, now - timedelta(minutes=5))
        recording = actions.recording_found(
            work, switch="pbx1", uniqueid=made.call_key, segment=1, path=sealed.key, sha256=sealed.sha256,
            size=sealed.size, seconds=Decimal(20), form="wav/8000/1", at=now,
            wave=base64.b64encode(shape.peaks).decode(), silences=shape.silences,
        )  # fmt: skip
        return SimpleNamespace(id=made.id, recording=recording, path=f"/calls/{made.id}")


def rows(statement: str) -> list[tuple[Any, ...]]:
    with db.begin(scope.ALL) as work:
        return [tuple(row) for row in work.execute(text(statement))]


def ink(person: Person, name: str, left: float, right: float) -> int:
    """Pixels of the colour of that token between two shares of the picture's width."""
    return int(
        person.page.evaluate(
            """([name, left, right]) => {
            const canvas = document.querySelector('.wave canvas');
            const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim().slice(1);
            const want = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
            const x = Math.round(left * canvas.width), wide = Math.round((right - left) * canvas.width);
            const copy = document.createElement('canvas');
            [copy.width, copy.height] = [canvas.width, canvas.height];
            const pen = copy.getContext('2d', {willReadFrequently: true});
            pen.drawImage(canvas, 0, 0);
            const found = pen.getImageData(x, 0, wide, canvas.height).data;
            let count = 0;
            for (let i = 0; i < found.length; i += 4) if (want.every((value, j) => Math.abs(found[i + j] - value) < 4)) count++;
            return count;
        }""",
            [name, left, right],
        )
    )


def test_the_picture_comes_with_the_page_and_nothing_is_fetched_or_logged(call: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    asked: list[str] = []
    ada.page.on("request", lambda r: asked.append(r.url) if "/media/" in r.url else None)
    ada.go(call.path)
    ada.page.wait_for_timeout(300)

    assert ink(ada, "--ln3", 0.02, 0.28) > 1000  # sound
    assert ink(ada, "--ln3", 0.32, 0.48) == 0  # silence has no bars, it is hatched
    assert ink(ada, "--ln2", 0.32, 0.48) > 300
    assert asked == [] and rows("select 1 from recording_play") == []
    assert ada.page.inner_text(".quiet-key").split() == ["Silence", "00:04"]


def test_a_pause_is_drawn_and_named_apart_from_silence(call: SimpleNamespace, firm: SimpleNamespace, opened: Opened) -> None:
    with db.begin(scope.ALL) as work:
        told = work.execute(text("select call_key, answered_at, branch_id from call")).one()
        order = actions.orders.ask(work, "record_pause", firm.ada.id, "pbx1", "1001", {}, by=firm.ada.id, at=told.answered_at)
        work.add(RecordingPause(
            request_key=order.request_key, switch="pbx1", uniqueid=told.call_key, extension="1001", field="password", staff_id=firm.ada.id,
            by_id=firm.ada.id, order_id=order.id, asked_at=told.answered_at, began_at=told.answered_at + timedelta(seconds=12), why="sent",
            released_at=told.answered_at + timedelta(seconds=16), ended_at=told.answered_at + timedelta(seconds=16), branch_id=told.branch_id,
        ))  # fmt: skip
        work.execute(text("insert into call_segment (call_id, no, kind, began_at, ended_at, seconds, branch_id) select id, 90, 'talk', answered_at,"
                          " answered_at + interval '20 seconds', 20, branch_id from call where not exists (select from call_segment)"))
    ada = opened().sign_in("ada")
    ada.go(call.path)

    assert ada.page.get_attribute("[data-player]", "data-pauses") == "[[12.0, 4.0]]"
    assert ink(ada, "--blue-line", 0.62, 0.78) > 300  # drawn
    assert ink(ada, "--blue-line", 0.82, 0.98) == 0
    assert ada.page.inner_text(".quiet-key.paused").split() == ["Paused", "00:04"]
    assert "Password or code" in ada.page.inner_text(".pauses")
    ada.page.click("[data-goto]")
    assert ada.page.get_attribute(".wave", "aria-valuetext") == "00:12 / 00:20 · Paused"


def test_it_plays_seeks_by_keys_and_hand_and_is_one_line_in_the_log(call: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    statuses: list[int] = []
    ada.page.on("response", lambda r: statuses.append(r.status) if "/media/recordings/" in r.url else None)
    ada.go(call.path)
    ada.page.click("[data-play]")
    ada.until(f"{NOW} > 0.2")
    ada.page.click("[data-rate='2']")
    assert ada.page.evaluate("document.querySelector('audio').playbackRate") == 2
    assert ada.page.get_attribute("[data-rate='2']", "aria-pressed") == "true"
    ada.page.click("[data-play]")

    ada.page.focus(".wave")
    ada.page.keyboard.press("Home")
    ada.page.keyboard.press("ArrowRight")
    ada.until(f"Math.abs({NOW} - 5) < 0.1")
    assert ada.page.get_attribute(".wave", "aria-valuetext") == "00:05 / 00:20"
    ada.page.keyboard.press("ArrowRight")
    ada.page.keyboard.press("ArrowLeft")
    box = ada.page.locator(".wave").bounding_box()
    ada.page.mouse.click(box["x"] + box["width"] * 0.425, box["y"] + 20)
    ada.until(f"Math.abs({NOW} - 8.5) < 0.3")
    assert ada.page.get_attribute(".wave", "aria-valuetext") == "00:08 / 00:20 · Silence"
    ada.page.keyboard.press("End")
    ada.until(f"{NOW} > 19.9")
    ada.page.wait_for_timeout(100)
    assert ink(ada, "--fill", 0.02, 0.28) > 1000

    assert 206 in statuses
    assert rows("select kind, reason from recording_play") == [("play", "")]


def test_where_one_clicked_before_the_first_play_it_begins(call: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go(call.path)
    box = ada.page.locator(".wave").bounding_box()
    ada.page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 20)
    assert ada.page.inner_text("[data-f=at]") in ("00:14", "00:15")

    ada.page.click("[data-play]")
    ada.until(f"{NOW} > 15")


def test_taking_the_file_along_needs_its_own_right_and_says_why(
    call: SimpleNamespace, opened: Opened, tmp_path: Path
) -> None:
    ada = opened().sign_in("ada")
    ada.go(call.path)
    assert ada.page.locator("[data-take]").count() == 0
    refused = ada.page.request.get(f"{ada.site.url}/media/recordings/{call.recording}?download=1")
    assert refused.status == 403 and rows("select 1 from recording_play") == []

    cleo = opened(390, 844).sign_in("cleo")
    cleo.go(call.path)
    cleo.page.click("[data-take] summary")
    cleo.page.fill("[name=reason]", "质检抽查")
    with cleo.page.expect_download() as download:
        cleo.page.click("[data-take] form button")
    download.value.save_as(tmp_path / "taken.wav")
    assert (tmp_path / "taken.wav").read_bytes() == SOUND
    assert rows("select kind, reason from recording_play") == [("download", "质检抽查")]
    cleo.go(call.path)
    assert "质检抽查" in cleo.page.inner_text("aside.right")
    assert cleo.wide() == 0


def test_a_hold_is_set_shown_and_lifted(call: SimpleNamespace, opened: Opened) -> None:
    cleo = opened().sign_in("cleo")
    cleo.go(call.path)
    for button, reason in (("Hold it", "claim of 3 March"), ("Lift the hold", "settled")):
        cleo.page.click(f".right summary >> text={button}")
        cleo.page.fill(".right input[name=reason]", reason)
        cleo.page.click(f".right form button >> text={button}")
        cleo.page.wait_for_load_state()
        if button == "Hold it":
            cleo.page.wait_for_selector(".right dd >> text=claim of 3 March")
    cleo.page.wait_for_selector(".right summary >> text=Hold it")
    assert [row[1:] for row in rows("select id, reason, lift_reason from recording_hold")] == [("claim of 3 March", "settled")]


def test_a_refusal_takes_the_player_away_and_keeps_the_call(
    call: SimpleNamespace, opened: Opened, settings: Settings
) -> None:
    ada = opened().sign_in("ada")
    ada.go(call.path)
    ada.page.click("text=Was announced")
    ada.page.wait_for_selector(".right .badge >> text=Announced")
    ada.page.click(".right summary >> text=Was refused")
    ada.page.click("text=Destroy the audio")
    ada.page.wait_for_selector("text=The audio is being destroyed")
    assert ada.page.locator("[data-player]").count() == 0
    assert ada.page.request.get(f"{ada.site.url}/media/recordings/{call.recording}").status == 410

    purge.destroy(settings, clock.now())
    ada.go(call.path)
    assert "The audio was destroyed" in ada.page.inner_text("main")


def test_who_keeps_recordings_changes_their_days(call: SimpleNamespace, opened: Opened) -> None:
    root = opened().sign_in("root")
    root.go("/recordings")
    try:
        root.page.fill("#days-ordinary", "90")
        root.page.click("form:has(#days-ordinary) button")
        root.page.wait_for_load_state()
        assert rows("select days from retention_class where code = 'ordinary'") == [(90,)]
    finally:
        with db.begin(scope.ALL) as work:
            work.execute(text("update retention_class set days = 180 where code = 'ordinary'"))
    cleo = opened().sign_in("cleo")
    cleo.go("/recordings")
    assert cleo.page.locator("#days-ordinary").count() == 0


@pytest.mark.parametrize("form", ["flac", "opus"])
def test_other_forms_play_and_seek_as_wav_does(form: str, call: SimpleNamespace, settings: Settings, opened: Opened) -> None:
    done = transcode.transcode(replace(settings, recording_format=form), clock.now())
    assert (done.changed, done.stayed) == (1, {})
    ada = opened().sign_in("ada")
    answers: list[tuple[int, str]] = []
    ada.page.on("response", lambda r: answers.append((r.status, r.headers["content-type"])) if "/media/recordings/" in r.url else None)
    ada.go(call.path)
    ada.page.click("[data-play]")
    ada.until(f"{NOW} > 0.2")
    ada.until("Math.abs(document.querySelector('audio').duration - 20) < 0.1")
    for place in (0.8, 0.1, 0.5):
        box = ada.page.locator(".wave").bounding_box()
        ada.page.mouse.click(box["x"] + box["width"] * place, box["y"] + 20)
        ada.until(f"Math.abs({NOW} - {20 * place}) < 1.5 && document.querySelector('audio').readyState >= 3")
    assert {kind for _status, kind in answers} == {{"flac": "audio/flac", "opus": "audio/ogg"}[form]}
    assert 206 in {status for status, _kind in answers}
    assert rows("select kind from recording_play") == [("play",)]
