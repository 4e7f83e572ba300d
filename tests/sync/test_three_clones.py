"""Whatever the order of runs, fetches, pulls and pushes, three clones end in the same run cache, with every record."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pivot.git.records import Record
from tests.git.samples import record
from tests.support.repository import Repo
from tests.sync.conftest import Clone

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
        self.made: list[Record] = []

    def teardown(self) -> None:
        if not hasattr(self, "clones"):
            return
        for _ in range(2):
            for each in self.clones.values():
                each.state.push("origin")
        trees = {each.tree() for each in self.clones.values()}
        missing = [one for one in self.made for each in self.clones.values() if not each.knows(one)]
        for each in self.clones.values():
            each.backend.close()
        self.folder.cleanup()
        assert len(trees) == 1
        assert not missing

    @rule(who=WHO, number=st.integers(0, 3), result=st.sampled_from("ab"), second=st.integers(0, 9))
    def run(self, who: str, number: int, result: str, second: int) -> None:
        self.clones[who].run(number, result, second)
        self.made.append(record(number, result))

    @rule(who=WHO)
    def fetch(self, who: str) -> None:
        self.clones[who].state.fetch("origin")

    @rule(who=WHO)
    def pull(self, who: str) -> None:
        self.clones[who].state.pull("origin")

    @rule(who=WHO)
    def push(self, who: str) -> None:
        assert not self.clones[who].state.push("origin").refused


TestThreeClones = ThreeClones.TestCase
TestThreeClones.settings = settings(max_examples=8, stateful_step_count=10, deadline=None)
