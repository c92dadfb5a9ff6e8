/** Who a name in a sentence may mean. */
export type People = ReturnType<typeof createPeople>

/** By full name, and by first name where just one of them has it. */
export function createPeople(display_names: Iterable<string>) {
  const known = new Map<string, string | undefined>()
  const everybody = [...new Set(display_names)].filter(name => /\p{L}/u.test(name))
  for (const display_name of everybody) {
    const [first = display_name] = display_name.split(/\s+/)
    if (first !== display_name) known.set(first, known.has(first) ? undefined : display_name)
  }
  for (const display_name of everybody) known.set(display_name, display_name)
  const longestFirst = [...known.keys()].sort((a, b) => b.length - a.length)

  return {
    /** For a pattern; matches nothing where nobody has a name. */
    pattern: longestFirst.length > 0 ? longestFirst.map(literal).join('|') : '(?!)',
    /** As it is spelled, for "Will" is somebody and "will" is none. */
    find: (name: string): string | undefined => known.get(name),
    /** The one whom "you" means, where there are two. */
    otherThan: (display_name: string): string | undefined =>
      everybody.length === 2 ? everybody.find(name => name !== display_name) : undefined,
  }
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replace(/\s+/g, '\\s+')
