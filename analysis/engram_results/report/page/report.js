/* Reads the data of the page, draws the views that have a chart, and makes the table twin of each. */
const report = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const charts = {};
  const errors = [];

  /* A fault is shown where it happened, and counted where tests look. */
  function fail(where, error, at) {
    errors.push(`${where}: ${error && error.stack || error}`);
    document.documentElement.dataset.errors = JSON.stringify(errors);
    console.error(where, error);
    if (at) {
      at.replaceChildren(element("p", {class: "error"}, `This view could not be drawn: ${error && error.message || error}`));
    }
  }
  window.addEventListener("error", event => fail("page", event.error || event.message));
  window.addEventListener("unhandledrejection", event => fail("page", event.reason));

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) {
        made.addEventListener(key.slice(2), value);
      } else if (value !== null && value !== undefined && value !== false) {
        made.setAttribute(key, value === true ? "" : value);
      }
    }
    made.append(...children.filter(child => child !== null && child !== undefined));
    return made;
  }

  /* Objects with the names of the columns; [] if the view has no such table. */
  function records(view, name) {
    const table = data.views[view].tables[name];
    return table ? table.rows.map(row => Object.fromEntries(table.columns.map((column, at) => [column, row[at]]))) : [];
  }

  const label = index => data.points[index].label;
  /* The method, and what tells the point from others of it that were chosen. */
  const name = index => data.points[index].name;
  const colour = index => `var(--c${index % 10})`;
  /* Rounded to 5 digits for reading; copies have all of them. */
  const text = value => value === null || value === undefined ? "–" : typeof value !== "number" ? String(value)
    : Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
  const number = value => value === null || value === undefined ? NaN : value;

  function select(title, options, value, changed) {
    const list = element("select", {onchange: event => changed(event.target.value)},
      ...options.map(([key, words]) => element("option", {value: key, selected: String(key) === String(value)}, words)));
    return element("label", {}, title, list);
  }

  function checkbox(title, checked, changed) {
    return element("label", {}, element("input", {type: "checkbox", checked, onchange: event => changed(event.target.checked)}), title);
  }

  /* Checkboxes with colours; `chosen` is the set of keys that are drawn. */
  function choices(chosen, entries, title, redraw) {
    return element("fieldset", {class: "legend"}, element("legend", {}, title), ...entries.map(entry => element("label", {title: entry.title},
      element("input", {type: "checkbox", checked: chosen.has(entry.key), onchange: event => {
        event.target.checked ? chosen.add(entry.key) : chosen.delete(entry.key);
        redraw();
      }}), element("span", {class: "swatch", style: `background:${entry.colour}`}), entry.words)));
  }

  /* The same for chosen points; `state.points` is the set of those that are drawn. */
  function legend(state, indices, redraw) {
    state.points ??= new Set(indices.slice(0, 6));
    return choices(state.points, indices.map(index => ({key: index, words: name(index), colour: colour(index), title: label(index)})), "points drawn", redraw);
  }

  /* A drawing of Observable Plot that says in words what it is. */
  function plot(words, options) {
    const drawing = Plot.plot({style: {background: "transparent", color: "currentColor"}, ...options});
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", words);
    return element("div", {class: "drawing"}, drawing);
  }

  const panel = (title, drawing) => element("div", {}, title ? element("h3", {}, title) : null, drawing);
  /* Widths of the columns of `.panels`, as the style sheet makes them. */
  function columnWidth(width, least = 420) {
    const count = Math.max(1, Math.floor((width + 20) / (Math.min(width, least) + 20)));
    return Math.floor((width - 20 * (count - 1)) / count);
  }

  /* Room for labels at the left, and labels that fit in it: about 6 pixels a character. */
  function labelRoom(labels, width) {
    const room = Math.min(d3.max(labels, words => words.length) * 6.6 + 20, Math.max(110, Math.floor(width * 0.4)));
    return {marginLeft: room, axis: Plot.axisY({label: null, tickSize: 0, lineWidth: (room - 12) / 12, textOverflow: "ellipsis"})};
  }

  /* A domain for values with intervals: wide ones, of two or three seeds, would leave no room for the values. */
  function domain(rows, value, half) {
    const values = rows.map(value), span = d3.max(values) - d3.min(values) || Math.abs(values[0]) * 0.1 || 1;
    const most = d3.median(rows.map(half).filter(wide => wide !== null)) ?? 0;
    const room = Math.max(span * 0.15, Math.min(most * 1.5, span));
    const ends = [d3.min(rows, row => value(row) - (half(row) ?? 0)), d3.max(rows, row => value(row) + (half(row) ?? 0))];
    if (ends[0] === ends[1]) {
      return {domain: [ends[0] - room, ends[1] + room], cut: false};
    }
    return {domain: [Math.max(ends[0], d3.min(values) - room), Math.min(ends[1], d3.max(values) + room)], cut: ends[0] < d3.min(values) - room || ends[1] > d3.max(values) + room};
  }

  /* Large numbers of an axis in short: 3M. */
  const short = rows => value => d3.max(rows, row => Math.abs(value(row))) >= 1e4 ? "~s" : undefined;

  /* A white or black text for a cell of this colour. */
  const textOn = fill => d3.lab(fill).l > 60 ? "#000000" : "#ffffff";

  function chart(view, draw) {
    charts[view] = draw;
  }

  function tableTwin(view) {
    const tables = data.views[view].tables;
    const details = element("details", {class: "twin"}, element("summary", {}, "Table"));
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) {
        details.append(...Object.keys(tables).map(key => tablePart(view, key, tables[key])));
      }
    });
    return details;
  }

  function tablePart(view, key, table) {
    const cell = (value, kind) => kind === "point" && value !== null ? label(value) : value;
    const lines = separator => [table.columns, ...table.rows.map(row => row.map((value, at) => cell(value, table.kinds[at])))]
      .map(row => row.map(value => quoted(value === null ? "" : String(value), separator)).join(separator)).join("\n") + "\n";
    const said = element("span", {role: "status"});
    const copy = element("button", {type: "button", onclick: () => copyText(lines("\t"), said)}, "Copy");
    const save = element("button", {type: "button", onclick: () => download(`${view}-${key}.csv`, lines(","))}, "Save CSV");
    const body = element("tbody");
    const fill = most => body.replaceChildren(...table.rows.slice(0, most).map(row => element("tr", {}, ...row.map((value, at) =>
      element("td", {class: /text|point/.test(table.kinds[at]) ? "text" : "number"}, text(cell(value, table.kinds[at])))))));
    const more = table.rows.length > 200 ? element("button", {type: "button", onclick: () => { fill(Infinity); more.remove(); }},
      `Show all ${table.rows.length} rows`) : null;
    fill(200);
    return element("div", {}, element("div", {class: "controls"}, copy, save, more, said),
      element("div", {class: "table", tabindex: 0, role: "region", "aria-label": table.caption}, element("table", {},
        element("caption", {}, `${table.caption}: shown to 5 digits; copies and CSV have all of them`),
        element("thead", {}, element("tr", {}, ...table.columns.map((column, at) =>
          element("th", {scope: "col", class: /text|point/.test(table.kinds[at]) ? "text" : "number"}, column)))), body)));
  }

  const quoted = (words, separator) => separator === "," && /[",\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words;

  /* From a file there is not always a clipboard to write to; then the text is selected in a field. */
  function copyText(words, said) {
    const field = element("textarea", {"aria-label": "text to copy"}, words);
    said.replaceChildren(field);
    field.select();
    const done = document.execCommand("copy");
    said.replaceChildren(done ? "copied" : field);
    if (!done) {
      field.select();
    }
  }

  function download(file, words) {
    const link = element("a", {href: URL.createObjectURL(new Blob([words], {type: "text/csv"})), download: file});
    link.click();
    URL.revokeObjectURL(link.href);
  }

  function draw(view, at, state) {
    const width = at.clientWidth;
    try {
      const again = () => draw(view, at, state);
      const focused = at.contains(document.activeElement) ? focusPlace(at) : -1;
      const parts = charts[view]({view, records: key => records(view, key), options: data.views[view].options, width, state,
        redraw: again});
      at.replaceChildren(...parts.filter(part => part !== null));
      if (focused >= 0) {
        focusable(at)[focused]?.focus();
      }
    } catch (error) {
      fail(view, error, at);
    }
  }

  /* A drawing that is made anew keeps the keyboard where it was. */
  const focusable = at => [...at.querySelectorAll("input, select, button, [tabindex]")];
  const focusPlace = at => focusable(at).indexOf(document.activeElement);

  function start() {
    const parts = Object.keys(data.views).map(view => {
      const at = document.querySelector(`#${view} .chart`);
      at.after(tableTwin(view));
      return {view, at, state: {}, width: 0};
    });
    const all = () => parts.forEach(part => {
      if (charts[part.view] && part.at.clientWidth !== part.width) {
        part.width = part.at.clientWidth;
        draw(part.view, part.at, part.state);
      }
    });
    all();
    new ResizeObserver(() => requestAnimationFrame(all)).observe(document.querySelector("main"));
    document.documentElement.dataset.drawn = "yes";
  }

  return {data, chart, start, short, domain, element, select, checkbox, choices, legend, plot, panel, columnWidth, labelRoom, textOn, copyText, label, name,
    colour, text, number};
})();
