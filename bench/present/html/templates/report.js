"use strict";
// Adds what a page without scripts cannot do: sorting, filtering, the slider, and a switch for the dark colors.

const collator = new Intl.Collator("en", { numeric: true });

/** What a cell is sorted by: its exact number, else its text; NaN where it is empty. */
function sortKey(row, column) {
  const cell = row.cells[column];
  if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
  return cell.textContent.trim() || NaN;
}

/** Numbers before words, and what is unknown last, whichever way the rest is turned. */
function compare(one, other, turn) {
  const empty = [one, other].map(Number.isNaN);
  if (empty[0] || empty[1]) return empty[0] - empty[1];
  const words = [one, other].map((key) => typeof key === "string");
  if (words[0] !== words[1]) return words[0] - words[1];
  return turn * (words[0] ? collator.compare(one, other) : Math.sign(one - other) || 0);
}

function sort(table, column) {
  const head = table.tHead.rows[0].cells[column];
  const turn = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [sortKey(row, column), row]);
  rows.sort((one, other) => compare(one[0], other[0], turn));
  body.append(...rows.map((pair) => pair[1]));
  for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", turn === 1 ? "ascending" : "descending");
}

function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, column));
    head.append(button);
  });
}

function makeFilterable(grid, table) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  const count = document.createElement("output");
  const rows = [...table.tBodies[0].rows];
  input.type = "search";
  input.placeholder = "all rows";
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    const left = rows.filter((row) => !row.hidden).length;
    count.textContent = input.value ? `${left} of ${rows.length}` : "";
  });
  label.className = "filter";
  input.setAttribute("aria-label", `Filter: ${table.caption.textContent}`);
  label.append("Filter", input, count);
  grid.prepend(label);
}

for (const grid of document.querySelectorAll(".grid")) {
  const table = grid.querySelector("table");
  const rows = table.tBodies[0].rows.length;
  if (rows > 1) makeSortable(table);
  if (rows > 3) makeFilterable(grid, table);
}

for (const slide of document.querySelectorAll(".slide")) {
  const card = slide.closest(".card");
  const range = slide.querySelector("input");
  slide.hidden = false;
  range.addEventListener("input", () => {
    card.querySelector("input[value=split]").checked = true;
    card.querySelector(".stage").style.setProperty("--at", `${range.value}%`);
  });
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = document.getElementById("theme");
const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
theme.hidden = false;
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
dark.addEventListener("change", nameTheme);
nameTheme();

// What is folded away on a screen belongs on paper.
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details:not([open], .raw details)")) {
    folded.open = true;
    folded.dataset.folded = "";
  }
});
addEventListener("afterprint", () => {
  for (const folded of document.querySelectorAll("details[data-folded]")) {
    folded.open = false;
    delete folded.dataset.folded;
  }
});
