/* Parallel coordinates with brushing by pointer or by two keyboard handles on each axis. */
report.chart("parallel", ({records, options, width: room, state, redraw}) => {
  const rows = records("points");
  const axes = options.axes;
  const width = Math.max(room, axes.length * 92), height = 380;
  const long = d3.max(rows, row => report.text(row[axes[0]]).length) * 6 + 12;
  const margin = {top: 54, right: 60, bottom: 20, left: Math.max(60, Math.min(160, long))};
  const inner = [height - margin.bottom, margin.top];
  state.ranges ??= {};
  const x = d3.scalePoint(axes, [margin.left, width - margin.right]);
  const scales = new Map(axes.map(axis => {
    const values = rows.map(row => row[axis]).filter(value => value !== null);
    const words = values.some(value => typeof value === "string");
    const spread = !words && d3.min(values) > 0 && d3.max(values) / d3.min(values) > 50;
    return [axis, words ? d3.scalePoint([...new Set(values)].sort(), inner).padding(0.3)
      : (spread ? d3.scaleLog() : d3.scaleLinear()).domain(d3.extent(values)).range(inner)];
  }));
  const place = (row, axis) => row[axis] === null ? null : scales.get(axis)(row[axis]);
  const colour = d3.scaleSequential(options.maximise ? d3.extent(rows, row => row.selected) : d3.extent(rows, row => row.selected).reverse(), d3.interpolateViridis);
  const svg = d3.create("svg").attr("width", width).attr("height", height).attr("role", "group").attr("aria-label", "parallel coordinates").attr("fill", "currentColor");
  const line = d3.line().defined(([, y]) => y !== null).x(([axis]) => x(axis)).y(([, y]) => y);
  const paths = svg.append("g").attr("fill", "none").attr("role", "presentation").selectAll("path").data([...rows].reverse()).join("path")
    .attr("d", row => line(axes.map(axis => [axis, place(row, axis)]).filter(([, y]) => y !== null))).attr("stroke-width", 1)
    .attr("stroke", row => colour(row.selected));
  paths.append("title").text(row => `rank ${row.rank}, n ${row.n}\n` + axes.filter(axis => row[axis] !== null).map(axis => `${axis} ${report.text(row[axis])}`).join("\n"));
  const said = report.element("span", {role: "status"});
  const inside = row => Object.entries(state.ranges).every(([axis, [low, high]]) => {
    const y = place(row, axis);
    return y !== null && y >= low - 0.5 && y <= high + 0.5;
  });
  function filter() {
    const kept = rows.filter(inside);
    paths.attr("stroke-opacity", row => inside(row) ? (kept.length > 400 ? 0.35 : 0.7) : 0.03);
    const best = kept.length ? kept.reduce((one, other) => other.rank < one.rank ? other : one) : null;
    said.textContent = `${kept.length} of ${rows.length} points` + (best ? `; best of them: rank ${best.rank}, reported ${report.text(best.reported)}` : "");
  }
  axes.forEach((axis, at) => {
    const scale = scales.get(axis);
    const group = svg.append("g").attr("transform", `translate(${x(axis)},0)`);
    const known = [...new Set(rows.map(row => row[axis]).filter(value => value !== null))].sort((a, b) => scale(a) - scale(b));
    const apart = known.length <= 12 && d3.pairs(known).every(([one, other]) => scale(other) - scale(one) >= 11);
    const ticks = apart ? known : scale.bandwidth ? scale.domain() : scale.base ? scale.ticks(3).filter(tick => /^[15]/.test(tick.toExponential())) : scale.ticks(5);
    group.call(d3.axisLeft(scale).tickValues(ticks).tickSize(4).tickFormat(tick => report.text(tick)));
    group.selectAll(".tick text").attr("stroke", "var(--ground)").attr("stroke-width", 3).attr("paint-order", "stroke").style("font-size", "10px");
    const short = axis.split(".").slice(-2).join(".");
    group.append("text").attr("y", at % 2 ? 14 : 32).attr("text-anchor", "middle").attr("fill", "currentColor").style("font-size", "11px").text(short).append("title").text(axis);
    const brush = d3.brushY().extent([[-12, inner[1] - 4], [12, inner[0] + 4]]).on("brush end", event => {
      if (event.sourceEvent) {
        event.selection ? state.ranges[axis] = event.selection : delete state.ranges[axis];
        handles();
        filter();
      }
    });
    const brushed = group.append("g").attr("class", "brush").call(brush);
    brushed.selectAll(".selection").attr("fill", "var(--c0)").attr("fill-opacity", 0.3);
    const whole = [inner[1], inner[0]];
    const current = () => state.ranges[axis] ?? whole;
    const marks = ["top", "bottom"].map((end, which) => group.append("path").attr("class", "handle-key").attr("d", which ? "M-9,0H9L0,9Z" : "M-9,0H9L0,-9Z")
      .attr("fill", "var(--quiet)").attr("tabindex", 0).attr("role", "slider").attr("aria-label", `${axis}, ${end} end of the range`).attr("aria-orientation", "vertical")
      .attr("aria-valuemin", 0).attr("aria-valuemax", 100).on("keydown", event => {
        const step = {ArrowUp: -6, ArrowDown: 6, PageUp: -36, PageDown: 36}[event.key];
        if (step || event.key === "Escape") {
          event.preventDefault();
          const range = [...current()];
          if (step) {
            range[which] = Math.max(whole[0], Math.min(whole[1], range[which] + step));
          }
          const all = !step || (range[0] <= whole[0] && range[1] >= whole[1]) || range[0] > range[1];
          all ? delete state.ranges[axis] : state.ranges[axis] = range;
          brushed.call(brush.move, all ? null : range);
          handles();
          filter();
        }
      }));
    function handles() {
      marks.forEach((mark, which) => mark.attr("transform", `translate(0,${current()[which]})`)
        .attr("aria-valuenow", Math.round(100 * (inner[0] - current()[which]) / (inner[0] - inner[1]))));
    }
    handles();
    if (state.ranges[axis]) {
      brushed.call(brush.move, state.ranges[axis]);
    }
  });
  filter();
  return [report.element("div", {class: "controls"}, report.element("button", {type: "button", onclick: () => { state.ranges = {}; redraw(); }}, "All points"), said),
    report.element("div", {class: "drawing", tabindex: 0, role: "region", "aria-label": "parallel coordinates, scrolls"}, svg.node())];
});
