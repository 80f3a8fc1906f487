/* Accuracy against AOPD of every group, with a line up to MOPD. */
report.chart("orders", ({records, width}) => {
  const groups = records("groups");
  const column = report.columnWidth(width);
  const tasks = records("tasks").filter(row => row.group <= 8);
  const words = new Map(groups.map(row => [row.group, row.settings]));
  return [report.element("div", {class: "panels"},
    report.panel("accuracy and disparity of every group (dot: AOPD, end of the line: MOPD)", report.plot("disparity against accuracy", {
      width: column, height: 340, marginLeft: 52, marginRight: 16, x: {label: "mean accuracy over tasks and orders", nice: true}, y: {label: "disparity", grid: true, nice: true},
      marks: [
        Plot.ruleX(groups, {x: "accuracy", y1: "aopd", y2: "mopd", stroke: "var(--c0)", strokeOpacity: 0.4}),
        Plot.dot(groups, {x: "accuracy", y: "aopd", fill: "var(--c0)", r: 3}),
        Plot.tip(groups, Plot.pointer({x: "accuracy", y: "aopd", title: row => `${row.group}: ${row.settings}\naccuracy ${report.text(row.accuracy)}\n` +
          `AOPD ${report.text(row.aopd)}, MOPD ${report.text(row.mopd)}\n${row.orders} orders, ${row.least_runs} to ${row.most_runs} runs each`})),
      ],
    })),
    report.panel("disparity of each task, the 8 most accurate groups", report.plot("disparity of tasks", {
      width: column, height: 340, marginLeft: 52, marginRight: 16, x: {label: "task", ticks: 8}, y: {label: "OPD", grid: true, nice: true},
      marks: [
        Plot.line(tasks, {x: "task", y: "opd", z: "group", stroke: row => report.colour(row.group - 1), strokeWidth: 1.5}),
        Plot.dot(tasks, {x: "task", y: "opd", fill: row => report.colour(row.group - 1), r: 2.5}),
        Plot.tip(tasks, Plot.pointer({x: "task", y: "opd", title: row => `${row.group}: ${words.get(row.group)}\ntask ${row.task}: OPD ${report.text(row.opd)}`})),
      ],
    })))];
});
