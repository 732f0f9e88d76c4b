"use strict";
(() => {
  const status = document.getElementById("status");
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  // What a cell is sorted by; null where that is not known.
  const keyOf = (cell, numeric) => {
    const text = (cell.dataset.value ?? cell.textContent).trim();
    if (text === "" || text === "–") return null;
    return numeric ? Number(text) : text;
  };

  // Unknown cells come last in both directions, equal ones in the order of the page.
  const sortRows = (rows, column, numeric, sign) => {
    const keyed = rows.map((row, place) => ({ row, place, key: keyOf(row.cells[column], numeric) }));
    const compare = numeric ? (a, b) => a - b : collator.compare;
    keyed.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place;
      return sign * compare(a.key, b.key) || a.place - b.place;
    });
    return keyed.map((item) => item.row);
  };

  const makeSortable = (table) => {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const headers = [...table.tHead.rows[0].cells];
    const title = document.getElementById(table.dataset.name).textContent;
    headers.forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: "none" }[header.getAttribute("aria-sort")] ?? "ascending";
        headers.forEach((other) => other.removeAttribute("aria-sort"));
        if (next !== "none") header.setAttribute("aria-sort", next);
        const numeric = header.classList.contains("number");
        const sign = next === "descending" ? -1 : 1;
        body.append(...(next === "none" ? original : sortRows(original, column, numeric, sign)));
        const order = next === "none" ? "in its original order" : `sorted by ${button.textContent}, ${next}`;
        status.textContent = `${title}: ${order}`;
      });
    });
  };

  const makeDownload = (button) => {
    const text = JSON.parse(document.getElementById(`csv-${button.dataset.name}`).textContent);
    button.hidden = false;
    button.addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
      link.download = `${button.dataset.name}.csv`;
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    });
  };

  const makeToggle = (button) => {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
    const label = () => { button.textContent = isDark() ? "Light colours" : "Dark colours"; };
    button.hidden = false;
    button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; label(); });
    system.addEventListener("change", label);
    label();
  };

  // Paper shows what is folded away on a screen.
  const unfoldForPrint = () => {
    let opened = [];
    addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll("details.print:not([open])")];
      opened.forEach((details) => { details.open = true; });
    });
    addEventListener("afterprint", () => opened.forEach((details) => { details.open = false; }));
  };

  document.querySelectorAll("table[data-name]").forEach(makeSortable);
  document.querySelectorAll("button.download").forEach(makeDownload);
  document.querySelectorAll("button.theme").forEach(makeToggle);
  unfoldForPrint();
})();
