// Menus and questions are <details>: without scripts they open and close by themselves. Here: Escape and a click elsewhere close them.
(() => {
  "use strict";
  const open = () => document.querySelectorAll("details:is(.menu, .ask)[open]");

  document.addEventListener("click", (event) => {
    open().forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    open().forEach((menu) => {
      const inside = menu.contains(document.activeElement);
      menu.open = false;
      if (inside) menu.querySelector("summary").focus();
    });
  });

  // <button data-copy="#id">: copies the text of that element and says so in its own words.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const place = document.querySelector(button.dataset.copy);
    // Only pages over TLS, or of this machine, may reach the clipboard; elsewhere the text is marked, ready for Ctrl-C.
    if (navigator.clipboard) await navigator.clipboard.writeText(place.textContent.trim());
    else getSelection().selectAllChildren(place);
    button.dataset.word ??= button.textContent; // of a second press, it is not "Copied"
    button.textContent = navigator.clipboard ? "Copied" : "Marked";
    setTimeout(() => (button.textContent = button.dataset.word), 2000);
  });
})();
