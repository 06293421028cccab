/* Charts lead on: a click on a mark filters the page, a drag along the time zooms it. Both only change the address. */
(function () {
  "use strict";
  var MINUTE_MS = 60000;
  var pressed = { x: 0, y: 0 };

  document.addEventListener(
    "pointerdown",
    function (event) {
      pressed = { x: event.clientX, y: event.clientY };
    },
    true
  );

  /* The query string after changes, by the rules of dashapp/view.py: null takes a parameter away. */
  function changed(search, changes) {
    var query = new URLSearchParams(search || "");
    var all = Object.assign({}, changes);
    if (all.last) {
      Object.assign(all, { start: null, end: null });
    } else if (all.start) {
      all.last = null;
    }
    if (all.vs) {
      all.vs_start = null;
    } else if (all.vs_start) {
      all.vs = null;
    }
    Object.keys(all).forEach(function (name) {
      if (all[name] === null || all[name] === undefined || all[name] === "") {
        query.delete(name);
      } else {
        query.set(name, all[name]);
      }
    });
    return "?" + query.toString().replace(/%3A/g, ":").replace(/%2F/g, "/");
  }

  function go(search, changes) {
    var there = changed(search, changes);
    if (there !== search) {
      window.dash_clientside.set_props("shell-url", { search: there });
    }
  }

  function plot(id) {
    return document.querySelector("#" + CSS.escape(id) + " .js-plotly-plot");
  }

  function axisOf(drawn, point) {
    var trace = drawn._fullData[point.curveNumber];
    return drawn._fullLayout[(trace.yaxis || "y").replace("y", "yaxis")];
  }

  function number(place) {
    return typeof place === "number" ? place : time(place);
  }

  /* Where a value lies among `count` marks, of which `places` are the middles or, with one more, the edges. */
  function indexIn(places, count, value) {
    var found = 0;
    for (var i = 0; i < count; i += 1) {
      if (places.length > count ? number(places[i]) <= number(value) : number(places[i]) === number(value)) {
        found = i;
      }
    }
    return found;
  }

  /* A point of a heat map as those of other traces are: Dash leaves out which row and column it is, and its data. */
  function withCell(drawn, point) {
    var trace = drawn._fullData[point.curveNumber];
    if (trace.type !== "heatmap") {
      return point;
    }
    var row = indexIn(trace.y, trace.z.length, point.y);
    var column = indexIn(trace.x, trace.z[0].length, point.x);
    var custom = trace.customdata && trace.customdata[row] && trace.customdata[row][column];
    return Object.assign({}, point, { pointNumber: [row, column], customdata: custom });
  }

  /* Bars that hovering passes over, as the lane of errors: at the bucket of the others they can be clicked too. */
  function silentBars(drawn, slot) {
    var found = [];
    drawn._fullData.forEach(function (trace, i) {
      if (trace.type === "bar" && trace.visible === true && trace.hoverinfo === "skip" && trace.meta && trace.meta.follow) {
        found.push({ curveNumber: i, pointNumber: slot, y: trace.y[slot] });
      }
    });
    return found;
  }

  /* Of all marks at one time, the bar under the pointer; above the bars, any mark of the same axes. */
  function chosen(drawn, points) {
    var slotted = points.find(function (point) {
      return (drawn._fullData[point.curveNumber].meta || {}).slots;
    });
    var all = slotted ? points.concat(silentBars(drawn, slotted.pointNumber)) : points;
    if (all.length === 1) {
      return { point: all[0], exact: true };
    }
    var y = pressed.y - drawn.getBoundingClientRect().top;
    var near = all.filter(function (point) {
      var axis = axisOf(drawn, point);
      return y >= axis._offset && y <= axis._offset + axis._length;
    });
    var sum = 0;
    for (var i = 0; i < near.length; i += 1) {
      var trace = drawn._fullData[near[i].curveNumber];
      if (trace.type === "bar") {
        var axis = axisOf(drawn, near[i]);
        sum += Number(near[i].y) || 0;
        if (Number(near[i].y) && axis.p2d(y - axis._offset) <= sum) {
          return { point: near[i], exact: true };
        }
      }
    }
    return { point: near[0] || all[0], exact: false };
  }

  /* A local time of the address some minutes later; an offset at its end stays. */
  function later(text, minutes) {
    var parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::\d\d)?(.*)$/.exec(text);
    var moved = new Date(Date.parse(parts[1] + "Z") + minutes * MINUTE_MS);
    return moved.toISOString().slice(0, 16) + parts[2];
  }

  function time(place) {
    return Date.parse(String(place).replace(" ", "T").slice(0, 23) + "Z");
  }

  /* Where a place of the axis lies: the bucket it is in, plus the minutes into it. Plotly writes places as local times. */
  function momentAt(meta, place, round) {
    var first = time(meta.places[0]);
    var last = time(meta.places[1]);
    var count = meta.edges.length - 1;
    var width = (last - first) / count;
    var passed = Math.min(Math.max(time(place), first), last) - first;
    var index = Math.min(Math.floor(passed / width), count - 1);
    var minutes = round((passed - index * width) / MINUTE_MS);
    return minutes * MINUTE_MS >= width ? meta.edges[index + 1] : later(meta.edges[index], minutes);
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.accessboard = Object.assign(window.dash_clientside.accessboard || {}, {
    changed: changed,

    /* The answer forgets the click, so that the same mark can be clicked again. */
    follow: function (clicked, id, search) {
      var drawn = plot(id);
      if (!clicked || !clicked.points || !drawn) {
        return window.dash_clientside.no_update;
      }
      var points = clicked.points.map(withCell.bind(null, drawn)).filter(function (point) {
        var meta = drawn._fullData[point.curveNumber].meta;
        return (meta && (meta.follow || meta.slots)) || (point.customdata && point.customdata.constructor === Object);
      });
      if (points.length) {
        var found = chosen(drawn, points);
        var meta = drawn._fullData[found.point.curveNumber].meta || {};
        var custom = found.point.customdata;
        var changes = Object.assign({}, found.exact ? meta.follow : null);
        if (custom && custom.constructor === Object) {
          Object.assign(changes, custom);
        }
        if (meta.slots) {
          var edges = drawn.layout.meta.edges;
          /* Of a heat map: its row and its column. */
          var place = [].concat(found.point.pointNumber);
          var index = place[place.length - 1];
          Object.assign(changes, { start: edges[index], end: edges[index + 1] }, meta.rows ? meta.rows[place[0]] : null);
        }
        go(search, changes);
      }
      return null;
    },

    zoom: function (relayout, id, search) {
      var drawn = plot(id);
      var ends = relayout ? [relayout["xaxis.range[0]"], relayout["xaxis.range[1]"]] : [];
      if (!drawn || !ends[0] || !ends[1] || !drawn.layout.meta || !drawn.layout.meta.edges) {
        return window.dash_clientside.no_update;
      }
      var meta = drawn.layout.meta;
      var start = momentAt(meta, ends[0], Math.floor);
      var end = momentAt(meta, ends[1], Math.ceil);
      go(search, { start: start, end: start === end ? later(start, 1) : end });
      return null;
    },
  });
})();
