"use strict";
/* The chat: asks /console/chat as any app would, and keeps the conversation in this page alone. */
const talk = document.getElementById("talk");
const form = document.getElementById("say");
const field = document.getElementById("words");
const send = document.getElementById("send");
const stop = document.getElementById("stop");
const said = talk.dataset;
let turns = [];
let running = null;

function bubble(who, kind) {
  const box = document.createElement("article");
  box.className = "bubble " + kind;
  const head = document.createElement("p");
  head.className = "dim";
  head.textContent = who;
  const text = document.createElement("p");
  text.className = "said";
  box.append(head, text);
  talk.append(box);
  return { box, head, text };
}

function badge(kind, text) {
  const one = document.createElement("span");
  one.className = "badge " + kind;
  one.textContent = text;
  return one;
}

function way(answer, headers) {
  const zone = headers.get("x-aduana-zone"), label = headers.get("x-aduana-label"), id = headers.get("x-request-id");
  const parts = [headers.get("x-aduana-target") ?? ""];
  if (zone) parts.push(badge(zone, said[zone] ?? zone));
  if (label) parts.push(badge("label-" + label, said[label] ?? label));
  if (headers.get("x-aduana-rule")) parts.push(said.rule + ": " + headers.get("x-aduana-rule"));
  if (id && label) {
    const link = document.createElement("a");
    link.href = "/console/requests/" + encodeURIComponent(id);
    link.textContent = said.why;
    parts.push(link);
  }
  answer.head.replaceChildren(...parts.flatMap((part) => [part, " "]));
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data: ") && line !== "data: [DONE]") yield JSON.parse(line.slice(6));
    }
  }
}

async function ask() {
  const answer = bubble("", "answer");
  answer.text.textContent = said.waiting;
  answer.box.ariaBusy = "true"; // so that a screen reader waits for the whole answer
  running = new AbortController();
  stop.disabled = false;
  send.disabled = true;
  let text = "";
  try {
    const headers = { "Content-Type": "application/json" };
    const tags = document.getElementById("tags").value.trim();
    if (tags) headers["x-aduana-tags"] = tags;
    const body = JSON.stringify({ model: document.getElementById("model").value, messages: turns, stream: true });
    const reply = await fetch("/console/chat", { method: "POST", headers, body, signal: running.signal });
    way(answer, reply.headers);
    if (!reply.ok) throw new Error((await reply.json()).error.message);
    for await (const event of events(reply.body)) {
      if (event.error) throw new Error(event.error.message);
      text += event.choices?.[0]?.delta?.content ?? "";
      answer.text.textContent = text || said.waiting;
    }
    answer.text.textContent = text;
    turns.push({ role: "assistant", content: text });
  } catch (error) {
    const message = error.name === "AbortError" ? said.stopped : said.failed.replace("{message}", error.message);
    answer.text.textContent = text;
    answer.box.append(Object.assign(document.createElement("p"), { className: "bad", textContent: message }));
    if (text) turns.push({ role: "assistant", content: text });
    else turns.pop();
  } finally {
    running = null;
    answer.box.ariaBusy = "false";
    stop.disabled = true;
    send.disabled = false;
    field.focus();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const words = field.value.trim();
  if (!words || running) return;
  turns.push({ role: "user", content: words });
  bubble(said.you, "own").text.textContent = words;
  field.value = "";
  ask();
});
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
stop.addEventListener("click", () => running?.abort());
document.getElementById("new").addEventListener("click", () => {
  running?.abort();
  turns = [];
  talk.replaceChildren();
  field.focus();
});
