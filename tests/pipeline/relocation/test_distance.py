import numpy as np
import pytest

from pipeline.relocation.distance import distances_m, position


def test_a_degree_of_latitude_and_a_known_journey() -> None:
    # The mean length of a degree is 111.195 km; Brussels to Charleroi, town halls, about 49 km.
    (row,) = distances_m([(50.0, 4.0)], [(51.0, 4.0), (50.0, 4.0)])
    assert row == pytest.approx([111_195, 0], abs=1)
    brussels, charleroi = (50.8467, 4.3525), (50.4114, 4.4446)
    assert distances_m([brussels], [charleroi])[0, 0] == pytest.approx(48_800, rel=0.01)


def test_far_north_a_degree_of_longitude_is_shorter() -> None:
    assert distances_m([(60.0, 4.0)], [(60.0, 5.0)])[0, 0] == pytest.approx(111_195 / 2, rel=1e-3)


def test_an_unknown_position_is_at_no_distance() -> None:
    assert position(50.0, None) is None
    assert np.isnan(distances_m([None], [(50.0, 4.0)])).all()
    assert distances_m([], [(50.0, 4.0)]).shape == (0, 1)
