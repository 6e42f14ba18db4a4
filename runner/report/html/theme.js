// The theme is the system's until the button says otherwise; nothing is kept of it.

const redraws = []; // what draws with the theme's colours

function onTheme(redraw) { redraws.push(redraw); }
function redrawAll() { for (const redraw of redraws) redraw(); }

// colour is what a colour of the style sheet is now, for canvases.
function colour(name) {
  const probe = el("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function startTheme() {
  const modes = ["", "light", "dark"], names = ["as the system", "light", "dark"];
  let mode = 0;
  byID("theme").addEventListener("click", (event) => {
    mode = (mode + 1) % modes.length;
    document.documentElement.dataset.theme = modes[mode];
    event.currentTarget.textContent = "Theme: " + names[mode];
    redrawAll();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
}

// Paper is white, whatever the theme.
function startPrint() {
  let before = "", open = [];
  addEventListener("beforeprint", () => {
    before = document.documentElement.dataset.theme || "";
    document.documentElement.dataset.theme = "light";
    open = [...document.querySelectorAll("details.where:not([open])")];
    for (const part of open) part.open = true;
    redrawAll();
  });
  addEventListener("afterprint", () => {
    document.documentElement.dataset.theme = before;
    for (const part of open) part.open = false;
    redrawAll();
  });
}
