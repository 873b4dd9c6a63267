"""The screens that are generated from the definitions, in the order in which their addresses are tried."""

from __future__ import annotations

from starlette.routing import BaseRoute

from admin.screens import board, bulk, files, forms, lines, listing, moving, record, search, views

ROUTES: tuple[BaseRoute, ...] = (
    *search.routes,
    *listing.routes,
    *bulk.routes,
    *views.routes,
    *board.routes,
    *forms.routes,
    *record.routes,
    *lines.routes,
    *files.routes,
    *moving.routes,
)
