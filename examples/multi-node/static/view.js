// Everything that draws but the list of messages: it turns the state it is given into DOM and holds no protocol knowledge.
// Text from the server only ever goes through textContent or setAttribute, never through HTML.

const TOAST_MS = 6_000;
const MAX_TOASTS = 3;

/** @type {(id: string) => any} */
export const $ = (id) => document.getElementById(id);
/** Characters as the server counts them, not UTF-16 units. */
export const length = (text) => [...text].length;

const sidebar = $("sidebar");
const menuButton = $("menu-button");

export function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** One of eight colours for a text, the same in every tab. */
function hue(text) {
  let hash = 0;
  for (const char of String(text)) hash = (hash * 31 + char.codePointAt(0)) >>> 0;
  return hash % 8;
}

export const hueClass = (userId) => `hue-${hue(userId)}`;

/** The node that somebody or something came through. Names that end in a number have a colour by it. */
export function badge(node, prefix = "") {
  const number = /(\d+)$/.exec(node)?.[1];
  const colour = number === undefined ? hue(node) : Number(number) % 8;
  const mark = element("span", `badge node-${colour}`);
  // What a screen reader says, and the eye sees by the mark.
  if (prefix) mark.append(element("span", "visually-hidden", prefix));
  mark.append(node);
  return mark;
}

export function avatar(userId, name) {
  const node = element("span", `avatar ${hueClass(userId)}`);
  // Drawn by the style sheet from the attribute, so that the initial is no part of the text.
  node.dataset.initial = [...name.trim()][0]?.toUpperCase() ?? "?";
  node.setAttribute("aria-hidden", "true");
  return node;
}

export function announce(text) {
  $("announcer").textContent = text;
}

// ---- connection -------------------------------------------------------------------------------

const STATE_TEXT = { idle: "Not connected", connecting: "Connecting…", closed: "Offline" };
let countdown = 0;

/**
 * @param {import("./client/switchboard-client.js").ConnectionState} now
 * @param {string} node the node of the connection; empty until it has said so
 * @param {string} link `up`, `doubtful` or `down`
 */
export function showConnection(now, node, link) {
  clearInterval(countdown);
  const state = now.status === "waiting" ? "reconnecting" : now.status;
  const box = $("connection");
  const label = $("connection-text");
  const changed = box.dataset.state !== state;
  box.dataset.state = state;
  box.dataset.link = link;
  $("reconnect").hidden = state !== "reconnecting" && state !== "closed";
  if (now.status === "waiting") {
    const retryAt = Date.now() + now.retryInMs;
    const tick = () => {
      const seconds = Math.ceil((retryAt - Date.now()) / 1000);
      label.textContent = seconds > 0 ? `Reconnecting in ${seconds} s` : "Reconnecting…";
    };
    tick();
    countdown = setInterval(tick, 250);
    if (changed) announce("The connection was lost. Reconnecting.");
  } else if (now.status === "open") {
    const words = { up: "Online through ", doubtful: "Others not heard by ", down: "No broker at " };
    label.replaceChildren(...node ? [element("span", "words", words[link] ?? words.up), badge(node)] : ["Online"]);
  } else {
    label.textContent = STATE_TEXT[state];
  }
}

// ---- rooms and people -------------------------------------------------------------------------

export function showRooms(rooms, currentId, onPick) {
  const list = $("rooms");
  const known = new Map([...list.querySelectorAll("button")].map((button) => [button.dataset.room, button]));
  const items = rooms.map((room) => {
    // Buttons are kept from one list to the next, so that a count change does not take the focus.
    let button = known.get(room.id);
    if (!button) {
      button = element("button", "room");
      button.type = "button";
      button.dataset.room = room.id;
      button.append(element("span", "name"), element("span", "count"), element("span", "visually-hidden", " people on all nodes"));
      button.addEventListener("click", () => onPick(room.id));
      element("li").append(button);
    }
    button.querySelector(".name").textContent = room.name;
    button.querySelector(".count").textContent = String(room.members);
    if (room.id === currentId) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    return button.parentElement;
  });
  const same = items.length === list.children.length && items.every((item, i) => item === list.children[i]);
  if (!same) list.replaceChildren(...items);
}

/** The room in the header, with a text about it. */
export function showRoom(name, status) {
  $("room-name").textContent = name;
  $("room-count").textContent = status;
  document.title = `${name} · Switchboard on three nodes`;
}

export function showPeople(people, isOwn) {
  $("people").hidden = people.length === 0;
  $("members").replaceChildren(...people.map(({ userId, name, node }) => {
    const item = element("li");
    item.dataset.userId = userId;
    item.append(avatar(userId, name), element("span", "name", name));
    if (isOwn(userId)) item.append(element("span", "tag", "you"));
    item.append(badge(node, "through "));
    return item;
  }));
}

export function showMe({ userId, name }) {
  $("me").textContent = name;
  $("my-avatar").replaceWith(Object.assign(avatar(userId, name), { id: "my-avatar" }));
}

export function showTyping(names) {
  let text = "";
  if (names.length === 1) text = `${names[0]} is typing…`;
  else if (names.length === 2) text = `${names[0]} and ${names[1]} are typing…`;
  else if (names.length === 3) text = `${names[0]}, ${names[1]} and ${names[2]} are typing…`;
  else if (names.length > 3) text = "Several people are typing…";
  $("typing").textContent = text;
  $("typing-row").classList.toggle("active", text !== "");
}

// ---- the name ---------------------------------------------------------------------------------

const MAX_NAME = 20;

/** `choose` gets the new name. */
export function initNameDialog(current, choose) {
  const [dialog, input, error] = [$("name-dialog"), $("name-input"), $("name-error")];
  $("name-button").addEventListener("click", () => {
    error.hidden = true;
    input.value = current();
    dialog.showModal();
    input.select();
  });
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  $("name-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = input.value.trim();
    error.hidden = length(name) > 0 && length(name) <= MAX_NAME;
    error.textContent = `Please enter 1 to ${MAX_NAME} characters.`;
    if (!error.hidden) return;
    dialog.close();
    choose(name);
  });
}

// ---- toasts -----------------------------------------------------------------------------------

export function toast(text) {
  const box = $("toasts");
  const node = element("div", "toast");
  const close = element("button", "toast-close", "Dismiss");
  close.type = "button";
  close.addEventListener("click", () => node.remove());
  node.append(element("p", "", text), close);
  box.append(node);
  while (box.children.length > MAX_TOASTS) box.firstElementChild.remove();
  setTimeout(() => node.remove(), TOAST_MS);
}

// ---- drawer -----------------------------------------------------------------------------------

const narrow = window.matchMedia("(max-width: 760px)");

export function setDrawer(open, { focus = true } = {}) {
  const wasOpen = menuButton.getAttribute("aria-expanded") === "true";
  const shown = open && narrow.matches;
  menuButton.setAttribute("aria-expanded", String(shown));
  document.body.classList.toggle("drawer-open", shown);
  $("backdrop").hidden = !shown;
  // A closed drawer is out of reach of the tab key; an open one keeps the room out of reach.
  sidebar.inert = narrow.matches && !shown;
  $("chat").inert = shown;
  if (!focus || shown === wasOpen) return;
  if (shown) (sidebar.querySelector('[aria-current="true"]') ?? sidebar.querySelector("button"))?.focus();
  else menuButton.focus();
}

export function init() {
  setDrawer(false, { focus: false });
  narrow.addEventListener("change", () => setDrawer(false, { focus: false }));
  menuButton.addEventListener("click", () => setDrawer(menuButton.getAttribute("aria-expanded") !== "true"));
  $("backdrop").addEventListener("click", () => setDrawer(false));
  document.addEventListener("keydown", (event) => {
    // With a dialog open, Escape belongs to the dialog.
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) setDrawer(false);
  });
}
