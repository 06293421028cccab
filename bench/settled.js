/* Whether a page has all of its content: nothing is asked any more, no part waits, every chart in sight is drawn. */
function seen(selector) {
  return Array.from(document.querySelectorAll(selector)).filter(function (each) {
    return each.offsetParent;
  });
}
var main = document.querySelector("main");
var asking = !window.store || window.store.getState().isLoading;
var waiting = seen(".part > div > .skeleton, .grid-frame:not(.ready)").length > 0;
var drawn = seen(".chart-graph:not(.none) .js-plotly-plot").every(function (each) {
  return each._fullLayout;
});
return !!main && main.childElementCount > 0 && !asking && !waiting && drawn;
