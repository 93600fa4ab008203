"""Every table of every context is registered once this is imported."""

from service.calls import model as calls
from service.calls.agents import model as agents
from service.calls.kpi import model as kpi
from service.calls.orders import model as orders
from service.calls.shelf import model as shelf
from service.catalogue import model as catalogue
from service.core import model as core
from service.core.lists import model as lists
from service.devices import model as devices
from service.imports import model as imports
from service.ledger import model as ledger
from service.maintenance import model as maintenance
from service.maintenance.patrols import model as patrols
from service.parties import model as parties
from service.sites import model as sites
from service.sla import model as sla
from service.staff import model as staff
from service.staff.departments import model as departments
from service.staff.security import model as security
from service.staff.shifts import model as shifts
from service.tickets import model as tickets

TABLES = (staff, departments, shifts, security, core, lists, catalogue, parties, devices, sites, calls, agents, kpi, orders, shelf, ledger, sla, imports, tickets, maintenance, patrols)
