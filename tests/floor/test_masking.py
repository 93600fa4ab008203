"""What a reader without the right sees of phones, mails, identity numbers and amounts."""

from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given
from hypothesis import strategies as st

from service.core import masking
from service.core.errors import Invalid


@dataclass(frozen=True)
class Reader:
    codes: frozenset[str] = field(default_factory=frozenset)

    def reads(self, permission: str, /) -> bool:
        return permission in self.codes


AGENT = Reader(frozenset({"phone.reveal", "amount.read"}))
CLEO = Reader(frozenset({"phone.read", "amount.read", "cost.read"}))


@pytest.mark.parametrize(("raw", "shown"), [
    ("13800001001", "138****1001"), ("+86 138 0000 1001", "138****1001"), ("0086-138-0000-1001", "138****1001"),
    ("02162345678", "021 *****678"), ("021-62345678-801", "021 *****678"), ("075512345678", "0755 *****678"),
    ("+14155552671", "+1 ****2671"), ("+85291234567", "+852 ****567"),
    ("801", "801"), ("8001", "8001"), ("95588", "95588"), ("4008123123", "4008123123"), ("110", "110"),
    ("99999999", "****999"), ("sip:13800001001@carrier", "****001"),
    ("anonymous", ""), ("", ""), (None, ""), ("<unknown>", ""), ("li@example.com", "l***@example.com"),
])
def test_an_agent_sees_enough_of_a_number_to_tell_it_from_another(raw: str | None, shown: str) -> None:
    assert masking.shown_phone(AGENT, raw) == shown


def test_who_has_the_right_sees_the_whole_number() -> None:
    assert masking.shown_phone(CLEO, "13800001001") == "138 0000 1001"


def test_nobody_has_no_right() -> None:
    assert masking.shown_phone(None, "13800001001") == "138****1001"


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_no_mobile_is_whole_behind_the_mask(raw: str) -> None:
    shown = masking.masked_phone(raw)
    assert raw not in "".join(sign for sign in shown if sign.isdigit())
    assert "*" in shown


@given(st.text(max_size=300))
def test_whatever_a_caller_sends_is_masked_without_a_fault(raw: str) -> None:
    for mask in (masking.masked_phone, masking.masked_mail, lambda text: masking.shown_name(None, text), lambda text: masking.shown_identity(None, text)):
        assert mask(raw) is not None


@pytest.mark.parametrize(("sent", "shown"), [("Zhang San", "Zhang San"), ("13800001001", "138****1001"), ("Room 12", "Room 12"), (None, "")])
def test_a_name_that_is_the_number_once_more_is_masked_too(sent: str | None, shown: str) -> None:
    assert masking.shown_name(AGENT, sent) == shown


@pytest.mark.parametrize(("raw", "shown"), [("anna@example.com", "a***@example.com"), ("", ""), (None, ""), ("no address", "***")])
def test_a_mail_address_keeps_its_domain(raw: str | None, shown: str) -> None:
    assert masking.shown_mail(AGENT, raw) == shown


@pytest.mark.parametrize(("raw", "shown"), [("310101199001011234", "310***********1234"), ("1234", "****"), ("", "")])
def test_an_identity_number_keeps_its_ends(raw: str, shown: str) -> None:
    assert masking.shown_identity(AGENT, raw) == shown
    assert masking.shown_identity(CLEO, raw) == raw


def test_an_amount_is_three_dots_and_in_a_workbook_nothing() -> None:
    assert masking.shown_amount(AGENT, Decimal("12.50")) == "12.50"
    assert masking.shown_amount(AGENT, Decimal("12.50"), "cost.read") == "•••"
    assert masking.shown_amount(None, Decimal("12.50")) == "•••"
    assert masking.exported(AGENT, Decimal("12.50"), "cost.read") is None
    assert masking.exported(CLEO, Decimal("12.50"), "cost.read") == Decimal("12.50")


def test_a_form_never_writes_the_mask_over_the_number() -> None:
    assert masking.typed_phone(AGENT, "138****1001", "13800001001") == "13800001001"
    assert masking.typed_phone(CLEO, "138 0000 1001", "13800001001") == "13800001001"
    assert masking.typed_phone(AGENT, "13800001002", "13800001001") == "13800001002"
    assert masking.typed_phone(AGENT, "", "13800001001") == ""


@pytest.mark.parametrize("typed", ["138****1001", "•••", "139****2002"])
def test_a_covered_number_that_is_none_of_ours_is_refused_in_words(typed: str) -> None:
    app = Flask("test")
    Babel(app)
    with app.test_request_context(), pytest.raises(Invalid, match="covered with stars"):
        masking.typed_phone(AGENT, typed, "13800002222")


def test_a_part_of_a_number_is_looked_for_only_by_those_who_see_whole_ones() -> None:
    assert (masking.searched(CLEO), masking.searched(AGENT), masking.searched(None)) == ("parts", "whole", "whole")


@pytest.mark.parametrize(("said", "shown"), [
    ("PJSIP/8001", "PJSIP/8001"), ("Local/13800001001@from-queue;2", "Local/138****1001@from-queue;2"),
    ("CallerIDNum: 138 0000 1001", "CallerIDNum: 138****1001"), (None, ""),
])
def test_a_number_inside_a_machines_words_is_covered(said: str | None, shown: str) -> None:
    assert masking.shown_trace(AGENT, said) == shown
    assert masking.shown_trace(CLEO, said) == (said or "")


@pytest.mark.parametrize(("typed", "covered"), [("138****1001", True), ("•••", True), ("*72", False), ("**5", False), ("#31#", False)])
def test_a_code_for_the_switch_is_no_covered_number(typed: str, covered: bool) -> None:
    assert masking.is_covered(typed) is covered
