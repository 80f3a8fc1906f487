/* Expected best against number of tried points, a line per method. */
report.chart("tuning", ({records, options, width, state, redraw}) => {
  const all = records("curve");
  const methods = [...new Set(all.map(row => row.method))];
  state.methods ??= new Set(methods.slice(0, 8));
  const rows = all.filter(row => state.methods.has(row.method));
  const stroke = row => report.colour(methods.indexOf(row.method));
  const list = report.choices(state.methods, methods.map((method, at) => ({key: method, words: method, colour: report.colour(at), title: method})), "methods drawn", redraw);
  return [list, report.plot("tuning curve", {
    width, height: Math.min(420, Math.max(260, width * 0.4)), marginLeft: 52, marginRight: 20, x: {type: "log", label: "points tried", ticks: 5, tickFormat: "~s"}, y: {label: `expected ${options.variable}`, grid: true, nice: true},
    marks: [Plot.line(rows, {x: "k", y: "expected", z: "method", stroke, strokeWidth: 1.8}), Plot.dot(rows.filter(row => row.k === row.points), {x: "k", y: "expected", fill: stroke, r: 3}),
      Plot.tip(rows, Plot.pointer({x: "k", y: "expected", title: row => `${row.method}\nbest of ${row.k} of ${row.points} points: ${report.text(row.expected)}`}))],
  })];
});
