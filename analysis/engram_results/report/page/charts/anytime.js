/* Cumulative error at equal compute and memory with frontiers, and error over mega-batches. */
report.chart("anytime", ({records, width}) => {
  const all = records("configurations"), lines = records("frontiers"), error = records("error");
  const methods = [...new Set(all.map(row => row.method))];
  const stroke = row => report.colour(methods.indexOf(row.method));
  const column = report.columnWidth(width);
  const words = {compute: "operations of training, all mega-batches", memory: "parameters, summed over mega-batches"};
  const cost = ["compute", "memory"].map(budget => report.panel(`error against ${budget}`, report.plot(`cumulative error against ${budget}`, {
    width: column, height: 330, marginLeft: 48, marginRight: 16, x: {type: "log", label: words[budget], ticks: 4, tickFormat: "~s"}, y: {label: "cumulative error rate", grid: true, nice: true},
    marks: [
      Plot.ruleX(all.filter(row => row.sd !== null), {x: budget, y1: row => row.cer - row.sd, y2: row => row.cer + row.sd, stroke, strokeOpacity: 0.35}),
      Plot.dot(all, {x: budget, y: "cer", stroke, fill: row => row.replay === "yes" ? "none" : stroke(row), symbol: row => row.replay === "yes" ? "triangle" : "circle", r: 3, fillOpacity: 0.6}),
      Plot.line(lines.filter(row => row.budget === budget), {x: "cost", y: "cer", z: row => row.method + row.replay, stroke, strokeWidth: 2}),
      Plot.tip(all, Plot.pointer({x: budget, y: "cer", title: row => `${row.method}, size ${row.size}, w ${row.w}${row.replay === "yes" ? ", replay" : ""}\n` +
        `CER ${report.text(row.cer)}, sd ${report.text(row.sd)}, n ${row.n}\n${budget} ${report.text(row[budget])}`})),
    ],
  })));
  const over = report.panel("error over mega-batches, best configuration of each method", report.plot("test error over mega-batches", {
    width: column, height: 330, marginLeft: 48, marginRight: 16, x: {label: "mega-batch"}, y: {label: "test error", grid: true, nice: true},
    marks: [
      Plot.areaY(error.filter(row => row.sd !== null), {x: "mega_batch", y1: row => row.mean - row.sd, y2: row => row.mean + row.sd, z: "method", fill: stroke, fillOpacity: 0.12}),
      Plot.line(error, {x: "mega_batch", y: "mean", z: "method", stroke, strokeWidth: 1.6}),
      Plot.tip(error, Plot.pointer({x: "mega_batch", y: "mean", title: row => `${row.method}\nmega-batch ${row.mega_batch}: ${report.text(row.mean)}`})),
    ],
  }));
  const key = report.element("p", {class: "legend"}, ...methods.map((method, at) => report.element("span", {},
    report.element("span", {class: "swatch", style: `background:${report.colour(at)}`}), ` ${method}`)), "△ with replay");
  return [key, report.element("div", {class: "panels"}, ...cost, over)];
});
