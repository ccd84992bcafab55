import contextlib
import io
import re
import runpy
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from snippets import real_problem
from snippets.real_problem import (
    BATCH,
    EPOCHS,
    LEARNING_RATE,
    Dense,
    Network,
    Part,
    batches,
    cross_validate,
    evaluate,
    loss,
    only,
    show_images,
    split,
    standardise,
    train,
    training_loop,
)
from tests.story import execute, statements

NUMBER = re.compile(r"\d+\.\d+")


class Script(NamedTuple):
    """What the module did when it ran as a script."""

    variables: dict[str, Any]
    text: str
    figures: list[Figure]

    def line(self, start: str) -> str:
        [line] = [
            line for line in self.text.splitlines() if line.startswith(start)
        ]
        return line

    def numbers(self, start: str) -> list[float]:
        return [float(found) for found in NUMBER.findall(self.line(start))]


@contextlib.contextmanager
def showing() -> Iterator[list[Figure]]:
    """Keep the figures that are shown; none opens a window."""
    figures: list[Figure] = []

    def show() -> None:
        figures.append(plt.gcf())
        plt.close()

    plt.switch_backend("Agg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "show", show)
        yield figures
    assert plt.get_fignums() == [], "a figure was not shown"


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    folder = tmp_path_factory.mktemp("empty")
    text, complained = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        showing() as figures,
        contextlib.redirect_stdout(text),
        contextlib.redirect_stderr(complained),
    ):
        patch.chdir(folder)
        # runpy warns of modules that are imported already.
        patch.delitem(sys.modules, "snippets.real_problem")
        variables = runpy.run_module(
            "snippets.real_problem", run_name="__main__"
        )
    assert list(folder.iterdir()) == []
    assert complained.getvalue() == ""
    return Script(variables, text.getvalue(), figures)


@pytest.fixture(scope="module")
def digits() -> Part:
    bunch = load_digits()
    return bunch.data.astype("float32"), bunch.target


@pytest.fixture(scope="module")
def sets(digits: Part) -> list[Part]:
    return standardise(*split(*digits))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the loop run for three epochs."""
    monkeypatch.setattr(real_problem, "EPOCHS", 3)


def blobs(per_class: int = 40) -> Part:
    """Three classes around (20, 0), (0, 20) and (-20, -20), far apart."""
    centres = np.array([[20, 0], [0, 20], [-20, -20]], np.float32)
    y = np.arange(3 * per_class) % 3
    noise = np.random.default_rng(0).normal(size=(len(y), 2))
    return (centres[y] + noise).astype(np.float32), y


def weights(model: Network) -> list[np.ndarray]:
    return [v.numpy() for layer in model.layers for v in (layer.w, layer.b)]


def softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


# show_images


def test_images_are_shown_in_rows_under_their_titles() -> None:
    x = np.arange(7 * 64, dtype=np.float32).reshape(7, 64)
    with showing() as figures:
        show_images(x, list("abcdefg"), columns=3)
    [figure] = figures
    assert len(figure.axes) == 9
    for axes, image, title in zip(figure.axes, x, "abcdefg", strict=False):
        [drawn] = axes.images
        np.testing.assert_array_equal(drawn.get_array(), image.reshape(8, 8))
        assert drawn.get_clim() == (0, 16)
        assert axes.get_title() == title
    assert not any(axes.images for axes in figure.axes[7:])
    assert not any(axes.axison for axes in figure.axes)


@pytest.mark.parametrize("columns", [1, 2])
def test_a_single_row_or_column_of_images_is_shown(columns: int) -> None:
    with showing() as figures:
        show_images(np.zeros((2, 64)), ["a", "b"], columns)
    assert [axes.get_title() for axes in figures[0].axes] == ["a", "b"]


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        show_images(np.zeros((1, 63)), ["a"], columns=1)
    plt.close("all")


# split


def test_every_image_is_in_one_set_with_its_own_label() -> None:
    y = np.arange(200) % 10
    parts = split(np.arange(200), y)
    everything = np.concatenate([x for x, _ in parts])
    assert sorted(everything) == list(range(200))
    for x, labels in parts:
        np.testing.assert_array_equal(labels, y[x])


def test_the_sets_are_three_fifths_a_fifth_and_a_fifth(digits: Part) -> None:
    assert [len(y) for _, y in split(*digits)] == [1077, 360, 360]
    assert [len(y) for _, y in split(np.arange(50), np.arange(50) % 5)] == [
        30,
        10,
        10,
    ]


def test_every_digit_has_its_share_in_every_set(digits: Part) -> None:
    shares = np.bincount(digits[1]) / len(digits[1])
    for _, y in split(*digits):
        np.testing.assert_allclose(np.bincount(y), shares * len(y), atol=1.5)


def test_the_seed_makes_the_split(digits: Part) -> None:
    first, again, other = (split(*digits, seed) for seed in (0, 0, 1))
    for (x, _), (same, _), (different, _) in zip(
        first, again, other, strict=True
    ):
        np.testing.assert_array_equal(x, same)
        assert not np.array_equal(x, different)


# standardise


def test_the_training_set_gets_mean_zero_and_deviation_one() -> None:
    [(x, y)] = standardise(blobs())
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(y, blobs()[1])
    assert x.dtype == np.float32


def test_other_sets_are_scaled_as_the_training_set_is() -> None:
    (x, y), other = blobs(), np.array([[1, 2], [300, -4]], np.float32)
    scaler = StandardScaler().fit(x)
    ours = standardise((x, y), (other, np.array([0, 1])), (x[:5], y[:5]))
    for (scaled, _), raw in zip(ours, (x, other, x[:5]), strict=True):
        np.testing.assert_allclose(scaled, scaler.transform(raw), rtol=1e-4)


def test_other_sets_have_no_say(digits: Part) -> None:
    train_set, validation_set, test_set = split(*digits)
    alone, _ = standardise(train_set)[0]
    wild = (validation_set[0] * 1000, validation_set[1])
    together, _ = standardise(train_set, wild, test_set)[0]
    np.testing.assert_array_equal(alone, together)


def test_a_pixel_that_hardly_varies_is_not_blown_up() -> None:
    x = np.zeros((100, 2), np.float32)
    x[0, 1] = 1  # lit once: its deviation is about 0.1
    other = np.array([[5, 16]], np.float32)
    y = np.zeros(100, int)
    (scaled, _), (far, _) = standardise((x, y), (other, y[:1]))
    np.testing.assert_array_equal(scaled[:, 0], 0)
    np.testing.assert_allclose(far, [[5, 15.99]], rtol=1e-5)
    # Without the limit the first would be 5 / 0, the second near 160.
    assert (other - x.mean(axis=0))[0, 1] / x.std(axis=0)[1] > 150


# Dense and Network


def test_a_dense_layer_is_x_times_w_plus_b() -> None:
    layer = Dense(3, 2, seed=(0, 0))
    layer.b.assign([1.0, -1.0])
    x = np.array([[1, 2, 3], [-1, 0, 1]], np.float32)
    expected = x @ layer.w.numpy() + [1.0, -1.0]
    np.testing.assert_allclose(layer(x), expected, atol=1e-6)


def test_a_dense_layer_starts_from_its_seed() -> None:
    one, same, other = (Dense(4, 3, seed=(0, n)) for n in (0, 0, 1))
    np.testing.assert_array_equal(one.w, same.w)
    assert not np.any(one.w.numpy() == other.w.numpy())
    np.testing.assert_array_equal(one.b, [0, 0, 0])


def test_the_start_keeps_the_size_of_the_values() -> None:
    # The standard error of the deviation of 128 000 numbers is 0.2 %.
    w = Dense(64, 2000, seed=(3, 4)).w.numpy()
    assert w.std() == pytest.approx(np.sqrt(2 / 64), rel=0.01)
    assert w.mean() == pytest.approx(0, abs=0.002)
    # The mean square stays about the same through ten layers with ReLU.
    x = np.random.default_rng(0).normal(size=(500, 256)).astype("float32")
    model = Network([256] * 11)
    logits = model(x).numpy()
    # After a ReLU half of the values are zero: the last layer doubles.
    assert np.mean(logits**2) == pytest.approx(2, rel=0.6)


def test_a_network_is_dense_layers_with_relu_between() -> None:
    model = Network([3, 5, 4, 2])
    x = np.random.default_rng(0).normal(size=(7, 3)).astype("float32")
    w1, b1, w2, b2, w3, b3 = weights(model)
    h = np.maximum(0, x @ w1 + b1)
    h = np.maximum(0, h @ w2 + b2)
    np.testing.assert_allclose(model(x), h @ w3 + b3, atol=1e-5)


def test_a_network_without_hidden_layer_is_linear() -> None:
    model = Network([3, 2])
    x = np.random.default_rng(0).normal(size=(7, 3)).astype("float32")
    np.testing.assert_allclose(model(-x), -model(x), atol=1e-6)


def test_a_network_lists_b_before_w_layer_by_layer() -> None:
    model = Network([64, 32, 10])
    shapes = [tuple(v.shape) for v in model.trainable_variables]
    assert shapes == [(32,), (64, 32), (10,), (32, 10)]


def test_the_layers_of_a_network_start_apart_and_from_its_seed() -> None:
    first, second = Network([4, 4, 4]).layers
    assert not np.any(first.w.numpy() == second.w.numpy())
    for ours, theirs in zip(
        weights(Network([4, 3], 1)), weights(Network([4, 3], 1)), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    other = Network([4, 4, 4], seed=1).layers[0]
    assert not np.any(first.w.numpy() == other.w.numpy())


def test_a_network_refuses_inputs_of_another_size() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        Network([64, 10])(tf.zeros((2, 63)))


def test_equal_start_weights_would_stay_equal() -> None:
    # Hidden units with equal weights get equal gradients.
    model = Network([2, 4, 3])
    model.layers[0].w.assign(tf.ones((2, 4)))
    model.layers[1].w.assign(tf.ones((4, 3)))
    x, y = blobs()
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    gradient = tape.gradient(current_loss, model.layers[0].w).numpy()
    np.testing.assert_allclose(gradient, gradient[:, :1].repeat(4, axis=1))
    assert np.any(gradient != 0)


# loss


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.default_rng(1).normal(0, 3, (6, 4)).astype("float32")


LABELS = np.array([0, 1, 2, 3, 3, 0])


def test_the_loss_is_its_formula(logits: np.ndarray) -> None:
    z = logits.astype(np.float64)
    true = z[np.arange(6), LABELS]
    expected = np.mean(np.log(np.exp(z).sum(axis=1)) - true)
    value = loss(LABELS, logits)
    assert value.shape == ()
    assert float(value) == pytest.approx(expected, rel=1e-6)


def test_the_loss_is_minus_the_log_of_the_probability(
    logits: np.ndarray,
) -> None:
    expected = log_loss(LABELS, softmax(logits.astype(np.float64)))
    assert float(loss(LABELS, logits)) == pytest.approx(expected, rel=1e-6)


def test_the_loss_is_the_one_of_keras(logits: np.ndarray) -> None:
    keras = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    expected = float(keras(LABELS, logits))
    assert float(loss(LABELS, logits)) == pytest.approx(expected, rel=1e-6)


def test_equal_logits_cost_the_logarithm_of_the_classes() -> None:
    value = loss(np.arange(10), np.full((10, 10), 7.0, np.float32))
    assert float(value) == pytest.approx(np.log(10), rel=1e-6)


def test_the_gradient_is_probability_minus_truth(logits: np.ndarray) -> None:
    z = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = loss(LABELS, z)
    expected = (softmax(logits) - np.eye(4)[LABELS]) / 6
    np.testing.assert_allclose(tape.gradient(value, z), expected, atol=1e-6)


def test_probabilities_overflow_where_logits_do_not() -> None:
    z = tf.constant([[0.0, 200.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(z)
        naive = -tf.math.log(tf.nn.softmax(z)[0, 0])
        value = loss([0], z)
    assert np.isinf(naive)
    assert np.isnan(tape.gradient(naive, z)).any()
    assert float(value) == 200.0
    np.testing.assert_allclose(tape.gradient(value, z), [[-1, 1]])


@pytest.mark.parametrize("shape", [(6, 1), (5,), (6, 4)])
def test_the_loss_refuses_labels_of_another_shape(
    shape: tuple[int, ...], logits: np.ndarray
) -> None:
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        loss(np.zeros(shape, int), logits)


# evaluate


def test_evaluate_returns_the_loss_and_the_share_of_right_answers() -> None:
    z = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]] * 2))
    x, y = np.arange(4), np.array([0, 1, 0, 2])
    value, accuracy = evaluate(lambda rows: z[rows], x, y)
    expected = -np.mean(np.log([0.5, 0.8, 0.5, 0.1]))
    assert value == pytest.approx(expected, rel=1e-6)
    assert accuracy == 0.75
    assert type(value) is type(accuracy) is float


def test_evaluate_takes_the_logits_of_logistic_regression(
    sets: list[Part],
) -> None:
    (x, y), (x_validation, y_validation), _ = sets
    baseline = LogisticRegression(max_iter=1000).fit(x, y)
    value, accuracy = evaluate(
        baseline.decision_function, x_validation, y_validation
    )
    assert accuracy == baseline.score(x_validation, y_validation)
    probabilities = baseline.predict_proba(x_validation)
    assert value == pytest.approx(
        log_loss(y_validation, probabilities), rel=1e-5
    )


# train


@pytest.mark.parametrize("compiled", [False, True])
def test_train_takes_the_step_of_the_closed_form(compiled: bool) -> None:
    x, y = standardise(blobs())[0]
    model = Network([2, 3])
    w, b = weights(model)
    errors = (softmax(x @ w + b) - np.eye(3)[y]) / len(y)
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.5)
    step = tf.function(train) if compiled else train
    step(model, optimizer, x, y)
    new_w, new_b = weights(model)
    np.testing.assert_allclose(new_w, w - 0.5 * x.T @ errors, atol=1e-6)
    np.testing.assert_allclose(new_b, b - 0.5 * errors.sum(axis=0), atol=1e-6)


def test_the_gradient_through_a_hidden_layer_is_the_slope_of_the_loss() -> (
    None
):
    x, y = standardise(blobs(4))[0]
    model = Network([2, 5, 3])
    before = model.layers[0].w.numpy()
    train(model, tf.keras.optimizers.SGD(learning_rate=1.0), x, y)
    gradient = before - model.layers[0].w.numpy()
    fresh, step = Network([2, 5, 3]), 1e-2

    def loss_at(move: float) -> float:
        moved = before.copy()
        moved[1, 2] += move
        fresh.layers[0].w.assign(moved)
        return float(loss(y, fresh(x)))

    slope = (loss_at(step) - loss_at(-step)) / (2 * step)
    assert slope != 0
    assert gradient[1, 2] == pytest.approx(slope, abs=1e-3)


# batches


def test_an_epoch_has_every_image_once_with_its_label() -> None:
    x = np.arange(150, dtype=np.float32)[:, np.newaxis]
    drawn = list(batches((x, np.arange(150))))
    assert [len(y) for _, y in drawn] == [BATCH, BATCH, 150 - 2 * BATCH]
    rows = np.concatenate([y for _, y in drawn])
    assert sorted(rows) == list(range(150))
    np.testing.assert_array_equal(
        np.concatenate([x for x, _ in drawn])[:, 0], rows
    )


def orders(seed: int) -> list[list[int]]:
    pairs = np.zeros((150, 1)), np.arange(150)
    dataset = batches(pairs, seed)
    return [[int(n) for _, y in dataset for n in y] for _ in range(3)]


def test_every_epoch_has_an_order_of_its_own_made_by_the_seed() -> None:
    first = orders(seed=0)
    assert len({tuple(order) for order in first}) == 3
    assert orders(seed=0) == first
    assert orders(seed=1)[0] != first[0]


# training_loop


@pytest.mark.usefixtures("short")
def test_the_history_starts_untrained_and_has_every_watched_set(
    sets: list[Part],
) -> None:
    model = Network([64, 8, 10])
    untrained = [evaluate(model, *part)[0] for part in sets]
    history = training_loop(model, sets[0], *sets)
    assert np.shape(history) == (4, 3)
    assert history[0] == untrained
    assert history[-1] == [evaluate(model, *part)[0] for part in sets]
    assert np.all(np.diff(history, axis=0) < 0)


@pytest.mark.usefixtures("short")
def test_watching_changes_nothing(sets: list[Part]) -> None:
    watched, alone = Network([64, 8, 10]), Network([64, 8, 10])
    training_loop(watched, sets[0], sets[1], sets[2])
    assert training_loop(alone, sets[0]) == [[], [], [], []]
    for ours, theirs in zip(weights(watched), weights(alone), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.usefixtures("short")
def test_the_seed_makes_the_order_of_the_training(sets: list[Part]) -> None:
    first, again, other = (Network([64, 10]) for _ in range(3))
    for model, seed in ((first, 0), (again, 0), (other, 1)):
        training_loop(model, sets[0], seed=seed)
    np.testing.assert_array_equal(weights(first)[0], weights(again)[0])
    assert not np.allclose(weights(first)[0], weights(other)[0], atol=1e-4)


@pytest.mark.usefixtures("short")
def test_the_loop_does_what_its_steps_do_uncompiled(sets: list[Part]) -> None:
    looped, stepped = Network([64, 8, 10]), Network([64, 8, 10])
    training_loop(looped, sets[0])
    optimizer = tf.keras.optimizers.Adam(LEARNING_RATE)
    dataset = batches(sets[0])
    for _ in range(3):
        for x, y in dataset:
            train(stepped, optimizer, x, y)
    for ours, theirs in zip(weights(looped), weights(stepped), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.usefixtures("short")
def test_the_step_is_traced_for_two_sizes_of_batch(
    sets: list[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = []

    def spy(model: Network, optimizer: Any, x: tf.Tensor, y: Any) -> None:
        traced.append(x.shape[0])
        train(model, optimizer, x, y)

    monkeypatch.setattr(real_problem, "train", spy)
    training_loop(Network([64, 10]), sets[0])
    assert traced == [BATCH, None]


def test_without_hidden_layer_the_loop_nears_logistic_regression(
    sets: list[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    # scikit-learn's solver is another one, and draws the weights to zero.
    monkeypatch.setattr(real_problem, "LEARNING_RATE", 0.01)
    model = Network([64, 10])
    training_loop(model, sets[0])
    baseline = LogisticRegression(max_iter=1000).fit(*sets[0])
    value, accuracy = evaluate(model, *sets[1])
    assert accuracy == pytest.approx(baseline.score(*sets[1]), abs=0.02)
    theirs, _ = evaluate(baseline.decision_function, *sets[1])
    assert value == pytest.approx(theirs, abs=0.04)


# Keras


def keras_copy(model: Network) -> tf.keras.Model:
    copy = tf.keras.Sequential(
        [
            tf.keras.Input(shape=(64,)),
            tf.keras.layers.Dense(8, activation="relu"),
            tf.keras.layers.Dense(10),
        ]
    )
    copy.set_weights(weights(model))
    copy.compile(
        optimizer=tf.keras.optimizers.Adam(LEARNING_RATE),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return copy


@pytest.mark.usefixtures("short")
def test_fit_gets_other_batches_unless_told_how_many(sets: list[Part]) -> None:
    model = Network([64, 8, 10])
    told, untold = keras_copy(model), keras_copy(model)
    training_loop(model, sets[0])
    dataset = batches(sets[0])
    told.fit(
        dataset,
        epochs=3,
        steps_per_epoch=len(dataset),
        shuffle=False,
        verbose=0,
    )
    untold.fit(batches(sets[0]), epochs=3, shuffle=False, verbose=0)
    for ours, same, other in zip(
        weights(model), told.get_weights(), untold.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, same, atol=1e-4)
        assert not np.allclose(ours, other, atol=1e-3)


# only


def test_the_digits_from_one_to_another_are_taken_with_their_labels() -> None:
    y = np.array([3, 0, 5, 4, 9, 3])
    x = np.arange(6.0)[:, np.newaxis]
    taken, labels = only((x, y), 3, 4)
    assert taken[:, 0].tolist() == [0, 3, 5]
    assert labels.tolist() == [3, 4, 3]
    assert len(only((x, y), 6, 8)[1]) == 0


# cross_validate


@pytest.mark.usefixtures("short")
def test_each_fold_is_tested_by_models_trained_on_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = np.arange(60, dtype=np.float32)[:, np.newaxis].repeat(64, axis=1)
    fold = np.arange(60) % 3
    calls: list[list[list[int]]] = []

    def spy(*parts: Part) -> list[Part]:
        calls.append([[int(n) for n in x[:, 0]] for x, _ in parts])
        return standardise(*parts)

    monkeypatch.setattr(real_problem, "standardise", spy)
    scores = cross_validate(x, np.arange(60) // 6, fold, width=4)
    assert {who: len(row) for who, row in scores.items()} == {
        "baseline": 3,
        "network": 3,
    }
    for number, (rest, tested) in enumerate(calls):
        assert tested == [n for n in range(60) if n % 3 == number]
        assert sorted(rest + tested) == list(range(60))


def test_cross_validation_finds_classes_that_lie_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(real_problem, "LEARNING_RATE", 0.03)
    x, y = blobs(per_class=200)
    wide = np.tile(x, 32)
    scores = cross_validate(wide, y, np.arange(len(y)) // 300, width=8)
    assert scores == {"baseline": [1.0, 1.0], "network": [1.0, 1.0]}


# The page's story


def test_the_description_says_what_the_page_tells() -> None:
    description = " ".join(load_digits().DESCR.split())
    assert "different 13 to the test set" in description
    assert "This is a copy of the test set" in description
    assert "integer in the range 0..16" in description


def test_the_script_shows_the_data_and_its_rare_pixels(
    script: Script, digits: Part
) -> None:
    assert "x: (1797, 64) float32 from 0.0 to 16.0\n" in script.text
    parts = split(*digits)
    for name, (_, y) in zip(
        ("training", "validation", "test"), parts, strict=True
    ):
        line = script.line(f"{name:10} {len(y):4} images:")
        assert line.endswith(str(np.bincount(y)))
    x, others = parts[0][0].astype(np.float64), parts[1][0]
    constant = x.min(axis=0) == x.max(axis=0)
    assert script.line("pixels that never").endswith(f" {constant.sum()}")
    largest = max(
        np.max(others[:, n] - x[:, n].mean()) / x[:, n].std()
        for n in np.flatnonzero(~constant)
    )
    assert largest > 100
    assert script.line("largest value").endswith(f" {largest:.0f}")


def test_the_script_compares_the_loss_with_formula_and_ignorance(
    script: Script,
) -> None:
    ours, formula = script.numbers("loss ")
    assert ours == pytest.approx(formula, abs=1e-4)
    [ignorance] = script.numbers("for equal logits")
    assert ignorance == pytest.approx(np.log(10), abs=1e-4)
    assert ours > ignorance
    assert script.line("from probabilities") == "from probabilities: inf"
    assert script.line("from logits") == "from logits: 200.0"


def test_the_curves_part(script: Script) -> None:
    history = script.variables["history"]
    lines = {
        str(line.get_label()): np.asarray(line.get_ydata())
        for line in script.figures[1].axes[0].lines
    }
    assert set(lines) == {"training", "validation"}
    np.testing.assert_array_equal(
        np.transpose([lines["training"], lines["validation"]]), history
    )
    assert len(history) == EPOCHS + 1
    ticks = script.figures[1].axes[0].get_xticks()
    assert list(ticks) == [0, 4, 8, 12, 16, 20]
    train_loss, validation_loss = history[-1]
    assert train_loss == pytest.approx(0.03, abs=0.005)
    assert validation_loss == pytest.approx(0.11, abs=0.01)
    assert script.numbers("epoch 20") == pytest.approx(
        [train_loss, validation_loss], abs=6e-4
    )


def test_fit_and_the_loop_end_alike(script: Script) -> None:
    assert script.numbers("fit: ") == script.numbers("loop: ")
    ours = Network([64, 32, 10])
    training_loop(ours, script.variables["train_set"])
    for mine, theirs in zip(
        weights(ours),
        script.variables["keras_model"].get_weights(),
        strict=True,
    ):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_the_width_with_the_lowest_validation_loss_is_chosen(
    script: Script,
) -> None:
    losses = script.variables["losses"]
    assert script.line("chosen") == "chosen: 128"
    assert losses[128] < losses[32] < losses[8]
    [baseline] = script.numbers("baseline: loss")
    assert losses[32] < baseline < losses[8]


def test_the_test_comes_with_its_standard_error(script: Script) -> None:
    accuracy, error = script.numbers("network: ")
    right = script.variables["matrix"].trace()
    assert accuracy == pytest.approx(right / 360, abs=6e-4)
    # The deviation of the mean of 360 answers that are 1 or 0.
    answers = np.repeat([1.0, 0.0], [right, 360 - right])
    assert error == pytest.approx(answers.std() / np.sqrt(360), abs=6e-4)
    assert script.text.count("\nbaseline: 0.") == 1
    assert (
        abs(
            script.variables["baseline"].score(*script.variables["test_set"])
            - accuracy
        )
        < 2 * error
    )


def test_the_pairs_that_the_page_names_are_confused(script: Script) -> None:
    matrix = script.variables["matrix"].copy()
    assert matrix.sum() == 360
    np.fill_diagonal(matrix, 0)
    confused = {
        (true, answer): int(matrix[true, answer])
        for true, answer in np.argwhere(matrix).tolist()
    }
    assert confused == {
        (3, 8): 2,
        (4, 9): 2,
        (8, 1): 2,
        (1, 8): 1,
        (2, 1): 1,
        (6, 1): 1,
    }


def test_the_table_shows_every_count_where_it_belongs(script: Script) -> None:
    [axes] = script.figures[2].axes
    matrix = script.variables["matrix"]
    shown = np.zeros_like(matrix)
    for text in axes.texts:
        column, row = text.get_position()
        shown[int(row), int(column)] = int(text.get_text())
    np.testing.assert_array_equal(shown, matrix)
    for line in axes.lines:
        [place] = np.asarray(line.get_xydata())
        assert line.get_marker() == ("o" if place[0] == place[1] else "s")
    assert axes.yaxis_inverted()
    for ticks in (axes.get_xticks(), axes.get_yticks()):
        assert list(ticks) == list(range(10))


def test_the_mistakes_are_shown_with_truth_and_answer(
    script: Script, digits: Part
) -> None:
    titles = [a.get_title() for a in script.figures[3].axes if a.images]
    assert sorted(titles) == sorted(
        ["3 as 8", "4 as 9", "8 as 1"] * 2 + ["1 as 8", "2 as 1", "6 as 1"]
    )
    x, y = split(*digits)[2]
    for axes in script.figures[3].axes[: len(titles)]:
        image = np.asarray(axes.images[0].get_array()).reshape(64)
        [row] = np.flatnonzero((x == image).all(axis=1))
        assert str(y[row]) == axes.get_title()[0]


def test_other_seeds_differ_by_less_than_the_standard_error(
    script: Script,
) -> None:
    accuracy, error = script.numbers("network: ")
    for seed in (1, 2, 3):
        [other] = script.numbers(f"seed {seed}:")
        assert abs(other - accuracy) < error


def test_the_labels_repeat_as_the_page_says(
    script: Script, digits: Part
) -> None:
    starts = script.variables["starts"]
    lengths = re.findall(r"\d+", script.line("images from start to start"))
    assert len(lengths) == 12
    assert sorted(map(int, lengths))[-3:] == [130, 252, 253]
    text = "".join(str(digit) for digit in digits[1])
    assert len({text[start : start + 50] for start in starts[:4]}) == 1
    # The same text from every start, but for a few digits left out.
    assert len({text[start : start + 45] for start in starts}) <= 3
    pieces = np.bincount(script.variables["piece"])
    np.testing.assert_array_equal(pieces, np.diff([*starts, 1797]))


def test_mixed_folds_are_random_thirds(script: Script) -> None:
    sizes = np.bincount(script.variables["shuffled"])
    assert sizes.tolist() == [599, 599, 599]


def test_the_network_is_ahead_in_every_fold_and_strangers_are_harder(
    script: Script,
) -> None:
    scores = script.variables["scores"]
    for name in ("mixed", "apart"):
        baseline, network = (
            script.numbers(f"{name}, {who}") for who in ("baseline", "network")
        )
        assert len(baseline) == len(network) == 3
        assert network == pytest.approx(scores[name]["network"], abs=6e-4)
        lead = np.subtract(network, baseline)
        assert np.all((lead > 0) & (lead < 0.03))
    for who in ("baseline", "network"):
        assert max(scores["apart"][who]) < min(scores["mixed"][who])
    mixed, apart = script.variables["mixed"], script.variables["apart"]
    assert apart == pytest.approx(np.mean(scores["apart"]["network"]))
    assert mixed == pytest.approx(np.mean(scores["mixed"]["network"]))


def test_a_step_that_finds_its_network_outside_trains_the_first(
    script: Script,
) -> None:
    lines = [line for line in script.text.splitlines() if ": loss " in line]
    rows = [line for line in lines if line.startswith("fold ")]
    losses = [float(NUMBER.findall(row)[0]) for row in rows]
    [new] = [
        line for line in script.text.splitlines() if "fold 0: new" in line
    ]
    assert losses[0] == pytest.approx(float(NUMBER.findall(new)[0]), rel=1e-3)
    for seed, loss_of_fold in enumerate(losses[1:], start=1):
        untrained = Network([64, script.variables["width"], 10], seed=seed)
        out = script.variables["shuffled"] == seed
        x, y = (script.variables[name] for name in "xy")
        parts = (x[~out], y[~out]), (x[out], y[out])
        expected, _ = evaluate(untrained, *standardise(*parts)[1])
        assert loss_of_fold == pytest.approx(expected, abs=1e-4)
    assert script.variables["step"].experimental_get_tracing_count() == 2


def test_a_network_kept_over_the_folds_is_flattered(script: Script) -> None:
    pairs = [script.numbers(f"fold {number}: new") for number in range(3)]
    (first, same), *later = pairs
    assert first == same
    assert all(kept < 0.5 * new for new, kept in later)
    assert same > later[0][1] > later[1][1]
    last = [script.variables[name] for name in ("new_loss", "kept_loss")]
    assert last == pytest.approx(later[1], abs=6e-5)


@pytest.mark.usefixtures("eagerly")
def test_a_step_that_is_not_compiled_trains_the_network_of_each_fold(
    script: Script,
) -> None:
    rows = {name: script.variables[name][:90] for name in ("x", "y")}
    folds = {"shuffled": script.variables["shuffled"][:90], "EPOCHS": 1}
    names = {**script.variables, **rows, **folds}
    execute("real_problem", statements("real_problem", "first_step"), names)
    untrained = Network([64, script.variables["width"], 10], seed=2)
    trained = names["network"]
    for before, after in zip(
        untrained.trainable_variables,
        trained.trainable_variables,
        strict=True,
    ):
        assert not np.array_equal(before, after)


def test_old_digits_are_forgotten_unless_some_are_kept(
    script: Script,
) -> None:
    first, second = (
        script.numbers(f"after {part}:") for part in ("0 to 4", "5 to 9")
    )
    assert second[0] < 0.5 < 0.9 < min(first[0], second[1])
    assert first[1] == 0
    variables = script.variables
    assert variables["kept_old"] > 0.9
    assert variables["kept_new"] > 0.9
    old = variables["old_y"][::3]
    np.testing.assert_array_equal(variables["mixed_y"][-len(old) :], old)
    assert len(variables["mixed_x"]) == len(variables["mixed_y"])


def test_fewer_images_are_worse_and_the_gain_shrinks(script: Script) -> None:
    accuracies = [
        script.numbers(f"{size} images:")[0] for size in (100, 200, 400)
    ]
    gains = np.diff(accuracies)
    assert gains[0] > gains[1] > 0
    [whole] = script.numbers("as they were")
    assert 0 < whole - accuracies[-1] < gains[1]


def test_a_pixel_to_the_right_is_too_far(script: Script) -> None:
    [still] = script.numbers("as they were")
    [moved] = script.numbers("one pixel to the right")
    assert moved < 0.5 < still
    images, shifted = script.variables["images"], script.variables["moved"]
    np.testing.assert_array_equal(shifted[:, :, 1:], images[:, :, :-1])
    assert not shifted[:, :, 0].any()
