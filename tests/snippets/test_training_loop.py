import re
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.training_loop import report, train, training_loop

LINE = re.compile(r"epoch ([ \d]\d): w (\S+), b (\S+), loss (\S+)")
LIMIT = 75 / 101
Descent = list[tuple[float, float, float]]


@pytest.fixture
def descend(x: tf.Tensor, y: tf.Tensor) -> Callable[[int, float], Descent]:
    """Gradient descent in float64: w, b and loss before and after steps."""
    inputs, outputs = np.asarray(x, np.float64), np.asarray(y, np.float64)

    def run(steps: int, learning_rate: float) -> Descent:
        w, b = 5.0, 0.0
        path = []
        for _ in range(steps + 1):
            errors = w * inputs + b - outputs
            path.append((w, b, float(np.mean(errors**2))))
            w -= learning_rate * 2 * float(np.mean(errors * inputs))
            b -= learning_rate * 2 * float(np.mean(errors))
        return path

    return run


def printed(text: str) -> list[tuple[int, float, float, float]]:
    matches = [LINE.fullmatch(line) for line in text.splitlines()]
    return [
        (int(found[1]), float(found[2]), float(found[3]), float(found[4]))
        for found in matches
        if found is not None
    ]


@pytest.mark.parametrize("learning_rate", [0.01, 0.1, 0.4, 0.7])
@pytest.mark.parametrize("steps", [1, 10])
def test_train_descends_as_the_formula_does_in_float64(
    steps: int,
    learning_rate: float,
    x: tf.Tensor,
    y: tf.Tensor,
    descend: Callable[[int, float], Descent],
) -> None:
    model = LinearModel()
    for _ in range(steps):
        train(model, x, y, learning_rate)
    w, b, _ = descend(steps, learning_rate)[-1]
    assert float(model.w) == pytest.approx(w, abs=1e-5)
    assert float(model.b) == pytest.approx(b, abs=1e-5)


def test_train_changes_the_variables_in_place(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = LinearModel()
    w, b = model.w, model.b
    train(model, x, y, 0.1)
    assert model.w is w
    assert model.b is b
    assert float(w) != 5.0
    assert float(b) != 0.0


def test_a_learning_rate_of_zero_changes_nothing(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = LinearModel()
    train(model, x, y, 0.0)
    assert (float(model.w), float(model.b)) == (5.0, 0.0)


def test_train_uses_the_batch_it_is_given_and_no_other() -> None:
    # One pair, (2, 1): the error is 9, so dw = 2 * 9 * 2 and db = 2 * 9.
    model = LinearModel()
    train(model, tf.constant([2.0]), tf.constant([1.0]), 0.01)
    assert float(model.w) == pytest.approx(5.0 - 0.36, abs=1e-5)
    assert float(model.b) == pytest.approx(0.0 - 0.18, abs=1e-5)


def test_train_refuses_a_column_and_leaves_the_weights_alone(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = LinearModel()
    with pytest.raises(ValueError, match="predictions"):
        train(model, x, y[:, tf.newaxis], 0.1)
    assert (float(model.w), float(model.b)) == (5.0, 0.0)


def test_two_hundred_steps_reach_the_least_squares_fit(
    x: tf.Tensor, y: tf.Tensor, best: tuple[float, float]
) -> None:
    model = LinearModel()
    for _ in range(200):
        train(model, x, y, 0.1)
    assert (float(model.w), float(model.b)) == pytest.approx(best, abs=1e-5)


def test_the_largest_stable_learning_rate_is_75_over_101(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    # The loss is a square, so a step of one in a weight changes the gradients
    # by a column of the Hessian, 2 * mean(x²) or 2 on its diagonal.
    def gradients_at(w: float, b: float) -> list[float]:
        model = LinearModel()
        model.w.assign(w)
        model.b.assign(b)
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x))
        gradients = tape.gradient(current_loss, [model.w, model.b])
        return [float(gradient) for gradient in gradients]

    hessian = np.subtract(
        [gradients_at(1.0, 0.0), gradients_at(0.0, 1.0)],
        gradients_at(0.0, 0.0),
    )
    largest = np.linalg.eigvalsh(hessian).max()
    assert largest == pytest.approx(2 * np.mean(np.square(x)), rel=1e-5)
    assert 2 / largest == pytest.approx(LIMIT, rel=1e-5)


@pytest.mark.parametrize(
    ("learning_rate", "converges"), [(0.70, True), (0.78, False)]
)
def test_training_converges_below_the_limit_and_diverges_above(
    learning_rate: float,
    converges: bool,
    x: tf.Tensor,
    y: tf.Tensor,
    best: tuple[float, float],
) -> None:
    # The distance of w from its best value shrinks or grows by the factor
    # |1 - 2 * learning_rate / LIMIT|: 0.885 or 1.101 a step.
    model = LinearModel()
    for _ in range(100):
        train(model, x, y, learning_rate)
    distance = abs(float(model.w) - best[0])
    if converges:
        assert distance < 1e-4
        assert float(model.b) == pytest.approx(best[1], abs=1e-4)
    else:
        assert distance > 1e4


def test_report_adds_the_weights_and_the_loss_to_the_history() -> None:
    history: dict[str, list[float]] = {"w": [], "b": [], "loss": []}
    model = LinearModel()
    report(history, model, tf.constant([1.0, 2.0]), tf.constant([4.0, 7.0]))
    # The predictions are 5 and 10, the errors 1 and 3.
    assert history == {"w": [5.0], "b": [0.0], "loss": [5.0]}


def test_report_prints_the_epoch_the_weights_and_the_loss(
    capsys: pytest.CaptureFixture[str],
) -> None:
    history: dict[str, list[float]] = {"w": [], "b": [], "loss": []}
    model = LinearModel()
    model.b.assign(-0.5)
    report(history, model, tf.constant([1.0]), tf.constant([4.0]))
    assert capsys.readouterr().out == (
        "epoch  0: w 5.00, b -0.50, loss 0.2500\n"
    )


def test_report_counts_epochs_by_the_history_it_is_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    history = {"w": [1.0] * 12, "b": [2.0] * 12, "loss": [3.0] * 12}
    report(history, LinearModel(), tf.constant([1.0]), tf.constant([4.0]))
    assert capsys.readouterr().out.startswith("epoch 12: ")
    assert history["loss"] == [3.0] * 12 + [1.0]


def test_report_does_not_train(x: tf.Tensor, y: tf.Tensor) -> None:
    model = LinearModel()
    report({"w": [], "b": [], "loss": []}, model, x, y)
    assert (float(model.w), float(model.b)) == (5.0, 0.0)


@pytest.mark.parametrize("epochs", [0, 1, 7])
def test_the_history_has_one_entry_more_than_epochs(
    epochs: int, x: tf.Tensor, y: tf.Tensor
) -> None:
    history = training_loop(LinearModel(), x, y, epochs=epochs)
    assert {name: len(values) for name, values in history.items()} == {
        "w": epochs + 1,
        "b": epochs + 1,
        "loss": epochs + 1,
    }


def test_the_loop_runs_ten_epochs_at_a_rate_of_a_tenth_unless_told(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    assert training_loop(LinearModel(), x, y) == training_loop(
        LinearModel(), x, y, epochs=10, learning_rate=0.1
    )


@pytest.mark.parametrize("learning_rate", [0.1, 0.3])
def test_the_history_is_the_path_of_gradient_descent(
    learning_rate: float,
    x: tf.Tensor,
    y: tf.Tensor,
    descend: Callable[[int, float], Descent],
) -> None:
    history = training_loop(
        LinearModel(), x, y, epochs=12, learning_rate=learning_rate
    )
    path = np.array(descend(12, learning_rate))
    np.testing.assert_allclose(history["w"], path[:, 0], atol=1e-5)
    np.testing.assert_allclose(history["b"], path[:, 1], atol=1e-5)
    np.testing.assert_allclose(history["loss"], path[:, 2], rtol=1e-5)


def test_the_history_starts_with_the_untrained_model(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    history = training_loop(LinearModel(), x, y, epochs=2)
    assert (history["w"][0], history["b"][0]) == (5.0, 0.0)
    untrained = float(loss(y, LinearModel()(x)))
    assert history["loss"][0] == pytest.approx(untrained, rel=1e-6)


def test_the_history_ends_with_the_model_as_the_loop_leaves_it(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = LinearModel()
    history = training_loop(model, x, y)
    assert history["w"][-1] == float(model.w)
    assert history["b"][-1] == float(model.b)
    assert history["loss"][-1] == float(loss(y, model(x)))


def test_the_history_holds_plain_numbers(x: tf.Tensor, y: tf.Tensor) -> None:
    history = training_loop(LinearModel(), x, y, epochs=1)
    kinds = {type(value) for values in history.values() for value in values}
    assert kinds == {float}


def test_the_histories_of_two_runs_do_not_mix(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = LinearModel()
    first = training_loop(model, x, y, epochs=2)
    kept = {name: list(values) for name, values in first.items()}
    second = training_loop(model, x, y, epochs=3)
    assert first == kept
    assert len(second["loss"]) == 4
    assert second["w"][0] == first["w"][-1]


def test_the_loop_prints_one_line_an_epoch_from_zero(
    x: tf.Tensor, y: tf.Tensor, capsys: pytest.CaptureFixture[str]
) -> None:
    training_loop(LinearModel(), x, y, epochs=12)
    text = capsys.readouterr().out
    assert [epoch for epoch, *_ in printed(text)] == list(range(13))
    assert len(text.splitlines()) == 13


def test_a_printed_loss_belongs_to_the_weights_on_its_line(
    x: tf.Tensor, y: tf.Tensor, capsys: pytest.CaptureFixture[str]
) -> None:
    training_loop(LinearModel(), x, y, epochs=5)
    lines = printed(capsys.readouterr().out)
    inputs, outputs = np.asarray(x, np.float64), np.asarray(y, np.float64)
    assert len(lines) == 6
    for _, w, b, line_loss in lines:
        # Printed weights are off by 0.005 at most, which moves the loss by
        # less than 0.05; the losses of two epochs are at least 0.4 apart.
        own = np.mean((w * inputs + b - outputs) ** 2)
        assert line_loss == pytest.approx(own, abs=0.05)


def test_what_is_printed_is_the_history(
    x: tf.Tensor, y: tf.Tensor, capsys: pytest.CaptureFixture[str]
) -> None:
    history = training_loop(LinearModel(), x, y, epochs=3)
    _, w, b, losses = zip(*printed(capsys.readouterr().out), strict=True)
    assert history["w"] == pytest.approx(w, abs=0.0051)
    assert history["b"] == pytest.approx(b, abs=0.0051)
    assert history["loss"] == pytest.approx(losses, abs=0.000051)


def test_no_epochs_report_the_start_and_train_nothing(
    x: tf.Tensor, y: tf.Tensor, capsys: pytest.CaptureFixture[str]
) -> None:
    model = LinearModel()
    history = training_loop(model, x, y, epochs=0)
    assert (history["w"], history["b"]) == ([5.0], [0.0])
    assert (float(model.w), float(model.b)) == (5.0, 0.0)
    assert [epoch for epoch, *_ in printed(capsys.readouterr().out)] == [0]


def test_the_loss_falls_in_every_epoch(x: tf.Tensor, y: tf.Tensor) -> None:
    history = training_loop(LinearModel(), x, y)
    assert np.all(np.diff(history["loss"]) < 0)
