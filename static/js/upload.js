/* The upload page: show what was chosen, send it with a bar and 取消, and say what went wrong; the chosen file stays. */
const form = document.getElementById("upload-form");
const input = document.getElementById("photo");
const button = document.getElementById("upload-button");
const cancel = document.getElementById("upload-cancel");
const wayBack = document.getElementById("upload-way-back");
const chosen = document.getElementById("photo-chosen");
const preview = document.getElementById("photo-preview");
const caption = document.getElementById("photo-name");
const warning = document.getElementById("photo-warning");
const picked = document.getElementById("photo-picked");
const status = document.getElementById("photo-status");
const number = document.getElementById("photo-number");
const progress = document.getElementById("photo-progress");
const bar = document.getElementById("photo-bar");
const sent = document.getElementById("photo-sent");
const mostBytes = Number(form.dataset.mostBytes);
const megabyte = 1024 * 1024;
const stalledAfter = 60; /* seconds without a byte sent */
const answerWithin = 120; /* seconds for the server to judge what it has received */
const openWithin = 20; /* seconds for an answer to a small question */

/* Each file that is chosen has a number, by which the server knows it again when its answer was lost on the way. */
let unanswered = false; /* it was sent, and nobody has said whether it arrived */
let whole = false; /* everything has left */
let ready = ""; /* where to crop what has arrived */

function sizeInWords(bytes) {
  if (bytes < megabyte) return `${Math.max(1, Math.round(bytes / 1024))} KB`;
  /* Never say that 20 MB are more than 20 MB. */
  const shown = bytes > mostBytes ? Math.max(bytes, mostBytes + megabyte / 10) : bytes;
  return `${String(Math.round((shown * 10) / megabyte) / 10)} MB`;
}

/* For readers of screens; `seen` by everybody, where nothing else on the page says it. */
function say(sentence, seen = false) {
  status.textContent = sentence;
  status.classList.toggle("visually-hidden", !seen);
}

/* `link`, if given, is [what it is called, where it leads]. */
function warn(sentence, link) {
  warning.textContent = sentence;
  if (link) {
    const anchor = document.createElement("a");
    [anchor.textContent, anchor.href] = link;
    warning.append(anchor);
  }
  warning.hidden = !sentence;
}

/* The refusal was about the file before this one. */
function forget() {
  document.getElementById("photo-error")?.remove();
  document.getElementById("photo-summary")?.remove();
  input.removeAttribute("aria-invalid");
  input.setAttribute("aria-describedby", "photo-hint photo-warning");
}

function show() {
  if (preview.src) URL.revokeObjectURL(preview.src);
  preview.removeAttribute("src");
  warn("");
  say("");
  button.textContent = "上传";
  [unanswered, whole, ready] = [false, false, ""];
  number.value = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const file = input.files[0];
  chosen.hidden = !file;
  picked.textContent = file ? file.name : "还没有选择照片";
  if (!file) return;
  forget();
  if (file.size > mostBytes) {
    warn(`您的照片有 ${sizeInWords(file.size)}，最多 ${form.dataset.mostMegabytes} MB。请把照片缩小后再选，或换一张照片。`);
    chosen.hidden = true;
    return;
  }
  preview.hidden = false;
  preview.src = URL.createObjectURL(file);
  caption.textContent = `${file.name}（${sizeInWords(file.size)}）`;
  say(`已选择 ${caption.textContent}`);
}

/* A HEIC photo, or a file that is no picture: the server will judge it, the browser only cannot show it. */
preview.addEventListener("error", () => {
  preview.hidden = true;
  caption.textContent += "：浏览器无法预览，能不能用，上传后由系统检查。";
});

/* --- Sending --- */

let request = null;
let timer = 0;
let attempt = 0; /* what comes late of one that was given up is not heeded */

function busy(isBusy) {
  input.disabled = button.disabled = isBusy;
  cancel.hidden = progress.hidden = !isBusy;
  wayBack.hidden = isBusy;
}

/* Over without success: the file is still chosen, and one press goes on from here. */
function stop(sentence, link, again = "重新上传") {
  clearTimeout(timer);
  attempt += 1;
  request = null;
  busy(false);
  button.textContent = again;
  warn(sentence, link);
  say("");
  button.focus();
}

function give(seconds, sentence, again) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const stuck = request;
    stop(sentence, undefined, again);
    stuck?.abort();
  }, seconds * 1000);
}

let announced = 0;
function moveBar(event) {
  if (!request) return;
  const share = event.total ? Math.floor((100 * event.loaded) / event.total) : 0;
  bar.value = share;
  sent.textContent = `正在上传：${share}%（共 ${sizeInWords(event.total)}）`;
  if (share >= announced + 25) {
    announced = share;
    say(`已上传 ${share}%`);
  }
  give(stalledAfter, `已有 ${stalledAfter} 秒传不出去，上传停下了。已选的照片还在，请换到信号好的地方，再点“重新上传”。`);
}

/* Everything has left: the server judges the file, and nobody knows how long that takes. */
function judged() {
  if (!request) return;
  whole = true;
  bar.removeAttribute("value");
  sent.textContent = "已传完，正在检查照片…";
  say(sent.textContent);
  give(answerWithin, "照片已传完，但系统迟迟没有回答。请过几分钟再点“继续”，已经传到的不会再传一遍。", "继续");
}

function send() {
  const body = new FormData(form); /* before the field is disabled */
  warn("");
  forget();
  [unanswered, whole, announced] = [true, false, 0];
  bar.value = 0;
  sent.textContent = "正在上传…";
  say("正在上传，请稍候。");
  busy(true);
  request = new XMLHttpRequest();
  const mine = request;
  request.upload.addEventListener("progress", moveBar);
  request.upload.addEventListener("load", judged);
  request.addEventListener("load", () => mine === request && answered(mine));
  request.addEventListener("error", () => mine === request && broken());
  request.addEventListener("abort", () => mine === request && abandon()); /* by the browser's own Stop */
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  give(stalledAfter, `已有 ${stalledAfter} 秒连不上，上传停下了。已选的照片还在，请检查网络，再点“重新上传”。`);
  request.send(body);
  cancel.focus();
}

function answered(answer) {
  const said = told(answer);
  unanswered = said.torn || answer.status >= 500; /* or whoever stands between us gave up waiting */
  if (said.next) {
    request = null;
    openCrop(said.next);
  } else if (said.refusal) {
    stop(said.refusal);
    if (answer.status === 422) input.setAttribute("aria-invalid", "true"); /* else it is not the file's fault */
  } else if (said.torn) lost();
  else if (answer.status < 400) signedOut(); /* a page in place of an answer: the way to signing in */
  else stop(...failures(answer));
}

/* To the crop page; but not before it is certain that somebody answers, or the browser's own page would be the end. */
async function openCrop(address) {
  clearTimeout(timer);
  const mine = attempt;
  ready = address;
  warn("");
  busy(true);
  cancel.hidden = true;
  bar.removeAttribute("value");
  sent.textContent = "照片已经传到，正在打开裁切页面…";
  say(sent.textContent);
  try {
    const answer = await small(address, { method: "HEAD" });
    if (mine !== attempt) return;
    if (answer.status < 500) {
      give(stalledAfter, "照片已经传到，但裁切页面迟迟没有打开。请检查网络，再点“继续裁切”，不用重新上传。", "继续裁切");
      location.assign(address);
    } else stop("照片已经传到，但系统暂时繁忙，裁切页面没有打开。请过几分钟再点“继续裁切”，不用重新上传。", undefined, "继续裁切");
  } catch {
    if (mine === attempt) stop("照片已经传到，但网络断开了，裁切页面没有打开。请检查网络，再点“继续裁切”，不用重新上传。", undefined, "继续裁切");
  }
}

function small(address, question) {
  return fetch(address, { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(openWithin * 1000), ...question });
}

/* Whether what was sent has arrived: the number alone, without the file. If not, the file is sent again. */
async function ask() {
  const mine = attempt;
  const body = new FormData(form);
  body.delete("photo");
  warn("");
  busy(true);
  cancel.hidden = true;
  bar.removeAttribute("value");
  sent.textContent = "正在确认照片是否已经传到…";
  say(sent.textContent);
  let answer;
  try {
    answer = await small(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  } catch {
    if (mine === attempt) lost();
    return;
  }
  const { next } = await answer.json().catch(() => ({}));
  if (mine !== attempt) return;
  if (next) openCrop(next);
  else {
    busy(false); /* or the field, disabled, would not be sent */
    send();
  }
}

function lost() {
  stop("网络断开了，没有收到系统的回答。请检查网络，再点“继续”，已经传到的不会再传一遍。", undefined, "继续");
}

function told(answer) {
  if (!/^application\/json/.test(answer.getResponseHeader("Content-Type") ?? "")) return {};
  try {
    return JSON.parse(answer.responseText);
  } catch {
    return { torn: true }; /* cut off on the way */
  }
}

const staysChosen = "照片没有保存。已选的照片还在，";
function failures(answer) {
  if (answer.status === 413) return [`照片太大，系统没有收下。最多 ${form.dataset.mostMegabytes} MB，请把照片缩小后再选，或换一张照片。`];
  if (answer.status === 403) return ["这个页面打开得太久，已经失效，照片没有保存。请", ["刷新页面后再选一次", location.href]];
  if (answer.status === 429) return [`上传的次数太多了，${staysChosen}请过几分钟再点“重新上传”。`];
  if ([502, 503, 504].includes(answer.status)) return [`系统暂时繁忙，${staysChosen}请过几分钟再点“重新上传”。`];
  return [`系统出了问题，${staysChosen}请再试一次；如果仍然不行，请联系组委会。`];
}

function signedOut() {
  stop("登录已经退出，照片没有保存。请", ["重新登录，再选一次照片", location.href]);
}

/* A broken line, or a redirect to another site's sign-in, which a browser reports alike: so ask whether we are in. */
async function broken() {
  clearTimeout(timer);
  const mine = attempt;
  const session = document.getElementById("session-warning")?.dataset;
  if (navigator.onLine && session) {
    try {
      const answer = await fetch(session.remaining, { cache: "no-store", signal: AbortSignal.timeout(8000) });
      const { left, whose } = await answer.json();
      if (mine === attempt && (left <= 0 || whose !== session.whose)) return signedOut();
    } catch {
      /* Nobody answers: a broken line. */
    }
  }
  if (mine !== attempt) return;
  if (whole) return lost();
  stop("网络断开了，照片没有传完。已选的照片还在，请检查网络，再点“重新上传”。");
}

input.addEventListener("change", show);
/* Given up, by 取消, by the browser's own Stop, or because the page was left: how it stands, and what can be done. */
function abandon() {
  const given = request;
  const [again, sentence] = ready
    ? ["继续裁切", "已停止打开裁切页面。照片已经传到，点“继续裁切”接着做，不用重新上传。"]
    : whole
      ? ["继续", "已取消。照片可能已经传到，点“继续”可以接着裁切，也可以换一张照片。"]
      : ["重新上传", "已取消上传。已选的照片还在，可以点“重新上传”，或换一张照片。"];
  stop("", undefined, again);
  given?.abort();
  say(sentence, true);
}

cancel.addEventListener("click", abandon);
/* Stop while the crop page is being opened; where the browser does not tell of it, Esc, which is the same by key. */
function notOpened() {
  if (ready && button.disabled) abandon();
}
window.navigation?.addEventListener("navigateerror", notOpened);
window.addEventListener("keydown", (event) => {
  if (event.key === "Escape") notOpened();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (request) return;
  if (input.files[0]?.size > mostBytes) input.focus();
  else if (ready) openCrop(ready);
  else if (unanswered) ask();
  else send();
});
/* Back to this page by the browser's back button; what was under way when it was left is not, any more. */
window.addEventListener("pageshow", (event) => {
  if (event.persisted && button.disabled) return abandon();
  if (request) return;
  busy(false);
  show();
});
form.classList.add("scripted");
picked.hidden = false;
document.getElementById("photo-summary")?.focus();
