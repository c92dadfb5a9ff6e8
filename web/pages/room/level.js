/** How loud a stream is, from 0 to 1, five times a second. */

/** @type {AudioContext | undefined} */
let shared
for (const gesture of ['pointerdown', 'keydown']) addEventListener(gesture, () => shared?.resume())

/** Returns the way to stop. @param {MediaStream} stream @param {(level: number) => void} tell */
export function listenTo(stream, tell) {
  if (stream.getAudioTracks().length === 0) return () => {}
  shared ??= new AudioContext() // which browsers keep silent until somebody has pressed something
  const source = shared.createMediaStreamSource(stream)
  const analyser = shared.createAnalyser()
  analyser.fftSize = 512
  source.connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    const loudness = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
    tell(Math.min(1, loudness * 4))
  }, 200)
  return () => {
    clearInterval(timer)
    source.disconnect()
    tell(0)
  }
}
