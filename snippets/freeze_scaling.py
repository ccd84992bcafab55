"""Which pretrained models scale pixels by themselves."""

import tensorflow as tf

if __name__ == "__main__":
    # region first_layers
    applications = tf.keras.applications
    options = {"weights": None, "include_top": False}
    for make in (applications.EfficientNetB0, applications.MobileNetV2):
        base = make(input_shape=(32, 32, 3), **options)
        kinds = [type(layer).__name__ for layer in base.layers[:4]]
        print(f"{make.__name__}:", *kinds)
        if "Rescaling" in kinds:
            rescaling = base.layers[1]
    # endregion first_layers

    # region scaled_twice
    pixels = tf.constant([0.0, 128.0, 255.0])
    prepared = applications.efficientnet.preprocess_input(pixels)
    print("prepared for EfficientNet:", *prepared.numpy())
    for given in (prepared, prepared / 255.0):
        print("behind its Rescaling:", *rescaling(given).numpy().round(4))
    prepared = applications.mobilenet_v2.preprocess_input(pixels)
    print("prepared for MobileNetV2:", *prepared.numpy().round(4))
    # endregion scaled_twice
