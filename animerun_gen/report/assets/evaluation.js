const figure = (value) => (value === null || value === undefined ? "\u2013" : value.toFixed(2));
const columns = [
  { title: "clip", ascending: true, value: (row) => row.clip.toLowerCase(), cell: (row) => make("td", {}, row.clip) },
  { title: "pairs", value: (row) => row.pairs, cell: (row) => make("td", {}, String(row.pairs)) },
  ...DATA.columns.map((column, place) => ({
    title: column.title,
    ascending: column.higher,
    value: (row) => row.values[place],
    cell: (row) => make("td", {}, figure(row.values[place])),
  })),
  ...DATA.others.map((title, place) => ({
    title,
    value: (row) => row.against[place],
    cell: (row) => {
      const [ours, theirs] = [row.values[0], row.against[place]];
      const known = ours !== null && theirs !== null && ours !== theirs;
      const better = known && (DATA.columns[0].higher ? ours > theirs : ours < theirs);
      const cell = make("td", known ? { class: better ? "gained" : "lost" } : {}, figure(theirs));
      if (known) cell.append(make("small", {}, better ? " better here" : " worse here"));
      return cell;
    },
  })),
];
if (byId("clips")) sortableTable(byId("clips"), columns, DATA.rows);
document.body.dataset.ready = "yes";
