/* Menus are <details>: this closes them when something in them was chosen, on Escape and on a click elsewhere. */
(function () {
  "use strict";

  function close(menu, focus) {
    menu.open = false;
    if (focus) {
      menu.querySelector("summary").focus();
    }
  }

  function openMenus() {
    return Array.prototype.slice.call(document.querySelectorAll("details.menu[open]"));
  }

  document.addEventListener("click", function (event) {
    var chosen = event.target.closest(".menu .choices a, .menu .choices button, .menu .button.pri, .menu .acts a");
    openMenus().forEach(function (menu) {
      if (!menu.contains(event.target) || (chosen && menu.contains(chosen))) {
        close(menu, false);
      }
    });
    var sheet = document.querySelector(".ranges.open");
    if (sheet && !sheet.contains(event.target) && !event.target.closest("#shell-range-toggle")) {
      window.dash_clientside.set_props("shell-range-row", { className: "ranges" });
    }
  });

  /* What was opened to be read stays open when the list is drawn anew: its name tells which it was. */
  var opened = new Set();

  document.addEventListener(
    "toggle",
    function (event) {
      var name = event.target.dataset && event.target.dataset.keep;
      if (name && event.target.isConnected) {
        opened[event.target.open ? "add" : "delete"](name);
      }
    },
    true
  );

  new MutationObserver(function () {
    opened.forEach(function (name) {
      var again = document.querySelector('details[data-keep="' + CSS.escape(name) + '"]:not([open])');
      /* One that was closed just now is told of by a toggle that is still to come. */
      if (again && !again.dataset.kept) {
        again.dataset.kept = "1";
        again.open = true;
      }
    });
  }).observe(document.documentElement, { childList: true, subtree: true });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      openMenus().forEach(function (menu) {
        close(menu, true);
      });
    } else if (event.key === "Enter" && event.target.matches(".menu .panel input")) {
      close(event.target.closest(".menu"), true);
    }
  });
})();
