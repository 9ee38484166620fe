// Shade, lines by kind, strokes, cels and whole masks. This is one program with cut.js, which follows it and calls it.

const CHECKERS = [[148, 148, 148], [186, 186, 186]];
const CHECKER_SIDE = 8;
const PALE = 0.75;
const CHOSEN = [255, 0, 150];
const NAMED_PAIRS = 6;

// What is seen of a cel: what it needs, and the colour of a pixel of it; `null` shows the checkerboard.
const PARTS = {
  inked: { name: "colours and lines", needs: (cel) => [`cel@${cel}`, `contour@${cel}`], color: (i, place, [cel, lines]) => inked(colorOf(cel, place) || checker(i), lines[place]) },
  colours: { name: "colours", needs: (cel) => [`cel@${cel}`], color: (i, place, [cel]) => colorOf(cel, place) },
  hidden: { name: "what is hidden", needs: (cel) => [`cel@${cel}`, "cel_map"], color: (i, place, [cel, map], own) => {
    const color = colorOf(cel, place);
    return color && map[place] === own ? blend(color, checker(i), PALE) : color;
  } },
  lines: { name: "lines", needs: (cel) => [`contour@${cel}`], color: (i, place, [lines]) => lines.subarray(place, place + 3) },
  objects: { name: "objects", needs: (cel) => [`objects@${cel}`], color: (i, place, [ids]) => number(ids, place) ? labelColor(number(ids, place)) : null },
};
const canShow = (index, part, cel) => PARTS[part].needs(cel).every((name) => has(index, name));
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
  { id: "cel_flow", key: "U", name: "Cel flow", title: "flow of the cel", pair: true, choices: ["cel"], there: (i, way) => has(i, `flow_${way}@${state.cel}`),
    ever: (i, way) => anyCel((cel) => has(i, `flow_${way}@${cel}`)), draw: drawCelFlow, legend: () => [...flowLegend(), ...celLegend()], of: () => state.cel },
  { id: "cel_map", key: "O", name: "Cel map", title: "which cel is seen", there: (i) => has(i, "cel_map"), draw: drawCelMap, legend: mapLegend },
  { id: "amodal", key: "A", name: "Amodal", title: "whole masks", choices: ["object"], there: (i) => has(i, "amodal"), draw: drawAmodal, legend: amodalLegend },
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

async function drawStrokes(index) {
  const bytes = bytesOf(stored(index).pictures.strokes);
  const values = new DataView(bytes.buffer);
  const at = (place) => values.getInt16(2 * place, true);
  const strokes = [];
  for (let place = 0; 2 * place < bytes.length;) {
    const [kind, count] = [at(place), at(place + 1)];
    strokes.push({ kind: kind % DATA.hidden_stroke, hidden: kind >= DATA.hidden_stroke, first: place + 2, count });
    place += 2 + 2 * count;
  }
  const canvas = make("canvas", { width: WIDTH, height: HEIGHT });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, WIDTH, HEIGHT);
  counted = { strokes: {}, hidden: 0 };
  // what is seen lies over what is hidden
  for (const hidden of state.covered ? [true, false] : [false]) {
    for (const stroke of strokes.filter((one) => one.hidden === hidden)) {
      const color = DATA.line_kinds[stroke.kind][1];
      context.strokeStyle = css(hidden ? blend(color, WHITE, PALE) : color);
      context.beginPath();
      for (let point = stroke.first; point < stroke.first + 2 * stroke.count; point += 2) context.lineTo(at(point) / DATA.stroke_fractions, at(point + 1) / DATA.stroke_fractions);
      context.stroke();
      counted.strokes[stroke.kind] = (counted.strokes[stroke.kind] || 0) + 1;
      counted.hidden += hidden;
    }
  }
  return context.getImageData(0, 0, WIDTH, HEIGHT).data;
}

function strokeLegend(count) {
  return [...Object.entries(count.strokes).map(([kind, strokes]) => swatch(DATA.line_kinds[kind][1], `${DATA.line_kinds[kind][0]}: ${strokes}`)),
    note(`Strokes by kind${count.hidden ? `; pale: the ${count.hidden} that something hides` : ""}.`)];
}

// ---- cels ----

async function drawCel(index) {
  const { name, color, needs } = PARTS[state.part];
  const pictures = await Promise.all(needs(state.cel).map((one) => pixelsOf(index, one)));
  const own = DATA.layers.indexOf(state.cel) + 1;
  counted = { index, name };
  return paint((i, place) => color(i, place, pictures, own) || checker(i));
}

async function drawCelFlow(index, way) {
  const cel = `cel@${state.cel}`;
  const [flow, colors] = await Promise.all([pixelsOf(index, `flow_${way}@${state.cel}`), has(index, cel) ? pixelsOf(index, cel) : null]);
  counted = { index };
  return paint((i, place) => colors && !colors[place + 3] ? checker(i) : flow.subarray(place, place + 3));
}

function celLegend() {
  const amodal = stored(counted.index).amodal;
  const [area, seen] = (amodal && amodal.layers[DATA.layers.indexOf(state.cel)]) || [0, 0];
  const extent = area ? `The surfaces of ${state.cel} cover ${written(area / DATA.pixels, "share")} of the picture; ${written(seen / area, "share")} of them are seen.` : "";
  return [swatch(CHECKERS[1], "nothing"), note(`${state.cel} alone, as if nothing were before it. ${extent}`)];
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
    ...(amodal.layer_pairs.length ? [note(pairsInWords(amodal.layer_pairs, layer))] : [])];
}

function pairsInWords(pairs, nameOf) {
  const sorted = pairs.slice().sort((a, b) => b[2] - a[2]);
  const more = sorted.length > NAMED_PAIRS ? `; and ${sorted.length - NAMED_PAIRS} more` : "";
  return `${sorted.slice(0, NAMED_PAIRS).map(([front, behind, pixels]) => `${nameOf(front)} lies before ${nameOf(behind)} at ${pixels} pixels`).join("; ")}${more}.`;
}

// ---- whole masks ----

// The runs of each object: pixels outside and inside in turn, column by column.
function* runsOf(bytes) {
  let place = 0;
  const next = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[place++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (place < bytes.length) yield Array.from({ length: next() }, next);
}

// Calls with the place of each pixel inside, column by column.
function eachInside(runs, act) {
  let start = 0;
  runs.forEach((length, turn) => {
    if (turn % 2) for (let at = start; at < start + length; at++) act(at % HEIGHT * WIDTH + Math.floor(at / HEIGHT));
    start += length;
  });
}

async function drawAmodal(index) {
  const { amodal } = stored(index);
  const pixels = new Uint8ClampedArray(hasFrame(index) ? await framePixels(index) : paint(() => WHITE));
  const all = [...runsOf(bytesOf(stored(index).pictures.amodal))];
  const chosen = Number(state.object);
  const depth = ([, layer, area]) => amodal.order.indexOf(layer) - area / (DATA.pixels + 1);
  // of outlines that cross, that of the nearer or smaller object is seen
  const places = amodal.objects.map((_, place) => place).filter((place) => !chosen || amodal.objects[place][0] === chosen);
  places.sort((a, b) => depth(amodal.objects[a]) - depth(amodal.objects[b]));
  const set = (i, color, share) => color.forEach((value, channel) => { pixels[4 * i + channel] += share * (value - pixels[4 * i + channel]); });
  for (let i = 0; i < WIDTH * HEIGHT; i++) set(i, WHITE, chosen ? 0.35 : 0.6);
  const inside = new Uint8Array(WIDTH * HEIGHT);
  for (const place of places) {
    const [id, layer] = amodal.objects[place];
    const cels = [`objects@${DATA.layers[layer]}`, "cel_map"];
    const [ids, map] = chosen && cels.every((name) => has(index, name)) ? await Promise.all(cels.map((name) => pixelsOf(index, name))) : [];
    eachInside(all[place], (i) => { inside[i] = 1; });
    eachInside(all[place], (i) => {
      const x = i % WIDTH;
      const border = (x && !inside[i - 1]) || (x < WIDTH - 1 && !inside[i + 1]) || inside[i - WIDTH] === 0 || inside[i + WIDTH] === 0;
      if (border) set(i, chosen ? CHOSEN : labelColor(id), 1);
      else if (map && (map[4 * i] !== layer + 1 || number(ids, 4 * i) !== id)) set(i, CHOSEN, 0.4);
    });
    eachInside(all[place], (i) => { inside[i] = 0; });
  }
  counted = { amodal, chosen };
  return pixels;
}

function amodalLegend({ amodal, chosen }) {
  if (!chosen) return [...orderNotes(amodal), note(`The outlines of the whole masks of ${amodal.objects.length} objects, what is hidden of them included. Choose one to see what hides it.`)];
  const name = (id) => DATA.objects[id] || `object ${id}`;
  const found = amodal.objects.find(([id]) => id === chosen);
  if (!found) return [note(`${name(chosen)} is not within this picture.`)];
  const [, layer, area, seen] = found;
  const pairs = amodal.pairs.filter(([front, behind]) => front === chosen || behind === chosen);
  return [swatch(CHOSEN, "whole mask"), swatch(blend(WHITE, CHOSEN, 0.4), "hidden"),
    note(`${name(chosen)}, of the layer ${DATA.layers[layer] || "unknown"}: ${area} pixels, of which ${written(area ? seen / area : 0, "share")} are seen.`),
    ...(pairs.length ? [note(pairsInWords(pairs, name))] : [])];
}

// ---- choices, and what lies under the pointer ----

function fillChoices() {
  const ever = (part) => FRAMES.some((_, i) => anyCel((cel) => canShow(i, part, cel)));
  const parts = Object.keys(PARTS).filter(ever);
  Object.assign(state, { cel: DATA.layers[0], part: parts[0], object: "0", covered: true });
  const names = Object.entries(DATA.objects).sort(([, a], [, b]) => a < b ? -1 : 1);
  const options = { cel: DATA.layers.map((cel) => [cel, cel]), part: parts.map((part) => [part, PARTS[part].name]), object: [["0", "all"], ...names] };
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
