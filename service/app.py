"""The Flask app: registration only. What a page does stands in its context's web.py."""

from flask import Flask, redirect
from flask.typing import ResponseReturnValue

from service.core import db, identity, pages
from service.core.config import Settings
from service.core.db import Database
from service.wire import wire


def create_app(settings: Settings, database: Database) -> Flask:
    """All pages, boards included, behind one sign-in and one CSRF check."""
    from dashboards import app as boards
    from service.calls import web as calls
    from service.calls.agents import web as agents
    from service.calls.kpi import web as kpi
    from service.calls.orders import web as orders
    from service.calls.pauses import web as pauses
    from service.calls.shelf import web as shelf
    from service.calls.wallboard import web as wallboard
    from service.catalogue import web as catalogue
    from service.core.lists import web as lists
    from service.desk import customers, device, leaving, opening
    from service.desk import web as desk
    from service.devices import web as devices
    from service.devices import work as device_work
    from service.imports import web as imports
    from service.maintenance import web as maintenance
    from service.maintenance.patrols import web as patrols
    from service.parties import categories_web, edit_web, merge_web
    from service.parties import web as parties
    from service.reports import web as reports
    from service.reports.history import web as history
    from service.sites import labels_web as labels
    from service.sites import projects_web as projects
    from service.sites import web as sites
    from service.sites.regions import web as regions
    from service.staff import people_web as people
    from service.staff import signin
    from service.staff import web as staff
    from service.staff.branches import web as branches
    from service.staff.departments import web as departments
    from service.staff.roles import web as roles
    from service.staff.security import me_web as my_security
    from service.staff.security import policy_web as security
    from service.staff.security import setup_web as setup
    from service.staff.security import steps_web as steps
    from service.staff.shifts import web as shifts
    from service.tickets import web as tickets

    db.use(database.app)
    wire(settings)
    app = Flask("service", static_url_path="/static", static_folder=str(pages.STATIC))
    pages.install(app, settings)  # CSRF protection first: Flask-Security insists
    signin.install(app, settings)
    app.config["RINGDESK"] = settings
    for context in (lists, staff, people, branches, departments, roles, shifts, desk, opening, tickets, calls, agents, kpi, orders, wallboard, pauses, shelf, parties, maintenance, patrols, sites, projects, regions, labels, edit_web, merge_web, categories_web, customers, leaving, imports, reports, history, catalogue, devices, device_work, device):
        app.register_blueprint(context.bp)
    for context in (steps, my_security, security, setup):
        app.register_blueprint(context.bp)
    boards.mount(app, settings)
    app.add_url_rule("/", view_func=home)
    app.add_url_rule("/health", view_func=health)
    return app


def home() -> ResponseReturnValue:
    """Each person lands where their day begins."""
    person = identity.require()
    if person.may("desk.use") and not person.may("board.calls"):
        return redirect("/desk")
    return redirect("/dashboards/calls" if person.may("board.calls") else "/tickets")


def health() -> ResponseReturnValue:
    """The web process answers."""
    return {"ok": True}
