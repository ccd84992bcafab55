// Elements of the editor, and the colours of code while it is written.

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

/** Make an element with a class and what it holds. */
export function make(name, className, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

export function button(className, text, label, action) {
  const element = make("button", className, text);
  element.type = "button";
  element.setAttribute("aria-label", label);
  element.addEventListener("click", action);
  return element;
}

/** Return the code in the colours of the site; so much that typing would
    become slow stays plain. */
export function coloured(text, isPython) {
  const parts = [];
  let end = 0;
  if (!isPython || text.length > 40_000) return [text];
  for (const match of text.matchAll(PYTHON)) {
    const [kind] = Object.entries(match.groups).find(([, found]) => found);
    parts.push(text.slice(end, match.index), make("span", kind, match[0]));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}
