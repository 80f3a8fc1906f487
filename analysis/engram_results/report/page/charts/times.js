/* Range, quartiles and median of seconds, by method. */
report.chart("times", ({records, width}) => {
  const rows = records("times");
  const room = report.labelRoom(rows.map(row => row.method), width);
  return [report.plot("seconds of trials by method", {
    width, height: rows.length * 18 + 46, marginLeft: room.marginLeft, marginRight: 20, x: {label: "seconds a trial", grid: true, nice: true, type: d3.min(rows, row => row.least) > 0 && d3.max(rows, row => row.most) > 30 * d3.min(rows, row => row.least) ? "log" : "linear"},
    y: {domain: rows.map(row => row.method)},
    marks: [room.axis, Plot.ruleY(rows, {y: "method", x1: "least", x2: "most", stroke: "var(--quiet)"}),
      Plot.ruleY(rows, {y: "method", x1: "quarter", x2: "three_quarters", stroke: "var(--c0)", strokeWidth: 8, strokeOpacity: 0.5}),
      Plot.dot(rows, {y: "method", x: "median", fill: "var(--c0)", r: 4}),
      Plot.tip(rows, Plot.pointerY({y: "method", x: "median", title: row => `${row.method}\n${row.trials} trials, ${report.text(row.total)} s together\n` +
        `median ${report.text(row.median)} s, from ${report.text(row.least)} to ${report.text(row.most)} s`}))],
  })];
});
