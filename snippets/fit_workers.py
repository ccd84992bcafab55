"""What Keras' fit does when there are several workers."""

# region imports
import tensorflow as tf

# endregion imports
from snippets.many_devices import fit_line

if __name__ == "__main__":
    # region fit
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    print("workers:", strategy.num_replicas_in_sync, flush=True)
    print(f"last loss: {fit_line(strategy)[-1]:.4f}")
    # endregion fit
