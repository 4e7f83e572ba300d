"""The change-detection table: kind of reach, source, edit, stages that must run."""

from tests.code.catalogue import (
    adversarial,
    callables,
    classes,
    constants,
    declared,
    functions,
    held,
    hidden,
    libraries,
    modules,
    newer,
    outside,
    services,
    styles,
    unreached,
)
from tests.code.catalogue.row import Row

ROWS: list[Row] = [
    *functions.ROWS,
    *modules.ROWS,
    *classes.ROWS,
    *callables.ROWS,
    *constants.ROWS,
    *declared.ROWS,
    *unreached.ROWS,
    *adversarial.ROWS,
    *held.ROWS,
    *hidden.ROWS,
    *services.ROWS,
    *styles.ROWS,
    *libraries.ROWS,
    *newer.ROWS,
    *outside.ROWS,
]

__all__ = ["ROWS", "Row"]
