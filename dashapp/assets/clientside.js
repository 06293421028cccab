/* Callbacks that need no server. */
(function () {
  "use strict";
  var ROLE = /var\((--[\w-]+)\)/g;
  var none = function () {
    return window.dash_clientside.no_update;
  };

  /* A copy of a figure with every colour role replaced by its value in the current theme. */
  function painted(value, style) {
    if (typeof value === "string") {
      if (value.indexOf("var(--") === -1) {
        return value;
      }
      return value.replace(ROLE, function (_, name) {
        return style.getPropertyValue(name).trim();
      });
    }
    if (Array.isArray(value)) {
      return value.map(function (item) {
        return painted(item, style);
      });
    }
    if (value && typeof value === "object") {
      var copy = {};
      Object.keys(value).forEach(function (key) {
        copy[key] = painted(value[key], style);
      });
      return copy;
    }
    return value;
  }

  function fitPhone(figure) {
    var layout = figure.layout;
    if (window.innerWidth >= 768 || !layout.xaxis || layout.xaxis.type !== "date") {
      return;
    }
    layout.xaxis.nticks = 4;
    layout.margin.l = 40;
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.accessboard = Object.assign(window.dash_clientside.accessboard || {}, {
    paint: function (figure, _theme, id) {
      if (!figure) {
        return none();
      }
      var chart = document.getElementById(id).closest(".chart");
      chart.classList.toggle("painted", figure.data.length > 0);
      var copy = painted(figure, getComputedStyle(chart));
      fitPhone(copy);
      /* After Plotly has drawn it. */
      setTimeout(function () {
        var drawn = chart.querySelector(".js-plotly-plot");
        if (drawn && drawn._fullData) {
          window.dash_clientside.accessboard.refreshTable(drawn);
        }
      }, 300);
      return copy;
    },

    switchTheme: function (clicks) {
      var root = document.documentElement;
      var theme = root.getAttribute("data-bs-theme");
      if (clicks) {
        theme = theme === "dark" ? "light" : "dark";
        root.setAttribute("data-bs-theme", theme);
        try {
          localStorage.setItem("accessboard-theme", theme);
        } catch (error) {
          /* the choice then lasts until the next page load */
        }
      }
      return theme;
    },

    /* A fixed range does not change; a hidden page needs no new numbers. */
    tick: function (_intervals, _clicks, search, tick) {
      var context = window.dash_clientside.callback_context;
      var manual = context.triggered_id === "shell-refresh";
      var fixed = /[?&]start=/.test(search || "");
      return manual || (!fixed && !document.hidden) ? tick + 1 : none();
    },

    forgetFailure: function () {
      return "";
    },

    /* On a phone the tabs scroll: the current one is in view. */
    showTab: function () {
      setTimeout(function () {
        var tabs = document.getElementById("shell-tabs");
        var current = tabs && tabs.querySelector("a.on");
        if (current) {
          tabs.scrollLeft += current.getBoundingClientRect().left - (tabs.clientWidth - current.offsetWidth) / 2;
        }
      }, 0);
      return none();
    },

    toggleRanges: function (_clicks, _search, name) {
      var context = window.dash_clientside.callback_context;
      var open = (name || "").indexOf(" open") !== -1;
      return context.triggered_id === "shell-range-toggle" && !open ? "ranges open" : "ranges";
    },
  });
})();
