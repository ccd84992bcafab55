"""Use models that were saved, without the code of their classes."""

# region imports
import tensorflow as tf

# endregion imports

if __name__ == "__main__":
    # region predict
    served = tf.saved_model.load("served")
    print(f"served:   {float(served.predict([2.0])[0]):.4f}")
    print(f"its w:    {float(served.line.w):.4f}")
    exported = tf.saved_model.load("exported")
    print(f"exported: {float(exported.serve([[2.0]])[0, 0]):.4f}")
    # endregion predict
