// The page of one registration at the committee's desk: its keys, its forms in place, the claim, the seconds of 撤销.
// Without this script the same steps are links and buttons. The server decides about everything; this only asks.
"use strict";

(() => {
  const desk = document.querySelector("[data-desk]");
  if (!desk) return;
  const said = document.querySelector("[data-said]");
  const help = document.getElementById("desk-keys");
  const RENEW_EVERY = 4 * 60; // seconds; a claim lasts ten minutes
  const token = () => document.querySelector("input[name=csrfmiddlewaretoken]").value;

  // What is put there after the page is read is read aloud.
  function say(sentence) { said.textContent = sentence; }

  // --- Sending once, and not about a photo that was not seen ---

  let sent = false;

  function photoIsShown() {
    const photo = desk.querySelector(".eye-frame img");
    return !photo || (photo.complete && photo.naturalWidth > 0);
  }

  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (sent) { event.preventDefault(); return; }
    if (event.target.matches("[data-approve]") && !photoIsShown()) {
      event.preventDefault();
      say("照片还没有显示出来，请看到照片后再通过。一直没有的，请刷新页面。");
      return;
    }
    sent = true;
  });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  // --- The forms in place ---

  let opener = null;

  function open(link) {
    const form = document.getElementById(link.dataset.opens);
    if (!form) return false;
    close();
    opener = link;
    form.hidden = false;
    form.scrollIntoView({ block: "nearest" });
    form.querySelector("input:not([type=hidden]), textarea, select").focus();
    return true;
  }

  function close() {
    if (!opener) return;
    document.getElementById(opener.dataset.opens).hidden = true;
    opener.focus();
    opener = null;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-opens]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && open(link)) event.preventDefault();
    if (event.target.closest("[data-close]")) close();
    if (event.target.closest("[data-shows-keys]")) help.showModal();
  });

  // --- Keys ---

  const keysOn = help.querySelector("[data-keys-on]");
  keysOn.addEventListener("change", () => {
    showKeys();
    const body = new URLSearchParams({ on: keysOn.checked ? "1" : "", csrfmiddlewaretoken: token() });
    fetch(keysOn.dataset.keysOn, { method: "POST", body, credentials: "same-origin" }).catch(() => { /* it holds on this page */ });
  });

  function showKeys() {
    document.body.classList.toggle("keys-off", !keysOn.checked);
    document.querySelectorAll("[data-key]").forEach((target) => {
      if (keysOn.checked) target.setAttribute("aria-keyshortcuts", target.dataset.key.toUpperCase());
      else target.removeAttribute("aria-keyshortcuts");
    });
  }
  document.querySelector("[data-keys]").hidden = false;
  showKeys();

  const isTyping = (target) => target.closest("textarea, select, [contenteditable]")
    || (target.matches("input") && !/^(checkbox|radio|button|submit)$/.test(target.type));

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.repeat || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") { close(); return; }
    if (event.key === "Enter" && event.ctrlKey && opener) {
      event.preventDefault();
      document.querySelector(`#${opener.dataset.opens} form`).requestSubmit();
      return;
    }
    if (!keysOn.checked || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    const target = [...document.querySelectorAll("[data-key]")].find((found) => found.dataset.key === event.key.toLowerCase());
    if (!target || target.closest("[hidden]")) return;
    event.preventDefault();
    target.click();
  });

  // --- The claim ---

  const address = desk.dataset.claim;
  const notice = document.querySelector("[data-claimed]");
  let until = "";

  async function claim(first) {
    const body = new URLSearchParams({ do: "claim", scripted: "1", csrfmiddlewaretoken: token() });
    try {
      const answer = await fetch(address, { method: "POST", body, credentials: "same-origin", signal: AbortSignal.timeout(8000) });
      if (!answer.ok || !answer.headers.get("Content-Type").startsWith("application/json")) return;
      show(await answer.json(), first);
    } catch { /* the line is bad: the claim ends by itself, and the decision is asked for all the same */ }
  }

  function show(held, first) {
    until = held.mine ? held.until : "";
    notice.textContent = held.sentence;
    notice.hidden = !held.sentence;
    notice.classList.toggle("others", Boolean(held.sentence) && !held.mine);
    if (held.sentence && !held.mine) {
      if (first) location.reload(); // nothing was typed yet: show the page of what somebody else looks at
      else say(`${held.sentence}您还没有作的决定，请先与对方商量。`);
    }
  }

  function leave() {
    if (!until || sent) return;
    const body = new FormData();
    Object.entries({ do: "release", scripted: "1", until, csrfmiddlewaretoken: token() }).forEach(([name, value]) => body.set(name, value));
    navigator.sendBeacon(address, body);
    until = "";
  }

  function begin() {
    claim(true);
    setInterval(() => { if (until && !document.hidden) claim(false); }, RENEW_EVERY * 1000);
    document.addEventListener("visibilitychange", () => { if (until && !document.hidden) claim(false); });
    addEventListener("pagehide", leave);
  }

  if (address && document.prerendering) document.addEventListener("prerenderingchange", begin, { once: true });
  else if (address) begin();

  // --- What was done just now, and how long it can be taken back ---

  const done = document.querySelector("[data-done]");
  const undo = document.querySelector("[data-undo]");
  if (undo) {
    const countdown = undo.querySelector("[data-countdown]");
    const end = performance.now() + done.dataset.left * 1000;
    const tick = setInterval(() => {
      const left = Math.ceil((end - performance.now()) / 1000);
      countdown.textContent = `${left} 秒内可以撤销`;
      if (left > 0 || sent) return;
      clearInterval(tick);
      if (undo.contains(document.activeElement)) document.getElementById("desk-title").focus();
      undo.hidden = true;
    }, 250);
  }

  // The next page begins at its title, after what has become of the one before.
  const messages = [...document.querySelectorAll(".messagelist li")].map((line) => line.textContent.trim());
  if (done) messages.push(done.querySelector("p").textContent.trim() + (undo ? "十秒钟内可以按 Z 撤销。" : ""));
  if (done || messages.length) {
    document.getElementById("desk-title").focus({ preventScroll: true });
    say(messages.join(" "));
  }
})();
