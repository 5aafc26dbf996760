// 打印: there only where a script can do it.
"use strict";

const printButton = document.querySelector("[data-print]");
printButton.hidden = false;
printButton.addEventListener("click", () => window.print());
