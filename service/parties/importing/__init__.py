"""Tables of customers and of their people: which columns they bring, how a known one is recognised, and how many are written at once."""

from service.parties.importing.contacts import Contacts
from service.parties.importing.parties import Parties

TARGETS = (Parties(), Contacts())
