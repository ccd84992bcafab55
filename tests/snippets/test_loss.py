import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from snippets.linear_model import LinearModel
from snippets.loss import loss, plot_fit

WEIGHTS = [(5.0, 0.0), (0.0, 0.0), (-1.0, 7.5), (3.0, 2.0)]


def gradients_at(
    w: float, b: float, x: tf.Tensor, y: tf.Tensor
) -> list[tf.Tensor]:
    model = LinearModel()
    model.w.assign(w)
    model.b.assign(b)
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    gradients: list[tf.Tensor] = tape.gradient(
        current_loss, [model.w, model.b]
    )
    return gradients


def test_the_loss_is_the_mean_of_the_squared_errors() -> None:
    y = tf.constant([1.0, 2.0, 4.0])
    predictions = tf.constant([2.0, 2.0, 1.0])
    result = loss(y, predictions)
    assert result.shape == ()
    assert float(result) == pytest.approx((1 + 0 + 9) / 3, rel=1e-6)


def test_errors_above_and_below_do_not_cancel() -> None:
    result = loss(tf.constant([0.0, 0.0]), tf.constant([2.0, -2.0]))
    assert float(result) == pytest.approx(4.0, rel=1e-6)


def test_a_perfect_prediction_has_no_loss(y: tf.Tensor) -> None:
    assert float(loss(y, tf.identity(y))) == 0.0


def test_the_loss_agrees_with_float64(x: tf.Tensor, y: tf.Tensor) -> None:
    errors = 5.0 * np.asarray(x, np.float64) - np.asarray(y, np.float64)
    result = float(loss(y, LinearModel()(x)))
    assert result == pytest.approx(np.mean(errors**2), rel=1e-5)


@pytest.mark.parametrize(
    ("y_shape", "predictions_shape", "message"),
    [
        ((3,), (3, 1), r"^y is \(3,\), predictions \(3, 1\)$"),
        ((3, 1), (3,), r"^y is \(3, 1\), predictions \(3,\)$"),
        ((3,), (2,), r"^y is \(3,\), predictions \(2,\)$"),
        ((3,), (1,), r"^y is \(3,\), predictions \(1,\)$"),
        ((3,), (), r"^y is \(3,\), predictions \(\)$"),
    ],
)
def test_shapes_that_differ_raise_an_error_that_names_them(
    y_shape: tuple[int, ...], predictions_shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        loss(tf.ones(y_shape), tf.ones(predictions_shape))


def test_the_formula_alone_would_compare_every_y_with_every_other(
    y: tf.Tensor,
) -> None:
    column = tf.reshape(y, (-1, 1))
    assert (column - y).shape == (201, 201)
    # The mean square of the difference of two draws is twice the variance.
    unguarded = float(tf.reduce_mean(tf.square(column - y)))
    assert unguarded == pytest.approx(2 * np.var(y), rel=1e-4)
    assert unguarded > 25
    with pytest.raises(ValueError, match="predictions"):
        loss(y, column)


@pytest.mark.parametrize(("w", "b"), WEIGHTS)
def test_gradients_agree_with_finite_differences_in_float64(
    w: float, b: float, x: tf.Tensor, y: tf.Tensor
) -> None:
    inputs, outputs = np.asarray(x, np.float64), np.asarray(y, np.float64)

    def loss_at(w: float, b: float) -> float:
        return float(np.mean((w * inputs + b - outputs) ** 2))

    # Central differences are exact for a square, up to rounding (1e-10).
    h = 1e-4
    dw = (loss_at(w + h, b) - loss_at(w - h, b)) / (2 * h)
    db = (loss_at(w, b + h) - loss_at(w, b - h)) / (2 * h)
    np.testing.assert_allclose(
        gradients_at(w, b, x, y), [dw, db], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(("w", "b"), WEIGHTS)
def test_gradients_agree_with_their_formulas(
    w: float, b: float, x: tf.Tensor, y: tf.Tensor
) -> None:
    inputs, outputs = np.asarray(x, np.float64), np.asarray(y, np.float64)
    errors = w * inputs + b - outputs
    dw, db = 2 * np.mean(errors * inputs), 2 * np.mean(errors)
    np.testing.assert_allclose(
        gradients_at(w, b, x, y), [dw, db], rtol=1e-5, atol=1e-5
    )


def test_gradients_vanish_at_the_least_squares_fit(
    x: tf.Tensor, y: tf.Tensor, best: tuple[float, float]
) -> None:
    np.testing.assert_allclose(gradients_at(*best, x, y), 0.0, atol=1e-5)


def lines_of(figures: list[Figure]) -> dict[str, Line2D]:
    [figure] = figures
    [axes] = figure.axes
    return {str(line.get_label()): line for line in axes.lines}


def test_plot_fit_shows_one_figure_with_three_lines_and_their_legend(
    x: tf.Tensor, y: tf.Tensor, shown: list[Figure]
) -> None:
    plot_fit(x, y, LinearModel())
    labels = ["data", "true line", "predictions"]
    assert list(lines_of(shown)) == labels
    legend = shown[0].axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == labels


def test_plot_fit_names_the_axes(
    x: tf.Tensor, y: tf.Tensor, shown: list[Figure]
) -> None:
    plot_fit(x, y, LinearModel())
    [axes] = shown[0].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")


def test_plot_fit_draws_the_data_the_truth_and_the_predictions(
    x: tf.Tensor, y: tf.Tensor, shown: list[Figure]
) -> None:
    model = LinearModel()
    model.w.assign(-1.0)
    model.b.assign(0.5)
    plot_fit(x, y, model)
    lines = lines_of(shown)
    for line in lines.values():
        np.testing.assert_array_equal(line.get_xdata(), x)
    np.testing.assert_array_equal(lines["data"].get_ydata(), y)
    truth = 3 * np.linspace(-2, 2, 201) + 2
    true_line = np.asarray(lines["true line"].get_ydata())
    np.testing.assert_allclose(true_line, truth, atol=1e-5)
    np.testing.assert_array_equal(lines["predictions"].get_ydata(), model(x))


def test_plot_fit_tells_its_lines_apart_without_colour(
    x: tf.Tensor, y: tf.Tensor, shown: list[Figure]
) -> None:
    plot_fit(x, y, LinearModel())
    styles = {
        (line.get_linestyle(), line.get_marker())
        for line in lines_of(shown).values()
    }
    assert len(styles) == 3
