"""The second import of a pipeline file, in a process of its own: tells what digest each value has there."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pivot.code.analysis.analyse import walk
from pivot.code.importing.open_pipeline import open_pipeline


def main() -> None:
    """Write `{key: digest}` of all values reached to stdout.

    Arguments are the repository, the file, what counts outside it, and two variables. Of these the process has values
    of its own, which a module that copies the whole environment must not see.
    """
    root, file, outside = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    environment = json.loads(sys.argv[4])
    for name in ("PYTHONHASHSEED", "PYTHONPATH"):
        os.environ.pop(name, None)
        if name in environment:
            os.environ[name] = environment[name]
    sys.argv[:] = [file]
    out = os.dup(1)
    walked = walk(*open_pipeline(root, file, outside=outside))
    told = {key: node.digest for key, (node, _) in walked.walker.values.items()}
    with os.fdopen(out, "w", encoding="utf-8") as stream:
        json.dump(told, stream)
    sys.stdout.flush()
    os._exit(0)  # threads of the import must not keep this process
