"""Codes of parties as people read them."""

from collections.abc import Mapping

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

PHONE: Mapping[str, LazyString] = {
    "mobile": _l("Mobile"),
    "office": _l("Office"),
    "home": _l("Home"),
    "fax": _l("Fax"),
    "other": _l("Other"),
}
PARTY_ROLE: Mapping[str, LazyString] = {
    "customer": _l("Customer"),
    "vendor": _l("Supplier"),
    "carrier": _l("Carrier"),
    "repairer": _l("Outside repairer"),
}
PARTY_STATE: Mapping[str, LazyString] = {"active": _l("In use"), "disabled": _l("Out of use"), "merged": _l("Merged")}
SETTLEMENT: Mapping[str, LazyString] = {"job": _l("Per job"), "monthly": _l("Monthly")}
PARTY_KIND: Mapping[str, LazyString] = {"company": _l("Company"), "person": _l("Individual")}
ALIKE: Mapping[str, LazyString] = {
    "name": _l("same name"),
    "phone": _l("same phone"),
    "tax": _l("same tax number"),
    "account": _l("same account number"),
}
PARTY_FIELD: Mapping[str, LazyString] = {
    "name": _l("Name"),
    "kind": _l("Kind"),
    "roles": _l("Roles"),
    "grade": _l("Grade"),
    "category": _l("Category"),
    "category_id": _l("Category"),
    "vendor_category": _l("Supplier category"),
    "vendor_category_id": _l("Supplier category"),
    "tags": _l("Tags"),
    "address": _l("Address"),
    "email": _l("E-mail"),
    "fax": _l("Fax"),
    "web": _l("Website"),
    "tax_number": _l("Tax number"),
    "note": _l("Note"),
    "credit_days": _l("Credit days"),
    "credit_limit": _l("Credit limit"),
    "settlement": _l("Settlement"),
    "settlement_day": _l("Settlement day"),
    "vendor_days": _l("Payment days"),
    "state": _l("State"),
    "state_reason": _l("Reason"),
    "department": _l("Department"),
    "contact": _l("Contact"),
    "phone": _l("Telephone"),
    "mail": _l("E-mail"),
    "contract": _l("Contract"),
    "account": _l("Account"),
    "alike": _l("Look-alikes"),
    "number": _l("Number"),
    "fields": _l("Values taken over"),
}
PARTY_VERB: Mapping[str, LazyString] = {
    "created": _l("Created"),
    "changed": _l("Changed"),
    "imported": _l("Imported"),
    "attached phone": _l("Attached a phone"),
    "disabled": _l("Taken out of use"),
    "active": _l("Put back into use"),
    "merged": _l("Another one was merged into it"),
    "merged into": _l("Merged into another one"),
    "took over": _l("Took over rows"),
    "told apart": _l("Said to be another one than"),
    "suspected again": _l("May be the same as, after all"),
    "saved despite look-alikes": _l("Saved despite look-alikes"),
}
GRADE: Mapping[str, LazyString] = {
    "standard": _l("Standard"),
    "silver": _l("Silver"),
    "gold": _l("Gold"),
    "vip": _l("VIP"),
    "contract": _l("Contract"),
}
TABLES: Mapping[str, Mapping[str, LazyString]] = {
    "grade": GRADE,
    "phone": PHONE,
    "party_role": PARTY_ROLE,
    "party_state": PARTY_STATE,
    "party_kind": PARTY_KIND,
    "settlement": SETTLEMENT,
    "alike": ALIKE,
    "party_field": PARTY_FIELD,
    "party_verb": PARTY_VERB,
}
