"""All usage that a store holds, to compare."""

from typing import get_args

import pandas as pd

from pipeline.store.base import ApLevel, Level, Store

EVER = (0, 2**45)
StoredUsage = dict[str, pd.DataFrame]


def stored_usage(store: Store) -> StoredUsage:
    """By level, of sites and of access points."""
    found = {level: store.read_usage(level, *EVER) for level in get_args(Level)}
    return found | {f"ap {x}": store.read_ap_usage(x, *EVER) for x in get_args(ApLevel)}


def assert_same_usage(found: StoredUsage, expected: StoredUsage) -> None:
    """To the last bit, types included."""
    assert found.keys() == expected.keys()
    for level, usage in expected.items():
        pd.testing.assert_frame_equal(found[level], usage, obj=level)
    assert len(expected["15min"])
