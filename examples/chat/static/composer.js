// The field to write a message in, with its counter and its button.

import { $, attachmentName, length } from "./view.js";

const MAX_TEXT = 1000;
const COUNTER_FROM = 850;

const input = $("text");
let focusWhenEnabled = false; // A disabled field cannot keep the focus; this gives it back.

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
  if (input.disabled) focusWhenEnabled = true;
  else input.focus();
}

export function draw({ enabled, hasRoom, attachment }) {
  if (!enabled && document.activeElement === input) focusWhenEnabled = true;
  input.disabled = !enabled;
  if (enabled && focusWhenEnabled) {
    focusWhenEnabled = false;
    // Not away from a dialog or from anything else the user went to in the meantime.
    if (document.activeElement === document.body || document.activeElement.matches(".room")) input.focus();
  }
  const withLink = attachment ? "Add a message to the link" : "Write a message";
  input.placeholder = enabled || !hasRoom ? withLink : "Waiting for the connection…";
  $("attach").disabled = !enabled;
  $("send").disabled = !enabled || !isValid(text());
  $("attachment-chip").hidden = !attachment;
  if (attachment) $("attachment-label").textContent = attachmentName(attachment);
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
