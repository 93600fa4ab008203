"""Lines become rows; a caller's line ends, torn ends and foreign columns do no harm."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from telephony.records import Form, cdr, cel, moment, queued, records

START = (b'"CHAN_START","1795692653.250000","Ann","+44163","","+4420","from-trunk","PJSIP/trunk-00000000","","1795692653.0",'
         b'"1795692653.0","",""\n')


def split(data: bytes) -> list[bytes]:
    return [record for _, record in records(data)]


def test_a_record_ends_where_its_quotes_are_even() -> None:
    forged = START.replace(b"+44163", b'+44\r\n""CHAN_END"",""1""\r\n7')
    assert split(forged + START) == [forged, START]
    row = cel(forged, Form())
    assert row is not None
    assert (row.kind, row.number, row.uniqueid) == ("CHAN_START", "+44", "1795692653.0")


def test_a_torn_record_waits_and_one_that_was_never_finished_costs_itself_alone() -> None:
    assert split(START + START[:40]) == [START]
    found = split(START[:40] + b"\n" + START)
    assert found[-1] == START
    assert cel(found[-1], Form()) is not None


def test_the_sample_of_asterisk_is_known_by_its_columns() -> None:
    row = cel(b'"APP_START","1795692653.1","Ann","+44163","","","","1","from-trunk","PJSIP/trunk-00000000","VoiceMail","2000@default,s",'
              b'"3","","1795692653.0","1795692653.0","","","",""\n', Form())
    assert row is not None
    assert (row.app, row.data, row.exten) == ("VoiceMail", "2000@default,s", "1")


def test_other_columns_are_set() -> None:
    form = Form(("EventTime", "EventType", "UniqueID", "LinkedID", "CIDNum", "ChanName", "Extra"))
    row = cel(b'"1795692653.1","HANGUP","1.0","1.0","+44163","PJSIP/1001-1","{""hangupcause"":16,""hangupsource"":""PJSIP/1001-1""}"\n', form)
    assert row is not None
    assert (row.number, row.channel, row.extra["hangupcause"], row.extra["hangupsource"]) == ("+44163", "PJSIP/1001-1", "16", "PJSIP/1001-1")


def test_a_time_without_a_zone_is_of_the_set_zone() -> None:
    at = moment("2026-11-26 11:34:10", ZoneInfo("Asia/Shanghai"))
    assert at == datetime(2026, 11, 26, 3, 34, 10, tzinfo=UTC)
    assert moment("2026-11-26T11:34:10+08:00", UTC) == at
    assert moment("1795692653.25", UTC) == datetime.fromtimestamp(1795692653.25, UTC)
    assert moment("yesterday", UTC) is None


def test_queue_log_and_cdr() -> None:
    row = queued("1795695823|pbx1-1.0|support|Chloé Çelik|CONNECT|2|pbx1-1.3|1\n".encode(), Form())
    assert row is not None
    assert (row.agent, row.verb, row.data) == ("Chloé Çelik", "CONNECT", ("2", "pbx1-1.3", "1"))
    assert queued(b"garbage\n", Form()) is None
    line = (b'"","+44","1001","from-trunk","""Ann"" <+44>","PJSIP/trunk-0","PJSIP/1001-1","Dial","PJSIP/1001,20","2026-11-26 12:23:53",'
            b'"","2026-11-26 12:23:55",2,0,"NO ANSWER","DOCUMENTATION","1.0","","","1.0",7\n')
    found = cdr(line, Form())
    assert found is not None
    assert (found.name, found.answer, found.linkedid, found.sequence) == ("Ann", None, "1.0", 7)


def test_garbage_is_no_row() -> None:
    for data in (b"\n", b"\x00\xff\xfe,,,\n", b'"\n', b"a" * 200_000 + b"\n", b'"CHAN_START","x","y"\n'):
        for record in split(data):
            assert cel(record, Form()) is None
            assert queued(record, Form()) is None
            assert cdr(record, Form()) is None
