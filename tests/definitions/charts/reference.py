"""Appendix D of the SCXML recommendation, written down as it stands there: what the interpreter is compared with."""

from __future__ import annotations

from definitions.charts.chart import ROOT, Arc, Chart, Node


class Reference:
    """The interpreter of the recommendation: its names, its order, nothing clever. It takes one event at a time."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.configuration: set[str] = set()
        self.history: dict[str, list[str]] = {}
        start = chart.nodes[ROOT].start
        assert start is not None
        self.enter_states([start])

    def node(self, name: str) -> Node:
        return self.chart.nodes[name]

    def ancestors(self, name: str, stop: str | None = None) -> list[str]:
        found: list[str] = []
        parent = self.node(name).parent
        while parent is not None and parent != stop:
            found.append(parent)
            parent = self.node(parent).parent
        return found

    def in_order(self, names: set[str]) -> list[str]:
        return [name for name in self.chart.nodes if name in names]

    def send(self, event: str) -> None:
        enabled = self.select_transitions(event)
        if enabled:
            self.exit_states(enabled)
            self.enter_states(enabled)

    def select_transitions(self, event: str) -> list[Arc]:
        enabled: list[Arc] = []
        for state in self.in_order({name for name in self.configuration if not self.node(name).children}):
            found = next(
                (
                    arc
                    for name in [state, *self.ancestors(state)]
                    for arc in self.node(name).arcs
                    if event in arc.events
                ),
                None,
            )
            if found is not None and found not in enabled:
                enabled.append(found)
        return self.remove_conflicting(enabled)

    def remove_conflicting(self, enabled: list[Arc]) -> list[Arc]:
        filtered: list[Arc] = []
        for one in enabled:
            preempted = False
            removed: list[Arc] = []
            for other in filtered:
                if self.exit_set([one]) & self.exit_set([other]):
                    if other.source in self.ancestors(one.source):
                        removed.append(other)
                    else:
                        preempted = True
                        break
            if not preempted:
                filtered = [arc for arc in filtered if arc not in removed]
                filtered.append(one)
        return filtered

    def exit_set(self, arcs: list[Arc]) -> set[str]:
        found: set[str] = set()
        for arc in arcs:
            if arc.targets:
                domain = self.domain(arc)
                found |= {name for name in self.configuration if domain in self.ancestors(name)}
        return found

    def domain(self, arc: Arc) -> str:
        targets = self.effective_targets(arc)
        inside = all(arc.source in self.ancestors(name) for name in targets)
        if arc.internal and self.node(arc.source).kind == "compound" and inside:
            return arc.source
        for name in self.ancestors(arc.source):
            if self.node(name).kind == "compound" and all(name in self.ancestors(target) for target in targets):
                return name
        raise AssertionError(arc)

    def effective_targets(self, arc: Arc) -> list[str]:
        found: list[str] = []
        for name in arc.targets:
            node = self.node(name)
            if node.kind != "history":
                found.append(name)
            elif name in self.history:
                found += self.history[name]
            else:
                assert node.start is not None
                found += self.effective_targets(node.start)
        return found

    def exit_states(self, arcs: list[Arc]) -> None:
        leaving = self.exit_set(arcs)
        for name in leaving:
            for history in self.node(name).histories:
                if self.node(history).deep:
                    kept = {each for each in self.configuration if not self.node(each).children}
                    kept = {each for each in kept if name in self.ancestors(each)}
                else:
                    kept = {each for each in self.configuration if self.node(each).parent == name}
                self.history[history] = self.in_order(kept)
        self.configuration -= leaving

    def enter_states(self, arcs: list[Arc]) -> None:
        entering: set[str] = set()
        for arc in arcs:
            if arc.targets:
                for name in arc.targets:
                    self.add_descendants(name, entering)
                domain = ROOT if arc.source == ROOT else self.domain(arc)
                for name in self.effective_targets(arc):
                    self.add_ancestors(name, domain, entering)
        self.configuration |= entering

    def add_descendants(self, name: str, entering: set[str]) -> None:
        node = self.node(name)
        if node.kind == "history":
            parent = node.parent or ROOT
            targets = self.history.get(name) or (list(node.start.targets) if node.start else [])
            for each in targets:
                self.add_descendants(each, entering)
            for each in targets:
                self.add_ancestors(each, parent, entering)
            return
        entering.add(name)
        if node.kind == "compound" and node.start is not None:
            for each in node.start.targets:
                self.add_descendants(each, entering)
            for each in node.start.targets:
                self.add_ancestors(each, name, entering)
        elif node.kind == "parallel":
            self.add_regions(name, entering)

    def add_ancestors(self, name: str, stop: str, entering: set[str]) -> None:
        for above in self.ancestors(name, stop):
            entering.add(above)
            if self.node(above).kind == "parallel":
                self.add_regions(above, entering)

    def add_regions(self, name: str, entering: set[str]) -> None:
        for child in self.node(name).children:
            if child not in entering and not any(child in self.ancestors(each) for each in entering):
                self.add_descendants(child, entering)
