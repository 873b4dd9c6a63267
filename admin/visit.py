"""Who is at the door: what every handler of a network's page reads from its request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlencode

from starlette.requests import HTTPConnection

from admin.formats import Formats
from admin.i18n import Catalogue
from admin.kept import Kept, kept_for
from definitions.spec.network import Network
from definitions.text import Text
from models.actor import Actor
from models.delegations import Office
from models.message import Message
from models.sessions import Session
from models.tenant import Tenant

THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to a network: whose, in which session (None before sign-in), in which language and looks."""

    tenant: Tenant
    network: Network
    actor: Actor
    session: Session | None
    language: str
    theme: str
    csrf: str
    formats: Formats
    key: bytes
    path: str
    htmx: bool = False
    office: Office | None = None
    """Somebody else's office that the visitor is in: then `actor` is its member to every rule."""

    @property
    def catalogue(self) -> Catalogue:
        """The product's sentences in the visitor's language."""
        return self.formats.catalogue

    @property
    def version(self) -> int:
        """The version of the definitions that this request sees."""
        return self.tenant.published.version

    @property
    def kept(self) -> Kept:
        """What was made before for visitors like this one."""
        return kept_for(self.tenant.published, self.actor, self.language)

    @property
    def leads(self) -> bool:
        """Whether the visitor runs the network (has a level with administration)."""
        return self.tenant.published.access.administers(self.actor)

    def words(self, message: Message | Text | str) -> str:
        """Return a sentence of the product or a text of the pack, in the visitor's language."""
        return self.catalogue.words(message, *self.network.languages)

    def url(self, *parts: str, **query: str | int | None) -> str:
        """Return an address of this network: `url("e", "lead", id)`; `url("e", "lead", "")` ends with a slash."""
        return address(self.tenant.name, *parts, **query)


def address(network: str, *parts: str, **query: str | int | None) -> str:
    """Return an address below `/n/<network>/`; query values that are None or empty are left out."""
    path = "/n/" + "/".join([_quoted(part) for part in (network, *(parts or ("",)))])
    return with_query(path, query) if query else path


@lru_cache(maxsize=4096)
def _quoted(part: str) -> str:
    return quote(part, safe="")


def with_query(path: str, query: Mapping[str, str | int | None]) -> str:
    """Return the path with the query's values that are not empty."""
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path


def here(connection: HTTPConnection) -> Visit:
    """Return the visit of a request below `/n/<network>/`."""
    visit = connection.state.visit
    if not isinstance(visit, Visit):
        raise TypeError("only pages of a network have a visit")
    return visit
