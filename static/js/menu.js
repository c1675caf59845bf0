// Menus are <details>: without scripts they open and close by themselves. Here: Escape and a click elsewhere close them.
(() => {
  "use strict";
  const open = () => document.querySelectorAll("details.menu[open]");

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
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.trim());
    button.dataset.word ??= button.textContent; // of a second press, it is not "Copied"
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = button.dataset.word), 2000);
  });

  // <form data-confirm="…">: asks once before a destructive act, by name.
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });
})();
