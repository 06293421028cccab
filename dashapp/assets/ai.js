/* The AI page asks the API: an analysis, a question whose answer streams, a test, the history. What comes goes to the
   page's callbacks by `set_props`; whatever a server or a model sent is put on the page as text, never as markup. */
(function () {
  "use strict";

  var running = null; /* token and AbortController of the analysis that runs */
  var asking = null;
  var thread = null;

  function page() {
    return document.getElementById("ai-page");
  }

  function set(id, props) {
    window.dash_clientside.set_props(id, props);
  }

  function token() {
    var bytes = window.crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, function (each) { return each.toString(16).padStart(2, "0"); }).join("");
  }

  function post(path, body, options) {
    var sent = Object.assign({ lang: page().dataset.lang }, body);
    return fetch(page().dataset.root + path, Object.assign({
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(sent)
    }, options || {}));
  }

  function view() {
    return window.location.search.replace(/^\?/, "");
  }

  /* What an answer says of an entry: its id where one was made, else why none was. */
  function made(answer) {
    var entry = answer.id !== undefined ? answer : answer.analysis;
    return entry ? { id: entry.id, at: Date.now() } : { error: (answer.error || {}).code || "other", at: Date.now() };
  }

  function show(id, on) {
    var element = document.getElementById(id);
    if (element) {
      element.hidden = !on;
    }
  }

  function busy(on) {
    document.getElementById("ai-analyze").disabled = on;
    show("ai-cancel", on);
    show("ai-running", on);
    document.getElementById("ai-result").classList.toggle("stale", on);
  }

  function run(path, body) {
    if (running) {
      return;
    }
    running = { token: token() };
    busy(true);
    post(path, Object.assign({ token: running.token }, body))
      .then(function (answer) { return answer.json(); })
      .catch(function () { return { error: { code: "no_connection" } }; })
      .then(function (answer) {
        running = null;
        if (page()) {
          busy(false);
          set("ai-opened", { data: null });
          set("ai-compared", { data: null });
          set("ai-done", { data: made(answer) });
        }
      });
  }

  function analyze() {
    var chosen = document.getElementById("ai-window").value;
    var body = { search: view() };
    if (chosen === "range") {
      body.range = true;
    } else {
      body.minutes = Number(chosen);
    }
    run("/analyze", body);
  }

  function line(name, text) {
    var element = document.createElement("p");
    element.className = name;
    element.textContent = text;
    return element;
  }

  function question(text) {
    var form = document.getElementById("ai-form");
    var live = document.getElementById("ai-live");
    var box = document.createElement("div");
    var asked = document.createElement("div");
    var said = document.createElement("p");
    var working = line("working", form.dataset.thinking);
    asked.className = "me";
    asked.append(line("", text));
    box.className = "ai";
    said.className = "answer";
    box.append(working, said);
    live.replaceChildren(asked, box);
    box.scrollIntoView({ block: "nearest" });
    asking = { token: token() };
    thread = thread || token();
    document.getElementById("ai-ask").disabled = true;
    post("/ask", { question: text, search: view(), thread: thread, token: asking.token }, {
      headers: { "Content-Type": "application/json", Accept: "text/event-stream" }
    })
      .then(function (answer) {
        if (!answer.ok || !answer.body) {
          throw new Error("failed");
        }
        return read(answer.body.getReader(), function (kind, data) {
          if (kind === "tool") {
            working.textContent = form.dataset.tool.replace("{tool}", data.title || data.name);
          } else if (kind === "sentence") {
            working.hidden = true;
            sentence(said, data);
          }
        });
      })
      .catch(function () { return null; })
      .then(function () {
        asking = null;
        if (page()) {
          document.getElementById("ai-ask").disabled = false;
          set("ai-asked", { data: { thread: thread, at: Date.now() } });
        }
      });
  }

  function sentence(said, pieces) {
    if (said.childNodes.length) {
      said.append(" ");
    }
    pieces.forEach(function (piece) {
      var element = document.createElement(piece.kind === "figure" ? "b" : piece.kind === "text" ? "span" : "code");
      element.textContent = piece.text;
      said.append(element);
    });
  }

  function read(reader, heard) {
    var decoder = new TextDecoder();
    var rest = "";
    function next() {
      return reader.read().then(function (part) {
        rest += decoder.decode(part.value || new Uint8Array(), { stream: !part.done });
        var events = rest.split("\n\n");
        rest = events.pop();
        events.forEach(function (event) {
          var found = /^event: (\w+)\ndata: (.*)$/.exec(event);
          if (found) {
            heard(found[1], JSON.parse(found[2]));
          }
        });
        return part.done ? null : next();
      });
    }
    return next();
  }

  function test(button) {
    var label = button.textContent;
    button.disabled = true;
    button.textContent = button.dataset.testing;
    post("/test", {})
      .then(function (answer) { return answer.json(); })
      .catch(function () { return { error: { code: "no_connection" } }; })
      .then(function (answer) {
        button.disabled = false;
        button.textContent = label;
        set("ai-tested", { data: Object.assign({ at: Date.now() }, answer) });
      });
  }

  function save(text) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff" + text], { type: "text/csv" }));
    link.download = "answer.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  }

  var acts = {
    "ai-open": function (button) {
      set("ai-compared", { data: null });
      set("ai-opened", { data: { id: Number(button.dataset.entry), at: Date.now() } });
      document.getElementById("ai-head").scrollIntoView({ block: "nearest" });
    },
    "ai-more": function (button) {
      set("ai-listed", { data: Number(button.dataset.most) });
    },
    "ai-example": function (button) {
      ask(button.textContent);
    },
    "ai-csv": function (button) {
      save(button.dataset.csv);
    },
    "ai-rerun": function (button) {
      run("/history/" + button.dataset.entry + "/rerun", {
        model: document.getElementById("ai-rerun-model").value,
        prompt_version: document.getElementById("ai-rerun-version").value
      });
    },
    "ai-feedback": function (button) {
      var entry = Number(button.dataset.entry);
      post("/history/" + entry + "/feedback", { value: Number(button.dataset.value) }).then(function () {
        set("ai-opened", { data: { id: entry, at: Date.now() } });
      });
    }
  };

  function ask(text) {
    if (!asking && text.trim()) {
      question(text.trim());
    }
  }

  document.addEventListener("click", function (event) {
    if (!page()) {
      return;
    }
    var button = event.target.closest("button");
    if (!button || button.disabled) {
      return;
    }
    if (button.id === "ai-analyze") {
      analyze();
    } else if (button.id === "ai-cancel" && running) {
      post("/cancel", { token: running.token });
    } else if (button.id === "ai-test") {
      test(button);
    } else if (button.id === "ai-new") {
      thread = null;
      document.getElementById("ai-live").replaceChildren();
      set("ai-asked", { data: null });
    } else if (acts[button.dataset.act]) {
      acts[button.dataset.act](button);
    }
  });

  document.addEventListener("submit", function (event) {
    if (event.target.id === "ai-form") {
      event.preventDefault();
      var input = document.getElementById("ai-question");
      ask(input.value);
      set("ai-question", { value: "" });
    }
  });

  document.addEventListener("change", function (event) {
    if (event.target.id === "ai-filter-by") {
      set("ai-filter", { data: event.target.value });
    } else if (event.target.id === "ai-compare") {
      set("ai-compared", { data: { id: Number(event.target.value), at: Date.now() } });
    }
  });

  /* The answer as it is kept stands in the thread: what streamed goes. */
  new MutationObserver(function (changes) {
    changes.forEach(function (change) {
      if (change.target.id === "ai-thread" && !asking) {
        var live = document.getElementById("ai-live");
        if (live) {
          live.replaceChildren();
        }
      }
    });
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
