/* The crop page: the picture moves, zooms and turns under a fixed frame, by pointer, wheel, touch, keys and buttons. */
const form = document.getElementById("crop-form");
const stage = document.getElementById("crop-stage");
const picture = document.getElementById("crop-picture");
const shade = document.getElementById("crop-shade");
const frame = document.getElementById("crop-frame");
const preview = document.getElementById("crop-preview");
const size = document.getElementById("crop-size");
const status = document.getElementById("crop-status");
const warning = document.getElementById("crop-warning");
const save = document.getElementById("crop-save");

const image = document.getElementById("picture");
const confirming = document.getElementById("crop-confirm");

const whole = { width: Number(form.dataset.width), height: Number(form.dataset.height) };
const spec = { width: Number(form.dataset.specWidth), height: Number(form.dataset.specHeight) };
const least = { width: Number(form.dataset.leastWidth), height: Number(form.dataset.leastHeight) };
/* As PhotoSpec.box_height() and suggest_box() in photos/pipeline.py reckon. */
const heightOf = (boxWidth) => Math.floor((2 * boxWidth * spec.height + spec.width) / (2 * spec.width));

/* Of the picture as it is turned: `turns` quarter turns clockwise. */
let turns = field("turns");
let width, height, largest, smallest;
measure();

/* The frame in pixels of the picture, not rounded, so that slow dragging adds up. */
const box = { left: field("left"), top: field("top"), width: field("width") };

function field(name) {
  return Number(form.elements[name].value);
}

function measure() {
  [width, height] = turns % 2 ? [whole.height, whole.width] : [whole.width, whole.height];
  /* Of the smallest picture that is taken, the whole: its height may have been rounded down. As _held() in photos/cropping.py. */
  smallest = least.width;
  largest = Math.max(Math.min(width, Math.floor((height * spec.width) / spec.height)), smallest);
}

function within(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

/* Keep the frame inside the picture. True when it had to be held back. */
function hold() {
  const wanted = { ...box };
  box.width = within(box.width, smallest, largest);
  box.left = within(box.left, 0, width - Math.round(box.width));
  box.top = within(box.top, 0, height - heightOf(Math.round(box.width)));
  return Math.abs(wanted.left - box.left) + Math.abs(wanted.top - box.top) + Math.abs(wanted.width - box.width) > 0.5;
}

function rounded() {
  const boxWidth = Math.round(box.width);
  const boxHeight = heightOf(boxWidth);
  return {
    left: within(Math.round(box.left), 0, width - boxWidth),
    top: within(Math.round(box.top), 0, height - boxHeight),
    width: boxWidth,
    height: boxHeight,
  };
}

function draw() {
  const now = rounded();
  const tall = heightOf(box.width);
  const shape = Math.max(1, stage.clientWidth) / Math.max(1, stage.clientHeight);
  /* The frame fills most of the stage, whichever side is the tighter one. */
  const viewHeight = Math.max(tall / 0.88, box.width / 0.92 / shape);
  const viewWidth = viewHeight * shape;
  const view = [box.left + (box.width - viewWidth) / 2, box.top + (tall - viewHeight) / 2, viewWidth, viewHeight];
  picture.setAttribute("viewBox", view.join(" "));
  shade.setAttribute(
    "d",
    `M0 0H${width}V${height}H0ZM${box.left} ${box.top}h${box.width}v${tall}h${-box.width}z`,
  );
  for (const [name, value] of [["x", box.left], ["y", box.top], ["width", box.width], ["height", tall]]) {
    frame.setAttribute(name, value);
  }
  preview.setAttribute("viewBox", `${now.left} ${now.top} ${now.width} ${now.height}`);
  size.textContent = `${now.width}×${now.height}`;
  for (const name of ["left", "top", "width"]) form.elements[name].value = now[name];
  form.elements.turns.value = turns;
}

/* As TRANSFORMS in photos/views.py: the picture as it lies in the file, turned into the place that it then takes. */
function drawTurned() {
  const transforms = [
    "",
    `translate(${whole.height} 0) rotate(90)`,
    `translate(${whole.width} ${whole.height}) rotate(180)`,
    `translate(0 ${whole.width}) rotate(-90)`,
  ];
  image.setAttribute("transform", transforms[turns]);
  document.getElementById("crop-whole").textContent = `${width}×${height}`;
  draw();
}

let timer = 0;
function announce(prefix) {
  const { left, top, width: boxWidth, height: boxHeight } = rounded();
  clearTimeout(timer);
  timer = setTimeout(() => {
    status.textContent = `${prefix}裁切框距左边 ${left}、距上边 ${top}，宽 ${boxWidth}、高 ${boxHeight} 像素。`;
  }, 300);
}

/* What was found doubtful was found in another frame: it is no longer for this one that it can be confirmed. */
let outdated = false;
function changed() {
  if (!confirming || outdated) return;
  outdated = confirming.disabled = true;
  document.getElementById("doubts-way").textContent = "裁切框已调整，请点“裁切照片并保存”，系统会重新检查。";
}

function settle(limit) {
  const held = hold();
  draw();
  changed();
  announce(held ? limit : "");
}

function move(right, down) {
  box.left += right;
  box.top += down;
  settle("已到照片边缘。");
}

/* A factor above 1 takes in more of the picture. The point at (x, y), in shares of the frame, stays where it is. */
function zoom(factor, x = 0.5, y = 0.5) {
  const before = { width: box.width, height: heightOf(box.width) };
  box.width = within(box.width * factor, smallest, largest);
  box.left += (before.width - box.width) * x;
  box.top += (before.height - heightOf(box.width)) * y;
  const stuck = box.width === before.width;
  hold();
  draw();
  changed();
  announce(!stuck ? "" : factor < 1 ? `不能再放大，裁切框至少要有 ${least.width}×${least.height} 像素。` : "不能再缩小，已是照片的最大范围。");
}

/* A quarter turn, 1 clockwise or -1; what is in the middle of the frame stays there. As in photos/cropping.py. */
function turn(quarter) {
  const to = quarter > 0 ? "右" : "左";
  if (height < least.width || width < least.height) {
    announce(`照片不能向${to}转：转过来只有 ${height}×${width} 像素，至少需要 ${least.width}×${least.height} 像素。`);
    return;
  }
  const tall = heightOf(box.width);
  const [x, y] = [box.left + box.width / 2, box.top + tall / 2];
  const middle = quarter > 0 ? [height - y, x] : [y, width - x];
  turns = (turns + quarter + 4) % 4;
  measure();
  hold(); /* a frame that is too large is made smaller around its middle */
  box.left = middle[0] - box.width / 2;
  box.top = middle[1] - heightOf(box.width) / 2;
  hold();
  drawTurned();
  changed();
  announce(`照片已向${to}转 90 度。`);
}

const steps = {
  "turn-left": () => turn(-1),
  "turn-right": () => turn(1),
  up: (share) => move(0, -share * heightOf(box.width)),
  down: (share) => move(0, share * heightOf(box.width)),
  left: (share) => move(-share * box.width, 0),
  right: (share) => move(share * box.width, 0),
  in: (share) => zoom(1 - share),
  out: (share) => zoom(1 / (1 - share)),
};
const keys = {
  ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right",
  "+": "in", "=": "in", "-": "out", _: "out", "−": "out",
  r: "turn-right", "]": "turn-right", "】": "turn-right", R: "turn-left", "[": "turn-left", "【": "turn-left",
};

stage.addEventListener("keydown", (event) => {
  const step = keys[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const fine = step !== "in" && step !== "out" && !event.shiftKey;
  steps[step](fine ? 0.02 : 0.1);
});

for (const button of form.querySelectorAll("button[name=move]")) {
  button.type = "button"; /* without this script it sends the form, and the server moves the frame */
  button.addEventListener("click", () => steps[button.value](button.value === "in" || button.value === "out" ? 0.1 : 0.05));
}

/* --- Pointers: one drags the picture, two zoom it --- */

const pointers = new Map();

function pixelsPerPoint() {
  const matrix = picture.getScreenCTM();
  return matrix ? 1 / matrix.a : 1;
}

function inFrame(x, y) {
  const edges = frame.getBoundingClientRect();
  return [(x - edges.left) / edges.width, (y - edges.top) / edges.height];
}

stage.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
});

stage.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const now = { x: event.clientX, y: event.clientY };
  const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
  const scale = pixelsPerPoint() / pointers.size;
  pointers.set(event.pointerId, now);
  move((before.x - now.x) * scale, (before.y - now.y) * scale);
  if (other) {
    const distance = (point) => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
    zoom(distance(before) / distance(now), ...inFrame((now.x + other.x) / 2, (now.y + other.y) / 2));
  }
});

for (const kind of ["pointerup", "pointercancel"]) {
  stage.addEventListener(kind, (event) => pointers.delete(event.pointerId));
}

stage.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    const turn = within(event.deltaY * (event.deltaMode ? 20 : 1), -200, 200);
    zoom(Math.exp(turn * 0.001), ...inFrame(event.clientX, event.clientY));
  },
  { passive: false },
);

image.addEventListener("error", () => {
  status.textContent = "照片没有显示出来，请刷新页面再试。";
});

/* --- Saving: not before it is certain that somebody answers, or the browser's own page would be the end --- */

const saveName = save.textContent;
const savedWithin = 60; /* seconds for the server to cut, judge and keep the portrait */
let pressed = null; /* the button by which it is being saved */
let answered = false;
let attempt = 0; /* what comes late of one that was given up is not heeded */
let patience = 0;

function warn(sentence) {
  warning.textContent = sentence;
  warning.hidden = !sentence;
  clearTimeout(timer); /* What was to be said of the frame is said too late. */
  status.textContent = "";
}

/* Not being saved, or no longer: it can be tried (again). */
function release(sentence) {
  clearTimeout(patience);
  attempt += 1;
  answered = save.disabled = false;
  save.textContent = saveName;
  if (confirming) confirming.disabled = outdated;
  warn(sentence);
  pressed?.focus(); /* it lost the focus when it was disabled */
  pressed = null;
}

form.addEventListener("submit", (event) => {
  if (!answered) {
    event.preventDefault();
    if (!pressed) ask(event.submitter ?? save);
    return;
  }
  /* Once; but not before the form has been read, or the button that was pressed would be missing from it. */
  setTimeout(() => {
    save.disabled = true;
    if (confirming) confirming.disabled = true;
  });
  patience = setTimeout(
    () => release("系统迟迟没有回答，照片可能还没有保存。裁切框还在原处，请检查网络，再点一次。"),
    savedWithin * 1000,
  );
});

async function ask(submitter) {
  const mine = attempt;
  let sentence = "系统暂时繁忙，照片没有保存。裁切框还在原处，请过几分钟再点一次。";
  pressed = submitter;
  warn("");
  save.textContent = "正在保存…";
  status.textContent = "正在保存，请稍候。";
  try {
    const signal = AbortSignal.timeout(20_000);
    const answer = await fetch(form.action, { method: "HEAD", cache: "no-store", redirect: "manual", signal });
    answered = mine === attempt && answer.status < 500;
  } catch {
    sentence = "网络断开了，照片没有保存。裁切框还在原处，请检查网络，再点一次。";
  }
  if (mine !== attempt) return;
  if (answered) form.requestSubmit(submitter);
  else release(sentence);
}

/* The browser's own Stop; where the browser does not tell of it, Esc, which is the same by key. */
function stopped() {
  if (answered) release("已停止保存，照片可能还没有保存。裁切框还在原处，需要时请再点一次。");
}
window.navigation?.addEventListener("navigateerror", stopped);
window.addEventListener("keydown", (event) => {
  if (event.key === "Escape") stopped();
});
window.addEventListener("pageshow", (event) => {
  save.disabled = false;
  if (!event.persisted) return;
  changed(); /* whatever the frame was then, it is asked anew */
  release("");
});

form.classList.add("scripted");
stage.tabIndex = 0;
stage.setAttribute("role", "application");
new ResizeObserver(draw).observe(stage);
hold();
draw();
document.getElementById("crop-error")?.focus();
