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
  ...DATA.others.map((title, place) => {
    const gain = (row) => {
      const [ours, theirs] = [row.values[0], row.against[place]];
      if (ours === null || theirs === null) return null;
      return DATA.columns[0].higher ? ours - theirs : theirs - ours;
    };
    return { title, value: gain, cell: (row) => {
      const by = gain(row);
      const sign = by > 0 ? "+" : by < 0 ? "\u2212" : "";
      return make("td", { class: by > 0 ? "gained" : by < 0 ? "lost" : "" }, by === null ? figure(by) : sign + figure(Math.abs(by)));
    } };
  }),
];
if (byId("clips")) sortableTable(byId("clips"), columns, DATA.rows);
document.body.dataset.ready = "yes";
