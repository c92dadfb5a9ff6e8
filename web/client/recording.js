import { backoff_ms, Problem, pause } from './api.js'

/**
 * Records a stream in this browser, and uploads it while it goes on: a crash of the page costs its last second. The server
 * tells everybody inside that it has begun.
 *
 * @param {{ api: import('./api.js').Api, meeting_id: string }} call
 * @param {MediaStream} stream
 * @param {{ slice_ms?: number, failed?: (error: unknown) => void }} [options]
 */
export async function recordMeeting({ api, meeting_id }, stream, { slice_ms = 1000, failed } = {}) {
  const recorder = new MediaRecorder(stream, { mimeType: bestType(stream) })
  const content_type = recorder.mimeType
  const recording = await api.call('POST', `/meetings/${meeting_id}/recordings`, { source: 'upload', content_type })
  const given_up = new AbortController()
  const stopped = new Promise(resolve => recorder.addEventListener('stop', resolve, { once: true }))
  let chunks = 0
  /** One after the other. @type {Promise<void>} */
  let uploaded = Promise.resolve()
  recorder.ondataavailable = ({ data }) => {
    if (data.size === 0) return
    const number = chunks++
    uploaded = uploaded.then(() => upload(number, data))
  }
  recorder.start(slice_ms)

  /** @param {number} number @param {Blob} chunk */
  async function upload(number, chunk) {
    for (let attempt = 0; !given_up.signal.aborted; attempt++) {
      try {
        await api.put(`/recordings/${recording.id}/chunks/${number}`, chunk)
        return
      } catch (error) {
        if (error instanceof Problem && !error.passes) return giveUp(error)
        const asked_ms = error instanceof Problem ? error.retry_after_s * 1000 : 0
        await pause(Math.max(asked_ms, backoff_ms(attempt)), given_up.signal)
      }
    }
  }

  /** @param {unknown} error */
  function giveUp(error) {
    if (given_up.signal.aborted) return
    given_up.abort()
    if (recorder.state !== 'inactive') recorder.stop()
    failed?.(error)
  }

  return {
    id: recording.id,

    /** Resolves with the recording once all of it is with the server. */
    async stop() {
      if (recorder.state !== 'inactive') recorder.stop()
      await stopped
      await uploaded
      return api.call('POST', `/recordings/${recording.id}/stop`, given_up.signal.aborted ? {} : { chunks })
    },
  }
}

/** What this browser can make, and most players can show. @param {MediaStream} stream */
function bestType(stream) {
  const wanted =
    stream.getVideoTracks().length > 0
      ? ['video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4']
      : ['audio/webm;codecs=opus', 'audio/ogg', 'audio/mp4']
  const found = wanted.find(type => MediaRecorder.isTypeSupported(type))
  if (!found) throw new Error('This browser cannot record')
  return found
}
