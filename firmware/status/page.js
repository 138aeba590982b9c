// SPDX-License-Identifier: Apache-2.0
// Follows the box: every 5 s what has changed is exchanged, around what a person types.
(() => {
  const place = (id) => document.getElementById(id);
  const exchange = (part, fresh) => {
    part.hidden = fresh.hidden;
    if (part.innerHTML === fresh.innerHTML) return;
    const fields = [...part.querySelectorAll("input[id]")];
    const held = fields.find((field) => field === document.activeElement);
    const at = [...part.querySelectorAll("a,button")].indexOf(document.activeElement);
    part.innerHTML = fresh.innerHTML;
    for (const field of fields) {
      const now = place(field.id);
      if (!now) continue;
      now.value = field.value;
      if (field !== held) continue;
      now.focus();
      now.setSelectionRange(field.selectionStart, field.selectionEnd);
    }
    if (at >= 0) part.querySelectorAll("a,button")[at]?.focus();
  };
  let seen = "";
  const follow = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch("/", { cache: "no-store", signal: AbortSignal.timeout(4000) });
      if (!answer.ok) throw answer.status;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-u]")) {
        const fresh = page.getElementById(part.id);
        if (fresh) exchange(part, fresh);
      }
      document.title = page.title;
      document.body.className = page.body.className;
      const icon = "[rel=icon]";
      document.querySelector(icon).href = page.querySelector(icon).href;
      seen = new Date().toLocaleTimeString();
      place("c").textContent = "";
    } catch {
      place("c").textContent = "No answer from the box" + (seen && " since " + seen);
    }
  };
  setInterval(follow, 5000);
})();
