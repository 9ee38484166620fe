// What the pages of cuts and the index share.

const DATA = JSON.parse(document.getElementById("data").textContent);

const byId = (id) => document.getElementById(id);

// An element with attributes and children; text is only ever set as text.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function written(value, unit) {
  if (value === null || value === undefined) return "\u2013";
  if (unit === "share") {
    const percent = 100 * value;
    if (percent === 0 || percent === 100) return `${percent}%`;
    const digits = percent > 99 ? 3 : percent < 0.1 ? 4 : percent < 10 ? 2 : 1;
    return `${percent.toFixed(digits)}%`;
  }
  if (unit === "count") return Number.isInteger(value) ? `${value}` : value.toFixed(2);
  const size = Math.abs(value);
  if (unit === "px" && size > 0 && size < 1e-4) return "< 0.0001 px";
  let plain = value.toFixed(size < 100 ? 2 : 1);
  if (size === 0) plain = "0";
  else if (size < 1e-4) plain = value.toExponential(1);
  else if (size < 1) plain = String(Number(value.toPrecision(3)));
  return unit === "px" ? `${plain} px` : plain;
}

// A table whose rows can be sorted by a click on a heading.  Styles may show it as cards, and a browser then takes it for
// no table any more, so its parts say what they are.
//   columns: {title, label, note, value(row), cell(row)}; the value sorts, null last; the label names what has no title
function sortableTable(table, columns, rows, options = {}) {
  const head = make("tr", { role: "row" });
  table.setAttribute("role", "table");
  for (const group of [table.tHead, table.tBodies[0]]) group.setAttribute("role", "rowgroup");
  let current = null;
  let descending = true;
  let order = rows.slice();
  function draw() {
    const body = table.tBodies[0];
    const limit = options.limit ? options.limit() : Infinity;
    body.replaceChildren(...order.slice(0, limit).map((row) => {
      const line = make("tr", { role: "row" }, ...columns.map((column) => column.cell(row)));
      for (const cell of line.cells) cell.setAttribute("role", "cell");
      if (options.row) options.row(line, row);
      return line;
    }));
  }
  columns.forEach((column, place) => {
    const heading = make("th", { scope: "col", role: "columnheader" });
    if (column.value) {
      heading.append(make("button", { type: "button", onclick: (event) => {
        descending = current === place ? !descending : !column.ascending;
        current = place;
        order = rows.slice().sort((a, b) => {
          const [x, y] = [column.value(a), column.value(b)];
          if (x === y) return 0;
          if (x === null || x === undefined) return 1;
          if (y === null || y === undefined) return -1;
          return (x < y ? -1 : 1) * (descending ? -1 : 1);
        });
        for (const one of head.children) one.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
        event.currentTarget.blur();
        draw();
      } }, column.title));
    } else {
      heading.append(column.title);
    }
    if (column.label) heading.setAttribute("aria-label", column.label);
    if (column.note) heading.append(make("small", {}, column.note));
    head.append(heading);
  });
  table.tHead.replaceChildren(head);
  draw();
  return draw;
}
