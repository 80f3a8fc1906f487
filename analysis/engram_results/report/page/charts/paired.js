/* Differences to the best point with intervals, and the probability of improvement. */
report.chart("paired", ({records, width, options}) => {
  const rows = records("differences").map(row => ({...row, name: report.name(row.point)}));
  const column = report.columnWidth(width, 560);
  const room = report.labelRoom(rows.map(row => row.name), column);
  const range = report.domain([...rows, {difference: 0, high: 0}], row => row.difference, row => row.high === null ? null : row.high - row.difference);
  const tip = row => `${report.label(row.point)}\nbest less this: ${report.text(row.difference)} [${report.text(row.low)}, ${report.text(row.high)}], ${row.pairs} pairs\n` +
    `Wilcoxon p ${report.text(row.p_wilcoxon)}, Holm ${report.text(row.p_wilcoxon_holm)}; t ${report.text(row.p_t)}, Holm ${report.text(row.p_t_holm)}\n` +
    `better in ${row.better}, equal in ${row.equal}, worse in ${row.worse}; P(improvement) ${report.text(row.improvement)}`;
  const common = {width: column, height: rows.length * 18 + 46, marginLeft: room.marginLeft, marginRight: 20, y: {domain: rows.map(row => row.name)}};
  const fill = row => report.colour(row.point);
  return [report.element("div", {class: "panels two"},
    report.panel(range.cut ? "difference (wide intervals go on beyond the border)" : "difference", report.plot("differences to the best point", {
      ...common, x: {label: options.maximise ? "best less other (above 0: the best is better)" : "best less other (below 0: the best is better)", grid: true, domain: range.domain, ticks: 6},
      marks: [room.axis, Plot.ruleX([0], {stroke: "var(--quiet)"}),
        Plot.ruleY(rows.filter(row => row.low !== null), {y: "name", x1: "low", x2: "high", stroke: fill, strokeWidth: 1.5, clip: true}),
        Plot.dot(rows, {y: "name", x: "difference", fill, r: 3.5}), Plot.tip(rows, Plot.pointerY({y: "name", x: "difference", title: tip}))],
    })),
    report.panel("probability of improvement", report.plot("probability of improvement", {
      ...common, x: {label: "P(a run of the best is better)", domain: [0, 1], grid: true},
      marks: [room.axis, Plot.ruleX([0.5], {stroke: "var(--quiet)", strokeDasharray: "3 3"}), Plot.dot(rows, {y: "name", x: "improvement", fill, r: 3.5}),
        Plot.tip(rows, Plot.pointerY({y: "name", x: "improvement", title: tip}))],
    })))];
});
