/* Keeps what the server answers to the callbacks of a page, in window.answered. */
(function () {
  "use strict";
  var answered = [];
  var fetched = window.fetch;
  window.answered = answered;
  window.fetch = function () {
    return fetched.apply(this, arguments).then(function (response) {
      if (response.url.indexOf("/_dash-update-component") >= 0) {
        response
          .clone()
          .text()
          .then(function (text) {
            answered.push(text);
          });
      }
      return response;
    });
  };
})();
