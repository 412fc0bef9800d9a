// The strip of clusters: a chip for each, updated in place so that the keyboard's focus stays where it was.
class Strip {
  constructor(parent, tell) {
    this.tell = tell;
    this.root = make("div", { class: "strip", role: "group", "aria-label": "Clusters" }, parent);
    this.more = make("span", { class: "others" }, this.root);
    this.chips = [];
  }

  show({ chips, more }) {
    while (this.chips.length > chips.length) this.chips.pop().root.remove();
    while (this.chips.length < chips.length) this.chips.push(this.chip());
    const chosen = chips.filter((one) => one.pressed !== "false").length;
    chips.forEach((one, i) => this.update(this.chips[i], one, chosen));
    this.more.textContent = more ? `and ${more} more` : "";
    this.root.append(this.more);
  }

  chip() {
    const root = make("div", { class: "chip" }, this.root);
    const pick = make("button", { type: "button", class: "pick" }, root);
    const picture = make("img", { alt: "" }, pick), words = make("span", { class: "words" }, pick);
    const name = make("span", { class: "name" }, words);
    const sign = make("svg", { viewBox: "-6 -6 12 12", width: 12, height: 12, "aria-hidden": "true" }, name, SVG);
    const chip = { root, pick, picture, shape: make("path", {}, sign, SVG), name: make("span", {}, name) };
    chip.said = make("span", {}, words);
    chip.sources = make("span", { class: "sources" }, words);
    chip.add = make("button", { type: "button", class: "add" }, root);
    chip.icon = make("span", { "aria-hidden": "true" }, chip.add);
    // A click that leaves nothing selected is told as one that takes the cluster away.
    pick.addEventListener("click", (event) => this.tell([chip.row], false, event.shiftKey || chip.only));
    chip.add.addEventListener("click", () => this.tell([chip.row], false, true));
    return chip;
  }

  update(chip, { name, said, sources, row, pressed, picture, colour, symbol }, chosen) {
    const all = pressed === "true", action = `${all ? "Take away" : "Add"} ${name.toLowerCase()}`;
    Object.assign(chip, { row, only: all && chosen === 1 });
    chip.root.style.setProperty("--cluster", colour);
    chip.pick.setAttribute("aria-pressed", pressed);
    chip.pick.title = sources;
    chip.picture.hidden = !picture;
    if (picture && chip.picture.src !== picture) chip.picture.src = picture;
    chip.shape.setAttribute("d", SHAPES[symbol](4));
    chip.name.textContent = name;
    chip.said.textContent = said;
    chip.sources.textContent = sources;
    chip.add.hidden = !chosen || chip.only;
    chip.add.title = action;
    chip.add.setAttribute("aria-label", action);
    chip.icon.textContent = all ? "remove" : "add";
  }
}

