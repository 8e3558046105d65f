"""Which stretches of a series to delete, so that only chosen points go."""

from collections.abc import Container, Iterable, Iterator, Mapping

from pipeline.store.influx import influxql


def runs(times: Iterable[int], chosen: Container[int]) -> Iterator[tuple[int, int]]:
    """First and last of each unbroken run of chosen times. `times`: ascending, of every point."""
    first = last = None
    for time in times:
        if time in chosen:
            first, last = time if first is None else first, time
        elif first is not None and last is not None:
            yield first, last
            first = None
    if first is not None and last is not None:
        yield first, last


def deletions(
    measurement: str, tags: Mapping[str, str], times: Iterable[int], chosen: Container[int]
) -> Iterator[str]:
    """Statements that delete the chosen points of the series with these tags; an absent tag is ''.

    InfluxQL deletes by time and tags alone. A run of points goes by one statement.
    """
    series = " AND ".join(
        f"{influxql.name(name)} = {influxql.text(value)}" for name, value in tags.items()
    )
    for first, last in runs(times, chosen):
        yield (
            f"DELETE FROM {influxql.name(measurement)} WHERE {series} "  # noqa: S608 - quoted
            f"AND time >= {influxql.time(first)} AND time <= {influxql.time(last)}"
        )
