/* Learning curves: mean, band, seeds, ends of tasks, and crosses where trials were stopped. */
report.chart("curves", ({records, options, width, state, redraw}) => {
  const mean = records("mean"), seeds = records("seeds"), stopped = records("stopped");
  const set = key => value => { state[key] = value; redraw(); };
  state.variable ??= mean.length ? mean[0].variable : seeds[0].variable;
  state.x ??= ["step", "examples", "seconds"].find(x => seeds.some(row => row[x] !== null));
  state.seeds ??= true;
  const here = row => row.variable === state.variable && state.points.has(row.point) && row[state.x] !== null;
  const indices = [...new Set(seeds.map(row => row.point))];
  const list = report.legend(state, indices, redraw);
  const lines = mean.filter(here), each = seeds.filter(here);
  const others = stopped.filter(row => row.variable === state.variable && row[state.x] !== null);
  const ends = records("ends").filter(row => row[state.x] !== null);
  const key = row => `${row.point} ${row.seed}`;
  const last = [...d3.rollup(each.filter(row => row.status === "stopped" || row.status === "paused"), rows => rows.at(-1), key).values(),
    ...d3.rollup(others, rows => rows.at(-1), row => row.trial).values()];
  const range = report.domain([...lines, ...each.map(row => ({mean: row.value, half: null})), ...others.map(row => ({mean: row.value, half: null}))],
    row => row.mean, row => row.half);
  const few = d3.max(d3.rollup(lines, rows => rows.length, row => row.point).values()) <= 12;
  const stroke = row => row.point === undefined ? "var(--quiet)" : report.colour(row.point);
  const words = {step: "minibatches", examples: "training examples", seconds: "seconds"};
  return [
    report.element("div", {class: "controls"},
      report.select("curve", Object.keys(options.variables).map(name => [name, name]), state.variable, set("variable")),
      report.select("over", Object.entries(words).filter(([x]) => seeds.some(row => row[x] !== null)), state.x, set("x")),
      report.checkbox("every seed", state.seeds, set("seeds"))),
    list,
    report.plot(`${state.variable} over ${words[state.x]}`, {
      width, height: Math.min(460, Math.max(280, width * 0.5)), marginLeft: 52, marginRight: 20,
      x: {label: words[state.x], tickFormat: report.short(lines)(row => row[state.x])}, y: {label: options.variables[state.variable].slice(0, Math.floor(width / 6)), grid: true, domain: range.domain},
      marks: [
        Plot.ruleX(ends, {x: state.x, stroke: "var(--quiet)", strokeOpacity: 0.6, strokeDasharray: "3 4"}),
        Plot.line(others, {x: state.x, y: "value", z: "trial", stroke: "var(--quiet)", strokeWidth: 0.7, strokeOpacity: 0.6}),
        Plot.areaY(lines.filter(row => row.half !== null), {x: state.x, y1: row => row.mean - row.half, y2: row => row.mean + row.half,
          z: "point", fill: stroke, fillOpacity: 0.14, clip: true}),
        state.seeds ? Plot.line(each, {x: state.x, y: "value", z: key, stroke, strokeWidth: 0.8, strokeOpacity: 0.45}) : null,
        Plot.dot(last, {x: state.x, y: "value", symbol: "times", stroke, r: 4}),
        Plot.line(lines, {x: state.x, y: "mean", z: "point", stroke, strokeWidth: 2.2}),
        few ? Plot.dot(lines, {x: state.x, y: "mean", fill: stroke, r: 3}) : null,
        Plot.tip(lines, Plot.pointer({x: state.x, y: "mean", title: row => `${report.label(row.point)}\n${words[state.x]} ` +
          `${report.text(row[state.x])}\n${report.text(row.mean)} ± ${report.text(row.half)}, n ${row.n}`})),
      ],
    }),
  ];
});
