// Warns before the session ends, keeps it going when asked to, and covers the page when it is over. The server's clock
// counts, and what happens in other tabs: whenever it matters, the page asks how long is left. Without this script the
// server ends the session all the same, and keeps a form that is sent afterwards.
"use strict";

(() => {
  const warning = document.getElementById("session-warning");
  if (!warning) return;
  const said = warning.querySelector("[data-said]");
  const tokens = () => document.querySelectorAll("input[name=csrfmiddlewaretoken]");
  const LONGEST_WAIT = 60 * 60; // seconds; a longer timer could overflow
  const KEEP_BEFORE = 3; // seconds before the end
  const ANNOUNCED = [120, 60, 30, 10];
  let end = Date.now() + warning.dataset.endsAfter * 1000; // by this machine's clock, of which only differences count
  let final = false;
  let dismissed = false; // of a final warning: nothing can be put off, so it is shown once
  let timer = 0;
  let ticking = 0;
  let asked = 0;
  let over = false;

  // --- What was typed and not saved ---

  const touched = new Set();
  let unsent = false;
  let way = location.pathname + location.search; // where signing in again leads

  /* Where a form is sent is where it is shown again; the desk's forms in place have a page of their own. */
  function pageOf(form) {
    return new URL(form.getAttribute("action") || "", location.href); // form.action may be a field of that name
  }

  function touch(event) {
    const form = event.target.form;
    if (!form || form.method !== "post" || pageOf(form).origin !== location.origin) return;
    touched.delete(form); // the last one is where the person was
    touched.add(form);
    unsent = true;
  }
  document.addEventListener("input", touch);
  document.addEventListener("change", touch);
  document.addEventListener("submit", () => { touched.clear(); unsent = false; });

  async function keep() {
    if (!unsent) return;
    unsent = false;
    for (const form of touched) {
      if (!form.isConnected) continue;
      const fields = [...new FormData(form)].filter(([, value]) => typeof value === "string");
      const page = pageOf(form);
      await post(warning.dataset.keep, { page: page.pathname, typed: new URLSearchParams(fields).toString() })
        .then((answer) => { if (answer.kept) way = page.pathname + page.search; }, () => { unsent = true; });
    }
  }

  // --- Asking the server ---

  async function post(address, fields = {}) {
    const body = new URLSearchParams({ ...fields, csrfmiddlewaretoken: tokens()[0].value });
    return read(await fetch(address, { method: "POST", body, credentials: "same-origin", signal: AbortSignal.timeout(8000) }));
  }

  function read(answer) {
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.json();
  }

  async function ask() {
    asked = Date.now();
    const answer = await fetch(warning.dataset.remaining, { cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(8000) });
    reckon(await read(answer));
  }

  function reckon(answer) {
    // Another tab may have signed in anew: as somebody else, and this page is none of theirs; or as the same person,
    // and the forms of this page go on with the token that is good now.
    if (answer.left > 0 && answer.whose !== warning.dataset.whose) { finish(false); return; }
    if (answer.token) for (const place of tokens()) place.value = answer.token;
    end = Date.now() + answer.left * 1000;
    final = answer.final;
    clearTimeout(timer);
    if (answer.left <= 0) finish();
    else if (answer.left <= answer.warning) warn(answer);
    else {
      dismissed = false;
      calm();
      wait(answer.left - answer.warning);
    }
  }

  function wait(seconds) {
    clearTimeout(timer);
    timer = setTimeout(look, Math.min(seconds, LONGEST_WAIT) * 1000);
  }

  /* A server that does not answer is asked again; it ends the session by its own clock in any case. */
  function look() {
    return ask().catch(() => {
      if (Date.now() >= end) finish();
      else wait(Math.min(10, secondsLeft()));
    });
  }

  // --- The warning ---

  function inWords(seconds) {
    if (seconds < 60) return `${seconds} 秒`;
    return seconds % 60 ? `${Math.floor(seconds / 60)} 分 ${seconds % 60} 秒` : `${seconds / 60} 分钟`;
  }

  function secondsLeft() {
    return Math.max(0, Math.ceil((end - Date.now()) / 1000));
  }

  function warn() {
    for (const part of warning.querySelectorAll("[data-when]")) part.hidden = (part.dataset.when === "final") !== final;
    if (!warning.open && !dismissed) {
      said.textContent = "";
      count();
      warning.showModal();
    }
    if (!ticking) ticking = setInterval(tick, 1000);
  }

  function calm() {
    clearInterval(ticking);
    ticking = 0;
    if (warning.open) warning.close();
  }

  function count() {
    const seconds = secondsLeft();
    for (const place of warning.querySelectorAll("[data-countdown]")) place.textContent = ` ${inWords(seconds)} `;
    if (ANNOUNCED.includes(seconds)) said.textContent = `还有 ${inWords(seconds)}自动退出。`;
  }

  function tick() {
    const seconds = secondsLeft();
    count();
    if (seconds <= KEEP_BEFORE) keep();
    if (seconds <= 0) {
      clearInterval(ticking);
      ticking = 0;
      look();
    } else if (Date.now() - asked > 5000) ask().catch(() => {}); // somebody may have gone on in another tab
  }

  function goOn() {
    if (final) {
      dismissed = true;
      warning.close();
      return;
    }
    post(warning.dataset.stay).then(reckon, look);
  }

  warning.querySelector("[data-stays]").addEventListener("click", goOn);
  // Escape closes a dialog; whoever presses it is there, so it means 继续.
  warning.addEventListener("cancel", (event) => { event.preventDefault(); goOn(); });

  // --- The end ---

  async function finish(keepable = true) {
    if (over) return;
    over = true;
    clearTimeout(timer);
    clearInterval(ticking);
    document.documentElement.classList.add("session-over");
    if (warning.open) warning.close();
    if (keepable) await keep();
    location.replace(`${warning.dataset.over}?${new URLSearchParams({ next: way })}`);
  }

  // A machine that slept, a tab that lay behind others, a page that the back button brought back: timers stood still.
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !over) look(); });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    over = false;
    document.documentElement.classList.add("session-over"); // until the server has said that it is not
    ask().then(() => { if (!over) document.documentElement.classList.remove("session-over"); }, () => finish());
  });
  wait(Number(warning.dataset.asksAfter));
})();
