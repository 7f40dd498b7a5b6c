"use strict";
// A head sorts its table; search box and choices leave the rows that match all of them.
(() => {
  const form = document.querySelector("form.search");
  const box = form.querySelector("input[type=search]");
  const said = form.querySelector("output");
  const filters = [...form.querySelectorAll("select[data-filter]")];
  const budget = form.querySelector("select[data-budget]");
  const boxes = [...form.querySelectorAll("input[data-shows]")];
  const sections = [...document.querySelectorAll("main section")].map((section) => ({
    section,
    title: section.querySelector("h2")?.textContent ?? "",
    rows: [...section.querySelectorAll("tbody tr")],
  }));
  // On a page of cards each of them is a row.
  for (const each of sections) if (!each.rows.length) each.rows = [each.section];
  const total = sections.reduce((sum, { rows }) => sum + rows.length, 0);
  const order = new Intl.Collator("en", { numeric: true });
  let sorted = "";

  // What a cell is sorted by; "" or NaN if it is missing.
  const key = (cell, numeric) => {
    const value = cell.dataset.value ?? cell.textContent.trim();
    return numeric ? value && Number(value) : value;
  };

  const sort = (head) => {
    const numeric = head.dataset.sort === "number";
    const compare = numeric ? (a, b) => a - b : order.compare;
    const turned = { ascending: "descending", descending: "ascending" };
    const way = turned[head.getAttribute("aria-sort")] ?? head.dataset.start;
    const sign = way === "ascending" ? 1 : -1;
    const missing = (value) => value === "" || Number.isNaN(value);
    const body = head.closest("table").tBodies[0];
    const keyed = [...body.rows].map((row) => [
      key(row.cells[head.cellIndex], numeric),
      row,
    ]);
    // What is missing comes last whichever way; equals stay as they were.
    keyed.sort(
      ([a], [b]) =>
        missing(a) - missing(b) || (missing(a) ? 0 : sign * compare(a, b)),
    );
    body.append(...keyed.map(([, row]) => row));
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way);
    const name = head.querySelector("button").firstChild.textContent.trim();
    sorted = `, by ${name}, ${way}`;
    search();
  };

  const chosen = (row, section) =>
    filters.every(({ value, dataset: { filter } }) => {
      const where = row.dataset[filter] ?? section.dataset[filter];
      return !value || where === undefined || where === value;
    });

  const search = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const narrow = words.length > 0 || filters.some(({ value }) => value);
    let shown = 0;
    for (const { section, title, rows } of sections) {
      for (const row of rows) {
        const text = `${title} ${row.textContent}`.toLowerCase();
        row.hidden =
          !words.every((word) => text.includes(word)) || !chosen(row, section);
        shown += !row.hidden;
      }
      section.hidden = narrow && rows.every((row) => row.hidden);
    }
    said.textContent = `${shown} of ${total} rows${sorted}`;
  };

  const columns = () => {
    const shows = new Map();
    for (const each of boxes) {
      const off = budget.value !== "" && budget.value !== each.dataset.of;
      each.disabled = off;
      shows.set(each.dataset.shows, each.checked && !off);
    }
    for (const head of document.querySelectorAll("th[data-column]")) {
      const rows = head.closest("table").rows;
      for (const row of rows)
        row.cells[head.cellIndex].hidden = !shows.get(head.dataset.column);
    }
  };

  for (const head of document.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(head));
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    search();
    if (boxes.length) columns();
  });
  // A link to what the search has hidden leads there all the same.
  const reveal = (hash) => {
    const aim = hash.length > 1 && document.getElementById(decodeURIComponent(hash.slice(1)));
    if (!aim || !aim.closest("[hidden]")) return;
    form.reset();
    search();
    if (boxes.length) columns();
    aim.scrollIntoView();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link) reveal(link.getAttribute("href"));
  });
  search();
  if (boxes.length) columns();
  form.hidden = total === 0;
})();
