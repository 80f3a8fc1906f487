/* The command that runs a trial again, and the sweep files. */
report.chart("provenance", ({records, options, state, redraw}) => {
  const rows = records("rows");
  state.rank ??= "1";
  const row = rows.find(one => String(one.rank) === state.rank) ?? rows[0];
  const seeds = row.seeds.split(" ");
  const seed = seeds.includes(state.seed) ? state.seed : seeds[0];
  const command = `${options.command} ${row.arguments}${seed ? ` seed=${seed}` : ""}`;
  const said = report.element("span", {role: "status"});
  return [
    report.element("div", {class: "controls"},
      report.element("label", {}, "point of rank", report.element("input", {type: "number", min: 1, max: rows.length, value: row.rank,
        onchange: event => { state.rank = event.target.value; redraw(); }})),
      report.select("seed", seeds.map(one => [one, one]), seed, value => { state.seed = value; redraw(); }),
      report.element("button", {type: "button", onclick: () => report.copyText(command, said)}, "Copy the command"), said),
    report.element("pre", {class: "command", tabindex: 0}, command),
    ...options.texts.map(({file, name, text}) => report.element("details", {}, report.element("summary", {}, `${name} of ${file}`),
      report.element("pre", {tabindex: 0}, text))),
  ];
});
