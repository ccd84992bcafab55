"""Random numbers one by one: generators, initializers, shuffles, dropout."""

import numpy as np
import tensorflow as tf


# region first_weight
def first_weight(**options: object) -> float:
    """Return the first initial weight of a new layer."""
    layer = tf.keras.layers.Dense(1, **options)
    layer.build((None, 1))
    return float(layer.kernel[0, 0])


# endregion first_weight


# region epochs_of
def epochs_of(rows: tf.data.Dataset, epochs: int = 3) -> list[list[int]]:
    """Return what the dataset gives in each epoch."""
    return [[int(row) for row in rows] for _ in range(epochs)]


# endregion epochs_of


# region listed
class Listed(tf.keras.Model):
    """Learns nothing, and lists the rows that fit gives it."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []

    def train_step(self, data: tf.Tensor) -> dict[str, float]:
        """Add the rows to the list."""
        self.rows += [int(row) for row in data]
        return {"loss": 0.0}


# endregion listed


# region fit_orders
def fit_orders(rows: np.ndarray | tf.data.Dataset) -> np.ndarray:
    """Return the rows as fit shuffles them, a line for each epoch."""
    model = Listed()
    model.compile(run_eagerly=True)
    is_array = isinstance(rows, np.ndarray)
    model.fit(rows, epochs=3, shuffle=is_array, verbose=0)
    return np.reshape(model.rows, (3, -1))


# endregion fit_orders


# region kept
def kept(dropout: tf.keras.layers.Dropout) -> str:
    """Return which of twelve inputs the layer keeps, as ones and zeros."""
    outputs = dropout(tf.ones([12]), training=True)
    return "".join("1" if output > 0 else "0" for output in outputs)


# endregion kept


# region draw
@tf.function
def draw() -> tf.Tensor:
    """Return a random number."""
    return tf.random.normal([])


# endregion draw


# region draw_from
@tf.function
def draw_from(seed: tf.Tensor) -> tf.Tensor:
    """Return the random number of a seed."""
    return tf.random.stateless_normal([], seed)


# endregion draw_from


# region seeded_inside
@tf.function
def seeded_inside() -> tf.Tensor:
    """Return a random number after setting the seed."""
    tf.random.set_seed(1)
    return tf.random.normal([])


# endregion seeded_inside


# region seed_states
def seed_states(model: tf.keras.Model) -> list[tf.keras.Variable]:
    """Return the variables in which the model's layers count their draws."""
    name = "seed_generator_state"
    return [state for state in model.variables if state.path.endswith(name)]


# endregion seed_states


# region order
def order(rows: int, epoch: int, seed: int = 1) -> tf.Tensor:
    """Return the order of the rows in an epoch, whatever came before."""
    return tf.argsort(tf.random.stateless_uniform([rows], (seed, epoch)))


# endregion order

if __name__ == "__main__":
    # region stateless
    for step in (0, 1, 0):
        value = tf.random.stateless_normal([], seed=(1, step))
        print(f"step {step}: {value:.4f}")
        tf.random.normal([])  # draws in between change nothing
    # endregion stateless

    # region generator
    generator = tf.random.Generator.from_seed(1)
    print(f"from seed 1:  {generator.normal([]):.4f}")
    print(f"the next:     {generator.normal([]):.4f}")
    generator.reset_from_seed(1)
    print(f"set back:     {generator.normal([]):.4f}")
    # endregion generator

    # region moved_on
    tf.keras.utils.set_random_seed(1)
    print(f"a Dense layer:           {first_weight():.4f}")
    tf.keras.utils.set_random_seed(1)
    tf.keras.layers.Dropout(0.2)
    print(f"the same, after another: {first_weight():.4f}")
    # endregion moved_on

    # region own_seed
    weights = []
    for _ in range(2):
        start = tf.keras.initializers.GlorotUniform(seed=1)
        weights.append(first_weight(kernel_initializer=start))
        tf.keras.layers.Dropout(0.2)
    print("weights:", *(f"{weight:.4f}" for weight in weights))
    assert weights[0] == weights[1]
    # endregion own_seed

    # region shared
    tf.keras.utils.set_random_seed(1)
    start = tf.keras.initializers.GlorotUniform()
    weights = [first_weight(kernel_initializer=start) for _ in range(3)]
    print("three layers:", *(f"{weight:.4f}" for weight in weights))
    # endregion shared

    # region one_each
    weights = []
    for _ in range(3):
        start = tf.keras.initializers.GlorotUniform()
        weights.append(first_weight(kernel_initializer=start))
    print("three layers:", *(f"{weight:.4f}" for weight in weights))
    assert len(set(weights)) == 3
    # endregion one_each

    # region shuffle
    tf.random.set_seed(1)
    for again in (True, False):
        rows = tf.data.Dataset.range(6)
        rows = rows.shuffle(6, seed=3, reshuffle_each_iteration=again)
        print(f"reshuffle_each_iteration={again}")
        for row in epochs_of(rows):
            print("   ", *row)
    # endregion shuffle

    # region fit_shuffles
    tf.keras.utils.set_random_seed(1)
    orders = fit_orders(np.arange(6.0))
    print(orders)
    # endregion fit_shuffles

    # region dataset_shuffles
    tf.keras.utils.set_random_seed(1)
    orders = fit_orders(tf.data.Dataset.range(6).shuffle(6).batch(3))
    print(orders)
    assert len({tuple(row) for row in orders}) > 1
    # endregion dataset_shuffles

    # region random_map
    tf.random.set_seed(1)
    rows = tf.data.Dataset.range(5)
    noisy = rows.map(lambda _: tf.random.uniform([], 0, 100, tf.int64))
    for drawn in epochs_of(noisy):
        print("noise:", *drawn)
    # endregion random_map

    # region stateless_map
    keys = tf.data.Dataset.random(seed=1, rerandomize_each_iteration=True)
    noisy = tf.data.Dataset.zip(rows, keys.batch(2)).map(
        lambda _, seed: tf.random.stateless_uniform([], seed, 0, 100, tf.int64)
    )
    first, *others = epochs_of(noisy)
    for drawn in (first, *others):
        print("noise:", *drawn)
    assert first not in others
    # endregion stateless_map

    # region old_layer
    dropout = tf.keras.layers.Dropout(0.5)
    for _ in range(2):
        tf.keras.utils.set_random_seed(1)
        print("kept:", kept(dropout))
    # endregion old_layer

    # region new_layer
    masks = []
    for _ in range(2):
        tf.keras.utils.set_random_seed(1)
        masks.append(kept(tf.keras.layers.Dropout(0.5)))
        print("kept:", masks[-1])
    assert masks[0] == masks[1]
    # endregion new_layer

    # region traced
    for seed in (1, 1, 2):
        tf.random.set_seed(seed)
        eager = tf.random.normal([])
        print(f"seed {seed}: eager {eager:.4f}, compiled {draw():.4f}")
    # endregion traced

    # region passed
    for pair in ((1, 0), (1, 0), (2, 0)):
        print(f"seed {pair}: {draw_from(tf.constant(pair)):.4f}")
    # endregion passed

    # region inside
    print("inside:", *(f"{seeded_inside():.4f}" for _ in range(3)))
    # endregion inside

    # region set_back
    model = tf.keras.Sequential([tf.keras.layers.Dropout(0.5)])
    states = seed_states(model)
    new = [state.numpy() for state in states]
    for _ in range(2):
        for state, value in zip(states, new, strict=True):
            state.assign(value)
        print("kept:", kept(model.layers[0]), kept(model.layers[0]))
    # endregion set_back

    # region orders
    for epoch in (0, 1, 7, 1):
        print(f"epoch {epoch}:", *order(6, epoch).numpy())
    assert sorted(order(6, 7).numpy()) == list(range(6))
    # endregion orders
