(() => {
  "use strict";
  const form = document.getElementById("filters");
  const count = document.getElementById("count");
  const below = (one, name) => [...one.querySelectorAll(name)];
  const folds = below(document, ".fold");
  // What a case is filtered by, read once: that is slow.
  const read = (box) => {
    const { o, s, g, t } = box.dataset;
    return { box, o, s, g, t: ` ${t} `, text: box.textContent.toLowerCase() };
  };
  const groups = below(document, ".group").map((group) => [group, below(group, ".chunk").map((box) =>
    ({ box, height: "", members: below(box, ".case").map(read) }))]);
  const cases = groups.flatMap(([, chunks]) => chunks.flatMap((chunk) => chunk.members));
  const chips = form ? below(form, "[aria-pressed]") : [];
  const isPressed = (chip) => chip.getAttribute("aria-pressed") === "true";
  // The chip without a value stands for all: it is pressed if no other is.
  const press = (chip) => {
    for (const one of chips) {
      const on = one === chip ? !isPressed(one) : Boolean(chip.value) && isPressed(one);
      one.setAttribute("aria-pressed", String(Boolean(one.value) && on));
    }
    chips[0].setAttribute("aria-pressed", String(!chips.some(isPressed)));
  };
  // Every change costs time, so only what differs is changed, and nothing inside of what is hidden.
  const hide = (box, hidden) => {
    if (box.hidden !== hidden) {
      box.hidden = hidden;
    }
  };
  const opened = new Set();
  const apply = () => {
    const data = new FormData(form);
    const words = String(data.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);
    const outcomes = chips.filter(isPressed).map((chip) => chip.value).filter(Boolean);
    const [state, scenario, tag] = ["s", "g", "t"].map((key) => data.get(key));
    const fits = ({ o, s, g, t, text }) => (outcomes.length === 0 || outcomes.includes(o)) &&
      (!state || s === state) && (!scenario || g === scenario) && (!tag || t.includes(` ${tag} `)) &&
      words.every((word) => text.includes(word));
    const filters = words.length + outcomes.length > 0 || Boolean(state || scenario || tag);
    let shown = 0;
    for (const [group, chunks] of groups) {
      const before = shown;
      for (const chunk of chunks) {
        const fitting = filters ? chunk.members.map(fits) : [];
        const fit = filters ? fitting.filter(Boolean).length : chunk.members.length;
        shown += fit;
        hide(chunk.box, fit === 0);
        if (fit > 0) {
          chunk.members.forEach((one, at) => hide(one.box, filters && !fitting[at]));
          // Out of sight, a chunk is as high as it was, or as its folded cases are.
          const height = `${fit === chunk.members.length ? "auto " : ""}${fit * 1.93}rem`;
          if (chunk.height !== height) {
            chunk.box.style.containIntrinsicHeight = height;
            chunk.height = height;
          }
        }
      }
      hide(group, shown === before);
    }
    // A filter opens folded groups. They are closed again when it is gone.
    for (const fold of folds) {
      if (filters && !fold.open) {
        opened.add(fold);
        fold.open = true;
      } else if (!filters && opened.delete(fold)) {
        fold.open = false;
      }
    }
    const [part, all] = [shown, cases.length].map((number) => number.toLocaleString("en"));
    count.value = part === all ? `All ${all} cases` : `${part} of ${all} cases`;
  };
  if (form && cases.length > 0) {
    let due = 0;
    const later = () => {
      clearTimeout(due);
      due = setTimeout(apply, 30);
    };
    form.hidden = false;
    form.addEventListener("input", later);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => {
      press(chips[0]);
      later();
    });
    for (const chip of chips) {
      chip.addEventListener("click", () => {
        press(chip);
        apply();
      });
    }
    for (const [id, open] of [["unfold", true], ["fold", false]]) {
      document.getElementById(id).addEventListener("click", () => {
        for (const one of [...folds, ...below(document, "details.case")]) {
          if (!one.closest("[hidden]")) {
            one.open = open;
          }
        }
        opened.clear();
      });
    }
    apply();
  }
  const copy = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied";
    }
    setTimeout(() => {
      button.textContent = "Copy";
    }, 2000);
  };
  // A case gets its buttons when it is opened for the first time.
  const addCopy = (one) => {
    for (const pre of below(one, "pre")) {
      if (!pre.previousElementSibling || !pre.previousElementSibling.matches(".copy")) {
        const button = document.createElement("button");
        Object.assign(button, { type: "button", className: "copy", textContent: "Copy" });
        const text = pre.textContent;
        button.addEventListener("click", () => copy(text, button));
        pre.before(button);
      }
    }
  };
  document.addEventListener("toggle", (event) => {
    if (event.target.matches(".case[open]")) {
      addCopy(event.target);
    }
  }, true);
  below(document, ".grid").forEach(addCopy);
  const follow = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const one = target && target.closest(".case");
    if (one) {
      if (one.closest("[hidden]")) {
        form.reset();
        apply();
      }
      for (let fold = target; fold; fold = fold.parentElement) {
        if (fold.matches("details")) {
          fold.open = true;
        }
      }
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", follow);
  follow();
})();
