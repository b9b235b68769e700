// The field to write a message in, with its counter and its button.

import { $, length } from "./view.js";

const MAX_TEXT = 1000;
const COUNTER_FROM = 850;

const input = $("text");

export function text() {
  return input.value.trim();
}

export function isValid(text) {
  return length(text) > 0 && length(text) <= MAX_TEXT;
}

export function clear() {
  input.value = "";
}

export function focus() {
  input.focus();
}

/** `waits` is why a message would not be sent at once, or an empty text. */
export function draw(waits) {
  input.placeholder = waits || "Write a message";
  $("send").disabled = !isValid(text());
  drawCounter(length(text()));

  input.style.height = "auto";
  input.style.height = `${input.scrollHeight}px`;
}

function drawCounter(count) {
  const counter = $("counter");
  counter.hidden = count < COUNTER_FROM;
  counter.textContent = count > MAX_TEXT ? `${count - MAX_TEXT} over the limit` : `${MAX_TEXT - count} left`;
  counter.classList.toggle("over", count > MAX_TEXT);
  input.setAttribute("aria-invalid", String(count > MAX_TEXT));
}

export function init({ onSubmit, onInput, onBlur }) {
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    onSubmit();
  });
  input.addEventListener("keydown", (event) => {
    // While an input method composes, Enter picks a candidate.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    onSubmit();
  });
  input.addEventListener("input", onInput);
  input.addEventListener("blur", onBlur);
}
