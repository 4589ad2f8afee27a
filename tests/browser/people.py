"""An author, a reviewer and an operator, and how they sign in."""

from __future__ import annotations

import argon2
from playwright.sync_api import Page, expect

from kairos.adapters.control.database import Control
from kairos.adapters.control.log import Deed
from kairos.adapters.control.users import User, Users
from tests.unit.control.desk import NOW

PASSWORD = "correct horse battery"
PEOPLE = {"ann": "author", "eve": "reviewer:editor", "otto": "operator"}
"""User -> role."""


def add_people(control: Control) -> None:
    known = argon2.PasswordHasher(1, 8, 1).hash(PASSWORD)
    for name, role in PEOPLE.items():
        Users(control).add(User(name, known, role, False, NOW), Deed("setup", "add_user", f"user/{name}", NOW))


def sign_in(page: Page, name: str, path: str = "/write") -> None:
    page.goto(f"/sign-in?next={path}")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name=f"Sign out {name}")).to_be_visible()
