/* Main effects, a panel per setting, and a heatmap of any two settings. */
report.chart("effects", ({records, options, width, state, redraw}) => {
  const main = d3.group(records("main"), row => row.setting);
  const pairs = d3.group(records("pairs"), row => `${row.first} × ${row.second}`);
  const set = key => value => { state[key] = value; redraw(); };
  const narrow = report.columnWidth(width, 270);
  const longest = rows => d3.max(rows, row => row.value.length);
  const turned = rows => rows.length > 5 || longest(rows) > 9;
  // Room below for the longest label at its angle, a letter being about 6 pixels wide.
  const below = rows => turned(rows) ? Math.max(72, 24 + 4 * longest(rows)) : 24;
  const panels = [...main].map(([setting, rows]) => report.panel(setting, report.plot(`main effect of ${setting}`, {
    width: narrow, height: 128 + below(rows), marginLeft: 48, marginRight: 8, marginBottom: below(rows), y: {label: null, grid: true, nice: true, ticks: 4},
    x: {type: "point", label: null, domain: rows.map(row => row.value), tickRotate: turned(rows) ? -40 : 0, padding: 0.5},
    marks: [
      Plot.ruleX(rows.filter(row => row.sd !== null), {x: "value", y1: row => row.mean - row.sd, y2: row => row.mean + row.sd, stroke: "var(--c0)", strokeOpacity: 0.5}),
      Plot.line(rows, {x: "value", y: "mean", stroke: "var(--c0)", strokeOpacity: 0.5}),
      Plot.dot(rows, {x: "value", y: "mean", fill: "var(--c0)", r: 3.5}),
      Plot.dot(rows, {x: "value", y: "best", stroke: "var(--c1)", symbol: options.maximise ? "triangle" : "triangle2", r: 3.5}),
      Plot.tip(rows, Plot.pointerX({x: "value", y: "mean", title: row => `${setting} = ${row.value}\n${row.points} points: mean ${report.text(row.mean)}, ` +
        `sd ${report.text(row.sd)}, best ${report.text(row.best)}`})),
    ],
  })));
  const parts = [report.element("p", {class: "shown"}, "● mean over points, line: ± one standard deviation over points; △ best point."),
    report.element("div", {class: "panels small"}, ...panels)];
  if (pairs.size) {
    state.pair ??= [...pairs.keys()][0];
    state.value ??= "best";
    parts.push(report.element("h3", {}, "Two settings"), report.element("div", {class: "controls"},
      report.select("pair", [...pairs.keys()].map(name => [name, name]), state.pair, set("pair")),
      report.select("value", [["best", "best point"], ["mean", "mean over points"]], state.value, set("value"))),
    heatmap(pairs.get(state.pair), state.value, options, width));
  }
  return parts;

  function heatmap(rows, value, {maximise, variable}, room) {
    const ends = d3.extent(rows, row => row[value]);
    const scale = d3.scaleSequential(maximise ? ends : [ends[1], ends[0]], d3.interpolateYlGnBu);
    const best = rows[(maximise ? d3.maxIndex : d3.minIndex)(rows, row => row[value])];
    const order = key => [...new Set(rows.map(row => row[key]))].sort((a, b) => isNaN(a) || isNaN(b) ? d3.ascending(a, b) : a - b);
    const across = order("second_value"), down = order("first_value");
    const edge = (values, one) => values.length > 2 && values.every(each => !isNaN(each)) && (one === values[0] || one === values.at(-1));
    const flagged = [edge(across, best.second_value) ? best.second : null, edge(down, best.first_value) ? best.first : null].filter(Boolean);
    const side = Math.max(26, Math.min(72, (room - 130) / across.length));
    return report.element("div", {}, report.plot(`heatmap of ${rows[0].first} and ${rows[0].second}`, {
      width: 120 + side * across.length, height: 100 + 30 * down.length, marginLeft: 110, marginBottom: 70,
      x: {domain: across, label: rows[0].second, tickRotate: -30, padding: 0.03}, y: {domain: down, label: rows[0].first, padding: 0.03},
      marks: [
        Plot.cell(rows, {x: "second_value", y: "first_value", fill: row => scale(row[value]), tip: true, title: row =>
          `${row.first} = ${row.first_value}\n${row.second} = ${row.second_value}\n${row.points} points: best ${report.text(row.best)}, mean ${report.text(row.mean)}`}),
        Plot.cell([best], {x: "second_value", y: "first_value", fill: "none", stroke: flagged.length ? "var(--warn)" : "currentColor", strokeWidth: 3}),
        side >= 40 ? Plot.text(rows, {x: "second_value", y: "first_value", text: row => Number(row[value].toPrecision(3)), fill: row => report.textOn(scale(row[value]))}) : null,
      ],
    }), report.element("p", {class: flagged.length ? "notes" : "shown"}, `Frame: the best cell, ${variable} ${report.text(best[value])}` +
      (flagged.length ? `; it is at the edge of the grid of ${flagged.join(" and ")}.` : "; it is not at an edge of the grid.")));
  }
});
