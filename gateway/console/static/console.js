"use strict";
/* Small things that need no server: forms that send themselves, a menu that shows where one is, figures that renew. */
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

document.querySelector(".menu [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const pause = document.getElementById("pause");
if (pause) {
  let live = true;
  pause.hidden = false;
  pause.addEventListener("click", () => {
    live = !live;
    pause.textContent = live ? pause.dataset.pause : pause.dataset.go;
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const idle = event.target.matches("[data-live]") && (!live || document.hidden);
    if (idle) event.preventDefault();
  });
}

/* Figures that renew: whoever was signed out signs in again; what is old says so. */
const lost = document.getElementById("lost");
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 401) location.reload();
  if (event.target.matches("[data-live]") && event.detail.xhr.status >= 400) event.detail.shouldSwap = false;
});
document.addEventListener("htmx:sendError", () => {
  lost.hidden = false;
});
document.addEventListener("htmx:afterOnLoad", () => {
  lost.hidden = true;
});
