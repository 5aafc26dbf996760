// The dialog that lists a plan's occupations. Without this script the button leads to a page of its own.
"use strict";

const picker = document.getElementById("picker");
const search = document.querySelector("[data-narrows]");
const before = picker.querySelector("input[type=radio]:checked");

document.querySelector("[data-opens=picker]").addEventListener("click", (event) => {
  event.preventDefault();
  picker.showModal();
});
document.querySelector("[data-closes=picker]").addEventListener("click", () => picker.close());

// Closing without 保存 leaves the choice as it was, and the list whole.
picker.addEventListener("close", () => {
  picker.querySelectorAll("input[type=radio]").forEach((radio) => { radio.checked = radio === before; });
  search.value = "";
  narrow();
});

function narrow() {
  const wanted = search.value.trim().toLowerCase();
  let found = 0;
  for (const row of document.querySelectorAll("#choices > li")) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
    found += row.hidden ? 0 : 1;
  }
  document.getElementById("choices-none").hidden = found > 0;
}
// "search": Chromium's Escape empties the box without a word of "input".
for (const kind of ["input", "search"]) search.addEventListener(kind, narrow);
// Enter in the search box must not send the whole form.
search.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
