"""Labels of points: names beside them, or numbers and a key; they never hit each other or a point."""

from itertools import combinations

import pytest

from bench.present.plots import scatter
from bench.present.plots.scatter import Dot

SPREAD = [(1.0, 1.0), (1.0, 3.0), (4.0, 2.0)]
CLOSE = [(1.0, 1.0), (1.05, 1.02), (4.0, 2.0)]


NAMES = [f"a-rather-long-name-{index}" for index in range(3)]


def numbers(points):
    return [text for text, _ in scatter._numbers(points)]


def test_names_that_have_room_are_beside_their_points():
    assert [text for text, _ in scatter._labels(NAMES, SPREAD)] == NAMES


def test_names_that_would_collide_make_room_for_numbers():
    assert scatter._labels(NAMES, CLOSE) is None


def test_points_too_near_for_numbers_of_their_own_share_them():
    assert numbers(CLOSE) == ["1-2", "3"]


def test_points_in_one_place_have_one_label():
    assert numbers([(2.0, 2.0)] * 4) == ["1-4"]


def test_no_label_of_a_crowd_hits_another():
    grid = [(0.3 + 0.31 * column, 0.2 + 0.17 * row) for column in range(12) for row in range(12)]
    boxes = [box for _, box in scatter._numbers(sorted(grid))]
    assert [pair for pair in combinations(boxes, 2) if scatter._hit(*pair)] == []


def test_only_points_with_a_name_have_a_number():
    dots = [Dot("", 1.0, 1.0), Dot("b", 4.0, 2.0)]
    assert scatter._in_inches(dots, ((0.0, 8.0), (0.0, 4.0)), 4.0) == [(3.3, 2.0)]


def test_at_the_right_edge_a_label_is_to_the_left_of_its_point():
    _, box = scatter._beside("a name", [(6.5, 1.0)])
    assert box[2] < 6.5


@pytest.mark.parametrize(("indices", "text"), [([0], "1"), ([0, 1], "1-2"), ([0, 2, 3, 4, 8], "1, 3-5, 9")])
def test_consecutive_numbers_are_a_range(indices, text):
    assert scatter._ranges(indices) == text
