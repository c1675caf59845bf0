// New figures replace the old ones; which tables were open stays as the reader left it.
(() => {
  "use strict";
  let left = {};
  document.addEventListener("htmx:beforeSwap", () => {
    left = Object.fromEntries([...document.querySelectorAll("details.numbers")].map((one) => [one.id, one.open]));
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, open] of Object.entries(left)) {
      const one = document.getElementById(id);
      if (one) one.open = open;
    }
  });
})();
