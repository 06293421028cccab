/* The menu of a card: its chart as a picture, and its values as CSV or as a table. All from the painted figure. */
(function () {
  "use strict";

  function clean(text) {
    return String(text === null || text === undefined ? "" : text)
      .replace(/<br\s*\/?>/g, " ")
      .replace(/<[^>]*>/g, "");
  }

  function list(values) {
    return Array.prototype.slice.call(values || []);
  }

  /* Visible traces with a name and values of their own; the lane of errors repeats some, a hatch has none. */
  function shownTraces(drawn) {
    return drawn._fullData.filter(function (trace) {
      return trace.visible === true && trace.hoverinfo !== "skip" && (trace.y || trace.z);
    });
  }

  function axisText(axis, value, index) {
    var place = axis && axis.tickvals ? list(axis.tickvals).map(String).indexOf(String(value)) : -1;
    if (place !== -1 && axis.ticktext) {
      return clean(axis.ticktext[place]);
    }
    return typeof value === "string" ? value.replace("T", " ") : value === undefined ? index : value;
  }

  /* A heat map over time: a line per bucket, a column per percentile and per class of latency. */
  function classRows(drawn) {
    var meta = drawn.layout.meta;
    var lines = shownTraces(drawn).filter(function (trace) {
      return trace.type === "scatter";
    });
    var names = lines.map(function (trace) {
      return trace.name;
    });
    var rows = [[timeHead()].concat(names, meta.classes)];
    meta.edges.slice(0, -1).forEach(function (start, i) {
      var cells = meta.values.map(function (row) {
        return row[i];
      });
      var percentiles = lines.map(function (trace) {
        return trace.y[i];
      });
      rows.push([start.replace("T", " ")].concat(percentiles, cells));
    });
    return rows;
  }

  function timeHead() {
    return window.document.documentElement.lang === "ko" ? "시각" : "Time";
  }

  function heatRows(drawn, trace) {
    if (drawn.layout.meta && drawn.layout.meta.classes) {
      return classRows(drawn);
    }
    var layout = drawn._fullLayout;
    var xs = list(trace.x);
    var ys = list(trace.y);
    /* Colours may follow a root: `text` then holds the values themselves. */
    var values = drawn.layout.meta && drawn.layout.meta.values ? drawn.layout.meta.values : trace.z;
    var rows = [[""].concat(xs.map(axisText.bind(null, layout.xaxis)))];
    ys.forEach(function (y, i) {
      rows.push([axisText(layout.yaxis, y, i)].concat(list(values[i])));
    });
    return rows;
  }

  /* A line per place on the axis, a column per trace; where the figure knows its buckets, they name the lines. */
  function rowsOf(drawn) {
    var traces = shownTraces(drawn);
    var heat = traces.find(function (trace) {
      return trace.type === "heatmap";
    });
    if (heat) {
      return heatRows(drawn, heat);
    }
    var edges = drawn.layout.meta && drawn.layout.meta.edges;
    var places = [];
    var cells = new Map();
    traces.forEach(function (trace, column) {
      var flat = trace.orientation === "h";
      list(flat ? trace.y : trace.x).forEach(function (x, i) {
        var key = String(x);
        if (!cells.has(key)) {
          cells.set(key, edges && edges[i] ? [edges[i].replace("T", " ")] : [axisText(drawn._fullLayout.xaxis, x, i)]);
          places.push(key);
        }
        cells.get(key)[column + 1] = (flat ? trace.x : trace.y)[i];
      });
    });
    var head = [edges ? timeHead() : ""];
    var rows = [
      head.concat(
        traces.map(function (trace) {
          return clean(trace.name);
        })
      ),
    ];
    places.forEach(function (key) {
      var row = cells.get(key);
      for (var i = 0; i <= traces.length; i += 1) {
        row[i] = row[i] === undefined ? null : row[i];
      }
      rows.push(row);
    });
    return rows;
  }

  function tableRows(table) {
    return list(table.querySelectorAll("tr")).map(function (row) {
      return list(row.children).map(function (cell) {
        return cell.textContent;
      });
    });
  }

  /* A spreadsheet takes a text that begins like this for a formula, as dashapp/log_files.py has it; the mark of an
     unknown value and numbers of ours are none. */
  function csvCell(value) {
    if (value === null || value === undefined) {
      return "";
    }
    if (typeof value === "number") {
      return String(value);
    }
    /* As it is: what looks like a tag may be a part of a route. */
    var text = String(value);
    if (/^[=+\-@\t\r\n＝＋－＠]/.test(text) && text !== "-") {
      text = "'" + text;
    }
    return /[",\n\r]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }

  function csvOf(rows) {
    return rows
      .map(function (row) {
        return row.map(csvCell).join(",");
      })
      .join("\r\n");
  }

  function fileName(card) {
    var title = card.querySelector("h2").textContent;
    var range = ["shell-start", "shell-end"].map(function (id) {
      var field = document.getElementById(id);
      return ((field && field.value) || "").replace(/:/g, "");
    });
    return [title].concat(range).filter(Boolean).join("_").replace(/[\\/?%*|"<>\s]+/g, "-");
  }

  function save(url, name) {
    var link = document.createElement("a");
    link.href = url;
    link.download = name;
    document.body.appendChild(link);
    link.click();
    link.remove();
  }

  function png(card, drawn) {
    var surface = getComputedStyle(document.documentElement).getPropertyValue("--ab-surface").trim();
    var box = drawn.getBoundingClientRect();
    var layout = Object.assign({}, drawn.layout, { paper_bgcolor: surface });
    window.Plotly.toImage(
      { data: drawn.data, layout: layout },
      { format: "png", width: Math.round(box.width), height: Math.round(box.height), scale: 2 }
    ).then(function (url) {
      save(url, fileName(card) + ".png");
    });
  }

  function csv(card, rows) {
    var blob = new Blob(["\ufeff" + csvOf(rows)], { type: "text/csv;charset=utf-8" });
    var url = URL.createObjectURL(blob);
    save(url, fileName(card) + ".csv");
    setTimeout(function () {
      URL.revokeObjectURL(url);
    }, 10000);
  }

  function shown(value) {
    if (value === null || value === undefined) {
      return "-";
    }
    return typeof value === "number" ? value.toLocaleString("en-US", { maximumFractionDigits: 2 }) : clean(value);
  }

  function element(name, text, attributes) {
    var made = document.createElement(name);
    if (text !== undefined) {
      made.textContent = text;
    }
    Object.keys(attributes || {}).forEach(function (key) {
      made.setAttribute(key, attributes[key]);
    });
    return made;
  }

  function fillTable(place, drawn, title) {
    var rows = rowsOf(drawn);
    var table = element("table");
    table.appendChild(element("caption", title, { class: "sr" }));
    var head = element("thead");
    var body = element("tbody");
    rows.forEach(function (row, i) {
      var line = element("tr");
      row.forEach(function (value, j) {
        var isHead = i === 0 || j === 0;
        line.appendChild(
          element(isHead ? "th" : "td", shown(value), isHead ? { scope: i === 0 ? "col" : "row", class: j ? "n" : "" } : { class: "n" })
        );
      });
      (i === 0 ? head : body).appendChild(line);
    });
    table.append(head, body);
    place.replaceChildren(table);
    place.tabIndex = 0;
  }

  function toggleTable(card, drawn, button) {
    var chart = drawn.closest(".chart");
    var open = chart.classList.toggle("as-table");
    button.setAttribute("aria-pressed", String(open));
    if (open) {
      fillTable(chart.querySelector(".chart-table"), drawn, card.querySelector("h2").textContent);
    } else {
      chart.querySelector(".chart-table").replaceChildren();
    }
  }

  document.addEventListener("click", function (event) {
    var retry = event.target.closest("[data-act='retry']");
    if (retry) {
      document.getElementById("shell-refresh").click();
      return;
    }
    if (event.target.closest("[data-act='print']")) {
      window.print();
      return;
    }
    var button = event.target.closest(".card-menu [data-act]");
    if (!button) {
      return;
    }
    var card = button.closest(".card");
    var drawn = card.querySelector(".js-plotly-plot");
    var act = button.dataset.act;
    if (act === "csv") {
      var grid = card.querySelector(".ag-theme-ab");
      var rows = drawn ? rowsOf(drawn) : grid ? window.dash_clientside.accessboard.gridRows(grid) : null;
      csv(card, rows || tableRows(card.querySelector("table")));
    } else if (drawn && act === "png") {
      png(card, drawn);
    } else if (drawn && act === "table") {
      toggleTable(card, drawn, button);
    }
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.accessboard = Object.assign(window.dash_clientside.accessboard || {}, {
    csvOf: csvOf,
    rowsOf: rowsOf,

    /* A table that is open shows the new numbers too. */
    refreshTable: function (drawn) {
      var chart = drawn.closest(".chart");
      if (chart && chart.classList.contains("as-table")) {
        fillTable(chart.querySelector(".chart-table"), drawn, drawn.closest(".card").querySelector("h2").textContent);
      }
    },
  });
})();
