"""What holds for every remote, whatever leads to it."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pivot.errors import DamagedObject, MissingObject, RemoteError
from pivot.git.odb.backend import TREE
from pivot.store import Object, Store
from pivot.store.odb.store_format import FILE, LINE
from pivot.sync.transfer.prune_remote import Cleaned, Terms
from tests.store.shelf import git, snapshot
from tests.support.folders import FOREIGN, bare, code, old_store
from tests.sync.conftest import make_host
from tests.sync.hosts import OUTPUT, Clones, Host, root


def test_what_is_pushed_can_be_pulled_and_nothing_moves_twice(host: Host, clones: Clones) -> None:
    one, two = clones.store("one"), clones.store("two")
    held = clones.put(one, OUTPUT)
    assert host.push(one, held) > 0
    host.assert_sound(held)
    assert host.push(one, held) == 0
    assert host.pull(two, held) > 0
    assert two.has(held) and two.verify(held) == []
    assert host.pull(two, held) == 0


def test_one_output_of_many_is_fetched_alone(host: Host, clones: Clones) -> None:
    one, two = clones.store("one"), clones.store("two")
    many = [clones.put(one, {"a": b"%d" % number * 1000}, f"out{number}") for number in range(5)]
    host.push(one, *many)
    host.pull(two, many[3])
    assert [two.has(held) for held in many] == [False, False, False, True, False]


def test_a_path_inside_a_directory_is_fetched_without_the_rest(host: Host, clones: Clones) -> None:
    one, two = clones.store("one"), clones.store("two")
    held = clones.put(one, OUTPUT)
    host.push(one, held)
    with host.transfer(two) as transfer:
        inside = transfer.find(root(held), "part/007.csv")
        assert inside is not None
        transfer.receive(transfer.plan_receive([inside]))
    assert two.read(inside.id) == OUTPUT["part"]["007.csv"]  # type: ignore[index]
    assert not two.has(held)


def test_a_plan_says_what_will_move(host: Host, clones: Clones) -> None:
    one, two = clones.store("one"), clones.store("two")
    held = clones.put(one, OUTPUT)
    with host.transfer(one) as transfer:
        plan = transfer.plan_send([root(held)])
        assert (plan.objects, len(plan.large)) == (125, 1)
        transfer.send(plan)
        assert transfer.there([root(held)]) == {held.id}
    with host.transfer(two) as transfer:
        assert transfer.missing_here([root(held)]) == [root(held)]
        coming = transfer.plan_receive([root(held)])
        assert (coming.objects, len(coming.large)) == (125, 1)
        assert coming.bytes >= held.size


def test_a_new_version_moves_as_what_differs(host: Host, clones: Clones) -> None:
    one, two = clones.store("one"), clones.store("two")
    lines = [b"%d,%d\n" % (number, number * number % 9973) for number in range(9000)]
    old = clones.put(one, {"table.csv": b"".join(lines)})
    tree = Object(one.put_tree({"out": old}), TREE, 0)
    host.push(one, tree)
    host.pull(two, tree)
    lines[4000] = b"changed\n"
    new = clones.put(one, {"table.csv": b"".join(lines)}, "new")
    with host.transfer(one) as transfer:
        assert transfer.send(transfer.plan_send([root(new)], [tree.id])).wire < 1000
    with host.transfer(two) as transfer:
        assert transfer.receive(transfer.plan_receive([root(new)], [tree.id])).wire < 1000
    host.assert_sound(old, new)
    assert two.verify(new) == []


def test_what_nobody_pushed_is_missing_in_a_sentence(host: Host, clones: Clones) -> None:
    one, two = clones.store("one"), clones.store("two")
    host.push(one, clones.put(one, b"pushed"))
    with pytest.raises(MissingObject, match="lab does not have"):
        host.pull(two, Object("a" * 40, 0o100644, 0))


def test_a_remote_that_nobody_has_pushed_to_says_so(host: Host, clones: Clones) -> None:
    with pytest.raises(RemoteError, match="there is no store at"):
        host.pull(clones.store("two"), Object("a" * 40, 0o100644, 0))


def test_a_folder_with_other_things_in_it_is_left_alone(host: Host, clones: Clones) -> None:
    host.store.mkdir(parents=True)
    (host.store / "thesis.tex").write_text("precious")
    one = clones.store("one")
    with pytest.raises(RemoteError, match="other things in it"):
        host.push(one, clones.put(one, b"pushed"))
    assert [path.name for path in host.store.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN)
def test_what_is_no_store_is_refused_before_anything_is_written_there(
    tmp_path: Path, keys: Path, clones: Clones, make: Callable[[Path], object]
) -> None:
    """The programs on the host are the same on every way; `test_a_code_repository...` goes all of them."""
    refuses_everything(make_host("directory", tmp_path, keys), clones, make)


def test_a_code_repository_as_a_remote_is_left_alone(host: Host, clones: Clones) -> None:
    refuses_everything(host, clones, FOREIGN["a bare repository with a branch"])


def refuses_everything(host: Host, clones: Clones, make: Callable[[Path], object]) -> None:
    """Neither a push nor a pull nor a clean-up writes to what is no store."""
    host.store.parent.mkdir(parents=True, exist_ok=True)
    make(host.store)
    before = snapshot(host.store)
    one = clones.store("one")
    held = clones.put(one, b"pushed")
    is_none = pytest.raises(RemoteError, match=r"not a store of outputs|later version|no store at")
    with is_none:
        host.push(one, held)
    with is_none:
        host.pull(clones.store("two"), Object("a" * 40, 0o100644, 0))
    with is_none, host.transfer(one) as transfer:
        transfer.clean([], Terms(frozenset(), 0, False))
        transfer.remote.create()
    assert snapshot(host.store) == before


def test_an_empty_bare_repository_and_an_older_store_become_remotes(host: Host, clones: Clones) -> None:
    one = clones.store("one")
    held = clones.put(one, OUTPUT)
    for make in (bare, old_store):
        shutil.rmtree(host.store, ignore_errors=True)
        make(host.store)
        assert host.push(one, held) > 0
        host.assert_sound(held)
        assert (host.store / FILE).read_text() == f"{LINE}\n"
        assert (host.store / "config").read_text().count("preciousObjects") == 1


def test_code_that_was_pushed_to_a_remote_is_not_cleaned_up(host: Host, clones: Clones, tmp_path: Path) -> None:
    one = clones.store("one")
    host.push(one, clones.put(one, b"pushed"))
    repository = code(tmp_path / "code")
    subprocess.run(["git", "-C", repository, "push", "-q", host.store, "main"], check=True)
    with pytest.raises(RemoteError, match="branches or tags"), host.transfer(one) as transfer:
        transfer.clean([], Terms(frozenset(), 0, False))
    assert git("--git-dir", str(host.store), "log", "--format=%s").stdout == "theirs\n"


def test_an_object_swapped_on_the_host_is_not_delivered(host: Host, clones: Clones) -> None:
    one, two = clones.store("one"), clones.store("two")
    right, other = clones.put(one, b"the right bytes"), clones.put(one, b"somebody else's", "other")
    host.push(one, right, other)
    loose = host.store / "objects"
    places = [loose / held.id[:2] / held.id[2:] for held in (right, other)]
    places[0].chmod(0o644)
    places[0].write_bytes(places[1].read_bytes())
    with pytest.raises(DamagedObject, match="other bytes under the name"):
        host.pull(two, right)
    assert not two.has(right)


@pytest.mark.parametrize("wrong", [b"short", bytes(reversed(range(256))) * (3 << 12) + b"end"])
def test_a_large_file_damaged_on_the_host_is_not_delivered(host: Host, clones: Clones, wrong: bytes) -> None:
    one, two = clones.store("one"), clones.store("two")
    held = clones.put(one, OUTPUT)
    host.push(one, held)
    (large,) = (path for path in (host.store / "large").rglob("*") if path.is_file())
    large.chmod(0o644)
    large.write_bytes(wrong)
    with pytest.raises((DamagedObject, MissingObject)):
        host.pull(two, held)
    assert not two.has(held)


def test_check_writes_and_reads_a_probe_and_leaves_nothing(host: Host) -> None:
    remote = host.connect()
    assert "git version" in remote.check()
    remote.close()
    assert list((host.store / "tmp").iterdir()) == []


DAYS = 86_400


def test_a_clean_up_leaves_what_is_needed_young_or_marked(host: Host, clones: Clones) -> None:
    one = clones.store("one")
    needed, dead = clones.put(one, OUTPUT), clones.put(one, {"a": b"dead", "b": OUTPUT["large"] + b"!"}, "dead")  # type: ignore[operator]
    host.push(one, needed)
    host.push(one, dead)
    assert clean(host, one, needed, age=DAYS).objects == 0
    assert clean(host, one, needed).objects == 0
    host.age_marks()
    would = clean(host, one, needed, dry_run=True)
    assert (would.objects, would.large) == (3, 1)
    assert clean(host, one, needed) == would
    host.assert_sound(needed)
    assert not Store.open(host.store).has(dead)
    assert clean(host, one, needed) == Cleaned()
    assert not list(host.store.glob("objects/pack/tmp_*")) + list(host.store.glob("tmp/*"))


def test_packs_are_written_anew_without_what_is_dead(host: Host, clones: Clones) -> None:
    one, two = clones.store("one"), clones.store("two")
    needed, dead = (
        clones.put(one, {f"{n}": b"%d%s" % (n, word) for n in range(150)}, word.decode())
        for word in (b"needed", b"dead")
    )
    host.push(one, needed, dead)
    host.age_marks()
    assert clean(host, two, needed).objects == 151
    assert host.packed() == 151
    host.assert_sound(needed)


def test_who_relies_on_what_a_clean_up_takes_for_dead_keeps_it(host: Host, clones: Clones) -> None:
    one = clones.store("one")
    held = clones.put(one, OUTPUT)
    host.push(one, held)
    host.age_marks()
    assert host.push(one, held) == 0
    (host.store / "recent/.nfs000a").touch()
    clean(host, one)
    host.assert_sound(held)


def test_who_planned_before_a_clean_up_sends_what_it_took(host: Host, clones: Clones) -> None:
    one = clones.store("one")
    held, other = clones.put(one, OUTPUT), clones.put(one, {**OUTPUT, "more": b"more"}, "other")
    host.push(one, held)
    host.age_marks()
    with host.transfer(one) as transfer:
        plan = transfer.plan_send([root(other)], standing=[root(held)])
        host.age_marks()
        clean(host, one)
        transfer.send(plan)
    host.assert_sound(held, other)


def test_a_pusher_waits_for_a_clean_up_and_looks_twice_after_one_that_was_cut_off(host: Host, clones: Clones) -> None:
    one = clones.store("one")
    held = clones.put(one, OUTPUT)
    host.push(one, held)
    remote = host.connect()
    with pytest.raises(KeyboardInterrupt), remote.upkeep.cleaning() as cleaning:
        pusher = threading.Thread(target=host.push, args=(one, held))
        pusher.start()
        cleaning.remove([one.path for one in remote.upkeep.files(0) if one.path.startswith("large/")])
        assert pusher.is_alive()
        raise KeyboardInterrupt
    pusher.join()
    remote.close()
    host.assert_sound(held)
    clean(host, one, held)
    assert not (host.store / "collecting").exists()


def clean(host: Host, store: Store, *held: Object, age: float = 0, dry_run: bool = False) -> Cleaned:
    with host.transfer(store) as transfer:
        return transfer.clean([root(one) for one in held], Terms(frozenset(), age, dry_run))
