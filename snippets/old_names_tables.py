"""Lines of older tutorials, and of today, by subject."""

from snippets.old_names import tried

# region variables
VARIABLES = {
    "tf.assign(w, 4.0)": "w.assign(4.0)",
    "tf.assign_add(w, 1.0)": "w.assign_add(1.0)",
    "tf.assign_sub(w, 1.0)": "w.assign_sub(1.0)",
    "tf.log(5.0)": "tf.math.log(5.0)",
    'tf.get_variable("w", [])': 'tf.Variable(0.0, name="w")',
    "tf.sub(5.0, 2.0)": "tf.subtract(5.0, 2.0)",
    "tf.mul(5.0, 2.0)": "tf.multiply(5.0, 2.0)",
    "tf.to_float(3)": "tf.cast(3, tf.float32)",
    "tf.random_normal([3])": "tf.random.normal([3])",
    "tf.set_random_seed(1)": "tf.keras.utils.set_random_seed(1)",
}
# endregion variables

# region sessions
SESSIONS = {
    "tf.Session()": "tf.function(lambda x: x * w)(2.0)",
    "tf.placeholder(tf.float32)": "tf.function(lambda x: x * w)",
    "tf.global_variables_initializer()": "tf.Variable(5.0)",
    "tf.gradients(w * w, w)": "tape.gradient(loss, w)",
    "tf.constant(3.0).eval()": "tf.constant(3.0).numpy()",
    "tf.data.Dataset.range(3).make_one_shot_iterator()": (
        "iter(tf.data.Dataset.range(3))"
    ),
    "tf.layers.dense(x, 1)": "tf.keras.layers.Dense(1)(x)",
    "tf.contrib": "",
    "tf.enable_eager_execution()": "",
    "tf.reset_default_graph()": "",
}
# endregion sessions

# region arguments
ARGUMENTS = {
    "tf.reduce_sum(x, keep_dims=True)": "tf.reduce_sum(x, keepdims=True)",
    "tf.argmax(x, dimension=0)": "tf.argmax(x, axis=0)",
    "tf.nn.dropout(x, keep_prob=0.9)": "tf.nn.dropout(x, rate=0.1)",
    "tf.keras.Input(1)": "tf.keras.Input((1,))",
    "tf.keras.layers.LeakyReLU(alpha=0.1)": (
        "tf.keras.layers.LeakyReLU(negative_slope=0.1)"
    ),
    "model.fit(x, y, workers=2)": "model.fit(x, y, verbose=0)",
    "tf.keras.layers.LSTM(4, batch_input_shape=(1, 3, 1))": (
        "tf.keras.Input(batch_shape=(1, 3, 1))"
    ),
}
# endregion arguments

# region optimizers
OPTIMIZERS = {
    "tf.train.GradientDescentOptimizer(0.1)": "tf.keras.optimizers.SGD(0.1)",
    "tf.train.AdamOptimizer(0.1)": "tf.keras.optimizers.Adam(0.1)",
    "tf.keras.optimizers.legacy.SGD(0.1)": "tf.keras.optimizers.SGD(0.1)",
    "tf.keras.optimizers.experimental": "tf.keras.optimizers",
    "tf.keras.optimizers.SGD(lr=0.1)": "tf.keras.optimizers.SGD(0.1)",
    "optimizer.lr": "optimizer.learning_rate",
    "tf.keras.backend.set_value(optimizer.learning_rate, 0.5)": (
        "optimizer.learning_rate = 0.5"
    ),
    "optimizer.minimize(loss, [w])": "optimizer.apply(gradients, [w])",
    "optimizer.get_weights()": "[v.numpy() for v in optimizer.variables]",
    "optimizer._decayed_lr(tf.float32)": "optimizer.learning_rate",
}
# endregion optimizers

# region scaling
SCALING = {
    "tf.keras.optimizers.SGD(0.1, decay=0.1)": (
        "tf.keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 0.1)"
    ),
    "scaled.get_scaled_loss(5.0)": "scaled.scale_loss(5.0)",
    "scaled.get_unscaled_gradients(gradients)": "",
    'tf.keras.mixed_precision.experimental.set_policy("float32")': (
        'tf.keras.mixed_precision.set_global_policy("float32")'
    ),
}
# endregion scaling

# region losses
LOSSES = {
    "tf.losses.mean_squared_error(y, p)": (
        "tf.keras.losses.MeanSquaredError()(y, p)"
    ),
    "tf.keras.losses.mean_squared_error(y, p)": "tf.keras.losses.mse(y, p)",
    "tf.keras.losses.mean_absolute_error(y, p)": "tf.keras.losses.mae(y, p)",
    "tf.metrics.accuracy(y, p)": "tf.keras.metrics.Accuracy()(y, p)",
    "metric.reset_states()": "metric.reset_state()",
    "model.compiled_loss(y, p)": "model.compute_loss(x, y, p)",
    "model.compiled_metrics.update_state(y, p)": (
        "model.compute_metrics(x, y, p)"
    ),
    'layer.add_metric(w, name="w")': "metric.update_state(w)",
    "tf.losses.Huber(reduction=tf.losses.Reduction.AUTO)": "tf.losses.Huber()",
}
# endregion losses

# region models
MODELS = {
    "model.fit_generator(rows)": "model.fit(rows, shuffle=False, verbose=0)",
    "model.evaluate_generator(rows)": "model.evaluate(rows, verbose=0)",
    "model.predict_classes(x)": "model.predict(x, verbose=0).argmax(axis=1)",
    "model.predict_proba(x)": "model.predict(x, verbose=0)",
    'model.fit(x, y, verbose=0).history["acc"]': (
        'model.fit(x, y, verbose=0).history["accuracy"]'
    ),
}
# endregion models

# region layers
LAYERS = {
    "recurrent.reset_states()": "recurrent.layers[0].reset_state()",
    "recurrent.layers[0].reset_states()": "recurrent.layers[0].reset_state()",
    'layer.add_weight("w", (1,))': 'layer.add_weight(name="w", shape=(1,))',
    'layer.add_variable("w", (1,))': 'layer.add_weight(name="v", shape=(1,))',
    "model.add_loss(lambda: w)": "layer.add_loss",
    "tf.keras.layers.Dense(1, input_shape=(1,))": "tf.keras.Input((1,))",
    "tf.keras.backend.learning_phase()": "model(x, training=True)",
    "tf.keras.experimental.LinearModel()": "tf.keras.layers.Dense(1)",
    "tf.keras.layers.experimental.preprocessing": "tf.keras.layers",
    "model.layers[0].output_shape": "model.layers[0].output.shape",
}
# endregion layers

# region saving
SAVING = {
    'model.save("line")': 'model.save("line.keras")',
    'tf.keras.models.load_model("line")': (
        'tf.keras.models.load_model("line.keras")'
    ),
    'model.save_weights("line")': 'model.save_weights("line.weights.h5")',
    'model.load_weights("line")': 'model.load_weights("line.weights.h5")',
    'ModelCheckpoint("best")': 'ModelCheckpoint("best.keras")',
    'model.save("line", save_format="tf")': (
        'model.export("line", verbose=False)'
    ),
    "tf.train.Saver()": "tf.train.Checkpoint(model=model)",
}
# endregion saving

# region keras_imports
KERAS_IMPORTS = {
    "from keras.utils import np_utils": (
        "from keras.utils import to_categorical"
    ),
    "from keras.layers.core import Dense": "from keras.layers import Dense",
    "from keras.layers.merge import concatenate": (
        "from keras.layers import concatenate"
    ),
    "from keras.preprocessing.text import Tokenizer": (
        "from keras.layers import TextVectorization"
    ),
    "from keras import backend as K; K.mean(x)": (
        "from keras import ops; ops.mean(x)"
    ),
}
# endregion keras_imports

# region tf_imports
TF_IMPORTS = {
    "from tensorflow.keras.layers import Dense": "",
    "import tensorflow.keras.backend as K": "",
    "from tensorflow.contrib import slim": "",
    "from tensorflow.examples.tutorials.mnist import input_data": (
        "from tensorflow.keras.datasets import mnist"
    ),
    "from tensorflow.keras.wrappers.scikit_learn import KerasClassifier": (
        "from keras.wrappers import SKLearnClassifier"
    ),
    "from tensorflow.python.keras.layers import Dense; "
    "tf.keras.Sequential([Dense(1)])": "",
}
# endregion tf_imports

# region compat
COMPAT = {
    "tf.compat.v1.Session()": "",
    "tf.compat.v1.placeholder(tf.float32)": (
        "with tf.Graph().as_default(): tf.compat.v1.placeholder(tf.float32)"
    ),
    "tf.compat.v1.layers.dense(x, 1)": "tf.keras.layers.Dense(1)(x)",
    "tf.compat.v1.enable_eager_execution()": "",
}
# endregion compat

if __name__ == "__main__":
    # region try_variables
    now, old, msg, new = tried(VARIABLES)
    # endregion try_variables

    # region try_sessions
    now, old, msg, new = tried(SESSIONS)
    # endregion try_sessions

    # region try_arguments
    now, old, msg, new = tried(ARGUMENTS)
    # endregion try_arguments

    # region try_optimizers
    now, old, msg, new = tried(OPTIMIZERS)
    # endregion try_optimizers

    # region try_scaling
    now, old, msg, new = tried(SCALING)
    # endregion try_scaling

    # region try_losses
    now, old, msg, new = tried(LOSSES)
    # endregion try_losses

    # region try_models
    now, old, msg, new = tried(MODELS)
    # endregion try_models

    # region try_layers
    now, old, msg, new = tried(LAYERS)
    # endregion try_layers

    # region try_saving
    now, old, msg, new = tried(SAVING)
    # endregion try_saving

    # region try_keras_imports
    now, old, msg, new = tried(KERAS_IMPORTS)
    # endregion try_keras_imports

    # region try_tf_imports
    now, old, msg, new = tried(TF_IMPORTS)
    # endregion try_tf_imports

    # region try_compat
    now, old, msg, new = tried(COMPAT)
    # endregion try_compat
