"""Each code that a page may meet has a word: what the recorded switches made the ear say is the measure."""

from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel

from dashboards import words as boards
from service.calls import rules
from service.desk import words
from service.tickets.queries import STATE
from telephony import facts, replay
from telephony.livecall import LiveCall

CAPTURES = sorted((Path(__file__).parents[1] / "telephony" / "captures").glob("asterisk-*/*.ami.gz"))


@pytest.fixture(scope="module")
def heard() -> list[LiveCall]:
    return [call for path in CAPTURES for call in replay.replay([path]).in_order()]


def test_what_the_ear_says_of_a_call_has_a_word(heard: list[LiveCall]) -> None:
    assert len(heard) > 30
    assert {facts.disposition(call) for call in heard} - {None} <= set(rules.OUTCOMES)
    assert {facts.hangup_by(call) for call in heard} - {None} <= set(words.HANGUP)
    assert {facts.outcome(call, leg) for call in heard for leg in call.legs.values()} - {None} <= set(words.LEG)
    assert {facts.direction(call) for call in heard} <= set(words.DIRECTION)


def test_every_outcome_can_be_filtered_by_in_words_and_none_is_a_dash_on_the_boards() -> None:
    assert set(rules.OUTCOMES) <= set(words.DISPOSITION)
    app = Flask("t")
    Babel(app, default_locale="en")
    with app.test_request_context():
        assert {code: boards.state(code) for code in STATE} == {code: str(word) for code, word in STATE.items()}
        queued = ("answered", "abandoned", "no-answer", "lost", "failed", "busy", "rejected")
        assert boards.NOTHING not in {boards.outcome(code) for code in queued}
