import { Problem } from '../../client/api.js'
import { h } from './dom.js'
import { token } from './me.js'

/** Calls that need a header, or are answered by bytes. */

/** @param {string} path @param {RequestInit} [init] */
async function ask(path, init) {
  const headers = { ...init?.headers, Authorization: `Bearer ${await token()}` }
  const reply = await fetch(`/api${path}`, { cache: 'no-store', ...init, headers })
  if (reply.ok) return reply
  throw new Problem({ ...(await reply.json().catch(() => ({}))), status: reply.status })
}

/** @param {string} path */
export const bytesOf = async path => (await ask(path)).blob()

/** Only what nobody else has changed since it was read. @param {string} path @param {number} version @param {object} body */
export const changeAsRead = async (path, version, body) =>
  (
    await ask(path, {
      method: 'PATCH',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', 'If-Match': `"${version}"` },
    })
  ).json()

/** Into the folder of downloads. @param {BlobPart} content @param {string} type @param {string} name */
export function handOver(content, type, name) {
  const href = URL.createObjectURL(new Blob([content], { type }))
  h('a', { href, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(href), 60_000)
}
