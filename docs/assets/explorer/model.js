// The run: the guide's model and loss, and the optimizers of Keras, with
// numbers rounded to float32 wherever TensorFlow rounds them.

const round = Math.fround;
const lanes = new Float32Array(32);

/**
 * @typedef {"sgd" | "momentum" | "nesterov" | "rmsprop" | "adam"} Optimizer
 *
 * @typedef {object} Settings
 * @property {Optimizer} optimizer
 * @property {number} learning_rate
 * @property {number} batch_size
 * @property {number} epochs
 * @property {number} w where the run starts
 * @property {number} b
 * @property {number} noise how much of the data's noise is left; 1 is all
 *
 * @typedef {object} Recorded what the page's program computed
 * @property {number[]} x
 * @property {number[]} y
 * @property {number[]} noise what was added to the true line
 * @property {number[]} order the shuffle before the data is cut into batches
 * @property {number} true_w
 * @property {number} true_b
 * @property {number} learning_rate
 * @property {{w: number[], b: number[], loss: number[]}} history
 *
 * @typedef {object} Data
 * @property {Float32Array} x
 * @property {Float32Array} y
 *
 * @typedef {object} Run
 * @property {number[]} w after each epoch; the first is the start
 * @property {number[]} b
 * @property {number[]} loss on all the data
 * @property {number[][]} path [w, b] after each update
 */

/** @type {Record<Optimizer, string>} */
export const NAMES = {
  sgd: "SGD",
  momentum: "SGD, momentum 0.9",
  nesterov: "SGD, Nesterov 0.9",
  rmsprop: "RMSprop",
  adam: "Adam",
};

/** The momentum of the optimizers that have one. */
export const BETA = 0.9;

/**
 * Return the data with the given part of its noise.
 * @param {Recorded} recorded
 * @param {number} part
 * @returns {Data}
 */
export function makeData({ x, y, noise, true_w, true_b }, part) {
  const data = { x: Float32Array.from(x), y: Float32Array.from(y) };
  if (part === 1) return data;
  const factor = round(part);
  const line = data.x.map((v) => round(true_w * v) + true_b);
  return { ...data, y: line.map((v, i) => v + round(factor * round(noise[i]))) };
}

/**
 * Return the data in another order.
 * @param {Data} data
 * @param {number[]} order
 * @returns {Data}
 */
export function shuffle({ x, y }, order) {
  return { x: x.map((_, i) => x[order[i]]), y: y.map((_, i) => y[order[i]]) };
}

/**
 * Return the data cut into batches; the last one may be smaller.
 * @param {Data} data
 * @param {number} size
 * @returns {Data[]}
 */
export function cut({ x, y }, size) {
  const batches = [];
  for (let i = 0; i < x.length; i += size) {
    batches.push({ x: x.subarray(i, i + size), y: y.subarray(i, i + size) });
  }
  return batches;
}

/**
 * Return the sum, added up in the order in which TensorFlow does on a
 * processor with eight float32 numbers to a register: four registers side by
 * side while there are terms for all, then one, then the rest by themselves.
 * @param {Float32Array} terms
 */
function sum(terms) {
  const { length } = terms;
  const abreast = length - (length % 32);
  const inLanes = length - (length % 8);
  let rest = 0;
  lanes.fill(0);
  for (let i = 0; i < abreast; i += 1) lanes[i % 32] += terms[i];
  for (let i = 8; i < 32; i += 1) lanes[i % 8] += lanes[i];
  for (let i = abreast; i < inLanes; i += 1) lanes[i % 8] += terms[i];
  for (let i = inLanes; i < length; i += 1) rest = round(rest + terms[i]);
  for (let width = 4; width; width >>= 1) {
    for (let i = 0; i < width; i += 1) lanes[i] += lanes[i + width];
  }
  return round(rest + lanes[0]);
}

/**
 * Return the mean squared error of the line.
 * @param {Data} data
 * @param {number} w
 * @param {number} b
 */
export function loss({ x, y }, w, b) {
  const squares = new Float32Array(x.length);
  for (let i = 0; i < x.length; i += 1) {
    const error = round(round(round(x[i] * w) + b) - y[i]);
    squares[i] = error * error;
  }
  return round(sum(squares) / x.length);
}

/**
 * Return the gradient of the loss by w and b, as the tape computes it.
 * @param {Data} data
 * @param {number} w
 * @param {number} b
 */
function gradient({ x, y }, w, b) {
  const share = round(1 / x.length);
  const byW = new Float32Array(x.length);
  const byB = new Float32Array(x.length);
  for (let i = 0; i < x.length; i += 1) {
    const error = round(round(round(x[i] * w) + b) - y[i]);
    byB[i] = share * (2 * error);
    byW[i] = byB[i] * x[i];
  }
  return [sum(byW), sum(byB)];
}

/**
 * Return a function that updates one variable, with the constants and the
 * order of operations of keras.optimizers.
 * @param {Optimizer} optimizer
 * @param {number} learning_rate
 * @returns {(variable: number, g: number, step: number) => number}
 */
function updater(optimizer, learning_rate) {
  const rate = round(learning_rate);
  const epsilon = round(1e-7);
  let m = 0;
  let v = 0;
  if (optimizer === "sgd") return (variable, g) => round(variable - round(g * rate));
  if (optimizer === "rmsprop") {
    const [rho, rest] = [round(0.9), round(1 - 0.9)];
    return (variable, g) => {
      v = round(round(rho * v) + round(rest * round(g * g)));
      const scale = round(Math.sqrt(round(v + epsilon)));
      return round(variable - round(round(rate * g) / scale));
    };
  }
  if (optimizer === "adam") {
    const [rest1, rest2] = [round(1 - 0.9), round(1 - 0.999)];
    return (variable, g, step) => {
      const left1 = round(1 - round(round(0.9) ** step));
      const left2 = round(1 - round(round(0.999) ** step));
      const alpha = round(round(rate * round(Math.sqrt(left2))) / left1);
      m = round(m + round(round(g - m) * rest1));
      v = round(v + round(round(round(g * g) - v) * rest2));
      const scale = round(round(Math.sqrt(v)) + epsilon);
      return round(variable - round(round(m * alpha) / scale));
    };
  }
  const beta = round(BETA);
  return (variable, g) => {
    const down = round(g * rate);
    m = round(round(m * beta) - down);
    return round(variable + (optimizer === "nesterov" ? round(round(m * beta) - down) : m));
  };
}

/**
 * Return what a training with these settings does.  If one batch holds all
 * the data they stay in their own order, else they are shuffled, once.
 * @param {Settings} settings
 * @param {Recorded} recorded
 * @param {Data} data
 * @returns {Run}
 */
export function train(settings, recorded, data = makeData(recorded, settings.noise)) {
  const { optimizer, learning_rate, batch_size, epochs } = settings;
  if (batch_size < data.x.length) data = shuffle(data, recorded.order);
  const batches = cut(data, batch_size);
  const updateW = updater(optimizer, learning_rate);
  const updateB = updater(optimizer, learning_rate);
  let [w, b] = [round(settings.w), round(settings.b)];
  /** @type {Run} */
  const run = { w: [w], b: [b], loss: [loss(data, w, b)], path: [[w, b]] };
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    for (const batch of batches) {
      const [dw, db] = gradient(batch, w, b);
      w = updateW(w, dw, run.path.length);
      b = updateB(b, db, run.path.length);
      run.path.push([w, b]);
    }
    run.w.push(w);
    run.b.push(b);
    run.loss.push(loss(data, w, b));
  }
  return run;
}

/**
 * Return the line of least loss, by least squares.
 * @param {Data} data
 */
export function best({ x, y }) {
  let [sx, sy, sxx, sxy] = [0, 0, 0, 0];
  x.forEach((v, i) => {
    sx += v;
    sy += y[i];
    sxx += v * v;
    sxy += v * y[i];
  });
  const n = x.length;
  const w = (sxy - (sx * sy) / n) / (sxx - (sx * sx) / n);
  const b = (sy - w * sx) / n;
  const squares = x.reduce((sum, v, i) => sum + (w * v + b - y[i]) ** 2, 0);
  return { w, b, loss: squares / n };
}

// The limit -----------------------------------------------------------------
//
// The loss is a quadratic, so an epoch of SGD is a linear map of the distance
// from where it settles, and it settles if no eigenvalue is above one.

const FIRST = 1e-3;
const GROWTH = 1.05;
const SQUARINGS = 30;
const HALVINGS = 40;

/**
 * Return the second derivatives of the loss: by w twice, w and b, b twice.
 * @param {ArrayLike<number>} x
 */
export function curvature(x) {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < x.length; i += 1) {
    sum += x[i];
    squares += x[i] * x[i];
  }
  return [(2 * squares) / x.length, (2 * sum) / x.length, 2];
}

/**
 * Return the largest eigenvalue of the second derivatives.
 * @param {ArrayLike<number>} x
 */
export function sharpness(x) {
  const [ww, wb, bb] = curvature(x);
  return (ww + bb) / 2 + Math.hypot((ww - bb) / 2, wb);
}

/**
 * Return whether an optimizer scales its steps, so that its run may wander
 * but has no rate from which on it diverges.
 * @param {Optimizer} optimizer
 */
export const scales = (optimizer) => optimizer === "adam" || optimizer === "rmsprop";

/**
 * Return a function that says of a learning rate whether a run with it
 * settles; momentum and batches can resonate, so rates may do so in bands.
 * @param {Optimizer} optimizer one that does not scale its steps
 * @param {number} batchSize
 * @param {{x: number[], order: number[]}} recorded
 * @returns {(rate: number) => boolean}
 */
export function settling(optimizer, batchSize, { x, order }) {
  const beta = optimizer === "sgd" ? 0 : BETA;
  const inputs = Float32Array.from(x);
  const whole = { x: inputs, y: inputs };
  const data = batchSize < x.length ? shuffle(whole, order) : whole;
  const curvatures = cut(data, batchSize).map((batch) => curvature(batch.x));
  return (rate) => settles(epochMap(curvatures, rate, beta, optimizer === "nesterov"));
}

/**
 * Return the first learning rate from which on a run diverges.
 * @param {Optimizer} optimizer one that does not scale its steps
 * @param {number} batchSize
 * @param {{x: number[], order: number[]}} recorded
 */
export function limit(optimizer, batchSize, recorded) {
  if (batchSize >= recorded.x.length) {
    const beta = optimizer === "sgd" ? 0 : BETA;
    const slope = optimizer === "nesterov" ? 1 + 2 * beta : 1;
    return (2 * (1 + beta)) / (slope * sharpness(recorded.x));
  }
  const stable = settling(optimizer, batchSize, recorded);
  let high = FIRST;
  while (stable(high)) high *= GROWTH;
  let low = high / GROWTH;
  for (let i = 0; i < HALVINGS; i += 1) {
    const middle = (low + high) / 2;
    if (stable(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Return what an epoch does to (w, b, momentum of w, momentum of b), as the
 * columns of a matrix.
 * @param {number[][]} curvatures of the batches, in order
 * @param {number} rate
 * @param {number} beta
 * @param {boolean} nesterov
 */
function epochMap(curvatures, rate, beta, nesterov) {
  return [0, 1, 2, 3].map((column) => {
    let [w, b, mw, mb] = [0, 1, 2, 3].map((row) => Number(row === column));
    for (const [ww, wb, bb] of curvatures) {
      const dw = rate * (ww * w + wb * b);
      const db = rate * (wb * w + bb * b);
      mw = beta * mw - dw;
      mb = beta * mb - db;
      w += nesterov ? beta * mw - dw : mw;
      b += nesterov ? beta * mb - db : mb;
    }
    return [w, b, mw, mb];
  });
}

/**
 * Return whether no eigenvalue of a matrix is above one in size, by repeated
 * squaring.
 * @param {number[][]} matrix
 */
function settles(matrix) {
  let logarithm = 0;
  let power = matrix;
  for (let i = 0; i < SQUARINGS; i += 1) {
    const size = Math.max(...power.flat().map(Math.abs));
    if (size === 0) return true;
    logarithm += Math.log(size) / 2 ** i;
    const scaled = power.map((column) => column.map((v) => v / size));
    power = scaled.map((column) =>
      [0, 1, 2, 3].map((row) => column.reduce((sum, v, k) => sum + v * scaled[k][row], 0)),
    );
  }
  return logarithm <= 0;
}
