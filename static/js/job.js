// Keeps the progress of a job up to date, and shows the page anew when the job is over. Without this script the page
// asks for itself every few seconds.
"use strict";

(() => {
  const page = document.querySelector("[data-progress]");
  if (!page) return;
  const part = (name) => page.querySelector(`[data-${name}]`);
  const bar = page.querySelector("progress");
  const EVERY = 1000; // milliseconds
  const AFTER_TROUBLE = 5000;
  let announced = Math.floor(bar.value / 10);

  // A screen reader hears each tenth, not each figure.
  function announce(percent) {
    if (Math.floor(percent / 10) === announced) return;
    announced = Math.floor(percent / 10);
    part("said").textContent = `已处理 ${percent}%`;
  }

  function show(job) {
    part("state").textContent = job.state;
    part("done").textContent = job.done;
    part("refused").textContent = job.refused;
    bar.value = job.percent;
    announce(job.percent);
  }

  async function ask() {
    let wait = EVERY;
    try {
      const answer = await fetch(page.dataset.progress, { credentials: "same-origin", signal: AbortSignal.timeout(8000) });
      if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
      const job = await answer.json();
      // What to do about silence, and the results, are the page's to say.
      if (!job.alive || job.silent === part("silent").hidden) { location.reload(); return; }
      show(job);
    } catch {
      wait = AFTER_TROUBLE;
    }
    setTimeout(ask, wait);
  }
  setTimeout(ask, EVERY);
})();
