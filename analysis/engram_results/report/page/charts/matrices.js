/* A heatmap of accuracies: mean, deviation, or the difference of two points. */
report.chart("matrices", ({records, width, state, redraw}) => {
  const cells = records("cells");
  const indices = [...new Set(cells.map(row => row.point))];
  const set = key => value => { state[key] = value; redraw(); };
  state.show ??= "mean";
  state.first ??= String(indices[0]);
  state.other ??= String(indices.at(-1));
  const of = index => cells.filter(row => String(row.point) === String(index));
  const other = new Map(of(state.other).map(row => [`${row.after_task} ${row.on_task}`, row]));
  const value = {
    mean: row => row.mean, sd: row => row.sd, difference: row => {
      const there = other.get(`${row.after_task} ${row.on_task}`);
      return there ? row.mean - there.mean : null;
    },
  }[state.show];
  const rows = of(state.first).map(row => ({...row, value: value(row)})).filter(row => row.value !== null);
  const tasks = d3.max(cells, row => Math.max(row.on_task, row.after_task));
  const side = Math.max(9, Math.min(56, (width - 90) / tasks));
  const most = d3.max(rows, row => Math.abs(row.value)) || 1;
  const scale = state.show === "mean" ? d3.scaleSequential([0, 1], d3.interpolateYlGnBu)
    : state.show === "sd" ? d3.scaleSequential([0, most], d3.interpolateOranges) : d3.scaleSequential([-most, most], d3.interpolatePuOr);
  const names = indices.map(index => [index, report.name(index)]);
  const size = {on: d3.max(rows, row => row.on_task) || 1, after: d3.max(rows, row => row.after_task) || 1};
  return [
    report.element("div", {class: "controls"},
      report.select("show", [["mean", "mean"], ["sd", "standard deviation"], ["difference", "difference"]], state.show, set("show")),
      report.select("point", names, state.first, set("first")),
      state.show === "difference" ? report.select("less", names, state.other, set("other")) : null),
    rows.length ? report.plot(`accuracy matrix, ${state.show}`, {
      width: size.on * side + 80, height: size.after * side + 70, marginLeft: 50, marginTop: 40,
      x: {axis: "top", label: "accuracy on task", domain: d3.range(1, size.on + 1), tickFormat: task => side < 18 && task % 10 && task > 1 ? "" : task, padding: 0.02},
      y: {label: "after task", domain: d3.range(1, size.after + 1), tickFormat: task => side < 18 && task % 10 && task > 1 ? "" : task, padding: 0.02},
      marks: [
        Plot.cell(rows, {x: "on_task", y: "after_task", fill: row => scale(row.value), tip: true, title: row => `after task ${row.after_task}, on task ${row.on_task}\n` +
          `${report.text(row.value)}\nmean ${report.text(row.mean)}, sd ${report.text(row.sd)}, n ${row.n}`}),
        side >= 34 ? Plot.text(rows, {x: "on_task", y: "after_task", text: row => row.value.toFixed(2), fill: row => report.textOn(scale(row.value))}) : null,
      ],
    }) : report.element("p", {}, "The two points have no cell in common that both have."),
  ];
});
