// A press does what it says, and does it once.
(() => {
  "use strict";
  // News that come by themselves may not replace what is being pressed, or the press is lost. The next news will do.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig } = event.detail;
    if (!requestConfig.triggeringEvent && target.querySelector(":active")) event.detail.shouldSwap = false;
  });

  // A form that is on its way is not sent again: that would start two runs, or load a file twice.
  let sent = new WeakSet();
  document.addEventListener("submit", (event) => {
    const { target, submitter } = event;
    if (event.defaultPrevented || (submitter?.formMethod || target.getAttribute("method")) !== "post") return;
    if (sent.has(target)) event.preventDefault();
    sent.add(target);
  });
  window.addEventListener("pageshow", () => (sent = new WeakSet())); // back from where it led
})();
