/* Cells of the endpoint table, what a row does when it is chosen, and the table as CSV. */
(function () {
  "use strict";
  var cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

  cells.ShareBar = function (props) {
    var h = window.React.createElement;
    return h(
      "div",
      { className: "barred" },
      props.data.total
        ? null
        : h(
            "span",
            { className: "ib", "aria-hidden": "true" },
            h("i", { className: "s2", style: { width: props.data.bar * 100 + "%" } })
          ),
      h("span", null, props.valueFormatted)
    );
  };

  function go(href) {
    var there = new URL(href, window.location.href);
    window.dash_clientside.set_props("shell-url", { pathname: there.pathname, search: there.search });
  }

  /* Method and route as text; the link is for the keyboard, a middle click and readers of the page. */
  cells.Endpoint = function (props) {
    var h = window.React.createElement;
    var row = props.data;
    if (row.total) {
      return h("span", { className: "b" }, row.route);
    }
    var name = [h("span", { key: "m", className: "m" }, row.method), h("span", { key: "r", className: "rt" }, row.route)];
    return h(
      "a",
      {
        className: "ep",
        href: row.href,
        tabIndex: -1,
        onClick: function (event) {
          event.stopPropagation();
          if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
            event.preventDefault();
            go(row.href);
          }
        },
      },
      name
    );
  };

  cells.Change = function (props) {
    var h = window.React.createElement;
    var mark = props.data.mark;
    if (!mark) {
      return props.data.total ? "" : h("span", { className: "mut" }, "-");
    }
    var tone = { worse: "bad", better: "good", neutral: "neu", small: "mut" }[mark[2]];
    if (mark[2] === "small") {
      return h("span", { className: "chg mut" }, mark[0]);
    }
    return h(
      "span",
      { className: "chg " + tone },
      h("span", { className: "ic " + (mark[1] > 0 ? "ic-rise" : "ic-fall"), "aria-hidden": "true" }),
      h("span", { className: "sr" }, mark[0][0]),
      mark[0].slice(1)
    );
  };

  /* A line through the known values: where one is not known it is broken. */
  function trendPath(values) {
    var width = 116 / Math.max(values.length - 1, 1);
    var path = "";
    var drawing = false;
    values.forEach(function (value, i) {
      if (value === null) {
        drawing = false;
        return;
      }
      var lone = !drawing && (i === values.length - 1 || values[i + 1] === null);
      var place = (2 + i * width).toFixed(1) + " " + (18 - (value / 99) * 16).toFixed(1);
      path += (drawing ? "L" : "M") + place + (lone ? "h0.01" : "");
      drawing = true;
    });
    return path;
  }

  cells.Trend = function (props) {
    var h = window.React.createElement;
    var values = props.data.trend;
    if (!values) {
      return props.data.total ? "" : h("span", { className: "mut" }, "-");
    }
    return h(
      "svg",
      { className: "trend", viewBox: "0 0 120 20", "aria-hidden": "true" },
      h("path", { d: trendPath(values) })
    );
  };

  /* A new grid learns its width only after it drew its rows, and then moves its columns: it shows when that is done. */
  var functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  functions.showSized = function () {
    window.requestAnimationFrame(function () {
      window.requestAnimationFrame(function () {
        document.querySelectorAll(".grid-frame").forEach(function (frame) {
          frame.dataset.sized = "";
        });
      });
    });
  };

  function apiOf(grid) {
    return grid && window.dash_ag_grid && window.dash_ag_grid.getApi(grid.id);
  }

  function rowOf(target) {
    var line = target.closest && target.closest(".ag-theme-ab .ag-row[row-id]");
    var grid = line && line.closest(".ag-theme-ab");
    var api = apiOf(grid);
    var node = api && api.getRowNode(line.getAttribute("row-id"));
    return node && node.data && node.data.href ? node.data : null;
  }

  document.addEventListener("click", function (event) {
    var row = rowOf(event.target);
    if (row && !event.target.closest("a, button") && !String(window.getSelection())) {
      go(row.href);
    }
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && event.target.closest && event.target.closest(".ag-cell")) {
      var row = rowOf(event.target);
      if (row) {
        event.preventDefault();
        go(row.href);
      }
    }
  });

  /* What the table shows, in its order and after its search, as values; a course of values has no cell. */
  function gridRows(grid) {
    var api = apiOf(grid);
    var columns = api.getAllDisplayedColumns().filter(function (column) {
      return column.getColId() !== "trend";
    });
    var head = [];
    columns.forEach(function (column) {
      var name = column.getColDef().headerName;
      head.push.apply(head, column.getColId() === "route" ? [document.documentElement.lang === "ko" ? "메서드" : "Method", name] : [name]);
    });
    var rows = [head];
    api.forEachNodeAfterFilterAndSort(function (node) {
      var row = [];
      columns.forEach(function (column) {
        var id = column.getColId();
        var value = node.data[id] === undefined ? null : node.data[id];
        row.push.apply(row, id === "route" ? [node.data.method, value] : [value]);
      });
      rows.push(row);
    });
    return rows;
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.accessboard = Object.assign(window.dash_clientside.accessboard || {}, {
    gridRows: gridRows,

    /* The text of the search and the row of totals are both options of the grid. */
    gridOptions: function (text, total, options) {
      return Object.assign({}, options, { quickFilterText: text || "", pinnedBottomRowData: total ? [total] : [] });
    },
  });
})();
