/* A critical-difference diagram: mean ranks, and bars over methods that are not told apart. */
report.chart("ranks", ({records, options, width}) => {
  const rows = records("ranks");
  const rank = new Map(rows.map(row => [row.method, row.rank]));
  const bars = [...d3.group(records("cliques"), row => row.bar).values()].map((those, at) => ({at, x1: d3.min(those, row => rank.get(row.method)), x2: d3.max(those, row => rank.get(row.method))}));
  const room = report.labelRoom(rows.map(row => row.method), width);
  const axis = {label: "mean rank (1 is best)", domain: [1, Math.max(rows.length, 2)], ticks: Math.min(rows.length, 10)};
  return [report.plot("mean ranks", {
    width, height: rows.length * 20 + 46, marginLeft: room.marginLeft, marginRight: 20, x: {...axis, grid: true}, y: {domain: rows.map(row => row.method)},
    marks: [room.axis, Plot.dot(rows, {y: "method", x: "rank", fill: "var(--c0)", r: 4}), Plot.tip(rows, Plot.pointerY({y: "method", x: "rank", title: row => `${row.method}: ${report.text(row.rank)}`}))],
  }), report.plot("bars over methods that are not told apart", {
    width, height: bars.length * 14 + 44, marginLeft: room.marginLeft, marginRight: 20, marginTop: 26, x: axis, y: {axis: null, domain: [-1, ...bars.map(bar => bar.at)], type: "band"},
    marks: [Plot.ruleY([{x1: 1, x2: 1 + options.critical}], {y: () => -1, x1: "x1", x2: row => Math.min(row.x2, rows.length), stroke: "currentColor", marker: "tick"}),
      Plot.text([0], {x: () => 1, y: () => -1, text: () => `critical difference ${report.text(options.critical)}`, textAnchor: "start", dy: -11}),
      Plot.ruleY(bars, {y: "at", x1: "x1", x2: "x2", stroke: "var(--c1)", strokeWidth: 4})],
  })];
});
