// Loaded before the first paint, so that a chosen theme never flashes.
(() => {
  "use strict";
  const root = document.documentElement;
  const themes = ["system", "light", "dark"];
  const stored = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage may be forbidden; the system's theme then holds
    }
  };
  let theme = themes.includes(stored()) ? stored() : "system";

  const apply = () => {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    document.querySelectorAll("[data-theme-name]").forEach((name) => (name.textContent = theme));
    document.dispatchEvent(new CustomEvent("stepwise:theme"));
  };

  root.classList.add("js");
  apply();
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    document.querySelectorAll("[data-theme-switch]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => {
        theme = themes[(themes.indexOf(theme) + 1) % themes.length];
        try {
          localStorage.setItem("theme", theme);
        } catch {
          // kept for this page only
        }
        apply();
      });
    });
  });
})();
