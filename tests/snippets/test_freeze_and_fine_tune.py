"""What the page on freezing and fine-tuning says still holds.

The tests run the very sections that the page shows.  Each trap springs, each
mend holds, and each check fails under the code that looks right.
"""

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from snippets import freeze_and_fine_tune as page
from snippets.data import make_data
from snippets.freeze_and_fine_tune import (
    TwoLayers,
    WarmUp,
    WarmUpCast,
    averaged_loss,
    halve_on_plateau,
    make_head_step,
    make_model,
    make_normalising,
    make_normed,
    make_scaled_step,
    make_tasks,
    movement,
    train,
    unfreeze,
)
from snippets.keras_model import KerasLinearModel
from snippets.loss import loss
from snippets.usual_parts import make_step
from tests.story import Names, execute, statements

MODULE = "freeze_and_fine_tune"
LAST = slice(-1, None)
keras = tf.keras


@pytest.fixture(scope="module")
def pretrained() -> Names:
    """What the page has after the old task was learned."""
    names = dict(vars(page))
    execute(MODULE, statements(MODULE, "pretrain"), names)
    return names


@pytest.fixture
def run(pretrained: Names) -> Callable[..., Names]:
    """Run sections as the page does; return the names they leave."""

    def run(*shown: str) -> Names:
        names = dict(pretrained)
        for name in shown:
            execute(MODULE, statements(MODULE, name), names)
        return names

    return run


def check(section: str, names: Names) -> None:
    """Run the check with which a section ends."""
    execute(MODULE, statements(MODULE, section)[LAST], names)


def rows() -> tuple[tf.Tensor, tf.Tensor]:
    """Return the twenty rows of the new task, without noise."""
    x, _, y = make_tasks()
    return x[5::10], y[5::10]


def built(name: str = "SGD", **options: Any) -> tuple[Any, Any]:
    """Return a model and an optimizer that knows all of its variables."""
    model = make_model()
    optimizer = getattr(keras.optimizers, name)(0.01, **options)
    optimizer.build(model.trainable_variables)
    return model, optimizer


# The parts


def test_the_tasks_are_two_waves() -> None:
    x, old_y, new_y = (np.asarray(part, np.float64) for part in make_tasks())
    assert x.shape == old_y.shape == new_y.shape == (201, 1)
    np.testing.assert_allclose(old_y, np.sin(2 * x), atol=1e-6)
    np.testing.assert_allclose(new_y, 3 * np.sin(2.3 * x) + 2, atol=1e-5)


def test_the_model_is_a_base_and_a_head() -> None:
    model = make_model()
    shapes = [tuple(v.shape) for v in model.trainable_variables]
    assert shapes == [(1, 8), (8,), (8, 1), (1,)]
    same = zip(model.get_weights(), make_model().get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in same)
    x, _ = rows()
    kernel, bias, upper, last = model.get_weights()
    expected = np.tanh(x.numpy() @ kernel + bias) @ upper + last
    np.testing.assert_allclose(model(x), expected, atol=1e-5)


def test_movement_is_the_largest_of_all_weights() -> None:
    x, y = rows()
    model = make_model()
    base = model.get_layer("base")

    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        base.bias.assign_add([0, 0, -0.5, 0, 0, 0.25, 0, 0])

    assert movement(base, step, x, y) == 0.5
    assert movement(model.get_layer("head"), step, x, y) == 0


def test_the_old_task_was_learned(pretrained: Names) -> None:
    model = pretrained["model"]
    old, new = pretrained["old_y"], pretrained["new_y"]
    assert float(loss(old, model(pretrained["all_x"]))) < 0.01
    assert float(loss(new, model(pretrained["all_x"]))) > 6.0
    assert pretrained["x"].shape == pretrained["y"].shape == (20, 1)


# A frozen layer that goes on learning


def test_a_compiled_step_goes_on_training(run: Callable[..., Names]) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("go_on")
    assert len(names["model"].trainable_variables) == 2
    names = {**names, "optimizer": None}
    assert movement(names["base"], names["step"], *rows()) > 0.001
    with pytest.raises(AssertionError):
        check("stay", names)


def test_a_new_shape_and_eager_steps_freeze(
    run: Callable[..., Names], capsys: pytest.CaptureFixture[str]
) -> None:
    run("go_on", "sometimes")
    lines = capsys.readouterr().out.splitlines()
    _, first, smaller, eager, before = (line.split()[-1] for line in lines)
    assert smaller == eager == "0.000"
    assert float(first) > 0.001
    assert float(before) > 0.001
    assert not tf.config.functions_run_eagerly()


def test_a_new_step_freezes(run: Callable[..., Names]) -> None:
    names = run("stay")
    assert movement(names["base"], names["step"], *rows()) == 0
    assert movement(names["model"], names["step"], *rows()) > 0.001


def test_a_step_made_while_frozen_leaves_a_layer_that_is_no_more() -> None:
    model, optimizer = built()
    base = model.get_layer("base")
    base.trainable = False
    step = make_step(model, optimizer)
    step(*rows())
    base.trainable = True
    assert movement(base, step, *rows()) == 0
    assert movement(base, make_step(model, optimizer), *rows()) > 0


def test_the_list_as_an_argument_raises() -> None:
    model, optimizer = built()

    @tf.function
    def step(x: tf.Tensor, y: tf.Tensor, variables: list[Any]) -> None:
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x))
        optimizer.apply(tape.gradient(current_loss, variables), variables)

    said = "'SymbolicTensor' object has no attribute '_unique_id'"
    with pytest.raises(AttributeError, match=said):
        step(*rows(), model.trainable_variables)


def test_fit_keeps_its_step_until_compile(
    run: Callable[..., Names], capsys: pytest.CaptureFixture[str]
) -> None:
    run("fit")
    first, second = capsys.readouterr().out.splitlines()
    assert float(first.split()[-1]) > 0.001
    assert second.endswith("moved by 0.000")


def test_a_model_frozen_as_a_whole_has_no_variables(
    run: Callable[..., Names],
) -> None:
    said = r"not enough values to unpack \(expected 2, got 0\)"
    with pytest.raises(ValueError, match=said):
        run("all_frozen")
    model = make_model()
    model.trainable = False
    model.get_layer("head").trainable = True
    assert model.trainable_variables == []
    before = model.get_weights()
    with warnings.catch_warnings(action="error"):
        keras.optimizers.SGD(0.1).apply([], model.trainable_variables)
    assert np.array_equal(model.get_weights()[2], before[2])


def test_layers_are_frozen_one_by_one(run: Callable[..., Names]) -> None:
    variables = run("head_only")["model"].trainable_variables
    assert [v.path for v in variables] == [
        "model/head/kernel",
        "model/head/bias",
    ]


# Unknown variable


@pytest.mark.parametrize("name", ["Adam", "SGD"])
def test_unfreezing_is_unknown_to_the_optimizer(
    name: str, run: Callable[..., Names], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        keras.optimizers, "Adam", getattr(keras.optimizers, name)
    )
    said = "Unknown variable: .*model/base/kernel.*recreate a new optimizer"
    with pytest.raises(ValueError, match=said):
        run("unknown")


def test_unfreezing_is_unknown_in_fit() -> None:
    model, optimizer = make_model(), keras.optimizers.Adam(0.01)
    model.get_layer("base").trainable = False
    model.compile(optimizer, loss="mse")
    model.fit(*rows(), verbose=0)
    model.get_layer("base").trainable = True
    model.compile(optimizer, loss="mse")
    with pytest.raises(ValueError, match="Unknown variable"):
        model.fit(*rows(), verbose=0)


def test_an_optimizer_built_with_all_knows_them(
    run: Callable[..., Names], capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("known")
    frozen, unfrozen = capsys.readouterr().out.splitlines()
    assert frozen.endswith("by 0.000")
    assert float(unfrozen.split()[-1]) > 0.001
    assert int(names["optimizer"].iterations) == 12


def test_a_new_optimizer_knows_all_variables() -> None:
    model, optimizer = make_model(), keras.optimizers.Adam(0.01)
    base = model.get_layer("base")
    base.trainable = False
    make_step(model, optimizer)(*rows())
    base.trainable = True
    step = make_step(model, keras.optimizers.Adam(0.01))
    assert movement(base, step, *rows()) == pytest.approx(0.01, rel=1e-2)


# BatchNormalization


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_averages_move_only_if_both_are_true(
    trainable: bool, training: bool
) -> None:
    x = rows()[0] + 1
    model = make_normed()
    base = model.get_layer("base")
    base.trainable = trainable
    outputs = np.asarray(model(x, training=training), np.float64)
    both = trainable and training
    inputs = np.asarray(x, np.float64)
    mean, variance = (inputs.mean(), inputs.var()) if both else (0.0, 1.0)
    expected = (inputs - mean) / np.sqrt(variance + 0.001)
    np.testing.assert_allclose(outputs, expected, atol=1e-4)
    moved = 0.1 * inputs.mean() if both else 0.0
    assert base.moving_mean.numpy().item() == pytest.approx(moved, abs=1e-6)


def test_the_modes_are_printed(
    run: Callable[..., Names], capsys: pytest.CaptureFixture[str]
) -> None:
    run("modes")
    first, *others = capsys.readouterr().out.splitlines()
    assert first.endswith("output 0.0, moving mean 0.1")
    assert len(others) == 3
    for line in others:
        assert line.endswith("output 1.0, moving mean 0.0")


def test_a_frozen_dropout_still_drops() -> None:
    layer = keras.layers.Dropout(0.5, seed=1)
    layer.trainable = False
    outputs = layer(tf.ones((100, 1)), training=True).numpy()
    assert set(outputs.ravel().tolist()) == {0.0, 2.0}


def test_left_out_of_the_list_the_averages_move(
    run: Callable[..., Names],
) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("half_frozen")
    base, step = names["base"], names["step"]
    before = base.get_weights()
    step(names["x"] + 1, names["y"])
    after = base.get_weights()
    pairs = zip(before, after, strict=True)
    kept = [np.array_equal(one, other) for one, other in pairs]
    assert kept == [True, True, False, False]
    with pytest.raises(AssertionError):
        check("wholly_frozen", names)


def test_the_flag_freezes_the_averages(run: Callable[..., Names]) -> None:
    names = run("wholly_frozen")
    moved = movement(names["model"], names["step"], names["x"], names["y"])
    assert moved > 0


def test_training_false_at_the_call_is_overridden(
    run: Callable[..., Names],
) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("called_so")
    with pytest.raises(AssertionError):
        check("wholly_frozen", names)
    names["base"].trainable = False
    step = make_head_step(names["model"], keras.optimizers.SGD(0.1))
    assert movement(names["base"], step, names["x"] + 1, names["y"]) == 0


class Own(tf.keras.Model):
    """A model whose call says training=False to its normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.base = make_normed().get_layer("base")
        self.head = keras.layers.Dense(1)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.head(self.base(x, training=False))


@pytest.mark.usefixtures("eagerly")
def test_a_step_of_the_head_is_gradient_descent() -> None:
    x, y = (np.asarray(part, np.float64) for part in rows())
    model = make_normed()
    make_head_step(model, keras.optimizers.SGD(0.1))(*rows())
    inputs = (x - x.mean()) / np.sqrt(x.var() + 0.001)
    errors = inputs - y
    head = model.get_layer("head")
    expected = 1 - 0.2 * np.mean(errors * inputs)
    assert head.kernel.numpy().item() == pytest.approx(expected, abs=1e-4)
    expected = -0.2 * np.mean(errors)
    assert head.bias.numpy().item() == pytest.approx(expected, abs=1e-4)


def test_training_false_holds_in_a_class_of_your_own() -> None:
    x, _ = rows()
    model = Own()
    model(x + 1, training=True)
    assert model.base.moving_mean.numpy().item() == 0.0


def test_unfrozen_averages_move_again_but_not_with_unfreeze() -> None:
    x, y = rows()
    for thaw, moves in ((None, True), (unfreeze, False)):
        model = make_normed()
        base = model.get_layer("base")
        base.trainable = thaw is None
        if thaw:
            thaw(model)
        step = make_step(model, keras.optimizers.SGD(0.01))
        assert (movement(base, step, x + 1, y) > 0) is moves
    assert model.get_layer("head").trainable


def test_unfreeze_thaws_what_was_frozen_as_a_whole() -> None:
    model = make_normed()
    model.trainable = False
    unfreeze(model)
    head = model.get_layer("head")
    assert len(model.trainable_variables) == len(head.variables) == 2
    assert not model.get_layer("base").trainable


def test_unfreeze_does_not_reach_into_layers() -> None:
    inner = make_normed()
    unfreeze(keras.Sequential([keras.Input((1,)), inner]))
    assert inner.get_layer("base").trainable


@pytest.mark.parametrize("momentum", [0.99, 0.5])
def test_a_normalising_model_is_that_of_two_layers(momentum: float) -> None:
    x, _ = rows()
    model, plain = make_normalising(momentum), make_model()
    high = np.asarray(3 * x + 10, np.float64)
    scaled = (high - high.mean()) / np.sqrt(high.var() + 0.001)
    found = model(3 * x + 10, training=True)
    np.testing.assert_allclose(found, plain(scaled), atol=1e-4)
    moved = model.get_layer("first").moving_mean.numpy().item()
    assert moved == pytest.approx((1 - momentum) * high.mean(), rel=1e-4)


def test_averages_are_behind_and_catch_up(
    run: Callable[..., Names], capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("behind")
    means, *lines = capsys.readouterr().out.splitlines()
    assert means == "moving mean 6.34 of 10.00"
    used, as_in_training = (float(line.split()[-1]) for line in lines)
    assert used > 1
    assert as_in_training < 0.05
    with pytest.raises(AssertionError):
        check("caught_up", names)
    execute(MODULE, statements(MODULE, "caught_up"), names)
    assert float(capsys.readouterr().out.split()[-1]) < 0.05


# Two learning rates


def test_two_optimizers_have_two_rates(
    run: Callable[..., Names], capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("two_rates")
    base, head = capsys.readouterr().out.splitlines()
    assert base.endswith("base moved by 0.001")
    assert head.endswith("head moved by 0.050")
    assert int(names["slow"].iterations) == int(names["fast"].iterations) == 1


@pytest.mark.usefixtures("eagerly")
def test_two_plain_optimizers_are_gradient_descent() -> None:
    x, y = rows()
    model = make_model()
    base, head = model.get_layer("base"), model.get_layer("head")
    before = model.get_weights()
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    gradients = tape.gradient(current_loss, model.trainable_variables)
    parts = [
        (keras.optimizers.SGD(0.001), base.trainable_variables),
        (keras.optimizers.SGD(0.1), head.trainable_variables),
    ]
    page.make_step_of_parts(model, parts)(x, y)
    rates = (0.001, 0.001, 0.1, 0.1)
    for new, old, gradient, rate in zip(
        model.get_weights(), before, gradients, rates, strict=True
    ):
        np.testing.assert_allclose(new, old - rate * gradient, atol=1e-5)


@pytest.mark.parametrize(("name", "factor"), [("SGD", 0.02), ("Adam", 1.0)])
def test_a_scaled_gradient_is_a_smaller_rate_but_not_for_adam(
    name: str, factor: float
) -> None:
    moved = []
    for scale in (1.0, 0.02):
        model = make_model()
        optimizer = getattr(keras.optimizers, name)(0.05)
        step = make_scaled_step(model, optimizer, scale)
        moved.append(movement(model.get_layer("base"), step, *rows()))
    assert moved[1] == pytest.approx(factor * moved[0], rel=1e-2)


@pytest.mark.parametrize("trainable", [True, False])
def test_scaling_leaves_the_head_alone(trainable: bool) -> None:
    moved = []
    for scale in (1.0, 0.02):
        model = make_model()
        model.get_layer("base").trainable = trainable
        step = make_scaled_step(model, keras.optimizers.SGD(0.05), scale)
        moved.append(movement(model.get_layer("head"), step, *rows()))
    assert moved[0] == moved[1] > 0


def test_a_functional_base_is_scaled_as_well() -> None:
    # The paths of its variables do not have its name.
    moved = []
    for scale in (1.0, 0.02):
        inputs = keras.Input((1,))
        outputs = keras.layers.Dense(2, kernel_initializer="ones")(inputs)
        base = keras.Model(inputs, outputs, name="base")
        assert not any("base" in v.path for v in base.variables)
        head = keras.layers.Dense(1, kernel_initializer="ones")
        model = keras.Sequential([keras.Input((1,)), base, head])
        step = make_scaled_step(model, keras.optimizers.SGD(0.05), scale)
        moved.append(movement(base, step, *rows()))
    assert moved[1] == pytest.approx(0.02 * moved[0], rel=1e-2)


# Fine-tuning


def test_train_returns_the_losses_before_each_update() -> None:
    x, y = rows()
    model = make_model()
    first = float(loss(y, model(x)))
    history = train(model, keras.optimizers.SGD(0.01), x, y, 3)
    assert len(history) == 3
    assert history[0] == pytest.approx(first, rel=1e-5)
    assert history[2] < history[1] < history[0]
    assert float(loss(y, model(x))) < history[2]


def test_two_phases_are_better_than_all_at_once(
    run: Callable[..., Names],
    shown: list[Figure],
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("at_once")
    moved = abs(
        names["model"].get_layer("base").kernel.numpy()
        - names["old_weights"][0]
    ).max()
    assert moved > 1
    for section in ("two_phases", "plot_phases"):
        execute(MODULE, statements(MODULE, section), names)
    printed = capsys.readouterr().out.splitlines()
    scratch, once, head, same, low = (
        float(line.split()[-1]) for line in printed
    )
    assert low < head < same < scratch < once
    histories = names["histories"]
    assert max(histories[0.1]) > 10 > 1 > max(histories[0.002])
    assert histories[0.1][-1] < histories[0.002][-1]
    assert np.all(np.diff(histories[0.002]) < 0)
    assert histories[0.1][30] > histories[0.002][30]
    assert max(histories[0.1][50:]) < min(histories[0.002])
    base = names["base"].kernel.numpy() - names["old_weights"][0]
    assert abs(base).max() < 0.2
    [figure] = shown
    [axis] = figure.axes
    assert axis.get_yscale() == "log"
    lengths = [np.size(line.get_ydata()) for line in axis.lines]
    assert lengths == [160, 160, 2]


# EMA


def test_use_ema_alone_changes_nothing(
    run: Callable[..., Names],
    capsys: pytest.CaptureFixture[str],
    shown: list[Figure],
) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("line", "ema_unseen")
    first, without, with_ema = capsys.readouterr().out.splitlines()
    assert first == "batches: 20 rows: {10}"
    assert without.split()[-1] == with_ema.split()[-1]
    execute(MODULE, statements(MODULE, "ema_seen"), names)
    averaged = float(capsys.readouterr().out.split()[-1])
    assert averaged < float(without.split()[-1])
    raw, smooth = names["raw"], names["averaged"]
    assert 1.01 < min(raw) < 1.02
    assert 1.22 < max(raw) < 1.235
    assert 1.01 < min(smooth) < max(smooth) < 1.03
    assert len(shown) == 1


def test_the_averaged_loss_is_that_of_the_average() -> None:
    x, y = (part[:, tf.newaxis] for part in make_data())
    model = KerasLinearModel()
    optimizer = keras.optimizers.SGD(0.3, use_ema=True, ema_momentum=0.9)
    step = make_step(model, optimizer)
    average = np.zeros(2)
    for update in range(5):
        step(x, y)
        weights = np.array([float(model.w), float(model.b)])
        momentum = 0.9 if update else 0.0
        average = momentum * average + (1 - momentum) * weights
    w, b = average
    expected = np.mean((w * x.numpy() + b - y.numpy()) ** 2)
    result = averaged_loss(model, optimizer, x, y)
    assert result == pytest.approx(float(expected), rel=1e-4)
    assert [float(model.w), float(model.b)] == weights.tolist()


def test_fit_ends_with_the_averages_and_validates_without() -> None:
    x, y = (part[:, tf.newaxis] for part in make_data())
    logs = []
    for callbacks in ([], [keras.callbacks.SwapEMAWeights()]):
        model = KerasLinearModel()
        optimizer = keras.optimizers.SGD(0.3, use_ema=True, ema_momentum=0.9)
        model.compile(optimizer, loss="mse")
        fit = model.fit(
            *(x, y),
            batch_size=67,
            epochs=2,
            shuffle=False,
            verbose=0,
            validation_data=(x, y),
            callbacks=callbacks,
        )
        at_the_end = model.evaluate(x, y, verbose=0)
        logs.append((fit.history["val_loss"][-1], at_the_end))
    (raw, average), (swapped, after) = logs
    assert raw != pytest.approx(average, rel=1e-2)
    assert swapped == pytest.approx(average, rel=1e-5)
    assert after == pytest.approx(average, rel=1e-5)


def test_the_averages_of_normalisation_are_not_averaged() -> None:
    model = make_normed()
    optimizer = keras.optimizers.SGD(0.01, use_ema=True)
    step = make_step(model, optimizer)
    x, y = rows()
    for _ in range(3):
        step(x + 1, y)
    base = model.get_layer("base")
    moving_mean = base.moving_mean.numpy()
    optimizer.finalize_variable_values(model.trainable_variables)
    assert np.array_equal(base.moving_mean.numpy(), moving_mean)


def test_a_shorter_list_gives_the_head_the_weights_of_the_base(
    run: Callable[..., Names], capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("line", "ema_wrong_list")
    before, after = capsys.readouterr().out.splitlines()[1:]
    assert after == "head 1.00" != before
    execute(MODULE, statements(MODULE, "ema_right_list"), names)
    assert capsys.readouterr().out == before + "\n"


def test_a_shorter_list_of_other_shapes_raises() -> None:
    model, optimizer = built(use_ema=True)
    model.get_layer("base").trainable = False
    make_step(model, optimizer)(*rows())
    with pytest.raises(ValueError, match="Cannot assign value to variable"):
        optimizer.finalize_variable_values(model.trainable_variables)


def test_fit_hands_over_the_shorter_list() -> None:
    layers = [keras.layers.Dense(1, kernel_initializer="ones") for _ in "ab"]
    model = keras.Sequential([keras.Input((1,)), *layers])
    base, head = layers
    base.kernel.assign([[7.0]])
    optimizer = keras.optimizers.SGD(0.001, use_ema=True)
    optimizer.build(model.trainable_variables)
    base.trainable = False
    model.compile(optimizer, loss="mse")
    model.fit(*rows(), verbose=0)
    assert head.kernel.numpy().item() == 7.0


# Weight decay


def bias(weight_decay: float) -> float:
    """Return where decay and the gradient of the page's line balance."""
    x, y = (np.asarray(part, np.float64)[:200] for part in make_data())
    decay = weight_decay * np.eye(2)
    inputs = np.stack([x, np.ones_like(x)])
    hessian = 2 * inputs @ inputs.T / 200
    if not weight_decay:
        decay = np.diag([0.5, 0.0])
    return float(np.linalg.solve(hessian + decay, 2 * inputs @ y / 200)[1])


def test_late_is_never_and_early_is_right(
    run: Callable[..., Names], capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("line", "decay")
    lines = capsys.readouterr().out.splitlines()[1:]
    never, late, early = (
        float(line.split("b ")[1].split(",")[0]) for line in lines
    )
    assert never == late == pytest.approx(bias(0.5), abs=1e-3)
    assert early == pytest.approx(bias(0.0), abs=1e-3)
    check("no_decay", names)
    assert lines[1].endswith("left over 0.3865")
    with pytest.raises(AssertionError):
        check("no_decay", {**names, "left": float(lines[1].split()[-1])})


def test_excluding_late_raises_nothing_but_is_said_to() -> None:
    model, optimizer = built(weight_decay=0.5)
    with warnings.catch_warnings(action="error"):
        optimizer.exclude_from_weight_decay(
            var_list=[model.trainable_variables[1]]
        )
    documented = inspect.getdoc(optimizer.exclude_from_weight_decay)
    assert documented
    assert "must be called before" in documented.replace("\n", " ")
    source = inspect.getsource(type(optimizer).exclude_from_weight_decay)
    assert "raise ValueError" in source


def decayed(optimizer: Any, step: Any, variable: Any) -> bool:
    """Say whether a step with no error moves the variable."""
    before = float(variable)
    step(tf.zeros((4, 1)), tf.fill((4, 1), before))
    return float(variable) != before


def test_a_new_step_honours_a_late_exclusion() -> None:
    model = KerasLinearModel()
    model.b.assign(1.0)
    optimizer = keras.optimizers.SGD(0.1, weight_decay=0.5)
    step = make_step(model, optimizer)
    assert decayed(optimizer, step, model.b)
    optimizer.exclude_from_weight_decay(var_list=[model.b])
    assert decayed(optimizer, step, model.b)
    step = make_step(model, optimizer)
    assert not decayed(optimizer, step, model.b)


def test_biases_are_found_by_their_path_and_a_second_list_replaces() -> None:
    model = make_model()
    biases = [v for v in model.trainable_variables if "bias" in v.path]
    assert [v.path for v in biases] == ["model/base/bias", "model/head/bias"]
    for second in ([], [biases[0]]):
        model.set_weights([np.ones_like(w) for w in model.get_weights()])
        optimizer = keras.optimizers.SGD(0.1, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(var_list=biases)
        if second:
            optimizer.exclude_from_weight_decay(var_list=second)
        zeros = [tf.zeros(v.shape) for v in model.trainable_variables]
        optimizer.apply(zeros, model.trainable_variables)
        kept = [bool((w == 1).all()) for w in model.get_weights()]
        assert kept == [False, True, False, not second]


# The learning rate


def test_the_schedule_and_the_rate_by_hand_agree(
    run: Callable[..., Names], capsys: pytest.CaptureFixture[str]
) -> None:
    run("line", "schedule", "by_epoch")
    *_, first, second, third, schedule, by_hand = (
        capsys.readouterr().out.splitlines()
    )
    assert first == "epoch 1: next rate 0.0500, updates 20"
    assert second == "epoch 2: next rate 0.0250, updates 40"
    assert third == "epoch 3: next rate 0.0125, updates 60"
    assert schedule == by_hand


def test_a_schedule_is_not_settable(run: Callable[..., Names]) -> None:
    with pytest.raises(TypeError, match="its learning rate is not settable"):
        run("line", "schedule", "not_settable")
    with pytest.raises(AttributeError, match="'SGD' object has no attribute"):
        _ = keras.optimizers.SGD(0.1).lr


def test_a_late_schedule_is_not_followed(
    run: Callable[..., Names], capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("line", "late_schedule")
    number, schedule, new = capsys.readouterr().out.splitlines()[1:]
    assert number.endswith("0.000")
    assert float(schedule.split()[-1]) > 0.01
    assert new.endswith("0.000")
    assert float(names["optimizer"].learning_rate) == 0.0


def test_a_late_schedule_trains_on_at_the_old_rate() -> None:
    moved = []
    for late in (False, True):
        model, optimizer = built()
        step = make_step(model, optimizer)
        step(*rows())
        if late:
            schedules = keras.optimizers.schedules
            optimizer.learning_rate = schedules.ExponentialDecay(0.0, 20, 0.5)
        moved.append(movement(model, step, *rows()))
    assert moved[0] == moved[1]


# What a compiled step keeps


def test_a_compiled_step_keeps_the_mode_of_normalisation() -> None:
    x, y = rows()
    model, optimizer = make_normed(), keras.optimizers.SGD(0.01)
    step = make_head_step(model, optimizer)
    step(x + 1, y)
    base = model.get_layer("base")
    base.trainable = False
    assert movement(base, step, x + 1, y) > 0
    assert movement(base, make_head_step(model, optimizer), x + 1, y) == 0


def test_a_compiled_step_follows_the_weights() -> None:
    x, y = rows()
    model, optimizer = built()
    step = make_step(model, optimizer)
    step(x, y)
    model.set_weights([0 * weight for weight in model.get_weights()])
    np.testing.assert_allclose(step(x, y), np.zeros((20, 1)), atol=1e-6)


# Exercises


def test_the_rate_is_halved_on_a_plateau() -> None:
    optimizer = keras.optimizers.SGD(0.4)
    assert not halve_on_plateau(optimizer, [2.0, 2.0, 2.0], 3)
    assert not halve_on_plateau(optimizer, [2.0, 3.0, 3.0, 1.9], 3)
    assert float(optimizer.learning_rate) == pytest.approx(0.4)
    assert halve_on_plateau(optimizer, [2.0, 3.0, 2.0, 2.5], 3)
    assert float(optimizer.learning_rate) == pytest.approx(0.2)


def test_the_plateau_is_printed(
    run: Callable[..., Names], capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("line", "plateau")
    assert "rate 0.1500" in capsys.readouterr().out
    x, y = (np.asarray(part, np.float64)[:200] for part in make_data())
    least = np.mean((np.polyval(np.polyfit(x, y, 1), x) - y) ** 2)
    assert least < names["losses"][-1] < least + 0.01


def first_update(before: int) -> float:
    """Return Adam's first update after so many others, in rates."""
    mean = 0.1 / (1 - 0.9 ** (before + 1))
    square = 0.001 / (1 - 0.999 ** (before + 1))
    return mean / float(np.sqrt(square))


def test_the_first_update_after_a_freeze(
    run: Callable[..., Names], capsys: pytest.CaptureFixture[str]
) -> None:
    run("first_update")
    printed = capsys.readouterr().out.splitlines()
    for line, updates in zip(printed, (0, 1000), strict=True):
        assert f"{first_update(updates):.2f} times the rate" in line
    assert first_update(0) == pytest.approx(1.0)
    assert first_update(10**6) == pytest.approx(3.16, abs=0.01)


def test_a_real_freeze_has_the_same_first_update() -> None:
    model = make_model()
    optimizer = keras.optimizers.Adam(0.001)
    optimizer.build(model.trainable_variables)
    base = model.get_layer("base")
    base.trainable = False
    train(model, optimizer, *rows(), 300)
    base.trainable = True
    moved = movement(base, make_step(model, optimizer), *rows())
    assert moved / 0.001 == pytest.approx(first_update(300), rel=1e-2)


def test_the_module_runs_as_a_script(
    printed_by: Callable[[str], list[str]],
) -> None:
    assert "Unknown variable" in "\n".join(printed_by(MODULE))


def test_two_layers_are_called_one_after_the_other() -> None:
    model = TwoLayers()
    x = tf.constant([[-1.0], [0.5]])
    assert model(x).shape == (2, 1)
    (first, bias), (second, last) = (
        layer.get_weights() for layer in (model.base, model.head)
    )
    assert first.shape == (1, 8)
    expected = np.tanh(x @ first + bias) @ second + last
    assert model(x).numpy() == pytest.approx(expected, abs=1e-6)


def test_a_warm_up_rises_to_a_tenth() -> None:
    counts = [0, 4, 9, 10, 500]
    for schedule, kind in ((WarmUp(), tf.float64), (WarmUpCast(), tf.int64)):
        found = [float(schedule(tf.constant(n, kind))) for n in counts]
        assert found == pytest.approx([0.01, 0.05, 0.1, 0.1, 0.1])
    with pytest.raises(TypeError, match="dtype int64"):
        WarmUp()(tf.constant(0, tf.int64))
    assert WarmUpCast().get_config() == {}
