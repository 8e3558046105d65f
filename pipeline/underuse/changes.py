"""What a new week's assessments change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.underuse.assess import Assessment, Verdict


@dataclass(frozen=True, slots=True)
class Change:
    """A site whose verdict is another than the week before."""

    site: str
    before: Verdict
    after: Verdict


def changes(before: Sequence[Assessment], after: Sequence[Assessment]) -> Iterator[Change]:
    """Compare two weeks, in the order of the later one. A site known in one only is no change."""
    former = {found.site: found.verdict for found in before}
    for found in after:
        verdict = former.get(found.site, found.verdict)
        if verdict != found.verdict:
            yield Change(found.site, verdict, found.verdict)
