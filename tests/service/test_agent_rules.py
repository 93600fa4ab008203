"""The states of an agent as a table: what was chosen, what the phone did, what time it is, and what follows."""

from datetime import timedelta

import pytest

from service.calls.agents import rules
from service.calls.agents.rules import Agent
from tests.conftest import AT

MINUTE = timedelta(seconds=60)
READY = rules.chose(Agent(), "ready", AT)
OFFLINE = Agent(since=AT)


def story(text: str, agent: Agent = OFFLINE, acw: timedelta = MINUTE) -> list[str]:
    """What the agent is after each word of the story; one second passes with each of them, a number is so many more."""
    at, told = AT, []
    for word in text.split():
        at += timedelta(seconds=1)
        if word.isdigit():
            at += timedelta(seconds=int(word))
            agent = rules.ran_out(agent, at)
        elif word == "extend":
            agent = rules.extended(agent, at)
        elif word in ("ready", "offline") or word.startswith("pause:"):
            what, _, reason = word.partition(":")
            agent = rules.chose(agent, what, at, reason=reason)
        else:
            phase, _, whom = word.partition("/")
            agent = rules.phone(agent, phase, at, acw=acw, customer=whom != "colleague" and phase in ("talking", "hold"))
        told.append(agent.state)
    return told


@pytest.mark.parametrize(("words", "states"), [
    ("ready", "ready"),
    ("ready ringing idle", "ready ringing ready"),
    ("ready ringing talking idle", "ready ringing talking acw"),
    ("ready ringing talking idle 58", "ready ringing talking acw acw"),
    ("ready ringing talking idle 59", "ready ringing talking acw ready"),
    ("ready ringing talking idle ready", "ready ringing talking acw ready"),
    ("ready ringing talking idle extend 60", "ready ringing talking acw acw acw"),
    ("ready ringing talking idle extend 120", "ready ringing talking acw acw ready"),
    ("ready ringing talking hold talking idle", "ready ringing talking hold talking acw"),
    ("ready talking hold idle", "ready talking hold acw"),  # hung up while on hold: there is no Unhold
    ("ready ringing talking pause:lunch idle 60", "ready ringing talking talking acw pause"),
    ("ready ringing talking idle pause:lunch", "ready ringing talking acw pause"),
    ("pause:lunch ringing talking idle 60", "pause ringing talking acw pause"),
    ("ready talking/colleague idle", "ready talking ready"),
    ("ready talking idle ringing talking idle", "ready talking acw ringing talking acw"),
    ("ready talking idle ringing idle", "ready talking acw ringing acw"),
    ("ready talking offline idle", "ready talking talking offline"),
    ("ready offline ringing idle", "ready offline ringing offline"),
    ("extend ready extend", "offline ready ready"),
])
def test_what_follows(words: str, states: str) -> None:
    assert story(words) == states.split()


def test_without_a_limit_there_is_no_after_call_work() -> None:
    assert story("ready talking idle", acw=timedelta(0)) == ["ready", "talking", "ready"]


def test_a_state_has_its_own_beginning_and_a_limit_that_ran_out_is_the_moment_it_ended() -> None:
    talking = rules.phone(READY, "talking", AT + MINUTE, acw=MINUTE, customer=True)
    assert rules.chose(talking, "pause", AT + 2 * MINUTE, reason="lunch").since == AT + 2 * MINUTE
    done = rules.phone(talking, "idle", AT + 3 * MINUTE, acw=MINUTE)

    assert rules.ran_out(done, AT + 9 * MINUTE).since == AT + 4 * MINUTE


@pytest.mark.parametrize(("words", "wanted"), [
    ("offline", (True, "offline")),
    ("ready", (False, "")),
    ("ready ringing", (False, "")),
    ("ready talking", (True, "ACW")),  # or a queue would ring in the moment between the talk and the pause
    ("ready talking/colleague", (False, "")),
    ("ready talking idle", (True, "ACW")),
    ("ready talking idle ready", (False, "")),
    ("pause:lunch", (True, "lunch")),
    ("pause:lunch ringing", (True, "lunch")),
])
def test_what_the_queues_are_to_do(words: str, wanted: tuple[bool, str]) -> None:
    agent, at = OFFLINE, AT
    for word in words.split():
        phase, _, rest = word.partition("/") if ":" not in word else word.partition(":")
        if phase in rules.CHOICES:
            agent = rules.chose(agent, phase, at, reason=rest)
        else:
            agent = rules.phone(agent, phase, at, acw=MINUTE, customer=rest != "colleague" and phase == "talking")

    assert rules.wanted(agent) == wanted


@pytest.mark.parametrize(("reason", "good"), [("lunch", True), ("tea", False), ("lunch\r\nAction: Hangup", False), ("", False)])
def test_a_reason_is_one_of_the_firms(reason: str, good: bool) -> None:
    assert rules.good_reason(reason, ("break", "lunch")) is good
