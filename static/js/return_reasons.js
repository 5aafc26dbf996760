// A picked reason fills in its sentence, which can be edited; one's own words are never overwritten.
"use strict";

for (const select of document.querySelectorAll("select[data-fills]")) {
  const words = document.getElementById(select.id.replace("id_code_", "id_fix_"));
  const sentences = [...select.options].map((option) => option.dataset.sentence ?? "");
  select.addEventListener("change", () => {
    if (sentences.includes(words.value.trim())) words.value = select.selectedOptions[0].dataset.sentence ?? "";
  });
}
