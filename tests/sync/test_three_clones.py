"""Whatever the order of runs, clean-ups, fetches, pulls and pushes, three clones end in the same run cache: with every
record that nobody removed or that somebody uses, and with all that these records need."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pivot.state.record_closure import Name
from tests.support.repository import Repo
from tests.support.samples import record
from tests.sync.conftest import Clone, beside, name_of

NAMES = ("one", "two", "three")
WHO = st.sampled_from(NAMES)


class ThreeClones(RuleBasedStateMachine):
    """A server and three clones of it."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        place = Path(self.folder.name)
        server = Repo.init(place / "server.git", "--bare")
        self.clones = {name: Clone(server.clone(place / name)) for name in NAMES}
        self.made: set[Name] = set()
        self.removed: set[Name] = set()

    def teardown(self) -> None:
        if not hasattr(self, "clones"):
            return
        clones = list(self.clones.values())
        try:
            self.settle()
            for each in clones:
                assert self.made - self.removed <= each.names(), "a record was lost that nobody removed"
                assert set().union(*(one.used for one in clones)) <= each.names(), "a record was lost that is in use"
                assert self.needed(each.names()) <= each.beside(), "a source or a reach list was lost"
            self.clean_up()
        finally:
            for each in clones:
                each.backend.close()
            self.folder.cleanup()

    def settle(self) -> None:
        """Everybody pushes until nothing moves any more: what is in use somewhere has to travel once more."""
        for _ in range(3):
            for each in self.clones.values():
                each.state.push("origin")
        assert len({each.tree() for each in self.clones.values()}) == 1

    def clean_up(self) -> None:
        """When all have cleaned up, what somebody uses is left, and nothing beside it that it does not need."""
        used = set().union(*(each.used for each in self.clones.values()))
        for each in self.clones.values():
            each.used = used
            each.clean_up()
        self.settle()
        for each in self.clones.values():
            assert each.names() == used
            assert each.beside() == self.needed(used)

    def needed(self, names: set[Name]) -> set[str]:
        every = (record(number, result) for number in range(4) for result in "ab")
        return set().union(*(beside(one) for one in every if name_of(one) in names))

    @rule(who=WHO, number=st.integers(0, 3), result=st.sampled_from("ab"), second=st.integers(0, 9), used=st.booleans())
    def run(self, who: str, number: int, result: str, second: int, used: bool) -> None:
        self.clones[who].run(number, result, second, ("m",))
        self.made.add(name_of(record(number, result)))
        if used:
            self.clones[who].use(number, result)

    @rule(who=WHO)
    def remove(self, who: str) -> None:
        self.removed |= self.clones[who].clean_up()

    @rule(who=WHO)
    def fetch(self, who: str) -> None:
        self.clones[who].state.fetch("origin")

    @rule(who=WHO)
    def pull(self, who: str) -> None:
        self.clones[who].state.pull("origin")

    @rule(who=WHO)
    def shorten(self, who: str) -> None:
        assert not self.clones[who].state.shorten("origin", "gc").refused

    @rule(who=WHO)
    def push(self, who: str) -> None:
        assert not self.clones[who].state.push("origin").refused


TestThreeClones = ThreeClones.TestCase
TestThreeClones.settings = settings(max_examples=8, stateful_step_count=10, deadline=None)
