"""Labels of points: names beside them, or numbers and a key; they never hit each other or a point."""

from itertools import combinations

import pytest

from bench.present.plots import scatter
from bench.present.plots.scatter import Dot

SPREAD = [(1.0, 1.0), (1.0, 3.0), (4.0, 2.0)]
CLOSE = [(1.0, 1.0), (1.05, 1.02), (4.0, 2.0)]


def dots(points):
    return [Dot(f"a-rather-long-name-{index}", *point) for index, point in enumerate(points)]


def numbers(points):
    return scatter._numbers(dots(points), points)


def test_names_that_have_room_are_beside_their_points():
    assert [label.text for label in scatter._names(dots(SPREAD), SPREAD)] == [dot.label for dot in dots(SPREAD)]


def test_names_that_would_collide_make_room_for_numbers():
    assert scatter._names(dots(CLOSE), CLOSE) is None


def test_points_too_near_for_numbers_of_their_own_share_them():
    assert [label.text for label in numbers(CLOSE)] == ["1-2", "3"]


def test_points_in_one_place_have_one_label():
    assert [label.text for label in numbers([(2.0, 2.0)] * 4)] == ["1-4"]


def test_no_label_of_a_crowd_hits_another():
    grid = [(0.3 + 0.31 * column, 0.2 + 0.17 * row) for column in range(12) for row in range(12)]
    labels = numbers(sorted(grid))
    assert [pair for pair in combinations(labels, 2) if scatter._hit(pair[0].box, pair[1].box)] == []


def test_a_point_without_a_name_has_no_number():
    points = [(1.0, 1.0), (4.0, 2.0)]
    assert [label.text for label in scatter._numbers([Dot("", *points[0]), Dot("b", *points[1])], points)] == ["1"]


def test_at_the_right_edge_a_label_is_to_the_left_of_its_point():
    label = scatter._beside("a name", [(6.5, 1.0)])
    assert label.box[2] < 6.5


@pytest.mark.parametrize(
    ("indices", "text"), [([0], "1"), ([0, 1], "1-2"), ([0, 2, 3, 4, 8], "1, 3-5, 9")]
)
def test_consecutive_numbers_are_a_range(indices, text):
    assert scatter._ranges(indices) == text
