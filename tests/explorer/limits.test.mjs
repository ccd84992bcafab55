import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { limit, scales, settling, sharpness } from "../../docs/assets/explorer/model.js";
import { NAMES, train } from "../../docs/assets/explorer/model.js";
import { defaults } from "../../docs/assets/explorer/settings.js";

const recorded = JSON.parse(readFileSync(process.env.RECORDED, "utf-8"));
const standard = defaults(recorded);
const points = recorded.x.length;

/** Return whether two numbers agree to so many digits after the point. */
const same = (a, b, digits = 6) => Math.abs(a - b) < 10 ** -digits;

test("with one batch the limits are those of the closed forms", () => {
  assert.ok(same(sharpness(recorded.x), 202 / 75));
  assert.ok(same(limit("sgd", points, recorded), 75 / 101));
  assert.ok(same(limit("momentum", points, recorded), (1.9 * 75) / 101));
  assert.ok(same(limit("nesterov", points, recorded), (1.9 * 75) / (2.8 * 101)));
});

test("optimizers that scale their steps are told apart", () => {
  assert.deepEqual(Object.keys(NAMES).filter(scales), ["rmsprop", "adam"]);
});

test("of sorted inputs in batches of 32, momentum makes little", () => {
  const sorted = { x: recorded.x, order: recorded.x.map((_, i) => i) };
  assert.ok(same(limit("momentum", 32, sorted), 0.0339, 4));
});

test("two halves that are alike have the limit of the whole", () => {
  const twice = { x: [-2, -1, 1, 2, -2, -1, 1, 2], order: [0, 1, 2, 3, 4, 5, 6, 7] };
  for (const optimizer of ["sgd", "momentum", "nesterov"]) {
    assert.ok(same(limit(optimizer, 4, twice), limit(optimizer, 8, twice)));
  }
});

for (const optimizer of ["sgd", "momentum", "nesterov"]) {
  for (const size of [points, 100, 67, 32]) {
    test(`${optimizer} with batches of ${size} settles below its limit and not above`, () => {
      const edge = limit(optimizer, size, recorded);
      const stable = settling(optimizer, size, recorded);
      const losses = (rate) => {
        const changed = { optimizer, batch_size: size, learning_rate: rate, epochs: 200 };
        return train({ ...standard, ...changed }, recorded).loss;
      };
      const below = losses(0.97 * edge);
      assert.ok(stable(0.97 * edge));
      assert.ok(Math.abs(below[200] / below[150] - 1) < 0.01);
      const above = losses(1.02 * edge);
      assert.ok(!stable(1.02 * edge));
      assert.ok(!(above[200] < 100 * above[100]));
    });
  }
}

test("rates that settle can lie beyond rates that do not", () => {
  const stable = settling("momentum", 67, recorded);
  assert.deepEqual([1, 1.04, 1.33, 1.6].map(stable), [true, false, true, false]);
  const changed = { optimizer: "momentum", batch_size: 67, epochs: 200 };
  const last = (learning_rate) =>
    train({ ...standard, ...changed, learning_rate }, recorded).loss.at(-1);
  assert.ok(last(1.04) > 1e6);
  assert.ok(last(1.33) < 10);
});
