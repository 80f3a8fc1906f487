/* Shares of the variance: the largest terms, then seeds and noise. */
report.chart("importance", ({records, width}) => {
  const terms = records("terms").map(row => ({name: row.within ? `${row.term} | ${row.within}` : row.term, share: row.share, kind: row.term.includes(" × ") ? 1 : 0, p: row.p}));
  const most = 20, shown = terms.slice(0, most), rest = terms.slice(most);
  if (rest.length) {
    shown.push({name: `${rest.length} more terms`, share: d3.sum(rest, row => row.share), kind: 1});
  }
  const rows = [...shown, ...records("rest").map(row => ({name: row.part, share: row.share, kind: 8}))];
  const room = report.labelRoom(rows.map(row => row.name), width);
  return [report.plot("shares of the variance", {
    width, height: rows.length * 20 + 46, marginLeft: room.marginLeft, marginRight: 50, x: {label: "share of the variance", tickFormat: "%", grid: true, domain: [0, d3.max(rows, row => row.share)]},
    y: {domain: rows.map(row => row.name)},
    marks: [room.axis, Plot.ruleX([0]), Plot.barX(rows, {y: "name", x: "share", fill: row => `var(--c${row.kind})`, insetTop: 2, insetBottom: 2}),
      Plot.text(rows, {y: "name", x: "share", text: row => `${(100 * row.share).toFixed(1)} %`, textAnchor: "start", dx: 4}),
      Plot.tip(rows, Plot.pointerY({y: "name", x: "share", title: row => `${row.name}\n${report.text(row.share)}${row.p === undefined || row.p === null ? "" : `, p ${report.text(row.p)}`}`}))],
  })];
});
