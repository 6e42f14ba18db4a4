// Answers side by side: rows as lines, models as columns; a page of rows at a time.

const pageSize = 25, printed = 50;
const clampAt = 420, cutAt = 4000; // characters: shown in part, and put into the page at all

function startAnswers() {
  const place = byID("answers-body");
  if (!place) return;
  const rows = report.answers;
  const cells = rows.flatMap((row) => row.cells);
  const sheet = {
    index: newIndex(rows), found: rows.map((_, i) => i), page: 0,
    filter: newFilter(), steps: unique(cells.map((cell) => cell.step)),
    models: sortedModels(unique(cells.map((cell) => cell.model || ""))),
    status: el("span", { role: "status" }), pagers: [],
  };
  sheet.table = sheetTable(sheet);
  sheet.controls = filterControls(sheet, cells);
  place.append(sheet.controls, el("div", { class: "status" }, sheet.status, pager(sheet, "")),
    el("div", { class: "scroll", role: "region", "aria-label": "Answers side by side", tabindex: "0" }, sheet.table), pager(sheet, " last"));
  show(sheet);
  listenLinks(sheet);
  listenPrint(sheet);
}

const newFilter = () => ({ text: "", status: "", step: "", cause: "", vars: new Map() });
const sortedModels = (names) => names.sort((a, b) => (models.indexOf(a) + 1 || 1e9) - (models.indexOf(b) + 1 || 1e9));

// The table's roles are said once more, since narrow screens show it as cards.
function sheetTable(sheet) {
  const heads = ["Row", ...sheet.models.map((m) => m || "no model")];
  const head = el("tr", { role: "row" }, ...heads.map((text) => el("th", { scope: "col", role: "columnheader" }, written(text))));
  const node = el("table", { class: "sheet", role: "table", "aria-label": "Answers" }, el("thead", { role: "rowgroup" }, head));
  node.style.minWidth = 15 + 15 * sheet.models.length + "rem";
  return node;
}

function filterControls(sheet, cells) {
  const search = el("input", { type: "search", id: "find", placeholder: "prompt, answer, id, variable", autocomplete: "off", spellcheck: "false",
    on: { input: () => { sheet.filter.text = search.value; refilter(sheet); } } });
  const set = (name) => (value) => { sheet.filter[name] = value; refilter(sheet); };
  const causes = unique(cells.map((cell) => cell.class).filter((cause) => cause)).sort();
  const any = [["", "all"]];
  return el("div", { class: "filter", role: "search", "aria-label": "Answers" },
    el("label", { class: "find", text: "Find" }, search),
    choice("Status", [...any, ["failed", "failed"], ["ok", "ok"]], set("status"), { id: "status" }),
    causes.length ? choice("Cause", [...any, ...causes.map((c) => [c, c])], set("cause"), { id: "cause" }) : null,
    sheet.steps.length > 1 ? choice("Step", [...any, ...sheet.steps.map((s) => [s, s])], set("step"), { id: "step" }) : null,
    ...variableChoices(sheet),
    el("button", { type: "button", text: "Clear", id: "clear", on: { click: () => { clear(sheet); refilter(sheet); } } }));
}

// variableChoices are for variables with few values; the others are found by text.
function variableChoices(sheet) {
  const names = (report.columns || []).map((name) => [name, unique(sheet.index.rows.map((row) => (row.vars || {})[name]).filter((v) => v !== undefined))]);
  return names.filter(([, values]) => values.length > 1 && values.length <= 50).slice(0, 6).map(([name, values]) => {
    values.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const short = (text) => text.length > 60 ? text.slice(0, 60) + "…" : text;
    return choice(name, [["", "all"], ...values.map((value, i) => [String(i), short(value)])], (i) => {
      if (i === "") sheet.filter.vars.delete(name);
      else sheet.filter.vars.set(name, values[i]);
      refilter(sheet);
    });
  });
}

function clear(sheet) {
  sheet.filter = newFilter();
  for (const field of sheet.controls.querySelectorAll("input, select")) field.value = "";
}

function refilter(sheet) {
  sheet.found = matching(sheet.index, sheet.filter);
  sheet.page = 0;
  show(sheet);
}

// show renders the rows of the page that is looked at, and nothing of the others.
function show(sheet, first = sheet.page * pageSize, size = pageSize) {
  const pattern = wordsPattern(sheet.filter.text);
  const bodies = sheet.found.slice(first, first + size).map((i) => rowBody(sheet, sheet.index.rows[i], pattern));
  for (const body of [...sheet.table.tBodies]) body.remove();
  sheet.table.append(...(bodies.length ? bodies : [emptyBody(sheet)]));
  const all = sheet.index.rows.length, pages = Math.max(1, Math.ceil(sheet.found.length / pageSize));
  sheet.status.textContent = sheet.found.length === all ? plural(all, "row") : `${count(sheet.found.length)} of ${plural(all, "row")}`;
  for (const p of sheet.pagers) p.update(sheet.page, pages);
}

function emptyBody(sheet) {
  return el("tbody", { role: "rowgroup" }, el("tr", { role: "row" },
    el("td", { class: "empty", role: "cell", colspan: sheet.models.length + 1, text: "No row is like that." })));
}

function pager(sheet, more) {
  const go = (to) => () => { sheet.page = to(sheet.page); show(sheet); };
  const button = (text, label, to) => el("button", { type: "button", class: "quiet", text, "aria-label": label, on: { click: go(to) } });
  const where = el("span"), last = () => Math.max(0, Math.ceil(sheet.found.length / pageSize) - 1);
  const back = [button("«", "First page", () => 0), button("‹", "Page before", (p) => p - 1)];
  const on = [button("›", "Next page", (p) => p + 1), button("»", "Last page", last)];
  sheet.pagers.push({ update(page, pages) {
    where.textContent = `${count(page + 1)} / ${count(pages)}`;
    for (const b of back) b.disabled = page === 0;
    for (const b of on) b.disabled = page >= pages - 1;
  } });
  return el("div", { class: "pager" + more, role: "group", "aria-label": "Pages of answers" }, ...back, where, ...on);
}

function rowBody(sheet, row, pattern) {
  const steps = sheet.steps.filter((step) => (!sheet.filter.step || sheet.filter.step === step) && row.cells.some((cell) => cell.step === step));
  return el("tbody", { role: "rowgroup", tabindex: "-1", "data-row": row.row }, ...steps.map((step, i) => stepLine(sheet, row, step, i === 0, pattern)));
}

// stepLine is a row's line of one step. A prompt that all models got is said once.
function stepLine(sheet, row, step, first, pattern) {
  const cells = row.cells.filter((cell) => cell.step === step);
  const prompts = unique(cells.map((cell) => cell.prompt).filter((prompt) => prompt));
  const shared = prompts.length === 1 ? prompts[0] : "";
  return el("tr", { role: "row" },
    el("th", { scope: "row", role: "rowheader" }, first ? rowName(row, pattern) : null,
      sheet.steps.length > 1 ? el("div", { class: "step" }, "step ", written(step)) : null,
      shared ? el("div", { class: "prompt" }, ...longText(shared, pattern)) : null),
    ...sheet.models.map((model) => answerCell(cells.find((cell) => (cell.model || "") === model), model, shared, pattern)));
}

function rowName(row, pattern) {
  const id = written("", { class: "id" }), names = (report.columns || []).filter((name) => name in (row.vars || {}));
  fillMarked(id, row.id || "row " + row.row, pattern);
  const vars = names.flatMap((name) => {
    const value = el("dd", { dir: "auto" });
    fillMarked(value, row.vars[name].slice(0, 300), pattern);
    return [el("dt", {}, written(name)), value];
  });
  return el("div", {}, id, row.id && row.id !== String(row.row) ? el("span", { class: "number", text: " row " + count(row.row) }) : null,
    vars.length ? el("dl", { class: "vars" }, ...vars) : null);
}

function answerCell(cell, model, shared, pattern) {
  const label = model || "no model";
  if (!cell) return el("td", { role: "cell", class: "nothing", "data-label": label, text: "–" });
  const failed = failedCell(cell);
  return el("td", { role: "cell", class: failed ? "bad" : null, "data-label": label },
    failed ? el("div", {}, el("code", { class: "badge bad", text: cell.class })) : null,
    ...longText(failed ? cell.message || cell.response || "" : cell.response || "", pattern),
    cell.prompt && cell.prompt !== shared ? el("div", { class: "prompt" }, "asked:", ...longText(cell.prompt, pattern)) : null,
    el("div", { class: "figuresline" }, ...cellFigures(cell).map((text) => el("span", { text }))));
}

function cellFigures(cell) {
  const parts = [];
  if (cell.latency) parts.push(seconds(cell.latency));
  if (cell.ttft) parts.push("first token " + seconds(cell.ttft));
  if (cell.tokens) parts.push(plural(cell.tokens, "token"));
  if (cell.tokens_per_sec) parts.push(digits(cell.tokens_per_sec) + " tok/s");
  if (cell.count > 1) parts.push("one of " + count(cell.count));
  if (cell.reused) parts.push("was there before");
  return parts;
}

// longText shows the beginning of a text, and all of it when asked.
function longText(text, pattern) {
  const box = el("div", { class: "text", dir: "auto" });
  fillMarked(box, text.slice(0, cutAt), pattern);
  if (text.length <= clampAt && text.split("\n", 9).length < 9) return [box];
  box.classList.add("long");
  const more = el("button", { type: "button", class: "quiet", "aria-expanded": "false", text: "Show all", on: { click: () => {
    const all = box.classList.toggle("all");
    fillMarked(box, all ? text : text.slice(0, cutAt), pattern);
    more.textContent = all ? "Show less" : "Show all";
    more.setAttribute("aria-expanded", String(all));
  } } });
  return [box, more];
}

// Links to a row bring it up, whatever was filtered; buttons of a cause filter by it.
function listenLinks(sheet) {
  const follow = () => {
    const [, number] = location.hash.match(/^#row-(\d+)$/) || [];
    if (number) aim(sheet, Number(number));
  };
  addEventListener("hashchange", follow);
  for (const link of document.querySelectorAll('a[href^="#row-"]')) {
    link.addEventListener("click", () => { if (location.hash === link.getAttribute("href")) follow(); });
  }
  for (const button of document.querySelectorAll("button[data-class]")) button.addEventListener("click", () => showCause(sheet, button.dataset.class));
  follow();
}

function aim(sheet, number) {
  const i = sheet.index.rows.findIndex((row) => row.row === number || row.cells.some((cell) => cell.row === number));
  if (i < 0) {
    sheet.status.textContent = `Row ${count(number)} is not among the rows shown here.`;
    byID("answers").scrollIntoView();
    return;
  }
  clear(sheet);
  sheet.found = sheet.index.rows.map((_, n) => n);
  sheet.page = Math.floor(i / pageSize);
  show(sheet);
  const body = sheet.table.tBodies[i % pageSize];
  body.focus({ preventScroll: true });
  body.scrollIntoView({ block: "center" });
}

function showCause(sheet, cause) {
  clear(sheet);
  sheet.filter.cause = byID("cause").value = cause;
  refilter(sheet);
  byID("answers").scrollIntoView();
  byID("cause").focus({ preventScroll: true });
}

// Paper gets the first rows of what was filtered, in one piece.
function listenPrint(sheet) {
  addEventListener("beforeprint", () => {
    show(sheet, 0, printed);
    if (sheet.found.length > printed) sheet.status.textContent += `, the first ${printed} of them printed`;
  });
  addEventListener("afterprint", () => show(sheet));
}
