/* A forest plot for each measure. */
report.chart("measures", ({records, width}) => {
  const groups = d3.group(records("measures"), row => row.measure);
  const column = report.columnWidth(width);
  return [report.element("div", {class: "panels"}, ...[...groups].map(([measure, those]) => {
    const rows = those.map(row => ({...row, name: report.name(row.point)}));
    const room = report.labelRoom(rows.map(row => row.name), column);
    const range = report.domain(rows, row => row.mean, row => row.half);
    return report.panel(range.cut ? `${measure} (wide intervals go on beyond the border)` : measure, report.plot(`${measure} with intervals`, {
      width: column, height: rows.length * 17 + 46, marginLeft: room.marginLeft, marginRight: 16, x: {label: measure, grid: true, domain: range.domain, ticks: 5},
      y: {domain: rows.map(row => row.name)},
      marks: [room.axis,
        Plot.ruleY(rows.filter(row => row.half !== null), {y: "name", x1: row => row.mean - row.half, x2: row => row.mean + row.half,
          stroke: row => report.colour(row.point), strokeWidth: 1.5, clip: true}),
        Plot.dot(rows, {y: "name", x: "mean", fill: row => report.colour(row.point), r: 3.5}),
        Plot.tip(rows, Plot.pointerY({y: "name", x: "mean", title: row => `${report.label(row.point)}\n${measure} ${report.text(row.mean)} ` +
          `± ${report.text(row.half)}, sd ${report.text(row.sd)}, n ${row.n}`}))],
    }));
  }))];
});
