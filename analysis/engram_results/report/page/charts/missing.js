/* Share of the points of a method that have a result, seed by seed. */
report.chart("missing", ({records, width}) => {
  const rows = records("coverage");
  const methods = [...new Set(rows.map(row => row.method))], seeds = [...new Set(rows.map(row => row.seed))].sort((a, b) => a - b);
  const room = report.labelRoom(methods, width);
  const side = Math.max(8, Math.min(60, (width - room.marginLeft - 20) / seeds.length));
  const scale = d3.scaleSequential([0, 1], d3.interpolateYlGnBu);
  const share = row => row.finished / row.planned;
  return [report.plot("share of points with a result by method and seed", {
    width: room.marginLeft + side * seeds.length + 20, height: methods.length * 18 + 60, marginLeft: room.marginLeft, marginTop: 40,
    x: {axis: "top", domain: seeds, label: "seed", tickFormat: seed => side < 18 && seed % 10 ? "" : seed, padding: 0.04}, y: {domain: methods, padding: 0.06},
    marks: [room.axis, Plot.cell(rows, {x: "seed", y: "method", fill: row => scale(share(row)), tip: true, title: row => `${row.method}, seed ${row.seed}\n` +
      `${row.finished} of ${row.planned} points have a result\n` + ["pending", "running", "failed", "skipped", "paused", "stopped"].filter(word => row[word]).map(word => `${row[word]} ${word}`).join(", ")}),
    side >= 34 ? Plot.text(rows, {x: "seed", y: "method", text: row => `${Math.round(100 * share(row))} %`, fill: row => report.textOn(scale(share(row)))}) : null],
  })];
});
