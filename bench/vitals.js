/* Runs before a page's own scripts: what the page says about its own speed, kept in window.vitals. */
(function () {
  "use strict";
  var vitals = { lcp: 0, shift: 0, largest: "", worstShift: "", interactions: {} };
  window.vitals = vitals;

  function named(node) {
    var near = node && node.nodeType === 1 ? node.closest("[id]") : null;
    return near ? near.id : node ? node.nodeName : "";
  }

  function watch(type, options, each) {
    new PerformanceObserver(function (list) {
      list.getEntries().forEach(each);
    }).observe(Object.assign({ type: type, buffered: true }, options));
  }

  watch("largest-contentful-paint", {}, function (entry) {
    vitals.lcp = entry.startTime;
    vitals.largest = named(entry.element);
  });

  /* The layout shift of a page is that of its worst burst: shifts less than a second apart, five seconds at most. */
  var burst = { sum: 0, first: 0, last: 0 };
  watch("layout-shift", {}, function (entry) {
    if (entry.hadRecentInput) {
      return;
    }
    if (entry.startTime - burst.last > 1000 || entry.startTime - burst.first > 5000) {
      burst = { sum: 0, first: entry.startTime, last: 0 };
    }
    burst.sum += entry.value;
    burst.last = entry.startTime;
    if (burst.sum > vitals.shift) {
      vitals.shift = burst.sum;
      var moved = entry.sources.length && entry.sources[0].node;
      vitals.worstShift = named(moved);
    }
  });

  /* Press and release of one click are one interaction, as long as its longest event. */
  watch("event", { durationThreshold: 16 }, function (entry) {
    if (!entry.interactionId) {
      return;
    }
    var known = vitals.interactions[entry.interactionId];
    if (!known || entry.duration > known.ms) {
      vitals.interactions[entry.interactionId] = {
        ms: entry.duration,
        what: entry.name + " " + named(entry.target),
      };
    }
  });
})();
