"""What the three people of the main job do on a running stack; every page they come to is held against axe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible

PATIENCE = 60_000
"""ms that work on a busy machine may take; what is watched is waited for, never slept for."""
OWN_PASSWORD = "seventeen-geese-fly"


@dataclass(frozen=True)
class Window:
    """One person's browser on the stack at `base`."""

    page: Page
    base: str

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)
        assert_accessible(self.page)

    def type_into(self, *texts: str) -> None:
        """Fill one field after another from the one that has the focus, and send the form: by keyboard alone."""
        for number, text in enumerate(texts):
            if number:
                self.page.keyboard.press("Tab")
            self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def sign_in(self, name: str, password: str) -> None:
        self.open("/")
        expect(self.page.get_by_label("Username")).to_be_focused()
        self.type_into(name, password)

    def sign_in_first(self, name: str, handed_over: str) -> None:
        """With the password that a manager handed over, which has to be changed before anything else."""
        self.sign_in(name, handed_over)
        expect(self.page.get_by_label("Old password")).to_be_focused()
        assert_accessible(self.page)
        self.type_into(handed_over, OWN_PASSWORD, OWN_PASSWORD)
        expect(self.page.get_by_text("Your password is changed.")).to_be_visible()
        assert_accessible(self.page)


@dataclass(frozen=True)
class Manager(Window):
    def make_project(self, name: str) -> None:
        """Leaves the page where its first file is asked for."""
        self.page.get_by_role("link", name="New project").click()
        assert_accessible(self.page)
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_role("button", name="Make it").click()
        expect(self.page.get_by_role("heading", name="Load a file")).to_be_visible()

    def load(self, file: Path) -> dict[str, str]:
        """Load a file on the intake page; what the page then counts, by the words on it."""
        self.page.get_by_label("File").set_input_files(file)
        expect(self.page.locator("#look")).to_contain_text("Looks like native")
        assert_accessible(self.page)
        self.page.get_by_role("button", name="Load", exact=True).click()
        self.watch()
        return self.figures()

    def new_run(self, project: str, kind: str) -> dict[str, str]:
        """Open the form of a new run and choose; what the run would take, by the words on the page."""
        self.open(f"/projects/{project}/runs/new/")
        self.page.get_by_label(f"{kind}:").check()
        expect(self.page.locator("#estimate")).to_contain_text("calls")
        assert_accessible(self.page)
        return self.figures()

    def start(self, button: str) -> dict[str, str]:
        """Start the run that the form describes and watch it; its figures at the end."""
        self.page.get_by_role("button", name=button, exact=True).click()
        expect(self.page.get_by_role("heading", name="What was asked")).to_be_visible()
        self.watch()
        return self.figures()

    def watch(self) -> None:
        """Stay on the page until its work is done; htmx alone brings the news."""
        expect(self.page.locator("#live")).to_be_visible()
        self.page.evaluate("window.never_left = true")
        expect(self.page.locator("#live .tag").first).to_have_text("done", timeout=PATIENCE)
        assert self.page.evaluate("window.never_left"), "the page was loaded again"
        assert_accessible(self.page)

    def figures(self) -> dict[str, str]:
        """What stands in the line of figures: its numbers by their names."""
        line = self.page.locator(".figures-line").first
        names, numbers = line.locator("dt").all_inner_texts(), line.locator("dd").all_inner_texts()
        return dict(zip(names, numbers, strict=True))

    def add_person(self, project: str, name: str, role: str) -> str:
        """The password to hand over."""
        self.open(f"/projects/{project}/people/")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Role", exact=True).select_option(role)
        self.page.get_by_role("button", name="Add").click()
        expect(self.page.get_by_role("alert")).to_contain_text(name)
        assert_accessible(self.page)
        return self.page.locator("#fresh-password").inner_text()


@dataclass(frozen=True)
class Work:
    """What an annotator did: the solution's name, and the first error that was rated (0-based; −1 none)."""

    name: str
    first_error: int


@dataclass(frozen=True)
class Annotator(Window):
    """Never touches a mouse."""

    def begin(self, project: str) -> None:
        """From the list of projects to the first solution."""
        self.page.get_by_role("link", name=project, exact=True).last.press("Enter")
        expect(self.page.get_by_role("button", name="Start labelling")).to_be_focused()
        assert_accessible(self.page)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("form#work")).to_be_visible()

    def left(self) -> int:
        """How many more the page says there are."""
        return int(re.findall(r"(\d+) left", self.page.locator("#label-status").inner_text())[0])

    def label(self, *, wrong_after: int | None) -> Work:
        """Rate good, step after step; after so many call one bad instead. Then hand in and wait for the next."""
        name = self.page.locator("h1 .muted").inner_text()
        to_rate = int(self.page.locator("#verdict").inner_text().removesuffix(" to rate"))
        left = self.left()
        good = to_rate if wrong_after is None else min(wrong_after, to_rate - 1)
        for _ in range(good):
            self.page.keyboard.press("3")
        first_error = -1
        if wrong_after is not None:
            first_error = int(self.page.locator(".step[aria-current]").get_attribute("data-index") or "")
            self.page.keyboard.press("1")
        said = "no step is wrong" if first_error < 0 else f"first error: step {first_error + 1}"
        expect(self.page.locator("#verdict")).to_have_text(said)
        expect(self.page.locator("#save-state")).to_have_text("saved")
        self.look_at_evidence()
        self.page.keyboard.press("Enter")
        expect(self.page.locator("h1")).not_to_contain_text(name)
        expect(self.page.locator("#label-status")).to_contain_text(f"{left - 1} left")
        return Work(name, first_error)

    def look_at_evidence(self) -> None:
        """What machines said of the step rated last, where it is shown at all: an audit is read blind."""
        shown = self.page.locator("form[data-evidence='after_rating'] .step[aria-current] .evidence")
        if shown.count():
            expect(shown.locator(".evidence-body")).to_be_visible()
        self.page.evaluate("scrollTo(0, document.body.scrollHeight)")  # or the footer lies over what axe measures
        assert_accessible(self.page)


@dataclass(frozen=True)
class Trainer(Window):
    def make_token(self, purpose: str, *scopes: str) -> str:
        self.open("/tokens/")
        self.page.get_by_label("What it is for").fill(purpose)
        for scope in scopes:
            self.page.get_by_label(f"{scope}:").check()
        self.page.get_by_role("button", name="Make a token").click()
        expect(self.page.get_by_role("alert")).to_contain_text("Your new token")
        assert_accessible(self.page)
        return self.page.locator("#secret").inner_text()
