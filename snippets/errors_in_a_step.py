"""Mistakes that stop a training step with an error, and their mends."""

# region setup
import warnings
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

# endregion setup
from snippets.data import make_data
from snippets.keras_model import KerasLinearModel


# region gradients_of
def gradients_of(model, x, y):
    """Return the gradients of the mean squared error."""
    with tf.GradientTape() as tape:
        current_loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
    return tape.gradient(current_loss, model.trainable_variables)


# endregion gradients_of


# region said
def said(call: Callable[[], object]) -> str:
    """Return the error that a call ends with."""
    try:
        call()
    except (TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


# endregion said


# region Capped
class Capped(KerasLinearModel):
    """A line whose loss counts as 100 at most."""

    def compute_loss(self, *arguments, **named):
        """Return the compiled loss, or 100."""
        current_loss = super().compute_loss(*arguments, **named)
        if current_loss > 100.0:
            return tf.constant(100.0)
        return current_loss


# endregion Capped


# region CappedTensor
class CappedTensor(KerasLinearModel):
    """A line whose loss counts as 100 at most."""

    def compute_loss(self, *arguments, **named):
        """Return the compiled loss, or 100."""
        current_loss = super().compute_loss(*arguments, **named)
        return tf.minimum(current_loss, 100.0)


# endregion CappedTensor


# region CappedFunction
@tf.function
def at_most_100(value: tf.Tensor) -> tf.Tensor:
    """Return a number, or 100 if it is larger."""
    if value > 100.0:
        return tf.constant(100.0)
    return value


class CappedFunction(KerasLinearModel):
    """The same, its condition in a function of its own."""

    def compute_loss(self, *arguments, **named):
        """Return the compiled loss, or 100."""
        return at_most_100(super().compute_loss(*arguments, **named))


# endregion CappedFunction


# region make_rows
def make_rows(x, y) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    """Yield batches of 67 rows."""
    for first in range(0, len(x), 67):
        yield x[first : first + 67], y[first : first + 67]


# endregion make_rows


# region first_line
def first_line(dataset: tf.data.Dataset) -> str:
    """Return the first line of the error that a dataset ends with."""
    try:
        list(dataset)
    except tf.errors.InvalidArgumentError as error:
        return str(error).partition("}} ")[2].split("\n")[0].strip()
    return "nothing"


# endregion first_line


# region holding
def holding(element, signature):
    """Return a dataset of one element from a generator."""
    return tf.data.Dataset.from_generator(
        lambda: iter([element]), output_signature=signature
    )


# endregion holding


# region standardised
def standardised(x, y) -> tuple[np.ndarray, np.ndarray]:
    """Return a row, its input divided by the spread of all."""
    return (x / 1.16).astype("float32"), y


# endregion standardised


# region with_shapes
def with_shapes(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Call NumPy for a row, and say which shapes come back."""
    kinds = (tf.float32, tf.float32)
    new_x, new_y = tf.numpy_function(standardised, (x, y), kinds)
    new_x.set_shape(x.shape)
    new_y.set_shape(y.shape)
    return new_x, new_y


# endregion with_shapes


# region make_classifier
def make_classifier(activation: str) -> tf.keras.Model:
    """Return a model with one output that is to tell ones from zeros."""
    dense = tf.keras.layers.Dense(1, activation, kernel_initializer="zeros")
    model = tf.keras.Sequential([tf.keras.Input((1,)), dense])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return model


# endregion make_classifier


# region Near
class Near(KerasLinearModel):
    """A line for which a point counts the less, the further x is from 0."""

    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        """Return a mean of squared errors, weighted by the input."""
        y = tf.ensure_shape(y, y_pred.shape)
        weights = tf.exp(-tf.square(x))
        return tf.reduce_mean(weights * tf.square(y_pred - y))


# endregion Near


# region check_pairs
def check_pairs(
    pairs: Iterable[tuple[object, object]],
) -> list[tuple[object, object]]:
    """Return the pairs as a list, or say what is wrong with them."""
    listed = list(pairs)
    if not listed:
        raise ValueError("no pairs: was a zip used twice?")
    for gradient, variable in listed:
        if not hasattr(variable, "assign"):
            raise TypeError("a tensor stands where a variable belongs")
        if gradient is None:
            raise ValueError("a gradient is None")
    return listed


# endregion check_pairs


# region slope_penalty
def slope_penalty(model: tf.keras.Model, x: tf.Tensor) -> tf.Tensor:
    """Return how far the slope of the model at each x is from 1, squared."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(model(x, training=True))
    return tf.reduce_mean(tf.square(tape.gradient(total, x) - 1.0))


# endregion slope_penalty

if __name__ == "__main__":
    # region data
    x, y = make_data()
    x, y = x[:, tf.newaxis], y[:, tf.newaxis]
    # endregion data

    try:
        # region called_twice
        loss = tf.keras.losses.MeanSquaredError()
        for _ in range(2):
            loss = loss(y, 3.0 * x + 2.0)
        # endregion called_twice
    except TypeError as error:
        print(error)

    # region named_apart
    loss = tf.keras.losses.MeanSquaredError()
    for _ in range(2):
        current_loss = loss(y, 3.0 * x + 2.0)
    print(f"loss {current_loss:.4f}")
    # endregion named_apart

    try:
        # region turned
        model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.1)
        variables = model.trainable_variables
        gradients = gradients_of(model, x, y)
        optimizer.apply_gradients(zip(variables, gradients, strict=True))
        # endregion turned
    except AttributeError as error:
        print(error)

    # region paired
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    # endregion paired

    # region slips
    pairs = zip(gradients, variables, strict=True)
    optimizer.apply_gradients(pairs)
    print(said(lambda: optimizer.apply_gradients(pairs)))
    print(said(lambda: optimizer.apply_gradients(gradients)))
    print(said(lambda: optimizer.apply_gradients(gradients, variables)))
    # endregion slips

    try:
        # region point
        point = tf.constant([0.0])
        with tf.GradientTape() as tape:
            tape.watch(point)
            distance = tf.reduce_sum(tf.square(model(point) - 8.0))
        slope = tape.gradient(distance, point)
        tf.keras.optimizers.SGD(0.1).apply([slope], [point])
        # endregion point
    except AttributeError as error:
        print(error)

    # region movable
    point, mover = tf.Variable([0.0]), tf.keras.optimizers.SGD(0.01)
    for _ in range(100):
        with tf.GradientTape() as tape:
            distance = tf.reduce_sum(tf.square(model(point) - 8.0))
        mover.apply([tape.gradient(distance, point)], [point])
    print("point:", point.numpy(), "line:", model(point).numpy())
    # endregion movable

    try:
        # region predicted
        with tf.GradientTape() as tape:
            y_pred = model.predict(x, verbose=0)
            current_loss = tf.reduce_mean(tf.square(y_pred - y))
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply(gradients, variables)
        # endregion predicted
    except ValueError as error:
        print(error)

    # region called
    with tf.GradientTape() as tape:
        y_pred = model(x, training=True)
        current_loss = tf.reduce_mean(tf.square(y_pred - y))
    gradients = tape.gradient(current_loss, variables)
    assert None not in gradients
    optimizer.apply(gradients, variables)
    print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    # endregion called

    # region calls
    calls = {
        "model(x)": model,
        "predict": lambda x: model.predict(x, verbose=0),
        "predict_on_batch": model.predict_on_batch,
    }
    for name, call in calls.items():
        with tf.GradientTape() as tape:
            y_pred = call(x)
            total = tf.reduce_sum(y_pred)
        slope = tape.gradient(total, model.b)
        print(f"{name}: {type(y_pred).__name__}, gradient {slope}")
    # endregion calls

    try:
        # region by_numpy
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True)
            current_loss = np.mean(np.square(y_pred - y))
        tape.gradient(current_loss, variables)
        # endregion by_numpy
    except AttributeError as error:
        print(error)

    # region by_tensorflow
    with tf.GradientTape() as tape:
        y_pred = model(x, training=True)
        current_loss = tf.reduce_mean(tf.square(y_pred - y))
    slopes = tape.gradient(current_loss, variables)
    print(f"gradients: {slopes[0]:.4f}, {slopes[1]:.4f}")
    # endregion by_tensorflow

    # region one_by_one
    @tf.function
    def predict_row(row):
        """Return the prediction for a batch of one row."""
        return model(row, training=False)

    one_by_one = [predict_row(x[i : i + 1]) for i in range(5)]
    together = model.predict(x[:5], verbose=0)
    print("the same:", np.allclose(tf.concat(one_by_one, 0), together))
    # endregion one_by_one

    try:
        # region made_inside
        @tf.function
        def train_once(x, y):
            """Take a step with a rate of its own."""
            rate = tf.Variable(0.1)
            gradients = gradients_of(model, x, y)
            for variable, gradient in zip(variables, gradients, strict=True):
                variable.assign_sub(rate * gradient)

        train_once(x, y)
        # endregion made_inside
    except ValueError as error:
        print(error)

    # region made_anew
    for made in ("once", "in each step"):
        model = KerasLinearModel()
        optimizer = tf.keras.optimizers.SGD(0.01, momentum=0.9)
        for _ in range(30):
            if made == "in each step":
                optimizer = tf.keras.optimizers.SGD(0.01, momentum=0.9)
            gradients = gradients_of(model, x, y)
            optimizer.apply(gradients, model.trainable_variables)
        print(f"made {made}: w {float(model.w):.4f}, b {float(model.b):.4f}")
    # endregion made_anew

    # region made_before
    model = KerasLinearModel()
    optimizer = tf.keras.optimizers.SGD(0.01, momentum=0.9)
    optimizer.build(model.trainable_variables)

    @tf.function
    def train_step(x, y):
        """Take a step with the optimizer from outside."""
        gradients = gradients_of(model, x, y)
        optimizer.apply(gradients, model.trainable_variables)

    for _ in range(30):
        train_step(x, y)
    print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    # endregion made_before

    try:
        # region asked
        model = Capped()
        model.compile("sgd", "mse")
        model.fit(x, y, verbose=0)
        # endregion asked
    except tf.errors.OperatorNotAllowedInGraphError as error:
        print(error)

    # region computed
    for kind in (CappedTensor, CappedFunction):
        model = kind()
        model.compile("sgd", "mse")
        fit = model.fit(x, y, batch_size=201, epochs=2, verbose=0)
        first, second = fit.history["loss"]
        print(f"{kind.__name__}: {first:.4f}, {second:.4f}")
    # endregion computed

    # region ran_out
    rows = tf.data.Dataset.from_tensor_slices((x, y)).batch(67)
    model.compile("sgd", "mse")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(rows, epochs=2, steps_per_epoch=5, shuffle=False, verbose=0)
    print("UserWarning:", caught[0].message)
    print("updates:", int(model.optimizer.iterations))
    # endregion ran_out

    # region repeated
    model.compile("sgd", "mse")
    endless = rows.repeat()
    model.fit(endless, epochs=2, steps_per_epoch=5, shuffle=False, verbose=0)
    print("updates:", int(model.optimizer.iterations))
    # endregion repeated

    # region used_up
    generator = make_rows(x, y)
    for epoch in (1, 2):
        print(f"epoch {epoch}: {sum(1 for _ in generator)} batches")
    # endregion used_up

    # region fresh
    for epoch in (1, 2):
        print(f"epoch {epoch}: {sum(1 for _ in make_rows(x, y))} batches")
    # endregion fresh

    # region not_tuned
    options = tf.data.Options()
    options.autotune.enabled = False
    untuned = rows.with_options(options)
    print("batches:", sum(1 for _ in untuned))
    # endregion not_tuned

    try:
        # region past_the_end
        iterator = iter(rows)
        for _ in range(4):
            _, y_batch = iterator.get_next()
            print(f"mean {tf.reduce_mean(y_batch):.4f}")
        # endregion past_the_end
    except tf.errors.OutOfRangeError as error:
        print(error)

    # region begun_again
    iterator = iter(rows.repeat())
    for _ in range(4):
        _, y_batch = iterator.get_next()
        print(f"mean {tf.reduce_mean(y_batch):.4f}")
    # endregion begun_again

    # region row_signed
    row = tf.TensorSpec((1,), tf.float32)
    batches = tf.data.Dataset.from_generator(
        lambda: make_rows(x, y), output_signature=(row, row)
    )
    print(first_line(batches))
    # endregion row_signed

    # region column_signed
    column = tf.TensorSpec((None, 1), tf.float32)
    batches = tf.data.Dataset.from_generator(
        lambda: make_rows(x, y), output_signature=(column, column)
    )
    for x_batch, y_batch in batches:
        print(x_batch.shape, y_batch.shape)
    # endregion column_signed

    # region other_signatures
    number = tf.TensorSpec((), tf.float32)
    print(first_line(holding("one", number)))
    print(first_line(holding([[1.0, 2.0], [3.0]], column)))
    print(first_line(holding([1.0, 2.0], (number, number))))
    whole = holding(1.7, tf.TensorSpec((), tf.int32))
    print("1.7 becomes", next(iter(whole)).numpy())
    # endregion other_signatures

    try:
        # region no_length
        print(f"{len(batches)} batches")
        # endregion no_length
    except TypeError as error:
        print(error)

    # region counted
    known = batches.apply(tf.data.experimental.assert_cardinality(3))
    for data in (batches, known):
        model = KerasLinearModel()
        model.compile("sgd", "mse")
        model.fit(data, epochs=2, shuffle=False, verbose=0)
        updates = int(model.optimizer.iterations)
        print("length:", int(data.cardinality()), "updates:", updates)
    # endregion counted

    # region uneven
    lengths = tf.TensorSpec((None,), tf.float32)
    uneven = tf.data.Dataset.from_generator(
        lambda: iter([[1.0], [2.0, 3.0]]), output_signature=lengths
    )
    print(first_line(uneven.batch(2)))
    parallel = uneven.map(tf.square).batch(2)
    print(first_line(parallel).partition(" Shapes")[0])
    # endregion uneven

    # region padded
    for batch in uneven.padded_batch(2):
        print(batch.numpy())
    print("one row:", uneven.element_spec.shape)
    # endregion padded

    try:
        # region objects
        table = np.array([[-1.0, 2.0], [0.0, 5.0], [1.0, None]])
        tf.constant(table)
        # endregion objects
    except ValueError as error:
        print(error)

    # region finite
    numbers = table.astype("float32")
    print(numbers)
    numbers = numbers[np.isfinite(numbers).all(axis=1)]
    print("kept:", numbers.shape, numbers.dtype)
    # endregion finite

    # region not_numbers
    model.compile("sgd", "mse")
    print(said(lambda: model.fit(table[:, :1], y[:3], verbose=0)))
    print(said(lambda: model.fit([-1.0, 0.0, 1.0], y[:3], verbose=0)))
    print(said(lambda: tf.constant([[-1.0, 2.0], [0.0]])))
    print(said(lambda: tf.constant([1.0, None])))
    # endregion not_numbers

    try:
        # region too_narrow
        layers = [tf.keras.Input((2,)), tf.keras.layers.Dense(1)]
        wide = tf.keras.Sequential(layers)
        wide(x)
        # endregion too_narrow
    except ValueError as error:
        print(error)

    # region fitting
    print("one row wants", wide.input_shape[1:], "and has", x.shape[1:])
    print("out:", wide(numbers).shape)
    assert numbers.shape[1:] == wide.input_shape[1:]
    # endregion fitting

    try:
        # region one_row
        wide(numbers[0])
        # endregion one_row
    except ValueError as error:
        print(error)

    # region still_a_batch
    print(numbers[0].shape, numbers[:1].shape, wide(numbers[:1]).shape)
    # endregion still_a_batch

    try:
        # region pair_given
        inputs = tf.keras.Input((1,), name="x")
        outputs = tf.keras.layers.Dense(1)(inputs)
        line = tf.keras.Model(inputs, outputs, name="line")
        for pair in batches:
            line(pair)
        # endregion pair_given
    except ValueError as error:
        print(error)

    # region pair_parted
    for x_batch, _ in batches:
        print("in:", x_batch.shape, "out:", line(x_batch).shape)
    # endregion pair_parted

    try:
        # region by_list
        ends = [
            tf.keras.Input((1,), name=name) for name in ("first", "second")
        ]
        by_list = tf.keras.Model(ends, ends[0] + 10.0 * ends[1])
        one, two = tf.constant([[1.0]]), tf.constant([[2.0]])
        print("list:", by_list([one, two]).numpy())
        print("names:", by_list({"second": two, "first": one}).numpy())
        by_list({"x": one, "z": two})
        # endregion by_list
    except ValueError as error:
        print(error)

    # region by_name
    named = {"first": ends[0], "second": ends[1]}
    by_name = tf.keras.Model(named, ends[0] + 10.0 * ends[1])
    row = {"age": tf.constant([[7.0]]), "first": one, "second": two}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        print("a key too many:", by_name(row).numpy())
    print("UserWarning:", str(caught[0].message).split("\n")[0])
    # endregion by_name

    # region own_keys
    own = {name: row[name] for name in by_name.input}
    print("its own keys:", by_name(own).numpy())
    # endregion own_keys

    try:
        # region four_parts
        slices = tf.data.Dataset.from_tensor_slices
        outputs = [
            tf.keras.layers.Dense(1, kernel_initializer="zeros")(end)
            for end in ends
        ]
        both = tf.keras.Model(ends, outputs)
        both.compile("sgd", ["mse", "mse"])
        data = slices((x, 2.0 * x, y, 3.0 * y)).batch(67)
        both.fit(data, shuffle=False, verbose=0)
        # endregion four_parts
    except ValueError as error:
        print(error)

    # region two_parts
    both.compile("sgd", ["mse", "mse"])
    data = slices(((x, 2.0 * x), (y, 3.0 * y))).batch(67)
    log = both.fit(data, shuffle=False, verbose=0).history
    print(f"loss {log['loss'][0]:.4f}")
    # endregion two_parts

    try:
        # region unknown_rank
        kinds = (tf.float32, tf.float32)
        singles = tf.data.Dataset.from_tensor_slices((x, y))
        by_numpy = singles.map(
            lambda x, y: tf.numpy_function(standardised, (x, y), kinds)
        )
        dense = tf.keras.layers.Dense(1, kernel_initializer="zeros")
        line = tf.keras.Sequential([tf.keras.Input((1,)), dense])
        line.compile("sgd", "mse")
        line.fit(by_numpy.batch(67), shuffle=False, verbose=0)
        # endregion unknown_rank
    except ValueError as error:
        print(error)

    # region known_rank
    for rows in (by_numpy, singles.map(with_shapes)):
        print("one row:", rows.element_spec[0].shape)
    fit = line.fit(rows.batch(67), shuffle=False, verbose=0)
    print(f"loss {fit.history['loss'][0]:.4f}")
    # endregion known_rank

    try:
        # region one_hot
        labels = tf.constant([0, 2, 1])
        logits = tf.constant([[2.0, 0, 0], [0, 1, 3], [1, 4, 1]])
        losses = tf.keras.losses
        sparse = losses.SparseCategoricalCrossentropy(from_logits=True)
        sparse(tf.one_hot(labels, 3), logits)
        # endregion one_hot
    except ValueError as error:
        print(error)

    # region either
    dense = losses.CategoricalCrossentropy(from_logits=True)
    print(f"numbers: {sparse(labels, logits):.4f}")
    print(f"one-hot: {dense(tf.one_hot(labels, 3), logits):.4f}")
    print(said(lambda: dense(labels, logits)))
    # endregion either

    # region softmax_twice
    sure = 100.0 * tf.one_hot(labels, 3)
    print(f"logits:        {sparse(labels, sure):.4f}")
    print(f"softmax twice: {sparse(labels, tf.nn.softmax(sure)):.4f}")
    # endregion softmax_twice

    # region forgotten
    scores = tf.Variable(logits)
    for loss in (losses.SparseCategoricalCrossentropy(), sparse):
        with tf.GradientTape() as tape:
            current_loss = loss(labels, scores)
        slope = tf.norm(tape.gradient(current_loss, scores))
        print(f"loss {current_loss:.4f}, slope {slope:.4f}")
    # endregion forgotten

    # region alone
    above = tf.cast(y > 2.0, tf.float32)
    full = {"batch_size": 201, "epochs": 20, "verbose": 0}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = make_classifier("softmax")
        log = model.fit(x, above, **full).history
        predicted = np.unique(model(x).numpy().round(4))
    print("UserWarning:", caught[0].message)
    print("loss:", [round(log["loss"][n], 4) for n in (0, 9, 19)])
    print("accuracy:", [round(log["accuracy"][n], 4) for n in (0, 9, 19)])
    print("predicted:", predicted)
    # endregion alone

    # region squashed
    model = make_classifier("sigmoid")
    log = model.fit(x, above, **full).history
    print("loss:", [round(log["loss"][n], 4) for n in (0, 9, 19)])
    print("accuracy:", [round(log["accuracy"][n], 4) for n in (0, 9, 19)])
    assert len(np.unique(model(x))) > 1
    # endregion squashed

    try:
        # region from_one
        counted = tf.constant([1, 3, 2])
        sparse(counted, logits)
        # endregion from_one
    except tf.errors.InvalidArgumentError as error:
        print(error)

    # region from_zero
    numbered = (counted - 1).numpy()
    assert numbered.min() >= 0
    assert numbered.max() < logits.shape[-1]
    print(f"loss {sparse(numbered, logits):.4f}")
    # endregion from_zero

    # region out_of_range
    by_xla = tf.function(sparse, jit_compile=True)
    print("XLA:", by_xla(counted, logits).numpy())
    one_hot = tf.one_hot(counted, 3)
    costs = tf.nn.softmax_cross_entropy_with_logits(one_hot, logits)
    print("one-hot:", one_hot.numpy().tolist())
    print("costs:", np.round(costs, 2))
    # endregion out_of_range

    # region below_zero
    two_classes = tf.constant([[1.0], [2.0], [1.0]])
    binary = losses.BinaryCrossentropy(from_logits=True)
    for score in (1.0, 10.0, 100.0):
        scores = tf.fill((3, 1), score)
        print(f"all scores {score}: loss {binary(two_classes, scores):.2f}")
    # endregion below_zero

    # region above_zero
    two_classes = two_classes - 1
    assert tf.reduce_all((two_classes >= 0) & (two_classes <= 1))
    for score in (1.0, 10.0, 100.0):
        scores = tf.fill((3, 1), score)
        print(f"all scores {score}: loss {binary(two_classes, scores):.2f}")
    # endregion above_zero

    # region outside
    w = tf.Variable(3.0)
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        cube = w**3
    first = inner.gradient(cube, w)
    print("first:", first.numpy())
    print("second:", outer.gradient(first, w))
    # endregion outside

    # region inside
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            cube = w**3
        first = inner.gradient(cube, w)
    second = outer.gradient(first, w)
    print("second:", second.numpy())
    assert second is not None
    # endregion inside

    # region through_update
    model = KerasLinearModel()
    variables = model.trainable_variables
    others = model.non_trainable_variables
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            current_loss = tf.reduce_mean(tf.square(model(x) - y))
        slopes = inner.gradient(current_loss, variables)
        pairs = zip(variables, slopes, strict=True)
        updated = [variable - 0.1 * slope for variable, slope in pairs]
        y_pred, _ = model.stateless_call(updated, others, x)
        after = tf.reduce_mean(tf.square(y_pred - y))
    gradients = outer.gradient(after, variables)
    assert None not in gradients
    print("gradients:", *[f"{gradient:.4f}" for gradient in gradients])
    # endregion through_update

    try:
        # region three_arguments
        model = KerasLinearModel()
        model.compile("sgd", lambda y, y_pred, x: tf.abs(x) * (y_pred - y))
        model.fit(x, y, verbose=0)
        # endregion three_arguments
    except TypeError as error:
        print(error)

    # region near
    for kind in (KerasLinearModel, Near):
        model = kind()
        model.compile(tf.keras.optimizers.SGD(0.5), "mse")
        model.fit(x, y, batch_size=201, epochs=40, verbose=0)
        w, b = float(model.w), float(model.b)
        print(f"{kind.__name__}: w {w:.4f}, b {b:.4f}")
    # endregion near

    # region exercise_pairs
    model = KerasLinearModel()
    variables, gradients = model.trainable_variables, gradients_of(model, x, y)
    pairs = zip(gradients, variables, strict=True)
    print("pairs:", len(check_pairs(pairs)))
    print(said(lambda: check_pairs(pairs)))
    print(said(lambda: check_pairs(zip(variables, gradients, strict=True))))
    # endregion exercise_pairs

    # region exercise_penalty
    model = KerasLinearModel()
    with tf.GradientTape() as tape:
        penalty = slope_penalty(model, x)
    slope = tape.gradient(penalty, model.w)
    print(f"penalty {penalty:.4f}, gradient {slope:.4f}")
    # endregion exercise_penalty
