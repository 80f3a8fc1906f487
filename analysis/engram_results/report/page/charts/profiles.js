/* Interquartile means with intervals, and performance profiles with bands. */
report.chart("profiles", ({records, width, options, state, redraw}) => {
  const aggregates = records("aggregates").map(row => ({...row, name: report.name(row.point)}));
  const list = report.legend(state, aggregates.map(row => row.point), redraw);
  const lines = records("profiles").filter(row => state.points.has(row.point));
  const column = report.columnWidth(width, 560);
  const room = report.labelRoom(aggregates.map(row => row.name), column);
  const stroke = row => report.colour(row.point);
  return [list, report.element("div", {class: "panels two"},
    report.panel("interquartile mean ● and median |", report.plot("interquartile means", {
      width: column, height: Math.max(240, aggregates.length * 20 + 46), marginLeft: room.marginLeft, marginRight: 16, x: {label: options.variable, grid: true, nice: true, ticks: 6}, y: {domain: aggregates.map(row => row.name)},
      marks: [room.axis, Plot.ruleY(aggregates.filter(row => row.low !== null), {y: "name", x1: "low", x2: "high", stroke, strokeWidth: 1.5}),
        Plot.tickX(aggregates, {y: "name", x: "median", stroke, insetTop: 3, insetBottom: 3}), Plot.dot(aggregates, {y: "name", x: "iqm", fill: stroke, r: 3.5}),
        Plot.tip(aggregates, Plot.pointerY({y: "name", x: "iqm", title: row => `${report.label(row.point)}\nIQM ${report.text(row.iqm)} [${report.text(row.low)}, ${report.text(row.high)}]\n` +
          `mean ${report.text(row.mean)}, median ${report.text(row.median)}, ${row.runs} runs`}))],
    })),
    report.panel("performance profiles", report.plot("performance profiles", {
      width: column, height: Math.max(240, aggregates.length * 20 + 46), marginLeft: 48, marginRight: 16, x: {label: options.variable, ticks: 6}, y: {label: "share of runs beyond it", domain: [0, 1], grid: true},
      marks: [Plot.areaY(lines.filter(row => row.low !== null), {x: "threshold", y1: "low", y2: "high", z: "point", fill: stroke, fillOpacity: 0.12}),
        Plot.line(lines, {x: "threshold", y: "share", z: "point", stroke, strokeWidth: 1.6}),
        Plot.tip(lines, Plot.pointer({x: "threshold", y: "share", title: row => `${report.label(row.point)}\n${report.text(row.share)} of runs beyond ${report.text(row.threshold)}`}))],
    })))];
});
