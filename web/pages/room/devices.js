/** Cameras and microphones: which there are, what they give, and what to do when they give nothing. */

/**
 * Both, or whichever can be had; without any, one comes in to see and listen.
 * @param {{ camera?: string, microphone?: string }} chosen
 * @returns {Promise<{ stream: MediaStream, notice: string }>}
 */
export async function openDevices({ camera, microphone } = {}) {
  if (!navigator.mediaDevices) return { stream: new MediaStream(), notice: words.insecure }
  const video = camera === 'none' ? false : { ...(camera ? { deviceId: camera } : {}), width: 640, height: 360 }
  const audio = microphone === 'none' ? false : microphone ? { deviceId: microphone } : true
  const wishes = [
    { video, audio },
    { video: false, audio },
    { video, audio: false },
  ]
  let notice = ''
  for (const wish of wishes.filter(({ video, audio }) => video || audio)) {
    try {
      return { stream: await navigator.mediaDevices.getUserMedia(wish), notice }
    } catch (error) {
      notice = wordsFor(error)
    }
  }
  return { stream: new MediaStream(), notice }
}

/**
 * The names of devices are told only once one of them has been used.
 * @param {HTMLSelectElement} select @param {MediaDeviceKind} kind @param {MediaStream} stream
 */
export async function offerDevices(select, kind, stream) {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? []
  const used = stream.getTracks().map(track => track.getSettings().deviceId)
  const options = devices
    .filter(device => device.kind === kind)
    .map((device, i) => {
      const option = new Option(device.label || `Device ${i + 1}`, device.deviceId)
      option.selected = used.includes(device.deviceId)
      return option
    })
  const none = new Option('None', 'none')
  none.selected = !options.some(option => option.selected)
  select.replaceChildren(...options, none)
}

const words = {
  insecure:
    'This page has no camera or microphone, for it was not opened by https. You can still see and hear the others.',
  denied: 'The browser may not use your camera or microphone. Allow it beside the address, and choose them again.',
  missing: 'No camera or no microphone was found. Plug one in, and choose it again; you can come in without.',
  busy: 'Your camera or microphone is in use by another program. Close that, and choose it again.',
}

/** @param {unknown} error */
function wordsFor(error) {
  const name = error instanceof Error ? error.name : ''
  if (name === 'NotAllowedError') return words.denied
  return name === 'NotReadableError' ? words.busy : words.missing
}
