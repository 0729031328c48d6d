// The map: this alert's own zones and sightings on a plain ground. Nothing is fetched from elsewhere,
// and the drawing below it stays where WebGL is not to be had.
import { LngLatBounds, Map as MapView, Marker, NavigationControl, ScaleControl } from "./vendor/maplibre-gl.mjs";

const box = document.getElementById("map");
const features = JSON.parse(box.dataset.features);

/** Colours are the legend's, so that both always agree and both themes work. */
function colour(name) {
  return getComputedStyle(document.querySelector(`.swatch-${name}`) ?? box).color;
}

function of(kind) {
  return { type: "FeatureCollection", features: features.features.filter((item) => item.properties.kind === kind) };
}

function* positions(coordinates) {
  if (typeof coordinates[0] === "number") yield coordinates;
  else for (const part of coordinates) yield* positions(part);
}

function bounds() {
  const all = new LngLatBounds();
  for (const item of features.features) for (const position of positions(item.geometry.coordinates)) all.extend(position);
  return all;
}

function layers() {
  const zone = colour("zone");
  const accuracy = colour("accuracy");
  return [
    { id: "ground", type: "background", paint: { "background-color": getComputedStyle(box).backgroundColor } },
    { id: "zone", type: "fill", source: "zone", paint: { "fill-color": zone, "fill-opacity": 0.18 } },
    { id: "zone-edge", type: "line", source: "zone", paint: { "line-color": zone, "line-width": 2 } },
    { id: "exception", type: "line", source: "exception", paint: { "line-color": colour("exception"), "line-width": 2, "line-dasharray": [3, 2] } },
    { id: "accuracy", type: "fill", source: "accuracy", paint: { "fill-color": accuracy, "fill-opacity": 0.1 } },
    { id: "accuracy-edge", type: "line", source: "accuracy", paint: { "line-color": accuracy, "line-width": 1, "line-dasharray": [2, 2] } },
  ];
}

function draw() {
  const sketch = box.querySelector("svg");
  const sources = Object.fromEntries(["zone", "exception", "accuracy"].map((kind) => [kind, { type: "geojson", data: of(kind) }]));
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = new MapView({
    container: box,
    style: { version: 8, sources, layers: layers() },
    bounds: bounds(),
    fitBoundsOptions: { padding: 48, maxZoom: 18 },
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    fadeDuration: calm ? 0 : 200,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-left");
  for (const item of of("sighting").features) {
    const pin = document.createElement("span");
    const { number, is_minor: isMinor } = item.properties;
    pin.className = isMinor ? "pin dot" : "pin";
    pin.textContent = isMinor ? "" : number;
    pin.title = `Sighting ${number}`;
    new Marker({ element: pin }).setLngLat(item.geometry.coordinates).addTo(map);
  }
  map.once("load", () => {
    sketch.remove();
    box.dataset.drawn = "yes";
  });
  const repaint = () => {
    for (const layer of layers()) {
      for (const [name, value] of Object.entries(layer.paint)) map.setPaintProperty(layer.id, name, value);
    }
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
}

try {
  draw();
} catch {
  box.querySelectorAll(":scope > :not(svg)").forEach((part) => part.remove());
}
