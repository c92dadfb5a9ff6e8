/**
 * Whether a session description offers to send sound or pictures. This is the one place where a payload is read: who may
 * only watch would otherwise be heard by whoever connects to them. What counts is what browsers make of it, which is not
 * always what is written about them; where that is in doubt, it sends.
 */
export function sendsMedia(payload: unknown): boolean {
  return textsIn(payload).some(text => sectionsOf(text).some(isSending))
}

/** A section begins with its `m=` line. A direction that is said before the first, for all of them, Chromium ignores. */
const sectionsOf = (sdp: string): string[] => sdp.split(/(?:^|[\r\n])m=/).slice(1)

function isSending(section: string): boolean {
  const lines = section.split('\n').map(line => line.replace(/\r$/, ''))
  const [kind, port] = lines[0]?.trim().split(/\s+/) ?? []
  const isData = kind === 'application'
  const isRejected = port === '0' && !lines.includes('a=bundle-only')
  const onlyReceives = lines.some(line => line === 'a=recvonly' || line === 'a=inactive')
  const alsoSends = /a=(sendrecv|sendonly)/.test(section)
  return !isData && !isRejected && (alsoSends || !onlyReceives)
}

/** Wherever in the payload a client of its own making puts it. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.includes('m=') ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsIn)
}
