// Shade, lines by kind, strokes, cels and whole masks. This is one program with cut.js, which follows it and calls it.

const CHECKERS = [[148, 148, 148], [186, 186, 186]];
const CHECKER_SIDE = 8;
const PALE = 0.75;
const CHOSEN = [255, 0, 150];
const NAMED_PAIRS = 6;

// What is seen of a cel: what it needs, and the colour of a pixel of it, where `null` shows the checkerboard.
const PARTS = {
  inked: { name: "colours and lines", needs: (cel) => [`cel@${cel}`, `contour@${cel}`], color: (i, place, [cel, lines]) => inked(colorOf(cel, place) || checker(i), lines[place]) },
  colours: { name: "colours", needs: (cel) => [`cel@${cel}`], color: (i, place, [cel]) => colorOf(cel, place) },
  hidden: { name: "what is hidden", says: "Faded: what the frame shows of it.", needs: (cel) => [`cel@${cel}`, "cel_map"], color: (i, place, [cel, map], own) => {
    const color = colorOf(cel, place);
    return color && map[place] === own ? blend(color, checker(i), PALE) : color;
  } },
  lines: { name: "lines", needs: (cel) => [`contour@${cel}`], color: (i, place, [lines]) => lines.subarray(place, place + 3) },
  objects: { name: "objects", says: "Point at one to read its name.", needs: (cel) => [`objects@${cel}`], color: (i, place, [ids]) => number(ids, place) ? labelColor(number(ids, place)) : null },
};
const canShow = (index, part, cel) => PARTS[part].needs(cel).every((name) => has(index, name));
// Motion of a cel between frames that are further apart has files of its own.
const gapOf = () => Number(state.gap);
const apart = () => gapOf() > 1 ? `_gap${state.gap}` : "";
const MOTION_CHOICES = DATA.gaps.length > 1 ? ["cel", "gap"] : ["cel"];
const knows = (i, way, cel, gap) => has(i, `valid${gap}@${cel}`) && stored(i).masks_of[`valid${gap}@${cel}`].includes(way);
const anyCel = (there) => DATA.layers.some(there);

// In the form of LAYERS in cut.js; `ever` is asked where it may be there for another choice.
const DRAWN_LAYERS = [
  { id: "shade", key: "H", name: "Shade", there: (i) => has(i, "shade"), draw: (i) => drawNumbers(i, "shade", DATA.tones), legend: (count) => numberLegend(count, DATA.tones) },
  { id: "trace", key: "T", name: "Trace", title: "line art with trace lines", there: (i) => has(i, "trace"), draw: (i) => pixelsOf(i, "trace"),
    legend: () => [note("The line art with trace lines: violet-blue around shadows, yellow around highlights, each on the side that it encloses.")] },
  { id: "line_kind", key: "K", name: "Line kinds", title: "kinds of lines", there: (i) => has(i, "line_kind"), draw: (i) => drawNumbers(i, "line_kind", DATA.line_kinds),
    legend: (count) => numberLegend(count, DATA.line_kinds, true) },
  { id: "styled_contour", key: "Y", name: "Styled lines", there: (i) => has(i, "styled_contour"), draw: (i) => pixelsOf(i, "styled_contour"),
    legend: () => [note("The lines as the frame shows them; Lines stay closed.")] },
  { id: "line_gap", key: "G", name: "Gaps", title: "gaps in the lines", there: (i) => has(i, "line_gap"), draw: drawGaps, legend: gapLegend },
  { id: "strokes", key: "X", name: "Strokes", choices: ["covered"], there: (i) => has(i, "strokes"), draw: drawStrokes, legend: strokeLegend },
  { id: "cel", key: "L", name: "Cel", choices: ["cel", "part"], there: (i) => canShow(i, state.part, state.cel), ever: (i) => anyCel((cel) => Object.keys(PARTS).some((part) => canShow(i, part, cel))),
    draw: drawCel, legend: celLegend, of: () => state.cel },
  { id: "cel_flow", key: "U", name: "Cel flow", title: "flow of the cel", pair: true, choices: MOTION_CHOICES, step: gapOf, there: (i, way) => has(i, `flow_${way}${apart()}@${state.cel}`),
    ever: (i, way) => anyCel((cel) => has(i, `flow_${way}@${cel}`)), draw: drawCelFlow, legend: (count) => [...flowLegend(count, gapOf()), ...celLegend()], of: () => state.cel },
  { id: "cel_valid", key: "I", name: "Cel valid", title: "known motion of the cel", pair: true, choices: MOTION_CHOICES, step: gapOf, there: (i, way) => knows(i, way, state.cel, apart()),
    ever: (i, way) => anyCel((cel) => knows(i, way, cel, "")), draw: drawCelValid, legend: celValidLegend, of: () => state.cel },
  { id: "cel_depth", key: "E", name: "Cel depth", title: "depth of the cel", choices: ["cel"], there: (i) => has(i, `depth@${state.cel}`),
    ever: (i) => anyCel((cel) => has(i, `depth@${cel}`)), draw: drawCelDepth, legend: celDepthLegend, of: () => state.cel },
  { id: "cel_map", key: "O", name: "Cel map", title: "map of the cels", there: (i) => has(i, "cel_map"), draw: drawCelMap, legend: mapLegend },
  { id: "amodal", key: "A", name: "Amodal", title: "whole masks", choices: ["object"], there: (i) => Boolean(stored(i) && stored(i).amodal), draw: drawAmodal, legend: amodalLegend },
];

const blend = (color, other, share) => color.map((value, channel) => value + share * (other[channel] - value));
const inked = (color, line) => line === 255 ? color : blend(color, BLACK, 1 - line / 255);
const colorOf = (cel, place) => cel[place + 3] ? [cel[place], cel[place + 1], cel[place + 2]] : null;
const checker = (i) => CHECKERS[Math.floor(i % WIDTH / CHECKER_SIDE) + Math.floor(i / WIDTH / CHECKER_SIDE) & 1];

// ---- numbers that have a name and a colour ----

async function drawNumbers(index, name, table) {
  const numbers = await pixelsOf(index, name);
  counted = { numbers: {} };
  return paint((_, place) => {
    counted.numbers[numbers[place]] = (counted.numbers[numbers[place]] || 0) + 1;
    return table[numbers[place]] ? table[numbers[place]][1] : BLACK;
  });
}

// With their shares of the picture, or of all that is not 0.
function numberLegend(count, table, ofLines = false) {
  const found = Object.entries(count.numbers).filter(([one]) => table[one] && !(ofLines && one === "0"));
  const all = ofLines ? found.reduce((sum, [, times]) => sum + times, 0) : WIDTH * HEIGHT;
  return [...found.map(([one, times]) => swatch(table[one][1], `${table[one][0]}: ${written(times / all, "share")}`)), ...(ofLines ? [note("Shares of the pixels that have a kind.")] : [])];
}

const gapColor = (radius) => labelColor(radius);

async function drawGaps(index) {
  const [gaps, lines] = await Promise.all([pixelsOf(index, "line_gap"), has(index, "contour") ? pixelsOf(index, "contour") : null]);
  counted = { gaps: {} };
  return paint((_, place) => {
    const radius = gaps[place];
    if (radius) counted.gaps[radius] = (counted.gaps[radius] || 0) + 1;
    return radius ? gapColor(radius) : blend(lines ? lines.subarray(place, place + 3) : WHITE, WHITE, PALE / 2);
  });
}

function gapLegend(count) {
  const found = Object.entries(count.gaps);
  return [...found.map(([radius, pixels]) => swatch(gapColor(Number(radius)), `radius ${radius}: ${pixels} pixels`)),
    note(found.length ? "What gaps take out of the closed lines, by the radius of the gap." : "No line of this frame has a gap.")];
}

// ---- strokes ----

// Numbers of seven bits a byte, the lowest first, as long as the eighth is set.
function numbersOf(bytes) {
  const numbers = [];
  let [value, factor] = [0, 1];
  for (const byte of bytes) {
    value += (byte & 127) * factor;
    factor *= 128;
    if (byte < 128) {
      numbers.push(value);
      [value, factor] = [0, 1];
    }
  }
  return numbers;
}

// Kind, whether something hides it, and points of each, which are written as steps from the point before.
function strokesOf(numbers) {
  const strokes = [];
  const step = (value) => (value % 2 ? -(value + 1) : value) / 2 / DATA.stroke_fractions;
  let [x, y] = [0, 0];
  for (let place = 0; place < numbers.length;) {
    const [kind, count] = numbers.slice(place, place + 2);
    const points = [];
    for (place += 2; points.length < count; place += 2) points.push([x += step(numbers[place]), y += step(numbers[place + 1])]);
    strokes.push({ kind: kind % DATA.hidden_stroke, hidden: kind >= DATA.hidden_stroke, points });
  }
  return strokes;
}

async function drawStrokes(index) {
  const strokes = strokesOf(numbersOf(bytesOf(stored(index).pictures.strokes)));
  const canvas = make("canvas", { width: WIDTH, height: HEIGHT });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, WIDTH, HEIGHT);
  counted = { strokes: {}, hidden: 0 };
  // what is seen lies over what is hidden
  for (const hidden of state.covered ? [true, false] : [false]) {
    for (const stroke of strokes.filter((one) => one.hidden === hidden)) {
      const color = DATA.stroke_kinds[stroke.kind][1];
      context.strokeStyle = css(hidden ? blend(color, WHITE, PALE) : color);
      context.beginPath();
      for (const point of stroke.points) context.lineTo(...point);
      context.stroke();
      counted.strokes[stroke.kind] = (counted.strokes[stroke.kind] || 0) + 1;
      counted.hidden += hidden;
    }
  }
  return context.getImageData(0, 0, WIDTH, HEIGHT).data;
}

function strokeLegend(count) {
  return [...Object.entries(count.strokes).map(([kind, strokes]) => swatch(DATA.stroke_kinds[kind][1], `${DATA.stroke_kinds[kind][0]}: ${strokes}`)),
    note(`Strokes of a pixel and more, by kind${count.hidden ? `; pale: the ${count.hidden} that something hides` : ""}.`)];
}

// ---- cels ----

async function drawCel(index) {
  const { color, needs, says } = PARTS[state.part];
  const pictures = await Promise.all(needs(state.cel).map((one) => pixelsOf(index, one)));
  const own = DATA.layers.indexOf(state.cel) + 1;
  counted = { index, says };
  return paint((i, place) => color(i, place, pictures, own) || checker(i));
}

async function drawCelFlow(index, way) {
  const cel = `cel@${state.cel}`;
  const [flow, colors] = await Promise.all([pixelsOf(index, `flow_${way}${apart()}@${state.cel}`), has(index, cel) ? pixelsOf(index, cel) : null]);
  counted = { index };
  return paint((i, place) => colors && !colors[place + 3] ? checker(i) : flow.subarray(place, place + 3));
}

async function drawCelValid(index, way) {
  const cel = `cel@${state.cel}`;
  const [masks, colors] = await Promise.all([pixelsOf(index, `valid${apart()}@${state.cel}`), has(index, cel) ? pixelsOf(index, cel) : null]);
  const bit = 1 << WAYS.indexOf(way);
  counted = { index, known: 0, all: 0 };
  return paint((i, place) => {
    if (colors && !colors[place + 3]) return checker(i);
    const isKnown = Boolean(masks[place] & bit);
    counted.all++;
    counted.known += isKnown;
    return isKnown ? WHITE : BLACK;
  });
}

function celValidLegend(count) {
  return [swatch(WHITE, `its motion is known: ${written(count.all ? count.known / count.all : 0, "share")} of its surfaces`), swatch(BLACK, "unknown"), ...celLegend()];
}

async function drawCelDepth(index) {
  const levels = await pixelsOf(index, `depth@${state.cel}`);
  counted = { index };
  return paint((i, place) => levels[place] ? [levels[place], levels[place], levels[place]] : checker(i));
}

function celDepthLegend(count) {
  const [near, far] = stored(count.index).depths[state.cel];
  return [swatch(WHITE, `nearest: ${near.toPrecision(4)}`), swatch(BLACK, `farthest: ${far.toPrecision(4)}`),
    note("Distance along the view axis in scene units; grey goes by its inverse, from the nearest to the farthest surface of this layer in this frame."), ...celLegend()];
}

function celLegend() {
  const amodal = stored(counted.index).amodal;
  const [area, seen] = (amodal && amodal.layers[DATA.layers.indexOf(state.cel)]) || [0, 0];
  const extent = area ? `The surfaces of ${state.cel} cover ${written(area / DATA.pixels, "share")} of the picture; ${written(seen / area, "share")} of them are seen.` : "";
  return [swatch(CHECKERS[1], "no surface"), note(`${state.cel} alone, as if nothing were before it. ${extent} ${counted.says || ""}`)];
}

async function drawCelMap(index) {
  const map = await pixelsOf(index, "cel_map");
  const counts = DATA.layers.map(() => 0);
  const pixels = paint((_, place) => {
    if (!map[place]) return BLACK;
    counts[map[place] - 1]++;
    return labelColor(map[place]);
  });
  counted = { counts, index };
  return pixels;
}

function mapLegend(count) {
  const shares = count.counts.map((pixels, place) => swatch(labelColor(place + 1), `${DATA.layers[place]}: ${written(pixels / (WIDTH * HEIGHT), "share")}`));
  return [...shares, ...orderNotes(stored(count.index).amodal)];
}

function orderNotes(amodal) {
  if (!amodal) return [];
  const layer = (place) => DATA.layers[place];
  return [note(`From the back to the front: ${amodal.order.map(layer).join(", ")}. ${amodal.exact ? "Whole cels in this order show the frame." : "Layers reach through each other, so no order of whole cels shows the frame."}`),
    ...(amodal.layer_pairs.length ? [note(listed(amodal.layer_pairs, ([front, behind, pixels]) => `${layer(front)} lies before ${layer(behind)} at ${pixels} pixels`))] : [])];
}

// Those of the most pixels, in words.
function listed(pairs, inWords) {
  const sorted = pairs.slice().sort((a, b) => b[2] - a[2]);
  const more = sorted.length > NAMED_PAIRS ? `; and ${sorted.length - NAMED_PAIRS} more` : "";
  return `${sorted.slice(0, NAMED_PAIRS).map(inWords).join("; ")}${more}.`;
}

// ---- whole masks ----

async function drawAmodal(index) {
  const { amodal, pictures } = stored(index);
  const chosen = Number(state.object);
  const planes = await Promise.all(Object.keys(pictures).filter((name) => name.startsWith("amodal")).map((name) => pixelsOf(index, name)));
  const frame = hasFrame(index) ? await framePixels(index) : null;
  const [, layer] = amodal.objects.find(([id]) => id === chosen) || [];
  const cels = [`objects@${DATA.layers[layer]}`, "cel_map"];
  const [ids, map] = cels.every((name) => has(index, name)) ? await Promise.all(cels.map((name) => pixelsOf(index, name))) : [];
  counted = { amodal, chosen };
  return paint((i, place) => {
    const faded = blend(frame ? Array.from(frame.subarray(place, place + 3)) : WHITE, WHITE, chosen ? 0.35 : 0.6);
    const x = i % WIDTH;
    // of outlines that cross, that of the last plane is seen
    let color = faded;
    for (const plane of planes) {
      const id = number(plane, place);
      if (!id || (chosen && id !== chosen)) continue;
      const ends = (inside, there) => inside && number(plane, there) !== id;
      if (ends(x > 0, place - 4) || ends(x < WIDTH - 1, place + 4) || ends(i >= WIDTH, place - 4 * WIDTH) || ends(i < WIDTH * (HEIGHT - 1), place + 4 * WIDTH)) color = chosen ? CHOSEN : labelColor(id);
      else if (map && (map[place] !== layer + 1 || number(ids, place) !== id)) color = blend(faded, CHOSEN, 0.4);
    }
    return color;
  });
}

function amodalLegend({ amodal, chosen }) {
  if (!chosen) return [...orderNotes(amodal), note(`The outlines of the whole masks of ${amodal.objects.length} objects, what is hidden of them included. Choose one to see what hides it.`)];
  const name = (id) => DATA.objects[id] || `object ${id}`;
  const found = amodal.objects.find(([id]) => id === chosen);
  if (!found) return [note(`${name(chosen)} is not within this picture.`)];
  const [, layer, area, seen] = found;
  const [before, behind] = [1, 0].map((side) => amodal.pairs.filter((pair) => pair[side] === chosen));
  return [swatch(CHOSEN, "whole mask"), swatch(blend(WHITE, CHOSEN, 0.4), "hidden"),
    note(`${name(chosen)}, of the layer ${DATA.layers[layer] || "unknown"}: ${area} pixels, of which ${written(area ? seen / area : 0, "share")} are seen.`),
    ...(before.length ? [note(`Before it: ${listed(before, ([front, , pixels]) => `${name(front)} at ${pixels} pixels`)}`)] : []),
    ...(behind.length ? [note(`Behind it: ${listed(behind, ([, other, pixels]) => `${name(other)} at ${pixels} pixels`)}`)] : [])];
}

// ---- choices, and what lies under the pointer ----

function fillChoices() {
  const ever = (part) => FRAMES.some((_, i) => anyCel((cel) => canShow(i, part, cel)));
  const parts = Object.keys(PARTS).filter(ever);
  Object.assign(state, { cel: DATA.layers[0], part: parts[0], object: "0", covered: true, gap: "1" });
  const names = Object.entries(DATA.objects).sort(([, a], [, b]) => a < b ? -1 : 1);
  const options = { cel: DATA.layers.map((cel) => [cel, cel]), part: parts.map((part) => [part, PARTS[part].name]), object: [["0", "all"], ...names], gap: DATA.gaps.map((gap) => [gap, gap === 1 ? "the next frame" : `${gap} frames`]) };
  for (const [id, pairs] of Object.entries(options)) if (byId(id)) byId(id).append(...pairs.map(([value, name]) => make("option", { value }, name)));
}

const nextCel = (step) => () => update({ cel: DATA.layers[(DATA.layers.indexOf(state.cel) + step + DATA.layers.length) % DATA.layers.length] });

async function drawnAt(index, place) {
  const lines = [];
  for (const [name, word, table] of [["shade", "shade", DATA.tones], ["line_kind", "line", DATA.line_kinds]]) {
    const found = has(index, name) ? table[(await pixelsOf(index, name))[place]] : null;
    if (found) lines.push(`${word}: ${found[0]}`);
  }
  const shown = has(index, "cel_map") ? (await pixelsOf(index, "cel_map"))[place] : 0;
  if (shown) lines.push(`cel ${DATA.layers[shown - 1]}`);
  const objects = `objects@${state.cel}`;
  if (layerOf(state.layer).of && has(index, objects)) {
    const id = number(await pixelsOf(index, objects), place);
    lines.push(id ? `${state.cel} alone: ${DATA.objects[id] || `object ${id}`}` : `${state.cel} alone: nothing`);
  }
  return lines;
}
