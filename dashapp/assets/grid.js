/* Cells of the endpoint table. */
(function () {
  "use strict";
  var cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

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
