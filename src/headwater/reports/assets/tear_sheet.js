"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const narrow = window.matchMedia("(max-width: 760px)");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const touch = window.matchMedia("(pointer: coarse)").matches;
  const drawn = [];
  let following = false;

  // "@buy" or "@buy/0.3": a colour of the style sheet, with an opacity.
  function colour(role) {
    const [name, opacity] = role.slice(1).split("/");
    const hex = getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
    if (!opacity) return hex;
    const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return `rgba(${parts.join(",")},${opacity})`;
  }

  function resolved(value) {
    if (typeof value === "string") return /^@[a-z]+(\/[\d.]+)?$/.test(value) ? colour(value) : value;
    if (Array.isArray(value)) return value.map(resolved);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner)]));
    }
    return value;
  }

  function axis(own, extra) {
    return Object.assign(
      { exponentformat: "none", separatethousands: true, gridcolor: colour("@line"), zerolinecolor: colour("@line"), zeroline: false, automargin: true,
        tickfont: { color: colour("@muted"), size: 11.5 }, fixedrange: touch },
      extra, own || {},
      own && own.title ? { title: { text: own.title.text, font: { color: colour("@muted"), size: 12 }, standoff: 8 } } : {},
    );
  }

  function layoutOf(chart) {
    const own = resolved(chart.layout);
    const legend = chart.data.length > 1;
    return Object.assign({}, own, {
      height: chart.height,
      // Charts over time share a left edge, so that the same instant stands below itself.
      margin: { l: chart.timed ? (narrow.matches ? 62 : 78) : 8, r: 12, t: legend ? 30 : 10, b: 8 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, color: colour("@ink"), size: 12.5 },
      hovermode: chart.timed ? "x" : "closest",
      hoverlabel: { bgcolor: colour("@card"), bordercolor: colour("@line"), font: { color: colour("@ink") } },
      showlegend: own.showlegend === undefined ? legend : own.showlegend,
      legend: Object.assign({ orientation: "h", x: 0, y: 1, yanchor: "bottom", font: { size: 12 } }, own.legend || {}),
      dragmode: touch ? false : "zoom",
      xaxis: axis(own.xaxis, chart.timed ? { type: "date", hoverformat: "%Y-%m-%d %H:%M:%S.%L", nticks: narrow.matches ? 4 : 9 } : {}),
      yaxis: axis(own.yaxis, narrow.matches ? { nticks: 5 } : {}),
    });
  }

  // All charts over time show the same stretch of it.
  function follow(source, event) {
    if (following) return;
    const change = "xaxis.autorange" in event ? { "xaxis.autorange": true }
      : "xaxis.range[0]" in event ? { "xaxis.range": [event["xaxis.range[0]"], event["xaxis.range[1]"]] } : null;
    if (!change) return;
    following = true;
    const others = drawn.filter((other) => other.chart.timed && other.element !== source);
    Promise.all(others.map((other) => Plotly.relayout(other.element, change))).finally(() => { following = false; });
  }

  function draw(chart, number) {
    const element = document.getElementById("chart-" + number);
    const config = { responsive: true, displayModeBar: false };
    Plotly.newPlot(element, resolved(chart.data), layoutOf(chart), config).then(() => {
      drawn.push({ chart, element });
      if (chart.timed) element.on("plotly_relayout", (event) => follow(element, event));
    });
  }

  function repaint() {
    drawn.forEach(({ chart, element }) => Plotly.react(element, resolved(chart.data), layoutOf(chart)));
  }

  charts.forEach((chart, number) => setTimeout(() => draw(chart, number), 0));
  dark.addEventListener("change", repaint);
  narrow.addEventListener("change", repaint);
})();
