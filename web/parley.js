/**
 * Parley in the browser: join a meeting, and be connected to whoever is in it. An ES module without dependencies, which any
 * page may import from its Parley; `web/README.md` shows how.
 *
 *   import { enterRoom } from 'https://meet.example.com/web/parley.js'
 *   const call = await enterRoom('tea', { display_name: 'Ada', stream })
 *   call.on('stream', ({ peer, stream }) => …)
 */

export { Problem } from './client/api.js'
export { enterRoom, joinByCode, joinMeeting } from './client/call.js'
export { wordFor as wordForQuality } from './client/quality.js'
export { recordMeeting } from './client/recording.js'
