/* Share of trials that diverged or failed, at every value of each setting. */
report.chart("failures", ({records, width}) => {
  const groups = d3.group(records("map").filter(row => row.share !== null), row => row.setting);
  const column = report.columnWidth(width);
  const most = d3.max([...groups.values()].flat(), row => row.share);
  return [report.element("div", {class: "panels"}, ...[...groups].map(([setting, rows]) => {
    const room = report.labelRoom(rows.map(row => row.value), column);
    return report.panel(setting, report.plot(`share of failures by ${setting}`, {
      width: column, height: rows.length * 18 + 46, marginLeft: room.marginLeft, marginRight: 16, x: {label: "share of trials that diverged or failed", domain: [0, most], ticks: 4, tickFormat: "%", grid: true},
      y: {domain: rows.map(row => row.value)},
      marks: [room.axis, Plot.ruleX([0]), Plot.barX(rows, {y: "value", x: "share", fill: "var(--c6)", insetTop: 2, insetBottom: 2}),
        Plot.tip(rows, Plot.pointerY({y: "value", x: "share", title: row => `${setting} = ${row.value}\n${row.diverged} diverged, ${row.failed} failed of ${row.ran}`}))],
    }));
  }))];
});
