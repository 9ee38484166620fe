const [WIDTH, HEIGHT] = DATA.size;
const FRAMES = DATA.frames;
const LAST = FRAMES.length - 1;
const BLACK = [0, 0, 0];
const WHITE = [255, 255, 255];
const RULE_ONLY = [240, 150, 40];
const EXACT_ONLY = [70, 150, 255];
const MASK_BITS = {
  forward: { occlusion: 0, exact: 1, valid: 2 },
  backward: { occlusion: 3, exact: 4, valid: 5 },
};
const WAYS = ["forward", "backward"];
const MAGNIFICATION = 4;

const state = { index: 0, layer: "frame", way: "forward", beside: false, opacity: 100, leftOut: "rule", playing: false, flipped: false };

// ---- pictures of the page ----

// Decoded pictures, those looked at longest ago first.
const decoded = new Map();
const KEPT = 64;

function decode(id) {
  let picture = decoded.get(id);
  decoded.delete(id);
  if (picture === undefined) {
    picture = decodeNow(id);
    if (decoded.size >= KEPT) decoded.delete(decoded.keys().next().value);
  }
  decoded.set(id, picture);
  return picture;
}

function bytesOf(id) {
  const binary = atob(byId(id).textContent);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function decodeNow(id) {
  const bitmap = await createImageBitmap(new Blob([bytesOf(id)], { type: "image/webp" }), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height).data;
}

const stored = (index) => DATA.shown[index] || null;
const has = (index, name) => Boolean(stored(index) && stored(index).pictures[name]);
const pixelsOf = (index, name) => decode(stored(index).pictures[name]);
const other = (index, way, step = 1) => index + (way === "forward" ? step : -step);
// How many frames apart the frames of a layer's pairs are.
const stepOf = (layer) => layer && layer.step ? layer.step() : 1;
const hasMask = (index, bit) => has(index, "masks") && stored(index).masks.includes(bit);
const hasFrame = (index) => has(index, "frame") || Boolean(stored(index) && stored(index).line_color);

function number(pixels, place) {
  return pixels[place] | pixels[place + 1] << 8 | pixels[place + 2] << 16;
}

// Pixels made one by one: color(number of the pixel, its place among the bytes) gives red, green and blue.
function paint(color) {
  const pixels = new Uint8ClampedArray(4 * WIDTH * HEIGHT);
  for (let i = 0, place = 0; i < WIDTH * HEIGHT; i++, place += 4) {
    const rgb = color(i, place);
    pixels[place] = rgb[0];
    pixels[place + 1] = rgb[1];
    pixels[place + 2] = rgb[2];
    pixels[place + 3] = 255;
  }
  return pixels;
}

async function framePixels(index) {
  const line = stored(index).line_color;
  if (!line) return pixelsOf(index, "frame");
  const [flat, contour] = await Promise.all([pixelsOf(index, "flat"), pixelsOf(index, "contour")]);
  const pixels = new Uint8ClampedArray(flat);
  for (let place = 0; place < pixels.length; place += 4) {
    if (contour[place] === 0) [pixels[place], pixels[place + 1], pixels[place + 2]] = line;
  }
  return pixels;
}

// ---- matches ----

// The targets of each segment, best first; an empty list where there is none.
function matchesOf(index, way) {
  const text = stored(index) && stored(index).matches[way];
  if (text === undefined || text === null) return null;
  if (text === "") return [];
  return text.split(" ").map((targets) => targets === "-" ? [] : targets.split(",").map(Number));
}

// Of each segment of the other frame the segment that reaches it: one that names it earliest, of these the largest.
function reachedBy(matches, pixels) {
  const sizes = new Map();
  for (let place = 0; place < pixels.length; place += 4) {
    const label = number(pixels, place);
    sizes.set(label, (sizes.get(label) || 0) + 1);
  }
  const reached = new Map();
  matches.forEach((targets, source) => targets.forEach((target, rank) => {
    const size = sizes.get(source) || 0;
    const before = reached.get(target);
    if (!before || rank < before.rank || (rank === before.rank && size > before.size)) reached.set(target, { source, rank, size });
  }));
  return reached;
}

const labelColor = (label) => DATA.label_colors[label % DATA.label_colors.length];

// ---- layers ----

// What each layer needs, how it is drawn, and what stands under it.  `pair` layers belong to a direction; `choices` are
// the controls that belong to it; `of` says whose it is.
const LAYERS = [
  { id: "frame", key: "1", name: "Frame", there: hasFrame, draw: framePixels, legend: () => [] },
  { id: "contour", key: "2", name: "Lines", there: (i) => has(i, "contour"), draw: (i) => pixelsOf(i, "contour"), legend: () => [] },
  { id: "flat", key: "3", name: "Flat", there: (i) => has(i, "flat"), draw: (i) => pixelsOf(i, "flat"), legend: () => [] },
  { id: "flow", key: "4", name: "Flow", pair: true, there: (i, way) => has(i, `flow_${way}`), draw: drawFlow, legend: flowLegend },
  { id: "occlusion", key: "5", name: "Occlusion", pair: true, there: (i, way) => hasMask(i, MASK_BITS[way].occlusion),
    draw: (i, way) => drawMask(i, MASK_BITS[way].occlusion), legend: (count) => maskLegend(count, "occluded by the paper's rule (flow there and back)", "visible") },
  { id: "exact", key: "6", name: "Exact occl.", title: "exact occlusion", pair: true, there: (i, way) => hasMask(i, MASK_BITS[way].exact),
    draw: (i, way) => drawMask(i, MASK_BITS[way].exact), legend: (count) => maskLegend(count, "hidden or outside the picture, by the geometry", "visible") },
  { id: "difference", key: "7", name: "Rule / exact", title: "rule against exact occlusion", pair: true,
    there: (i, way) => hasMask(i, MASK_BITS[way].occlusion) && hasMask(i, MASK_BITS[way].exact), draw: drawDifference, legend: differenceLegend },
  { id: "segments", key: "8", name: "Segments", there: (i) => has(i, "segments"), draw: drawSegments,
    legend: (count) => [note(`${count.segments} segments. A number has the same colour in every frame; which of them are the same region, Matches shows.`)] },
  { id: "matches", key: "9", name: "Matches", pair: true, two: true,
    there: (i, way) => has(i, "segments") && has(other(i, way), "segments") && matchesOf(i, way) !== null, draw: drawMatches, legend: matchLegend },
  { id: "warp", key: "0", name: "Warp diff.", title: "warp difference", pair: true, choices: ["left-out"], there: (i, way) => has(i, `warp_${way}`),
    draw: (i, way) => drawWarp(i, way, "warp"), legend: () => warpLegend("colour frames") },
  { id: "warp_flat", key: "F", name: "Flat warp diff.", title: "warp difference of the flat frames", pair: true, choices: ["left-out"], there: (i, way) => has(i, `warp_flat_${way}`),
    draw: (i, way) => drawWarp(i, way, "warp_flat"), legend: () => warpLegend("frames without lines") },
  { id: "valid", key: "V", name: "Valid", pair: true, there: (i, way) => hasMask(i, MASK_BITS[way].valid),
    draw: (i, way) => drawMask(i, MASK_BITS[way].valid), legend: (count) => maskLegend(count, "motion known", "unknown") },
  { id: "materials", key: "M", name: "Materials", there: (i) => has(i, "materials"), draw: drawMaterials,
    legend: () => [note("Material ids; point at a surface to read its name.")] },
  { id: "passes", key: "C", name: "Colours", title: "colour passes", there: (i) => has(i, "passes"), draw: (i) => pixelsOf(i, "passes"),
    legend: () => [note("The first colour passes, at most four, small and side by side.")] },
  ...DRAWN_LAYERS,
];
const layerOf = (id) => LAYERS.find((layer) => layer.id === id);
const everThere = (layer) => FRAMES.some((_, i) => WAYS.some((way) => (layer.ever || layer.there)(i, way)));
fillChoices();
const OFFERED = LAYERS.filter(everThere);

// What the last drawing counted, for the legend.
let counted = {};

async function drawFlow(index, way) {
  const [flow, masks] = await Promise.all([pixelsOf(index, `flow_${way}`), has(index, "masks") ? pixelsOf(index, "masks") : null]);
  const bit = MASK_BITS[way].valid;
  if (!masks || !hasMask(index, bit)) return flow;
  // a picture shown smaller mixes the edge of what is unknown with its neighbours; the mask does not
  return paint((_, place) => masks[place] >> bit & 1 ? flow.subarray(place, place + 3) : BLACK);
}

async function drawMask(index, bit) {
  const masks = await pixelsOf(index, "masks");
  let count = 0;
  const pixels = paint((_, place) => {
    const set = masks[place] >> bit & 1;
    count += set;
    return set ? WHITE : BLACK;
  });
  counted = { set: count / (WIDTH * HEIGHT) };
  return pixels;
}

async function drawDifference(index, way) {
  const masks = await pixelsOf(index, "masks");
  const { occlusion, exact } = MASK_BITS[way];
  const counts = [0, 0, 0, 0];
  const colors = [BLACK, RULE_ONLY, EXACT_ONLY, WHITE];
  const pixels = paint((_, place) => {
    const both = masks[place] >> occlusion & 1 | (masks[place] >> exact & 1) << 1;
    counts[both]++;
    return colors[both];
  });
  counted = { shares: counts.map((count) => count / (WIDTH * HEIGHT)) };
  return pixels;
}

async function drawSegments(index) {
  const segments = await pixelsOf(index, "segments");
  counted = { segments: stored(index).segments };
  return paint((_, place) => labelColor(number(segments, place)));
}

async function drawMatches(index, way) {
  const [source, target] = await Promise.all([pixelsOf(index, "segments"), pixelsOf(other(index, way), "segments")]);
  const matches = matchesOf(index, way);
  const reached = reachedBy(matches, source);
  const segments = stored(other(index, way)).segments;
  counted = { sources: matches.length, matched: matches.filter((targets) => targets.length).length, targets: segments, reached: reached.size };
  const left = paint((_, place) => {
    const label = number(source, place);
    return matches[label] && matches[label].length ? labelColor(label) : DATA.unmatched;
  });
  const right = paint((_, place) => {
    const by = reached.get(number(target, place));
    return by ? labelColor(by.source) : DATA.unmatched;
  });
  return [left, right];
}

async function drawWarp(index, way, name) {
  const [levels, masks] = await Promise.all([pixelsOf(index, `${name}_${way}`), has(index, "masks") ? pixelsOf(index, "masks") : null]);
  const bit = state.leftOut === "none" ? null : MASK_BITS[way][state.leftOut === "rule" ? "occlusion" : "exact"];
  const leave = bit !== null && masks && hasMask(index, bit);
  return paint((_, place) => DATA.warp_palette[leave && masks[place] >> bit & 1 ? 0 : levels[place]]);
}

async function drawMaterials(index) {
  const materials = await pixelsOf(index, "materials");
  return paint((_, place) => labelColor(number(materials, place)));
}

// ---- legends ----

const css = (rgb) => `rgb(${rgb[0]} ${rgb[1]} ${rgb[2]})`;
const note = (text) => make("p", {}, text);

function swatch(rgb, text) {
  const square = make("span", { class: "swatch" });
  square.style.background = css(rgb);
  return make("span", { class: "item" }, square, text);
}

function maskLegend(count, set, unset) {
  return [swatch(WHITE, `${set}: ${written(count.set, "share")}`), swatch(BLACK, unset)];
}

function differenceLegend(count) {
  const [, rule, exact, both] = count.shares.map((share) => written(share, "share"));
  return [swatch(WHITE, `both: ${both}`), swatch(RULE_ONLY, `only the paper's rule: ${rule}`), swatch(EXACT_ONLY, `only exact: ${exact}`), swatch(BLACK, "neither"),
    note("The rule also takes pixels beside an edge, and those of unknown motion, for hidden; it misses what a surface that moves alike hides.")];
}

function matchLegend(count) {
  return [swatch(DATA.unmatched, "no match"),
    note(`Left: ${count.matched} of ${count.sources} segments have a match. Right: ${count.reached} of ${count.targets} segments are reached, each in the colour of the segment that reaches it.`)];
}

function warpLegend(what) {
  const palette = DATA.warp_palette;
  const ramp = make("span", { class: "ramp" }, ...palette.slice(1).map((rgb) => {
    const step = make("i");
    step.style.background = css(rgb);
    return step;
  }));
  return [make("span", { class: "item" }, "0", ramp, `${DATA.warp_full} and more`), swatch(palette[0], "nothing to compare, or left out"),
    note(`Difference of the ${what} and the other one warped back, mean of the channels in 0..1, amplified ${1 / DATA.warp_full} times; below ${written(DATA.warp_full / (palette.length - 2) / 2, "error")} it is black.`)];
}

let wheel = null;

function flowLegend(count, gap = 1) {
  if (!wheel) {
    wheel = make("canvas");
    decode(DATA.wheel).then((pixels) => {
      wheel.width = wheel.height = Math.round(Math.sqrt(pixels.length / 4));
      wheel.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels), wheel.width, wheel.height), 0, 0);
    });
  }
  return [make("div", { class: "wheel" }, wheel, make("div", {},
    make("div", {}, `Edge of the wheel: ${gap * DATA.motion_scale} px, in every frame of this clip.`),
    make("p", {}, `The colour says where to (right is red, down yellow, left cyan to blue, up violet), its strength how far: white stands still. Darker: longer than the edge${gap > 1 ? "" : " (1 % of the clip's motion)"}.`),
    make("div", {}, swatch(BLACK, "unknown motion")))) ];
}

// ---- drawing ----

const stage = byId("stage");
const canvases = { left: byId("left"), right: byId("right") };
for (const canvas of Object.values(canvases)) {
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
}

function show(canvas, pixels) {
  canvas.getContext("2d", { willReadFrequently: true }).putImageData(new ImageData(pixels, WIDTH, HEIGHT), 0, 0);
}

function mixed(layer, frame, share) {
  if (share >= 1 || !frame) return layer;
  const pixels = new Uint8ClampedArray(layer.length);
  for (let place = 0; place < layer.length; place++) pixels[place] = frame[place] + share * (layer[place] - frame[place]);
  return pixels;
}

// One drawing at a time: of what was asked for meanwhile only the last counts.
let drawing = false;
let again = false;

async function redraw() {
  if (drawing) {
    again = true;
    return;
  }
  drawing = true;
  do {
    again = false;
    await drawOnce();
  } while (again);
  drawing = false;
}

async function drawOnce() {
  const layer = layerOf(state.layer);
  const { way } = state;
  const partner = other(state.index, way, stepOf(layer));
  const flips = state.flipped && partner >= 0 && partner <= LAST;
  const index = flips ? partner : state.index;
  // of the other frame the same layer; where it has none, the frame itself
  const drawn = flips && !layer.there(index, way) ? layerOf("frame") : layer;
  const there = drawn && drawn.there(index, way);
  const place = `${state.index}:${state.layer}:${way}:${state.flipped}`;
  byId("nothing").hidden = there;
  if (!there) {
    byId("nothing").textContent = explainNothing(drawn, index, way);
    byId("legend").replaceChildren();
    byId("left-pane").hidden = true;
    finish(place);
    return;
  }
  counted = {};
  const pictures = await drawn.draw(index, way);
  const frame = drawn.id !== "frame" && hasFrame(index) ? await framePixels(index) : null;
  const share = state.opacity / 100;
  const beside = drawn.two || (state.beside && frame);
  if (drawn.two) {
    const next = other(index, way);
    show(canvases.left, mixed(pictures[0], frame, share));
    show(canvases.right, mixed(pictures[1], hasFrame(next) ? await framePixels(next) : null, share));
    byId("left-caption").textContent = `segments of frame ${FRAMES[index]}`;
    byId("right-caption").textContent = `frame ${FRAMES[next]} in their colours`;
  } else {
    if (beside) {
      show(canvases.left, frame);
      byId("left-caption").textContent = `frame ${FRAMES[index]}`;
    }
    show(canvases.right, mixed(pictures, frame, share));
    byId("right-caption").textContent = captionOf(drawn, index, way);
  }
  byId("left-pane").hidden = !beside;
  byId("legend").replaceChildren(...drawn.legend(counted));
  finish(place);
}

function finish(place) {
  // what has been drawn, for whoever waits for it
  document.body.dataset.drawn = place;
}

function captionOf(layer, index, way) {
  const name = `${layer.title || layer.name.toLowerCase()}${layer.of ? ` ${layer.of()}` : ""}`;
  if (!layer.pair) return `${name} ${layer.id === "frame" ? "" : "of frame "}${FRAMES[index]}`;
  const next = FRAMES[other(index, way, stepOf(layer))];
  return `${name}, ${FRAMES[index]} \u2192 ${next}`;
}

function explainNothing(layer, index, way) {
  if (!layer) return "This dataset has no picture that could be shown.";
  if (!stored(index)) return `Frame ${FRAMES[index]} has no pictures on this page, which would have become too large.`;
  const step = stepOf(layer);
  const next = other(index, way, step);
  if (layer.pair && (next < 0 || next > LAST)) {
    if (step > 1) return `No frame lies ${step} frames ${way === "forward" ? "after" : "before"} frame ${FRAMES[index]}.`;
    return way === "forward" ? `Frame ${FRAMES[index]} is the last one: no motion leads on from it.` : `Frame ${FRAMES[index]} is the first one: no motion leads back from it.`;
  }
  if (layer.two && !stored(next)) return `Frame ${FRAMES[next]} has no pictures on this page, which would have become too large.`;
  return `The dataset has no readable file of this layer for frame ${FRAMES[index]}.`;
}

// ---- controls ----

// The controls that belong to some layers only, and what of the state they change.
const CHOICES = { "left-out": "leftOut", cel: "cel", part: "part", object: "object", covered: "covered", gap: "gap" };
// Of these the address of the page keeps what was chosen.
const ADDRESSED = ["cel", "part", "object", "gap"];

function update(changes = {}) {
  Object.assign(state, changes);
  state.index = Math.min(LAST, Math.max(0, state.index));
  const layer = layerOf(state.layer);
  for (const button of byId("layers").children) button.setAttribute("aria-pressed", String(button.dataset.layer === state.layer));
  for (const way of WAYS) byId(way).setAttribute("aria-pressed", String(state.way === way));
  byId("beside").setAttribute("aria-pressed", String(state.beside));
  byId("opacity").value = state.opacity;
  byId("opacity-value").textContent = `${state.opacity}%`;
  for (const [id, key] of Object.entries(CHOICES)) {
    const choice = byId(id);
    if (!choice) continue;
    choice.parentElement.hidden = !(layer && (layer.choices || []).includes(id));
    if (choice.type === "checkbox") choice.checked = state[key];
    else choice.value = state[key];
  }
  byId("slider").value = state.index;
  const next = other(state.index, state.way, stepOf(layer));
  const pair = layer && layer.pair && next >= 0 && next <= LAST ? ` \u2192 ${FRAMES[next]}` : "";
  byId("frame-number").textContent = `frame ${FRAMES[state.index]}${pair} (${state.index + 1} of ${LAST + 1})`;
  byId("play").textContent = state.playing ? "Pause" : "Play";
  moveCursors();
  markRows();
  markSheet();
  try {
    const chosen = ADDRESSED.filter((id) => ((layer && layer.choices) || []).includes(id)).map((id) => `&${id}=${encodeURIComponent(state[id])}`);
    history.replaceState(null, "", `#frame=${FRAMES[state.index]}&layer=${state.layer}&direction=${state.way}${chosen.join("")}`);
  } catch {
    // a browser that allows no history here loses nothing but the address
  }
  return redraw();
}

function jump(frame, way) {
  const index = FRAMES.indexOf(frame);
  if (index < 0) return;
  update({ index, playing: false, ...(way ? { way } : {}) });
}

function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const changes = {};
  const index = FRAMES.indexOf(Number(asked.get("frame")));
  if (index >= 0) changes.index = index;
  if (OFFERED.some((layer) => layer.id === asked.get("layer"))) changes.layer = asked.get("layer");
  if (WAYS.includes(asked.get("direction"))) changes.way = asked.get("direction");
  for (const id of ADDRESSED) {
    if (byId(id) && [...byId(id).options].some((option) => option.value === asked.get(id))) changes[id] = asked.get(id);
  }
  return changes;
}

async function play() {
  const pause = 1000 / Math.min(60, DATA.rate);
  while (state.playing) {
    const begun = performance.now();
    await update({ index: state.index === LAST ? 0 : state.index + 1 });
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, pause - (performance.now() - begun))));
  }
  update();
}

function togglePlay() {
  state.playing = !state.playing;
  if (state.playing) play();
}

const toggleWay = () => update({ way: state.way === "forward" ? "backward" : "forward" });

for (const layer of OFFERED) {
  byId("layers").append(make("button", { type: "button", "data-layer": layer.id, title: layer.title || "", "aria-keyshortcuts": layer.key, onclick: () => update({ layer: layer.id }) }, make("kbd", { "aria-hidden": "true" }, layer.key), layer.name));
}
for (const way of WAYS) byId(way).addEventListener("click", () => update({ way }));
byId("directions").hidden = !OFFERED.some((layer) => layer.pair);
if (!OFFERED.some((layer) => layer.id === "exact")) byId("left-out").querySelector("[value=exact]").remove();
byId("beside").addEventListener("click", () => update({ beside: !state.beside }));
byId("opacity").addEventListener("input", (event) => update({ opacity: Number(event.target.value) }));
for (const [id, key] of Object.entries(CHOICES)) {
  if (byId(id)) byId(id).addEventListener("change", ({ target }) => update({ [key]: target.type === "checkbox" ? target.checked : target.value }));
}
byId("slider").max = LAST;
byId("slider").addEventListener("input", (event) => update({ index: Number(event.target.value), playing: false }));
byId("play").addEventListener("click", togglePlay);

const KEYS = {
  ArrowLeft: () => update({ index: state.index - 1, playing: false }),
  ArrowRight: () => update({ index: state.index + 1, playing: false }),
  Home: () => update({ index: 0, playing: false }),
  End: () => update({ index: LAST, playing: false }),
  " ": togglePlay,
  d: toggleWay,
  s: () => update({ beside: !state.beside }),
  "[": () => update({ opacity: Math.max(0, state.opacity - 10) }),
  "]": () => update({ opacity: Math.min(100, state.opacity + 10) }),
  ...(DATA.layers.length ? { ",": nextCel(-1), ".": nextCel(1) } : {}),
};
for (const layer of OFFERED) KEYS[layer.key.toLowerCase()] = () => update({ layer: layer.id });

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, #opacity, summary")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // a button that was reached with the keyboard is pressed with the space bar
  if (key === " " && event.target.matches("button, a, input[type=checkbox]")) return;
  // a table that is wider than the page is scrolled by the arrows
  if (key.startsWith("Arrow") && event.target.matches(".scroll")) return;
  if (key === "b") {
    if (!event.repeat) update({ flipped: true });
  } else if (KEYS[key]) {
    KEYS[key]();
  } else {
    return;
  }
  event.preventDefault();
});
document.addEventListener("keyup", (event) => {
  if (event.key.toLowerCase() === "b") update({ flipped: false });
});
window.addEventListener("blur", () => state.flipped && update({ flipped: false }));
// the keys work on after a click
document.addEventListener("click", (event) => {
  const button = event.target.closest(".viewer button, .failures button");
  if (button && event.detail > 0) button.blur();
});
window.addEventListener("hashchange", () => update(readAddress()));

// ---- magnifying and pointing ----

let zoomed = false;

function aim(event) {
  const box = event.currentTarget.parentElement.getBoundingClientRect();
  const origin = `${100 * (event.clientX - box.left) / box.width}% ${100 * (event.clientY - box.top) / box.height}%`;
  for (const canvas of Object.values(canvases)) canvas.style.transformOrigin = origin;
}

async function point(event) {
  const box = event.currentTarget.getBoundingClientRect();
  const x = Math.floor((event.clientX - box.left) / box.width * WIDTH);
  const y = Math.floor((event.clientY - box.top) / box.height * HEIGHT);
  if (x < 0 || y < 0 || x >= WIDTH || y >= HEIGHT) return;
  const { way } = state;
  const onTarget = state.layer === "matches" && event.currentTarget === canvases.right;
  const index = onTarget ? other(state.index, way) : state.index;
  if (!stored(index)) return;
  const place = 4 * (y * WIDTH + x);
  const lines = [`x ${x}, y ${y}`];
  if (has(index, "segments")) {
    const label = number(await pixelsOf(index, "segments"), place);
    const matches = onTarget ? null : matchesOf(index, way);
    const targets = matches && matches[label];
    lines.push(`segment ${label}${targets ? (targets.length ? ` \u2192 ${targets.join(", ")}` : " \u2192 no match") : ""}`);
  }
  if (has(index, "materials")) {
    const id = number(await pixelsOf(index, "materials"), place);
    lines.push(`material ${DATA.materials[id] === undefined ? id : DATA.materials[id]}`);
  }
  if (has(index, "masks") && !onTarget) {
    const mask = (await pixelsOf(index, "masks"))[place];
    const words = [];
    const bits = MASK_BITS[way];
    if (hasMask(index, bits.occlusion)) words.push(`${mask >> bits.occlusion & 1 ? "occluded" : "visible"} by the rule`);
    if (hasMask(index, bits.exact)) words.push(`${mask >> bits.exact & 1 ? "occluded" : "visible"} exactly`);
    if (hasMask(index, bits.valid) && !(mask >> bits.valid & 1)) words.push("motion unknown");
    if (words.length) lines.push(words.join(", "));
  }
  if (!onTarget) lines.push(...await drawnAt(index, place));
  byId("readout").textContent = lines.join("\n");
}

for (const canvas of Object.values(canvases)) {
  canvas.addEventListener("click", (event) => {
    zoomed = !zoomed;
    stage.classList.toggle("zoomed", zoomed);
    aim(event);
    for (const one of Object.values(canvases)) one.style.transform = zoomed ? `scale(${MAGNIFICATION})` : "";
  });
  canvas.addEventListener("mousemove", (event) => {
    if (zoomed) aim(event);
    point(event);
  });
  canvas.addEventListener("mouseleave", () => { byId("readout").textContent = ""; });
}

// ---- curves ----

const CHART = { width: 350, height: 92, left: 4, right: 4, top: 6, bottom: 13 };
const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const across = (index) => CHART.left + (LAST ? index / LAST : 0.5) * (CHART.width - CHART.left - CHART.right);

function rangeOf(chart) {
  const values = chart.series.flatMap((series) => series.values.filter((value) => value !== null));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (chart.bar !== null && byId("show-bars").checked) {
    const [bottom, top] = chart.above ? [Math.min(low, chart.bar), Math.max(high, 1)] : [0, Math.max(high, chart.bar)];
    const room = (top - bottom) * 0.12 || 1;
    return chart.above ? [bottom - room, top + room / 2] : [bottom, top + room];
  }
  const room = (high - low) * 0.12 || Math.abs(high) * 0.1 || 1;
  return [low >= 0 && (low < 0.5 * high || high === low) ? 0 : low - room, high + room];
}

function drawChart(chart, box) {
  const [low, high] = rangeOf(chart);
  const down = (value) => CHART.height - CHART.bottom - (value - low) / (high - low) * (CHART.height - CHART.top - CHART.bottom);
  const drawing = svg("svg", { viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img", "aria-label": chart.title });
  drawing.append(svg("rect", { class: "plot", x: 0, y: 0, width: CHART.width, height: CHART.height - CHART.bottom + 2 }));
  const step = LAST ? across(1) - across(0) : 10;
  for (const frame of DATA.held) {
    const index = FRAMES.indexOf(frame);
    if (index >= 0) drawing.append(svg("rect", { class: "held", x: across(index), y: 0, width: step, height: CHART.height - CHART.bottom + 2 }));
  }
  if (chart.bar !== null && chart.bar >= low && chart.bar <= high) {
    const y = down(chart.bar);
    drawing.append(svg("line", { class: "limit", x1: 0, x2: CHART.width, y1: y, y2: y }));
    drawing.append(svg("text", { class: "limit-name", x: CHART.width - 4, y: chart.above ? y + 9 : y > 14 ? y - 2.5 : y + 9, "text-anchor": "end" }, `threshold ${written(chart.bar, chart.unit)}`));
  }
  drawing.append(svg("text", { x: 2, y: CHART.height - 2 }, String(FRAMES[0])));
  drawing.append(svg("text", { x: CHART.width - 2, y: CHART.height - 2, "text-anchor": "end" }, String(FRAMES[LAST])));
  const values = chart.series.flatMap((series) => series.values.filter((value) => value !== null));
  drawing.append(svg("text", { x: CHART.width / 2, y: CHART.height - 2, "text-anchor": "middle" }, `${written(Math.min(...values), chart.unit)} to ${written(Math.max(...values), chart.unit)}`));
  const past = (value) => chart.bar !== null && (chart.above ? value < chart.bar : value > chart.bar);
  for (const series of chart.series) {
    const kind = `${series.direction || ""} ${series.dashed ? "dashed" : ""}`;
    let path = "";
    series.values.forEach((value, index) => {
      if (value === null) return;
      const alone = (series.values[index - 1] ?? null) === null && (series.values[index + 1] ?? null) === null;
      const begins = (series.values[index - 1] ?? null) === null;
      path += `${begins ? "M" : "L"}${across(index).toFixed(2)} ${down(value).toFixed(2)}`;
      if (alone || past(value)) drawing.append(svg("circle", { class: `dot ${kind} ${past(value) ? "past" : ""}`, cx: across(index), cy: down(value), r: past(value) ? 2.6 : 2 }));
    });
    drawing.prepend(svg("path", { class: `line ${kind}`, d: path }));
  }
  drawing.prepend(drawing.querySelector(".plot"));
  const cursor = svg("line", { class: "cursor", y1: 0, y2: CHART.height - CHART.bottom + 2 });
  drawing.append(cursor);
  const nearest = (event) => {
    const area = drawing.getBoundingClientRect();
    const x = (event.clientX - area.left) / area.width * CHART.width;
    const index = Math.min(LAST, Math.max(0, Math.round((x - CHART.left) / (CHART.width - CHART.left - CHART.right) * LAST)));
    const y = (event.clientY - area.top) / area.height * CHART.height;
    const there = chart.series.filter((series) => series.values[index] !== null);
    there.sort((a, b) => Math.abs(down(a.values[index]) - y) - Math.abs(down(b.values[index]) - y));
    return { index, series: there[0] };
  };
  drawing.addEventListener("mousemove", (event) => {
    const { index } = nearest(event);
    const lines = chart.series.map((series) => `${series.label ? `${series.label}: ` : ""}${written(series.values[index], chart.unit)}`);
    showTip(event, [`frame ${FRAMES[index]}`, ...lines].join("\n"));
  });
  drawing.addEventListener("mouseleave", () => { byId("tip").hidden = true; });
  drawing.addEventListener("click", (event) => {
    const { index, series } = nearest(event);
    jump(FRAMES[index], series && series.direction);
  });
  box.replaceChildren(drawing);
  return cursor;
}

// What is drawn solid and what dashed, where there are both.
function keyOf(chart) {
  const names = [false, true].map((dashed) => chart.series.find((series) => series.dashed === dashed));
  if (!names[0] || !names[1]) return null;
  return make("div", { class: "key" }, `solid: ${names[0].name}; dashed, rings: ${names[1].name}`);
}

function showTip(event, text) {
  const tip = byId("tip");
  tip.textContent = text;
  tip.hidden = false;
  tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
}

const charts = DATA.charts.map((chart) => {
  const now = make("span", { class: "now" });
  const box = make("div");
  byId("charts").append(make("div", { class: "chart" }, make("h3", { title: chart.help }, make("span", {}, chart.title), now), box, keyOf(chart)));
  return { chart, now, box, cursor: drawChart(chart, box) };
});
byId("ways").hidden = !DATA.charts.some((chart) => chart.series.some((series) => series.direction));
if (!charts.length) byId("charts").append(make("p", { class: "hint" }, "There are no figures of this cut."));
byId("show-bars").parentElement.hidden = !DATA.charts.some((chart) => chart.bar !== null);
byId("show-bars").addEventListener("change", () => {
  for (const one of charts) one.cursor = drawChart(one.chart, one.box);
  moveCursors();
});

function moveCursors() {
  for (const { chart, now, cursor } of charts) {
    cursor.setAttribute("x1", across(state.index));
    cursor.setAttribute("x2", across(state.index));
    now.replaceChildren(...chart.series.filter((series) => !series.dashed).flatMap((series) =>
      [make("span", { class: series.direction || "", title: series.label }, written(series.values[state.index], chart.unit)), " "]));
  }
}

// ---- table of pairs ----

const FEW_PAIRS = 14;
let allPairs = false;

function tag(text, kind = "") {
  return make("span", { class: `tag ${kind}` }, text);
}

const table = DATA.pairs;
const pairColumns = [
  { title: "pair", ascending: true, value: (row) => row.source + (row.direction === "backward" ? 0.5 : 0), cell: (row) => make("td", {}, `${row.source} \u2192 ${row.target}`,
    row.failed ? tag("fails", "failed") : null, row.held ? tag("held") : null) },
  { title: "of its threshold", value: (row) => row.worst, cell: (row) => make("td", row.worst > 1 ? { class: "past" } : {}, row.worst === null ? "\u2013" : `${(100 * row.worst).toFixed(row.worst < 1 ? 1 : 0)}%`) },
  ...table.columns.map((column, place) => ({
    title: column.title,
    note: column.bar === null ? null : `threshold ${written(column.bar, column.unit)}`,
    value: (row) => row.values[place],
    cell: (row) => make("td", column.bar !== null && row.values[place] > column.bar ? { class: "past" } : {}, written(row.values[place], column.unit)),
  })),
];
if (table.rows.some((row) => row.shift)) {
  pairColumns.push({ title: "better if shifted", cell: (row) => make("td", {}, row.shift ? row.shift.join(", ") : "\u2013") });
}
byId("pairs").hidden = !table.rows.length;
const drawPairs = sortableTable(byId("pair-table"), pairColumns, table.rows, {
  limit: () => allPairs ? Infinity : FEW_PAIRS,
  row: (line, row) => {
    line.dataset.index = FRAMES.indexOf(row.source);
    line.dataset.way = row.direction;
    line.addEventListener("click", () => {
      jump(row.source, row.direction);
      stage.scrollIntoView({ block: "nearest" });
    });
  },
});
byId("all-pairs").hidden = table.rows.length <= FEW_PAIRS;
byId("all-pairs").textContent = `show all ${table.rows.length}`;
byId("all-pairs").addEventListener("click", () => {
  allPairs = true;
  byId("all-pairs").hidden = true;
  drawPairs();
  markRows();
});

function markRows() {
  for (const line of byId("pair-table").tBodies[0].rows) {
    line.classList.toggle("now", Number(line.dataset.index) === state.index && line.dataset.way === state.way);
  }
}
// a sorted table has new rows
byId("pair-table").tHead.addEventListener("click", () => markRows());

// ---- exposure sheet ----

function markSheet() {
  const sheet = byId("exposures");
  if (!sheet) return;
  for (const row of sheet.tBodies[0].rows) {
    const now = Number(row.dataset.index) === state.index;
    row.classList.toggle("now", now);
    if (!now) {
      row.removeAttribute("aria-current");
      continue;
    }
    row.setAttribute("aria-current", "true");
    // only the sheet is scrolled, not the page
    const box = sheet.parentElement;
    const room = [sheet.tHead.offsetHeight, box.clientHeight - sheet.tFoot.offsetHeight - row.offsetHeight];
    box.scrollTop = Math.min(row.offsetTop - room[0], Math.max(row.offsetTop - room[1], box.scrollTop));
  }
}

// ---- failures and rows of the sheet lead to their frames ----

for (const button of document.querySelectorAll("button[data-place]")) {
  button.addEventListener("click", () => jump(...JSON.parse(button.dataset.place)));
}

update({ layer: OFFERED.length ? OFFERED[0].id : "frame", ...readAddress() });
