"use strict";
/* Draws the series of #chart with uPlot, in the page's colours, and again when size or colours change. */
const place = document.getElementById("chart");
const colours = ["--cloud", "--bad", "--local"];
let drawn = null;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function draw() {
  const data = JSON.parse(place.dataset.series);
  const locale = document.documentElement.lang;
  const money = (value) =>
    value == null ? "–" : value.toLocaleString(locale, { maximumFractionDigits: 2 }) + " " + data.currency;
  const lines = [data.cloud, data.paid, data.electricity];
  const axis = { stroke: colour("--dim"), grid: { stroke: colour("--edge"), width: 1 }, ticks: { show: false } };
  const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
  const options = {
    width: place.clientWidth,
    height: Math.min(360, Math.max(220, place.clientWidth * 0.4)),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    cursor: { drag: { setScale: false, x: false, y: false } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((tick) => day(tick).slice(5)), incrs: [1, 2, 7, 14, 30, 60, 90].map((n) => n * 86400), space: 60 },
      { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => tick.toLocaleString(locale)) },
    ],
    series: [
      { value: (_, seconds) => (seconds == null ? "–" : day(seconds)), label: data.day },
      ...lines.map((_, number) => ({
        label: data.names[number],
        stroke: colour(colours[number]),
        width: 2,
        dash: number ? [[], [6, 4], [2, 3]][number] : undefined,
        fill: number ? undefined : colour(colours[number]) + "1a",
        points: { show: data.days.length < 40, size: 5 },
        value: (_, amount) => money(amount),
      })),
    ],
  };
  drawn?.destroy();
  drawn = new uPlot(options, [data.days, ...lines], place);
}

if (place) {
  draw();
  new ResizeObserver(() => {
    if (drawn && drawn.width !== place.clientWidth) draw();
  }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
