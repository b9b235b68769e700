// Everything that draws: it turns the state it is given into DOM and holds no protocol knowledge.
// Text from the server only ever goes through textContent or setAttribute, never through HTML.

const GROUP_MS = 2 * 60_000;
const TOAST_MS = 6_000;
const MAX_TOASTS = 3;
const AT_BOTTOM_PX = 48;

/** @type {(id: string) => any} */
export const $ = (id) => document.getElementById(id);
/** Characters as the server counts them, not UTF-16 units. */
export const length = (text) => [...text].length;

const messages = $("messages");
const log = $("log");
const outbox = $("outbox");
const sidebar = $("sidebar");
const menuButton = $("menu-button");
const newMessages = $("new-messages");

const timeFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** One of eight colours per person, the same in every tab. */
function hueClass(userId) {
  let hash = 0;
  for (const char of String(userId)) hash = (hash * 31 + char.codePointAt(0)) >>> 0;
  return `hue-${hash % 8}`;
}

function paintAvatar(node, userId, name) {
  node.className = `avatar ${hueClass(userId)}`;
  // Drawn by the style sheet from the attribute, so that the initial is no part of the text.
  node.dataset.initial = [...name.trim()][0]?.toUpperCase() ?? "?";
  return node;
}

function avatar(userId, name) {
  const node = paintAvatar(element("span"), userId, name);
  node.setAttribute("aria-hidden", "true");
  return node;
}

export function announce(text) {
  $("announcer").textContent = text;
}

// ---- connection -------------------------------------------------------------------------------

const STATE_TEXT = { connecting: "Connecting…", open: "Online", closed: "Offline" };
let countdown = 0;

/** @param {import("./client/switchboard-client.js").ConnectionState} now */
export function showConnection(now) {
  clearInterval(countdown);
  const state = now.status === "waiting" ? "reconnecting" : now.status;
  const box = $("connection");
  const label = $("connection-text");
  const button = $("reconnect");
  const changed = box.dataset.state !== state;
  box.dataset.state = state;
  button.hidden = state !== "reconnecting" && state !== "closed";
  button.textContent = state === "closed" ? "Connect" : "Reconnect now";
  $("disconnect").hidden = state === "closed";
  $("room-button").disabled = state !== "open";
  if (now.status === "waiting") {
    const retryAt = Date.now() + now.retryInMs;
    const tick = () => {
      const seconds = Math.ceil((retryAt - Date.now()) / 1000);
      label.textContent = seconds > 0 ? `Reconnecting in ${seconds} s` : "Reconnecting…";
    };
    tick();
    countdown = setInterval(tick, 250);
    if (changed) announce("The connection was lost. Reconnecting.");
  } else {
    label.textContent = STATE_TEXT[state];
    if (changed && state !== "connecting") announce(STATE_TEXT[state]);
  }
}

// ---- people and rooms -------------------------------------------------------------------------

export function showMe(me) {
  $("me").textContent = me.username;
  paintAvatar($("my-avatar"), me.userId, me.username);
}

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
      button.append(element("span", "name"), element("span", "count"), element("span", "visually-hidden", " people"));
      button.addEventListener("click", () => onPick(room.id));
      element("li").append(button);
    }
    button.querySelector(".name").textContent = room.name;
    button.querySelector(".count").textContent = String(room.userCount);
    if (room.id === currentId) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    return button.parentElement;
  });
  const same = items.length === list.children.length && items.every((item, i) => item === list.children[i]);
  if (!same) list.replaceChildren(...items);
}

/** The room in the header: null when in no room. */
export function showRoom(room) {
  $("room-name").textContent = room ? room.name : "No room";
  $("room-count").textContent = room ? room.status : "";
  $("leave").hidden = !room;
  $("empty").hidden = Boolean(room);
  $("chat").classList.toggle("no-room", !room);
  document.title = room ? `${room.name} · Switchboard chat` : "Switchboard chat";
}

/** The "Leave" button goes away with the room; the focus goes to what comes next. */
export function focusRooms() {
  const next = narrow.matches ? $("browse-rooms") : $("rooms").querySelector("button");
  next?.focus();
}

export function showMembers(users, isOwn, onMessage) {
  $("people").hidden = users.length === 0;
  $("members").replaceChildren(...users.map((user) => {
    const item = element("li");
    item.dataset.userId = user.userId;
    item.append(avatar(user.userId, user.username), element("span", "name", user.username));
    if (isOwn(user.userId)) {
      item.append(element("span", "tag", "you"));
    } else {
      const button = element("button", "message-button", "Message");
      button.type = "button";
      button.setAttribute("aria-label", `Message ${user.username}`);
      button.addEventListener("click", () => onMessage(user));
      item.append(button);
    }
    return item;
  }));
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

// ---- messages ---------------------------------------------------------------------------------

let lastEntry = null;
let unread = 0;

function atBottom() {
  return messages.scrollHeight - messages.scrollTop - messages.clientHeight <= AT_BOTTOM_PX;
}

function clearUnread() {
  unread = 0;
  newMessages.hidden = true;
}

export function scrollToBottom() {
  messages.scrollTop = messages.scrollHeight;
  clearUnread();
}

/** Runs a change of the list and stays at the bottom if the reader was there. */
function keepingBottom(change) {
  const follow = atBottom();
  change();
  if (follow) scrollToBottom();
  return follow;
}

export function safeUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url : null;
  } catch {
    return null;
  }
}

/** What a link is called: its given name, else the last part of its path, else its host. */
export function attachmentName(attachment) {
  if (attachment.name) return attachment.name;
  const url = safeUrl(attachment.url);
  if (!url) return "Link";
  const last = url.pathname.split("/").filter(Boolean).pop();
  if (!last) return url.host;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** A link, never an embedded image: opening a chat must not make requests to strangers' hosts. */
function attachmentNode(attachment) {
  const url = safeUrl(attachment.url);
  const node = element(url ? "a" : "span", `attachment ${attachment.type === "image" ? "image" : "file"}`);
  if (url) {
    node.href = url.href;
    node.rel = "noopener noreferrer";
    node.target = "_blank";
  }
  const kind = attachment.type === "image" ? "Image" : "File";
  const words = element("span", "attachment-words");
  words.append(
    element("span", "attachment-name", attachmentName(attachment)),
    element("span", "attachment-host", url ? `${kind} · ${url.host}` : `${kind} · address not allowed`),
  );
  node.append(words);
  return node;
}

function messageNode({ userId, username, text, timestamp, attachment, messageId, direct }, { own, grouped, wait = null }) {
  const node = element("article", `message ${hueClass(userId)}`);
  node.classList.toggle("own", own);
  node.classList.toggle("grouped", grouped);
  node.dataset.userId = userId;
  if (messageId) node.dataset.messageId = messageId;

  const date = new Date(timestamp);
  const head = element("div", "head");
  const time = element("time", "", timeFormat.format(date));
  time.dateTime = date.toISOString();
  head.append(element("span", "author", username), time);
  if (direct) head.append(element("span", "direct-tag", direct));
  node.classList.toggle("direct", Boolean(direct));

  const bubble = element("div", "bubble");
  bubble.title = fullFormat.format(date);
  const body = element("p", "text", text);
  body.dir = "auto";
  bubble.append(body);
  if (attachment) bubble.append(attachmentNode(attachment));

  const column = element("div", "column");
  column.append(head, bubble);
  if (wait) column.append(wait);
  if (!own) node.append(avatar(userId, username));
  node.append(column);
  return node;
}

function entryNodes(entry, previous, isOwn) {
  const day = new Date(entry.timestamp).toDateString();
  const today = new Date().toDateString();
  const nodes = [];
  // The first entry gets a day only when it is an old one: "Today" goes without saying there.
  const newDay = previous ? new Date(previous.timestamp).toDateString() !== day : day !== today;
  if (newDay) nodes.push(element("p", "day", day === today ? "Today" : dayFormat.format(entry.timestamp)));
  if (entry.kind === "system") {
    nodes.push(element("p", "system", entry.text));
    return nodes;
  }
  const grouped = !newDay && previous?.kind === "chat" && previous.direct === entry.direct && previous.userId === entry.userId
    && previous.username === entry.username && entry.timestamp - previous.timestamp <= GROUP_MS;
  nodes.push(messageNode(entry, { own: isOwn(entry.userId), grouped }));
  return nodes;
}

function showNothing() {
  $("no-messages").hidden = Boolean(log.querySelector(".message") || outbox.firstChild);
}

/** Draws the whole list anew, as after joining. Not read out: it is history, not news. */
export function showEntries(entries, isOwn) {
  messages.setAttribute("aria-live", "off");
  const nodes = [];
  lastEntry = null;
  for (const entry of entries) {
    nodes.push(...entryNodes(entry, lastEntry, isOwn));
    lastEntry = entry;
  }
  log.replaceChildren(...nodes);
  showNothing();
  scrollToBottom();
  requestAnimationFrame(() => messages.setAttribute("aria-live", "polite"));
}

export function appendEntry(entry, isOwn) {
  const follow = keepingBottom(() => {
    log.append(...entryNodes(entry, lastEntry, isOwn));
    lastEntry = entry;
    showNothing();
  });
  if (follow || entry.kind !== "chat" || isOwn(entry.userId)) return;
  unread += 1;
  newMessages.textContent = unread === 1 ? "1 new message" : `${unread} new messages`;
  newMessages.hidden = false;
}

/** Forgets the oldest nodes, so that a page left open for days does not grow without end. */
export function dropOldest(count) {
  keepingBottom(() => {
    for (let i = 0; i < count && log.firstChild; i += 1) log.firstChild.remove();
  });
}

/** Messages that are on their way or did not make it, below everything that is confirmed. */
export function showOutbox(pending, me, canSend, { onRetry, onDiscard }) {
  keepingBottom(() => {
    outbox.replaceChildren(...pending.map((item) => {
      const wait = element("div", "delivery");
      if (item.status === "pending") {
        wait.append(element("span", "", "Sending…"));
      } else {
        const retry = element("button", "retry", "Retry");
        const discard = element("button", "discard", "Discard");
        retry.type = discard.type = "button";
        retry.disabled = !canSend;
        retry.addEventListener("click", () => onRetry(item));
        discard.addEventListener("click", () => onDiscard(item));
        const reason = item.status === "rejected" ? "Not sent" : "No confirmation";
        wait.append(element("span", "", reason), retry, discard);
      }
      const shown = { ...item, userId: me.userId, username: me.username };
      const node = messageNode(shown, { own: true, grouped: false, wait });
      node.classList.add(item.status === "pending" ? "pending" : "failed");
      return node;
    }));
    showNothing();
  });
}

// ---- toasts -----------------------------------------------------------------------------------

/** One line for an ERROR payload. */
export function errorText({ message, details, retryAfterMs }) {
  const issues = Array.isArray(details?.issues) ? details.issues : [];
  const parts = [message, ...issues.map((issue) => `${issue.path}: ${issue.message}`)];
  if (retryAfterMs > 0) parts.push(`Try again in ${Math.ceil(retryAfterMs / 1000)} s.`);
  return parts.filter(Boolean).join(" · ");
}

export function toast(text, kind = "error") {
  const box = $("toasts");
  const node = element("div", "toast");
  node.dataset.kind = kind;
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
  // A closed drawer is out of reach of the tab key; an open one keeps the chat out of reach.
  sidebar.inert = narrow.matches && !shown;
  $("chat").inert = shown;
  if (!focus || shown === wasOpen) return;
  if (shown) (sidebar.querySelector('[aria-current="true"]') ?? sidebar.querySelector("button"))?.focus();
  else menuButton.focus();
}

export function initView() {
  setDrawer(false, { focus: false });
  narrow.addEventListener("change", () => setDrawer(false, { focus: false }));
  menuButton.addEventListener("click", () => setDrawer(menuButton.getAttribute("aria-expanded") !== "true"));
  $("browse-rooms").addEventListener("click", () => setDrawer(true));
  $("backdrop").addEventListener("click", () => setDrawer(false));
  document.addEventListener("keydown", (event) => {
    // With a dialog open, Escape belongs to the dialog.
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) setDrawer(false);
  });
  messages.addEventListener("scroll", () => {
    if (atBottom()) clearUnread();
  }, { passive: true });
  newMessages.addEventListener("click", () => {
    scrollToBottom();
    messages.focus({ preventScroll: true });
  });
  // The phone keyboard and a growing composer shrink the list; its end stays in view.
  let follow = true;
  messages.addEventListener("scroll", () => { follow = atBottom(); }, { passive: true });
  new ResizeObserver(() => { if (follow) scrollToBottom(); }).observe(messages);
}
