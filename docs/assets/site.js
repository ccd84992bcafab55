// What the pages do in the browser: the theme, copying, the table of
// contents, and the search, fetched when a reader reaches for it.
// Everything else on a page works without this script.

(() => {
  const root = document.documentElement;
  const script = document.currentScript;

  // Material's search asks these globals where the site is and what it keeps.
  const base = new URL("..", script.src);
  window.__md_scope = base;
  window.__md_get = (key, storage = localStorage, scope = base) =>
    JSON.parse(storage.getItem(`${scope.pathname}.${key}`));
  window.__md_set = (key, value, storage = localStorage, scope = base) => {
    try {
      storage.setItem(`${scope.pathname}.${key}`, JSON.stringify(value));
    } catch {
      // A browser that keeps nothing shows the theme of the system.
    }
  };

  const recall = (key) => {
    try {
      return window.__md_get(key);
    } catch {
      return null;
    }
  };

  root.classList.replace("no-js", "js");
  const theme = recall("theme");
  if (theme) root.dataset.theme = theme;

  document.addEventListener("DOMContentLoaded", () => {
    addThemeSwitch();
    addCopyButtons();
    nameScrollers();
    followHeadings();
    fetchSearchWhenWanted();
    fetchExplorerWhenNear();
  });

  /** Return a new button with a text for all and an action. */
  function button(className, text, action) {
    const element = document.createElement("button");
    element.type = "button";
    element.className = className;
    element.textContent = text;
    element.addEventListener("click", () => action(element));
    return element;
  }

  function addThemeSwitch() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const current = () => root.dataset.theme || (dark.matches ? "dark" : "light");
    const name = (element) =>
      element.setAttribute(
        "aria-label",
        `Switch to ${current() === "dark" ? "light" : "dark"} theme`,
      );
    const toggle = button("theme-switch", "", (element) => {
      root.dataset.theme = current() === "dark" ? "light" : "dark";
      window.__md_set("theme", root.dataset.theme);
      name(element);
    });
    name(toggle);
    dark.addEventListener("change", () => name(toggle));
    document.querySelector(".md-header__title").after(toggle);
  }

  // Copying --------------------------------------------------------------

  function addCopyButtons() {
    const status = document.createElement("div");
    status.className = "spoken";
    status.setAttribute("role", "status");
    document.body.append(status);
    const blocks = [...document.querySelectorAll(".run[data-block]")];
    const copy = async (element, text, what) => {
      const done = await write(text);
      element.dataset.label ??= element.textContent;
      element.textContent = done ? "Copied" : "Failed";
      status.textContent = done ? `Copied ${what}` : "Copying failed";
      setTimeout(() => {
        element.textContent = element.dataset.label;
      }, 2000);
    };
    blocks.forEach((block, index) => {
      const number = index + 1;
      const bar = block.querySelector(".run-bar");
      const one = button("", "Copy", (element) =>
        copy(element, code(block), `block ${number}`),
      );
      one.setAttribute("aria-label", `Copy block ${number}`);
      bar.append(one);
      const { file } = block.dataset;
      const above = blocks.slice(0, number);
      const pieces = above.filter((other) => other.dataset.file === file);
      if (isCommand(block) || (file ? pieces.length : number) < 2) return;
      const all = button("", "Copy up to here", (element) =>
        copy(
          element,
          file ? pieces.map(code).join("\n\n") : program(above),
          `${file ?? "the program"} up to block ${number}`,
        ),
      );
      const range = file ? `${file}, to block` : "blocks 1 to";
      all.setAttribute("aria-label", `Copy up to here: ${range} ${number}`);
      bar.append(all);
    });
    document.addEventListener("copytext", ({ detail }) =>
      copy(detail.button, detail.text, detail.what),
    );
    for (const whole of document.querySelectorAll("details.run-program")) {
      const what = whole.dataset.file ?? "the whole program";
      whole.querySelector(".run-bar").append(
        button("", `Copy ${what}`, (element) =>
          copy(element, code(whole), what),
        ),
      );
    }
  }

  /** Return the code that a block shows. */
  function code(block) {
    return block.querySelector("pre > code").textContent;
  }

  function isCommand(block) {
    return block.dataset.exits !== undefined;
  }

  /** Return the blocks that are run as one program, with a comment where
   * the reader saves a file or runs a command. A block that is meant to fail
   * brings what it is in a script, where the program goes on after it. */
  function program(blocks) {
    const saved = new Set();
    const piece = (block) => {
      const { file, copied } = block.dataset;
      if (file) {
        if (saved.has(file)) return "";
        saved.add(file);
        return `# Needs the file ${file} beside it.\n`;
      }
      if (isCommand(block)) {
        const command = code(block).trimEnd().replaceAll("\n", "\n#     ");
        return `# Left out: a command.\n#     ${command}\n`;
      }
      return copied ?? code(block);
    };
    return blocks.map(piece).filter(Boolean).join("\n\n");
  }

  async function write(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return writeByCommand(text);
    }
  }

  // Pages opened from a file or over plain HTTP have no clipboard object.
  function writeByCommand(text) {
    const focused = document.activeElement;
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "spoken";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return done;
  }

  // Code and output that scroll can be reached by Tab --------------------

  function nameScrollers() {
    const scrollers = document.querySelectorAll(
      ".run pre, .md-typeset pre > code, .md-typeset__scrollwrap, .formula",
    );
    const watch = new ResizeObserver((entries) => {
      for (const { target } of entries) name(target);
    });
    const name = (element) => {
      if (element.scrollWidth <= element.clientWidth) {
        element.removeAttribute("tabindex");
        return;
      }
      element.tabIndex = 0;
      if (element.hasAttribute("role")) return;
      element.setAttribute("role", "group");
      element.setAttribute("aria-label", describe(element));
    };
    const describe = (element) => {
      if (element.matches(".formula")) return "Formula";
      if (element.matches(".md-typeset__scrollwrap")) return "Table";
      if (!element.closest(".run")) return "Code";
      const number = element.closest("[data-block]")?.dataset.block;
      const what = element.matches(".run-output") ? "Output" : "Code";
      return `${what} of ${number ? `block ${number}` : "the whole program"}`;
    };
    for (const element of scrollers) watch.observe(element);
  }

  // The table of contents marks the section that is being read -----------

  function followHeadings() {
    const links = new Map();
    for (const link of document.querySelectorAll(
      ".md-nav--secondary .md-nav__link[href^='#']",
    )) {
      const heading = document.getElementById(link.hash.slice(1));
      if (heading) links.set(heading, link);
    }
    let active;
    const mark = () => {
      const passed = [...links.keys()].filter(
        (heading) => heading.getBoundingClientRect().top < innerHeight / 4,
      );
      const next = links.get(passed.at(-1));
      if (next === active) return;
      active?.classList.remove("md-nav__link--active");
      active?.removeAttribute("aria-current");
      next?.classList.add("md-nav__link--active");
      next?.setAttribute("aria-current", "true");
      active = next;
    };
    if (links.size) new IntersectionObserver(mark).observe(document.body);
    let waiting = false;
    addEventListener(
      "scroll",
      () => {
        if (waiting) return;
        waiting = true;
        requestAnimationFrame(() => {
          waiting = false;
          mark();
        });
      },
      { passive: true },
    );
  }

  // The explorer ---------------------------------------------------------

  function fetchExplorerWhenNear() {
    const explorers = document.querySelectorAll("loop-explorer");
    const alone = () => {
      for (const explorer of explorers) explorer.classList.add("alone");
    };
    const load = () =>
      import(new URL("explorer/explorer.js", script.src)).catch(alone);
    // A link to a state of the explorer wants it at once.
    const loadIfAsked = () => location.hash.includes("=") && load();
    const watch = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        watch.disconnect();
        load();
      },
      { rootMargin: "800px" },
    );
    if (!explorers.length) return;
    for (const explorer of explorers) watch.observe(explorer);
    addEventListener("hashchange", loadIfAsked);
    loadIfAsked();
  }

  // The search -----------------------------------------------------------

  // What a pasted message has of its machine: times, files, lines, devices.
  const MACHINE = new RegExp(
    [
      /\d{4}-\d\d-\d\d[ T][\d:.]+/,
      /https?:\S+/,
      /<ipython[^>]*>/,
      /(?:File )?\S+\.(?:py|cc|cu|h)\b\S*/,
      /line \d+(?:, in \S+)?/,
      /\S*\/job:\S*/,
      /{{[^}]*}}/,
      /__inference\w*/,
      /\S*(?:loss|acc\w*): (?=-?(?:[nN]a[nN]|inf))/,
      /in user code:|\(?most recent call last\)?/,
    ]
      .map(({ source }) => source)
      .join("|"),
    "g",
  );
  // Words of any question, and of any page here: nothing is told by them.
  const COMMON = new Set(
    (
      "a able about after all almost also am an and any anyone anything are " +
      "as at attributeerror bad be because been before being between but by " +
      "can cannot considerably could custom did do does doesn don either " +
      "else error even every everything exist existing first for from get " +
      "gets getting got had happen happening happens has have having he her " +
      "his how however i if importerror in into is isn it its just keras " +
      "keyerror least let like likely loop loops may me might more most " +
      "must my needs neither no nor not notimplementederror of off often on " +
      "only or other our own please properly rather really runtimeerror " +
      "said same say should since so some something still tensorflow tf " +
      "than that the their them then there these they this to too training " +
      "tried try trying twas typeerror understand us use used userwarning " +
      "using valueerror ve very vs want wants warning was way we were what " +
      "when where which while who whom why will with work working works " +
      "worse would wrong yet you your"
    ).split(" "),
  );
  // What readers write for short, or otherwise than the pages.
  const SHORT = new Map(
    Object.entries({
      acc: "accuracy",
      autodiff: "gradient tape",
      autograd: "gradient tape",
      batchnorm: "batch normalization",
      bn: "batch normalization",
      bptt: "truncated backpropagation",
      ckpt: "checkpoint",
      cnn: "model",
      crossvalidation: "cross validation",
      dcgan: "gan",
      dnn: "model",
      explosion: "exploding",
      finetune: "fine tune",
      finetuning: "fine tuning",
      float16: "float16 mixed precision",
      fp16: "mixed precision",
      graphics: "gpu",
      lr: "learning rate",
      net: "model",
      nets: "models",
      network: "model",
      networks: "models",
      neural: "",
      nn: "model",
      ram: "ram memory",
      reproduceable: "reproducible",
      val: "validation",
      val_acc: "validation accuracy",
      val_accuracy: "val_accuracy validation accuracy",
      val_loss: "validation loss",
      wrt: "respect",
    }),
  );
  // What does not learn is stuck.
  const STUCK =
    /(?:\bnot|n.t|never) (?:really |seem to )?(?:learn|converg)\w*/gi;
  const ENDING =
    /^([a-z]{4,}?)(?:ations?|ions?|ings?|ed|es|e|[sz](?:e[ds]?|ing|ations?))$|(?<=[a-z]{2}[^s])s$/;
  // A word that more sections have counts half.
  const FREQUENT = 200;

  const wordsOf = (text) => text.toLowerCase().split(/\W+/).filter(Boolean);
  const stem = (word) =>
    word.replace(ENDING, "$1").replace(/(?<=..)([^ls])\1$/, "$1");

  /** Return in how many sections each word is. */
  function learn(sections) {
    const counts = new Map();
    for (const { title, text, tags = [] } of sections) {
      const all = [title, text, ...tags].join(" ");
      const words = wordsOf(all.replace(/<[^>]+>|&[^;]+;/g, " "));
      for (const word of new Set(words)) {
        counts.set(word, (counts.get(word) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** Return in how many sections the most frequent word is that begins so. */
  function count(start, counts) {
    if (start.length < 3) return counts.get(start) ?? 0;
    let most = 0;
    for (const [word, times] of counts) {
      if (word.startsWith(start)) most = Math.max(most, times);
    }
    return most;
  }

  /** Return the words of a question, or of a pasted message, as the pages
   * have them: a short form in full, and a name that none has in its parts. */
  function worded(question, counts) {
    const said = question.replace(MACHINE, " ").trim() || question;
    return wordsOf(
      said
        .replace(STUCK, " stuck ")
        .replace(
          /(?<![.\w])\w+/g,
          (word) => SHORT.get(word.toLowerCase()) ?? word,
        )
        .replace(/\w+/g, (word) =>
          count(stem(word.toLowerCase()), counts)
            ? word
            : word
                .split(/_|(?<=[a-z])(?=[A-Z])/)
                .filter((part) => !SHORT.has(part))
                .join(" "),
        ),
    );
  }

  /** Return the words that tell what a question is about. Each is found with
   * any ending, so its own is taken away; a word of two letters begins too
   * many others, and is found as it is. One that no page has may be misspelt
   * by a letter. */
  function telling(question, counts) {
    const words = worded(question, counts);
    const rare = words.filter(
      (word) => word.length > 1 && !COMMON.has(word) && !/^\d/.test(word),
    );
    const starts = [...new Set((rare.length ? rare : words).map(stem))];
    const terms = starts.flatMap((start) => {
      const found = count(start, counts);
      if (!found) return start.length > 4 ? [`${start}~1`] : [];
      const whole = start.length < 3 && starts.length > 1;
      const term = whole ? `${start}^1` : start;
      return found > FREQUENT ? [term] : [term, term];
    });
    return (terms.length ? terms : starts).join(" ");
  }

  /** Have Material's search look for the telling words alone. */
  function askBetter() {
    const { Worker } = window;
    const [SETUP, QUESTION] = [0, 2];
    let counts;
    window.Worker = class extends Worker {
      postMessage(message) {
        const { type, data } = message;
        if (type === SETUP) counts = learn(data.docs);
        super.postMessage(
          type === QUESTION ? { type, data: telling(data, counts) } : message,
        );
      }
    };
  }

  function fetchSearchWhenWanted() {
    const template = document.getElementById("search-script");
    const input = document.querySelector(".md-search__input");
    const toggle = document.getElementById("__search");
    if (!template || !input || !toggle) return;
    let wanted = false;
    const fetchOnce = () => {
      if (wanted) return;
      wanted = true;
      askBetter();
      for (const { src } of template.content.querySelectorAll("script")) {
        const element = document.createElement("script");
        element.src = src;
        document.body.append(element);
      }
    };
    // Material's script also turns lists below code into annotations.
    if (document.querySelector(".run .highlight + ol")) fetchOnce();
    input.addEventListener("focus", () => {
      toggle.checked = true;
      fetchOnce();
    });
    toggle.addEventListener("change", () => {
      if (!toggle.checked) return;
      input.focus();
      fetchOnce();
    });
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input, textarea, select");
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
      if (wanted || typing || !plain || !["/", "s", "f"].includes(event.key)) {
        return;
      }
      event.preventDefault();
      input.focus();
    });
  }
})();
