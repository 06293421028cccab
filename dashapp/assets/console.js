/* The live console. Rows are text from strangers: they are only ever set as text. */
(function () {
  "use strict";
  var PATIENCE_MS = 12000;
  var console_ = fresh();
  var shownIn = null;

  function fresh() {
    return {
      paused: false,
      queue: [],
      waiting: 0,
      cursor: null,
      view: null,
      today: null,
      asked: null,
      askedAt: 0,
    };
  }

  function box() {
    var element = document.getElementById("realtime-rows");
    if (element && element !== shownIn) {
      /* The page was opened anew: nothing of the earlier visit is on it. */
      shownIn = element;
      console_ = fresh();
    }
    return element;
  }

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
    var row = document.createElement("div");
    row.className = "log-row k" + data.kind + (data.slow ? " slow" : "");
    row.dataset.day = data.day;
    part(row, "c-time", data.time, data.day);
    part(row, "c-status", data.status);
    part(row, "c-method", data.method);
    part(row, "c-path", data.path, data.path);
    var latency = part(row, "c-latency", "");
    var bar = part(latency, "c-bar", "");
    bar.style.setProperty("--length", String(data.bar));
    part(latency, "c-ms", data.latency);
    part(row, "c-client", data.client);
    part(row, "c-agent", data.agent, data.agent_full);
    part(row, "c-service", data.service);
    return row;
  }

  function band(element, count) {
    var row = document.createElement("div");
    row.className = "log-skipped";
    row.textContent = element.dataset.skipped.replace("{n}", count.toLocaleString("en-US"));
    return row;
  }

  /* The day stands above its rows, unless it is today. `last` is the last row that may need it. */
  function nameDays(element, today, last) {
    var day = today;
    for (var row = element.firstElementChild; row; row = row.nextElementSibling) {
      if (row.dataset.day && row.dataset.day !== day && row.className !== "log-day") {
        day = row.dataset.day;
        var label = document.createElement("div");
        label.className = "log-day";
        label.dataset.day = day;
        label.textContent = day;
        element.insertBefore(label, row);
      }
      if (row === last) {
        return;
      }
    }
  }

  /* Rows that a filter hides go first, so that a filter does not empty the console. */
  function trim(element) {
    var surplus = element.children.length - Number(element.dataset.keep);
    var hidden = hiddenKinds();
    for (var pass = 0; pass < 2 && surplus > 0; pass += 1) {
      for (var row = element.lastElementChild; row && surplus > 0; ) {
        var before = row.previousElementSibling;
        var kind = /\bk(\d)/.exec(row.className);
        if (pass === 1 || (kind && hidden.indexOf(kind[1] + "xx") !== -1)) {
          row.remove();
          surplus -= 1;
        }
        row = before;
      }
    }
  }

  function hiddenKinds() {
    var group = document.getElementById("realtime-classes");
    return group ? (group.dataset.hiddenKinds || "").split(" ") : [];
  }

  function put(element, rows, skipped) {
    var first = element.firstElementChild;
    if (first && first.className === "log-day") {
      first.remove();
      first = element.firstElementChild;
    }
    var atTop = element.scrollTop < 4;
    var height = element.scrollHeight;
    var fragment = document.createDocumentFragment();
    rows.forEach(function (data) {
      fragment.appendChild(rowOf(data));
    });
    if (skipped) {
      fragment.appendChild(band(element, skipped));
    }
    element.prepend(fragment);
    nameDays(element, console_.today, first);
    if (!atTop) {
      /* Someone is reading further down: keep what they read in its place. */
      element.scrollTop += element.scrollHeight - height;
    }
    trim(element);
  }

  function showWaiting() {
    var label = document.getElementById("realtime-waiting");
    if (label) {
      label.textContent = console_.waiting
        ? label.dataset.text.replace("{n}", console_.waiting.toLocaleString("en-US"))
        : "";
    }
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.accessboard = Object.assign(window.dash_clientside.accessboard || {}, {
    /* Ask again once the last question is answered, or when no answer can be expected any more. */
    ask: function (intervals, answered) {
      var element = box();
      var waited = Date.now() - console_.askedAt;
      if (!element || (console_.asked !== null && console_.asked !== answered && waited < PATIENCE_MS)) {
        return window.dash_clientside.no_update;
      }
      console_.asked = intervals || 0;
      console_.askedAt = Date.now();
      return console_.asked;
    },

    showArrivals: function (arrivals) {
      var element = box();
      var unchanged = window.dash_clientside.no_update;
      if (!element || !arrivals) {
        return unchanged;
      }
      console_.today = arrivals.today;
      if (arrivals.after === null || arrivals.view !== console_.view) {
        element.replaceChildren();
        Object.assign(console_, { queue: [], waiting: 0 });
        put(element, arrivals.rows, 0);
      } else if (arrivals.after !== console_.cursor) {
        return unchanged; /* an answer that came twice or out of order */
      } else if (console_.paused) {
        var keep = Number(element.dataset.keep);
        console_.queue = arrivals.rows.concat(console_.queue).slice(0, keep);
        console_.waiting += arrivals.rows.length + arrivals.more;
      } else {
        put(element, arrivals.rows, arrivals.more);
      }
      console_.cursor = arrivals.cursor;
      console_.view = arrivals.view;
      showWaiting();
      return arrivals.rows.length ? arrivals.rows[0].time : unchanged;
    },

    pause: function () {
      var element = box();
      console_.paused = !console_.paused;
      if (!console_.paused && element) {
        put(element, console_.queue, console_.waiting - console_.queue.length);
        Object.assign(console_, { queue: [], waiting: 0 });
        showWaiting();
      }
      return [console_.paused ? "Live" : "Pause", console_.paused ? "live paused" : "live"];
    },

    filterClasses: function () {
      var element = box();
      var hidden = [];
      var pressed = window.dash_clientside.callback_context.triggered_id;
      ["2xx", "3xx", "4xx", "5xx"].forEach(function (name) {
        var button = document.getElementById("realtime-" + name);
        if (button.id === pressed) {
          button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
        }
        var off = button.getAttribute("aria-pressed") !== "true";
        element.classList.toggle("hide-" + name[0], off);
        if (off) {
          hidden.push(name);
        }
      });
      document.getElementById("realtime-classes").dataset.hiddenKinds = hidden.join(" ");
      return hidden.join(" ");
    },
  });
})();
