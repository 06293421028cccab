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
      answered: null,
      answeredAt: 0,
      counts: [],
      since: Date.now(),
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

  function clock(text, element) {
    var found = /^([+-])(\d\d)(\d\d)$/.exec(element.dataset.offset);
    var minutes = (Number(found[2]) * 60 + Number(found[3])) * (found[1] === "-" ? -1 : 1);
    return new Date(Date.parse(text) + minutes * 60000).toISOString().slice(11, 19);
  }

  /* The mark where rows were left out: how many, from when to when, and a link to them. */
  function band(element, skipped) {
    var texts = element.dataset;
    var row = document.createElement("div");
    row.className = "log-skipped";
    var count = document.createElement("b");
    count.textContent = (skipped.least ? texts.skippedLeast : texts.skipped).replace(
      "{n}",
      skipped.count.toLocaleString("en-US")
    );
    var why = document.createElement("span");
    why.textContent = texts.skippedWhy
      .replace("{first}", clock(skipped.first, element))
      .replace("{last}", clock(skipped.last, element));
    var link = document.createElement("a");
    var start = skipped.first.slice(0, 19) + "Z";
    var end = new Date(Math.floor(Date.parse(skipped.last) / 1000) * 1000 + 1000).toISOString().slice(0, 19) + "Z";
    link.href = "/logs" + window.dash_clientside.accessboard.changed(location.search, { start: start, end: end });
    link.textContent = texts.skippedGo;
    row.append(count, why, link);
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
      fragment.appendChild(window.dash_clientside.accessboard.rowOf(data));
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

  /* What waits while the console is paused; beyond what is kept the oldest becomes a mark. */
  function wait(rows, skipped, keep) {
    console_.queue.push({ rows: rows, skipped: skipped });
    console_.waiting += rows.length + (skipped ? skipped.count : 0);
    var held = console_.queue.reduce(function (sum, look) {
      return sum + look.rows.length;
    }, 0);
    while (held > keep && console_.queue.length > 1) {
      var oldest = console_.queue.shift();
      var next = console_.queue[0];
      held -= oldest.rows.length;
      var first = oldest.skipped ? oldest.skipped.first : oldest.rows[oldest.rows.length - 1].record.ts;
      next.skipped = {
        count: oldest.rows.length + (oldest.skipped ? oldest.skipped.count : 0) + (next.skipped ? next.skipped.count : 0),
        least: Boolean((oldest.skipped || {}).least || (next.skipped || {}).least),
        first: first,
        last: next.skipped ? next.skipped.last : oldest.rows[0].record.ts,
      };
    }
  }

  function goOn(element) {
    console_.queue.forEach(function (look) {
      put(element, look.rows, look.skipped);
    });
    Object.assign(console_, { queue: [], waiting: 0 });
    showWaiting();
  }

  /* Requests a second over the last ten seconds. */
  function rate() {
    var now = Date.now();
    console_.counts = console_.counts.filter(function (each) {
      return now - each.at < 10000;
    });
    var sum = console_.counts.reduce(function (total, each) {
      return total + each.n;
    }, 0);
    var label = document.getElementById("realtime-rate");
    return label && now - console_.since > 3000
      ? label.dataset.text.replace("{n}", (sum / Math.min(10, (now - console_.since) / 1000)).toFixed(1))
      : "";
  }

  function count(arrivals) {
    console_.counts.push({ at: Date.now(), n: arrivals.rows.length + (arrivals.skipped ? arrivals.skipped.count : 0) });
  }

  function late(answered) {
    if (console_.answered !== answered || !console_.answeredAt) {
      console_.answered = answered;
      console_.answeredAt = Date.now();
    }
    var label = document.getElementById("realtime-late");
    var seconds = Math.floor((Date.now() - console_.answeredAt) / 1000);
    return label && seconds > 3 ? label.dataset.text.replace("{n}", seconds) : "";
  }

  function showWaiting() {
    var label = document.getElementById("realtime-waiting");
    if (label) {
      label.hidden = !console_.waiting;
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
        return [window.dash_clientside.no_update, element ? late(answered) : "", element ? rate() : ""];
      }
      console_.asked = intervals || 0;
      console_.askedAt = Date.now();
      return [console_.asked, late(answered), rate()];
    },

    showArrivals: function (arrivals) {
      var element = box();
      var unchanged = window.dash_clientside.no_update;
      if (!element || !arrivals) {
        return unchanged;
      }
      console_.today = arrivals.today;
      element.dataset.empty = arrivals.empty;
      if (arrivals.after === null || arrivals.view !== console_.view) {
        element.replaceChildren();
        Object.assign(console_, { queue: [], waiting: 0 });
        put(element, arrivals.rows, null);
      } else if (arrivals.after !== console_.cursor) {
        return unchanged; /* an answer that came twice or out of order */
      } else if (console_.paused) {
        wait(arrivals.rows, arrivals.skipped, Number(element.dataset.keep));
        count(arrivals);
      } else {
        put(element, arrivals.rows, arrivals.skipped);
        count(arrivals);
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
        goOn(element);
      }
      return [console_.paused ? "Live" : "Pause", console_.paused ? "live paused" : "live"];
    },

    showWaiting: function () {
      var element = box();
      if (element) {
        goOn(element);
        element.scrollTop = 0;
      }
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
