/* Heatmaps of accuracies side by side: mean and deviation of a point, and its difference to another. */
report.chart("matrices", ({records, width, state, redraw}) => {
  const cells = records("cells");
  const indices = [...new Set(cells.map(row => row.point))];
  const set = key => value => { state[key] = value; redraw(); };
  state.first ??= String(indices[0]);
  state.other ??= String(indices[1] ?? indices[0]);
  const of = index => cells.filter(row => String(row.point) === String(index));
  const other = new Map(of(state.other).map(row => [`${row.after_task} ${row.on_task}`, row]));
  const rows = of(state.first).map(row => ({...row, there: other.get(`${row.after_task} ${row.on_task}`)?.mean ?? null}));
  const column = report.columnWidth(width, 380);
  const on = d3.max(rows, row => row.on_task), after = d3.max(rows, row => row.after_task);
  const side = Math.max(5, Math.min(52, (column - 64) / on, 900 / after));
  const tick = task => side < 18 && task % 10 && task > 1 ? "" : task;

  function heatmap(words, value, scale) {
    const shown = rows.filter(row => value(row) !== null);
    return report.panel(words, shown.length ? report.plot(`accuracy matrix: ${words}`, {
      width: on * side + 60, height: after * side + 54, marginLeft: 44, marginRight: 16, marginTop: 40, marginBottom: 14,
      x: {axis: "top", label: "accuracy on task", domain: d3.range(1, on + 1), tickFormat: tick, tickSize: 0, padding: side < 12 ? 0 : 0.02},
      y: {label: "after task", domain: d3.range(1, after + 1), tickFormat: tick, tickSize: 0, padding: side < 12 ? 0 : 0.02},
      marks: [
        Plot.cell(shown, {x: "on_task", y: "after_task", fill: row => scale(value(row)), tip: true, title: row => `after task ${row.after_task}, ` +
          `on task ${row.on_task}: ${report.text(value(row))}\nmean ${report.text(row.mean)}, sd ${report.text(row.sd)}, n ${row.n}`}),
        side >= 32 ? Plot.text(shown, {x: "on_task", y: "after_task", text: row => value(row).toFixed(2).replace("-0.00", "0.00"), fill: row => report.textOn(scale(value(row)))}) : null,
      ],
    }) : report.element("p", {class: "shown"}, "no cell has a value"));
  }

  const widest = d3.max(rows, row => row.sd) || 1, most = d3.max(rows, row => row.there === null ? 0 : Math.abs(row.mean - row.there)) || 1;
  const names = indices.map(index => [index, report.name(index)]);
  return [
    report.element("div", {class: "controls"}, report.select("point", names, state.first, set("first")), report.select("less", names, state.other, set("other"))),
    report.element("div", {class: "panels matrices"},
      heatmap("mean", row => row.mean, d3.scaleSequential([0, 1], d3.interpolateYlGnBu)),
      heatmap("standard deviation over seeds", row => row.sd, d3.scaleSequential([0, widest], d3.interpolateOranges)),
      heatmap(`difference to ${report.name(Number(state.other))}`, row => row.there === null ? null : row.mean - row.there,
        d3.scaleSequential([-most, most], d3.interpolatePuOr))),
  ];
});
