"""Frames of samples, as `Store` gives them, turned back into readings."""

from collections.abc import Iterator

import pandas as pd

from collectors.reading import Reading
from pipeline.store.schema import SAMPLE_COLUMNS


def readings_of(samples: pd.DataFrame) -> Iterator[Reading]:
    """The rows of a frame, in their order; NA becomes None."""
    columns = [
        samples[name].to_numpy(object, na_value=None).tolist()  # type: ignore[call-overload]  # None is left out of its stub
        for name in SAMPLE_COLUMNS
    ]
    return map(Reading._make, zip(*columns, strict=True))
