// The boxes of the queue: one for the whole page, and how many are chosen. Without this script each is ticked by hand.
"use strict";

const form = document.querySelector("form[data-queue]");

if (form) {
  const all = form.querySelector("[data-all]");
  const everything = form.querySelector("[name=everything]");
  const boxes = [...form.querySelectorAll("[name=_selected_action]")];
  const chosen = form.querySelector("[data-chosen]");

  const tell = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    boxes.forEach((box) => { box.disabled = everything.checked; });
    chosen.textContent = everything.checked ? "" : ticked ? `已选 ${ticked} 份` : "还没有选";
  };

  all.hidden = false;
  all.addEventListener("change", () => {
    boxes.forEach((box) => { box.checked = all.checked; });
    tell();
  });
  form.addEventListener("change", tell);
  // What the browser puts back into the boxes when one comes back to the page.
  window.addEventListener("pageshow", tell);
}
