const rows = DATA.rows;
const rank = { fail: 0, incomplete: 1, unknown: 2, pass: 3 };
const columns = [
  { title: "", label: "picture", cell: (row) => {
    const picture = row.thumbnail ? make("img", { src: row.thumbnail, alt: "" }) : "";
    return make("td", {}, row.link ? make("a", { href: row.link, tabindex: "-1", "aria-hidden": "true" }, picture) : picture);
  } },
  { title: "cut", ascending: true, value: (row) => row.cut.toLowerCase(), cell: (row) => make("td", {},
    row.link ? make("a", { class: "name", href: row.link }, row.cut) : make("span", { class: "name" }, row.cut),
    row.problem ? make("div", { class: "problem" }, row.problem) : null,
    !row.link && !row.problem ? make("div", { class: "problem" }, "has no page yet: run report without --cut") : null) },
  { title: "gate", ascending: true, value: (row) => rank[row.verdict], cell: (row) => make("td", {}, make("span", { class: `badge ${row.verdict}` }, row.badge)) },
  { title: "split", ascending: true, value: (row) => row.split, cell: (row) => make("td", {}, row.split) },
  { title: "frames", value: (row) => row.frames, cell: (row) => make("td", {}, String(row.frames)) },
  { title: "resolution", value: (row) => row.resolution && row.resolution[0] * row.resolution[1],
    cell: (row) => make("td", {}, row.resolution ? `${row.resolution[0]} \u00d7 ${row.resolution[1]}` : "\u2013") },
  ...DATA.columns.map((column, place) => ({
    title: column.title,
    ascending: column.above,
    value: (row) => row.values[place],
    cell: (row) => {
      const [value, bar] = [row.values[place], row.bars[place]];
      const past = value !== null && bar !== null && (column.above ? value < bar : value > bar);
      const cell = make("td", past ? { class: "past" } : {}, written(value, column.unit));
      if (bar !== null) cell.title = `threshold: ${written(bar, column.unit)}`;
      return cell;
    },
  })),
];
sortableTable(byId("cuts"), columns, rows, {
  row: (line) => {
    // on a narrow page a row is a card, in which each figure needs its name
    columns.forEach((column, place) => { line.cells[place].dataset.title = column.title; });
  },
});
document.body.dataset.ready = "yes";
