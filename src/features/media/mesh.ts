import { createHmac } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import type { MediaProvider } from './provider.ts'
import type { IceServer } from './schema.ts'

interface Deps {
  clock: Clock
  stun_urls: string[]
  turn_urls: string[]
  /** Shared with the TURN server; without it TURN is not offered. */
  turn_secret: string | undefined
}

const credentialsFor_s = 3600

/** Browsers, peer to peer. Each sends to each, so what one of them can upload is what sets the limits. */
export function createMesh({ clock, stun_urls, turn_urls, turn_secret }: Deps): MediaProvider {
  const stun: IceServer[] = stun_urls.length > 0 ? [{ urls: stun_urls }] : []

  /** coturn's REST scheme: a name that says when it expires, and a password that only who has the secret can make. */
  function turn(id: string): IceServer[] {
    if (turn_urls.length === 0 || turn_secret === undefined) return []
    const username = `${Math.floor(clock.millis() / 1000) + credentialsFor_s}:${id}`
    const credential = createHmac('sha1', turn_secret).update(username).digest('base64')
    return [{ urls: turn_urls, username, credential }]
  }

  return {
    limits: { inside: 32, senders: 8 },
    admit: ({ participant_id }) => ({
      media: { provider: 'mesh', topology: 'mesh' },
      ice_servers: [...stun, ...turn(participant_id)],
    }),
  }
}
