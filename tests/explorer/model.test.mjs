import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { best, cut, loss, makeData, shuffle, train } from "../../docs/assets/explorer/model.js";
import { defaults } from "../../docs/assets/explorer/settings.js";

const recorded = JSON.parse(readFileSync(process.env.RECORDED, "utf-8"));
const standard = defaults(recorded);

test("the data are those of the record, and less noise brings them nearer to the line", () => {
  const whole = makeData(recorded, 1);
  assert.deepEqual(whole.y, Float32Array.from(recorded.y));
  const none = makeData(recorded, 0);
  none.x.forEach((x, i) => assert.ok(Math.abs(none.y[i] - (3 * x + 2)) < 1e-6));
  const half = makeData(recorded, 0.5);
  half.y.forEach((y, i) => {
    assert.ok(Math.abs(y - (whole.y[i] + none.y[i]) / 2) < 1e-6);
  });
});

test("batches hold every point once, in the order of the shuffle", () => {
  const data = makeData(recorded, 1);
  const batches = cut(shuffle(data, recorded.order), 32);
  assert.deepEqual(
    batches.map((batch) => batch.x.length),
    [32, 32, 32, 32, 32, 32, 9],
  );
  const xs = batches.flatMap((batch) => [...batch.x]);
  assert.notDeepEqual(xs, [...data.x]);
  assert.deepEqual(xs.sort((a, b) => a - b), [...data.x]);
  assert.equal(batches[0].y[0], data.y[recorded.order[0]]);
});

test("a run has a number for the start and for each epoch, and a point for each update", () => {
  const run = train({ ...standard, batch_size: 32, epochs: 3 }, recorded);
  assert.equal(run.loss.length, 4);
  assert.equal(run.path.length, 1 + 3 * 7);
  assert.deepEqual(run.path[0], [5, 0]);
  assert.deepEqual(run.path[7], [run.w[1], run.b[1]]);
});

test("a run that diverges ends in infinity and then in no number at all", () => {
  const { w, loss: losses } = train({ ...standard, learning_rate: 3, epochs: 100 }, recorded);
  const infinite = losses.indexOf(Infinity);
  assert.ok(infinite > 10);
  assert.ok(losses.slice(0, infinite).every(Number.isFinite));
  assert.ok(Number.isNaN(w.at(-1)));
});

test("no line has a smaller loss than the best", () => {
  const data = makeData(recorded, 1);
  const least = best(data);
  assert.ok(Math.abs(loss(data, least.w, least.b) - least.loss) < 1e-6);
  for (const [dw, db] of [[0.1, 0], [-0.1, 0], [0, 0.1], [0, -0.1]]) {
    assert.ok(loss(data, least.w + dw, least.b + db) > least.loss + 0.005);
  }
});
