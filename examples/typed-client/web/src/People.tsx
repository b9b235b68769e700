export function People({ people, name }: { people: readonly string[]; name: string | null }) {
  return (
    <section className="card" aria-labelledby="people">
      <h2 id="people">
        {people.length === 1 ? "1 person is here" : `${people.length} people are here`}
      </h2>
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
