// The editor of a page's blocks: edits are kept by the browser, sent to the
// server to be run, and what comes of it is shown in the page's own place.

const PYTHON = new RegExp(
  [
    /(?<c1>#.*)/,
    /(?<s2>[bfru]*(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))/,
    /\b(?<kc>True|False|None)\b/,
    /\b(?<k>and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|match|nonlocal|not|or|pass|raise|return|try|while|with|yield)\b/,
    /(?<nf>(?<=\b(?:def|class) +)\w+)/,
    /(?<mi>\b\d[\w.]*)/,
    /(?<o>[-+*/%@&|^~<>=!]+)/,
    /(?<n>[^\W\d]\w*)/,
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);
const GONE = "The server does not answer. Start it again, and reload the page.";

/** Make an element with a class and what it holds. */
function make(name, className, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function button(className, text, label, action) {
  const element = make("button", className, text);
  element.type = "button";
  element.setAttribute("aria-label", label);
  element.addEventListener("click", action);
  return element;
}

/** Return the code in the colours of the site. */
function coloured(text, isPython) {
  const parts = [];
  let end = 0;
  for (const match of isPython ? text.matchAll(PYTHON) : []) {
    const [kind] = Object.entries(match.groups).find(([, found]) => found);
    parts.push(text.slice(end, match.index), make("span", kind, match[0]));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

export function begin({ src, dataset }, elements) {
  const key = `${location.pathname}.edits`;
  const spoken = make("div", "live-spoken");
  spoken.setAttribute("role", "status");
  const names = make("span");
  const dock = make(
    "section",
    "live-dock",
    names,
    button("", "Take home as script", "Take home as script", takeHome),
    button("", "Bring all back", "Bring all of the page's back", () => {
      for (const block of blocks) bringBack(block);
      spoken.textContent = "The page is as it was";
    }),
  );
  dock.setAttribute("aria-label", "Your edits");
  dock.hidden = true;
  const style = make("link");
  style.rel = "stylesheet";
  style.href = new URL("live.css", src);
  document.head.append(style);
  document.body.append(spoken);
  elements[0].closest("article, main, body").append(dock);
  const blocks = elements.map(describe);
  let running;
  restore();
  send("warm").catch(() => {});
  return { toggle: (index) => toggle(blocks[index]) };

  function describe(element, index) {
    const code = element.querySelector("pre > code");
    const text = code.textContent.replace(/\n$/, "");
    const edit = element.querySelector(".live-edit");
    const label = element.querySelector(".run-bar span");
    const isPython = !!code.closest(".language-python");
    const shown = [...code.childNodes];
    const number = index + 1;
    return { element, number, code, page: text, text, edit, label, isPython, shown };
  }

  // Editing ----------------------------------------------------------------

  function toggle(block) {
    if (block.area) return close(block);
    open(block);
    block.area.focus();
  }

  function open(block) {
    const { number, code, edit, element } = block;
    block.area = make("textarea", "live-area");
    block.area.value = block.text;
    block.area.rows = block.area.cols = 1;
    for (const name of ["autocapitalize", "autocomplete", "autocorrect"]) {
      block.area.setAttribute(name, "off");
    }
    block.area.spellcheck = false;
    block.area.setAttribute("aria-label", `Code of block ${number}`);
    block.area.addEventListener("input", () => change(block, block.area.value));
    block.area.addEventListener("keydown", (event) => press(event, block));
    code.after(block.area);
    code.setAttribute("aria-hidden", "true");
    element.classList.add("live-open");
    edit.setAttribute("aria-expanded", "true");
    edit.textContent = "Close";
    addTools(block);
  }

  function close(block) {
    if (!block.area) return;
    block.area.remove();
    block.area = null;
    block.code.removeAttribute("aria-hidden");
    block.element.classList.remove("live-open");
    block.edit.setAttribute("aria-expanded", "false");
    block.edit.textContent = "Edit";
    removeTools(block);
  }

  /** Below the code stand the means to run it, and what becomes of that. */
  function addTools(block) {
    if (block.tools) return;
    const { number } = block;
    block.run = button("live-run", "Run", `Run up to block ${number}`, () =>
      run(block),
    );
    block.run.title = "Ctrl-Enter";
    block.stop = button("live-stop", "Stop", "Stop the run", stop);
    block.stop.hidden = true;
    block.back = button("", "Bring back", `Bring the page's block ${number} back`, () => {
      bringBack(block);
      spoken.textContent = `Block ${number} is as it was`;
      block.edit.focus();
    });
    block.state = make("span", "live-state");
    block.tools = make(
      "div",
      "live-tools",
      block.run,
      block.stop,
      block.back,
      block.state,
    );
    (block.code.closest(".highlight") ?? block.code.parentElement).after(
      block.tools,
    );
  }

  function removeTools(block) {
    if (!block.tools || block.area || block.own || block === running) return;
    block.tools.remove();
    block.tools = null;
  }

  function press(event, block) {
    if (event.key !== "Enter" || event.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      run(block);
    } else if (!event.shiftKey && !event.altKey) {
      event.preventDefault();
      const { area } = block;
      const line = area.value.slice(0, area.selectionStart).split("\n").at(-1);
      const deeper = block.isPython && /:\s*$/.test(line) ? "    " : "";
      const indent = line.match(/^\s*/)[0] + deeper;
      // The only way that leaves Ctrl-Z its work.
      document.execCommand("insertText", false, `\n${indent}`);
    }
  }

  function change(block, text) {
    block.text = text;
    const { code, element, page, shown } = block;
    const edited = text !== page;
    code.replaceChildren(
      ...(edited ? coloured(`${text}\n`, block.isPython) : shown),
    );
    element.classList.toggle("live-edited", edited);
    for (const other of blocks.slice(block.number - 1)) {
      other.own?.classList.add("live-old");
    }
    keep();
  }

  function bringBack(block) {
    if (block === running) stop();
    if (block.text !== block.page) change(block, block.page);
    hide(block);
    close(block);
    removeTools(block);
    keep();
  }

  // What the browser keeps -------------------------------------------------

  function keep() {
    const edited = blocks.filter(({ text, page }) => text !== page);
    const kept = edited.map(({ number, page, text }) => [number, page, text]);
    try {
      if (kept.length) localStorage.setItem(key, JSON.stringify(kept));
      else localStorage.removeItem(key);
    } catch {
      // A browser that keeps nothing forgets them with the page.
    }
    const list = edited.map(({ number }) => number).join(", ");
    const several = edited.length > 1 ? "s" : "";
    names.textContent = list ? `You edited block${several} ${list}` : "You ran blocks";
    dock.hidden = !list && !blocks.some(({ own }) => own);
    document.documentElement.classList.toggle("live-docked", !dock.hidden);
  }

  function restore() {
    let kept = [];
    try {
      kept = JSON.parse(localStorage.getItem(key)) ?? [];
    } catch {
      // Somebody else wrote there.
    }
    for (const [number, page, text] of kept) {
      const block = blocks[number - 1];
      if (!block || typeof text !== "string") continue;
      change(block, text);
      open(block);
      if (page === block.page) continue;
      block.state.textContent = "The page has changed since this edit";
    }
  }

  // Running ----------------------------------------------------------------

  function send(order, more) {
    const { page, program, token } = dataset;
    return fetch(new URL(order, src), {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Token": token },
      body: JSON.stringify({ page, program, edits: edits(), ...more }),
    });
  }

  function edits() {
    const edited = blocks.filter(({ text, page }) => text !== page);
    return Object.fromEntries(edited.map(({ number, text }) => [number, text]));
  }

  async function run(block) {
    if (running) {
      spoken.textContent = `Block ${running.number} still runs`;
      return;
    }
    running = block;
    const began = performance.now();
    let now = "Starts";
    const timer = setInterval(tick, 100);
    tick();
    block.element.classList.add("live-busy");
    block.run.setAttribute("aria-disabled", "true");
    block.stop.hidden = false;
    let last = null;
    const at = (number) => {
      now = `Block ${number} of ${block.number} runs`;
      return blocks[number - 1];
    };
    for await (const event of answers(block.number)) {
      if (event.begun) at(event.begun);
      if (event.notice) last = { ...last, notice: event.notice };
      if (!event.html && !event.fault) continue;
      const shown = blocks[(event.block ?? block.number) - 1];
      const fault = event.fault && make("p", "live-fault", event.fault).outerHTML;
      show(shown, event.html ?? fault, last?.notice);
      last = { ...last, ...event, shown };
    }
    clearInterval(timer);
    block.element.classList.remove("live-busy");
    block.run.removeAttribute("aria-disabled");
    if (block.stop === document.activeElement) block.run.focus();
    block.stop.hidden = true;
    running = null;
    tell(block, last, (performance.now() - began) / 1000);

    function tick() {
      const seconds = (performance.now() - began) / 1000;
      block.state.textContent = `${now} · ${seconds.toFixed(1)} s`;
    }
  }

  /** Yield what the server tells of a run up to a block. */
  async function* answers(number) {
    let told = false;
    try {
      const answer = await send("run", { block: number });
      const lines = answer.body.pipeThrough(new TextDecoderStream());
      let rest = "";
      for await (const text of read(lines)) {
        const whole = (rest + text).split("\n");
        rest = answer.ok ? whole.pop() : "";
        for (const line of whole.filter(Boolean)) {
          const event = JSON.parse(line);
          told = event.fault || event.good === false || event.block === number;
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

  function stop() {
    send("stop").catch(() => {});
  }

  /** Say once, to eyes and ears, how a run ended. */
  function tell(block, last, seconds) {
    const { shown, fault, good, words, notice } = last;
    const took = `${seconds.toFixed(1)} s`;
    if (good) {
      block.state.textContent = `Ran in ${took}`;
    } else if (shown === block) {
      block.state.textContent = fault ? "Ended" : `Failed after ${took}`;
    } else {
      const link = make("a", "", `Block ${shown.number} failed`);
      link.href = `#block:${shown.number}`;
      block.state.replaceChildren(link);
    }
    const what = words ?? fault;
    spoken.textContent = `Your run of block ${shown.number}: ${what} ${notice ?? ""}`;
    for (const other of blocks.slice(0, block.number)) {
      // What this run did not show again is as on the page.
      if (good && other.own?.classList.contains("live-old")) {
        hide(other);
        removeTools(other);
      }
    }
    removeTools(block);
    keep();
  }

  function show(block, html, notice) {
    block.own ??= make("div", "live-own");
    const label = make("p", "live-label", make("b", "", "Your run"));
    if (notice) label.append(` ${notice}`);
    block.own.innerHTML = html;
    block.own.prepend(label);
    block.own.classList.remove("live-old");
    block.element.append(block.own);
    block.element.classList.add("live-ran");
    if (block.element.matches("details")) block.element.open = true;
    addTools(block);
  }

  function hide(block) {
    block.own?.remove();
    block.own = null;
    block.element.classList.remove("live-ran");
  }

  // Taking it home ---------------------------------------------------------

  async function takeHome() {
    try {
      const answer = await (await send("script")).json();
      if (answer.fault) throw new Error(answer.fault);
      const link = make("a");
      link.href = URL.createObjectURL(new Blob([answer.script]));
      link.download = `${dataset.name}_edited.py`;
      link.click();
      URL.revokeObjectURL(link.href);
      spoken.textContent = "The script is taken home";
    } catch ({ message }) {
      names.textContent = spoken.textContent = message || GONE;
    }
  }
}
