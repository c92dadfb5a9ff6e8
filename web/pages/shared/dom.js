/** Small words for what every page does with its elements. */

/**
 * An element with what is in it. Texts become text nodes: nobody's words are ever markup.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {{ [property: string]: unknown }} [properties] those with a hyphen, `role`, `for` and `list` are attributes, `on` listens
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue
    if (name === 'on')
      for (const [event, heard] of Object.entries(/** @type {any} */ (value))) element.addEventListener(event, heard)
    else if (name.includes('-') || attributes.has(name)) element.setAttribute(name, String(value))
    else Reflect.set(element, name, value)
  }
  element.append(...children.filter(child => child !== null && child !== undefined && child !== false))
  return element
}
const attributes = new Set(['role', 'for', 'list', 'datetime'])

/**
 * What the page must have, or it is not this page.
 * @template {Element} T
 * @param {string} id @param {new () => T} kind @returns {T}
 */
export function find(id, kind) {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`There is no ${id}`)
  return found
}

/** Whoever presses a button before the page is ready would press it for nothing: so it is ready now. */
export function ready() {
  for (const button of document.querySelectorAll('button[type=submit]:disabled')) button.removeAttribute('disabled')
}

/** What was written in a form, by name; what was left empty is not there. @param {HTMLFormElement} form */
export function said(form) {
  /** @type {{ [name: string]: string }} */
  const fields = {}
  for (const [name, value] of new FormData(form)) {
    if (typeof value === 'string' && value.trim() !== '') fields[name] = value.trim()
  }
  return fields
}

/**
 * A line for each. One that says the same as before stays where it is, so that whoever is at it with the keyboard, or has
 * opened something in it, goes on.
 * @template Item
 * @param {Element} list @param {Item[]} items @param {(item: Item) => HTMLElement} line
 */
export function fill(list, items, line) {
  const before = new Map([...list.children].map(element => [element.getAttribute('data-says'), element]))
  const lines = items.map(item => {
    const says = JSON.stringify(item)
    const kept = before.get(says)
    if (kept) return kept
    const made = line(item)
    made.setAttribute('data-says', says)
    return made
  })
  for (const element of [...list.children]) if (!lines.includes(element)) element.remove()
  lines.forEach((element, i) => {
    if (list.children[i] !== element) list.insertBefore(element, list.children[i] ?? null)
  })
}
