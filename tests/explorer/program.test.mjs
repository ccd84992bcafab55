import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { NAMES } from "../../docs/assets/explorer/model.js";
import { program } from "../../docs/assets/explorer/program.js";
import { defaults } from "../../docs/assets/explorer/settings.js";

const recorded = JSON.parse(readFileSync(process.env.RECORDED, "utf-8"));
const standard = defaults(recorded);
const code = (changed) => program({ ...standard, ...changed }, recorded.x.length);

test("the program shuffles only what it cuts into batches", () => {
  assert.ok(!code({}).includes("order"));
  assert.ok(code({ batch_size: 200 }).includes("tf.gather(x, order)"));
});

test("the program has every setting", () => {
  const text = code({ learning_rate: 2, w: -1, b: 0.5, epochs: 7, batch_size: 9, noise: 0.5 });
  for (const part of [
    "learning_rate=2.0",
    "tf.Variable(-1.0), tf.Variable(0.5)",
    "range(7)",
    ".batch(9)",
    "+ 0.5 * noise",
  ]) {
    assert.ok(text.includes(part), part);
  }
});

test("no line of any program is wider than 79 columns", () => {
  for (const optimizer of Object.keys(NAMES)) {
    const widest = { learning_rate: 0.00123456789, w: -49.123456, b: -49.123456, noise: 4.123 };
    for (const line of code({ optimizer, ...widest, batch_size: 7 }).split("\n")) {
      assert.ok(line.length <= 79, line);
    }
  }
});
