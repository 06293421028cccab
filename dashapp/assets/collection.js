/* The Collection page: copies texts, and sends a log file to the server as it is, which Dash's own upload cannot
   do: it would read the whole file into the page. */
(function () {
  "use strict";
  var UNITS = ["B", "kB", "MB", "GB"];
  var running = null;

  function byId(name) {
    return document.getElementById("collection-upload" + name);
  }

  function size(bytes) {
    var unit = 0;
    while (bytes >= 1000 && unit < UNITS.length - 1) {
      bytes /= 1000;
      unit += 1;
    }
    return (unit ? bytes.toFixed(1) : String(bytes)) + " " + UNITS[unit];
  }

  function filled(text, values) {
    return text.replace(/\{(\w+)\}/g, function (_, name) {
      return values[name];
    });
  }

  function say(text, bad) {
    var state = byId("-state");
    state.textContent = text;
    state.classList.toggle("bad", Boolean(bad));
  }

  function show(sending) {
    byId("-start").disabled = sending;
    byId("-cancel").hidden = !sending;
    byId("-progress").hidden = !sending;
  }

  function picked() {
    return byId("-picker").querySelector("input").files[0];
  }

  function finish(answer) {
    running = null;
    show(false);
    say("");
    if (answer) {
      window.dash_clientside.set_props("collection-uploaded", { data: answer });
    }
  }

  /* After the last byte the server still stores what it has: the seconds show that it goes on. */
  function waiting(text) {
    var seconds = 0;
    say(filled(text, { n: seconds }));
    return setInterval(function () {
      seconds += 1;
      say(filled(text, { n: seconds }));
    }, 1000);
  }

  function send(form, file) {
    var texts = form.dataset;
    var service = byId("-service").value || "";
    var request = new XMLHttpRequest();
    var clock = null;
    request.open("POST", texts.url + "?name=" + encodeURIComponent(file.name) + "&service=" + encodeURIComponent(service));
    request.setRequestHeader(texts.mark, "1");
    request.upload.onprogress = function (event) {
      var share = event.total ? Math.floor((100 * event.loaded) / event.total) : 100;
      byId("-progress").value = share;
      say(filled(texts.progress, { sent: size(event.loaded), size: size(event.total), share: share }));
    };
    request.upload.onload = function () {
      clock = waiting(texts.finishing);
    };
    request.onloadend = function () {
      clearInterval(clock);
      if (running !== request) {
        return;
      }
      var answer;
      try {
        answer = JSON.parse(request.responseText);
      } catch (error) {
        answer = { error: { code: "connection", message: "" } };
      }
      finish(answer);
    };
    running = request;
    show(true);
    byId("-progress").value = 0;
    window.dash_clientside.set_props("collection-receipt", { children: "" });
    request.send(file);
  }

  function start() {
    var form = byId("");
    var file = picked();
    if (!file) {
      say(form.dataset.none, true);
    } else if (file.size > Number(form.dataset.most)) {
      say(form.dataset.large, true);
    } else {
      send(form, file);
    }
  }

  function cancel() {
    var request = running;
    finish(null);
    if (request) {
      request.abort();
      say(byId("").dataset.cancelled);
    }
  }

  function prepare() {
    var picker = byId("-picker");
    if (!picker || picker.firstChild) {
      return;
    }
    var field = document.createElement("input");
    field.type = "file";
    field.id = "collection-upload-file";
    field.className = "sr";
    /* The browser's own button speaks the browser's language, not that of the page. */
    var name = document.createElement("label");
    name.className = "button";
    name.htmlFor = field.id;
    name.textContent = picker.dataset.label;
    var chosen = document.createElement("span");
    chosen.className = "ell";
    function sayChosen() {
      chosen.textContent = field.files.length ? field.files[0].name : "";
    }
    field.addEventListener("change", sayChosen);
    picker.append(field, name, chosen);
    byId("-start").addEventListener("click", start);
    byId("-cancel").addEventListener("click", cancel);
    var drop = byId("-drop");
    drop.addEventListener("dragover", function (event) {
      event.preventDefault();
      drop.classList.add("over");
    });
    drop.addEventListener("dragleave", function () {
      drop.classList.remove("over");
    });
    drop.addEventListener("drop", function (event) {
      event.preventDefault();
      drop.classList.remove("over");
      if (event.dataTransfer.files.length) {
        field.files = event.dataTransfer.files;
        sayChosen();
      }
    });
  }

  /* Outside of https and localhost a page may not use the clipboard by itself; a selection still can be copied. */
  function copySelection(place) {
    var selection = window.getSelection();
    selection.selectAllChildren(place);
    var copied = document.execCommand("copy");
    selection.removeAllRanges();
    return copied ? Promise.resolve() : Promise.reject(new Error("not copied"));
  }

  function copy(button) {
    var place = document.getElementById(button.dataset.copy);
    var done = function (text) {
      button.textContent = text;
      setTimeout(function () {
        button.textContent = button.dataset.label;
      }, 1500);
    };
    var written = navigator.clipboard ? navigator.clipboard.writeText(place.textContent) : copySelection(place);
    written.then(done.bind(null, button.dataset.done), done.bind(null, button.dataset.failed));
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("button[data-copy]");
    if (button) {
      copy(button);
    }
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.collection = {
    prepareUpload: function () {
      setTimeout(prepare, 0);
      return window.dash_clientside.no_update;
    },

    /* Whoever looks at one service sends for it. */
    nameService: function (search) {
      var service = new URLSearchParams(search || "").get("service");
      if (!service) {
        return window.dash_clientside.no_update;
      }
      if (byId("-service")) {
        window.dash_clientside.set_props("collection-upload-service", { value: service });
      }
      return service;
    },
  };
})();
