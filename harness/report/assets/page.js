// The moving part of a report: steps through the runs that the page's data hold. Everything that it shows is also
// there without it, as tables and pictures.
(() => {
  "use strict";

  // Small helpers to build elements.

  const el = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
      else if (key in node && key !== "list") node[key] = value;
      else if (value !== undefined) node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== undefined && child !== null));
    return node;
  };
  const plural = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
  const shortFile = (file) => file.split("/").pop();

  // A run, with what is asked of it again and again.

  class Run {
    constructor(data) {
      Object.assign(this, data);
      for (const operation of this.operations) operation.file = this.files[operation.file];
      const lanes = new Set(data.steps.map((step) => step.task));
      for (const undone of data.undone) lanes.add(undone.task);
      if (data.unreached) lanes.add(data.unreached.task);
      this.lanes = [...lanes].sort((a, b) => a - b);
      this.hue = new Map(this.lanes.map((task, at) => [task, `t${at % 6}`]));
      this.stepsOf = new Map(this.lanes.map((task) => [task, []]));
      data.steps.forEach((step, at) => this.stepsOf.get(step.task).push(at));
      this.namedSet = new Set(data.named);
      const used = new Set(data.operations.flatMap((operation) => operation.objects));
      this.usedObjects = [...used].filter((id) => data.objects[id] && data.objects[id].modelled).sort((a, b) => a - b);
    }

    // Positions: one for each step, after which it has run, and one for the end.
    get end() { return this.steps.length; }

    operation(at) { return this.operations[this.steps[at].operation]; }

    // The next step of a task at or behind a position.
    next(task, from) {
      const steps = this.stepsOf.get(task);
      let [low, high] = [0, steps.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (steps[middle] < from) low = middle + 1; else high = middle;
      }
      return steps[low];
    }

    isBlocked(task, at) {
      return this.blocked.some((b) => b.task === task && b.from <= at && at < b.to);
    }

    // What a task is about to do once the step at a position has run.
    pending(task, at) {
      const next = this.next(task, at + 1);
      if (next !== undefined) return this.operation(next);
      const undone = this.undone.find((u) => u.task === task);
      return undone && this.operations[undone.operation];
    }

    // How a task is doing once the step at a position has run: [state, words, operation].
    state(task, at) {
      if (this.tasks[task].born > Math.min(at + 1, this.end)) return ["unborn", "not made yet"];
      const pending = this.pending(task, at);
      if (!pending) return ["over", at < this.end ? "has returned" : "returned"];
      const left = at + 1 >= this.end && this.undone.find((u) => u.task === task);
      if (left ? left.blocked : this.isBlocked(task, at + 1)) return ["waits", "waits for", pending];
      return ["ready", "is about to do", pending];
    }

    // What each object was last seen as.
    objectsAt(at) {
      const last = new Map();
      for (let step = 0; step <= Math.min(at, this.end - 1); step += 1) {
        for (const id of this.operation(step).objects) last.set(id, step);
      }
      return last;
    }

    alive(task, at) {
      const steps = this.stepsOf.get(task);
      const goesOn = this.undone.some((u) => u.task === task) || (this.unreached && this.unreached.task === task);
      return this.tasks[task].born <= at && (goesOn || at <= (steps[steps.length - 1] ?? -1));
    }

    get name() {
      if (this.kind === "failing") return `${this.variant}, failing`;
      if (this.kind === "passing") return this.failures.length ? `${this.variant}, without this failure` : `${this.variant}, passing`;
      return `${this.variant}, same turns`;
    }
  }

  // A run as a list of steps, with a narrow lane for each task.

  const MORE = 200; // So many folded steps are shown at once.
  const NEAR = 2; // So many around the present one are never folded.

  class Timeline {
    constructor(run, go, failure) {
      [this.run, this.go, this.failure] = [run, go, failure];
      this.unfolded = [];
      this.list = el("ol", { className: "timeline" });
      const passes = run.kind !== "failing" && run.failures.length === 0;
      const mark = run.kind === "failing" ? "\u2715 " : passes ? "\u2713 " : "! ";
      const heading = el("h4", { className: passes ? "good" : "bad" }, el("span", { ariaHidden: "true" }, mark), run.name);
      this.node = el("div", { className: "pane" }, heading, this.list);
    }

    visible(at, present) {
      if (Math.abs(at - present) <= NEAR) return true;
      const holds = ([from, to]) => from <= at && at < to;
      return this.run.shown.some(holds) || this.unfolded.some(holds);
    }

    draw(present, active) {
      const { run } = this;
      const rows = [];
      let fold = null;
      const closeFold = (to) => {
        if (fold !== null) rows.push(this.fold(fold, to));
        fold = null;
      };
      for (let at = 0; at < run.end; at += 1) {
        if (!this.visible(at, present)) { fold ??= at; continue; }
        closeFold(at);
        rows.push(this.step(at, present, active));
      }
      closeFold(run.end);
      rows.push(this.last(present, active));
      this.list.replaceChildren(...rows);
      const current = this.list.querySelector("[aria-current]");
      if (current) keepInView(this.list, current);
    }

    fold(from, to) {
      const words = `\u22ee ${plural(to - from, "step")} folded: show${to - from > MORE ? ` ${MORE}` : ""}`;
      const show = () => {
        this.unfolded.push([from, Math.min(to, from + MORE)]);
        this.go(null);
      };
      return el("li", { className: "fold" }, el("button", { type: "button", on: { click: show } }, words));
    }

    lanes(at, task) {
      const { run } = this;
      const lane = (t) => {
        const classes = ["lane", run.hue.get(t)];
        if (run.alive(t, at)) classes.push("alive");
        if (run.isBlocked(t, at)) classes.push("waits");
        if (t === task) classes.push("on");
        return el("span", { className: classes.join(" ") });
      };
      return el("span", { className: "lanes", ariaHidden: "true" }, ...run.lanes.map(lane));
    }

    step(at, present, active) {
      const { run } = this;
      const step = run.steps[at];
      const operation = run.operation(at);
      const classes = ["step"];
      if (run.namedSet.has(at) || run.failing_step === at) classes.push("named");
      if (at > present) classes.push("future");
      if (run.first_difference === at) classes.push("differs");
      const switched = at > 0 && run.steps[at - 1].task !== step.task;
      const text = el("span", { className: "text" },
        el("span", { className: `who ${run.hue.get(step.task)}` }, run.tasks[step.task].name), " ",
        el("code", {}, operation.name),
        step.note ? el("span", { className: "note" }, ` \u2192 ${step.note}`) : null,
        step.preempts && switched ? el("span", { className: "tag" }, `preempts ${run.tasks[run.steps[at - 1].task].name}`) : null,
        run.namedSet.has(at) ? el("span", { className: "tag bad" }, "decides") : null);
      return this.row(at, present, active, classes, [
        el("span", { className: "number" }, String(at + 1)), this.lanes(at, step.task), text,
        el("span", { className: "place" }, `${shortFile(operation.file)}:${operation.line}`),
      ]);
    }

    last(present, active) {
      const { run } = this;
      const fails = run.failures.length > 0;
      const words = fails ? run.failures.join("; ") : "nothing failed";
      const classes = ["step", "last", fails ? "fails" : "passes"];
      if (run.first_difference === run.end) classes.push("differs");
      const unreached = run.unreached && el("span", { className: "unreached" },
        `not reached: ${run.tasks[run.unreached.task].name} ${run.operations[run.unreached.operation].name}`);
      return this.row(run.end, present, active, classes, [
        el("span", { className: "number", ariaHidden: "true" }, fails ? "\u2715" : "\u2713"), this.lanes(run.end, -1),
        el("span", { className: "text" }, el("strong", {}, words), unreached ? " " : null, unreached), el("span", { className: "place" }),
      ]);
    }

    row(at, present, active, classes, children) {
      const current = at === present;
      const button = el("button", { type: "button", className: classes.join(" "), tabIndex: current && active ? 0 : -1,
        on: { click: () => this.go(at) } }, ...children);
      if (current) button.setAttribute("aria-current", "step");
      button.dataset.at = at;
      return el("li", {}, button);
    }
  }

  // Scrolls a list and not the page.
  const keepInView = (list, row) => {
    const margin = 60;
    const [top, bottom] = [row.offsetTop, row.offsetTop + row.offsetHeight];
    if (top < list.scrollTop + margin) list.scrollTop = top - margin;
    else if (bottom > list.scrollTop + list.clientHeight - margin) list.scrollTop = bottom - list.clientHeight + margin;
  };

  // What there is to know of a run at one position.

  class Inspector {
    constructor(sources) {
      this.sources = new Map(sources.map((source) => [source.file, source.text.split("\n")]));
      this.tasks = el("ul", { className: "tasks" });
      this.objects = el("tbody");
      this.file = null;
      this.source = el("pre", { className: "source", tabIndex: 0, ariaLabel: "Source", role: "region" });
      this.where = el("p", { className: "where" });
      const head = el("tr", {}, ...["object", "last seen", "by"].map((name) => el("th", { scope: "col" }, name)));
      const objects = el("table", { className: "objects" }, el("thead", {}, head), this.objects);
      this.node = el("div", { className: "inspector" },
        el("section", {}, el("h4", {}, "Tasks"), this.tasks),
        el("section", {}, el("h4", {}, "Objects"), el("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "Objects" }, objects)),
        el("section", { className: "code" }, el("h4", {}, "Source"), this.where, this.source));
    }

    draw(run, at) {
      this.drawTasks(run, at);
      this.drawObjects(run, at);
      this.drawSource(run, at);
    }

    drawTasks(run, at) {
      const present = at < run.end ? run.steps[at].task : -1;
      const item = (task) => {
        const [state, words, operation] = run.state(task, at);
        const did = task === present ? el("span", { className: "did" }, "did this step; ") : null;
        return el("li", { className: state }, el("span", { className: `who ${run.hue.get(task)}` }, run.tasks[task].name), " ", did, words,
          operation ? el("span", {}, " ", el("code", {}, operation.name), el("span", { className: "place" }, ` ${shortFile(operation.file)}:${operation.line}`)) : null);
      };
      this.tasks.replaceChildren(...run.lanes.map(item));
    }

    drawObjects(run, at) {
      const last = run.objectsAt(at);
      const now = new Set(at < run.end ? run.operation(at).objects : []);
      const row = (id) => {
        const object = run.objects[id];
        const step = last.get(id);
        const cells = step === undefined ? ["not touched yet", ""] : [
          el("span", {}, el("code", {}, run.operation(step).name), run.steps[step].note ? ` \u2192 ${run.steps[step].note}` : ""),
          el("span", {}, el("span", { className: `who ${run.hue.get(run.steps[step].task)}` }, run.tasks[run.steps[step].task].name), `, step ${step + 1}`),
        ];
        return el("tr", { className: now.has(id) ? "changed" : step === undefined ? "idle" : "" },
          el("th", { scope: "row" }, el("code", {}, object.name || object.kind), el("span", { className: "kind" }, object.kind)),
          ...cells.map((cell) => el("td", {}, cell)));
      };
      this.objects.replaceChildren(...run.usedObjects.map(row));
    }

    drawSource(run, at) {
      const operation = run.operation(Math.min(at, run.end - 1));
      if (!operation) return;
      const lines = this.sources.get(operation.file);
      this.where.textContent = `${operation.file}:${operation.line}`;
      if (!lines) { this.source.replaceChildren("This file is not part of the report."); this.file = null; return; }
      if (this.file !== operation.file) {
        this.file = operation.file;
        this.lines = lines.map((line, number) => el("span", { className: "line" },
          el("span", { className: "number", ariaHidden: "true" }, String(number + 1)), el("span", { className: "words" }, line), "\n"));
        this.source.replaceChildren(...this.lines);
      }
      for (const line of this.source.querySelectorAll(".here, .there")) line.className = "line";
      // Where the others stand, and over that where the present step is.
      for (const task of run.lanes) {
        const [state, , pending] = run.state(task, at);
        if (pending && state !== "unborn" && pending.file === operation.file && this.lines[pending.line - 1]) {
          this.lines[pending.line - 1].className = `line there ${run.hue.get(task)}`;
        }
      }
      const here = this.lines[operation.line - 1];
      if (!here) return;
      here.className = "line here";
      this.source.scrollTop = here.offsetTop - this.source.clientHeight / 2;
    }
  }

  // The whole.

  class Explorer {
    constructor(place, data) {
      this.place = place;
      this.cases = data.cases.map((known) => ({ ...known, runs: known.runs.map((run) => new Run(run)) }));
      this.inspector = new Inspector(data.sources);
      [this.caseAt, this.kind, this.at, this.beside, this.timer] = [0, "failing", 0, false, null];
      this.build();
      this.choose(0);
    }

    build() {
      const button = (words, label, act) => el("button", { type: "button", title: label, on: { click: act } }, words);
      this.select = el("select", { id: "case", on: { change: () => this.choose(this.select.selectedIndex) } },
        ...this.cases.map((c) => el("option", {}, `${c.headline} (${c.variant} on ${c.workload})`)));
      this.kinds = el("fieldset", { className: "kinds" });
      this.besideBox = el("input", { type: "checkbox", on: { change: () => { this.beside = this.besideBox.checked; this.layOut(); } } });
      this.slider = el("input", { type: "range", min: 0, ariaLabel: "Step", on: { input: () => this.go(Number(this.slider.value)) } });
      this.playButton = button("Play", "Play the schedule", () => this.play());
      this.counter = el("span", { className: "counter" });
      this.status = el("p", { className: "now" });
      this.status.setAttribute("role", "status");
      this.status.setAttribute("aria-live", "polite");
      this.panes = el("div", { className: "panes" });
      this.place.replaceChildren(
        el("div", { className: "bar" },
          el("label", { className: "case" }, "Failure ", this.select),
          el("div", { className: "row" }, this.kinds, el("label", { className: "beside" }, this.besideBox, " side by side")),
          el("div", { className: "row steps" },
            button("First", "First step", () => this.go(0)), button("Back", "Step back", () => this.go(this.at - 1)),
            button("Next", "Step forward", () => this.go(this.at + 1)), button("End", "To the end", () => this.go(Infinity)), this.playButton,
            this.slider, this.counter)),
        this.status,
        el("div", { className: "view" }, this.panes, this.inspector.node));
      this.place.classList.add("ready");
      this.place.addEventListener("keydown", (event) => this.key(event));
    }

    get case() { return this.cases[this.caseAt]; }
    get run() { return this.case.runs.find((run) => run.kind === this.kind) ?? this.case.runs[0]; }

    // The runs that are shown: the present one, or the failing one and another beside it.
    get shownRuns() {
      if (!this.beside || this.case.runs.length < 2) return [this.run];
      const other = this.run.kind === "failing" ? this.case.runs[1] : this.run;
      return [this.case.runs[0], other];
    }

    choose(at) {
      [this.caseAt, this.kind, this.at] = [at, "failing", 0];
      this.select.selectedIndex = at;
      const words = { failing: "failing", passing: "nearest passing", fixed: "fixed form" };
      const radio = (run) => el("label", {}, el("input", { type: "radio", name: "kind", value: run.kind, checked: run.kind === this.kind,
        on: { change: () => { this.kind = run.kind; this.layOut(); } } }), " ", run.kind === "passing" && run.failures.length ? "nearest without it" : words[run.kind]);
      this.kinds.replaceChildren(el("legend", { className: "hidden" }, "Which run"), ...this.case.runs.map(radio));
      this.besideBox.disabled = this.case.runs.length < 2;
      this.layOut();
    }

    layOut() {
      this.timelines = this.shownRuns.map((run) => new Timeline(run, (at) => {
        if (at !== null && run !== this.run) this.take(run.kind);
        this.go(at ?? this.at);
      }));
      this.panes.replaceChildren(...this.timelines.map((timeline) => timeline.node));
      this.panes.className = this.timelines.length > 1 ? "panes two" : "panes";
      this.place.querySelector(".view").className = this.timelines.length > 1 ? "view wide" : "view";
      this.go(this.at);
    }

    take(kind) {
      this.kind = kind;
      for (const radio of this.kinds.querySelectorAll("input")) radio.checked = radio.value === kind;
    }

    go(to) {
      const focused = this.place.contains(document.activeElement) && document.activeElement.matches(".timeline button");
      this.at = Math.max(0, Math.min(to, this.run.end));
      for (const timeline of this.timelines) timeline.draw(Math.min(this.at, timeline.run.end), timeline.run === this.run);
      this.inspector.draw(this.run, this.at);
      this.slider.max = this.run.end;
      this.slider.value = this.at;
      const words = this.words();
      this.slider.setAttribute("aria-valuetext", words);
      this.counter.textContent = this.at < this.run.end ? `step ${this.at + 1} of ${this.run.end}` : "the end";
      this.status.textContent = words;
      this.status.className = `now${this.at < this.run.end ? "" : this.run.failures.length ? " bad" : " good"}`;
      if (this.at === this.run.end) this.stop();
      if (focused) this.place.querySelector(".timeline button[tabindex='0']")?.focus({ preventScroll: true });
    }

    words() {
      const { run, at } = this;
      if (at === run.end) {
        return run.failures.length ? `The end: ${run.failures.join("; ")}` : "The end: nothing failed";
      }
      const [step, operation] = [run.steps[at], run.operation(at)];
      const note = step.note ? ` \u2192 ${step.note}` : "";
      const differs = run.first_difference === at ? "; here it first differs from the failing run" : "";
      const named = run.namedSet.has(at) ? "; this decides" : "";
      return `Step ${at + 1}: ${run.tasks[step.task].name} does ${operation.name}${note}${named}${differs}`;
    }

    key(event) {
      if (event.target.matches("select, input, .source") || event.ctrlKey || event.metaKey || event.altKey) return;
      const to = { ArrowRight: this.at + 1, ArrowDown: this.at + 1, ArrowLeft: this.at - 1, ArrowUp: this.at - 1, Home: 0, End: Infinity }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.go(to);
    }

    play() {
      if (this.timer) { this.stop(); return; }
      if (this.at === this.run.end) this.go(0);
      this.playButton.textContent = "Pause";
      this.timer = setInterval(() => this.go(this.at + 1), 900);
    }

    stop() {
      clearInterval(this.timer);
      this.timer = null;
      this.playButton.textContent = "Play";
    }
  }

  // The page around it.

  const themeButton = () => {
    const button = document.querySelector("button.theme");
    if (!button) return;
    const themes = ["auto", "light", "dark"];
    let theme = "auto";
    const apply = (next) => {
      theme = next;
      if (theme === "auto") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = theme;
      button.textContent = `Theme: ${theme}`;
    };
    // Where the page may keep nothing, the theme lasts as long as it is open.
    const kept = (act) => { try { return act(); } catch { return null; } };
    const before = kept(() => localStorage.getItem("bohr-theme"));
    apply(themes.includes(before) ? before : "auto");
    button.hidden = false;
    button.addEventListener("click", () => {
      apply(themes[(themes.indexOf(theme) + 1) % themes.length]);
      kept(() => localStorage.setItem("bohr-theme", theme));
    });
  };

  const copyButtons = () => {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("button.copy")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(button.dataset.copy);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
    }
  };

  const scrollToSteps = () => {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    document.getElementById("steps").scrollIntoView({ behavior: calm ? "auto" : "smooth" });
  };

  const stepThroughButtons = (explorer) => {
    for (const button of document.querySelectorAll("button.step-through")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        explorer.choose(Number(button.dataset.case));
        scrollToSteps();
        explorer.select.focus({ preventScroll: true });
      });
    }
  };

  const clickablePicture = (explorer) => {
    for (const step of document.querySelectorAll("[aria-labelledby~='first-title'] [data-step]")) {
      step.addEventListener("click", () => {
        if (explorer.caseAt !== 0 || explorer.kind !== "failing") explorer.choose(0);
        explorer.go(Number(step.dataset.step));
        scrollToSteps();
      });
    }
  };

  themeButton();
  copyButtons();
  const place = document.getElementById("explorer");
  const data = document.getElementById("data");
  if (place && data) {
    const explorer = new Explorer(place, JSON.parse(data.textContent));
    clickablePicture(explorer);
    stepThroughButtons(explorer);
  }
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
