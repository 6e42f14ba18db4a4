// The table of groups is in the page; this makes its heads sort it.

function startGroups() {
  const sheet = byID("groups-table");
  if (!sheet) return;
  const heads = [...sheet.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (!head.hasAttribute("aria-sort")) return;
    const text = head.textContent;
    head.textContent = "";
    head.append(el("button", { type: "button", text, title: head.title || null, on: { click: () => sortBy(sheet, heads, column) } }));
  });
  document.querySelector(".doubt-note").hidden = !sheet.querySelector(".doubt");
}

// Smallest first, then largest first; what was not measured stays last.
function sortBy(sheet, heads, column) {
  const down = heads[column].getAttribute("aria-sort") === "ascending";
  heads.forEach((head) => { if (head.hasAttribute("aria-sort")) head.setAttribute("aria-sort", "none"); });
  heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = sheet.tBodies[0];
  const lines = [...body.rows].map((line) => [line, sortKey(line.cells[column])]);
  lines.sort(([, a], [, b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return (down ? -1 : 1) * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
  });
  body.append(...lines.map(([line]) => line));
}

function sortKey(cell) {
  if (cell.classList.contains("num") || "v" in cell.dataset) return cell.dataset.v ? Number(cell.dataset.v) : null;
  return cell.textContent.trim();
}
