// What people and models wrote reaches the page through these only, as text.

// el makes an element. Of its properties text is its text, class its class, on its
// listeners; the others are attributes, left out where they are null or false.
function el(tag, props = {}, ...kids) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "class") node.className = value;
    else if (name === "on") for (const [event, fn] of Object.entries(value)) node.addEventListener(event, fn);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...kids.filter((kid) => kid !== null && kid !== undefined));
  return node;
}

const byID = (id) => document.getElementById(id);

// written is text of a model or a person within a line of ours: its direction stays its own.
const written = (text, props = {}) => el("bdi", { ...props, text });

// choice is a labelled list to choose from; options are pairs of value and text.
function choice(label, options, change, props = {}) {
  const select = el("select", { ...props, on: { change: () => change(select.value) } },
    ...options.map(([value, text]) => el("option", { value, text })));
  return el("label", { text: label + " " }, select);
}

// table is a plain table: heads and rows of texts, the first of a row names it.
function table(label, heads, rows) {
  const head = el("tr", {}, ...heads.map((text, i) => el("th", { scope: "col", class: i ? "num" : null, text })));
  const body = rows.map(([first, ...rest]) => el("tr", {},
    el("th", { scope: "row" }, written(first)), ...rest.map((text) => el("td", { class: "num", text }))));
  return el("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0" },
    el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)));
}

const unique = (list) => [...new Set(list)];
