(() => {
  "use strict";
  const form = document.getElementById("filters");
  const cases = [...document.querySelectorAll(".case")];
  const told = document.getElementById("told");
  const below = (one, name) => [...one.querySelectorAll(name)];
  const groups = below(document, ".group").map((group) =>
    [group, below(group, ".chunk").map((chunk) => [chunk, below(chunk, ".case")])]);
  const chips = form ? below(form, "[aria-pressed]") : [];
  const isPressed = (chip) => chip.getAttribute("aria-pressed") === "true";
  // The chip without a value is all: it is pressed where no other is.
  const press = (chip) => {
    for (const one of chips) {
      const on = one === chip ? !isPressed(one) : Boolean(chip.value) && isPressed(one);
      one.setAttribute("aria-pressed", String(Boolean(one.value) && on));
    }
    chips[0].setAttribute("aria-pressed", String(!chips.some(isPressed)));
  };
  const texts = new Map();
  const textOf = (one) => {
    let text = texts.get(one);
    if (text === undefined) {
      text = one.textContent.toLowerCase();
      texts.set(one, text);
    }
    return text;
  };
  // Whatever is touched costs time, so only what differs is, and what stands in something hidden is left as it is.
  const hide = (one, hidden) => {
    if (one.hidden !== hidden) {
      one.hidden = hidden;
    }
  };
  const apply = () => {
    const data = new FormData(form);
    const words = String(data.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);
    const outcomes = chips.filter(isPressed).map((chip) => chip.value).filter(Boolean);
    const wanted = ["s", "g"].map((key) => [key, data.get(key)]).filter(([, value]) => value);
    const tag = data.get("t");
    const fits = (one) => (outcomes.length === 0 || outcomes.includes(one.dataset.o)) &&
      wanted.every(([key, value]) => one.dataset[key] === value) &&
      (!tag || (one.dataset.t || "").split(" ").includes(tag)) &&
      words.every((word) => textOf(one).includes(word));
    let shown = 0;
    for (const [group, chunks] of groups) {
      const before = shown;
      for (const [chunk, members] of chunks) {
        const fitting = new Set(members.filter(fits));
        shown += fitting.size;
        hide(chunk, fitting.size === 0);
        if (!chunk.hidden) {
          members.forEach((one) => hide(one, !fitting.has(one)));
          // Out of sight a chunk is as high as it was, or as so many folded cases are.
          const kept = fitting.size === members.length ? "auto " : "";
          chunk.style.containIntrinsicHeight = `${kept}${fitting.size * 1.93}rem`;
        }
      }
      hide(group, shown === before);
    }
    const [part, all] = [shown, cases.length].map((count) => count.toLocaleString("en"));
    told.value = part === all ? `All ${all} cases` : `${part} of ${all} cases`;
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
        later();
      });
    }
    for (const [id, open] of [["unfold", true], ["fold", false]]) {
      document.getElementById(id).addEventListener("click", () => {
        for (const one of cases) {
          if (!one.closest("[hidden]")) {
            one.open = open;
          }
        }
      });
    }
    apply();
  }
  const follow = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const one = target && target.closest(".case");
    if (one) {
      if (one.closest("[hidden]")) {
        form.reset();
        apply();
      }
      one.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", follow);
  follow();
})();
