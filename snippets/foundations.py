"""Tensors, variables, the gradient tape and modules."""

# region setup
import warnings
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
# endregion setup


# region draw_cells
def draw_cells(axes: Axes, table: tf.Tensor, shape: list[int]) -> None:
    """Draw a table; dotted cells are copies of those within the shape."""
    rows, columns = table.shape
    for row in range(rows):
        for column in range(columns):
            own = row < shape[0] and column < shape[1]
            cell = Rectangle((column + 0.05, row + 0.05), 0.9, 0.9)
            cell.set(fill=False, color=BLUE, linestyle="-" if own else ":")
            axes.add_patch(cell)
            place = (column + 0.5, row + 0.5)
            text = f"{table[row, column]:.0f}"
            axes.annotate(text, place, ha="center", va="center")
    axes.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal")
    axes.axis("off")


# endregion draw_cells


# region draw_names
def draw_names(
    axes: Axes, names: dict[str, int], things: list[tf.Tensor]
) -> None:
    """Draw names and, by arrows, which of the things each stands for."""
    for row, (name, thing) in enumerate(names.items()):
        start, end = (0, row), (0.95, thing)
        arrow = {"arrowstyle": "->", "color": BLUE}
        axes.annotate(name, end, start, va="center", arrowprops=arrow)
    for row, thing in enumerate(things):
        kind = "Variable" if isinstance(thing, tf.Variable) else "Tensor"
        axes.annotate(f"{kind} {thing.numpy()}", (1, row), va="center")
    axes.set(xlim=(-0.1, 2), ylim=(1.5, -0.5))
    axes.axis("off")


# endregion draw_names


# region slope
Function = Callable[[tf.Tensor], tf.Tensor]


def bowl(w: tf.Tensor) -> tf.Tensor:
    """Return (w - 1) squared, in the shape of w."""
    return (w - 1.0) ** 2


def slope(function: Function, w: tf.Variable) -> tf.Tensor:
    """Return the gradient of the function at w, in the shape of w."""
    with tf.GradientTape() as tape:
        result = function(w)
    return tape.gradient(result, w)


# endregion slope


# region clip_each
def clip_each(stacks: list[tf.Tensor], limit: float) -> list[tf.Tensor]:
    """Return the means of gradients, that of each example clipped.

    A stack holds the gradients of one variable, one for each example.
    """
    rows = [tf.reshape(stack, (len(stack), -1)) for stack in stacks]
    scale = tf.minimum(1.0, limit / tf.norm(tf.concat(rows, 1), axis=1))
    return [tf.tensordot(scale, s, 1) / len(s) for s in stacks]


# endregion clip_each


# region line
class Line(tf.Module):
    """A straight line, f(x) = x * w + b."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        with self.name_scope:
            self.w = tf.Variable(2.0, name="w")
            self.b = tf.Variable(1.0, name="b")

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Return x times w plus b, in the shape of x."""
        return x * self.w + self.b


# endregion line


# region bend
class Bend(tf.Module):
    """A line, cut off below zero, and another line after it."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = tf.Variable(1.0, name="scale")
        self.second = Line("second")
        self.first = Line("first")

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Return a prediction for each x, in the shape of x."""
        return self.scale * self.second(tf.nn.relu(self.first(x)))


# endregion bend


# region draw_boxes
def draw_boxes(model: tf.Module, boxes: dict[str, tuple[int, int]]) -> None:
    """Draw the variables in a row, in boxes from one place to another."""
    _, axes = plt.subplots(figsize=(6.4, 1.9))
    for place, variable in enumerate(model.variables):
        name = f"{place}\n{variable.name.split('/')[-1][:-2]}"
        axes.annotate(name, (place, 0), ha="center", va="center")
    for label, (first, last) in boxes.items():
        edge, top = (0.4, 0.7) if label in vars(model) else (0.5, 1.1)
        size = (last - first + 2 * edge, top + edge)
        box = Rectangle((first - edge, -edge), *size, fill=False, color=BLUE)
        axes.add_patch(box)
        axes.annotate(label, (first - edge + 0.08, top - 0.25))
    axes.set(xlim=(-0.6, 4.6), ylim=(-0.6, 1.2))
    axes.axis("off")


# endregion draw_boxes


# region mixed
class Mixed(tf.Module):
    """A module that holds a variable and a layer of Keras."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = tf.Variable(1.0, name="scale")
        self.dense = tf.keras.layers.Dense(1)
        self.dense.build((None, 1))


# endregion mixed


# region numeric_slope
def numeric_slope(function: Function, w: float, dtype: tf.DType) -> float:
    """Return the slope of the function at w, from two values near w."""
    step = tf.constant(1e-4, dtype)
    w = tf.constant(w, dtype)
    rise = function(w + step) - function(w - step)
    return float(rise / (2 * step))


# endregion numeric_slope


# region pockets
class Pockets(tf.Module):
    """Keeps numbers in six ways."""

    def __init__(self) -> None:
        super().__init__()
        self.constant = tf.constant(1.0)
        self.frozen = tf.Variable(1.0, name="frozen", trainable=False)
        self.listed = [tf.Variable(1.0, name="listed")]
        self.mapped = {"key": tf.Variable(1.0, name="mapped")}
        self.plain = tf.Variable(1.0, name="plain")
        hidden = tf.Variable(1.0, name="hidden")
        self.function = lambda x: x * hidden


# endregion pockets

if __name__ == "__main__":
    # region tensor
    x = tf.constant([1.0, 2.0, 3.0])
    print("x:", x.shape, x.dtype.name)
    print("2x + 1:", (2.0 * x + 1.0).numpy())
    # endregion tensor

    try:
        # region unchanging
        x[0] = 5.0
        # endregion unchanging
    except TypeError as error:
        print(error)

    # region shapes
    column = tf.reshape(x, (-1, 1))
    mean = tf.reduce_mean(x)
    print("column:", column.shape)
    print("mean:", mean.shape, mean.numpy())
    # endregion shapes

    # region broadcast
    column = tf.constant([[10.0], [20.0], [30.0]])
    row = tf.constant([1.0, 2.0, 3.0, 4.0])
    total = column + row
    print(column.shape, "and", row.shape, "make", total.shape)
    # endregion broadcast

    # region draw_broadcast
    _, axes = plt.subplots(1, 3, figsize=(6.4, 1.7))
    shapes = {"column": [3, 1], "row": [1, 4], "column + row": [3, 4]}
    tables = [tf.broadcast_to(part, [3, 4]) for part in (column, row, total)]
    for axis, table, title in zip(axes, tables, shapes, strict=True):
        draw_cells(axis, table, shapes[title])
        axis.set_title(title)
    plt.show()
    # endregion draw_broadcast

    try:
        # region mismatch
        row + tf.constant([1.0, 2.0, 3.0])
        # endregion mismatch
    except tf.errors.InvalidArgumentError as error:
        print(error)

    # region double
    x = tf.linspace(-2, 2, 5)
    print("from -2 to 2:", x.dtype.name)
    print("from -2.0 to 2.0:", tf.linspace(-2.0, 2.0, 5).dtype.name)
    # endregion double

    try:
        # region mixed_types
        x * tf.constant(3.0)
        # endregion mixed_types
    except tf.errors.InvalidArgumentError as error:
        print(error)

    # region cast
    x = tf.cast(x, tf.float32)
    print("3x:", (3.0 * x).numpy())
    # endregion cast

    # region arrays
    array = np.linspace(-2, 2, 5)
    print("array:", array.dtype.name)
    print("constant:", tf.constant(array).dtype.name)
    print("constant of a type:", tf.constant(array, tf.float32).dtype.name)
    print("cast:", tf.cast(array, tf.float32).dtype.name)
    print("array * variable:", (array * tf.Variable(3.0)).dtype.name)
    # endregion arrays

    # region digits
    for dtype in (tf.float32, tf.float64):
        third = tf.constant(1.0, dtype) / 3
        print(f"{dtype.name}: {third.numpy().item():.18f}")
    # endregion digits

    # region variable
    w = tf.Variable(5.0)
    w.assign(3.0)
    w.assign_sub(1.0)
    print("w:", w.numpy(), w.shape, w.dtype.name)
    # endregion variable

    try:
        # region wrong_shape
        w.assign([1.0, 2.0])
        # endregion wrong_shape
    except ValueError as error:
        print(error)

    # region assigned
    w = tf.Variable(5.0)
    kept = w
    w.assign_sub(1.0)
    print("w:", w.numpy(), "kept:", kept.numpy())
    assigned = [kept]
    # endregion assigned

    # region rebound
    w = tf.Variable(5.0)
    kept = w
    w = w - 1.0
    print("w:", w.numpy(), "kept:", kept.numpy())
    rebound = [w, kept]
    # endregion rebound

    # region draw_rebound
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 1.7))
    draw_names(left, {"w": 0, "kept": 0}, assigned)
    draw_names(right, {"w": 0, "kept": 1}, rebound)
    left.set_title("w.assign_sub(1.0)")
    right.set_title("w = w - 1.0")
    plt.show()
    # endregion draw_rebound

    # region tape
    w = tf.Variable(3.0, name="w")
    with tf.GradientTape() as tape:
        result = (w - 1.0) ** 2
    gradient = tape.gradient(result, w)
    print("result:", result.numpy(), "gradient:", gradient.numpy())
    print("watched:", [v.name for v in tape.watched_variables()])
    # endregion tape

    # region tangents
    grid = tf.linspace(-1.5, 3.5, 101)
    plt.plot(grid, bowl(grid), color=BLUE)
    for start, style, color in ((0.0, "s--", GREEN), (2.5, "o-", RED)):
        w = tf.Variable(start)
        gradient = slope(bowl, w)
        near = tf.constant([start - 0.7, start, start + 0.7])
        tangent = bowl(w) + gradient * (near - start)
        label = f"gradient {gradient:.0f} at w = {start}"
        plt.plot(near, tangent, style, color=color, label=label, markevery=[1])
    plt.xlabel("w")
    plt.ylabel("bowl(w)")
    plt.legend()
    plt.show()
    # endregion tangents

    # region several
    x, y = tf.constant([1.0, 2.0, 3.0]), tf.constant([5.0, 8.0, 11.0])
    w, b = tf.Variable(5.0), tf.Variable(0.0)
    with tf.GradientTape() as tape:
        current_loss = tf.reduce_mean(tf.square(x * w + b - y))
    gradients = tape.gradient(current_loss, [w, b])
    print(*gradients, sep="\n")
    # endregion several

    try:
        # region asked_twice
        tape.gradient(current_loss, w)
        # endregion asked_twice
    except RuntimeError as error:
        print(error)

    # region each_example
    with tf.GradientTape(persistent=True) as tape:
        losses = tf.square(x * w + b - y)
    print("gradient:", tape.gradient(losses, w).numpy())
    print("jacobian:", tape.jacobian(losses, w).numpy())
    # endregion each_example

    # region use_clip_each
    stacks = tape.jacobian(losses, [w, b])
    for limit in (5.0, float("inf")):
        means = clip_each(stacks, limit)
        print(f"clipped to {limit}:", *[f"{mean:.2f}" for mean in means])
    # endregion use_clip_each

    # region of_rows
    rows, matrix = tf.ones([3, 2]), tf.ones([2, 4])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(rows)
        outputs = tf.tanh(rows @ matrix)
    print("jacobian:", tape.jacobian(outputs, rows).shape)
    print("batch_jacobian:", tape.batch_jacobian(outputs, rows).shape)
    # endregion of_rows

    # region before
    w = tf.Variable(3.0)
    square = w**2
    with tf.GradientTape() as tape:
        result = 5.0 * square
    gradients = tape.gradient(result, [w])
    print("gradients:", *gradients)
    # endregion before

    # region inside
    with tf.GradientTape() as tape:
        square = w**2
        result = 5.0 * square
    gradients = tape.gradient(result, [w])
    print("gradients:", *gradients)
    assert None not in gradients
    # endregion inside

    # region unwatched
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        result = x**2
    gradients = tape.gradient(result, [x])
    print("gradients:", *gradients)
    # endregion unwatched

    # region watched
    with tf.GradientTape() as tape:
        tape.watch(x)
        result = x**2
    gradients = tape.gradient(result, [x])
    print("gradients:", *gradients)
    assert None not in gradients
    # endregion watched

    # region through_numpy
    with tf.GradientTape() as tape:
        result = tf.square(w.numpy())
    gradients = tape.gradient(result, [w])
    print("gradients:", *gradients)
    # endregion through_numpy

    # region no_numpy
    with tf.GradientTape() as tape:
        result = tf.square(w)
    gradients = tape.gradient(result, [w])
    print("gradients:", *gradients)
    assert None not in gradients
    # endregion no_numpy

    # region whole_number
    w = tf.Variable(3)
    with tf.GradientTape() as tape:
        result = w**2
    gradients = tape.gradient(result, [w])
    print(w.dtype.name, "gradients:", *gradients)
    # endregion whole_number

    # region float_number
    w = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        result = w**2
    gradients = tape.gradient(result, [w])
    print(w.dtype.name, "gradients:", *gradients)
    assert None not in gradients
    # endregion float_number

    try:
        # region step_rebound
        w = tf.Variable(3.0)
        for step in range(2):
            with tf.GradientTape() as tape:
                result = w**2
            gradients = tape.gradient(result, [w])
            print(f"step {step}, gradients:", *gradients)
            w = w - 0.1 * gradients[0]
        # endregion step_rebound
    except TypeError as error:
        print(error)

    # region step_assigned
    w = tf.Variable(3.0)
    for step in range(2):
        with tf.GradientTape() as tape:
            result = w**2
        gradients = tape.gradient(result, [w])
        print(f"step {step}, gradients:", *gradients)
        assert None not in gradients
        w.assign_sub(0.1 * gradients[0])
    # endregion step_assigned

    # region unused
    w, b = tf.Variable(3.0, name="w"), tf.Variable(0.0, name="b")
    with tf.GradientTape() as tape:
        result = (2.0 * w) ** 2
    gradients = tape.gradient(result, [w, b])
    print("gradients:", *gradients)
    # endregion unused

    # region used
    with tf.GradientTape() as tape:
        result = (2.0 * w + b) ** 2
    gradients = tape.gradient(result, [w, b])
    print("gradients:", *gradients)
    assert None not in gradients
    # endregion used

    # region summed_in_graph
    batches = tf.data.Dataset.from_tensor_slices([2.0, 3.0])

    @tf.function
    def gradient_of_sum():
        """Return the gradient of a sum over a dataset."""
        with tf.GradientTape() as tape:
            total = 0.0
            for batch in batches:
                total += w * batch
        return tape.gradient(total, w)

    print("eager:", gradient_of_sum.python_function().numpy())
    print("compiled:", gradient_of_sum())
    # endregion summed_in_graph

    # region added_in_graph
    @tf.function
    def sum_of_gradients():
        """Return the gradients of the parts, added up."""
        added = 0.0
        for batch in batches:
            with tf.GradientTape() as tape:
                part = w * batch
            added += tape.gradient(part, w)
        return added

    print("compiled:", sum_of_gradients().numpy())
    # endregion added_in_graph

    # region drawn_by_numpy
    mean, stddev = tf.Variable(1.0), tf.Variable(0.5)
    generator = np.random.default_rng(seed=1)
    with tf.GradientTape() as tape:
        z = tf.constant(generator.normal(mean, stddev), tf.float32)
        result = z**2
    gradients = tape.gradient(result, [mean, stddev])
    print("gradients:", *gradients)
    # endregion drawn_by_numpy

    # region reparameterized
    noise = tf.random.stateless_normal((), seed=(1, 2))
    with tf.GradientTape() as tape:
        z = mean + stddev * noise
        result = z**2
    gradients = tape.gradient(result, [mean, stddev])
    assert None not in gradients
    print("gradients:", *[f"{gradient:.4f}" for gradient in gradients])
    print(f"2z: {2 * z:.4f}, 2z * noise: {2 * z * noise:.4f}")
    # endregion reparameterized

    # region drawn_choice
    logits, values = tf.Variable([[0.0, 1.0]]), tf.constant([2.0, 5.0])
    with tf.GradientTape(persistent=True) as tape:
        choice = tf.random.stateless_categorical(logits, 1, seed=(1, 2))
        drawn = tf.gather(values, choice)
        expected = tf.reduce_sum(values * tf.nn.softmax(logits))
    print("choice:", choice.dtype.name, tape.gradient(drawn, logits))
    gradient = tape.gradient(expected, logits)
    print("expected:", gradient.numpy().round(4))
    # endregion drawn_choice

    # region some_none
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)
    with tf.GradientTape() as tape:
        result = w**2
    gradients = tape.gradient(result, [w, b])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        optimizer.apply_gradients(zip(gradients, [w, b], strict=True))
    said = str(caught[0].message).split(".")[0]
    print(f"{caught[0].category.__name__}: {said}")
    print("w:", w.numpy(), "b:", b.numpy())
    # endregion some_none

    try:
        # region all_none
        optimizer.apply_gradients([(None, w), (None, b)])
        # endregion all_none
    except ValueError as error:
        print(error)

    # region saturated
    x, label = tf.constant([[1.0, 2.0]]), tf.constant([[0.0, 1.0]])
    w = tf.Variable([[60.0, -60.0], [0.0, 0.0]])
    b = tf.Variable([0.0, 0.0])
    with tf.GradientTape() as tape:
        p = tf.nn.softmax(x @ w + b)
        result = -tf.reduce_sum(label * tf.math.log(p + 1e-7))
    gradients = tape.gradient(result, [w, b])
    zeros = [tf.nn.zero_fraction(gradient) for gradient in gradients]
    print(f"loss {result:.2f}, zeros:", *[f"{share:.0%}" for share in zeros])
    # endregion saturated

    # region unsaturated
    with tf.GradientTape() as tape:
        logits = x @ w + b
        result = tf.nn.softmax_cross_entropy_with_logits(label, logits)[0]
    gradients = tape.gradient(result, [w, b])
    zeros = [tf.nn.zero_fraction(gradient) for gradient in gradients]
    print(f"loss {result:.2f}, zeros:", *[f"{share:.0%}" for share in zeros])
    assert max(zeros) < 1.0
    # endregion unsaturated

    # region use_line
    line = Line("line")
    print("f(3):", line(3.0).numpy())
    for variable in line.variables:
        print(variable.name, variable.numpy())
    # endregion use_line

    # region use_bend
    model = Bend()
    print("f(3):", model(3.0).numpy())
    for variable in model.variables:
        print(variable.name)
    # endregion use_bend

    # region draw_bend
    draw_boxes(model, {"model": (0, 4), "first": (1, 2), "second": (3, 4)})
    plt.show()
    # endregion draw_bend

    # region uncollected
    mixed = Mixed()
    print("module:", [v.name for v in mixed.trainable_variables])
    print("layer:", [v.name for v in mixed.dense.trainable_variables])
    # endregion uncollected

    # region collected
    variables = [*mixed.trainable_variables, *mixed.dense.trainable_variables]
    print("both:", [v.name for v in variables])
    assert len(variables) == 3
    # endregion collected

    # region together
    x = tf.cast(tf.linspace(-2, 2, 5), tf.float32)
    y = 3.0 * tf.nn.relu(x)
    model = Bend()
    for step in range(6):
        with tf.GradientTape() as tape:
            current_loss = tf.reduce_mean(tf.square(model(x) - y))
        variables = model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        assert None not in gradients
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.assign_sub(0.02 * gradient)
        print(f"step {step}: loss {current_loss:.3f}")
    # endregion together

    # region compare_slopes
    print(f"tape:    {slope(tf.sin, tf.Variable(1.0)):.6f}")
    for dtype in (tf.float32, tf.float64):
        print(f"{dtype.name}: {numeric_slope(tf.sin, 1.0, dtype):.6f}")
    # endregion compare_slopes

    # region look_into_pockets
    pockets = Pockets()
    print("variables:", [v.name for v in pockets.variables])
    print("trainable:", [v.name for v in pockets.trainable_variables])
    # endregion look_into_pockets
