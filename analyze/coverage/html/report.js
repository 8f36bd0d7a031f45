"use strict";
/* Lists: sorting and the filter.  Sources: toggles, and keys from one lack to the next. */
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

/* --- lists --- */
for (const table of all("table.list")) {
  const body = table.tBodies[0];
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value !== undefined ? Number(cell.dataset.value) : cell.textContent;
  };
  all("thead th", table).forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      all("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((a, b) => {
        const x = value(a, column), y = value(b, column);
        return typeof x === "number" ? x - y : x.localeCompare(y);
      });
      body.append(...(down ? rows.reverse() : rows));
    });
  });
}

const filter = document.getElementById("filter");
function apply() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of all("table.list tbody tr")) {
    const text = all(".text", row).map((cell) => cell.textContent).join(" ").toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
}
if (filter) {
  filter.addEventListener("input", apply);
  apply();
}

/* --- sources --- */
for (const button of all("button[data-hide]")) {
  button.addEventListener("click", () => {
    const hidden = document.body.classList.toggle("hide-" + button.dataset.hide);
    button.setAttribute("aria-pressed", String(!hidden));
  });
}

/* The first line of each stretch of lines that lack something. */
const lacks = all(".line.mis, .line.par").filter((line) => {
  let before = line.previousElementSibling;
  while (before && before.classList.contains("decision")) before = before.previousElementSibling;
  return !before || before.className !== line.className;
});
let here = -1;
function go(step) {
  if (!lacks.length) return;
  if (here >= 0) lacks[here].classList.remove("here");
  here = (here + step + lacks.length + (here < 0 && step < 0 ? 1 : 0)) % lacks.length;
  lacks[here].classList.add("here");
  lacks[here].scrollIntoView({ block: "center" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLInputElement) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const index = document.querySelector("a[rel=up]");
  if (event.key === "n") go(1);
  else if (event.key === "p") go(-1);
  else if (event.key === "u" && index) location.href = index.href;
  else if (event.key === "/" && filter) { filter.focus(); event.preventDefault(); }
});

const header = document.querySelector("header");
if (header) document.documentElement.style.setProperty("--head", header.offsetHeight + "px");
