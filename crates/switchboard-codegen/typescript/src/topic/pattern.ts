/**
 * The types of a topic's messages. Patterns are names with parts in braces, such as `room:{id}`, or prefixes, such as
 * `room:*`. What stands before the first brace and behind the last decides.
 */
export function typesOf(topic: string, patterns: { readonly [pattern: string]: readonly string[] }): string[] {
  const found = Object.entries(patterns).filter(([pattern]) => {
    const [start = "", end] = pattern.split(/\{.*\}|\*$/);
    return end === undefined ? topic === start : topic.startsWith(start) && topic.endsWith(end);
  });
  return found.flatMap(([, types]) => types);
}
