// Which answers a filter leaves. Rows are made searchable once; a filter then only looks.

const failedCell = (cell) => Boolean(cell.class);

// searchable is all text of a row in lower case, each part on a line of its own.
function searchable(row) {
  const parts = [row.id, "row " + row.row, ...Object.values(row.vars || {})];
  for (const cell of row.cells) parts.push(cell.prompt, cell.response, cell.class, cell.message);
  return parts.filter((part) => part).join("\n").toLowerCase();
}

// newIndex is what match looks at. Its texts are made bit by bit while nobody waits for
// the page; a search that comes before that makes the rest.
function newIndex(rows) {
  const index = { rows, failed: rows.map((row) => row.cells.some(failedCell)), texts: [] };
  const idle = window.requestIdleCallback || ((work) => setTimeout(() => work({ timeRemaining: () => 0 }), 20));
  const work = (deadline) => {
    do addTexts(index, 100);
    while (index.texts.length < rows.length && deadline.timeRemaining() > 5);
    if (index.texts.length < rows.length) idle(work);
  };
  idle(work);
  return index;
}

function addTexts(index, most) {
  const { rows, texts } = index;
  for (const end = Math.min(rows.length, texts.length + most); texts.length < end;) texts.push(searchable(rows[texts.length]));
}

// matching are the places of the rows that keep to all of a filter.
function matching(index, filter) {
  const words = filter.text.toLowerCase().split(/\s+/).filter((word) => word);
  if (words.length) addTexts(index, Infinity);
  const found = [];
  for (let i = 0; i < index.rows.length; i++) {
    if (keeps(index, i, filter) && words.every((word) => index.texts[i].includes(word))) found.push(i);
  }
  return found;
}

function keeps(index, i, filter) {
  const row = index.rows[i];
  if (filter.status && index.failed[i] !== (filter.status === "failed")) return false;
  if (filter.step && !row.cells.some((cell) => cell.step === filter.step)) return false;
  if (filter.cause && !row.cells.some((cell) => cell.class === filter.cause)) return false;
  return [...filter.vars].every(([name, value]) => (row.vars || {})[name] === value);
}

// wordsPattern finds the words of a search in a text, for marking them; null: no search.
function wordsPattern(text) {
  const words = text.split(/\s+/).filter((word) => word).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return words.length ? new RegExp(words.join("|"), "gi") : null;
}

// fillMarked puts a text into an element, with the words of a search marked.
function fillMarked(node, text, pattern) {
  node.textContent = "";
  let at = 0, marks = 0;
  for (const found of pattern ? text.matchAll(pattern) : []) {
    if (++marks > 200) break; // more than anyone looks at
    node.append(text.slice(at, found.index), el("mark", { text: found[0] }));
    at = found.index + found[0].length;
  }
  node.append(text.slice(at));
}
