/* The button that sends a test message: asks the server, and hands its answer to the page. */
(function () {
  "use strict";

  function done(button, answer) {
    button.disabled = false;
    window.dash_clientside.set_props("collection-alert-tested", { data: answer });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("#collection-alert-test");
    if (!button || button.disabled) {
      return;
    }
    button.disabled = true;
    window.dash_clientside.set_props("collection-alert-result", { children: button.dataset.sending });
    var headers = {};
    headers[button.dataset.mark] = "1";
    fetch(button.dataset.path, { method: "POST", headers: headers })
      .then(function (answer) {
        return answer.json();
      })
      .catch(function () {
        return { error: { code: "other" } };
      })
      .then(function (answer) {
        /* The same answer twice is shown twice. */
        done(button, Object.assign({ at: Date.now() }, answer));
      });
  });
})();
