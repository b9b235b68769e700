// The list of messages, and of what happened in between.

import { $, avatar, badge, element, hueClass } from "./view.js";

const GROUP_MS = 2 * 60_000;
const AT_BOTTOM_PX = 48;
const MAX_NODES = 500;

const messages = $("messages");
const log = $("log");
const outbox = $("outbox");
const newMessages = $("new-messages");

const timeFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

let last = null; // The last message, if nothing stands below it.
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
  // A page left open for days does not grow without end.
  while (log.children.length > MAX_NODES) log.firstElementChild.remove();
  $("no-messages").hidden = Boolean(log.firstChild || outbox.firstChild);
  if (follow) scrollToBottom();
  return follow;
}

function messageNode({ userId, name, node }, { text, sentAt, messageId }, { own, grouped, wait = null }) {
  const article = element("article", `message ${hueClass(userId)}`);
  article.classList.toggle("own", own);
  article.classList.toggle("grouped", grouped);
  if (messageId) article.dataset.messageId = messageId;

  const date = new Date(sentAt);
  const head = element("div", "head");
  const time = element("time", "", timeFormat.format(date));
  time.dateTime = date.toISOString();
  head.append(element("span", "author", name));
  if (node) head.append(badge(node, "through "));
  head.append(time);

  const bubble = element("div", "bubble");
  bubble.title = node ? `${fullFormat.format(date)}, through ${node}` : fullFormat.format(date);
  const body = element("p", "text", text);
  body.dir = "auto";
  bubble.append(body);

  const column = element("div", "column");
  column.append(head, bubble);
  if (wait) column.append(wait);
  if (!own) article.append(avatar(userId, name));
  article.append(column);
  return article;
}

export function addMessage(member, message, own) {
  const follow = keepingBottom(() => {
    const grouped = last?.member.userId === member.userId && last.member.node === member.node
      && last.member.name === member.name && message.sentAt - last.sentAt <= GROUP_MS;
    log.append(messageNode(member, message, { own, grouped }));
    last = { member, sentAt: message.sentAt };
  });
  if (follow || own) return;
  unread += 1;
  newMessages.textContent = unread === 1 ? "1 new message" : `${unread} new messages`;
  newMessages.hidden = false;
}

/**
 * A line about the room or the connection: `kind` is `system`, or `notice` for what the reader should know.
 *
 * @param {string} kind
 * @param {...(string | { node: string })} parts texts, and nodes between them
 */
export function addLine(kind, ...parts) {
  keepingBottom(() => {
    const line = element("p", kind);
    line.append(...parts.map((part) => typeof part === "string" ? part : badge(part.node)));
    log.append(line);
    last = null;
  });
}

/** Own messages that are on their way or did not make it, below everything that is in the room. */
export function showOutbox(items, me, { onRetry, onDiscard }) {
  keepingBottom(() => {
    outbox.replaceChildren(...items.map((item) => {
      const wait = element("div", "delivery");
      if (item.status === "failed") {
        const retry = element("button", "retry", "Retry");
        const discard = element("button", "discard", "Discard");
        retry.type = discard.type = "button";
        retry.addEventListener("click", () => onRetry(item));
        discard.addEventListener("click", () => onDiscard(item));
        wait.append(element("span", "", "Not sent"), retry, discard);
        wait.title = item.reason;
      } else {
        wait.append(element("span", "", item.status === "sending" ? "Sending…" : "Waiting to be sent…"));
      }
      const message = { text: item.text, sentAt: item.timestamp, messageId: "" };
      const node = messageNode({ ...me, node: "" }, message, { own: true, grouped: false, wait });
      node.classList.add(item.status === "failed" ? "failed" : "pending");
      return node;
    }));
  });
}

export function clear() {
  keepingBottom(() => {
    log.replaceChildren();
    last = null;
  });
}

export function init() {
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
