"""Curves that jump, and how to choose a rate, a batch and the rows."""

import matplotlib.pyplot as plt
import numpy as np

from snippets.curves_loop import (
    make_model,
    make_step,
    make_waves,
    measure,
    train,
)
from snippets.curves_overfit import each_loss, lowest
from snippets.curves_setup import (
    BLUE,
    CLASSES,
    RED,
    SGD,
    Adam,
    Model,
    Optimizer,
    Part,
)


# region count_rises
def count_rises(model: Model, optimizer: Optimizer, part: Part) -> str:
    """Train for an epoch; return how often the loss rose, and by a step."""
    step, (x, y), losses, rises = make_step(model, optimizer), part, [], 0
    for start in range(0, len(y), 64):
        batch = x[start : start + 64], y[start : start + 64]
        losses.append(measure(model, batch)[0])
        step(*batch)
        rises += measure(model, batch)[0] > losses[-1]
    ups = np.sum(np.diff(losses) > 0)
    return (
        f"{len(losses)} steps, {ups} up from batch to batch, {rises} by step"
    )


# endregion count_rises

if __name__ == "__main__":
    x, y = make_waves(4096, seed=0)
    train_set, more = (x[:256], y[:256]), (x[:1024], y[:1024])
    valid_set, test_set = make_waves(256, seed=1), make_waves(4096, seed=2)

    # region rises
    for rate in (0.1, 3.0):
        print(f"rate {rate}: {count_rises(make_model(), SGD(rate), more)}")
    # endregion rises

    # region few_rows
    model, sets = make_model(), (more, valid_set)
    train(model, Adam(0.02), sets, epochs=5)
    losses = each_loss(test_set[1], model(test_set[0], training=False))
    for rows in (16, 64, 256):
        means = losses.reshape(-1, rows).mean(axis=1)
        due = np.std(losses) / np.sqrt(rows)
        print(f"{rows} rows: {means.min():.2f} to {means.max():.2f},", end=" ")
        print(f"deviation {np.std(means):.2f}, expected {due:.2f}")
    # endregion few_rows

    # region rates
    for rate in (0.001, 0.01, 0.1):
        model = make_model()
        history, _ = train(model, Adam(rate), sets, epochs=12, batch=128)
        print(f"rate {rate}: {lowest(history)}")
    # endregion rates

    # region batches
    settings = (16, 0.02, 3), (128, 0.02, 3), (128, 0.02, 24), (128, 0.16, 3)
    for batch, rate, epochs in settings:
        history, _ = train(make_model(), SGD(rate), sets, epochs, None, batch)
        steps = epochs * 1024 // batch
        print(f"batch {batch}, rate {rate}, {epochs} epochs", end=": ")
        print(f"{steps} steps, loss {history['loss'][-1]:.2f}")
    # endregion batches

    # region sizes
    x, y = make_waves(4096, seed=0)
    sizes, curves = (256, 1024, 4096), []
    for rows in sizes:
        part, model = (x[:rows], y[:rows]), make_model()
        epochs = 32 * 256 // rows
        _, best = train(model, Adam(0.02), (part, valid_set), epochs)
        model.set_weights(best)
        curves.append([measure(model, each)[0] for each in (part, valid_set)])
        found = "loss {:.2f}, val_loss {:.2f}".format(*curves[-1])
        print(f"{rows} rows: {found}")
    # endregion sizes

    # region plot_sizes
    of_training, of_validation = zip(*curves, strict=True)
    plt.semilogx(sizes, of_training, "o--", color=BLUE, label="training")
    plt.semilogx(sizes, of_validation, "s-", color=RED, label="validation")
    plt.xlabel("rows to learn from")
    plt.ylabel("loss")
    plt.legend()
    plt.show()
    # endregion plot_sizes

    # region guesses
    draws = np.random.default_rng(0)
    right = draws.integers(CLASSES, size=(100, 4096)) == test_set[1]
    of_validation = right[:, :20].mean(axis=1)
    chosen = of_validation.argmax()
    print(f"validation {of_validation[chosen]:.2f}")
    print(f"test       {right[chosen, 20:].mean():.2f}")
    # endregion guesses

    # region wider
    history, _ = train(make_model(256), Adam(0.02), (train_set, valid_set))
    print(lowest(history))
    # endregion wider

    # region batch_of_32
    history, _ = train(make_model(), SGD(0.04), (more, valid_set), 3, None, 32)
    print(f"loss {history['loss'][-1]:.2f}")
    # endregion batch_of_32
