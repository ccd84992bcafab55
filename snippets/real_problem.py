"""A real problem: handwritten digits, from the data to honest numbers."""

# region setup
import itertools
import re
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

BLUE, RED = "#0072B2", "#D55E00"
# endregion setup


# region show_images
def show_images(x: np.ndarray, titles: Sequence[str], columns: int) -> None:
    """Show images of 64 pixels each in rows, every one under its title."""
    rows = -(-len(x) // columns)
    size = (6.4, 9.0 * rows / columns)
    _, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, x, titles, strict=False):
        image = image.reshape(8, 8)
        axis.imshow(image, "gray_r", interpolation="nearest", vmin=0, vmax=16)
        axis.set_title(title)
    plt.show()


# endregion show_images


# region split
Part = tuple[np.ndarray, np.ndarray]


def split(x: np.ndarray, y: np.ndarray, seed: int = 0) -> list[Part]:
    """Return training, validation and test set: 60, 20 and 20 per cent."""
    x, x_test, y, y_test = train_test_split(
        x, y, test_size=0.2, stratify=y, random_state=seed
    )
    x, x_validation, y, y_validation = train_test_split(
        x, y, test_size=0.25, stratify=y, random_state=seed
    )
    return [(x, y), (x_validation, y_validation), (x_test, y_test)]


# endregion split


# region standardise
def standardise(train_set: Part, *others: Part) -> list[Part]:
    """Return all sets, scaled by the training set's mean and deviation.

    A deviation of less than one grey level counts as one.
    """
    mean = train_set[0].mean(axis=0)
    deviation = np.maximum(train_set[0].std(axis=0), 1.0)
    return [((x - mean) / deviation, y) for x, y in (train_set, *others)]


# endregion standardise


# region dense
class Dense(tf.Module):
    """A dense layer, x @ w + b; w starts as He et al. (2015) advise."""

    def __init__(self, inputs: int, outputs: int, seed: Sequence[int]) -> None:
        super().__init__()
        start = tf.random.stateless_normal([inputs, outputs], seed)
        self.w = tf.Variable(start * (2 / inputs) ** 0.5, name="w")
        self.b = tf.Variable(tf.zeros(outputs), name="b")

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Map x of shape (batch, inputs) to (batch, outputs)."""
        return x @ self.w + self.b


# endregion dense


# region network
class Network(tf.Module):
    """Dense layers with a ReLU between any two; the last gives logits."""

    def __init__(self, sizes: Sequence[int], seed: int = 0) -> None:
        super().__init__()
        pairs = enumerate(itertools.pairwise(sizes))
        self.layers = [Dense(*pair, seed=(seed, n)) for n, pair in pairs]

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Map x of shape (batch, inputs) to (batch, classes)."""
        for layer in self.layers[:-1]:
            x = tf.nn.relu(layer(x))
        return self.layers[-1](x)


# endregion network


# region loss
def loss(y: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the mean softmax cross-entropy, a scalar.

    y holds the classes, shape (batch,); logits are (batch, classes).
    """
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
    return tf.reduce_mean(losses)


# endregion loss


# region evaluate
def evaluate(
    model: Callable[[np.ndarray], tf.Tensor], x: np.ndarray, y: np.ndarray
) -> tuple[float, float]:
    """Return the loss and the accuracy of the model's logits for x."""
    logits = model(x)
    accuracy = np.mean(np.argmax(logits, axis=1) == y)
    return float(loss(y, logits)), float(accuracy)


# endregion evaluate


# region train
def train(model, optimizer, x, y) -> None:
    """Update the weights once, on the batch (x, y)."""
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    variables = model.trainable_variables
    gradients = tape.gradient(current_loss, variables)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))


# endregion train

# region batches
EPOCHS, BATCH, LEARNING_RATE = 20, 64, 0.003


def batches(train_set: Part, seed: int = 0) -> tf.data.Dataset:
    """Return the set in batches, in a new order in every epoch."""
    pairs = tf.data.Dataset.from_tensor_slices(train_set)
    return pairs.shuffle(len(pairs), seed=seed).batch(BATCH)


# endregion batches


# region training_loop
def training_loop(
    model: Network, train_set: Part, *watched: Part, seed: int = 0
) -> list[list[float]]:
    """Train; return the losses on the watched sets, epoch by epoch."""
    optimizer = tf.keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(model.trainable_variables)
    compiled_train = tf.function(train, reduce_retracing=True)
    dataset = batches(train_set, seed)
    history = [[evaluate(model, *part)[0] for part in watched]]
    for _ in range(EPOCHS):
        for x, y in dataset:
            compiled_train(model, optimizer, x, y)
        history.append([evaluate(model, *part)[0] for part in watched])
    return history


# endregion training_loop


# region only
def only(part: Part, low: int, high: int) -> Part:
    """Return the images of the digits from low to high, out of a set."""
    rows = (low <= part[1]) & (part[1] <= high)
    return part[0][rows], part[1][rows]


# endregion only


# region cross_validate
def cross_validate(
    x: np.ndarray, y: np.ndarray, fold: np.ndarray, width: int
) -> dict[str, list[float]]:
    """Return the accuracies on each fold, of models trained on the rest."""
    scores: dict[str, list[float]] = {"baseline": [], "network": []}
    for number in range(fold.max() + 1):
        out = fold == number
        rest, tested = standardise((x[~out], y[~out]), (x[out], y[out]))
        baseline = LogisticRegression(max_iter=1000).fit(*rest)
        model = Network([64, width, 10], seed=number)
        training_loop(model, rest, seed=number)
        scores["baseline"].append(baseline.score(*tested))
        scores["network"].append(evaluate(model, *tested)[1])
    return scores


# endregion cross_validate

if __name__ == "__main__":
    # region look
    digits = load_digits()
    x, y = digits.data.astype("float32"), digits.target
    print("x:", x.shape, x.dtype, "from", x.min(), "to", x.max())
    print("y:", y.shape, y.dtype)
    print("images of each digit:", np.bincount(y))
    # endregion look

    # region grid
    show_images(x[:30], [str(digit) for digit in y[:30]], columns=10)
    # endregion grid

    # region cut
    names, parts = ("training", "validation", "test"), split(x, y)
    for name, part in zip(names, parts, strict=True):
        print(f"{name:10} {len(part[1]):4} images:", np.bincount(part[1]))
    # endregion cut

    # region rare_pixels
    x_train, x_validation = parts[0][0], parts[1][0]
    mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
    varies = deviation > 0
    scaled = (x_validation - mean)[:, varies] / deviation[varies]
    print("pixels that never vary in training:", np.sum(~varies))
    print(f"largest value in the validation set: {scaled.max():.0f}")
    # endregion rare_pixels

    # region baseline
    train_set, validation_set, test_set = standardise(*parts)
    usual = np.bincount(train_set[1]).argmax()
    print(f"always {usual}: {np.mean(validation_set[1] == usual):.3f}")
    baseline = LogisticRegression(max_iter=1000).fit(*train_set)
    print(f"logistic regression: {baseline.score(*validation_set):.3f}")
    # endregion baseline

    # region try_network
    model = Network([64, 32, 10])
    logits = model(validation_set[0])
    for variable in model.trainable_variables:
        print(variable.name, variable.shape)
    print("logits:", logits.shape)
    # endregion try_network

    # region formula
    z, labels = logits.numpy(), validation_set[1]
    true_z = z[np.arange(len(z)), labels]
    by_formula = np.mean(np.log(np.exp(z).sum(axis=1)) - true_z)
    print(f"loss {loss(labels, logits):.4f}, by formula {by_formula:.4f}")
    print(f"for equal logits: {loss(labels, 0 * logits):.4f}")
    # endregion formula

    # region overflow
    sure = tf.constant([[0.0, 200.0]])
    probabilities = tf.nn.softmax(sure)
    print("from probabilities:", -tf.math.log(probabilities[0, 0]).numpy())
    print("from logits:", loss([0], sure).numpy())
    # endregion overflow

    # region run
    history = training_loop(model, train_set, train_set, validation_set)
    for epoch in range(0, EPOCHS + 1, 4):
        learned, new = history[epoch]
        print(f"epoch {epoch:2}: training {learned:.3f}, validation {new:.3f}")
    _, accuracy = evaluate(model, *validation_set)
    print(f"validation accuracy: {accuracy:.3f}")
    # endregion run

    # region curves
    train_losses, validation_losses = zip(*history, strict=True)
    plt.semilogy(train_losses, "o-", color=BLUE, label="training")
    plt.semilogy(validation_losses, "s--", color=RED, label="validation")
    plt.xticks(range(0, EPOCHS + 1, 4))
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.show()
    # endregion curves

    # region keras
    keras_model = tf.keras.Sequential([tf.keras.Input(shape=(64,))])
    keras_model.add(tf.keras.layers.Dense(32, activation="relu"))
    keras_model.add(tf.keras.layers.Dense(10))
    twin = Network([64, 32, 10])
    weights = [v for layer in twin.layers for v in (layer.w, layer.b)]
    keras_model.set_weights(weights)
    keras_model.compile(
        optimizer=tf.keras.optimizers.Adam(LEARNING_RATE),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    # endregion keras

    # region fit
    dataset = batches(train_set)
    fit = keras_model.fit(
        dataset,
        epochs=EPOCHS,
        steps_per_epoch=len(dataset),
        validation_data=validation_set,
        shuffle=False,
        verbose=0,
    )
    losses, accuracies = fit.history["val_loss"], fit.history["val_accuracy"]
    print(f"fit:  loss {losses[-1]:.4f}, accuracy {accuracies[-1]:.3f}")
    print(f"loop: loss {history[-1][1]:.4f}, accuracy {accuracy:.3f}")
    # endregion fit

    # region choose
    baseline_loss, _ = evaluate(baseline.decision_function, *validation_set)
    print(f"baseline: loss {baseline_loss:.3f}")
    models, losses = {}, {}
    for width in (8, 32, 128):
        models[width] = Network([64, width, 10])
        training_loop(models[width], train_set)
        losses[width], _ = evaluate(models[width], *validation_set)
        print(f"{width:8}: loss {losses[width]:.3f}")
    width = min(losses, key=lambda width: losses[width])
    print("chosen:", width)
    # endregion choose

    # region test
    model, number = models[width], len(test_set[1])
    _, accuracy = evaluate(model, *test_set)
    error = (accuracy * (1 - accuracy) / number) ** 0.5
    print(f"network: {accuracy:.3f}, standard error {error:.3f}")
    print(f"baseline: {baseline.score(*test_set):.3f}")
    # endregion test

    # region confusion
    answers = np.argmax(model(test_set[0]), axis=1)
    matrix = tf.math.confusion_matrix(test_set[1], answers).numpy()
    plt.figure(figsize=(5.6, 4.8))
    for true, answer in np.argwhere(matrix).tolist():
        marker, color = ("o", BLUE) if true == answer else ("s", RED)
        plt.plot(answer, true, marker, color=color, markersize=20, alpha=0.35)
        plt.text(answer, true, matrix[true, answer], ha="center", va="center")
    plt.xticks(range(10))
    plt.yticks(range(10))
    plt.ylim(9.6, -0.6)
    plt.xlabel("answer of the network")
    plt.ylabel("true digit")
    plt.show()
    # endregion confusion

    # region mistakes
    wrong = answers != test_set[1]
    pairs = zip(test_set[1][wrong], answers[wrong], strict=True)
    titles = [f"{true} as {answer}" for true, answer in pairs]
    show_images(parts[2][0][wrong], titles, columns=5)
    # endregion mistakes

    # region seeds
    for seed in (1, 2, 3):
        other = Network([64, width, 10], seed)
        training_loop(other, train_set, seed=seed)
        print(f"seed {seed}: {evaluate(other, *test_set)[1]:.3f}")
    # endregion seeds

    # region forms
    text = "".join(map(str, y))
    starts = [found.start() for found in re.finditer("0123456789" * 3, text)]
    for start in starts[:4]:
        print(f"from {start:3}: {text[start : start + 50]}")
    print("images from start to start:", np.diff([*starts, len(y)]))
    # endregion forms

    # region folds
    shuffled = np.random.default_rng(0).permutation(len(y)) % 3
    piece = np.searchsorted(starts, np.arange(len(y)), side="right") - 1
    scores = {}
    for name, fold in (("mixed", shuffled), ("apart", piece // 4)):
        scores[name] = cross_validate(x, y, fold, width)
        for who, row in scores[name].items():
            print(f"{name}, {who:8}:", *(f"{score:.3f}" for score in row))
    mixed, apart = (np.mean(by["network"]) for by in scores.values())
    # endregion folds

    # region kept
    kept = Network([64, width, 10])
    for held_out in range(3):
        out = shuffled == held_out
        rest, tested = standardise((x[~out], y[~out]), (x[out], y[out]))
        new = Network([64, width, 10], seed=held_out)
        for network in (new, kept):
            training_loop(network, rest, seed=held_out)
        new_loss, _ = evaluate(new, *tested)
        kept_loss, _ = evaluate(kept, *tested)
        print(f"fold {held_out}: new {new_loss:.4f}, kept {kept_loss:.4f}")
    # endregion kept

    # region first_step
    @tf.function
    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        """Update the network of this fold once."""
        train(network, optimizer, x, y)

    for held_out in range(3):
        out = shuffled == held_out
        rest, tested = standardise((x[~out], y[~out]), (x[out], y[out]))
        network = Network([64, width, 10], seed=held_out)
        optimizer = tf.keras.optimizers.Adam(LEARNING_RATE)
        optimizer.build(network.trainable_variables)
        for batch in batches(rest, seed=held_out).repeat(EPOCHS):
            step(*batch)
        print(f"fold {held_out}: loss {evaluate(network, *tested)[0]:.4f}")
    # endregion first_step

    # region forgotten
    learner = Network([64, width, 10])
    for low, high in ((0, 4), (5, 9)):
        training_loop(learner, only(train_set, low, high))
        old = evaluate(learner, *only(validation_set, 0, 4))[1]
        new = evaluate(learner, *only(validation_set, 5, 9))[1]
        print(f"after {low} to {high}: old {old:.3f}, new {new:.3f}")
    # endregion forgotten

    # region rehearsed
    learner = Network([64, width, 10])
    old_x, old_y = only(train_set, 0, 4)
    training_loop(learner, (old_x, old_y))
    new_x, new_y = only(train_set, 5, 9)
    mixed_x = np.concatenate([new_x, old_x[::3]])
    mixed_y = np.concatenate([new_y, old_y[::3]])
    training_loop(learner, (mixed_x, mixed_y))
    kept_old = evaluate(learner, *only(validation_set, 0, 4))[1]
    kept_new = evaluate(learner, *only(validation_set, 5, 9))[1]
    print(f"with {len(old_y[::3])} old: {kept_old:.3f}, new {kept_new:.3f}")
    # endregion rehearsed

    # region fewer
    for size in (100, 200, 400):
        rows = np.arange(len(train_set[1])) % size
        small = Network([64, width, 10])
        training_loop(small, (train_set[0][rows], train_set[1][rows]))
        print(f"{size} images: {evaluate(small, *validation_set)[1]:.3f}")
    # endregion fewer

    # region shifted
    images = parts[1][0].reshape(-1, 8, 8)
    moved = np.pad(images, ((0, 0), (0, 0), (1, 0)))[:, :, :8]
    moved_part = moved.reshape(-1, 64), parts[1][1]
    moved_set = standardise(parts[0], moved_part)[1]
    print(f"as they were: {evaluate(model, *validation_set)[1]:.3f}")
    print(f"one pixel to the right: {evaluate(model, *moved_set)[1]:.3f}")
    # endregion shifted
