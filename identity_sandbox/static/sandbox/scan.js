// The waiting page: asks whether the phone has confirmed, and goes on by itself. Without it the button does the same.
"use strict";

const form = document.querySelector("form[data-scan-state]");

async function ask() {
  let state = "waiting";
  try {
    state = (await (await fetch(form.dataset.scanState)).json()).state;
  } catch {
    // away for a moment: ask again
  }
  if (state === "confirmed") form.submit();
  else if (state === "over") location.replace(form.dataset.scanPage);
  else setTimeout(ask, 1500);
}

if (form) ask();
