// The scatter of Inspect Class. It is made once and then told what changed, so that zoom, tool and full screen
// survive every click and slider; a chart that the server draws anew would lose them.
const SVG = "http://www.w3.org/2000/svg";
// In pixels: how near a click must be to a point, and how far a press may move and still be a click.
const NEAR = 12, STILL = 4;
const SIZE = 3.6, FRAME = 0.92, STEP = 1.25, LARGEST = 60;
const THUMB = 72;
const CLEAR = 0.9, FAINT = 0.12;
const polygon = (...corners) => (r) => `M${corners.map(([x, y]) => `${x * r} ${y * r}`).join("L")}z`;
const star = [...Array(10).keys()].map((i) => {
  const angle = (i * Math.PI) / 5 - Math.PI / 2, far = i % 2 ? 0.55 : 1.35;
  return [far * Math.cos(angle), far * Math.sin(angle)];
});
const SHAPES = {
  circle: (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  diamond: polygon([0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]),
  square: polygon([-1, -1], [1, -1], [1, 1], [-1, 1]),
  "triangle-up": polygon([0, -1.2], [1.2, 1], [-1.2, 1]),
  cross: polygon([-0.4, -1.2], [0.4, -1.2], [0.4, -0.4], [1.2, -0.4], [1.2, 0.4], [0.4, 0.4], [0.4, 1.2], [-0.4, 1.2],
    [-0.4, 0.4], [-1.2, 0.4], [-1.2, -0.4], [-0.4, -0.4]),
  star: polygon(...star),
};
const TOOLS = [["Pan", "drag_pan"], ["Box Select", "select"], ["Lasso Select", "lasso_select"]];

const make = (name, attributes = {}, parent = null, space = null) => {
  const one = space ? document.createElementNS(space, name) : document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => one.setAttribute(key, value));
  parent?.append(one);
  return one;
};

const within = (x, y, corners) => {
  let inside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const [ax, ay] = corners[i], [bx, by] = corners[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
};

class Chart {
  constructor(parent) {
    this.zoom = { k: 1, x: 0, y: 0 };
    this.root = make("div", { class: "chart" }, parent);
    const head = make("div", { class: "head" }, this.root);
    this.title = make("div", { class: "title" }, head);
    this.makeTools(make("div", { class: "tools", role: "toolbar", "aria-label": "Chart" }, head));
    this.strip = new Strip(this.root, (...said) => this.tell(...said));
    this.svg = make("svg", { role: "img" }, this.root, SVG);
    this.layer = make("g", {}, this.svg, SVG);
    this.drawing = make("path", { class: "drawing" }, this.svg, SVG);
    this.bar = make("path", { class: "bar" }, this.svg, SVG);
    this.barText = make("text", { class: "bar-text" }, this.svg, SVG);
    this.legend = make("div", { class: "legend" }, this.root);
    this.tip = make("div", { class: "tip", hidden: "" }, this.root);
    this.thumb = make("div", { class: "thumb" }, this.tip);
    this.words = make("div", {}, this.tip);
    this.listen();
    new ResizeObserver(() => this.place()).observe(this.svg);
  }

  makeTools(bar) {
    const button = (label, icon, press) => {
      const one = make("button", { type: "button", title: label, "aria-label": label }, bar);
      make("span", { "aria-hidden": "true" }, one).textContent = icon;
      one.addEventListener("click", press);
      return one;
    };
    this.tools = Object.fromEntries(TOOLS.map(([label, icon]) => [label, button(label, icon, () => this.use(label))]));
    button("Zoom in", "add", () => this.magnify(STEP));
    button("Zoom out", "remove", () => this.magnify(1 / STEP));
    button("Show all", "fit_screen", () => { this.zoom = { k: 1, x: 0, y: 0 }; this.place(); });
    button("Full screen", "fullscreen", () =>
      document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen());
    this.use("Pan");
  }

  use(tool) {
    this.tool = tool;
    Object.entries(this.tools).forEach(([name, one]) => one.setAttribute("aria-pressed", name === tool));
    this.root.dataset.tool = tool;
  }

  show(data) {
    if (this.data?.plane !== data.plane) {
      this.zoom = { k: 1, x: 0, y: 0 };
      this.tip.hidden = true;
    }
    this.data = data;
    this.root.style.setProperty("--line", data.line);
    this.root.style.setProperty("--text", data.text);
    this.root.style.setProperty("--muted", data.muted);
    this.root.style.setProperty("--paper", data.background);
    this.title.textContent = data.title;
    this.svg.setAttribute("aria-label", data.alt);
    this.paint();
    this.strip.show(data.strip);
    this.showLegend();
    this.place();
  }

  paint() {
    const { groups, points, filled, selected } = this.data, chosen = new Set(selected);
    while (this.layer.childElementCount > points.length) this.layer.lastChild.remove();
    while (this.layer.childElementCount < points.length) make("path", { class: "point" }, this.layer, SVG);
    this.marks = [...this.layer.children];
    this.marks.forEach((mark) => mark.setAttribute("display", "none"));
    groups.forEach((group) => group.rows.forEach((row) => {
      const mark = this.marks[row];
      mark.removeAttribute("display");
      mark.setAttribute("d", SHAPES[group.symbol](SIZE));
      mark.setAttribute("stroke", group.colour);
      mark.setAttribute("fill", filled[row] ? group.colour : "transparent");
      mark.setAttribute("opacity", !chosen.size || chosen.has(row) ? CLEAR : FAINT);
    }));
  }

  // Where points have the colours of clusters, the strip is the legend.
  showLegend() {
    this.legend.hidden = this.data.strip.coloured;
    this.legend.replaceChildren(...this.data.groups.slice(0, this.data.legend).map((group) => {
      const one = make("button", { type: "button", title: `Select ${group.name}` });
      const sign = make("svg", { viewBox: "-6 -6 12 12", width: 12, height: 12, "aria-hidden": "true" }, one, SVG);
      make("path", { d: SHAPES[group.symbol](4), fill: group.colour }, sign, SVG);
      make("span", {}, one).textContent = `${group.name} (${group.rows.length})`;
      one.addEventListener("click", (event) => this.tell(group.rows, true, event.shiftKey));
      return one;
    }));
  }

  scale() {
    const box = this.svg.getBoundingClientRect(), { low, high } = this.data.bounds;
    const wide = Math.max(high[0] - low[0], 1e-6), tall = Math.max(high[1] - low[1], 1e-6);
    return { box, s: FRAME * Math.min(box.width / wide, box.height / tall) * this.zoom.k,
      middle: [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2] };
  }

  place() {
    if (!this.data) return;
    const { box, s, middle } = this.scale(), { x, y } = this.zoom;
    if (!box.width) return;
    const at = ([px, py]) => [box.width / 2 + x + (px - middle[0]) * s, box.height / 2 + y - (py - middle[1]) * s];
    this.spots = this.data.points.map(at);
    this.spots.forEach(([px, py], i) => this.marks[i].setAttribute("transform", `translate(${px} ${py})`));
    const low = box.height - 8;
    this.bar.setAttribute("d", `M8 ${low}h${this.data.bandwidth * s}`);
    this.barText.setAttribute("x", 8);
    this.barText.setAttribute("y", low - 5);
    this.barText.textContent = this.data.said;
  }

  magnify(by, at = null) {
    const { box } = this.scale(), k = Math.min(LARGEST, Math.max(0.5, this.zoom.k * by)), real = k / this.zoom.k;
    const [cx, cy] = at ?? [box.width / 2, box.height / 2];
    const dx = cx - box.width / 2, dy = cy - box.height / 2;
    this.zoom = { k, x: dx - (dx - this.zoom.x) * real, y: dy - (dy - this.zoom.y) * real };
    this.tip.hidden = true;
    this.place();
  }

  visible() {
    return this.data.groups.flatMap((group) => group.rows);
  }

  nearest([x, y]) {
    let best = null, least = NEAR * NEAR;
    this.visible().forEach((row) => {
      const far = (this.spots[row][0] - x) ** 2 + (this.spots[row][1] - y) ** 2;
      if (far < least) [best, least] = [row, far];
    });
    return best;
  }

  where(event) {
    const box = this.svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  listen() {
    this.svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.magnify(event.deltaY < 0 ? STEP : 1 / STEP, this.where(event));
    }, { passive: false });
    this.svg.addEventListener("pointerdown", (event) => {
      if (event.button || !this.data) return;
      this.svg.setPointerCapture(event.pointerId);
      this.press = { start: this.where(event), path: [this.where(event)], moved: false, zoom: { ...this.zoom } };
      this.tip.hidden = true;
      event.preventDefault();
    });
    this.svg.addEventListener("pointermove", (event) => (this.press ? this.drag(event) : this.hover(event)));
    this.svg.addEventListener("pointerup", (event) => this.press && this.release(event));
    this.svg.addEventListener("pointercancel", () => { this.press = null; this.drawing.setAttribute("d", ""); });
    this.svg.addEventListener("pointerleave", () => { this.tip.hidden = true; });
  }

  drag(event) {
    const press = this.press, [x, y] = this.where(event), [sx, sy] = press.start;
    press.moved ||= Math.hypot(x - sx, y - sy) > STILL;
    if (!press.moved) return;
    if (this.tool === "Pan") {
      this.zoom = { ...press.zoom, x: press.zoom.x + x - sx, y: press.zoom.y + y - sy };
      this.place();
      return;
    }
    if (this.tool === "Box Select") press.path = [[sx, sy], [x, sy], [x, y], [sx, y]];
    else press.path.push([x, y]);
    this.drawing.setAttribute("d", `M${press.path.map((one) => one.join(" ")).join("L")}z`);
  }

  release(event) {
    const press = this.press;
    this.press = null;
    this.drawing.setAttribute("d", "");
    if (!press.moved) {
      const row = this.nearest(press.start);
      if (row !== null) this.tell([row], false, event.shiftKey);
    } else if (this.tool !== "Pan") {
      const rows = this.visible().filter((row) => within(...this.spots[row], press.path));
      if (rows.length) this.tell(rows, true, event.shiftKey);
    }
  }

  hover(event) {
    const row = this.data ? this.nearest(this.where(event)) : null;
    this.tip.hidden = row === null;
    if (row === null) return;
    this.words.textContent = this.data.hover[row];
    this.showThumb(row);
    const home = this.root.getBoundingClientRect(), svg = this.svg.getBoundingClientRect();
    const left = svg.left - home.left + this.spots[row][0], top = svg.top - home.top + this.spots[row][1];
    this.tip.style.left = `${Math.min(Math.max(left, 90), home.width - 90)}px`;
    this.tip.style.top = `${top}px`;
  }

  // The pictures of all points come on one sheet and once for a plane, by a component of their own, so that no click
  // sends them again and no hover asks the server.
  showThumb(row) {
    const sheet = window.aegisPictures, at = row - (sheet?.first ?? 0);
    const known = sheet && sheet.plane === this.data.plane && at >= 0 && at < sheet.count;
    this.thumb.hidden = !known;
    if (!known) return;
    const [wide, tall] = sheet.size, times = Math.max(1, Math.round(THUMB / Math.max(wide, tall)));
    Object.assign(this.thumb.style, {
      width: `${wide * times}px`,
      height: `${tall * times}px`,
      backgroundImage: `url(${sheet.source})`,
      backgroundSize: `${sheet.columns * wide * times}px auto`,
      backgroundPosition: `${-(at % sheet.columns) * wide * times}px ${-Math.floor(at / sheet.columns) * tall * times}px`,
    });
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const chart = (parentElement.aegisChart ??= new Chart(parentElement));
  chart.tell = (rows, drawn, adding) => setTriggerValue("picked", { rows, drawn, adding });
  chart.show(data);
}
