export function People({ people, name }: { people: readonly string[]; name: string | null }) {
  return (
    <section className="card" aria-labelledby="people">
      <h2 id="people">{title(people.length)}</h2>
      {people.length > 0 && (
        <ul className="people">
          {people.map((person) => (
            <li key={person} className={person === name ? "you" : undefined}>
              {person}
              {person === name && " (you)"}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function title(count: number): string {
  if (count === 0) return "Be the first to join";
  return count === 1 ? "1 person is here" : `${count} people are here`;
}
