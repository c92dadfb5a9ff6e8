import { h } from './dom.js'

/** Into the folder of downloads. @param {BlobPart} content @param {string} type @param {string} name */
export function handOver(content, type, name) {
  const href = URL.createObjectURL(new Blob([content], { type }))
  h('a', { href, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(href), 60_000)
}
