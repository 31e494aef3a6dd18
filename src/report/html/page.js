(() => {
  "use strict";
  const form = document.getElementById("filters");
  const cases = [...document.querySelectorAll(".case")];
  if (form && cases.length > 0) {
    const groups = [...document.querySelectorAll(".group")].map((group) => [group, [...group.querySelectorAll(".case")]]);
    const told = document.getElementById("told");
    const texts = new Map();
    const textOf = (one) => {
      let text = texts.get(one);
      if (text === undefined) {
        text = one.textContent.toLowerCase();
        texts.set(one, text);
      }
      return text;
    };
    const apply = () => {
      const data = new FormData(form);
      const words = String(data.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);
      const wanted = ["o", "s", "g"].map((key) => [key, data.get(key)]).filter(([, value]) => value);
      const tag = data.get("t");
      let shown = 0;
      for (const [group, members] of groups) {
        const fitting = members.filter((one) => wanted.every(([key, value]) => one.dataset[key] === value) &&
            (!tag || (one.dataset.t || "").split(" ").includes(tag)) &&
            words.every((word) => textOf(one).includes(word)));
        shown += fitting.length;
        group.hidden = fitting.length === 0;
        // What stands in a hidden group is left as it is; whatever is touched costs time.
        const keep = new Set(fitting);
        for (const one of group.hidden ? [] : members) {
          if (one.hidden === keep.has(one)) {
            one.hidden = !one.hidden;
          }
        }
      }
      told.value = shown === cases.length ? `All ${cases.length} cases` : `${shown} of ${cases.length} cases`;
    };
    let due = 0;
    const later = () => {
      clearTimeout(due);
      due = setTimeout(apply, 30);
    };
    form.hidden = false;
    form.addEventListener("input", later);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", later);
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
    if (target && target.tagName === "DETAILS") {
      target.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", follow);
  follow();
})();
