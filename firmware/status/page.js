// SPDX-License-Identifier: Apache-2.0
// Follows the box: every 5 s what has changed is exchanged, and nothing that a person types.
(() => {
  const place = (id) => document.getElementById(id);
  const busy = (part) =>
    [...part.querySelectorAll("input:not([type=hidden])")].some(
      (input) => input.value || input === document.activeElement,
    );
  const exchange = (part, fresh) => {
    part.hidden = fresh.hidden;
    for (const token of part.querySelectorAll("[name=token]")) {
      token.value = fresh.querySelector("[name=token]")?.value || token.value;
    }
    if (part.innerHTML === fresh.innerHTML || busy(part)) return;
    const at = [...part.querySelectorAll("a,button")].indexOf(document.activeElement);
    part.innerHTML = fresh.innerHTML;
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
