/* The upload page: show what was chosen, say at once what is too large, and send it only once. */
const form = document.getElementById("upload-form");
const input = document.getElementById("photo");
const button = document.getElementById("upload-button");
const chosen = document.getElementById("photo-chosen");
const preview = document.getElementById("photo-preview");
const caption = document.getElementById("photo-name");
const warning = document.getElementById("photo-warning");
const picked = document.getElementById("photo-picked");
const status = document.getElementById("photo-status");
const mostBytes = Number(form.dataset.mostBytes);
const megabyte = 1024 * 1024;

function sizeInWords(bytes) {
  if (bytes < megabyte) return `${Math.max(1, Math.round(bytes / 1024))} KB`;
  /* Never say that 20 MB are more than 20 MB. */
  const shown = bytes > mostBytes ? Math.max(bytes, mostBytes + megabyte / 10) : bytes;
  return `${String(Math.round((shown * 10) / megabyte) / 10)} MB`;
}

function warn(sentence) {
  warning.textContent = sentence;
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
  status.textContent = `已选择 ${caption.textContent}`;
}

/* A HEIC photo, or a file that is no picture: the server will judge it, the browser only cannot show it. */
preview.addEventListener("error", () => {
  preview.hidden = true;
  caption.textContent += "：浏览器无法预览，上传后可以看到。";
});

input.addEventListener("change", show);
form.addEventListener("submit", (event) => {
  const file = input.files[0];
  if (file && file.size > mostBytes) {
    event.preventDefault();
    input.focus();
    return;
  }
  button.disabled = true;
  button.textContent = "正在上传…";
  status.textContent = "正在上传，请稍候。";
});
/* Back to this page by the browser's back button. */
window.addEventListener("pageshow", () => {
  button.disabled = false;
  button.textContent = "上传";
  show();
});
form.classList.add("scripted");
picked.hidden = false;
document.getElementById("photo-summary")?.focus();
