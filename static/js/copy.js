// A button that copies what stands in a field: data-copy names the field. Without scripts the field can be marked by hand.
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      return; // not allowed here: it is marked, and Ctrl+C copies it
    }
    button.parentElement.querySelector("[data-copied]").hidden = false;
  });
}
