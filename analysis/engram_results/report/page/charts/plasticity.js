/* The state of the network over tasks: a panel per measure, one layer at a time. */
report.chart("plasticity", ({records, options, width, state, redraw}) => {
  const all = records("panels");
  const layers = [...new Set(all.map(row => row.layer))].filter(layer => layer > 0).sort((a, b) => a - b);
  state.layer ??= String(layers[0] ?? 0);
  const list = report.legend(state, [...new Set(all.map(row => row.point))], redraw);
  const column = report.columnWidth(width);
  const groups = d3.group(all.filter(row => state.points.has(row.point) && (row.layer === 0 || String(row.layer) === state.layer)), row => row.measure);
  const range = rows => report.domain(rows, row => row.mean, row => row.half).domain;
  const stroke = row => report.colour(row.point);
  return [
    report.element("div", {class: "controls"}, layers.length > 1 ? report.select("hidden layer", layers.map(layer => [layer, layer]), state.layer,
      value => { state.layer = value; redraw(); }) : null),
    list,
    report.element("div", {class: "panels"}, ...[...groups].map(([measure, rows]) => report.panel(
      `${measure}${rows[0].layer ? `, layer ${rows[0].layer}` : ""}`, report.plot(options.words[measure], {
        width: column, height: 210, marginLeft: 50, marginRight: 14, x: {label: options.places[measure], ticks: 6}, y: {label: null, grid: true, domain: range(rows), ticks: 5, tickFormat: report.short(rows)(row => row.mean)},
        marks: [
          Plot.areaY(rows.filter(row => row.half !== null), {x: "place", y1: row => row.mean - row.half, y2: row => row.mean + row.half, z: "point", fill: stroke, fillOpacity: 0.14, clip: true}),
          Plot.line(rows, {x: "place", y: "mean", z: "point", stroke, strokeWidth: 1.6}),
          Plot.dot(rows.filter((row, at) => rows.findIndex(other => other.point === row.point) === at), {x: "place", y: "mean", fill: stroke, r: 2}),
          Plot.tip(rows, Plot.pointer({x: "place", y: "mean", title: row => `${report.label(row.point)}\n${options.places[measure]} ${row.place}: ` +
            `${report.text(row.mean)} ± ${report.text(row.half)}, n ${row.n}`})),
        ],
      })))),
  ];
});
