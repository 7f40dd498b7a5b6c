"use strict";
// A head sorts its table; the search box leaves the rows that have all of its words.
(() => {
  const box = document.querySelector("input[type=search]");
  const count = document.querySelector("output");
  const sections = [...document.querySelectorAll("section")].map((section) => ({
    section,
    title: section.querySelector("h2")?.textContent ?? "",
    rows: [...section.querySelectorAll("tbody tr")],
  }));
  const total = sections.reduce((sum, { rows }) => sum + rows.length, 0);
  const order = new Intl.Collator("en", { numeric: true });

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
  };

  const search = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { section, title, rows } of sections) {
      for (const row of rows) {
        const text = `${title} ${row.textContent}`.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += !row.hidden;
      }
      section.hidden = words.length > 0 && rows.every((row) => row.hidden);
    }
    count.textContent = `${shown} of ${total} rows`;
  };

  for (const head of document.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(head));
  }
  box.addEventListener("input", search);
  // A link to a theory that the search has hidden leads there all the same.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    const aim = link && document.getElementById(link.getAttribute("href").slice(1));
    if (aim?.closest("[hidden]")) {
      box.value = "";
      search();
    }
  });
  search();
  box.closest("[hidden]").hidden = total === 0;
})();
