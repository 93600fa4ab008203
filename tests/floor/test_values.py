"""Money, quantities, phone numbers and settings: what everything above relies on."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import config
from service.core.money import money, spread
from service.core.phone import parse
from service.core.quantity import quantity

CENTS = st.integers(0, 10**9).map(lambda n: Decimal(n) / 100)


@pytest.mark.parametrize(("given_", "kept"), [("1.005", "1.01"), ("-1.005", "-1.01"), ("2.675", "2.68"), ("0.004", "0.00")])
def test_money_is_rounded_half_up_away_from_zero(given_: str, kept: str) -> None:
    assert money(given_) == Decimal(kept)


def test_a_float_is_refused() -> None:
    for take in (money, quantity):
        with pytest.raises(TypeError, match="float"):
            take(0.1)  # type: ignore[arg-type]


@given(CENTS, st.lists(st.integers(1, 1000).map(Decimal), min_size=1, max_size=9))
def test_parts_always_add_up(total: Decimal, weights: list[Decimal]) -> None:
    assert sum(spread(total, weights)) == total


@pytest.mark.parametrize("written", ["13800001001", "+86 138 0000 1001", "0086-138-0000-1001", "138 0000 1001"])
def test_one_mobile_in_four_writings_is_one_number(written: str) -> None:
    assert parse(written).e164 == "+8613800001001"


@pytest.mark.parametrize(("written", "kind", "digits"), [
    ("95588", "service", "95588"), ("4008123123", "service", "4008123123"), ("801", "extension", "801"),
    ("anonymous", "withheld", ""), (None, "withheld", ""), ("<unknown>", "withheld", ""),
])
def test_short_numbers_keep_their_digits_and_a_kind(written: str | None, kind: str, digits: str) -> None:
    number = parse(written)
    assert (number.e164, number.kind, number.digits) == (None, kind, digits)


def test_an_extension_behind_a_landline_is_split_off() -> None:
    number = parse("021-62345678-801")
    assert (number.e164, number.extension) == ("+862162345678", "801")


@given(st.text(max_size=400))
def test_whatever_a_caller_sends_is_taken(written: str) -> None:
    number = parse(written)
    assert number.e164 is None or number.e164.startswith("+")


@pytest.mark.parametrize(("name", "value"), [
    ("PORT", "99999"), ("PORT", "eighty"), ("TIMEZONE", "Mars/Olympus"), ("LOCALE", "fr"), ("NIGHT_AT", "late"),
    ("DSN_OWNER", "mysql://x"), ("CONFIG", "nowhere.toml"), ("SWITCHES", "{"),
    ("SECURE_COOKIES", "perhaps"), ("SWITCHES", '[{"name": "pbx1"}, {"name": "pbx1"}]'), ("SWITCHES", '[{"trunk_contexts": "from-*"}]'),
    ("SWITCHES", '[{"extension_pattern": "("}]'), ("SWITCHES", "5"), ("SWITCHES", "[5]"), ("SWITCHES", '{"name": "pbx1"}'),
    ("SWITCHES", '[{"secret": 5}]'), ("SWITCHES", '[{"username": "a\\nb"}]'), ("SWITCHES", '[{"name": "../../x"}]'),
    ("SWITCHES", '[{"name": ""}]'), ("SWITCHES", '[{"port": 80.9}]'), ("SWITCHES", '[{"trunk_contexts": 5}]'),
    ("NIGHT_AT", "02:00+08:00"),
])
def test_a_wrong_value_stops_the_start_with_a_sentence(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(config.BadSetting, match=r"\.$"):
        config.load({"RINGDESK_DATA": str(tmp_path), f"RINGDESK_{name}": value})


def test_what_a_child_process_is_given_it_reads_back(tmp_path: Path) -> None:
    switch = {"name": "pbx2", "host": "10.0.0.5", "port": 5039, "username": "listener", "secret": "s3cret"}
    (tmp_path / "ringdesk.toml").write_text("port = 8090\n[[switches]]\n" + "\n".join(
        f"{k} = {v!r}".replace("'", '"') for k, v in switch.items()))
    settings = config.load({"RINGDESK_DATA": str(tmp_path)})
    assert config.load(config.exported(settings)) == settings
    assert settings.secret_key not in repr(settings) and "s3cret" not in repr(settings) + repr(settings.switches)
