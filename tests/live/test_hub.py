"""The hub alone, against a real PostgreSQL: who hears what, and what happens when something goes wrong."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from service.core import db, hub, live, scope
from service.core.config import Settings
from tests.conftest import AT

Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def doors(settings: Settings, clean: db.Database) -> Iterator[hub.Doors]:
    """The real doors, but for the sign-ins: the one called "ended" is no longer valid."""

    def event(event_id: int) -> tuple[str, str, str] | None:
        with db.begin(scope.ALL) as session:
            return hub.event_of(session, event_id)

    yield hub.Doors(partial(hub.listening, db.raw_dsn(settings.dsn_app)), event, lambda asked: asked - {"ended"})


def running(doors: hub.Doors, story: Callable[[hub.Hub], Awaitable[None]]) -> None:
    """The story is played with a hub that listens."""

    async def play() -> None:
        heard = hub.Hub(doors)
        heard.start()
        await heard.ready(5)
        try:
            await asyncio.wait_for(story(heard), 20)
        finally:
            await heard.stop()

    asyncio.run(play())


def parsed(data: bytes | None) -> Told:
    """Kind and payload of each event in the bytes."""
    found: Told = []
    for block in (data or b"").decode().strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


async def hear(stream: hub.Stream, wait: float = 3.0) -> Told:
    """What arrives next; a heartbeat when nothing does."""
    return parsed(await stream.read(wait))


def publish(topic: str, kind: str = "pop", **payload: Any) -> int:
    with db.begin(scope.ALL) as session:
        return live.publish(session, topic, kind, payload, at=AT)


async def told(topic: str, kind: str = "pop", **payload: Any) -> int:
    return await asyncio.to_thread(partial(publish, topic, kind, **payload))


def test_only_the_streams_of_a_topic_hear_it(doors: hub.Doors) -> None:
    async def story(heard: hub.Hub) -> None:
        ada, ben = heard.open(["u1", "all"], "a"), heard.open(["u2", "all"], "b")
        await told("u1", pop_id=7)
        await told("all", "feed", up=False)

        assert await hear(ben) == [("feed", {"up": False})]
        assert await hear(ada) == [("pop", {"pop_id": 7}), ("feed", {"up": False})]

    running(doors, story)


def test_what_is_rolled_back_was_never_said(doors: hub.Doors) -> None:
    async def story(heard: hub.Hub) -> None:
        ada = heard.open(["u1"], "a")
        with db.open_session(scope.ALL) as session:
            live.publish(session, "u1", "pop", {"pop_id": 1}, at=AT)
            session.rollback()
        await told("u1", pop_id=2)

        assert await hear(ada) == [("pop", {"pop_id": 2})]

    running(doors, story)


def test_an_event_too_large_to_notify_arrives_whole_and_in_order(doors: hub.Doors) -> None:
    async def story(heard: hub.Hub) -> None:
        ada = heard.open(["u1"], "a")
        await told("u1", pop_id=1, name="客" * 9000)
        await told("u1", pop_id=2)

        heard_all: Told = []
        while len(heard_all) < 2:
            heard_all += await hear(ada)
        assert heard_all == [("pop", {"pop_id": 1, "name": "客" * 9000}), ("pop", {"pop_id": 2})]

    running(doors, story)


def test_text_of_a_caller_cannot_forge_an_event(doors: hub.Doors) -> None:
    nasty = "张\r\nevent: snapshot\ndata: {}\n\n|all|pop|{}\u2028"

    async def story(heard: hub.Hub) -> None:
        ada = heard.open(["u1"], "a")
        await told("u1", name=nasty)

        assert await hear(ada) == [("pop", {"name": nasty})]

    running(doors, story)


def test_a_stuck_browser_is_told_to_read_its_state_anew(doors: hub.Doors) -> None:
    async def story(heard: hub.Hub) -> None:
        stuck, quick = heard.open(["u1"], "a"), heard.open(["u2"], "b")
        for number in range(hub.CAPACITY + 1):
            stuck.put(hub.frame("pop", json.dumps({"pop_id": number})))
        await told("u2", pop_id=1)

        assert await hear(quick) == [("pop", {"pop_id": 1})]
        assert await hear(stuck) == [("resync", {})]

    running(doors, story)


def test_nothing_to_tell_is_a_heartbeat(doors: hub.Doors) -> None:
    async def story(heard: hub.Hub) -> None:
        assert await hear(heard.open(["u1"], "a"), wait=0.05) == [("beat", {})]

    running(doors, story)


def test_a_lost_connection_is_listened_to_again_and_everybody_resyncs(doors: hub.Doors, clean: db.Database) -> None:
    async def story(heard: hub.Hub) -> None:
        ada = heard.open(["u1"], "a")
        await asyncio.to_thread(cut, clean)

        assert await hear(ada) == [("resync", {})]
        await told("u1", pop_id=3)
        assert await hear(ada) == [("pop", {"pop_id": 3})]

    running(doors, story)


def cut(database: db.Database) -> None:
    """PostgreSQL drops the listening connection."""
    with database.app.begin() as connection:
        connection.execute(
            text("""select pg_terminate_backend(pid) from pg_stat_activity
                                   where application_name = 'ringdesk live' and usename = current_user""")
        )


def test_streams_close_while_postgresql_cannot_be_heard(doors: hub.Doors, clean: db.Database) -> None:
    async def story(heard: hub.Hub) -> None:
        ada = heard.open(["u1"], "a")
        object.__setattr__(heard.doors, "connect", partial(hub.listening, "postgresql:///nowhere?host=/nonexistent"))
        await asyncio.to_thread(cut, clean)

        assert await ada.read(3) is None
        assert not heard.hearing

    running(doors, story)


def test_the_streams_of_a_sign_in_end_with_it(doors: hub.Doors) -> None:
    async def story(heard: hub.Hub) -> None:
        out, still = heard.open(["u1"], "first"), heard.open(["u1"], "second")
        with db.begin(scope.ALL) as session:
            live.session_ended(session, "first")
        await told("u1", pop_id=1)

        assert await hear(still) == [("pop", {"pop_id": 1})]
        assert await out.read(3) is None

    running(doors, story)


def test_a_sign_in_that_ended_unheard_is_found_after_a_lost_connection(doors: hub.Doors, clean: db.Database) -> None:
    async def story(heard: hub.Hub) -> None:
        gone, still = heard.open(["u1"], "ended"), heard.open(["u1"], "valid")
        await asyncio.to_thread(cut, clean)

        assert await hear(still) == [("resync", {})]
        while (data := await gone.read(3)) is not None:
            assert parsed(data) == [("resync", {})]

    running(doors, story)


def test_a_released_stream_leaves_nothing_behind(doors: hub.Doors) -> None:
    async def story(heard: hub.Hub) -> None:
        for _ in range(100):
            heard.release(heard.open(["u1", "all"], "a"))

        assert not heard.streams and not heard._topics

    running(doors, story)


def test_a_browser_that_comes_back_hears_what_it_missed_and_how_things_stand(clean: db.Database) -> None:
    first, second, other = publish("u1", pop_id=1), publish("u1", pop_id=2), publish("u2", pop_id=9)
    later = AT + timedelta(seconds=20)
    with db.begin(scope.ALL) as session:
        data = hub.opening(session, ["u1", "all"], first, {"pops": [{"pop_id": 2}]}, at=later)

    assert data.startswith(hub.RETRY)
    assert parsed(data) == [("pop", {"pop_id": 2}), ("snapshot", {"pops": [{"pop_id": 2}]})]
    assert f"id: {second}\n" in data.decode() and f"id: {other}\n" in data.decode()


def test_replay_overlaps_because_a_smaller_id_may_be_committed_later(clean: db.Database) -> None:
    first, last = publish("u1", pop_id=1), publish("u1", pop_id=2)
    with db.begin(scope.ALL) as session:
        data = hub.opening(session, ["u1"], last, {}, at=AT + timedelta(seconds=5))

    assert first < last
    assert [kind for kind, _payload in parsed(data)] == ["pop", "pop", "snapshot"]


def test_who_missed_too_much_reads_the_state_and_no_history(clean: db.Database) -> None:
    with db.begin(scope.ALL) as session:
        for number in range(hub.REPLAY_LIMIT + 1):
            live.publish(session, "u1", "pop", {"pop_id": number}, at=AT)
    with db.begin(scope.ALL) as session:
        data = hub.opening(session, ["u1"], 0, {}, at=AT)

    assert parsed(data) == [("resync", {}), ("snapshot", {})]


def test_a_first_visit_hears_only_how_things_stand(clean: db.Database) -> None:
    publish("u1", pop_id=1)
    with db.begin(scope.ALL) as session:
        data = hub.opening(session, ["u1"], None, {}, at=AT)

    assert [kind for kind, _payload in parsed(data)] == ["snapshot"]
