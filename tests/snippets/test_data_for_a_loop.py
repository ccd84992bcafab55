"""Data for a loop are augmented as the page on them says."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets.data_for_a_loop_augment import (
    changed,
    flip_each,
    make_batches,
    make_model,
    make_pictures,
    same_again,
)
from snippets.data_for_a_loop_imbalance import (
    cross_entropy,
    learn,
    make_line,
    make_rare,
    make_step,
    oversample,
    prior_shift,
    tell,
    weighted,
)
from snippets.data_for_a_loop_mixup import mix
from snippets.data_for_a_loop_scale import (
    make_homes,
    make_priced,
    spread,
    squared,
)
from snippets.data_for_a_loop_setup import slices
from snippets.data_for_a_loop_unlabelled import (
    Joint,
    learn_both,
    make_clusters,
    make_flat,
    make_joint_step,
    unlabelled_loss,
)

X, Y = make_pictures(8)


def test_pictures_are_noise_with_labels() -> None:
    x, y = make_pictures(500)
    assert x.shape == (500, 8, 8, 1)
    assert y.shape == (500, 1)
    assert float(tf.reduce_mean(x)) == pytest.approx(0.5, abs=0.01)
    assert 0 <= float(tf.reduce_min(x)) < float(tf.reduce_max(x)) < 1
    assert sorted(set(y.numpy().flat)) == [0, 1]
    assert y.numpy().mean() == pytest.approx(0.5, abs=0.1)
    np.testing.assert_array_equal(make_pictures(500)[0], x)


def test_a_picture_is_changed_if_one_number_is() -> None:
    other = X.numpy()
    other[2, 7, 0, 0] += 1
    assert changed(tf.constant(other), X).tolist() == [0, 0, 1, 0, 0, 0, 0, 0]


def test_batches_without_a_layer_are_the_rows_in_order() -> None:
    batches = list(make_batches(X, Y, batch=3))
    assert [len(x) for x, _ in batches] == [3, 3, 2]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), X)
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), Y)


def test_batches_with_a_layer_are_shuffled_and_augmented() -> None:
    y = tf.range(8)
    augment = tf.keras.layers.RandomFlip("horizontal", seed=1)
    data = make_batches(X, y, batch=3, augment=augment)
    orders, flips = [], []
    for _ in range(3):
        epoch = list(data)
        assert [len(x) for x, _ in epoch] == [3, 3, 2]
        order = np.concatenate([y for _, y in epoch])
        assert sorted(order) == list(range(8))
        found = np.concatenate([x for x, _ in epoch])
        rows = X.numpy()[order]
        flipped = (found != rows).any(axis=(1, 2, 3))
        np.testing.assert_array_equal(found[~flipped], rows[~flipped])
        mirrored = rows[flipped][:, :, ::-1]
        np.testing.assert_array_equal(found[flipped], mirrored)
        orders.append(tuple(order))
        flips.append(tuple(flipped[np.argsort(order)]))
    assert len(set(orders)) == len(set(flips)) == 3


def test_the_model_sums_up_pictures_and_augments_in_training() -> None:
    model = make_model()
    flat = tf.reshape(X, (8, 64))
    np.testing.assert_array_equal(model(X, training=False), flat)
    found = tf.reshape(model(X, training=True), X.shape)
    assert 0 < changed(found, X).sum() < 8


def test_pictures_and_masks_are_shuffled_by_their_rows() -> None:
    pictures = tf.zeros((100, 8, 8, 1))
    pairs: Any = {"images": pictures, "segmentation_masks": pictures}
    augment = tf.keras.layers.RandomFlip("horizontal", seed=1)
    data = make_batches(pairs, tf.range(100), batch=10, augment=augment)
    _, numbers = next(iter(data))
    assert int(tf.reduce_max(numbers)) > 50


def test_two_passes_are_compared() -> None:
    plain = make_batches(X, Y, batch=3)
    assert same_again(plain)
    augment = tf.keras.layers.RandomFlip("horizontal", seed=1)
    flip = plain.map(lambda x, y: (augment(x), y))
    assert not same_again(flip)
    assert same_again(flip.cache())
    kept = flip.cache().unbatch().shuffle(len(X), seed=0).batch(3)
    assert same_again(kept), "in another order, which is no augmentation"


def test_rows_that_come_as_often_and_gaps_are_the_same() -> None:
    gap = np.array([[1.0], [float("nan")]], np.float32)
    assert same_again(slices((gap, [0, 1])).batch(2))
    passes = iter([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    signature = tf.TensorSpec((), tf.float32), tf.TensorSpec((), tf.float32)
    drawn = tf.data.Dataset.from_generator(
        lambda: ((x, x) for x in next(passes)), output_signature=signature
    )
    assert not same_again(drawn.batch(2))


@pytest.mark.parametrize("again", [False, True])
def test_each_picture_is_flipped_by_a_number(again: bool) -> None:
    data = flip_each(slices(X), rerandomize_each_iteration=again)
    first, second = (tf.stack(list(data)) for _ in range(2))
    for found in (first, second):
        flipped = changed(found, X).astype(bool)
        assert 0 < flipped.sum() < 8
        mirrored = tf.reverse(X, [2]).numpy()[flipped]
        np.testing.assert_array_equal(found.numpy()[flipped], mirrored)
    assert np.array_equal(first, second) != again


def test_a_tenth_are_ones_around_two() -> None:
    x, y = (np.asarray(part) for part in make_rare(20_000))
    assert x.shape == y.shape == (20_000, 1)
    assert set(y.flat) == {0.0, 1.0}
    assert y.mean() == pytest.approx(0.1, abs=0.01)
    for label in (0.0, 1.0):
        assert x[y == label].mean() == pytest.approx(2 * label, abs=0.1)
        assert x[y == label].std() == pytest.approx(1.0, abs=0.05)


def test_the_weighted_loss_agrees_with_numpy() -> None:
    y = np.array([[0.0], [1.0], [1.0]], "float32")
    z = np.array([[0.3], [-1.2], [2.0]], "float32")
    p = 1 / (1 + np.exp(-z))
    for loss, weight in ((cross_entropy, 1.0), (weighted, 9.0)):
        due = -weight * y * np.log(p) - (1 - y) * np.log(1 - p)
        found = loss(tf.constant(y), tf.constant(z))
        assert float(found) == pytest.approx(due.mean(), rel=1e-5)


@pytest.mark.usefixtures("each_way")
def test_a_step_is_the_first_step_of_adam() -> None:
    model = make_line()
    x, y = tf.constant([[1.0], [3.0]]), tf.constant([[1.0], [1.0]])
    np.testing.assert_array_equal(model(x), x)
    step = make_step(model, cross_entropy)
    due = np.log(1 + np.exp([-1, -3])).mean()
    assert float(step(x, y)) == pytest.approx(due, rel=1e-5)
    found = [weight.item() for weight in model.get_weights()]
    assert found == pytest.approx([1.2, 0.2], rel=1e-3)


def test_learning_finds_the_line_of_two_normals() -> None:
    x, y = make_rare(20_000)
    data = slices((x, y)).batch(500)
    model = learn(make_line(), cross_entropy, data, epochs=5)
    slope, start = (weight.item() for weight in model.get_weights())
    assert slope == pytest.approx(2, abs=0.15)
    assert start == pytest.approx(-2 - np.log(9), abs=0.2)


def test_what_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    y = tf.constant([[1.0], [1.0], [0.0], [0.0]])
    tell(y, tf.constant([[3.0], [-3.0], [0.0], [0.1]]))
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "mean probability 0.51"
    assert told[1] == "ones found 50%, all taken for ones 2"


def test_half_of_what_is_drawn_are_ones() -> None:
    x, y = make_rare(1000)
    data = oversample(x, y, batch=64)
    assert len(data) == 16
    known = set(zip(x.numpy().flat, y.numpy().flat, strict=True))
    epochs = []
    for _ in range(2):
        found = [
            np.concatenate(part)[:, 0] for part in zip(*data, strict=True)
        ]
        assert len(found[0]) == 1000
        assert set(zip(*found, strict=True)) <= known
        assert found[1].mean() == pytest.approx(0.5, abs=0.05)
        epochs.append(found[0])
    assert not np.array_equal(epochs[0], epochs[1])


@pytest.mark.parametrize(("share", "trained"), [(0.1, 0.5), (0.3, 0.2)])
def test_the_shift_is_that_of_the_rule_of_bayes(
    share: float, trained: float
) -> None:
    ones, zeros = 0.7, 0.2  # how likely a row is among ones, among zeros
    p = trained * ones / (trained * ones + (1 - trained) * zeros)
    due = share * ones / (share * ones + (1 - share) * zeros)
    logit = np.log(p / (1 - p)) + prior_shift(share, trained)
    assert 1 / (1 + np.exp(-logit)) == pytest.approx(due)


def test_prices_follow_areas() -> None:
    x, y = (np.asarray(part, "float64") for part in make_homes(5000))
    assert x.shape == y.shape == (5000, 1)
    assert x.mean() == pytest.approx(100, abs=1.5)
    assert x.std() == pytest.approx(25, abs=1)
    assert (y - 3000 * x).mean() == pytest.approx(0, abs=500)
    assert (y - 3000 * x).std() == pytest.approx(10_000, rel=0.05)


def test_layers_become_a_model_of_one_number() -> None:
    layers = [tf.keras.layers.Rescaling(2.0), tf.keras.layers.Rescaling(3.0)]
    model = make_priced(*layers)
    assert model(tf.constant([[1.0], [2.0]])).numpy().tolist() == [[6], [12]]


def test_the_squared_error_and_the_spread() -> None:
    y, other = tf.constant([[1.0], [2.0]]), tf.constant([[3.0], [2.0]])
    assert float(squared(y, other)) == 2.0
    told = spread(tf.constant([[10.0], [20.0], [60.0]]))
    assert told == f"mean 30, deviation {np.std([10, 20, 60]):.0f}"


def test_clusters_are_four_apart() -> None:
    x, y = (np.asarray(part) for part in make_clusters(5000))
    assert x.shape == (5000, 2)
    assert y.shape == (5000, 1)
    for label in (0, 1):
        rows = x[y[:, 0] == label]
        assert rows.mean(axis=0) == pytest.approx([4 * label - 2, 0], abs=0.15)
        assert rows.std(axis=0) == pytest.approx([0.5, 2.0], rel=0.06)


def due_of_unlabelled(z: np.ndarray) -> float:
    p = 1 / (1 + np.exp(-z))
    labels, sure = p > 0.5, np.maximum(p, 1 - p) > 0.9
    each = -np.log(np.where(labels, p, 1 - p))
    return float((each * sure).mean())


def test_only_sure_rows_count() -> None:
    z = np.array([[-4.0], [-2.0], [2.0], [3.0]], "float32")
    found = float(unlabelled_loss(tf.constant(z)))
    assert found == pytest.approx(due_of_unlabelled(z), rel=1e-4)


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_step_has_two_terms(share: float) -> None:
    model = make_flat()
    model.set_weights([np.array([[1.0], [0.5]]), np.array([0.1])])
    x, y = tf.constant([[1.0, 2.0]]), tf.constant([[0.0]])
    others = tf.constant([[3.0, 1.0], [0.0, 0.2]])
    logits = model(others).numpy()
    due = np.log(1 + np.exp(2.1)) + share * due_of_unlabelled(logits)
    before = model.get_weights()
    found = make_joint_step(model, share)(x, y, others)
    assert float(found) == pytest.approx(due, rel=1e-4)
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_allclose(weight, old - 0.05, rtol=1e-4)


class Headed(tf.keras.Model):
    """A linear model under a layer that is built when it is first called."""

    def __init__(self) -> None:
        super().__init__()
        self.first = make_flat()
        self.head = tf.keras.layers.Dense(1, kernel_initializer="zeros")

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        assert training
        return self.head(self.first(x) + 1.0)


def test_a_layer_that_is_not_built_learns_as_well() -> None:
    x, y = make_clusters(8)
    models: list[Any] = [Headed(), Headed()]
    make_step(models[0], cross_entropy)(x, y)
    make_joint_step(models[1], 1.0)(x, y, x)
    for model in models:
        assert model.head.kernel.numpy().all()


def test_unlabelled_rows_move_the_border() -> None:
    x, y = tf.constant([[-1.5, -3.0], [1.5, 3.0]]), tf.constant([[0.0], [1.0]])
    others, y_true = make_clusters(300)
    few = slices((x, y)).batch(2).repeat()
    data = tf.data.Dataset.zip((few, slices(others).batch(50)))
    right = []
    for share in (0.0, 1.0):
        found = learn_both(data, share, epochs=20)(others) > 0
        right.append(np.mean(found == (y_true > 0.5)))
    assert right[1] > right[0] + 0.05


@pytest.mark.parametrize("eager", [False, True])
def test_fit_takes_both(eager: bool) -> None:
    flat, other = make_flat(), make_flat()
    for model in (flat, other):
        model.set_weights([np.array([[2.0], [0.5]]), np.zeros(1)])
    x = tf.constant([[-1.5, -3.0], [1.5, 3.0], [2.0, 0.5]])
    y = tf.constant([[0.0], [1.0], [1.0]])
    rows, _ = make_clusters(100)
    few = slices((x, y)).batch(3).repeat()
    data = tf.data.Dataset.zip((few, slices(rows).batch(50)))
    joint = Joint(flat.inputs, flat.outputs)
    joint.compile(tf.keras.optimizers.Adam(0.05), run_eagerly=eager)
    seen = joint.fit(data, epochs=2, shuffle=False, verbose=0)
    step, losses = make_joint_step(other, 1.0), []
    for _ in range(2):
        for pair, unlabelled in data:
            losses.append(float(step(*pair, unlabelled)))
    assert seen.history["total"][-1] == pytest.approx(losses[-1], rel=1e-4)
    for one, two in zip(flat.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_a_share_for_each_row_is_refused() -> None:
    with pytest.raises(ValueError, match="scalar"):
        mix(tf.ones((3, 3)), tf.eye(3), tf.constant([0.0, 0.5, 1.0]), (0, 0))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_rows_are_mixed_with_their_labels(share: float) -> None:
    x, y = tf.range(10.0)[:, tf.newaxis], tf.one_hot(tf.range(10), 10)
    mixed, labels = mix(x, y, tf.constant(share), seed=(0, 1))
    others = tf.argmax(labels - share * y, axis=1).numpy()
    if share < 1:
        assert sorted(others) == list(range(10))
        assert list(others) != list(range(10))
        due = share * x + (1 - share) * tf.gather(x, others)
        np.testing.assert_allclose(mixed, due, atol=1e-5)
    else:
        np.testing.assert_array_equal(mixed, x)
        np.testing.assert_array_equal(labels, y)
    np.testing.assert_allclose(tf.reduce_sum(labels, axis=1), 1, atol=1e-6)
    traced = (
        slices((x, y))
        .batch(10)
        .map(lambda x, y: mix(x, y, tf.constant(share), seed=(0, 1)))
    )
    for again, _ in traced:
        np.testing.assert_allclose(again, mixed, rtol=1e-6)
    again, _ = mix(x, y, tf.constant(share), seed=(0, 1))
    np.testing.assert_array_equal(again, mixed)
