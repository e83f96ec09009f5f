"use strict";
/* Tables of notebooks: cards on a telephone; long ones can be sorted and filtered. */

document.addEventListener("DOMContentLoaded", () => {
  const LONG = 15;
  const words = (cell) => cell.innerText.trim();
  const order = new Intl.Collator("en", { numeric: true }).compare;
  const number = (text) => parseFloat(text.replace("\u2212", "-").replace(/(\d),(?=\d{3})/g, "$1"));

  /** Each cell knows its column: a narrow page prints the head beside it. */
  function label(table, heads) {
    for (const row of table.tBodies[0].rows) {
      if (row.cells.length !== heads.length) continue;
      [...row.cells].forEach((cell, n) => { cell.dataset.label = words(heads[n]); });
    }
    table.classList.add("ldn-cards");
  }

  function sort(table, head, place) {
    const way = head.ariaSort === "ascending" ? "descending" : "ascending";
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => [row, words(row.cells[place])]);
    keyed.sort(([, a], [, b]) => number(a) - number(b) || order(a, b));
    if (way === "descending") keyed.reverse();
    body.append(...keyed.map(([row]) => row));
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.ariaSort = way;
  }

  function sortable(table, heads) {
    heads.forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "ldn-sort";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, head, place));
      head.append(button);
    });
  }

  function filterable(table) {
    const box = document.createElement("label");
    const input = document.createElement("input");
    const told = document.createElement("output");
    input.type = "search";
    const rows = [...table.tBodies[0].rows];
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase().split(/\s+/);
      for (const row of rows) {
        row.hidden = !wanted.every((word) => row.textContent.toLowerCase().includes(word));
      }
      told.value = input.value ? `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows` : "";
    });
    box.className = "ldn-filter";
    box.append("Only rows with ", input, " ", told);
    table.parentElement.before(box);
  }

  for (const table of document.querySelectorAll(".bd-article table:is(.ldn-table, .gt_table)")) {
    const heads = [...(table.tHead?.rows[table.tHead.rows.length - 1]?.cells ?? [])];
    if (!table.tBodies[0] || table.classList.contains("ldn-grid")) continue;
    if (heads.length > 3) label(table, heads);
    if (table.tBodies[0].rows.length > LONG && table.matches(".ldn-table")) {
      sortable(table, heads);
      filterable(table);
    }
  }
});
