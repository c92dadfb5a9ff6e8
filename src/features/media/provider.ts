import type { IceServer, Media } from './schema.ts'

/** Who carries sound and pictures. A provider knows of people and of nothing else: no meeting, no lobby, no rule. */
export interface MediaProvider {
  /** How many may be inside, and how many of them may send, before the network of a browser gives up. */
  limits: { inside: number; senders: number }
  /** What somebody needs who has come in. */
  admit(person: { participant_id: string }): { media: Media; ice_servers: IceServer[] }
}
