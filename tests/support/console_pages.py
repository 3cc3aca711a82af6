"""The pages of the console, each to be looked at in both widths and languages.

A new page is one line in ``PAGES``; what its address needs stands in ``console_world``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ConsolePage:
    """One page: ``name`` is that of its screenshots.

    ``path`` may hold ``{places}`` of ``ConsoleWorld.places``. ``who`` is signed in (a manager, ``root``
    the admin, ``he.yun`` a seller, None nobody). ``shows`` selects what has to be seen, so that a page
    which came out empty does not count as looked at.
    """

    name: str
    path: str
    shows: str
    who: str | None = "mei"


PAGES: tuple[ConsolePage, ...] = (
    ConsolePage("sign-in", "/login", "form [name=password]", who=None),
    ConsolePage("overview", "/overview", ".tile"),
    ConsolePage("overview-sellers", "/overview?since=week&by=seller", ".chart canvas"),
    ConsolePage("recordings", "/recordings", "tbody tr"),
    ConsolePage("recordings-search", "/recordings?q=贵&role=customer&label=objection.any", ".hits mark"),
    ConsolePage("recordings-none", "/recordings?seller=nobody", ".empty"),
    ConsolePage("recordings-seller", "/recordings", "tbody tr", who="he.yun"),
    ConsolePage("recording", "/recordings/{call}", ".turn"),
    ConsolePage("recording-corrected", "/recordings/{corrected}", "#corrections li"),
    ConsolePage("recording-form", "/recordings/{corrected}?edit=7", ".turn--form textarea"),
    ConsolePage("recording-of-seller", "/recordings/{corrected}", ".turn__edit", who="he.yun"),
    ConsolePage("recording-waiting", "/recordings/{waiting}", "#state"),
    ConsolePage("recording-working", "/recordings/{working}", ".step--now"),
    ConsolePage("recording-failed", "/recordings/{failed}", "#state"),
    ConsolePage("customers", "/customers", "tbody tr"),
    ConsolePage("customer", "/customers/{customer}", ".hear"),
    ConsolePage("review", "/review", "tbody tr"),
    ConsolePage("review-case", "/review/{case}", "[data-item]"),
    ConsolePage("review-settle", "/review/{appealed}", "form[data-review]", who="root"),
    ConsolePage("review-settled", "/review/{settled}", "#history li", who="he.yun"),
    ConsolePage("appeals", "/appeals", "tbody tr"),
    ConsolePage("appeals-seller", "/appeals", "tbody tr", who="he.yun"),
    ConsolePage("appeal", "/review/{reviewed}", "#case-form", who="he.yun"),
    ConsolePage("appeal-ask", "/appeals/{unreviewed}", "form textarea", who="he.yun"),
    ConsolePage("plans", "/review/plans", "tbody tr"),
    ConsolePage("plan", "/review/plans/{plan}", "tbody tr"),
    ConsolePage("calibrations", "/review/calibration", "tbody tr"),
    ConsolePage("calibration-new", "/review/calibration/new", "tbody input"),
    ConsolePage("calibration-call", "/review/calibration/{calibrating}/{scored}", "[data-item]"),
    ConsolePage("calibration", "/review/calibration/{calibrated}", ".chart canvas"),
    ConsolePage("devices", "/devices", "tbody tr", who="root"),
    ConsolePage("device-revoke", "/devices/{device}/revoke", "main form button", who="root"),
    ConsolePage("rules", "/rules", "#lab tbody tr"),
    ConsolePage("rules-narrowed", "/rules?show=unreviewed&sort=-fires", "#lab tbody tr"),
    ConsolePage("rule", "/rules/general-sales", "#versions tbody tr"),
    ConsolePage("rule-item", "/rules/general-sales/items/need_discovery", "#hits .change"),
    ConsolePage("rule-edit", "/rules/general-sales/edit", "#rule-text"),
    ConsolePage("rule-comparison", "/rules/general-sales/comparisons/{comparison}", ".change"),
    ConsolePage("team", "/team", "#sellers tbody tr"),
    ConsolePage("team-one", "/team/{team}", "#figures tbody tr"),
    ConsolePage("seller", "/sellers/{advised}", ".practice"),
    ConsolePage("seller-own", "/team/me", "#figures tbody tr", who="he.yun"),
    ConsolePage("objections", "/objections", ".ranking li"),
    ConsolePage("objection-cell", "/objections/{objection}/{answer}", ".course .hear"),
    ConsolePage("library", "/library", ".course .hear"),
    ConsolePage("library-suggested", "/library?view=suggested", ".course .hear"),
    ConsolePage("library-seller", "/library", ".course .hear", who="he.yun"),
    ConsolePage("digest", "/digest", ".tile"),
    ConsolePage("help", "/help", "kbd"),
    ConsolePage("error", "/recordings/none-such", "h1"),
)
