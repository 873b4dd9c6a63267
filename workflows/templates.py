"""Templates: sandboxed Jinja over Markdown, compiled once a version and language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2 import Template as Compiled
from jinja2.filters import FILTERS

from definitions.spec.network import Network
from definitions.spec.template import Template
from models.formats import Formats, locale_of
from models.published import Published
from models.sandbox import Sandbox
from models.shown import Eye
from models.titles import TEXT_FILTERS
from workflows import markdown, moulds
from workflows.layout import Layout, compile_layout


class RenderError(Exception):
    """A template that could not be rendered; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A message with its places filled: a line of text, and Markdown, or what `moulds` makes that of."""

    subject: str
    written: str | tuple[str, ...]

    @property
    def body(self) -> str:
        """The message as Markdown."""
        return self.written if isinstance(self.written, str) else moulds.as_markdown(self.written)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message, ready to be sent."""

    subject: str
    html: str
    text: str


def sandbox(formats: Formats, finalize: Callable[[Any], str]) -> Sandbox:
    """Return the Jinja of messages: values are written through `finalize`, dates and the like as `formats` has them."""
    filters = {name: FILTERS[name] for name in TEXT_FILTERS} | dict(formats.filters())
    return Sandbox(filters, undefined=StrictUndefined, finalize=finalize, autoescape=False, trim_blocks=False)


@dataclass(frozen=True, slots=True)
class Tongue:
    """What rendering in one language needs: `bodies` for moulds, `captured` for texts that look at parts of theirs."""

    eye: Eye
    formats: Formats
    lines: Sandbox
    bodies: Sandbox
    captured: Sandbox
    layout: Layout


class TemplateSet:
    """The templates of one published version."""

    def __init__(self, network: Network) -> None:
        """Compile for `network`, when first needed."""
        self.network = network
        self._tongues: dict[str, Tongue] = {}
        self._compiled: dict[tuple[str, str], tuple[Compiled, Compiled]] = {}
        self._reads: dict[str, frozenset[tuple[str, ...]]] = {}

    def tongue(self, language: str) -> Tongue:
        """Return what rendering in `language` needs."""
        if language not in self._tongues:
            self._tongues[language] = self._make(language)
        return self._tongues[language]

    def language(self, wanted: str | None) -> str:
        """Return `wanted` when the network speaks it, else the network's first."""
        languages = self.network.languages
        return wanted if wanted in languages else languages[0]

    def reads(self, name: str) -> frozenset[tuple[str, ...]]:
        """Return the paths that the template selects in any language: `("record", "company", "name")`."""
        if name not in self._reads:
            template = self.network.templates[name]
            texts = [*template.body.values.values(), *(template.subject.values.values() if template.subject else ())]
            parse = self.tongue(self.network.languages[0]).lines.parse
            written = (path for text in texts for path in _paths(parse(text)))
            self._reads[name] = frozenset((*written, *template.reads))  # loops are known to the checker alone
        return self._reads[name]

    def fill(self, name: str, language: str, names: Mapping[str, Any]) -> Filled:
        """Return the message as it was written, filled; `RenderError` when a variable is not there."""
        tongue = self.tongue(language)
        subject, body = self._pair(self.network.templates[name], tongue)
        try:
            line = " ".join(tongue.lines.fill(subject, names).split())
            written = tongue.bodies.fill(body, names)
            return Filled(line, moulds.pieces(written) if body.environment is tongue.bodies else written)
        except (TemplateError, ArithmeticError, TypeError, ValueError, AttributeError) as error:
            raise RenderError(f"{name} ({language}): {error}") from error

    def laid_out(self, filled: Filled, language: str, foot: str = "") -> Rendered:
        """Return a message as an e-mail; `foot` is Markdown below it."""
        layout, written = self.tongue(language).layout, filled.written
        body, plain = moulds.made(layout, written) if isinstance(written, str) else moulds.laid_out(layout, written)
        below, said = _foot(foot)
        text = f"{plain}\n-- \n{said}" if foot else plain
        return Rendered(filled.subject, layout.around(body, below), text)

    def render(self, name: str, language: str, names: Mapping[str, Any], foot: str = "") -> Rendered:
        """Return the message as an e-mail; `RenderError` when a variable is not there."""
        return self.laid_out(self.fill(name, language, names), language, foot)

    def _pair(self, template: Template, tongue: Tongue) -> tuple[Compiled, Compiled]:
        key = (template.name, tongue.eye.language)
        if key not in self._compiled:
            languages = (tongue.eye.language, *self.network.languages)
            subject = template.subject.pick(*languages) if template.subject else ""
            body = template.body.pick(*languages)
            captures = next(tongue.bodies.parse(body).find_all(_CAPTURING), None) is not None
            bodies = tongue.captured if captures else tongue.bodies
            self._compiled[key] = (tongue.lines.from_string(subject), bodies.from_string(body))
        return self._compiled[key]

    def _make(self, language: str) -> Tongue:
        network = self.network
        locale = locale_of(language, network.countries)
        formats = Formats(locale, ZoneInfo(network.timezone), network.currency)
        return Tongue(
            eye=Eye(network, language, locale),
            formats=formats,
            lines=sandbox(formats, formats.plain),
            bodies=sandbox(formats, lambda value: moulds.marked(formats.plain(value))),
            captured=sandbox(formats, lambda value: markdown.escape(formats.plain(value))),
            layout=compile_layout(network.label.pick(language, *network.languages), network.hue, language),
        )


_CAPTURING: tuple[type[nodes.Node], ...] = (nodes.AssignBlock, nodes.FilterBlock, nodes.CallBlock, nodes.Macro)
"""What looks at parts of the text while it is made: values stand in it as they will be read."""
_PARAGRAPH = re.compile(r"^<p>(.*)</p>\s*$", re.DOTALL)


@lru_cache(maxsize=256)
def _foot(text: str) -> tuple[str, str]:
    """Return the foot as HTML without a paragraph of its own, and as text; many mails share theirs."""
    html, plain = markdown.both(text)
    found = _PARAGRAPH.match(html)
    return (found[1] if found else html), plain


def _paths(tree: nodes.Template) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for node in tree.find_all(nodes.Getattr):
        path: list[str] = []
        inner: nodes.Node = node
        while isinstance(inner, nodes.Getattr):
            path.insert(0, inner.attr)
            inner = inner.node
        if isinstance(inner, nodes.Name):
            found.add((inner.name, *path))
    return found


@lru_cache(maxsize=256)
def template_set(published: Published) -> TemplateSet:
    """Return the templates of a version, compiled when first needed."""
    return TemplateSet(published.network)
