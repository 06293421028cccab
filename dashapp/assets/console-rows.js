/* Rows of the console and the drawer. Rows are text from strangers: they are only ever set as text. */
(function () {
  "use strict";
  var opened = null;
  var none = function () {
    return window.dash_clientside.no_update;
  };

  function part(row, kind, text, title) {
    var span = document.createElement("span");
    span.className = kind;
    span.textContent = text;
    if (title) {
      span.title = title;
    }
    row.appendChild(span);
    return span;
  }

  function rowOf(data) {
    var record = data.record;
    var row = document.createElement("div");
    row.className = "log-row k" + data.kind + (data.slow ? " slow" : "");
    row.dataset.day = data.day;
    row.tabIndex = -1;
    row.record = record;
    part(row, "c-time", data.time, data.day);
    part(row, "c-status", String(record.status));
    part(row, "c-method", record.method);
    part(row, "c-path", record.path, record.path);
    var latency = part(row, "c-latency", "");
    part(latency, "c-bar", "").style.setProperty("--length", String(data.bar));
    part(latency, "c-ms", data.latency);
    part(row, "c-client", record.client_ip || "-");
    part(row, "c-agent", data.agent, record.user_agent || "");
    part(row, "c-service", record.service);
    return row;
  }

  function box() {
    return document.querySelector(".log-layout .log");
  }

  function open(row) {
    document.querySelectorAll(".log-row.chosen").forEach(function (other) {
      other.classList.remove("chosen");
    });
    row.classList.add("chosen");
    window.dash_clientside.set_props("record-chosen", { data: row.record });
  }

  function close() {
    window.dash_clientside.set_props("record-chosen", { data: null });
  }

  document.addEventListener("click", function (event) {
    /* The button comes with each record, so no callback can name it beforehand. */
    if (event.target.closest && event.target.closest("#record-copy") && opened) {
      copy(JSON.stringify(opened, null, 2)).catch(none);
      return;
    }
    var row = event.target.closest && event.target.closest(".log .log-row");
    if (row && row.record && String(window.getSelection()) === "") {
      open(row);
    }
  });

  document.addEventListener("keydown", function (event) {
    var drawer = document.getElementById("record-drawer");
    if (event.key === "Escape" && drawer && !drawer.hidden) {
      close();
      var chosen = document.querySelector(".log-row.chosen");
      (chosen || box()).focus();
      return;
    }
    var log = event.target.closest && event.target.closest(".log");
    if (!log) {
      return;
    }
    if (event.key === "Enter" && event.target.record) {
      open(event.target);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      var down = event.key === "ArrowDown";
      var next = event.target === log ? log.firstElementChild : event.target;
      do {
        next = event.target === log && next.record ? next : next && next[down ? "nextElementSibling" : "previousElementSibling"];
      } while (next && !next.record);
      if (next) {
        next.focus();
        event.preventDefault();
      }
    }
  });

  function copy(text) {
    if (navigator.clipboard && window.isSecureContext) {
      return navigator.clipboard.writeText(text);
    }
    var area = document.createElement("textarea");
    area.value = text;
    document.body.appendChild(area);
    area.select();
    var done = document.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("copy"));
  }

  function lineOf(record) {
    var latency = record.latency_ms === null ? "-" : record.latency_ms + "ms";
    return [record.ts, record.service, record.client_ip || "-", record.method, record.path, record.status, latency,
      JSON.stringify(record.user_agent || "-")].join(" ");
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.accessboard = Object.assign(window.dash_clientside.accessboard || {}, {
    rowOf: rowOf,

    openRecord: function (record) {
      opened = record;
      return [!record, record ? "log-layout open" : "log-layout"];
    },

    closeRecord: function (clicks) {
      if (clicks) {
        close();
      }
    },

    /* The field and the switch beside it as parameters of the address. */
    filterText: function (value) {
      var context = window.dash_clientside.callback_context;
      var button = document.getElementById("console-regex");
      var regex = button.getAttribute("aria-pressed") === "true";
      if (context.triggered_id === "console-regex") {
        regex = !regex;
        button.setAttribute("aria-pressed", String(regex));
      }
      var query = new URLSearchParams(location.search);
      var text = (value || "").trim();
      var wanted = { text: regex ? null : text || null, regex: regex ? text || null : null };
      if (query.get("text") !== wanted.text || query.get("regex") !== wanted.regex) {
        var there = window.dash_clientside.accessboard.changed(location.search, wanted);
        window.dash_clientside.set_props("shell-url", { search: there });
      }
    },

    showText: function (search) {
      var query = new URLSearchParams(search || "");
      var button = document.getElementById("console-regex");
      var empty = !query.get("regex") && !query.get("text");
      var pressed = empty && button ? button.getAttribute("aria-pressed") : String(Boolean(query.get("regex")));
      return [query.get("regex") || query.get("text") || "", pressed || "false"];
    },

    wrapRows: function (clicks) {
      var wrapped = Boolean(clicks && clicks % 2);
      if (box()) {
        box().classList.toggle("wrapped", wrapped);
      }
      return String(wrapped);
    },

    copyRows: function () {
      var json = window.dash_clientside.callback_context.triggered_id === "console-copy-json";
      var said = document.getElementById("console-copied").dataset;
      var records = Array.from(box().querySelectorAll(".log-row"))
        .filter(function (row) {
          return row.record && row.offsetParent !== null;
        })
        .map(function (row) {
          return json ? JSON.stringify(row.record) : lineOf(row.record);
        });
      return copy(records.join("\n") + "\n").then(
        function () {
          return said.done.replace("{n}", records.length.toLocaleString("en-US"));
        },
        function () {
          return said.failed;
        }
      );
    },

    showFound: function (found) {
      var log = box();
      if (!log || !found) {
        return none();
      }
      if (found.fresh) {
        log.replaceChildren();
        log.scrollTop = 0;
      }
      var fragment = document.createDocumentFragment();
      var days = log.querySelectorAll(".log-day");
      var day = days.length ? days[days.length - 1].dataset.day : log.dataset.today;
      found.rows.forEach(function (data) {
        if (data.day !== day) {
          day = data.day;
          var label = document.createElement("div");
          label.className = "log-day";
          label.dataset.day = label.textContent = day;
          fragment.appendChild(label);
        }
        fragment.appendChild(rowOf(data));
      });
      log.appendChild(fragment);
      return String(log.querySelectorAll(".log-row").length);
    },
  });
})();
