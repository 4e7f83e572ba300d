"""The tools, one module each."""

from __future__ import annotations

from benchmarks.compare.peer import Peer
from benchmarks.compare.peers import doit, dvc, make, pivot, pytask, redun, snakemake

PEERS: tuple[Peer, ...] = (pivot.PEER, dvc.PEER, snakemake.PEER, redun.PEER, doit.PEER, pytask.PEER, make.PEER)
