import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from snippets.foundations import (
    Bend,
    Function,
    Line,
    Mixed,
    Pockets,
    bowl,
    clip_each,
    draw_boxes,
    draw_cells,
    draw_names,
    numeric_slope,
    slope,
)
from tests.story import Names, execute, statements


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def boxes(axes: Axes) -> list[Rectangle]:
    return [box for box in axes.patches if isinstance(box, Rectangle)]


@pytest.mark.parametrize("shape", [(3, 1), (1, 4), (3, 4)])
def test_cells_outside_of_the_own_shape_are_dotted(
    shape: tuple[int, int],
) -> None:
    table = np.broadcast_to(np.arange(np.prod(shape)).reshape(shape), (3, 4))
    axes = plt.figure().subplots()
    draw_cells(axes, tf.constant(table, tf.float32), [*shape])
    assert texts(axes) == [str(value) for value in table.flat]
    own = [box.get_linestyle() in ("-", "solid") for box in boxes(axes)]
    places = itertools.product(range(3), range(4))
    assert own == [r < shape[0] and c < shape[1] for r, c in places]


def test_each_number_stands_inside_its_cell() -> None:
    axes = plt.figure().subplots()
    draw_cells(axes, tf.ones((2, 3)), [2, 3])
    for text, box in zip(axes.texts, boxes(axes), strict=True):
        assert box.get_bbox().contains(*text.xy)  # type: ignore[attr-defined]
    assert len(axes.texts) == 6


def test_names_point_to_what_they_stand_for() -> None:
    axes = plt.figure().subplots()
    things = [tf.constant(4.0), tf.Variable(5.0)]
    draw_names(axes, {"w": 1, "kept": 0}, things)
    assert texts(axes) == ["w", "kept", "Tensor 4.0", "Variable 5.0"]
    heights = [text.xy[1] for text in axes.texts]  # type: ignore[attr-defined]
    assert heights == [1, 0, 0, 1]


def test_boxes_hold_the_variables_from_their_first_to_their_last() -> None:
    draw_boxes(Bend(), {"model": (0, 4), "first": (1, 2), "second": (3, 4)})
    axes = plt.gcf().axes[0]
    assert texts(axes) == [
        *("0\nscale", "1\nb", "2\nw", "3\nb", "4\nw"),
        *("model", "first", "second"),
    ]
    inside = [
        [place for place in range(5) if box.get_bbox().contains(place, 0)]
        for box in boxes(axes)
    ]
    assert inside == [[0, 1, 2, 3, 4], [1, 2], [3, 4]]
    # A filled box would hide what is in it.
    assert not any(box.get_fill() for box in boxes(axes))


@pytest.mark.parametrize("w", [-2.0, 0.0, 1.0, 3.5])
def test_the_slope_of_the_bowl_is_its_derivative(w: float) -> None:
    assert float(bowl(tf.constant(w))) == pytest.approx((w - 1) ** 2)
    assert float(slope(bowl, tf.Variable(w))) == pytest.approx(2 * (w - 1))


def test_the_slope_has_the_shape_of_the_variable() -> None:
    w = tf.Variable([[0.0, 1.0, 2.0]])
    np.testing.assert_allclose(slope(bowl, w), [[-2.0, 0.0, 2.0]], atol=1e-6)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_a_line_agrees_with_numpy(shape: tuple[int, ...]) -> None:
    x = np.linspace(-1, 1, math.prod(shape)).reshape(shape)
    line = Line("line")
    line.w.assign(-3.0)
    line.b.assign(0.5)
    predictions = line(tf.constant(x, tf.float32))
    assert predictions.shape == shape
    np.testing.assert_allclose(predictions, -3.0 * x + 0.5, atol=1e-6)


def test_a_line_finds_its_two_variables_by_their_scope() -> None:
    line = Line("steep")
    assert [v.name for v in line.variables] == ["steep/b:0", "steep/w:0"]
    assert line.trainable_variables == line.variables


def test_a_bend_agrees_with_numpy() -> None:
    model = Bend()
    for variable, value in zip(
        model.variables, [0.5, -1.0, 3.0, 2.0, -4.0], strict=True
    ):
        variable.assign(value)
    x = np.linspace(-2, 2, 9)
    expected = 0.5 * (-4.0 * np.maximum(3.0 * x - 1.0, 0.0) + 2.0)
    np.testing.assert_allclose(
        model(tf.constant(x, tf.float32)), expected, atol=1e-5
    )


def test_a_module_lists_its_own_variables_before_those_of_its_modules() -> (
    None
):
    assert [v.name for v in Bend().variables] == [
        *("scale:0", "first/b:0", "first/w:0", "second/b:0", "second/w:0")
    ]


def test_a_module_still_does_not_collect_a_layer_of_keras() -> None:
    mixed = Mixed()
    [only] = mixed.variables
    assert only is mixed.scale
    assert len(mixed.dense.trainable_variables) == 2


@pytest.mark.parametrize(
    ("function", "w", "truth"),
    [
        (tf.sin, 1.0, math.cos(1.0)),
        (tf.exp, 0.5, math.exp(0.5)),
        (bowl, 3.0, 4.0),
    ],
)
def test_the_slope_from_two_values_is_better_in_float64(
    function: Function, w: float, truth: float
) -> None:
    single = numeric_slope(function, w, tf.float32)
    double = numeric_slope(function, w, tf.float64)
    tape = float(slope(function, tf.Variable(w, dtype=tf.float64)))
    assert single == pytest.approx(truth, abs=1e-2)
    assert double == pytest.approx(truth, abs=1e-7)
    assert tape == pytest.approx(truth, abs=1e-12)
    assert abs(double - truth) < abs(single - truth)


def test_pockets_are_found_but_for_a_constant_and_a_closure() -> None:
    pockets = Pockets()
    named = {v.name for v in pockets.variables}
    assert named == {"frozen:0", "listed:0", "mapped:0", "plain:0"}
    trainable = {v.name for v in pockets.trainable_variables}
    assert trainable == named - {"frozen:0"}
    function: Function = pockets.function
    assert float(function(tf.constant(3.0))) == 3.0


def test_gradients_of_parts_add_up_in_a_graph_and_outside() -> None:
    names: Names = {"tf": tf, "w": tf.Variable(3.0)}
    for section in ("summed_in_graph", "added_in_graph"):
        execute("foundations", statements("foundations", section), names)
    under_one, added = names["gradient_of_sum"], names["sum_of_gradients"]
    for function in (under_one.python_function, added.python_function, added):
        assert float(function()) == 2.0 + 3.0
    assert under_one() is None


def test_gradients_go_through_noise_and_not_through_a_draw() -> None:
    names: Names = {"tf": tf, "np": np}
    execute("foundations", statements("foundations", "drawn_by_numpy"), names)
    assert names["gradients"] == [None, None]
    execute("foundations", statements("foundations", "reparameterized"), names)
    z, noise = float(names["z"]), float(names["noise"])
    assert z == pytest.approx(1.0 + 0.5 * noise, abs=1e-6)
    found = [float(gradient) for gradient in names["gradients"]]
    assert found == pytest.approx([2 * z, 2 * z * noise], abs=1e-5)


def test_an_expected_value_has_the_gradient_of_its_probabilities() -> None:
    names: Names = {"tf": tf}
    execute("foundations", statements("foundations", "drawn_choice"), names)
    tape, logits = names["tape"], names["logits"]
    assert float(names["drawn"].numpy().item()) in (2.0, 5.0)
    assert tape.gradient(names["drawn"], logits) is None
    p = 1 / (1 + math.exp(-1.0))
    assert float(names["expected"]) == pytest.approx(2 + 3 * p, abs=1e-5)
    slope_of_last = 3 * p * (1 - p)
    np.testing.assert_allclose(
        tape.gradient(names["expected"], logits),
        [[-slope_of_last, slope_of_last]],
        atol=1e-5,
    )


def test_a_cross_entropy_of_logits_has_the_gradient_of_its_closed_form() -> (
    None
):
    names: Names = {"tf": tf}
    execute("foundations", statements("foundations", "saturated"), names)
    assert float(names["result"]) == pytest.approx(-math.log(1e-7), rel=1e-6)
    assert [float(share) for share in names["zeros"]] == [1.0, 1.0]
    execute("foundations", statements("foundations", "unsaturated"), names)
    # The softmax less the label: 1 and -1, and the loss is 60 - -60.
    assert float(names["result"]) == pytest.approx(120.0)
    slopes = np.array([[1.0, -1.0]])
    by_weight, by_bias = names["gradients"]
    np.testing.assert_allclose(by_bias, slopes[0], atol=1e-6)
    np.testing.assert_allclose(by_weight, [[1.0], [2.0]] * slopes, atol=1e-6)
    assert [float(share) for share in names["zeros"]] == [0.0, 0.0]


@pytest.mark.parametrize("limit", [0.5, 5.0, math.inf])
def test_each_example_is_clipped_over_all_variables(limit: float) -> None:
    generator = np.random.default_rng(seed=1)
    shapes: list[tuple[int, ...]] = [(4,), (4, 3), (4, 2, 3)]
    stacks = [generator.normal(size=shape) * 2.0 for shape in shapes]
    for stack in stacks:
        stack[0] = 0.0
        stack[1] *= 0.1
    clipped = []
    for parts in zip(*stacks, strict=True):
        norm = math.sqrt(sum(np.sum(part**2) for part in parts))
        scale = min(1.0, limit / norm) if norm else 1.0
        clipped.append([part * scale for part in parts])
    tensors = [tf.constant(stack, tf.float32) for stack in stacks]
    for call in (clip_each, tf.function(clip_each)):
        means = call(tensors, limit)
        for mean, parts in zip(means, zip(*clipped, strict=True), strict=True):
            np.testing.assert_allclose(mean, np.mean(parts, 0), atol=1e-6)
