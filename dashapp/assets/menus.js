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
