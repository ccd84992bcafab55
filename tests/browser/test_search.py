"""A reader's own words, or a pasted message, lead to the answer.

What is typed is what people write in questions and reports; the page named
beside it has to be among the first three that are found.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import PATIENCE
from tests.browser.test_pages import search

FIRST = 3
ITEM = ".md-search-result__item"
Results = Callable[[str], list[str]]
ASKED = {
    "how do i write a custom training loop": "basic_training_loops",
    "training freezes for a minute and then continues": "errors_in_a_step",
    "custom training loop tensorflow": "basic_training_loops",
    "training loop from scratch": "basic_training_loops",
    "multi gpu custom training loop": "many_devices",
    "mixed precision custom loop": "traps",
    "difference between tf.Variable and tensor": "foundations",
    "how to use validation data in custom loop": "usual_parts",
    "tensorboard custom training loop": "watch_a_training",
    "load optimizer state": "save_and_resume",
    "accuracy drops after load_model": "save_and_resume",
    "random accuracy after save_weights load_weights": "save_and_resume",
    "gradienttape returns none": "foundations",
    "train only some layers": "freeze_and_fine_tune",
    "how to freeze batch norm": "freeze_and_fine_tune",
    "class imbalance": "weights_outputs_losses",
    "out of memory during training": "memory",
    "gpu memory keeps increasing": "memory",
    "lstm stateful loop": "sequences",
    "f1 score during training": "usual_parts",
    "precision recall accuracy all the same": "usual_parts",
    "pearson correlation loss keras nan": "usual_parts",
    "r2 score metric custom training loop": "usual_parts",
    "k fold cross validation": "real_problem",
    "read images from directory": "data_for_a_loop",
    "accuracy is always 0": "usual_parts",
    "detect nan": "not_a_number",
    "nan in gradients find layer": "not_a_number",
    "session.run feed_dict migrate": "old_names",
    "shuffle buffer size": "how_fast",
    "retracing": "memory",
    "retrace": "memory",
    "triggered tf.function retracing": "memory",
    "NaN": "not_a_number",
    "loss is nan": "not_a_number",
    "loss nan after first epoch": "not_a_number",
    "set_seed": "same_run_twice",
    "reproducible": "same_run_twice",
    "embedding different results every run": "same_run_twice",
    "different results every run": "same_run_twice",
    "class_weight": "weights_outputs_losses",
    "two outputs two losses": "weights_outputs_losses",
    "change loss_weights during training": "weights_outputs_losses",
    "KL annealing": "weights_outputs_losses",
    "loss weight per epoch callback": "weights_outputs_losses",
    "curriculum loss weight not changing": "weights_outputs_losses",
    "freeze layer": "freeze_and_fine_tune",
    "Unknown variable": "freeze_and_fine_tune",
    "learning rate scheduler custom loop": "freeze_and_fine_tune",
    "EMA": "freeze_and_fine_tune",
    "batch normalization frozen": "freeze_and_fine_tune",
    "learning rate multiplier": "freeze_and_fine_tune",
    "different learning rate per layer in fit": "freeze_and_fine_tune",
    "MultiOptimizer": "freeze_and_fine_tune",
    "MultiOptimizer No gradients provided for any variable": (
        "freeze_and_fine_tune"
    ),
    "weight decay schedule": "freeze_and_fine_tune",
    "AdamW weight_decay learning rate schedule": "freeze_and_fine_tune",
    "stochastic weight averaging": "freeze_and_fine_tune",
    "SWA batch normalization": "freeze_and_fine_tune",
    "train_step loss is 0": "keras_from_fit_inwards",
    "model cannot be compiled because it has no loss to optimize": (
        "keras_from_fit_inwards"
    ),
    "ModelCheckpoint best resume training": "keras_from_fit_inwards",
    "accumulate history fit called again": "keras_from_fit_inwards",
    "epoch number in loss function": "weights_outputs_losses",
    "quantile regression": "weights_outputs_losses",
    "map_fn slow": "how_fast",
    "train several models at once": "other_loops",
    "ensemble training in one step": "other_loops",
    "not 'MirroredVariable'": "many_devices",
    "Unable to automatically build the model MirroredStrategy": "many_devices",
    "validation_freq EarlyStopping patience": "usual_parts",
    "Argument `learning_rate` should be float": "freeze_and_fine_tune",
    "gradient_accumulation_steps MirroredStrategy": "many_devices",
    "vectorized_map": "how_fast",
    "train two models in different threads": "how_fast",
    "multithreading keras fit": "how_fast",
    "pinball loss": "weights_outputs_losses",
    "quantile loss": "weights_outputs_losses",
    "BatchNormalization training loss good validation loss bad": (
        "freeze_and_fine_tune"
    ),
    "model with batch normalization works only with training=True": (
        "freeze_and_fine_tune"
    ),
    "Value in checkpoint could not be found in the restored object": (
        "save_and_resume"
    ),
    "resume training checkpoint": "save_and_resume",
    "'SymbolicTensor' object has no attribute 'numpy'": "watch_a_training",
    "TensorBoard": "watch_a_training",
    "progress bar": "watch_a_training",
    "callbacks custom training loop": "watch_a_training",
    "target network soft update": "two_models",
    "DQN target network": "two_models",
    "WGAN": "two_models",
    "n_critic weight clipping": "two_models",
    "critic loss negative": "two_models",
    "knowledge distillation": "two_models",
    "data augmentation": "data_for_a_loop",
    "RandomFlip": "data_for_a_loop",
    "not more images": "data_for_a_loop",
    "same augmentation every epoch": "data_for_a_loop",
    "image and mask the same way": "data_for_a_loop",
    "augmentation is slow": "data_for_a_loop",
    "oversample minority class": "data_for_a_loop",
    "sample_from_datasets": "data_for_a_loop",
    "pos_weight": "data_for_a_loop",
    "weighted binary crossentropy": "data_for_a_loop",
    "Normalization adapt": "data_for_a_loop",
    "semi-supervised": "data_for_a_loop",
    "mixup": "data_for_a_loop",
    "cutmix labels": "data_for_a_loop",
    "unlabeled data": "data_for_a_loop",
    "pseudo labels": "data_for_a_loop",
    "train_step without y": "data_for_a_loop",
    "regression predicts the same value": "data_for_a_loop",
    "regression loss is huge": "data_for_a_loop",
    "class_weight indices is not in": "data_for_a_loop",
    "data larger than memory": "data_for_a_loop",
    "memmap": "data_for_a_loop",
    "TFRecord": "data_for_a_loop",
    "Can't parse serialized Example": "data_for_a_loop",
    "dataset does not fit in memory": "data_for_a_loop",
    "PyDataset shuffle": "data_for_a_loop",
    "use_multiprocessing": "data_for_a_loop",
    "from_generator same order every epoch": "data_for_a_loop",
    "image_dataset_from_directory": "data_for_a_loop",
    "image_dataset_from_directory validation_split": "data_for_a_loop",
    "physics-informed neural network": "other_gradients",
    "PINN": "other_gradients",
    "policy gradient": "other_gradients",
    "REINFORCE": "other_gradients",
    "tf.custom_gradient": "other_gradients",
    "gradient reversal layer": "other_gradients",
    "straight-through estimator": "other_gradients",
    "L-BFGS": "other_gradients",
    "Hessian vector product tensorflow": "other_gradients",
    "ForwardAccumulator": "other_gradients",
    "second order optimization": "other_gradients",
    "adversarial example": "other_gradients",
    "saliency map": "other_gradients",
    "Grad-CAM": "other_gradients",
    "gradient with respect to input": "other_gradients",
    "grad_fn must accept keyword argument 'variables'": "other_gradients",
    "Passed in object of type 'Variable', not tf.Tensor": "other_gradients",
    "validation loss increases while training loss decreases": (
        "reading_the_curves"
    ),
    "prevent overfitting": "reading_the_curves",
    "overfitting": "reading_the_curves",
    "underfitting": "reading_the_curves",
    "validation loss and validation accuracy both increase": (
        "reading_the_curves"
    ),
    "validation accuracy higher than training accuracy": "reading_the_curves",
    "acc and val_acc do not change": "reading_the_curves",
    "model predicts the same class for all inputs": "reading_the_curves",
    "dying ReLU": "reading_the_curves",
    "initial loss very large": "reading_the_curves",
    "overfit one batch": "reading_the_curves",
    "noisy validation loss": "reading_the_curves",
    "how to choose the batch size": "reading_the_curves",
    "how many epochs": "reading_the_curves",
    "learning curve more data": "reading_the_curves",
    "test accuracy lower than validation accuracy": "reading_the_curves",
    "missing labels": "several_tasks",
    "NaN in y labels": "several_tasks",
    "multi task learning missing labels": "several_tasks",
    "ignore_class": "several_tasks",
    "ignore label 255 segmentation": "several_tasks",
    "weight map for each pixel": "several_tasks",
    "train on two datasets alternate": "several_tasks",
    "two tasks shared layers": "several_tasks",
    "uncertainty weights multi-task loss": "several_tasks",
    "multi-task loss negative": "several_tasks",
    "PCGrad": "several_tasks",
    "GradNorm": "several_tasks",
    "PPO ratio always 1": "other_gradients",
    "PPO old policy log prob": "other_gradients",
    "actor critic loss stop_gradient": "other_gradients",
    "DDPG actor gradient": "other_gradients",
    "posterior collapse": "other_loops",
    "VAE KL loss 0": "other_loops",
    "VAE reconstruction loss mean or sum": "other_loops",
    "variational autoencoder training loop": "other_loops",
    "TimeStopping callback": "keras_from_fit_inwards",
    "stop training after time limit": "keras_from_fit_inwards",
    "federated averaging": "other_loops",
    "average weights of keras models": "other_loops",
    "center loss": "weights_outputs_losses",
    "center loss centers not updated": "weights_outputs_losses",
    "gradient centralization": "other_loops",
    "optimizer get_gradients override": "other_loops",
    "learning rate finder": "other_loops",
    "LR finder": "other_loops",
    "learning rate range test": "other_loops",
    "sharpness-aware minimization": "other_loops",
    "SAM BatchNormalization": "other_loops",
    "gradient noise": "other_loops",
    "replay buffer": "other_loops",
    "replay memory": "other_loops",
    "DQN slow": "other_loops",
    "loss.backward": "other_loops",
    "zero_grad": "other_loops",
    "torch.no_grad": "other_loops",
    "PyTorch to TensorFlow": "other_loops",
    "OHEM": "other_loops",
    "hard example mining": "other_loops",
    "Lookahead optimizer": "other_loops",
    "No module named 'tensorflow_addons'": "other_loops",
    "GAN two optimizers": "two_models",
    "Incompatible shapes: [96,1] vs. [128,1]": "two_models",
    "GradientTape.gradient can only be called once": "foundations",
    "LSTM stateful reset_states": "sequences",
    "masking padded sequence loss": "sequences",
    "object of type 'RaggedTensor' has no len()": "sequences",
    "ragged tensor target loss": "sequences",
    "multi-label classification accuracy": "usual_parts",
    "multilabel accuracy too high": "usual_parts",
    "MeanIoU not changing": "usual_parts",
    "dice loss stays at 1": "usual_parts",
    "validate every n batches": "usual_parts",
    "`validation_split` is only supported for Tensors or NumPy arrays": (
        "usual_parts"
    ),
    "incremental learning": "real_problem",
    "catastrophic forgetting": "real_problem",
    "evaluate in callback on_train_batch_end": "usual_parts",
    "Converting sparse IndexedSlices to a dense Tensor": "usual_parts",
    "teacher forcing": "sequences",
    "decoder input shift": "sequences",
    "model repeats the same token": "sequences",
    "indices[0,7] = 5000 is not in [0, 5000)": "sequences",
    "Embedding index out of range": "sequences",
    "memory leak": "memory",
    "Session": "old_names",
    "module 'tensorflow' has no attribute 'Session'": "old_names",
    "get_scaled_loss": "old_names",
    "WGAN gradient penalty nan": "not_a_number",
    "custom optimizer _resource_apply_dense _create_slots": "old_names",
    "How do I write a custom optimizer by subclassing Optimizer?": (
        "old_names"
    ),
    "object has no attribute '_set_hyper'": "old_names",
    "The optimizer cannot recognize variable dense/kernel:0. This usually "
    "means you are trying to call the optimizer to update different parts of "
    "the model separately.": "old_names",
    "optimizer.lr": "old_names",
    "gradient is None": "foundations",
    "No gradients provided for any variable": "foundations",
    "not enough values to unpack (expected 2, got 0)": "freeze_and_fine_tune",
    "loss does not go down": "traps",
    "early stopping": "usual_parts",
    "MirroredStrategy": "many_devices",
    "train_step": "keras_from_fit_inwards",
    "access predictions and labels in callback": "keras_from_fit_inwards",
    "GradientTape": "foundations",
    "add_weight": "basic_training_loops",
    "assign_sub": "basic_training_loops",
    "'EagerTensor' object has no attribute '_unique_id'": "errors_in_a_step",
    "tf.function-decorated function tried to create variables": (
        "errors_in_a_step"
    ),
    "using a `tf.Tensor` as a Python `bool` is not allowed": (
        "errors_in_a_step"
    ),
    "WARNING:tensorflow:Your input ran out of data; interrupting": (
        "errors_in_a_step"
    ),
    "logits and labels must have the same first dimension, got logits "
    "shape [1,50] and labels shape [50]": "errors_in_a_step",
    "logits and labels must be broadcastable: logits_size=[32,8] "
    "labels_size=[32,7]": "errors_in_a_step",
    "TF 2.0 tf.GradientTape() second gradient None": "errors_in_a_step",
    "Can save best model only with val_loss available, skipping.": (
        "watch_a_training"
    ),
    "Gradient tape is much slower than keras fit method": (
        "keras_from_fit_inwards"
    ),
    "Do I have to do anything special to use BatchNormalization in my own "
    "training loops?": "traps",
    "How can we use gradients accumulation by defining the custom training "
    "step?": "usual_parts",
    "Tensorflow 2.0 custom training loop accuracy not improving": "traps",
    "L2 regularization not applied": "weights_outputs_losses",
    "label smoothing loss not zero": "weights_outputs_losses",
    "focal loss alpha gamma": "weights_outputs_losses",
    "k-fold cross-validation new model each fold": "real_problem",
    "KerasTuner custom training loop": "real_problem",
    "second model does not learn cross validation tf.function": "real_problem",
    "optuna objective custom training loop": "real_problem",
    "triplet loss stays at margin": "weights_outputs_losses",
    "custom loss Incompatible shapes: [8] vs. [16]": "weights_outputs_losses",
    "contrastive loss stuck at 6.93": "weights_outputs_losses",
    "contrastive loss multiple GPUs all_gather": "many_devices",
    "SimCLR loss not decreasing": "weights_outputs_losses",
    "Siamese network custom training loop": "weights_outputs_losses",
    "RAM usage increases every epoch": "memory",
    "gradient checkpointing": "memory",
    "recompute_grad does not save memory": "memory",
    "custom_gradient decorator currently supports keywords arguments only "
    "when eager execution is enabled": "memory",
    "Why is training so slow and GPU utilization so low?": "how_fast",
    "Very bad performance using Gradient Tape": "how_fast",
    "Detected unsupported operations when trying to compile graph "
    "__inference_one_step_on_data_14684[] on XLA_GPU_JIT": "how_fast",
    "tf2xla conversion failed while converting": "how_fast",
    "whole training loop in tf.function epochs slow to trace": "how_fast",
    "Fallback to op-by-op mode because memset node breaks graph update": (
        "how_fast"
    ),
    "tf.GradientTape not working properly. losses didn't decrease": "traps",
    "model not training weights not updating after apply_gradients": "traps",
    "keras.models.load_model resets the optimizer's state": "save_and_resume",
    "Datasets not reshuffling between epochs in eager mode": "same_run_twice",
    "why use batches? batch size vs number of steps": "usual_parts",
    "what is an epoch": "basic_training_loops",
    "WARNING:tensorflow:Gradients do not exist for variables "
    "['conv2d_7/kernel:0', 'conv2d_7/bias:0'] when minimizing the loss. If "
    "you're using `model.compile()`, did you forget to provide a `loss` "
    "argument?": "foundations",
    "ValueError: in user code: File "
    '"/usr/local/lib/python3.10/dist-packages/keras/src/engine/training.py", '
    "line 1401, in train_function * ValueError: Unknown variable: <Variable "
    "path=dense_9/kernel, shape=(128, 1), dtype=float32>": (
        "freeze_and_fine_tune"
    ),
    "ImportError: `keras.optimizers.legacy` is not supported in Keras 3. When "
    "using `tf.keras`, to continue using a `tf.keras.optimizers.legacy` "
    "optimizer, you can install the `tf_keras` package": "old_names",
    "ValueError: Failed to convert a NumPy array to a Tensor (Unsupported "
    "object type numpy.ndarray).": "errors_in_a_step",
    'ValueError: Input 0 of layer "sequential_3" is incompatible with the '
    "layer: expected shape=(None, 784), found shape=(None, 28, 28)": (
        "errors_in_a_step"
    ),
    'AssertionError: Object attributes { name: "VARIABLE_VALUE" full_name: '
    '"dense_7/kernel" } not assigned a value from checkpoint': "messages",
    "InvalidArgumentError: Received a label value of 10 which is outside the "
    "valid range of [0, 10)": "errors_in_a_step",
    "I tensorflow/core/framework/local_rendezvous.cc:407] Local rendezvous is "
    "aborting with status: OUT_OF_RANGE: End of sequence": "errors_in_a_step",
    "model(x) vs model.predict(x)": "errors_in_a_step",
    "model.predict slow for single sample": "errors_in_a_step",
    "np.mean loss GradientTape": "errors_in_a_step",
    "clip gradients of embedding IndexedSlices": "usual_parts",
    "merge_call called while defining a new graph": "many_devices",
    "apply_gradients() cannot be called in cross-replica context": (
        "many_devices"
    ),
    "weights differ between replicas": "many_devices",
    "loss drops suddenly every epoch": "watch_a_training",
    "loss goes up at the start of each epoch": "watch_a_training",
    "input pipeline bottleneck": "how_fast",
    "is the data loading slowing down my training": "how_fast",
    "ValueError: Cannot take the length of shape with unknown rank.": (
        "errors_in_a_step"
    ),
    "tf.py_function in dataset.map returns unknown shape and fit fails": (
        "errors_in_a_step"
    ),
    "model.predict() gives same output for all inputs": "errors_in_a_step",
    "Why does my network predict the same value for every sample?": (
        "errors_in_a_step"
    ),
    "accuracy always 0.5 binary classification": "reading_the_curves",
    "Why is my loss negative with binary_crossentropy?": "errors_in_a_step",
    "negative loss": "errors_in_a_step",
    "ValueError: A KerasTensor cannot be used as input to a TensorFlow "
    "function. A KerasTensor is a symbolic placeholder for a shape and dtype, "
    "used when constructing Keras Functional models or Keras Functions.": (
        "weights_outputs_losses"
    ),
    "How do I add the KL loss of a variational autoencoder to a functional "
    "model in Keras 3?": "weights_outputs_losses",
    "OperatorNotAllowedInGraphError: Iterating over a symbolic `tf.Tensor` is "
    "not allowed. You can attempt the following resolutions to the problem": (
        "errors_in_a_step"
    ),
    "for loop tensor train_step autograph": "errors_in_a_step",
    "MAML gradient through an inner update of the weights is None": (
        "errors_in_a_step"
    ),
    "clipnorm with MirroredStrategy": "many_devices",
    "BatchNormalization on several GPUs": "many_devices",
    "MirroredStrategy Keras loss is half": "many_devices",
    "sample_weight for time series Incompatible shapes": (
        "weights_outputs_losses"
    ),
    "No loss to compute. Provide a `loss` argument in `compile()`": (
        "keras_from_fit_inwards"
    ),
    "Model does not have a `call()` method implemented": (
        "keras_from_fit_inwards"
    ),
    "metrics should have as many entries as the model has outputs": (
        "weights_outputs_losses"
    ),
    "y_true and y_pred have different structures": "weights_outputs_losses",
    "Why is the validation loss lower than the training loss?": (
        "keras_from_fit_inwards"
    ),
    "val_loss lower than loss": "keras_from_fit_inwards",
    "model.evaluate() gives a different loss on training data from the one in "
    "training process": "keras_from_fit_inwards",
    "keras.fit() re-initialises the weights": "keras_from_fit_inwards",
    "Does calling model.fit again continue the training or start over?": (
        "keras_from_fit_inwards"
    ),
    "Breakpoints do not stop inside tf.function": "keras_from_fit_inwards",
    "How can I log the gradients of each layer to TensorBoard while "
    "training?": "keras_from_fit_inwards",
    "unexpected keyword argument 'write_grads'": "keras_from_fit_inwards",
    "gradient norm logging": "keras_from_fit_inwards",
    "on_train_batch_end loss is a running average": "keras_from_fit_inwards",
    "How can I get the loss of each batch in a callback?": (
        "keras_from_fit_inwards"
    ),
    "loss per batch history": "keras_from_fit_inwards",
    "monitor val_f1 of a callback in EarlyStopping": "keras_from_fit_inwards",
    "Can save best model only with val_f1 available, skipping.": (
        "keras_from_fit_inwards"
    ),
    "stop training when accuracy reaches a value": "keras_from_fit_inwards",
    "KeyboardInterrupt save model": "keras_from_fit_inwards",
    "EarlyStopping baseline": "keras_from_fit_inwards",
    "train_on_batch returns cumulative metric, test_on_batch inconsistent "
    "loss": "keras_from_fit_inwards",
    "Why does train_on_batch return a running average instead of the loss of "
    "the batch?": "keras_from_fit_inwards",
    "ValueError: None values not supported.": "foundations",
    "reparameterization trick": "foundations",
    "gradient through sampling is None": "foundations",
    "How do I get the gradient of each example in a batch?": "foundations",
    "per-example gradients tape.jacobian": "foundations",
    "clip_by_value fails because a gradient is None": "foundations",
    "LookupError: gradient registry has no entry for: ArgMax": "foundations",
    "Can I use the F1 score or accuracy as a loss function?": "foundations",
    "The trainable_variables of the subclass of tf.keras.Model is empty": (
        "basic_training_loops"
    ),
    "trainable_variables empty list": "basic_training_loops",
    "InaccessibleTensorError: The tensor cannot be accessed here: it is "
    "defined in another function or code block": "memory",
    "Appending losses to a list in a loop inside tf.function fails": "memory",
    "How do I stop TensorFlow from taking all GPU memory?": "memory",
    "set_memory_growth GPU": "on_a_gpu",
    "W tensorflow/core/framework/cpu_allocator_impl.cc:82] Allocation of "
    "1207959552 exceeds 10% of free system memory.": "memory",
    "multiprocessing spawn train model release memory": "memory",
    "tensorflow multiprocessing fork hangs": "memory",
    "concurrent.futures.process.BrokenProcessPool": "memory",
    "F1 score in Keras is wrong, differs from sklearn f1_score": (
        "usual_parts"
    ),
    "I tensorflow/core/kernels/data/shuffle_dataset_op.cc:98] Filling up "
    "shuffle buffer (this may take a while): 46287 of 70000": "how_fast",
    "shuffle buffer_size": "how_fast",
    "MirroredStrategy slows down training": "many_devices",
    "Why is training on two GPUs slower than on one?": "many_devices",
    "ValueError: You called `set_weights(weights)` on optimizer Adam with a "
    "weight list of length 13, but the optimizer was expecting 0 weights.": (
        "save_and_resume"
    ),
    "optimizer get_weights set_weights": "save_and_resume",
    "Requested the deserialization of a `Lambda` layer whose `function` is a "
    "Python lambda": "save_and_resume",
    "load_model Lambda safe_mode": "save_and_resume",
    "copy.deepcopy optimizer": "save_and_resume",
    "pickle keras model": "save_and_resume",
    "TypeError: cannot pickle 'FuncGraph' object": "save_and_resume",
    "`build()` was called on layer, however the layer does not have a "
    "`build()` method implemented": "save_and_resume",
    "subclassed model summary unbuilt 0": "save_and_resume",
    "A total of 1 objects could not be loaded": "save_and_resume",
    "expected 2 variables, but received 0 variables": "save_and_resume",
    "TypeError: Could not locate function 'custom_loss'. Make sure custom "
    "classes and functions are decorated with "
    "`@keras.saving.register_keras_serializable()`.": "save_and_resume",
    "load_model custom loss function": "save_and_resume",
    "UserWarning: Skipping variable loading for optimizer 'adam', because it "
    "has 2 variables whereas the saved optimizer has 10 variables.": (
        "save_and_resume"
    ),
    "reset optimizer momentum iterations": "save_and_resume",
    "Is it possible to manually reset momentum in SGD?": "save_and_resume",
    "Unresolved object in checkpoint": "save_and_resume",
    "Could not locate class": "save_and_resume",
    "TypeError: `generator` yielded an element of shape () where an element "
    "of shape (None, None) was expected.": "errors_in_a_step",
    "from_generator output_signature": "errors_in_a_step",
    "TypeError: The dataset length is unknown.": "errors_in_a_step",
    "AttributeError: 'NoneType' object has no attribute 'items'": (
        "errors_in_a_step"
    ),
    "ValueError: Layer model expects 1 input(s), but it received 2 input "
    "tensors. Inputs received: [<tf.Tensor 'IteratorGetNext:0' shape=(None, "
    "None) dtype=float32>": "errors_in_a_step",
    "ValueError: Data cardinality is ambiguous: x sizes: 60000 y sizes: "
    "10000": "errors_in_a_step",
    "TypeError: Cannot convert 0.1 to EagerTensor of dtype int64": (
        "freeze_and_fine_tune"
    ),
    "custom learning rate schedule warmup": "freeze_and_fine_tune",
    "print current learning rate each epoch": "freeze_and_fine_tune",
    "KeyError: 'lr' history": "freeze_and_fine_tune",
    "log learning rate TensorBoard": "freeze_and_fine_tune",
    "CosineDecayRestarts warm restarts": "freeze_and_fine_tune",
    "cyclical learning rate": "freeze_and_fine_tune",
    "You cannot add new elements of state (variables or sub-layers) to a "
    "layer that is already built.": "freeze_and_fine_tune",
    "model.layers.pop() not working": "freeze_and_fine_tune",
    "Monte Carlo dropout": "freeze_and_fine_tune",
    "EfficientNet accuracy stuck": "freeze_and_fine_tune",
    "preprocess_input does nothing": "freeze_and_fine_tune",
    "EfficientNet rescaling 0-255": "freeze_and_fine_tune",
    "MC dropout uncertainty predict": "freeze_and_fine_tune",
    "How do I use dropout at prediction time?": "freeze_and_fine_tune",
    "Dropout training=True has no effect in predict": "freeze_and_fine_tune",
    "ValueError: The layer sequential has never been called and thus has no "
    "defined output.": "freeze_and_fine_tune",
    "Gradient not registered in autograph mode with tf.data.Dataset loop": (
        "foundations"
    ),
    "The calling iterator did not fully read the dataset being cached": (
        "how_fast"
    ),
    "kernel_constraint GradientTape": "usual_parts",
    "How do I write a custom metric by subclassing tf.keras.metrics.Metric?": (
        "usual_parts"
    ),
    "custom metric update_state result reset_state": "usual_parts",
    "accuracy is 0": "usual_parts",
    "BinaryAccuracy logits threshold": "usual_parts",
    "accuracy 0 regression": "usual_parts",
    "accumulating the loss over several steps trains nothing": "usual_parts",
    "ValueError: Python inputs incompatible with input_signature": "memory",
    "shuffle take skip validation data leakage": "usual_parts",
    "predictions in another order than the labels of a shuffled dataset": (
        "usual_parts"
    ),
    "confusion matrix wrong shuffled dataset predict": "usual_parts",
    "Only instances of keras.Layer can be added to a Sequential model": (
        "old_names"
    ),
    "'loss' must be defined before the loop": "errors_in_a_step",
    "PyDataset loop never ends": "errors_in_a_step",
    "You must call compile() before using the model": (
        "keras_from_fit_inwards"
    ),
    "'Variable' object has no attribute '_id'": "errors_in_a_step",
    "Attr 'Toutput_types' of 'OptionalFromValue' Op": (
        "keras_from_fit_inwards"
    ),
    "fit() got an unexpected keyword argument 'workers'": "old_names",
    "module 'keras.backend' has no attribute 'mean'": "old_names",
    "Could not interpret optimizer identifier": "old_names",
    "Invalid value for argument reduction AUTO": "old_names",
    "object has no attribute '_decayed_lr'": "old_names",
    "Only input tensors may be passed as positional arguments": (
        "errors_in_a_step"
    ),
    "Tensorflow gradients are always zero!": "foundations",
    "gradient is zero instead of None": "foundations",
    "dead relu zero gradient": "foundations",
    'ValueError: Missing data for input "input_1". You passed a data '
    "dictionary with keys ['a', 'b'].": "errors_in_a_step",
    "MAML set_weights gradient None": "errors_in_a_step",
    "stateless_call meta-learning": "errors_in_a_step",
    "Keras 3 doesn't map dictionary inputs by key": "errors_in_a_step",
    "UserWarning: The structure of `inputs` doesn't match the expected "
    "structure.": "errors_in_a_step",
    "ValueError: Data is expected to be in format `x`, `(x,)`, `(x, y)`, or "
    "`(x, y, sample_weight)`, found": "errors_in_a_step",
    "tape.jacobian slow batch_jacobian": "foundations",
    "clip per-example gradients DP-SGD": "foundations",
    "GradientTape gradient with respect to model.input": "foundations",
    "tf.numpy_function gradient None": "foundations",
    "tf.gather_nd indices no gradient": "foundations",
    "unconnected_gradients zero": "foundations",
    "InvalidArgumentError: Cannot batch tensors with different shapes in "
    "component 0. First element had shape [300,200,3]": "errors_in_a_step",
    "ValueError: Shapes (None, 1) and (None, 10) are incompatible": (
        "errors_in_a_step"
    ),
    "Arguments `target` and `output` must have the same shape. Received: "
    "target.shape=(None, 1), output.shape=(None, 10)": "errors_in_a_step",
    "loss stuck at 0.693": "errors_in_a_step",
    "loss stays at 2.303": "errors_in_a_step",
    "training loss oscillates": "traps",
    "loss fluctuates": "traps",
    "LookupError: gradient registry has no entry for: ResizeBicubicGrad": (
        "errors_in_a_step"
    ),
    "LookupError: No gradient defined for operation": "errors_in_a_step",
    "NotImplementedError: Cannot convert a symbolic tf.Tensor (mul:0) to a "
    "numpy array": "errors_in_a_step",
    "AutoGraph could not transform and will run it as-is": "errors_in_a_step",
    "Keras model.fit hangs at the end of the first epoch": "errors_in_a_step",
    "Unexpected result of `train_function` (Empty logs)": "errors_in_a_step",
    "Cannot add tensor to the batch: number of elements does not match. "
    "Shapes are: [tensor]: [3], [batch]: [2]": "errors_in_a_step",
    "TypeError: Value passed to parameter 'indices' has DataType float32 not "
    "in list of allowed values: uint8, int8, int32, int64": "errors_in_a_step",
    "tf.one_hot in custom loss y_true is float32": "errors_in_a_step",
    "TypeError: Input 'y' of 'Mul' Op has type float32 that does not match "
    "type int64 of argument 'x'.": "foundations",
    "Calling GradientTape.gradient on a persistent tape inside its context is "
    "significantly less efficient": "two_models",
    "TypeError: Cannot iterate over a scalar tensor.": "errors_in_a_step",
    "numpy() is only available when eager execution is enabled": (
        "errors_in_a_step"
    ),
    "loss stuck at 16.118": "errors_in_a_step",
    "Cannot convert a partially known TensorShape (None, 1) to a Tensor": (
        "errors_in_a_step"
    ),
    "batch size None in train_step": "errors_in_a_step",
    "Layer count mismatch when loading weights from file": "save_and_resume",
    "Object of type EagerTensor is not JSON serializable": "errors_in_a_step",
    "custom train_step loss 0.0000e+00": "errors_in_a_step",
    "Failed to find data adapter that can handle input": "errors_in_a_step",
    "K.gradients": "old_names",
    "Attempting to capture an EagerTensor without building a function": (
        "old_names"
    ),
    "Unrecognized keyword arguments passed to GRU: {'time_major': False}": (
        "old_names"
    ),
    "Unrecognized keyword arguments passed to Conv2DTranspose: {'groups': "
    "1}": "old_names",
    "Compiled the loaded model, but the compiled metrics have yet to be "
    "built. `model.compile_metrics` will be empty until you train or evaluate "
    "the model.": "old_names",
    "Received incompatible tensor with shape (1, 1, 32, 64) when attempting "
    "to restore variable": "save_and_resume",
    "TypeError: Variable is unhashable. Instead, use variable.ref() as the "
    "key.": "errors_in_a_step",
    "unhashable type: 'Variable'": "errors_in_a_step",
    "variable name not unique": "errors_in_a_step",
    "EagerTensor object has no attribute 'astype'": "errors_in_a_step",
    "EagerTensor object has no attribute 'reshape'. If you are looking for "
    "numpy-related methods": "errors_in_a_step",
    "To be compatible with tf.function, Python functions must return zero or "
    "more Tensors": "errors_in_a_step",
    "unsupported format string passed to numpy.ndarray.__format__": (
        "errors_in_a_step"
    ),
    "only 0-dimensional arrays can be converted to Python scalars": (
        "errors_in_a_step"
    ),
    "AttributeError: can't set attribute": "errors_in_a_step",
    "property 'metrics' of 'GAN' object has no setter": "errors_in_a_step",
    "Cast string to float is not supported": "errors_in_a_step",
    "'BatchDataset' object is not subscriptable": "errors_in_a_step",
    "TypeError: 'NoneType' object is not callable": "errors_in_a_step",
    "TypeError: <class 'keras.src.models.functional.Functional'> could not be "
    "deserialized properly. Please ensure that components that are Python "
    "object instances (layers, models, etc.) returned by `get_config()` are "
    "explicitly deserialized": "save_and_resume",
    "__init__() got an unexpected keyword argument 'trainable'": (
        "save_and_resume"
    ),
    "load_model custom layer get_config": "save_and_resume",
    "must override get_config": "save_and_resume",
    "'TrackedDict' object is not callable": "save_and_resume",
    "MultiHeadAttention attention_mask": "sequences",
    "MultiHeadAttention padding mask shape": "sequences",
    "Incompatible shapes: [2,8,3,3] vs. [2,2,3,3] attention": "sequences",
    "ValueError: An `initial_state` was passed that is not compatible with "
    "`cell.state_size`": "sequences",
    "seq2seq encoder Bidirectional states decoder": "sequences",
    "ctc loss inf": "sequences",
    "LSTM forecast lags behind the actual values": "sequences",
    "LSTM just predicts the previous value": "sequences",
    "time series prediction shifted by one step": "sequences",
    "ctc_loss nan label longer than input": "sequences",
    "TimeDistributed masking": "sequences",
    "Too few leaves for PyTreeSpec; expected: 4, got: 2": "sequences",
    "Unrecognized keyword arguments passed to LSTM: {'batch_input_shape': "
    "(1, 1, 7)}": "sequences",
    "How to get integer batch size in Keras model.fit()": "errors_in_a_step",
    "len is not well defined for a symbolic Tensor": "errors_in_a_step",
    "Failed to convert elements of (None, 10) to Tensor": "errors_in_a_step",
    "Inputs to eager execution function cannot be Keras symbolic tensors": (
        "errors_in_a_step"
    ),
    "CNN model is not learning": "traps",
    "NN not learning": "traps",
    "net doesn't learn anything": "traps",
    "Val loss behaves strange while using custom training loop in "
    "tensorflow 2.0": "usual_parts",
    "difference between categorical_crossentropy and "
    "sparse_categorical_crossentropy labels one hot": "errors_in_a_step",
    "Validation loss nan but regular loss normal": "not_a_number",
    "Sudden Loss Explosion, followed by total missevaluation": "not_a_number",
    "512/512 [==============================] - 127s 247ms/step - loss: nan"
    " - acc: nan - val_loss: nan - val_acc: nan": "not_a_number",
    "2018-03-21T13:57:51.344488: step 3874, loss 322.297, acc 0.234375": (
        "traps"
    ),
    '"OP_REQUIRES failed at conv_grad_input_ops.cc:1103 : Resource '
    'exhausted..." after training for a while': "memory",
    "2019-09-11 01:58:49.790228: W "
    "tensorflow/core/framework/op_kernel.cc:1318] OP_REQUIRES failed at "
    "assign_op.h:117 : Resource exhausted: OOM when allocating tensor with "
    "shape[256] and type float on "
    "/job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc": (
        "memory"
    ),
    "WARNING:tensorflow:11 out of the last 11 via using Keras library": (
        "memory"
    ),
    "experimental_relax_shapes": "memory",
    "Bad finetune accuracy .": "freeze_and_fine_tune",
    "Change lr without recompiling the model": "freeze_and_fine_tune",
    "K.set_value(model.optimizer.lr, 0.02)": "freeze_and_fine_tune",
    "get current lr from Adam optimizer": "freeze_and_fine_tune",
    "continue training after crash": "save_and_resume",
    "tf.train.latest_checkpoint can't find any checkpoint": "save_and_resume",
    "backpropagation custom loss function keras no gradient": "foundations",
    "how does autodiff work in tensorflow": "foundations",
    "data parallel training keras": "many_devices",
    "use several graphics cards": "many_devices",
    "multi_gpu_model": "many_devices",
    "fp16 training custom loop": "traps",
    "lack of consistency in Keras Model": "same_run_twice",
    "Why I still getting differetn accuracy even after using np.ramdon.seed": (
        "same_run_twice"
    ),
    "unstable prediction performance between runs": "same_run_twice",
    "Unable to create a reproduceable code": "same_run_twice",
    "PYTHONHASHSEED keras": "same_run_twice",
    "TF_DETERMINISTIC_OPS": "same_run_twice",
    "TensorFlow 2.16 / Keras 3 have undocumented breaking API changes": (
        "old_names"
    ),
    "NotImplementedError: Model.compiled_loss": "old_names",
    "tensorflow 1 to 2 migration training loop": "old_names",
    "val_loss don't converge, but val_acc is improving after using "
    "mnist_mlp.py": "reading_the_curves",
    "249/249 [==============================] - 19s 75ms/step - loss: "
    "0.2813 - acc: 1.0000 - val_loss: 1.7843 - val_acc: 0.2222": (
        "reading_the_curves"
    ),
    "train acc 99 val acc 50": "reading_the_curves",
    "val_acc stays the same": "reading_the_curves",
    "train loss spiky": "reading_the_curves",
    "generalisation gap": "reading_the_curves",
    "optimal number of epochs": "reading_the_curves",
    "Problem using masks with sequential outputs": "sequences",
    "BPTT tensorflow": "sequences",
    "huge dataset does not fit into ram": "data_for_a_loop",
    "flow_from_directory": "data_for_a_loop",
    "deep q learning custom training loop keras": "other_loops",
    "get gradients wrt inputs keras": "other_gradients",
    "visualise which pixels matter": "other_gradients",
    "genrator loss is increasing steadily": "two_models",
    "DCGAN training loop tensorflow": "two_models",
    "history object custom training loop plot loss": "watch_a_training",
    "train test validation split custom loop": "usual_parts",
    "val loss in custom loop per epoch": "usual_parts",
    "crossvalidation keras": "real_problem",
    "mnist custom training loop example": "real_problem",
    "simple linear regression gradient tape": "basic_training_loops",
    "train a model without keras tensorflow": "basic_training_loops",
    "how is gradient descent implemented in tensorflow 2": (
        "basic_training_loops"
    ),
    "minimal example training loop tf2": "basic_training_loops",
    "what does one epoch mean": "basic_training_loops",
    "tf.train.AdamOptimizer not found": "old_names",
    "feed_dict in tf2": "old_names",
    "WARNING:tensorflow:Gradients do not exist for variables "
    "['embedding/embeddings:0'] when minimizing the loss.": "foundations",
    "loss scaling with multiple replicas": "many_devices",
    "log(0) in loss": "not_a_number",
    "load pretrained weights change last layer number of classes": (
        "freeze_and_fine_tune"
    ),
    "Could not find cuda drivers on your machine, GPU will not be used": (
        "on_a_gpu"
    ),
    "2023-05-01 12:17:26.167599: I tensorflow/tsl/cuda/cudart_stub.cc:28] "
    "Could not find cuda drivers on your machine, GPU will not be used.": (
        "on_a_gpu"
    ),
    "despite cuda drivers being installed, I'm seeing this issue": "on_a_gpu",
    "W tensorflow/core/common_runtime/gpu/gpu_device.cc:2256] Cannot dlopen "
    "some GPU libraries. Please make sure the missing libraries mentioned "
    "above are installed properly if you would like to use GPU.": "on_a_gpu",
    "Skipping registering GPU devices...": "on_a_gpu",
    "Unable to register cuDNN factory: Attempting to register factory for "
    "plugin cuDNN when one has already been registered": "on_a_gpu",
    "Unable to register cuBLAS factory": "on_a_gpu",
    "This TensorFlow binary is optimized to use available CPU instructions in "
    "performance-critical operations": "on_a_gpu",
    "failed call to cuInit: UNKNOWN ERROR (303)": "on_a_gpu",
    "failed call to cuInit: CUDA_ERROR_NO_DEVICE": "on_a_gpu",
    "tf.config.list_physical_devices('GPU') returns empty list": "on_a_gpu",
    "list_physical_devices('GPU') returns []": "on_a_gpu",
    "Num GPUs Available: 0": "on_a_gpu",
    "tensorflow not using GPU": "on_a_gpu",
    "TensorFlow won't detect GPU": "on_a_gpu",
    "GPU is detected but training starts on the CPU": "on_a_gpu",
    "Tensorflow can't detect GPU windows 11 cuda installed": "on_a_gpu",
    "TensorFlow GPU Windows native 2.11 WSL2": "on_a_gpu",
    "tensorflow-gpu version 2.12.0 is not available": "on_a_gpu",
    "tensorflow[and-cuda]": "on_a_gpu",
    "is_gpu_available False": "on_a_gpu",
    "nvidia-smi works but tensorflow does not see the GPU": "on_a_gpu",
    "CUDA_VISIBLE_DEVICES": "on_a_gpu",
    "UNIMPLEMENTED: DNN library is not found.": "on_a_gpu",
    "Could not create cudnn handle: CUDNN_STATUS_NOT_INITIALIZED": "on_a_gpu",
    "libdevice not found at ./libdevice.10.bc": "on_a_gpu",
    "Couldn't get ptxas version": "on_a_gpu",
    "RuntimeError: Physical devices cannot be modified after being "
    "initialized": "on_a_gpu",
    "Virtual devices cannot be modified after being initialized": "on_a_gpu",
    "Cannot assign a device for operation 'MatMul': Could not satisfy explicit"
    " device specification '/device:GPU:0' because no supported kernel for GPU"
    " devices is available.": "on_a_gpu",
    "which device does my tensor run on": "on_a_gpu",
    "log device placement": "on_a_gpu",
    "Running tensorflow on GPU is far slower than on CPU": "on_a_gpu",
    "GPU slower than CPU small model": "on_a_gpu",
    "Low GPU utilization": "how_fast",
    "LSTM slow on GPU cuDNN": "on_a_gpu",
    "MirroredStrategy stuck NCCL": "on_a_gpu",
    "train with multi-gpu with MirroredStrategy will hang-up": "on_a_gpu",
    "DDPM denoising diffusion custom train_step keras": "other_loops",
    "EMA sampling produces only noise diffusion model": "other_loops",
    "diffusion model generates only noise": "other_loops",
    "Is vgg19 trainable in perceptual loss, are its params updated too?": (
        "two_models"
    ),
    "perceptual loss": "two_models",
    "How does TensorFlow compute the gradient of vgg19.preprocess_input": (
        "two_models"
    ),
    "custom loss that uses output of intermediate layer": (
        "weights_outputs_losses"
    ),
    "Output loss that depends on other outputs": "weights_outputs_losses",
    "InvalidArgumentError: Graph execution error: Detected at node "
    "'categorical_crossentropy/softmax_cross_entropy_with_logits'": (
        "errors_in_a_step"
    ),
    "Graph execution error": "errors_in_a_step",
    "KeyError model.fit pandas DataFrame": "errors_in_a_step",
    "AttributeError: 'DataFrame' object has no attribute 'dtype'": (
        "errors_in_a_step"
    ),
    "Model.evaluate returns 0 loss when using custom model class": (
        "keras_from_fit_inwards"
    ),
    "All validation loss reported as 0.0000e+00 in keras": (
        "keras_from_fit_inwards"
    ),
    "An operation has `None` for gradient. Please make sure that all of your "
    "ops have a gradient defined": "foundations",
    "INVALID_ARGUMENT: assertion failed: [predictions must be <= 1]": (
        "usual_parts"
    ),
    "UnboundLocalError: cannot access local variable 'batch_outputs' "
    "where it is not associated with a value": ("errors_in_a_step"),
    "'ResourceVariable' object does not support item assignment": (
        "errors_in_a_step"
    ),
    "ValueError: Attempt to convert a value (None) with an unsupported "
    "type (<class 'NoneType'>) to a Tensor.": ("errors_in_a_step"),
    "a return statement cannot be placed inside this TensorFlow loop": (
        "errors_in_a_step"
    ),
    "the else branch must also have a return statement": "errors_in_a_step",
    "The truth value of an array with more than one element is "
    "ambiguous. Use a.any() or a.all()": ("errors_in_a_step"),
    "Your `PyDataset` class should call `super().__init__(**kwargs)` in"
    " its constructor": ("errors_in_a_step"),
    "ValueError: The last dimension of the inputs to `Dense` should be "
    "defined. Found `None`.": ("errors_in_a_step"),
    "Shapes used to initialize variables must be fully-defined (no "
    "`None` dimensions)": ("errors_in_a_step"),
    "InvalidArgumentError: Input to reshape is a tensor with 768 "
    "values, but the requested shape has 3072": ("errors_in_a_step"),
    "Dataset object is not an iterator": "errors_in_a_step",
    "AttributeError: 'str' object has no attribute 'base_dtype'": (
        "freeze_and_fine_tune"
    ),
    "ExponentialMovingAverage doesn't work with KerasVariable": (
        "freeze_and_fine_tune"
    ),
    "AssertionError: Tried to export a function which references an "
    "'untracked' resource": ("save_and_resume"),
    "TFLite": "save_and_resume",
    "Unsuccessful TensorSliceReader constructor: Failed to find any "
    "matching files for": ("save_and_resume"),
    "DataLossError: Unable to open table file: Data loss: not an "
    "sstable (bad magic number): perhaps your file is in a different "
    "file format": ("save_and_resume"),
    "Unable to synchronously open file (file signature not found)": (
        "save_and_resume"
    ),
    "Model.metrics_names not returning all metrics": "keras_from_fit_inwards",
    "tf.profiler": "how_fast",
    "profile a custom training loop": "how_fast",
    "No step marker observed": "how_fast",
    "Layer objects have no attribute `input_shape` or `output_shape`": (
        "old_names"
    ),
    "add_loss expects a scalar": "weights_outputs_losses",
    "KL loss add_loss vector": "weights_outputs_losses",
    "train_step with multiple gradient calculations with a JAX backend": (
        "keras_from_fit_inwards"
    ),
    "Custom loss trackers not working for JAX backend": (
        "keras_from_fit_inwards"
    ),
    "dataset.cache(path) still uses memory despite the cache file path": (
        "how_fast"
    ),
    "Cache lockfile already exists": "how_fast",
    "cache file stale after changing the dataset": "how_fast",
    "why do I still need to manually cast the y tensors to float16 before "
    "calculating the loss": "traps",
    "Input 'y' of 'Mul' Op has type float32 that does not match type float16 "
    "of argument 'x'": "traps",
    "Subclass of tf.keras.Model returns an empty list by model.losses": (
        "weights_outputs_losses"
    ),
    "Lora dense layer": "freeze_and_fine_tune",
    "enable_lora custom training loop": "freeze_and_fine_tune",
    "lr decay with gradient accumulation": "usual_parts",
    "How directly get BestModel, not by saving": "reading_the_curves",
    "'tuple' object has no attribute 'apply_gradients'": "errors_in_a_step",
    "Optimizer.apply_gradients() missing 1 required positional argument: "
    "'grads_and_vars'": "errors_in_a_step",
    "resume CycleGAN training checkpoint": "save_and_resume",
    "save several models and optimizers in one checkpoint": "save_and_resume",
    "use only the encoder of a trained VAE": "other_loops",
    "strings on a GPU": "on_a_gpu",
    "VGG16 predict inside the loop": "two_models",
    "vgg.predict in custom loss no gradient": "two_models",
    "difference between clipnorm and global_clipnorm": "not_a_number",
    "Please support RL and custom training loops keras tuner": "real_problem",
    "A2C incapable of learning Cartpole": "other_gradients",
    "GCN node classification custom training loop": "other_loops",
    "graph neural network train on whole graph": "other_loops",
    "'SparseTensor' object is not subscriptable": "other_loops",
    "Cannot multiply A and B because inner dimension does not match": (
        "other_loops"
    ),
}
ALIKE = {
    # What a message has of a machine tells nothing.
    "2019-09-11 01:58:49.790228: W tensorflow/core/framework/op_kernel.cc:1318"
    "] Resource exhausted: OOM when allocating tensor on /job:localhost/"
    "replica:0/task:0/device:GPU:0": (
        "Resource exhausted: OOM when allocating tensor"
    ),
    'File "/usr/local/lib/python3.10/dist-packages/keras/src/trainer.py", '
    "line 1401, in train_function ValueError: Unknown variable": (
        "Unknown variable"
    ),
    "38/468 - 2s 53ms/step - loss: nan - accuracy: nan": "step nan",
    # A short form is what it stands for.
    "val_loss increases": "validation loss increases",
    "lr schedule": "learning rate schedule",
    # A name that no page has is what it is made of.
    "accumulateGradients": "accumulate gradients",
    "shuffle_and_prefetch": "shuffle and prefetch",
    # What does not learn is stuck.
    "my network isn't learning": "my network is stuck",
}


@pytest.fixture(scope="module")
def results(chromium: Browser, address: str) -> Iterator[Results]:
    """Return a function that types words into the search of one window."""
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    search(page, "loop")

    def find(words: str) -> list[str]:
        # Not letter by letter: what is found would change while it is read.
        for typed in ("", words):
            page.locator(".md-search__input").fill(typed)
            page.locator(".md-search__input").press("End")
            first = page.locator(ITEM).first
            first.wait_for(state="visible" if typed else "detached")
        items = page.locator(ITEM).all()[:FIRST]
        links = [item.locator("a").first for item in items]
        found = [str(link.get_attribute("href")) for link in links]
        paths = [link.split("?")[0].split("#")[0] for link in found]
        return [path.rstrip("/").split("/")[-1] for path in paths]

    yield find
    page.close()


@pytest.mark.parametrize("words", ASKED)
def test_words_of_a_report_lead_to_the_page_that_answers(
    results: Results, words: str
) -> None:
    assert ASKED[words] in results(words)


def test_words_of_any_question_change_nothing(results: Results) -> None:
    assert results(
        "Please, why do I not get any gradients in my training loop?"
    ) == results("gradients")


@pytest.mark.parametrize("words", ALIKE)
def test_other_words_for_the_same_find_the_same(
    results: Results, words: str
) -> None:
    assert results(words) == results(ALIKE[words])


def test_a_letter_that_is_wrong_does_not_matter(results: Results) -> None:
    assert "two_models" in results("genrator")
