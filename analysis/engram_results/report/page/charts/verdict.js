/* Best points: what is reported with its interval, and what selected them as a hollow circle. */
report.chart("verdict", ({records, options, width}) => {
  const rows = records("best").map(row => ({...row, name: report.name(row.point), label: report.label(row.point)}));
  const same = rows.every(row => row.selected === null || Math.abs(row.selected - row.reported) < 1e-6);
  const room = report.labelRoom(rows.map(row => row.name), width);
  const range = report.domain([...rows, ...rows.filter(row => row.selected !== null).map(row => ({reported: row.selected, reported_ci: null}))], row => row.reported, row => row.reported_ci);
  return [range.cut ? report.element("p", {class: "shown"}, "Intervals that reach the border of the drawing go on beyond it.") : null, report.plot("best points with intervals", {
    width, height: rows.length * 20 + 50, marginLeft: room.marginLeft, marginRight: 30,
    x: {label: same ? options.variable : `${options.variable}: ● reported  ○ selected`, grid: true, ticks: Math.min(10, width / 110),
      domain: range.domain, labelAnchor: "center"},
    y: {domain: rows.map(row => row.name)},
    marks: [
      room.axis,
      Plot.ruleY(rows, {y: "name", x1: row => row.reported - report.number(row.reported_ci), x2: row => row.reported + report.number(row.reported_ci),
        stroke: row => report.colour(row.point), strokeWidth: 1.5, clip: true}),
      same ? null : Plot.dot(rows, {y: "name", x: "selected", stroke: row => report.colour(row.point), r: 4}),
      Plot.dot(rows, {y: "name", x: "reported", fill: row => report.colour(row.point), r: 4}),
      Plot.tip(rows, Plot.pointerY({y: "name", x: "reported", title: row => `${row.label}\nrank ${row.rank}\n` +
        `reported ${report.text(row.reported)} ± ${report.text(row.reported_ci)}, n ${row.n} of ${row.planned}\n` +
        `selected ${report.text(row.selected)} ± ${report.text(row.selected_ci)}, n ${row.selected_n}`})),
    ],
  })];
});
