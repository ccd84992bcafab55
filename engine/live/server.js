// What a page asks of the server that has served it.

export const GONE =
  "The server does not answer. Start it again, and reload the page.";

export function serverOf({ src, dataset }) {
  return { send, answers };

  function send(order, more) {
    const { page, program, token } = dataset;
    return fetch(new URL(order, src), {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Token": token },
      body: JSON.stringify({ page, program, ...more }),
    });
  }

  /** Yield what the server tells of a run up to a block. */
  async function* answers(block, edits) {
    let told = false;
    try {
      const answer = await send("run", { block, edits });
      const lines = answer.body.pipeThrough(new TextDecoderStream());
      let rest = "";
      for await (const text of read(lines)) {
        const whole = (rest + text).split("\n");
        rest = answer.ok ? whole.pop() : "";
        for (const line of whole.filter(Boolean)) {
          const event = JSON.parse(line);
          told ||= event.fault || event.good === false || event.block === block;
          yield event;
        }
      }
    } catch {
      // What was not told is said below.
    }
    if (!told) yield { fault: GONE };
  }

  /** Safari has no loop over a stream. */
  async function* read(stream) {
    const reader = stream.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  }
}
