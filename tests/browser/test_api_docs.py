"""The page that shows the API to people."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def test_the_api_page_shows_every_kind_of_call_under_the_content_policy(page: Page, base_url: str) -> None:
    """Console errors and violations of the policy fail every browser test."""
    answer = page.goto("/api/docs/")
    assert answer is not None
    assert "unsafe-eval" not in answer.headers["content-security-policy"]
    assert "script-src 'self';" in answer.headers["content-security-policy"] + ";"
    expect(page.get_by_role("heading", name="Stepwise")).to_be_visible()
    for kind in ("assignments", "exports", "intakes", "projects", "runs", "solutions"):
        expect(page.locator(f"#operations-tag-{kind}")).to_be_visible()
    page.locator("#operations-projects-projects_claim_create").get_by_role("button").first.click()
    expect(page.get_by_text("The right to label one solution until the lease ends")).to_be_visible()
    expect(page.get_by_text("What is wrong, in words")).to_be_visible()
    page.wait_for_load_state("networkidle")
