/* Cells of the endpoint table. */
(function () {
  "use strict";
  var cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

  /* A value that filters: `links` of its row holds an address for its column. */
  cells.Lead = function (props) {
    var text = props.valueFormatted || props.value;
    var href = props.data.links && props.data.links[props.column.getColId()];
    if (!href) {
      return text;
    }
    return window.React.createElement(
      "a",
      {
        href: href,
        onClick: function (event) {
          if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
            event.preventDefault();
            var there = new URL(href, window.location.href);
            window.dash_clientside.set_props("shell-url", { pathname: there.pathname, search: there.search });
          }
        },
      },
      text
    );
  };

  cells.ShareBar = function (props) {
    var h = window.React.createElement;
    return h(
      "div",
      { className: "barred" },
      h(
        "span",
        { className: "ib", "aria-hidden": "true" },
        h("i", { className: "s2", style: { width: props.data.bar * 100 + "%" } })
      ),
      h("span", null, props.valueFormatted)
    );
  };
})();
