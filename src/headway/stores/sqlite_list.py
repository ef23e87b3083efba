"""Pages of tasks from SQLite, read off the indexes: their cost doesn't grow with what is stored (a search's does)."""

from __future__ import annotations

import math
import sqlite3

from headway.stores.paging import Listing
from headway.stores.sqlite_queries import QUERIES

# What the orders other than `newest` go by; see paging.sort_key.
_SORTED_BY = {"longest": "started_at", "stuck": "updated_at"}


def select_page(db: sqlite3.Connection, listing: Listing) -> list[tuple[str]]:
    """The records of the page, and one more where another page follows."""
    if not listing.states:
        return []
    filters = []
    if listing.owner is not None:
        filters.append(QUERIES["filter_by_owner"])
    if listing.needle is not None:
        filters.append(QUERIES["filter_by_search"])
    where = " AND ".join(filters) or "TRUE"
    beyond_all = math.inf if listing.newest_first else -math.inf
    parameters = {
        "owner": listing.owner,
        "needle": None if listing.needle is None else f"%{_escaped(listing.needle)}%",
        "key": beyond_all if listing.after is None else listing.after.key,
        "after": "" if listing.after is None else listing.after.task_id,
        "limit": listing.limit + 1,
    }
    return db.execute(
        _newest(listing, where) if listing.newest_first else _oldest(listing, where), parameters
    ).fetchall()


def _newest(listing: Listing, where: str) -> str:
    arm = QUERIES["newest_of_state"]
    arms = [arm.format(state=f"'{state}'", filter=where) for state in listing.states]
    return QUERIES["newest"].format(arms="\nUNION ALL\n".join(arms))


def _oldest(listing: Listing, where: str) -> str:
    states = ", ".join(f"'{state}'" for state in listing.states)
    return QUERIES["oldest_active"].format(column=_SORTED_BY[listing.order], states=states, filter=where)


def _escaped(needle: str) -> str:
    return needle.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
