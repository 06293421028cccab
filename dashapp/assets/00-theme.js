/* Runs in the head, before the first paint: the theme, and how wide the window is (charts of a phone
   have fewer points, which the server must know). */
(function () {
  "use strict";
  var root = document.documentElement;
  var chosen = null;
  try {
    chosen = localStorage.getItem("accessboard-theme");
  } catch (error) {
    /* storage can be forbidden; the system's preference serves */
  }
  if (chosen !== "dark" && chosen !== "light") {
    chosen = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  root.setAttribute("data-bs-theme", chosen);

  function noteWidth() {
    var width = window.innerWidth < 768 ? "phone" : "wide";
    document.cookie = "accessboard-width=" + width + "; path=/; max-age=31536000; SameSite=Lax";
  }
  noteWidth();
  window.addEventListener("resize", noteWidth);
})();
